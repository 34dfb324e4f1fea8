"""Retirement of units: by serial number, by quantity or by time of generation; mandates to retire for others (docs/rules.md, "Retirement")."""

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from exchange.ledger.records import PostingReason
from exchange.market.instruments import Instrument
from exchange.order_path.business import units
from exchange.order_path.business.registry import instrument_of, parsed
from exchange.order_path.business.rules import BusinessRuleError, Caller, Handler, Result, member, require
from exchange.order_path.business.serial_rules import is_printable, require_live
from exchange.order_path.business.unit_deadlines import has_expired
from exchange.protocol.document import Document
from exchange.protocol.instrument_class import InstrumentClass
from exchange.protocol.value_chain.certificates import GrantMandate, RetireUnits, RevokeMandate
from exchange.registry.issuance import month_of_symbol
from exchange.registry.lifecycle import UnitState
from exchange.registry.retirements import Retirement, RetirementKind, consumption_problem, same_year_problem
from exchange.registry.selection import Rows
from exchange.registry.serials import DEVICE_SCHEMES, SerialRange, UnitScheme

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange

TIME_END_NS: Final = 2**62
# The series of granular certificates, which no instrument is listed for.
GRANULAR: Final = "GC"
GRANULAR_SCHEMES: Final = (int(UnitScheme.GC), int(UnitScheme.SDGC))
PURPOSE_LIMIT: Final = 200


class Use(NamedTuple):
    """What units are retired for."""

    kind: RetirementKind
    beneficiary: int
    purpose: str
    consumed_from_ns: int
    consumed_to_ns: int


def retire_units(exchange: "Exchange", document: RetireUnits, caller: Caller) -> Result:
    """All rules first, then one retirement of all that is named, or none."""
    instrument = instrument_of(exchange, document.symbol)
    use = Use(
        RetirementKind.CLAIM, document.beneficiary or caller.account, document.purpose, document.consumed_from_ns, document.consumed_to_ns
    )
    member(exchange, use.beneficiary)
    require(exchange.rooms.certificates.retirements.may_retire(caller.account, use.beneficiary), "no_mandate")
    require(is_printable(use.purpose, PURPOSE_LIMIT), "purpose_malformed")
    problem = consumption_problem(use.consumed_from_ns, use.consumed_to_ns)
    require(problem is None, str(problem))
    by_time = bool(document.generated_from_ns or document.generated_to_ns)
    wanted = document.quantity_lots
    if instrument is None and by_time and not document.ranges and not wanted:
        wanted = _all_granular(exchange, document, caller)
    quantity, ranges = parsed(wanted, document.ranges)
    require_live(exchange, caller.account, units.asset_of(instrument), ranges)
    require(not by_time or (instrument is None and not ranges), "time_of_generation_is_for_granular_certificates")
    if instrument is None and not ranges:
        return enter(exchange, caller, GRANULAR, _take_granular(exchange, document, quantity, caller), use)
    if instrument is not None:
        require(bool(ranges) or instrument.id not in exchange.rooms.baskets.by_asset, "units_of_a_basket_are_named")
        require(not has_expired(exchange, instrument), "units_have_expired")
    _require_same_year(exchange, document, _years_of(instrument, ranges))
    rows = units.take(exchange, instrument, caller.account, quantity, PostingReason.UNITS_RETIRED, ranges)
    return enter(exchange, caller, document.symbol or GRANULAR, rows, use)


def enter(exchange: "Exchange", caller: Caller, series: str, rows: Rows, use: Use) -> Result:
    """The permanent record of a retirement of whole rows that have just ended."""
    registry, retirements = exchange.rooms.registry, exchange.rooms.certificates.retirements
    serials = np.array([registry.range_of(row) for row in rows.tolist()], np.int64)
    quantity = sum(map(registry.quantity, rows.tolist()))
    name = member(exchange, use.beneficiary).name
    retirement = Retirement(
        number=retirements.next_number, kind=use.kind, retired_ns=caller.stamp_ns, account=caller.account, beneficiary=use.beneficiary,
        beneficiary_name=name, purpose=use.purpose, consumed_from_ns=use.consumed_from_ns, consumed_to_ns=use.consumed_to_ns, series=series,
        quantity=quantity, serials=serials, previous=retirements.head,
    )  # fmt: skip
    retirements.add(retirement)
    exchange.notify("retired", {"number": retirement.number, "series": series, "quantity": quantity, "beneficiary": use.beneficiary})
    return {"retirement": retirement.number, "digest": retirement.digest, "ranges": len(serials)}


def _years_of(instrument: Instrument | None, ranges: list[SerialRange]) -> set[int]:
    """Years of generation of certificates; credits and allowances have no rule of the same year."""
    if ranges:
        return {item.vintage // 100 for item in ranges if item.scheme in DEVICE_SCHEMES}
    month = month_of_symbol(instrument.symbol) if instrument is not None and instrument.instrument_class is InstrumentClass.GEC else None
    return set() if month is None else {month // 12}


def _take_granular(exchange: "Exchange", document: RetireUnits, quantity: int, caller: Caller) -> Rows:
    """Granular certificates by the time they were generated, the earliest first."""
    registry = exchange.rooms.registry
    held = held_granular(exchange, caller.account, document.generated_from_ns, document.generated_to_ns or TIME_END_NS)
    held = held[: _count_for(exchange, held, quantity)]
    _require_same_year(exchange, document, {vintage // 100 for vintage in registry.rows["vintage"][held].tolist()})
    rows = registry.cut(held.tolist(), quantity, exchange.last_sequence)
    registry.change(rows, UnitState.RETIRED)
    return rows


def held_granular(exchange: "Exchange", account: int, from_ns: int, to_ns: int) -> Rows:
    """Rows of granular certificates that an account holds, generated in a half-open interval: in order of time, then as they were issued."""
    registry = exchange.rooms.registry
    rows = registry.bundles_of(account, 0, UnitState.ISSUED)
    start_ns = registry.rows["period_start_ns"][rows]
    wanted = np.isin(registry.rows["scheme"][rows], GRANULAR_SCHEMES) & (from_ns <= start_ns) & (start_ns < to_ns)
    return rows[wanted][np.argsort(start_ns[wanted], kind="stable")]


def _all_granular(exchange: "Exchange", document: RetireUnits, caller: Caller) -> int:
    """Everything of the interval. Raises BusinessRuleError when there is nothing."""
    held = held_granular(exchange, caller.account, document.generated_from_ns, document.generated_to_ns or TIME_END_NS)
    require(len(held) > 0, "units_not_available")
    return sum(map(exchange.rooms.registry.quantity, held.tolist()))


def _count_for(exchange: "Exchange", rows: Rows, quantity: int) -> int:
    """How many of the rows hold a quantity together. Raises BusinessRuleError when all of them do not."""
    table = exchange.rooms.registry.rows
    held = np.cumsum(table["serial_to"][rows] - table["serial_from"][rows] + 1)
    require(len(held) > 0 and quantity <= int(held[-1]), "units_not_available")
    return int(np.searchsorted(held, quantity)) + 1


def _require_same_year(exchange: "Exchange", document: RetireUnits, generation_years: set[int]) -> None:
    rules = exchange.rooms.certificates.rules.at(document.consumed_from_ns)
    problem = same_year_problem(document.consumed_from_ns, generation_years, rules.same_year_from)
    if problem is not None:
        raise BusinessRuleError(problem)


def grant_mandate(exchange: "Exchange", document: GrantMandate, caller: Caller) -> Result:
    """From here on the agent may retire its units for the sender."""
    member(exchange, document.agent)
    require(document.agent != caller.account, "mandate_to_oneself")
    mandates = exchange.rooms.certificates.retirements.mandates
    require((caller.account, document.agent) not in mandates, "mandate_is_granted")
    mandates.add((caller.account, document.agent))
    exchange.notify("mandate", {"beneficiary": caller.account, "agent": document.agent, "granted": True})
    return {}


def revoke_mandate(exchange: "Exchange", document: RevokeMandate, caller: Caller) -> Result:
    """The agent may retire no more for the sender."""
    mandates = exchange.rooms.certificates.retirements.mandates
    require((caller.account, document.agent) in mandates, "no_mandate")
    mandates.remove((caller.account, document.agent))
    exchange.notify("mandate", {"beneficiary": caller.account, "agent": document.agent, "granted": False})
    return {}


HANDLERS: Final[dict[type[Document], Handler]] = {RetireUnits: retire_units, GrantMandate: grant_mandate, RevokeMandate: revoke_mandate}
