"""The end of the validity of certificates: a deadline that moves what is left of them to their end, held, locked or frozen.

A deadline's reference is an instrument's id, or the negative number of a month of granular certificates.
"""

from typing import TYPE_CHECKING, Final

import numpy as np

from exchange.ledger.chart import FIRST_PARTICIPANT, House
from exchange.ledger.records import PostingReason
from exchange.market.instruments import Instrument
from exchange.order_path.business import units
from exchange.order_path.deadlines import add_deadline
from exchange.order_path.orders import expire_instrument
from exchange.order_path.state import DeadlineKind
from exchange.registry.lifecycle import UnitState
from exchange.registry.months import vintage_of
from exchange.registry.serials import UnitScheme

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange

_ASIDE: Final = {House.LOCKED: UnitState.LOCKED, House.FROZEN: UnitState.FROZEN}


def schedule_expiry(exchange: "Exchange", reference: int, at_ns: int) -> None:
    """One deadline for each instrument or month, however often it is issued."""
    expiring = exchange.rooms.certificates.expiring
    if reference not in expiring:
        expiring.add(reference)
        exchange.make_deadline_room()
        add_deadline(exchange.state, at_ns, DeadlineKind.UNIT_EXPIRY, reference)


def expire(exchange: "Exchange", reference: int) -> None:
    """The validity is over: nothing of it can be traded, retired or released from now on."""
    exchange.drain_output()
    exchange.rooms.certificates.expiring.discard(reference)
    if reference < 0:
        quantity = _expire_granular(exchange, vintage_of(-reference))
        exchange.notify("expired", {"series": "GC", "vintage": vintage_of(-reference), "quantity": quantity})
    else:
        instrument = exchange.rooms.instruments.by_id[reference]
        exchange.notify("expired", {"series": instrument.symbol, "quantity": _expire_listed(exchange, instrument)})
    _forget_encumbrances(exchange, max(reference, 0))


def _expire_listed(exchange: "Exchange", instrument: Instrument) -> int:
    """Orders end first, so that what they hold is free; then what accounts hold, and what is set aside."""
    if instrument.slot < 0:
        return 0
    registry, total = exchange.rooms.registry, 0
    exchange.make_output_room(int(exchange.state.instruments[instrument.slot].open_orders))
    expire_instrument(exchange.state, instrument.slot, False)
    held = exchange.state.positions[instrument.slot].net_lots.copy()
    for account in np.flatnonzero(held[FIRST_PARTICIPANT:] > 0).tolist():
        lots = int(held[FIRST_PARTICIPANT + account])
        units.take(exchange, instrument, FIRST_PARTICIPANT + account, lots, PostingReason.UNITS_EXPIRED)
        total += lots
    for place, state in _ASIDE.items():
        rows = np.flatnonzero((registry.rows["asset"] == instrument.id) & (registry.rows["state"] == state))
        lots = sum(map(registry.quantity, rows.tolist()))
        if lots:
            units.end_aside(exchange, instrument, lots, place, PostingReason.UNITS_EXPIRED, rows)
        total += lots
    return total


def _expire_granular(exchange: "Exchange", vintage: int) -> int:
    registry = exchange.rooms.registry
    rows = registry.rows
    of_month = np.isin(rows["scheme"], (UnitScheme.GC, UnitScheme.SDGC)) & (rows["vintage"] == vintage)
    left = np.flatnonzero(of_month & np.isin(rows["state"], (UnitState.ISSUED, *_ASIDE.values())))
    registry.change(left, UnitState.EXPIRED)
    return sum(map(registry.quantity, left.tolist()))


def _forget_encumbrances(exchange: "Exchange", asset: int) -> None:
    """Locks and freezes of which nothing is left."""
    encumbrances = exchange.rooms.encumbrances
    for encumbrance in [one for one in encumbrances.by_id.values() if one.asset == asset]:
        encumbrances.forget_if_empty(encumbrance, exchange.rooms.registry)
