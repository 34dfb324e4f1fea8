"""The end of the validity of certificates: a deadline that moves what is left of them to their end, held, locked or frozen.

References of deadlines are those of unit_deadlines.py.
"""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from exchange.ledger.chart import House
from exchange.ledger.records import PostingReason
from exchange.market.instruments import Instrument
from exchange.order_path.business import one_way_auctions, units
from exchange.order_path.business.block_trades import expire_proposal
from exchange.order_path.orders import expire_instrument
from exchange.registry.lifecycle import UnitState
from exchange.registry.months import vintage_of
from exchange.registry.selection import Rows
from exchange.registry.serials import UnitScheme

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange

_ASIDE: Final = {House.LOCKED: UnitState.LOCKED, House.FROZEN: UnitState.FROZEN}


def expire(exchange: "Exchange", reference: int) -> None:
    """The validity is over: nothing of it can be traded, retired or released from now on."""
    exchange.drain_output()
    exchange.rooms.certificates.expiring.discard(reference)
    if reference < 0:
        facts: dict[str, Any] = {"series": "GC", "vintage": vintage_of(-reference), "quantity": _expire_granular(exchange, vintage_of(-reference))}
    else:
        instrument = exchange.rooms.instruments.by_id[reference]
        facts = {"series": instrument.symbol, "quantity": _expire_listed(exchange, instrument)}
    if facts["quantity"]:
        exchange.notify("expired", facts)
    _release_encumbrances(exchange)


def _expire_listed(exchange: "Exchange", instrument: Instrument) -> int:
    """What is left of an instrument's units, in its own book and in baskets. Offers end first, so that what they hold is free."""
    registry = exchange.rooms.registry
    rows = registry.rows
    left = np.flatnonzero((rows["origin"] == instrument.id) & np.isin(rows["state"], (UnitState.ISSUED, *_ASIDE.values())))
    total = sum(map(registry.quantity, left.tolist()))
    for asset in np.unique(rows["asset"][left]).tolist():
        book = exchange.rooms.instruments.by_id[asset]
        _end_offers(exchange, book)
        of_book = left[registry.rows["asset"][left] == asset]
        for account in np.unique(registry.rows["account"][of_book]).tolist():
            _end(exchange, book, account, of_book[registry.rows["account"][of_book] == account])
    return total


def _end_offers(exchange: "Exchange", book: Instrument) -> None:
    """Orders, proposed block trades and auctions of a book: what they hold may be what ends."""
    exchange.make_output_room(int(exchange.state.instruments[book.slot].open_orders))
    expire_instrument(exchange.state, book.slot, False)
    for proposal in [one for one in exchange.rooms.blocks.by_id.values() if one.instrument == book.id]:
        expire_proposal(exchange, proposal.id)
    for auction in [one for one in exchange.rooms.one_way.by_id.values() if one.instrument == book.id and one.is_open]:
        one_way_auctions.cancel(exchange, auction)


def _end(exchange: "Exchange", book: Instrument, account: int, left: Rows) -> None:
    """Units of one account in one book: what is held, and what is set aside in its name."""
    registry = exchange.rooms.registry
    states = registry.rows["state"][left]
    held = [registry.range_of(row) for row in left[states == UnitState.ISSUED].tolist()]
    if held:
        units.take(exchange, book, account, sum(item.quantity for item in held), PostingReason.UNITS_EXPIRED, held)
    for place, state in _ASIDE.items():
        aside = left[states == state]
        if len(aside):
            units.end_aside(exchange, book, sum(map(registry.quantity, aside.tolist())), place, PostingReason.UNITS_EXPIRED, aside)


def _expire_granular(exchange: "Exchange", vintage: int) -> int:
    registry = exchange.rooms.registry
    rows = registry.rows
    of_month = np.isin(rows["scheme"], (UnitScheme.GC, UnitScheme.SDGC)) & (rows["vintage"] == vintage)
    left = np.flatnonzero(of_month & np.isin(rows["state"], (UnitState.ISSUED, *_ASIDE.values())))
    registry.change(left, UnitState.EXPIRED)
    return sum(map(registry.quantity, left.tolist()))


def _release_encumbrances(exchange: "Exchange") -> None:
    """Locks and freezes end for what has expired."""
    registry, encumbrances = exchange.rooms.registry, exchange.rooms.encumbrances
    for encumbrance in list(encumbrances.by_id.values()):
        parts = [part for row in encumbrance.rows for part in registry.parts_of(row)]
        expired = [part for part in parts if int(registry.rows[part].state) == UnitState.EXPIRED]
        if expired:
            encumbrances.release(encumbrance, expired, registry)
