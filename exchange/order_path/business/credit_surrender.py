"""What an entity does with its allowances: surrender, carry over, give back what it owes; and what follows from a shortfall."""

from typing import TYPE_CHECKING, Final

from exchange.carbon.compliance import Carried, ComplianceYear, Entity, Surrendered
from exchange.carbon.rules import CarbonRules
from exchange.carbon.surrender import carry_over_limit_t, ccer_limit_t, fine_micro
from exchange.carbon.vintages import is_usable
from exchange.ledger.chart import House
from exchange.ledger.records import PostingReason
from exchange.market.instruments import Instrument
from exchange.order_path.business.credit_allocation import entity_of, require_year
from exchange.order_path.business.credit_deadlines import surrender_deadline_ns
from exchange.order_path.business.credit_units import (
    TEXT_MAX,
    allowances,
    collect_allowance_debt,
    collect_money,
    issue_some,
    require_room,
    take_some,
    units_of,
    usable_lots,
)
from exchange.order_path.business.rules import BusinessRuleError, Caller, Handler, Result, listed, member, require
from exchange.protocol.document import Document
from exchange.protocol.instrument_class import InstrumentClass
from exchange.protocol.value_chain.allowances import (
    CarryOverAllowances,
    CollectDues,
    ImposePenalty,
    SettleAllowanceDebt,
    SurrenderAllowances,
    SurrenderLine,
)

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange

_LINES_MAX: Final = 100
_FINE_MAX_MICRO: Final = 2**62


def _year_of(exchange: "Exchange", account: int, year: int) -> ComplianceYear:
    row = exchange.rooms.credits.compliance.years.get((account, year))
    if row is None or not row.is_verified:
        raise BusinessRuleError("not_verified")
    return row


def surrender(exchange: "Exchange", document: SurrenderAllowances, caller: Caller) -> Result:
    """All lines or none. Allowances of usable vintages; CCER up to their share and from outside the own boundary; never more than is owed."""
    entity = entity_of(exchange, caller.account)
    require_year(document.year)
    row = _year_of(exchange, caller.account, document.year)
    require(caller.stamp_ns < surrender_deadline_ns(exchange, document.year), "surrender_deadline_has_passed")
    require(entity.debt_t == 0, "allowance_debt_comes_first")
    require(0 < len(document.units) <= _LINES_MAX, "too_many_rows")
    rules = exchange.rooms.credits.rules.of_year(document.year)
    lines = [(_surrendered(exchange, entity, rules, row.year, line), line) for line in document.units]
    names = [(instrument.id, line.origin) for instrument, line in lines]
    require(len(set(names)) == len(names), "units_named_twice")
    for instrument in {instrument.id: instrument for instrument, _ in lines}.values():
        wanted = sum(line.quantity_lots for other, line in lines if other is instrument)
        require(wanted <= usable_lots(exchange, instrument, caller.account), "units_not_available")
    offset_t = sum(line.quantity_lots for instrument, line in lines if instrument.instrument_class is InstrumentClass.CCER)
    require(row.offset_t + offset_t <= ccer_limit_t(row.obligation_t, rules.ccer_cap_ppm), "ccer_above_their_share")
    require(sum(line.quantity_lots for _, line in lines) <= row.open_t, "above_obligation")
    for instrument, line in lines:
        take_some(exchange, instrument, caller.account, line.quantity_lots, PostingReason.UNITS_SURRENDERED)
        is_offset = instrument.instrument_class is InstrumentClass.CCER
        row.surrendered.append(Surrendered(caller.stamp_ns, instrument.id, line.quantity_lots, is_offset, line.origin))
    return {"surrendered_t": row.surrendered_t, "open_t": row.open_t}


def _surrendered(exchange: "Exchange", entity: Entity, rules: CarbonRules, year: int, line: SurrenderLine) -> Instrument:
    """The instrument of a line whose units may count for the year."""
    require(line.quantity_lots > 0, "quantity_out_of_range")
    instrument = listed(exchange, line.symbol)
    if instrument.instrument_class is InstrumentClass.CCER:
        require(0 < len(line.origin) <= 64, "ccer_need_their_origin")
        require(line.origin not in entity.boundary_projects, "ccer_of_own_boundary")
        return units_of(exchange, line.symbol, InstrumentClass.CCER)
    instrument, vintage = allowances(exchange, line.symbol)
    require(is_usable(vintage, year, rules.vintage_from_year), "wrong_vintage")
    require(not line.origin, "allowances_have_no_origin")
    return instrument


def carry_over(exchange: "Exchange", document: CarryOverAllowances, caller: Caller) -> Result:
    """What is left of a vintage once its year is met becomes a later vintage, within the limit by net sales."""
    entity = entity_of(exchange, caller.account)
    instrument, vintage = allowances(exchange, document.symbol)
    later, later_vintage = allowances(exchange, document.to_symbol)
    require(vintage < later_vintage, "wrong_vintage")
    require(entity.debt_t == 0, "allowance_debt_comes_first")
    require(_year_of(exchange, caller.account, vintage).open_t == 0, "obligation_is_not_met")
    require(0 < document.quantity_lots <= usable_lots(exchange, instrument, caller.account), "units_not_available")
    limit_t = carry_over_limit(exchange, instrument, vintage, caller.account)
    carried_t = entity.carried_lots(instrument.id) + document.quantity_lots
    require(carried_t <= limit_t, "above_carry_over_limit")
    require_room(exchange, later, caller.account, document.quantity_lots)
    take_some(exchange, instrument, caller.account, document.quantity_lots, PostingReason.UNITS_WITHDRAWN)
    issue_some(exchange, later, caller.account, document.quantity_lots)
    entity.carried = [*(row for row in entity.carried if row.instrument != instrument.id), Carried(instrument.id, carried_t)]
    entity.carried.sort(key=lambda row: row.instrument)
    return {"carried_t": carried_t, "limit_t": limit_t}


def carry_over_limit(exchange: "Exchange", instrument: Instrument, vintage: int, account: int) -> int:
    """Most allowances of a vintage that an account may carry over, those that it already has included."""
    position = exchange.state.positions[instrument.slot, account]
    share_ppm = exchange.rooms.credits.rules.of_year(vintage).carry_over_ppm
    return carry_over_limit_t(int(position.sold_lots), int(position.bought_lots), share_ppm)


def settle_debt(exchange: "Exchange", document: SettleAllowanceDebt, caller: Caller) -> Result:
    """Allowances of any vintage pay a debt, ton for ton."""
    entity = entity_of(exchange, caller.account)
    instrument, _ = allowances(exchange, document.symbol)
    require(0 < document.quantity_lots <= entity.debt_t, "above_debt")
    require(document.quantity_lots <= usable_lots(exchange, instrument, caller.account), "units_not_available")
    take_some(exchange, instrument, caller.account, document.quantity_lots, PostingReason.UNITS_WITHDRAWN)
    entity.debt_t -= document.quantity_lots
    return {"debt_t": entity.debt_t}


def impose_penalty(exchange: "Exchange", document: ImposePenalty, _caller: Caller) -> Result:
    """The fine, once, for what is short after the deadline; as much as is available is posted, the rest stays due."""
    member(exchange, document.account)
    row = exchange.rooms.credits.compliance.years.get((document.account, document.year))
    if row is None or row.shortfall_t == 0:
        raise BusinessRuleError("no_shortfall")
    require(row.penalty_micro < 0, "fined_already")
    rules = exchange.rooms.credits.rules.of_year(document.year)
    require(rules.penalty_min_ppm <= document.multiple_ppm <= rules.penalty_max_ppm, "multiple_out_of_range")
    require(0 < len(document.reference) <= TEXT_MAX, "reference_malformed")
    turnover_micro, traded_t = exchange.rooms.credits.compliance.prices[document.year]
    require(traded_t > 0, "no_average_price")
    penalty_micro = fine_micro(row.shortfall_t, turnover_micro, traded_t, document.multiple_ppm)
    require(penalty_micro <= _FINE_MAX_MICRO, "fine_out_of_range")
    row.penalty_micro, row.multiple_ppm = penalty_micro, document.multiple_ppm
    row.paid_micro = collect_money(exchange, row.account, penalty_micro, House.GOVERNMENT)
    return {"penalty_micro": penalty_micro, "paid_micro": row.paid_micro, "due_micro": row.due_micro}


def collect_dues(exchange: "Exchange", document: CollectDues, _caller: Caller) -> Result:
    """Allowances that are owed, then fines by year, then penalties of the park's scheme."""
    member(exchange, document.account)
    tables = exchange.rooms.credits
    entity = tables.compliance.entities.get(document.account)
    taken_t = collect_allowance_debt(exchange, entity) if entity is not None else 0
    paid_micro = 0
    for year in tables.compliance.of_account(document.account):
        paid = collect_money(exchange, document.account, year.due_micro, House.GOVERNMENT)
        year.paid_micro += paid
        paid_micro += paid
    for performance in tables.parks.of_account(document.account):
        paid = collect_money(exchange, document.account, performance.due_micro, House.GUARANTEE_FUND)
        performance.paid_micro += paid
        paid_micro += paid
    return {"taken_t": taken_t, "paid_micro": paid_micro}


HANDLERS: Final[dict[type[Document], Handler]] = {
    SurrenderAllowances: surrender,
    CarryOverAllowances: carry_over,
    SettleAllowanceDebt: settle_debt,
    ImposePenalty: impose_penalty,
    CollectDues: collect_dues,
}
