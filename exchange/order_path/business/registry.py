"""What members, beneficiaries and authorities do with units and their serial numbers: transfers, locks, freezes, withdrawals, preferences."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from exchange.accounts.permissions import Permission, Role, trade_permission
from exchange.errors import InputError
from exchange.ledger.chart import House
from exchange.ledger.records import PostingReason
from exchange.market.instruments import Instrument
from exchange.order_path.business import baskets, units
from exchange.order_path.business.rules import BusinessRuleError, Caller, Handler, Result, listed, member, require
from exchange.order_path.business.senders import HOLDERS
from exchange.order_path.level import Level
from exchange.protocol.document import Document
from exchange.protocol.value_chain.units import (
    FreezeUnits,
    LockUnits,
    PreferLots,
    TransferUnits,
    UnfreezeUnits,
    UnlockUnits,
    WithdrawUnits,
)
from exchange.registry.bundles import Queue
from exchange.registry.encumbrances import Encumbrance, EncumbranceKind
from exchange.registry.selection import Rows
from exchange.registry.serials import SerialRange, parse_serial
from matching.records import Side

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange

# Ranges of one document, and those that an answer has.
RANGES_MAX: Final = 1_000
_SHOWN_MAX: Final = 100
_PLACES: Final = {EncumbranceKind.LOCK: House.LOCKED, EncumbranceKind.FREEZE: House.FROZEN}


def instrument_of(exchange: "Exchange", symbol: str) -> Instrument | None:
    """The listed instrument of units with that symbol; None for the symbol of granular certificates."""
    require(exchange.level >= Level.VALUE_CHAIN, "exchange_has_no_registry")
    if not symbol:
        return None
    instrument = listed(exchange, symbol)
    require(not instrument.is_power, "power_has_no_serial_numbers")
    return instrument


def parsed(quantity_lots: int, texts: Sequence[str]) -> tuple[int, list[SerialRange]]:
    """(quantity, ranges) that a document asks for. Raises BusinessRuleError when a range is malformed or they are not the quantity."""
    require(len(texts) <= RANGES_MAX, "too_many_ranges")
    try:
        ranges = [parse_serial(text) for text in texts]
    except InputError:
        raise BusinessRuleError("serial_number_malformed") from None
    named = sum(item.quantity for item in ranges)
    require(not ranges or quantity_lots in {0, named}, "ranges_are_not_the_quantity")
    require(ranges != [] or quantity_lots > 0, "quantity_out_of_range")
    return named if ranges else quantity_lots, ranges


def require_reference(reference: str) -> None:
    require(len(reference) <= 128, "reference_malformed")


def transfer_units(exchange: "Exchange", document: TransferUnits, caller: Caller) -> Result:
    """To another member who may hold such units; by the rules of a trade: what was bought today or is at the end of its transfers stays."""
    instrument = instrument_of(exchange, document.symbol)
    quantity, ranges = parsed(document.quantity_lots, document.ranges)
    require_reference(document.reference)
    receiver = member(exchange, document.to_account)
    require(receiver.id != caller.account, "same_account")
    needed = trade_permission(instrument.instrument_class, Side.BUY) if instrument is not None else Permission.NONE
    require(receiver.role in HOLDERS and needed & ~receiver.permissions == Permission.NONE, "receiver_may_not_hold_them")
    rows = units.transfer(exchange, instrument, caller.account, receiver.id, quantity, ranges)
    return _told(exchange, "transferred", caller.account, document.symbol, rows, {"to_account": receiver.id, "reference": document.reference})


def lock_units(exchange: "Exchange", document: LockUnits, caller: Caller) -> Result:
    """Set units aside in favour of somebody else."""
    require(member(exchange, document.beneficiary).id != caller.account, "beneficiary_is_the_owner")
    return _encumber(exchange, EncumbranceKind.LOCK, caller.account, document, document.beneficiary)


def freeze_units(exchange: "Exchange", document: FreezeUnits, _caller: Caller) -> Result:
    """Set units aside by order."""
    member(exchange, document.account)
    return _encumber(exchange, EncumbranceKind.FREEZE, document.account, document, 0)


def _encumber(exchange: "Exchange", kind: EncumbranceKind, account: int, document: LockUnits | FreezeUnits, beneficiary: int) -> Result:
    instrument = instrument_of(exchange, document.symbol)
    quantity, ranges = parsed(document.quantity_lots, document.ranges)
    require_reference(document.reference)
    reason = PostingReason.UNITS_LOCKED if kind is EncumbranceKind.LOCK else PostingReason.UNITS_FROZEN
    rows = units.take(exchange, instrument, account, quantity, reason, ranges)
    encumbrances = exchange.rooms.encumbrances
    encumbrance = encumbrances.add(kind, account, units.asset_of(instrument), beneficiary, document.reference, rows.tolist())
    facts = {str(kind): encumbrance.id, "beneficiary": beneficiary, "reference": document.reference}
    return _told(exchange, str(kind), account, document.symbol, rows, facts)


def unlock_units(exchange: "Exchange", document: UnlockUnits, caller: Caller) -> Result:
    """The beneficiary, or the operator, lets go."""
    lock = encumbrance_of(exchange, EncumbranceKind.LOCK, document.lock)
    is_operator = member(exchange, caller.account).role is Role.OPERATOR
    require(is_operator or caller.account == lock.beneficiary, "not_the_beneficiary")
    return _release(exchange, lock, document.quantity_lots, document.ranges)


def unfreeze_units(exchange: "Exchange", document: UnfreezeUnits, _caller: Caller) -> Result:
    """The order is lifted."""
    require_reference(document.reference)
    freeze = encumbrance_of(exchange, EncumbranceKind.FREEZE, document.freeze)
    return _release(exchange, freeze, document.quantity_lots, document.ranges)


def encumbrance_of(exchange: "Exchange", kind: EncumbranceKind, number: int) -> Encumbrance:
    """The lock or freeze with that id, while it stands."""
    found = exchange.rooms.encumbrances.by_id.get(number)
    if found is None or found.kind is not kind:
        raise BusinessRuleError(f"unknown_{kind}")
    return found


def encumbered_rows(exchange: "Exchange", encumbrance: Encumbrance, quantity_lots: int, texts: Sequence[str]) -> Rows:
    """Units of a lock or freeze as whole rows: the ranges named, the first ones, or all (quantity 0). BusinessRuleError when it has not so many."""
    registry, sequence = exchange.rooms.registry, exchange.last_sequence
    standing = encumbrance.standing(registry)
    total = sum(map(registry.quantity, standing))
    if not texts:
        require(0 <= quantity_lots <= total and total > 0, "units_not_set_aside")
        return registry.cut(standing, quantity_lots or total, sequence)
    quantity, ranges = parsed(quantity_lots, texts)
    queue = Queue.LOCKED if encumbrance.kind is EncumbranceKind.LOCK else Queue.FROZEN
    instrument = exchange.rooms.instruments.by_id.get(encumbrance.asset)
    units.counted(exchange, instrument, encumbrance.account, ranges, [queue])
    require(all(row in standing for item in ranges for row in registry.leaves(item)), "units_not_set_aside")
    assert quantity <= total
    return registry.select_ranges(encumbrance.asset, encumbrance.account, ranges, sequence, [queue])


def _release(exchange: "Exchange", encumbrance: Encumbrance, quantity_lots: int, texts: Sequence[str]) -> Result:
    rows = encumbered_rows(exchange, encumbrance, quantity_lots, texts)
    instrument = exchange.rooms.instruments.by_id.get(encumbrance.asset)
    quantity = sum(map(exchange.rooms.registry.quantity, rows.tolist()))
    units.give_back(exchange, instrument, encumbrance.account, quantity, _PLACES[encumbrance.kind], rows)
    exchange.rooms.encumbrances.release(encumbrance, rows.tolist(), exchange.rooms.registry)
    symbol = "" if instrument is None else instrument.symbol
    return _told(exchange, "released", encumbrance.account, symbol, rows, {str(encumbrance.kind): encumbrance.id})


def withdraw_units(exchange: "Exchange", document: WithdrawUnits, _caller: Caller) -> Result:
    """Units end without a claim: free ones, or those of a freeze."""
    instrument = instrument_of(exchange, document.symbol)
    member(exchange, document.account)
    require_reference(document.reference)
    if document.freeze:
        freeze = encumbrance_of(exchange, EncumbranceKind.FREEZE, document.freeze)
        require((freeze.account, freeze.asset) == (document.account, units.asset_of(instrument)), "units_not_set_aside")
        rows = encumbered_rows(exchange, freeze, document.quantity_lots, document.ranges)
        quantity = sum(map(exchange.rooms.registry.quantity, rows.tolist()))
        units.end_aside(exchange, instrument, quantity, House.FROZEN, PostingReason.UNITS_WITHDRAWN, rows)
        exchange.rooms.encumbrances.release(freeze, rows.tolist(), exchange.rooms.registry)
    else:
        quantity, ranges = parsed(document.quantity_lots, document.ranges)
        rows = units.take(exchange, instrument, document.account, quantity, PostingReason.UNITS_WITHDRAWN, ranges)
    return _told(exchange, "withdrawn", document.account, document.symbol, rows, {"reference": document.reference})


def prefer_lots(exchange: "Exchange", document: PreferLots, caller: Caller) -> Result:
    """Which of the sender's units its next sales deliver first."""
    instrument = instrument_of(exchange, document.symbol)
    if instrument is None:
        raise BusinessRuleError("unknown_instrument")
    _, ranges = parsed(0, document.ranges)
    units.counted(exchange, instrument, caller.account, ranges, [Queue.SELLABLE])
    registry = exchange.rooms.registry
    rows = registry.select_ranges(instrument.id, caller.account, ranges, exchange.last_sequence, [Queue.SELLABLE])
    registry.prefer(rows)
    return {"ranges": units.ranges_of(exchange, rows)[:_SHOWN_MAX]}


def _told(exchange: "Exchange", action: str, account: int, symbol: str, rows: Rows, facts: dict[str, Any]) -> Result:
    """Notice and answer of what happened to units: quantity and serial numbers, of long lists the first ones."""
    quantity = sum(map(exchange.rooms.registry.quantity, rows.tolist()))
    shown = {"quantity_lots": quantity, "bundles": len(rows), "ranges": units.ranges_of(exchange, rows)[:_SHOWN_MAX]}
    exchange.notify("units", {"action": action, "account": account, "symbol": symbol, **facts, **shown})
    return {**{name: value for name, value in facts.items() if name in {"lock", "freeze"}}, **shown}


HANDLERS: Final[dict[type[Document], Handler]] = {
    TransferUnits: transfer_units,
    LockUnits: lock_units,
    UnlockUnits: unlock_units,
    FreezeUnits: freeze_units,
    UnfreezeUnits: unfreeze_units,
    WithdrawUnits: withdraw_units,
    PreferLots: prefer_lots,
    **baskets.HANDLERS,
}
