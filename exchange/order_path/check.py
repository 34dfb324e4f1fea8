"""Invariants of the whole state, checked from first principles: after every step of a property test, and on demand.

Each check recomputes what the arrays keep incrementally (held cash, open quantities, counts) from the orders themselves.
"""

from typing import TYPE_CHECKING

import numpy as np

from exchange.errors import CheckFailedError
from exchange.market.phases import Phase
from exchange.order_path.canonical import open_instruments
from exchange.protocol.instrument_class import InstrumentClass
from matching.records import Side

if TYPE_CHECKING:
    from exchange.market.instruments import Instrument
    from exchange.order_path.path import Exchange


def check_exchange(exchange: "Exchange") -> None:
    """Raises CheckFailedError naming the first invariant that does not hold."""
    exchange.core.check_all()
    _check_money(exchange)
    held = np.zeros(exchange.state.accounts.shape[0], np.int64)
    orders = np.zeros(exchange.state.accounts.shape[0], np.int64)
    for instrument in open_instruments(exchange):
        _check_book(exchange, instrument, held, orders)
        _check_positions(exchange, instrument, held)
    _require(bool((exchange.state.accounts.held_micro == held).all()), "held cash is what open orders and positions hold")
    _require(bool((exchange.state.accounts.open_orders == orders).all()), "accounts count their open orders")
    _check_keys(exchange, int(orders.sum()))
    _check_reduce_only(exchange)


def _require(condition: bool, invariant: str) -> None:
    if not condition:
        raise CheckFailedError(f"not so: {invariant}")


def _check_money(exchange: "Exchange") -> None:
    _require(exchange.money_sum_micro() == 0, "all balances sum to zero")
    for participant in exchange.rooms.participants.by_id:
        balances = exchange.balances(participant)
        _require(balances.held_micro >= 0, "held cash is not negative")
        _require(balances.available_micro >= 0, "available cash is not negative")


def _check_book(exchange: "Exchange", instrument: "Instrument", held: "np.ndarray", orders: "np.ndarray") -> None:
    """Orders of one book against positions; adds what they hold to `held` and count to `orders`, in place."""
    state = exchange.state
    row = state.instruments[instrument.slot]
    views = exchange.core.dump_orders(int(row.book))
    _require(len(views) == 0 or instrument.phase in {Phase.CONTINUOUS, Phase.PAUSED, Phase.HALTED}, "a closed instrument has no orders")
    _require(int(row.open_orders) == len(views), "an instrument counts its open orders")
    open_lots = np.zeros((2, state.accounts.shape[0]), np.int64)
    for view in views:
        side, owner, lots = int(view["side"]), int(view["owner"]), int(view["remaining_lots"])
        terms = state.terms[int(view["slot"])]
        key = state.keys[int(terms.key)]
        _require(bool(key.used) and bool(key.order_live) and int(key.account) == owner, "a resting order has its live key")
        _require(int(terms.instrument_slot) == instrument.slot and int(terms.side) == side, "terms belong to their order")
        _require(int(terms.limit_ticks) == int(view["price_ticks"]), "an order holds for its limit")
        _require(int(terms.display_lots) == int(view["display_lots"]), "terms know what an iceberg shows")
        _require(int(terms.filled_lots) + lots <= int(terms.original_lots) or int(terms.revision) > 1, "an order fills no more than it asked for")
        open_lots[side, owner] += lots
        held[owner] += expected_hold_micro(instrument, side, int(view["price_ticks"]), lots)
        orders[owner] += 1
        _require(instrument.reference is None or int(view["price_ticks"]) in instrument.band, "orders lie within the daily band")
    for hold in exchange.rooms.holds():
        if hold.instrument == instrument.id:
            open_lots[hold.side, hold.account] += hold.quantity_lots
            held[hold.account] += expected_hold_micro(instrument, hold.side, hold.price_ticks, hold.quantity_lots)
    positions = state.positions[instrument.slot]
    _require(bool((positions.open_buy_lots == open_lots[Side.BUY]).all()), "open buys of a position are its orders, proposals and bids")
    _require(bool((positions.open_sell_lots == open_lots[Side.SELL]).all()), "open sells of a position are its orders, proposals and bids")


def expected_hold_micro(instrument: "Instrument", side: int, limit_ticks: int, lots: int) -> int:
    """The hold of an open order from its terms, written apart from the compiled one."""
    spec = instrument.spec
    fee = max(
        spec.maker_fee_lot_micro + limit_ticks * spec.maker_fee_tick_lot_micro, spec.taker_fee_lot_micro + limit_ticks * spec.taker_fee_tick_lot_micro
    )
    if side == Side.BUY:
        return lots * (limit_ticks * spec.multiplier_micro + spec.park_fee_lot_micro + fee)
    if instrument.is_power:
        return lots * (max(0, spec.deficit_price_ticks - limit_ticks) * spec.multiplier_micro + fee)
    return 0


def _check_positions(exchange: "Exchange", instrument: "Instrument", held: "np.ndarray") -> None:
    rows = exchange.state.positions[instrument.slot]
    held += rows.held_park_fee_micro + rows.held_guarantee_micro
    _require(int(rows.net_lots.sum()) == 0, "lots bought are lots sold")
    _require(int((rows.bought_micro - rows.sold_micro).sum()) == 0, "value bought is value sold")
    members = list(exchange.rooms.participants.by_id)
    if instrument.instrument_class is InstrumentClass.POWER:
        limits = exchange.state.accounts[members]
        net = rows.net_lots[members] + rows.contract_lots[members]
        _require(bool((net + rows.open_buy_lots[members] <= limits.max_net_lots).all()), "the worst long position is within its limit")
        _require(bool((net - rows.open_sell_lots[members] >= limits.min_net_lots).all()), "the worst short position is within its limit")
    else:
        free = rows.net_lots[members] - rows.unsellable_lots[members] - rows.open_sell_lots[members]
        _require(bool((free >= 0).all()), "units on sale are owned and sellable")


def _check_reduce_only(exchange: "Exchange") -> None:
    state = exchange.state
    for instrument in open_instruments(exchange):
        positions = state.positions[instrument.slot]
        net = positions.net_lots + positions.contract_lots
        for view in exchange.core.dump_orders(int(state.instruments[instrument.slot].book)):
            if state.terms[int(view["slot"])].reduce_only:
                owner, buys = int(view["owner"]), int(view["side"]) == Side.BUY
                open_lots, other_side = (positions.open_buy_lots, -net) if buys else (positions.open_sell_lots, net)
                _require(0 < int(open_lots[owner]) <= int(other_side[owner]), "reduce-only orders cannot turn a position, whatever else is open")
                _require(bool(state.accounts[owner].may_reduce), "an account knows that it has reduce-only orders")


def _check_keys(exchange: "Exchange", open_orders: int) -> None:
    keys = exchange.state.keys
    _require(int(keys.used.sum()) == int(exchange.state.counters[0].n_keys), "the key table counts its keys")
    _require(int(keys.order_live[keys.used == 1].sum()) == open_orders, "live keys are those of resting orders")
