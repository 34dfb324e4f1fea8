"""Units of an instrument on their way into the market, aside and out of it: the one place where documents move them.

What is set aside is held by a house account (locked, frozen), what has ended by another (retired, surrendered, expired, withdrawn). So the units
of an instrument are at every moment issued = held + set aside + ended, by the postings alone. Which serial numbers moved the registry folds from the
same postings: each function here selects whole bundles, by the ranges named or first in first out, states them for its one posting, and returns their
rows (`ranges_of` has their text). Units that cannot be sold go first where they are set aside or end; only what can be sold changes hands.

Granular certificates belong to no listed instrument: `instrument` is None, there is no balance and no posting, and the registry alone changes.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from exchange.errors import InputError
from exchange.ledger.chart import House
from exchange.ledger.records import PostingReason
from exchange.market.instruments import Instrument
from exchange.order_path.business.rules import BusinessRuleError, require
from exchange.order_path.business.units_control import add_unsellable, issue_units, move_units, unlock_units
from exchange.order_path.level import Level
from exchange.protocol.instrument_class import InstrumentClass, Resale
from exchange.registry.bundles import Queue
from exchange.registry.lifecycle import STATE_AFTER, UnitState
from exchange.registry.registry import UnitFacts
from exchange.registry.selection import HELD, Rows
from exchange.registry.serials import SerialRange, UnitScheme, vintage_of_symbol

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange

# Where units go for each reason.
PLACES: Final = {
    PostingReason.UNITS_LOCKED: House.LOCKED,
    PostingReason.UNITS_FROZEN: House.FROZEN,
    PostingReason.UNITS_RETIRED: House.RETIRED,
    PostingReason.UNITS_SURRENDERED: House.SURRENDERED,
    PostingReason.UNITS_EXPIRED: House.EXPIRED,
    PostingReason.UNITS_WITHDRAWN: House.WITHDRAWN,
}
_QUEUE_OF_PLACE: Final = {House.LOCKED: Queue.LOCKED, House.FROZEN: Queue.FROZEN}
_SCHEMES: Final = {
    InstrumentClass.GEC: UnitScheme.GEC,
    InstrumentClass.CEA: UnitScheme.CEA,
    InstrumentClass.CCER: UnitScheme.CCER,
    InstrumentClass.PCC: UnitScheme.PCC,
}


def enter(exchange: "Exchange", instrument: Instrument) -> None:
    """A listed instrument of units becomes known to the registry."""
    if exchange.level >= Level.VALUE_CHAIN and not instrument.is_power:
        exchange.rooms.registry.add_asset(instrument.id, instrument.resale)


def begin_registry(exchange: "Exchange") -> None:
    """Every holding gets serial numbers at the moment an exchange comes to the level that has them: one issuance an instrument and account, and a
    second one for units that cannot be sold, which are taken to have been bought today.
    """
    for instrument in exchange.rooms.instruments.by_id.values():
        enter(exchange, instrument)
        if instrument.slot < 0 or instrument.is_power:
            continue
        for account in exchange.rooms.participants.by_id:
            position = exchange.state.positions[instrument.slot, account]
            held, unsellable = int(position.net_lots), int(position.unsellable_lots)
            for lots, is_bought in ((held - unsellable, False), (unsellable, True)):
                if lots > 0:
                    exchange.rooms.registry.issue(
                        facts_of(instrument), account, lots, exchange.last_sequence, asset=instrument.id, is_bought=is_bought
                    )


def begin_day(exchange: "Exchange") -> None:
    """Local midnight: units bought the day before become sellable, in the balances and in the registry."""
    if exchange.level >= Level.VALUE_CHAIN:
        exchange.drain_output()
        exchange.rooms.registry.begin_day()
    unlock_units(exchange.state)


def facts_of(instrument: Instrument) -> UnitFacts:
    """What is known of a unit by its instrument alone."""
    return UnitFacts(scheme=_SCHEMES[instrument.instrument_class], vintage=vintage_of_symbol(instrument.symbol))


def asset_of(instrument: Instrument | None) -> int:
    """Under which the registry keeps units: an instrument's id, 0 for those of none."""
    return 0 if instrument is None else instrument.id


def ranges_of(exchange: "Exchange", rows: Rows) -> list[str]:
    """Serial numbers of bundles in their order, as text; neighbours are written as one range."""
    merged: list[SerialRange] = []
    for row in rows.tolist():
        found = exchange.rooms.registry.range_of(row)
        if merged and merged[-1][:4] == found[:4] and merged[-1].serial_to + 1 == found.serial_from:
            merged[-1] = merged[-1]._replace(serial_to=found.serial_to)
        else:
            merged.append(found)
    return [str(found) for found in merged]


def free_lots(exchange: "Exchange", instrument: Instrument | None, account: int) -> int:
    """Units that no open order holds. Those at the end of their transfers, which cannot be sold, are among them: they can be retired."""
    if instrument is None:
        return exchange.rooms.registry.lots(0, account)
    position = exchange.state.positions[instrument.slot, account]
    return int(position.net_lots) - int(position.open_sell_lots)


def transferable_lots(exchange: "Exchange", instrument: Instrument | None, account: int) -> int:
    """Units that may change hands now: free, not bought today, not at the end of their transfers."""
    if instrument is None:
        return exchange.rooms.registry.lots(0, account)
    return free_lots(exchange, instrument, account) - int(exchange.state.positions[instrument.slot, account].unsellable_lots)


def issue(exchange: "Exchange", instrument: Instrument, account: int, quantity_lots: int, facts: UnitFacts | None = None) -> Rows:
    """Units enter an account from outside, as one issuance. Without `facts` they are what the instrument says."""
    rows = np.zeros(0, np.int64)
    if exchange.level >= Level.VALUE_CHAIN:
        exchange.drain_output()
        facts = facts or facts_of(instrument)
        row = exchange.rooms.registry.issue(
            facts, account, quantity_lots, exchange.last_sequence, asset=instrument.id, state=UnitState.VERIFIED
        )
        rows = np.array([row], np.int64)
        exchange.rooms.registry.state_rows(rows)
    exchange.make_output_room(1)
    issue_units(exchange.state, instrument.slot, account, quantity_lots)
    exchange.drain_output()
    return rows


def take(
    exchange: "Exchange", instrument: Instrument | None, account: int, quantity_lots: int, reason: PostingReason, ranges: Sequence[SerialRange] = ()
) -> Rows:
    """Set units of an account aside, or end them, as `reason` says. Raises BusinessRuleError, with nothing changed, when so many are not free, or
    when the ranges named are not held, free and as many.
    """
    require_held(exchange, instrument, account, quantity_lots, ranges)
    rows = _select(exchange, instrument, account, quantity_lots, ranges)
    _leave_unsellable(exchange, instrument, account, rows)
    return _post(exchange, instrument, account, PLACES[reason], rows, reason)


def give_back(
    exchange: "Exchange", instrument: Instrument | None, account: int, quantity_lots: int, place: House, rows: Rows | None = None
) -> Rows:
    """Units that were set aside return to an account: those that were set aside first, or the `rows` given, all of them. An account that did not have
    them before gets them by a transfer.
    """
    registry = exchange.rooms.registry
    _require_registry(exchange)
    if rows is None:
        require(0 < quantity_lots <= registry.lots(asset_of(instrument), account, _QUEUE_OF_PLACE[place]), "units_not_set_aside")
        rows = registry.select_first(asset_of(instrument), account, quantity_lots, exchange.last_sequence, [_QUEUE_OF_PLACE[place]])
    _post(exchange, instrument, place, account, rows, PostingReason.UNITS_RELEASED)
    if instrument is not None:
        add_unsellable(exchange.state, instrument.slot, account, _unsellable(exchange, rows))
    return rows


def end_aside(exchange: "Exchange", instrument: Instrument | None, quantity_lots: int, place: House, reason: PostingReason, rows: Rows) -> Rows:
    """Units that were set aside end there, such as frozen certificates that are withdrawn: the `rows` given, `quantity_lots` together."""
    _require_registry(exchange)
    assert quantity_lots == sum(map(exchange.rooms.registry.quantity, rows.tolist()))
    return _post(exchange, instrument, place, PLACES[reason], rows, reason)


def transfer(
    exchange: "Exchange", instrument: Instrument | None, debit: int, credit: int, quantity_lots: int, ranges: Sequence[SerialRange] = ()
) -> Rows:
    """Units change hands outside a trade, by the rules of one: what was bought today, or is at the end of its transfers, stays. Raises
    BusinessRuleError, with nothing changed, when so many cannot be transferred.
    """
    require(0 < quantity_lots <= transferable_lots(exchange, instrument, debit), "units_not_available")
    rows = _select(exchange, instrument, debit, quantity_lots, ranges, (Queue.SELLABLE,))
    _post(exchange, instrument, debit, credit, rows, PostingReason.UNITS_TRANSFERRED)
    if instrument is not None and instrument.resale is not Resale.FREE:
        add_unsellable(exchange.state, instrument.slot, credit, quantity_lots)
    return rows


def convert(
    exchange: "Exchange", source: Instrument, target: Instrument, account: int, quantity_lots: int, ranges: Sequence[SerialRange] = ()
) -> Rows:
    """Units of one instrument become units of another with the same resale rule; serial numbers stay. The caller has checked eligibility."""
    require_held(exchange, source, account, quantity_lots, ranges)
    rows = _select(exchange, source, account, quantity_lots, ranges)
    unsellable = _leave_unsellable(exchange, source, account, rows)
    exchange.make_output_room(1)
    move_units(exchange.state, source.slot, account, House.CONVERTED, quantity_lots, int(PostingReason.UNITS_CONVERTED))
    _post(exchange, target, House.CONVERTED, account, rows, PostingReason.UNITS_CONVERTED)
    add_unsellable(exchange.state, target.slot, account, unsellable)
    return rows


def require_held(exchange: "Exchange", instrument: Instrument | None, account: int, quantity_lots: int, ranges: Sequence[SerialRange]) -> None:
    """Raises BusinessRuleError unless an account holds so many units, or those ranges, beyond what its open orders sell."""
    _require_registry(exchange)
    require(0 < quantity_lots <= free_lots(exchange, instrument, account), "units_not_available")
    if ranges:
        lots = counted(exchange, instrument, account, ranges, HELD)
        require(sum(lots.values()) == quantity_lots, "ranges_are_not_the_quantity")
        require(lots[Queue.SELLABLE] <= transferable_lots(exchange, instrument, account), "units_not_available")


def counted(
    exchange: "Exchange", instrument: Instrument | None, account: int, ranges: Iterable[SerialRange], among: Iterable[Queue]
) -> dict[Queue, int]:
    """Units of ranges by queue. Raises BusinessRuleError when they overlap or are not all there."""
    exchange.drain_output()
    try:
        return exchange.rooms.registry.count_ranges(asset_of(instrument), account, ranges, among)
    except InputError:
        raise BusinessRuleError("ranges_not_held") from None


def _require_registry(exchange: "Exchange") -> None:
    require(exchange.level >= Level.VALUE_CHAIN, "exchange_has_no_registry")
    exchange.drain_output()


def _select(
    exchange: "Exchange",
    instrument: Instrument | None,
    account: int,
    quantity_lots: int,
    ranges: Sequence[SerialRange],
    among: tuple[Queue, ...] = HELD,
) -> Rows:
    """Whole rows of so many units. What is asked for has been checked, but for ranges that are not in those queues."""
    registry, sequence = exchange.rooms.registry, exchange.last_sequence
    _require_registry(exchange)
    if not ranges:
        return registry.select_first(asset_of(instrument), account, quantity_lots, sequence, among)
    require(sum(counted(exchange, instrument, account, ranges, among).values()) == quantity_lots, "ranges_are_not_the_quantity")
    return registry.select_ranges(asset_of(instrument), account, ranges, sequence, among)


def _leave_unsellable(exchange: "Exchange", instrument: Instrument | None, account: int, rows: Rows) -> int:
    """Count units that leave an account no longer among those it cannot sell. Returns how many."""
    lots = _unsellable(exchange, rows)
    if instrument is not None:
        add_unsellable(exchange.state, instrument.slot, account, -lots)
    return lots


def _unsellable(exchange: "Exchange", rows: Rows) -> int:
    registry = exchange.rooms.registry
    return sum(registry.quantity(row) for row in rows.tolist() if registry.queue_of(row) == Queue.UNSELLABLE)


def _post(exchange: "Exchange", instrument: Instrument | None, debit: int, credit: int, rows: Rows, reason: PostingReason) -> Rows:
    """One posting of whole rows, folded at once."""
    registry = exchange.rooms.registry
    if instrument is None:
        state = STATE_AFTER[reason]
        registry.change(rows, state, credit if state is UnitState.ISSUED else None)
        return rows
    exchange.drain_output()
    registry.state_rows(rows)
    exchange.make_output_room(1)
    move_units(exchange.state, instrument.slot, debit, credit, sum(map(registry.quantity, rows.tolist())), int(reason))
    exchange.drain_output()
    return rows
