"""What a command would come to now: admission by the same kernels (trial.py), then a walk through what the book shows. Changes nothing.

The walk counts what everybody can see and what is the account's own, and nothing else: neither the reserve of others' icebergs nor orders that wait
beside the book. So a dry run tells no more of others than the depth does, and where hidden quantity is there the command itself may fill better.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numba.core import config
from numpy.typing import NDArray

from exchange.journal.record import COMMAND, CommandFlag, CommandKind, OrderType
from exchange.market.instruments import Instrument
from exchange.market.phases import CALL_PHASES
from exchange.order_path.queries import OpenOrder
from exchange.order_path.state import COMMAND_WORDS
from exchange.order_path.trial import DUPLICATE, REUSED, basket_key_state, key_state, try_amend, try_basket, try_place
from exchange.protocol.reject_codes import RejectCode
from matching.records import SelfTrade, Side, TimeInForce

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange

_FIRST_LEVELS: Final = 64
_IMMEDIATE: Final = (TimeInForce.IOC, TimeInForce.FOK)
_MINIMUMS: Final = int(CommandFlag.MINIMUM | CommandFlag.ALL_OR_NONE)

Fill = tuple[int, int]  # price_ticks, quantity_lots


@dataclass(frozen=True, slots=True)
class Trial:
    """What one command would come to. `code` ACCEPTED: `status` says how it would stand (resting, waiting, filled, cancelled).

    `hold_micro` is what the account has to have for it, `fills` are by price. `enters`: an amend would cost the order its place. `interrupts`: it
    would meet a price outside the dynamic band. `duplicate`: its id has been used for the same command, whose recorded code this is.
    """

    code: RejectCode
    status: str = ""
    price_ticks: int = 0
    hold_micro: int = 0
    fills: list[Fill] = field(default_factory=list)
    remaining_lots: int = 0
    enters: bool = True
    interrupts: bool = False
    duplicate: bool = False

    @property
    def filled_lots(self) -> int:
        return sum(lots for _, lots in self.fills)


class _Order(NamedTuple):
    """What the books would get."""

    account: int
    side: int
    limit_ticks: int
    lots: int
    time_in_force: int
    self_trade: int
    min_lots: int = 0


def dry_run(exchange: "Exchange", records: NDArray[np.void], now_ns: int) -> list[Trial]:
    """Outcomes of one order or amend, or of all legs of one basket; where a leg is refused the others are BASKET_REFUSED."""
    commands = np.ascontiguousarray(records, dtype=COMMAND).view(COMMAND_WORDS)
    if config.DISABLE_JIT:
        commands = commands.view(np.recarray)
    legs = len(records) if records["kind"][0] == CommandKind.BASKET else 0
    known, recorded = basket_key_state(exchange.state, commands, legs) if legs else key_state(exchange.state, commands)
    if known == DUPLICATE:
        return [Trial(RejectCode(int(recorded)), duplicate=True)] * len(records)
    if known == REUSED:
        return [Trial(RejectCode.CLIENT_ORDER_ID_REUSED)] * len(records)
    record = records[0]
    if 0 < record["deadline_ns"] < now_ns:
        return [Trial(RejectCode.DEADLINE_PASSED)] * len(records)
    if legs:
        return _try_basket(exchange, commands, records)
    if record["kind"] == CommandKind.AMEND:
        return [_try_amend(exchange, commands, record)]
    if record["time_in_force"] == TimeInForce.GTD and record["expiry_ns"] <= now_ns:
        return [Trial(RejectCode.EXPIRY_PASSED)]
    return [_try_place(exchange, commands, record)]


def _try_place(exchange: "Exchange", commands: Any, record: np.void) -> Trial:
    code, price_ticks, hold_micro = (int(value) for value in try_place(exchange.state, commands))
    if code:
        return Trial(RejectCode(code))
    instrument = exchange.instrument_by_id(int(record["instrument"]))
    flags, lots = int(record["flags"]), int(record["quantity_lots"])
    trial = Trial(RejectCode.ACCEPTED, "resting", price_ticks, hold_micro, remaining_lots=lots)
    if flags & CommandFlag.STOP and not _is_reached(exchange, instrument, int(record["side"]), int(record["stop_ticks"])):
        return replace(trial, status="waiting")
    min_lots = lots if flags & CommandFlag.ALL_OR_NONE else int(record["min_lots"]) if flags & _MINIMUMS else 0
    time_in_force = int(record["time_in_force"])
    if record["order_type"] == OrderType.MARKET and time_in_force != TimeInForce.FOK:
        time_in_force = int(TimeInForce.IOC)
    order = _Order(int(record["account"]), int(record["side"]), price_ticks, lots, time_in_force, int(record["self_trade"]), min_lots)
    return _met(exchange, instrument, order, trial)


def _try_amend(exchange: "Exchange", commands: Any, record: np.void) -> Trial:
    code, price_ticks, hold_micro, lots, enters = (int(value) for value in try_amend(exchange.state, commands))
    if code:
        return Trial(RejectCode(code))
    (order,) = (order for order in exchange.open_orders(int(record["account"])) if order.order_id == record["order_id"])
    instrument = exchange.instrument(order.symbol)
    assert instrument is not None  # it has an open order
    status = "waiting" if order.waits else "resting"
    trial = Trial(RejectCode.ACCEPTED, status, price_ticks, hold_micro, remaining_lots=lots, enters=bool(enters))
    if not enters or order.stop_ticks is not None:
        return trial
    min_lots = lots if order.all_or_none else min(order.min_lots, lots)
    terms = exchange.state.terms[exchange.core.find_slot(order.order_id)]
    entry = _Order(int(record["account"]), int(order.side), price_ticks, lots, order.time_in_force, int(terms.self_trade), min_lots)
    met = _met(exchange, instrument, entry, trial)
    # An amend that was admitted is accepted, also where the order then ends without a trade.
    return replace(trial, status="cancelled", remaining_lots=0) if met.code else met


def _try_basket(exchange: "Exchange", commands: Any, records: NDArray[np.void]) -> list[Trial]:
    holds_micro = np.zeros(len(records), np.int64)
    refused, code = (int(value) for value in try_basket(exchange.state, commands, len(records), holds_micro))
    trials = []
    for leg, record in enumerate(records):
        instrument = exchange.rooms.instruments.by_id[int(record["instrument"])]
        lots, side = int(record["quantity_lots"]), int(record["side"])
        band, is_market = instrument.band, record["order_type"] == OrderType.MARKET
        edge_ticks = band.high_ticks if side == Side.BUY else band.low_ticks
        price_ticks = edge_ticks if is_market else int(record["price_ticks"])
        trial = Trial(RejectCode.ACCEPTED, "resting", price_ticks, int(holds_micro[leg]), remaining_lots=lots)
        if not code:
            # A leg that would meet an own order fails the basket, whatever its own prevention.
            order = _Order(int(record["account"]), side, price_ticks, lots, int(TimeInForce.FOK), int(SelfTrade.CANCEL_NEWEST))
            trial = _met(exchange, instrument, order, trial)
            if trial.code:
                refused, code = leg, int(trial.code)
        trials.append(trial)
    if not code:
        return trials
    return [Trial(RejectCode(code) if leg == refused else RejectCode.BASKET_REFUSED) for leg in range(len(records))]


def _is_reached(exchange: "Exchange", instrument: Instrument, side: int, stop_ticks: int) -> bool:
    """Whether a stop price has been traded at or beyond."""
    last_ticks = exchange.core.last_trade(int(exchange.state.instruments[instrument.slot].book))
    if last_ticks is None or instrument.phase in CALL_PHASES:
        return False
    return last_ticks >= stop_ticks if side == Side.BUY else last_ticks <= stop_ticks


def _met(exchange: "Exchange", instrument: Instrument, order: _Order, trial: Trial) -> Trial:
    """The trial of an admitted order after the book."""
    if instrument.phase in CALL_PHASES:
        return trial
    fills, remaining_lots, stopped, interrupts = _walk(exchange, instrument, order)
    filled_lots = sum(lots for _, lots in fills)
    rests = order.time_in_force not in _IMMEDIATE
    if filled_lots < order.min_lots and not interrupts:
        return replace(trial, status="waiting") if rests else Trial(RejectCode.MINIMUM_UNFILLABLE)
    if order.time_in_force == TimeInForce.FOK and filled_lots < order.lots:
        return Trial(RejectCode.FILL_OR_KILL_UNFILLABLE)
    if filled_lots == order.lots:
        status = "filled"
    else:
        status = "resting" if rests and not stopped and remaining_lots else "cancelled"
    if status == "cancelled" and filled_lots == 0:
        return Trial(RejectCode.SELF_TRADE_PREVENTED if stopped or not remaining_lots else RejectCode.NO_LIQUIDITY)
    left = remaining_lots if status == "resting" else 0
    return replace(trial, status=status, fills=fills, remaining_lots=left, interrupts=interrupts)


def _walk(exchange: "Exchange", instrument: Instrument, order: _Order) -> tuple[list[Fill], int, bool, bool]:
    """(fills by price, lots left, whether an own order ends it, whether the dynamic band does) of an order that enters now."""
    own: dict[int, list[OpenOrder]] = {}
    for resting in exchange.open_orders(order.account):
        if resting.symbol == instrument.symbol and resting.side != order.side and not resting.waits:
            own.setdefault(resting.price_ticks, []).append(resting)
    band = exchange.core.band(int(exchange.state.instruments[instrument.slot].book))
    fills: list[Fill] = []
    left = order.lots
    for price_ticks, shown_lots in _levels(exchange, instrument, order):
        if left == 0:
            break
        if band is not None and not band[0] <= price_ticks <= band[1]:
            return fills, left, False, True
        at_price = 0
        for lots, is_own in _queue(exchange, own.get(price_ticks, ()), shown_lots):
            taken = min(lots, left)
            if not is_own:
                at_price += taken
                left -= taken
            elif left and order.self_trade == SelfTrade.DECREMENT:
                left -= taken
            elif left and order.self_trade in {SelfTrade.CANCEL_NEWEST, SelfTrade.CANCEL_BOTH}:
                return [*fills, (price_ticks, at_price)] if at_price else fills, left, True, False
        if at_price:
            fills.append((price_ticks, at_price))
    return fills, left, False, False


def _levels(exchange: "Exchange", instrument: Instrument, order: _Order) -> Iterator[Fill]:
    """(price, shown lots) of the other side within the limit, best first."""
    count, begin = _FIRST_LEVELS, 0
    while True:
        levels = exchange.depth(instrument.symbol, 1 - order.side, count)
        for price_ticks, lots in zip(levels["price_ticks"][begin:].tolist(), levels["quantity_lots"][begin:].tolist(), strict=True):
            if price_ticks > order.limit_ticks if order.side == Side.BUY else price_ticks < order.limit_ticks:
                return
            yield price_ticks, lots
        if len(levels) < count:
            return
        begin, count = count, 4 * count


def _queue(exchange: "Exchange", own: Sequence[OpenOrder], shown_lots: int) -> Iterator[tuple[int, bool]]:
    """(lots, whether they are the account's own) of one price in the order of their priority."""
    places = []
    for resting in own:
        place = exchange.core.queue_position(resting.order_id)
        assert place is not None  # it rests in the ladder
        places.append((place[1], int(exchange.state.books.orders[exchange.core.find_slot(resting.order_id)]["remaining_lots"])))
    passed = 0
    for ahead_lots, lots in sorted(places):
        if ahead_lots > passed:
            yield ahead_lots - passed, False
        yield lots, True
        passed = ahead_lots + lots
    if shown_lots > passed:
        yield shown_lots - passed, False
