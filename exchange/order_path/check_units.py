"""Invariants between balances of units and their serial numbers (docs/rules.md, "Units and serial numbers"), from the rows themselves."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from exchange.ledger.chart import FIRST_PARTICIPANT, House
from exchange.market.instruments import Instrument
from exchange.order_path.level import Level
from exchange.protocol.instrument_class import Resale
from exchange.registry.bundles import Queue
from exchange.registry.checking import check_registry, lots_of, require
from exchange.registry.lifecycle import UnitState

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange

_HOUSE_OF_STATE = {
    UnitState.LOCKED: House.LOCKED,
    UnitState.FROZEN: House.FROZEN,
    UnitState.RETIRED: House.RETIRED,
    UnitState.SURRENDERED: House.SURRENDERED,
    UnitState.EXPIRED: House.EXPIRED,
    UnitState.WITHDRAWN: House.WITHDRAWN,
}


def check_units(exchange: "Exchange") -> None:
    """Raises CheckFailedError naming the first invariant that does not hold. Below the level that has a registry there is nothing to check."""
    registry = exchange.rooms.registry
    if exchange.level < Level.VALUE_CHAIN:
        require(len(registry) == 0, "there are no serial numbers before their level")
        return
    check_registry(registry)
    rows = np.asarray(registry.rows)
    leaves = rows[rows["state"] != int(UnitState.SPLIT)]
    for instrument in exchange.rooms.instruments.by_id.values():
        if not instrument.is_power and instrument.slot >= 0:
            _check_instrument(exchange, instrument, leaves[leaves["asset"] == instrument.id])
    _check_encumbrances(exchange)


def _check_instrument(exchange: "Exchange", instrument: Instrument, leaves: NDArray[np.void]) -> None:
    """Issued = active + reserved + locked + frozen + retired + surrendered + expired + withdrawn; balances are sums of ranges."""
    positions = exchange.state.positions[instrument.slot]
    net_lots, lots = positions["net_lots"], lots_of(leaves)
    issued = -int(net_lots[House.ISSUER]) - int(net_lots[House.CONVERTED])
    require(issued == int(lots.sum()), "units issued or converted in are those that have serial numbers")
    for state, house in _HOUSE_OF_STATE.items():
        require(int(net_lots[house]) == int(lots[leaves["state"] == int(state)].sum()), f"units {state.name.lower()} are those of their account")
    active = leaves["state"] == int(UnitState.ISSUED)
    held = np.zeros(len(net_lots), np.int64)
    np.add.at(held, leaves["account"][active], lots[active])
    require(bool((held[FIRST_PARTICIPANT:] == net_lots[FIRST_PARTICIPANT:]).all()), "the units of an account are its ranges")
    require(not held[:FIRST_PARTICIPANT].any(), "house accounts hold no active units")
    for account in exchange.rooms.participants.by_id:
        unsellable = exchange.rooms.registry.lots(instrument.id, account, Queue.UNSELLABLE)
        require(int(positions[account].unsellable_lots) == unsellable, "units that cannot be sold are known by their ranges")
    if instrument.resale is Resale.NONE:
        require(bool((leaves["transfers"] <= 1).all()), "a unit of one transfer has changed hands once at most")


def _check_encumbrances(exchange: "Exchange") -> None:
    registry, seen = exchange.rooms.registry, set()
    for encumbrance in exchange.rooms.encumbrances.by_id.values():
        for row in encumbrance.standing(registry):
            bundle = registry.rows[row]
            require(row not in seen, "a unit is set aside once")
            require((int(bundle.account), int(bundle.asset)) == (encumbrance.account, encumbrance.asset), "what is set aside stays its owner's")
            seen.add(row)
