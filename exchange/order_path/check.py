"""Invariants of the whole state, checked from first principles: after every step of a property test, and on demand.

Each check recomputes what the arrays keep incrementally (held cash, open quantities, counts) from the orders themselves.
"""

from typing import TYPE_CHECKING

import numpy as np

from exchange.errors import CheckFailedError
from exchange.market.phases import CALL_PHASES, TRADING_PHASES, Phase
from exchange.order_path.canonical import open_instruments
from exchange.order_path.check_units import check_units
from exchange.order_path.state import CID_NAMES, DeadlineKind
from exchange.protocol.instrument_class import InstrumentClass
from exchange.units import PERIOD_NS
from matching.records import BookPhase, Side

if TYPE_CHECKING:
    from exchange.market.instruments import Instrument
    from exchange.order_path.path import Exchange


_OF_ORDERS = ("open_buy_lots", "open_sell_lots")
_OF_TRADES = ("bought_lots", "sold_lots", "bought_micro", "sold_micro")


def check_exchange(exchange: "Exchange") -> None:
    """Raises CheckFailedError naming the first invariant that does not hold."""
    exchange.core.check_all()
    _check_money(exchange)
    held = np.zeros(exchange.state.accounts.shape[0], np.int64)
    orders = np.zeros(exchange.state.accounts.shape[0], np.int64)
    open_lots = {instrument.id: np.zeros((2, exchange.state.accounts.shape[0]), np.int64) for instrument in open_instruments(exchange)}
    for instrument in open_instruments(exchange):
        _check_phase(exchange, instrument)
        _check_book(exchange, instrument, held, orders, open_lots)
    for instrument in open_instruments(exchange):
        _check_positions(exchange, instrument, held, open_lots[instrument.id])
    _require(bool((exchange.state.accounts.held_micro == held).all()), "held cash is what open orders and positions hold")
    _require(bool((exchange.state.accounts.open_orders == orders).all()), "accounts count their open orders")
    _check_keys(exchange)
    _check_reduce_only(exchange)
    check_units(exchange)
    exchange.rooms.credits.check()


def _require(condition: bool, invariant: str) -> None:
    if not condition:
        raise CheckFailedError(f"not so: {invariant}")


def _check_money(exchange: "Exchange") -> None:
    _require(exchange.money_sum_micro() == 0, "all balances sum to zero")
    for participant in exchange.rooms.participants.by_id:
        balances = exchange.balances(participant)
        _require(balances.held_micro >= 0, "held cash is not negative")
        _require(balances.available_micro >= 0, "available cash is not negative")


def _check_phase(exchange: "Exchange", instrument: "Instrument") -> None:
    """The compiled record and the book of an instrument are in its phase, and a call phase has an end that is a deadline still to come."""
    row = exchange.state.instruments[instrument.slot]
    phase, book_phase = instrument.phase, exchange.core.phase(int(row.book))
    _require(int(row.phase) == phase, "both records of an instrument have its phase")
    if phase in TRADING_PHASES:
        _require((book_phase is BookPhase.AUCTION) == (phase in CALL_PHASES), "orders gather in the call phases and nowhere else")
    if phase in CALL_PHASES:
        deadlines = exchange.state.deadlines[: int(exchange.state.counters[0].n_deadlines)]
        ends = deadlines.at_ns[(deadlines.ref == instrument.id) & (deadlines.kind != DeadlineKind.ORDER_EXPIRY)]
        _require(int(row.phase_end_ns) in ends.tolist() and int(row.phase_end_ns) >= exchange.now_ns, "a call phase ends at a deadline to come")
    elif phase not in {Phase.PAUSED, Phase.HALTED}:
        _require(int(row.phase_end_ns) == 0, "only call phases have an end")


def _check_book(
    exchange: "Exchange", instrument: "Instrument", held: "np.ndarray", orders: "np.ndarray", open_lots: dict[int, "np.ndarray"]
) -> None:
    """Orders of one book; adds what they hold to `held`, count to `orders` and have open to `open_lots`, in place.

    An order of a block is open in each of its quarter-hours too.
    """
    state = exchange.state
    row = state.instruments[instrument.slot]
    views = exchange.core.dump_orders(int(row.book))
    _require(len(views) == 0 or instrument.phase in TRADING_PHASES | {Phase.PAUSED, Phase.HALTED}, "a closed instrument has no orders")
    _require(int(row.open_orders) == len(views), "an instrument counts its open orders")
    periods = covered_periods(exchange, instrument)
    for view in views:
        side, owner, lots = int(view["side"]), int(view["owner"]), int(view["remaining_lots"])
        terms = state.terms[int(view["slot"])]
        key = state.keys[int(terms.key)]
        _require(bool(key.used) and int(key.account) == owner, "a resting order has its key")
        _require(int(key.order_id) == int(view["order_id"]), "a key names its order")
        _require(all(terms[name] == key[name] for name in CID_NAMES), "terms know the client order id of their key")
        _require(int(terms.instrument_slot) == instrument.slot and int(terms.side) == side, "terms belong to their order")
        _require(int(terms.limit_ticks) == int(view["price_ticks"]), "an order holds for its limit")
        _require(int(terms.display_lots) == int(view["display_lots"]), "terms know what an iceberg shows")
        _require(int(terms.filled_lots) + lots <= int(terms.original_lots) or int(terms.revision) > 1, "an order fills no more than it asked for")
        for counted in {instrument.id, *(period.id for period in periods)}:
            open_lots[counted][side, owner] += lots
        held[owner] += expected_hold_micro(instrument, side, int(view["price_ticks"]), lots, periods)
        orders[owner] += 1
        _require(instrument.reference is None or int(view["price_ticks"]) in instrument.band, "orders lie within the daily band")
    for hold in exchange.rooms.holds():
        if hold.instrument == instrument.id:
            open_lots[instrument.id][hold.side, hold.account] += hold.quantity_lots
            held[hold.account] += expected_hold_micro(instrument, hold.side, hold.price_ticks, hold.quantity_lots, periods)


def covered_periods(exchange: "Exchange", instrument: "Instrument") -> list["Instrument"]:
    """The quarter-hours of a power instrument, found by their delivery times; empty for units and for a block with settled ones."""
    found: dict[int, Instrument] = {}
    for quarter in open_instruments(exchange):
        if quarter.is_quarter_hour:
            found.setdefault(quarter.spec.delivery_start_ns, quarter)
    if not instrument.is_block:
        return [instrument] if instrument.is_power else []
    starts_ns = range(instrument.spec.delivery_start_ns, instrument.spec.delivery_end_ns, PERIOD_NS)
    return [found[start_ns] for start_ns in starts_ns] if all(start_ns in found for start_ns in starts_ns) else []


def expected_hold_micro(instrument: "Instrument", side: int, limit_ticks: int, lots: int, periods: list["Instrument"]) -> int:
    """The hold of an open order from the terms of its periods, written apart from the compiled one."""
    if not instrument.is_power:
        return _hold_of_period_micro(instrument, side, limit_ticks, lots)
    fees = [sum(getattr(period.spec, f"{kind}_fee_lot_micro") for period in periods) for kind in ("maker", "taker")]
    without_fees = sum(_hold_of_period_micro(period, side, limit_ticks, lots, with_fee=False) for period in periods)
    return without_fees + lots * max(fees)


def _hold_of_period_micro(instrument: "Instrument", side: int, limit_ticks: int, lots: int, with_fee: bool = True) -> int:
    spec = instrument.spec
    fee = max(
        spec.maker_fee_lot_micro + limit_ticks * spec.maker_fee_tick_lot_micro, spec.taker_fee_lot_micro + limit_ticks * spec.taker_fee_tick_lot_micro
    )
    if not with_fee:
        fee = 0
    if side == Side.BUY:
        return lots * (limit_ticks * spec.multiplier_micro + spec.park_fee_lot_micro + fee)
    if instrument.is_power:
        return lots * (max(0, spec.deficit_price_ticks - limit_ticks) * spec.multiplier_micro + fee)
    return 0


def _check_positions(exchange: "Exchange", instrument: "Instrument", held: "np.ndarray", open_lots: "np.ndarray") -> None:
    rows = exchange.state.positions[instrument.slot]
    _require(bool((rows.open_buy_lots == open_lots[Side.BUY]).all()), "open buys of a position are its orders and its blocks'")
    _require(bool((rows.open_sell_lots == open_lots[Side.SELL]).all()), "open sells of a position are its orders and its blocks'")
    held += rows.held_park_fee_micro + rows.held_guarantee_micro
    _require(int(rows.net_lots.sum()) == 0, "lots bought are lots sold")
    _require(int((rows.bought_micro - rows.sold_micro).sum()) == 0, "value bought is value sold")
    members = list(exchange.rooms.participants.by_id)
    if instrument.is_block:
        kept = [name for name in rows.dtype.names if name not in {*_OF_ORDERS, *_OF_TRADES}]
        _require(not any(rows[name].any() for name in kept), "the positions of a block are those of its periods")
        _require(int((rows.bought_lots - rows.sold_lots).sum()) == 0, "lots bought in a block are lots sold")
    elif instrument.instrument_class is InstrumentClass.POWER:
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


def _check_keys(exchange: "Exchange") -> None:
    """Every key waits for the end of its retention in the ring, or for the end of the order that outlives it."""
    state = exchange.state
    counters = state.counters[0]
    waiting = {int(state.fifo[place % len(state.fifo)]) for place in range(int(counters.fifo_head), int(counters.fifo_tail))}
    outlived = set()
    for instrument in open_instruments(exchange):
        terms = state.terms[exchange.core.dump_orders(int(state.instruments[instrument.slot].book))["slot"]]
        outlived |= set(terms.key[terms.outlives_key == 1].tolist())
    used = set(np.flatnonzero(state.keys.used).tolist())
    _require(len(used) == int(counters.n_keys), "the key table counts its keys")
    _require(not waiting & outlived and waiting | outlived == used, "a key is in the ring until its retention is over, then with its order")
