"""Business commands: one function a document. Each checks everything first and changes nothing when it refuses.

They run between batches of the compiled loop, share its sequence and journal, and move money and units by the same compiled postings as fills.
"""

from typing import TYPE_CHECKING, Final

from exchange.accounts.participants import Participant
from exchange.accounts.permissions import ROLE_PERMISSIONS, Permission, Role, parse_permissions
from exchange.ledger.chart import House
from exchange.market.blocks import block_problem, is_block, quarter_hours
from exchange.market.instruments import Instrument, spec_problem
from exchange.market.phases import TRADING_PHASES, Phase, PhaseEvent
from exchange.order_path import dead_mans_switch, phase_control
from exchange.order_path.business import (
    accounting,
    approvals,
    block_trades,
    certificates,
    clock,
    corrections,
    credit_documents,
    devices,
    keys,
    level,
    meters,
    network,
    one_way_auctions,
    registry,
    rule_changes,
    settle_month,
    settlement_terms,
    units,
)
from exchange.order_path.business.listing import (
    enter_account,
    enter_instrument,
    enter_storage,
    free_instrument_slot,
    lay_out_owners,
    lay_out_schedule,
)
from exchange.order_path.business.rules import MONEY_LIMIT_MICRO, BusinessRuleError, Caller, Handler, Result
from exchange.order_path.business.rules import listed as _listed
from exchange.order_path.business.rules import member as _member
from exchange.order_path.business.rules import require as _require
from exchange.order_path.business.settle import settle
from exchange.order_path.business.unit_deadlines import has_expired
from exchange.order_path.business.units_control import anchor_storage, deposit, set_contract
from exchange.order_path.level import Level
from exchange.order_path.settings import ExchangeSettings
from exchange.protocol.documents import (
    Admit,
    CancelAfter,
    Deposit,
    Document,
    InstrumentSpec,
    IssueUnits,
    ListInstruments,
    MeterReadings,
    Nominate,
    OpeningPositions,
    RegisterStorage,
    SetPhase,
    SettleDay,
)
from exchange.protocol.instrument_class import InstrumentClass, Resale
from exchange.protocol.limits import CANCEL_AFTER_MAX_NS, CANCEL_AFTER_MIN_NS
from exchange.units import INT64_MAX, PERIOD_NS, PPM

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange

# Lots of a position: times any price of a listed instrument they fit int64.
_LIMIT: Final = INT64_MAX // 2**20
POWER_LIMIT_W: Final = 10**10


def admit(exchange: "Exchange", document: Admit, _caller: Caller) -> Result:
    """A new participant with its keys. Permissions and scopes stay within the role."""
    participants = exchange.rooms.participants
    permissions = parse_permissions(document.permissions)
    _require(document.role in {str(role) for role in Role}, "unknown_role")
    role = Role(document.role)
    _require(0 < len(document.name) <= 64, "name_malformed")
    _require(not participants.has_name(document.name), "name_taken")
    if permissions is None:
        raise BusinessRuleError("unknown_permission")
    _require(permissions & ~ROLE_PERMISSIONS[role] == Permission.NONE, "permission_not_allowed_for_role")
    _require(-_LIMIT <= document.min_net_power_lots <= 0 <= document.max_net_power_lots <= _LIMIT, "power_limits_out_of_order")
    _require(len({key.key_id for key in document.keys}) == len(document.keys), "key_id_taken")
    for key in document.keys:
        keys.check_key(exchange, key, role)
    if document.beneficial_owner:
        rule_changes.require_owner(exchange, document.beneficial_owner)
    participant = Participant(
        participants.next_id, document.name, role, permissions, document.min_net_power_lots, document.max_net_power_lots, document.beneficial_owner
    )
    participants.add(participant)
    exchange.state = enter_account(exchange.state, participant)
    lay_out_owners(exchange.state, participants)
    for key in document.keys:
        keys.keep_key(exchange, key, participant.id)
    admitted = {"account": participant.id, "name": participant.name, "role": str(role), "beneficial_owner": participant.beneficial_owner}
    exchange.notify("admitted", admitted)
    return {"account": participant.id}


def move_money(exchange: "Exchange", document: Deposit, _caller: Caller) -> Result:
    """Deposit or withdrawal; a withdrawal is refused beyond the available balance."""
    _member(exchange, document.account)
    _require(document.amount_micro != 0 and abs(document.amount_micro) <= MONEY_LIMIT_MICRO, "amount_out_of_range")
    balances = exchange.balances(document.account)
    _require(balances.available_micro + document.amount_micro >= 0, "insufficient_available_cash")
    _require(balances.balance_micro + document.amount_micro <= MONEY_LIMIT_MICRO, "amount_out_of_range")
    outside_micro = exchange.balances(House.OUTSIDE).balance_micro
    _require(abs(outside_micro - document.amount_micro) <= INT64_MAX // 2, "amount_out_of_range")
    exchange.make_output_room(1)
    deposit(exchange.state, document.account, document.amount_micro)
    # What sealed bids hold is counted as available here: the operator, whose answer this is, would learn of them.
    sealed_micro = one_way_auctions.sealed_micro(exchange, document.account)
    return {"available_micro": balances.available_micro + document.amount_micro + sealed_micro}


def register_storage(exchange: "Exchange", document: RegisterStorage, caller: Caller) -> Result:
    """One storage behind the metering point of an account."""
    member = _member(exchange, document.account)
    _require(member.role in {Role.STORAGE, Role.PROSUMER, Role.ENTERPRISE}, "role_has_no_storage")
    _require(exchange.state.accounts[document.account].storage < 0, "storage_registered_already")
    _require(0 <= document.soc_min_wh <= document.soc_wh <= document.soc_max_wh <= INT64_MAX // (8 * PPM), "state_of_charge_out_of_order")
    _require(0 < document.power_w <= 10**9, "power_out_of_range")
    _require(0 < document.charge_efficiency_ppm <= PPM and 0 < document.discharge_efficiency_ppm <= PPM, "efficiency_out_of_range")
    exchange.state = enter_storage(exchange.state, document, caller.stamp_ns)
    return {}


def list_instruments(exchange: "Exchange", document: ListInstruments, caller: Caller) -> Result:
    """List all instruments of the document, or none."""
    instruments = exchange.rooms.instruments
    symbols = [spec.symbol for spec in document.instruments]
    _require(len(set(symbols)) == len(symbols) and not any(s in instruments.by_symbol for s in symbols), "symbol_taken")
    quarters = quarter_hours(instruments.open.values(), document.instruments) if any(map(is_block, document.instruments)) else {}
    for spec in document.instruments:
        _require(0 < len(spec.symbol) <= 32 and spec.symbol.isascii(), "symbol_malformed")
        problem = spec_problem(spec) or (block_problem(spec, quarters) if is_block(spec) else None)
        if problem is None and spec.instrument_class == "power" and spec.close_ns <= caller.stamp_ns:
            problem = "gate_has_passed"
        if problem is None:
            problem = _venue_problem(exchange.settings, spec)
        if problem is None and spec.calendar not in {"continuous", "cea"}:
            problem = "unknown_calendar"
        _require(problem is None, f"{problem}:{spec.symbol}")
    ids = {}
    for spec in document.instruments:
        instrument = Instrument(
            id=instruments.next_id,
            spec=spec,
            instrument_class=InstrumentClass[spec.instrument_class.upper()],
            resale=Resale[spec.resale.upper()],
            slot=free_instrument_slot(exchange.state),
            phase=Phase.PRE_OPEN,
        )
        instruments.add(instrument)
        units.enter(exchange, instrument)
        exchange.state = enter_instrument(exchange.state, instrument, exchange.core.open_book())
        exchange.sync_books()
        ids[spec.symbol] = instrument.id
        exchange.notify("listed", {"symbol": spec.symbol, "instrument": instrument.id})
        phase_control.schedule_phases(exchange, instrument, caller.stamp_ns)
    lay_out_schedule(exchange.state)
    return {"instruments": ids}


def _venue_problem(settings: ExchangeSettings, spec: InstrumentSpec) -> str | None:
    """Whether this exchange may run the book of an instrument at all."""
    if settings.simulation:
        return None
    if spec.venue == "national_simulated":
        return "national_simulated_needs_simulation"
    if spec.venue == "internal" and not settings.internal_trading_approval:
        return "internal_needs_approval"
    return None


def set_phase(exchange: "Exchange", document: SetPhase, caller: Caller) -> Result:
    """Halt trading of an instrument, or end the halt."""
    instrument = _listed(exchange, document.symbol)
    _require(document.phase in {"halted", "resume"}, "unknown_phase")
    if document.phase == "halted":
        _require(phase_control.move_phase(exchange, instrument, PhaseEvent.HALT), "phase_does_not_allow_it")
    else:
        _require(phase_control.resume(exchange, instrument, caller.stamp_ns), "phase_does_not_allow_it")
    return {"phase": instrument.phase.name.lower()}


def opening_positions(exchange: "Exchange", document: OpeningPositions, _caller: Caller) -> Result:
    """Monthly contracts as opening positions: they sum to zero in each instrument and stay within the power limits."""
    sums: dict[int, int] = {}
    change: dict[tuple[int, int], int] = {}
    for row in document.positions:
        instrument = _listed(exchange, row.symbol)
        _require(not instrument.is_block, "not_a_delivery_period")
        _require(instrument.is_power and instrument.phase is Phase.PRE_OPEN, "contract_after_opening")
        _require(abs(row.net_lots) <= _LIMIT, "quantity_out_of_range")
        _member(exchange, row.account)
        sums[instrument.id] = sums.get(instrument.id, 0) + row.net_lots
        change[instrument.slot, row.account] = change.get((instrument.slot, row.account), 0) + row.net_lots
    _require(not any(sums.values()), "contracts_do_not_sum_to_zero")
    for (slot, account), lots in change.items():
        limits = exchange.state.accounts[account]
        total = int(exchange.state.positions[slot, account].contract_lots) + lots
        _require(limits.min_net_lots <= total <= limits.max_net_lots, "contract_beyond_power_limit")
    for (slot, account), lots in change.items():
        set_contract(exchange.state, slot, account, lots)
    for instrument_id in sums:
        exchange.rooms.contract_price_ticks[instrument_id] = document.contract_price_ticks
    symbols = {row.symbol for row in document.positions}
    exchange.notify("contracts", {"positions": document, "instruments": {symbol: _listed(exchange, symbol).id for symbol in sorted(symbols)}})
    return {"positions": len(change)}


def issue(exchange: "Exchange", document: IssueUnits, _caller: Caller) -> Result:
    """Certificates or credits enter an account."""
    _member(exchange, document.account)
    instrument = _listed(exchange, document.symbol)
    _require(not instrument.is_power, "power_is_not_issued")
    held = int(exchange.state.positions[instrument.slot, document.account].net_lots)
    _require(0 < document.quantity_lots <= _LIMIT - held, "quantity_out_of_range")
    _require(instrument.id not in exchange.rooms.baskets.by_asset, "baskets_are_filled_by_conversion")
    _require(exchange.level < Level.VALUE_CHAIN or not has_expired(exchange, instrument), "units_have_expired")
    units.issue(exchange, instrument, document.account, document.quantity_lots)
    return {"owned_lots": held + document.quantity_lots}


def nominate(exchange: "Exchange", document: Nominate, caller: Caller) -> Result:
    """Storage schedule of one period: after its gate, before its delivery ends, within the rating."""
    operator = _member(exchange, caller.account).role is Role.OPERATOR
    _require(operator or document.account == caller.account, "not_your_account")
    instrument = _listed(exchange, document.symbol)
    _require(not instrument.is_block, "not_a_delivery_period")
    storage = int(exchange.state.accounts[_member(exchange, document.account).id].storage)
    _require(storage >= 0, "account_has_no_storage")
    _require(instrument.phase in TRADING_PHASES | {Phase.GATE_CLOSED, Phase.HALTED}, "period_is_over")
    _require(abs(document.injection_wh) <= int(exchange.state.storages[storage].period_limit_wh), "nomination_beyond_rating")
    network.require_within_dispatch(exchange, document.account, instrument, document.injection_wh)
    exchange.rooms.nominations[document.account, instrument.id] = document.injection_wh
    exchange.notify("nominated", {"account": document.account, "symbol": document.symbol, "injection_wh": document.injection_wh})
    return {}


def meter(exchange: "Exchange", document: MeterReadings, caller: Caller) -> Result:
    """A file of readings; a metered state of charge re-anchors its storage."""
    problem = exchange.rooms.meters.apply(document, exchange.rooms.participants.by_id, caller.stamp_ns)
    if problem is not None:
        raise BusinessRuleError(str(problem).lower())
    for account, start_ns, soc_wh in zip(document.accounts, document.period_starts_ns, document.soc_wh, strict=True):
        if soc_wh >= 0 and exchange.state.accounts[account].storage >= 0:
            anchor_storage(exchange.state, account, soc_wh, start_ns + PERIOD_NS)
    exchange.notify("metered", {"periods": len(set(document.grid_starts_ns)), "rows": len(document.accounts), "readings": document})
    return {"rows": len(document.accounts)}


def settle_day(exchange: "Exchange", document: SettleDay, _caller: Caller) -> Result:
    """Settle the delivered periods of a day against the meters; see settle.py."""
    problem, result = settle(exchange, document)
    if problem is not None:
        raise BusinessRuleError(problem)
    return result


def cancel_after(exchange: "Exchange", document: CancelAfter, caller: Caller) -> Result:
    """Arm, renew or disarm the dead man's switch of the sender."""
    timeout_ns, label = document.timeout_ns, dead_mans_switch.ALL_LABELS if document.label is None else document.label
    _require(timeout_ns == 0 or CANCEL_AFTER_MIN_NS <= timeout_ns <= CANCEL_AFTER_MAX_NS, "timeout_out_of_range")
    _require(document.label is None or 0 <= label < 2**32, "label_out_of_range")
    switches = exchange.rooms.switches
    known = switches.by_owner.get((caller.account, label))
    if timeout_ns == 0:
        if known is not None:
            switches.remove(known)
        return {"fires_at_ns": 0}
    _require(known is not None or switches.count(caller.account) < dead_mans_switch.SWITCHES_MAX, "too_many_switches")
    return {"fires_at_ns": dead_mans_switch.arm(exchange, caller.account, label, timeout_ns, caller.stamp_ns).at_ns}


# Documents that trade: who operates the market is kept out of it.
TRADING: Final = frozenset(block_trades.HANDLERS) | frozenset(one_way_auctions.BIDDING)

# Commands of the operator, but for those that trade and for nominations, which are a storage's own.
HANDLERS: Final[dict[type[Document], Handler]] = {
    Admit: admit,
    Deposit: move_money,
    RegisterStorage: register_storage,
    ListInstruments: list_instruments,
    SetPhase: set_phase,
    OpeningPositions: opening_positions,
    IssueUnits: issue,
    Nominate: nominate,
    MeterReadings: meter,
    SettleDay: settle_day,
    CancelAfter: cancel_after,
    **keys.HANDLERS,
    **approvals.HANDLERS,
    **rule_changes.HANDLERS,
    **block_trades.HANDLERS,
    **one_way_auctions.BIDDING,
    **one_way_auctions.OPERATING,
    **level.HANDLERS,
    **devices.HANDLERS,
    **settlement_terms.HANDLERS,
    **network.HANDLERS,
    **settle_month.HANDLERS,
    **corrections.HANDLERS,
    **clock.HANDLERS,
    **meters.HANDLERS,
    **registry.HANDLERS,
    **certificates.HANDLERS,
    **accounting.HANDLERS,
    **credit_documents.HANDLERS,
}
