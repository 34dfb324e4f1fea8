"""Questions about the past and the state of the books: executions, bars, depth, places in a queue.

What the gateway's memory holds is answered at once. What lies further back is asked of the read model in a thread: one question at a time of a
connection, and a few of all.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from exchange.gateway.bars import INTERVALS_NS, Candle, bar_of, interval_start_ns
from exchange.gateway.market_data import as_told, read_levels
from exchange.gateway.submit import identity_of
from exchange.protocol import messages as m
from exchange.protocol.checksum import book_checksum
from exchange.protocol.decimals import format_decimal
from exchange.protocol.reject_codes import RejectCode
from exchange.units import INT64_MAX
from matching.records import Side

if TYPE_CHECKING:
    from exchange.gateway.connection import Connection
    from exchange.gateway.ports import CandleRow

T = TypeVar("T")

QUESTIONS_MAX: Final = 8


def depth(connection: "Connection", request: m.Depth) -> None:
    exchange, params = connection.hub.exchange, request.params
    instrument = exchange.instrument(params.instrument)
    if instrument is None:
        connection.session.refuse(request, RejectCode.UNKNOWN_INSTRUMENT)
        return
    bids, asks = (as_told(read_levels(exchange, params.instrument, int(side), params.levels), instrument.spec) for side in Side)
    result = m.DepthResult(
        instrument=params.instrument, seq=exchange.book_seq(params.instrument), epoch=connection.hub.node.epoch, bids=bids, asks=asks,
        checksum=book_checksum(bids, asks),
    )  # fmt: skip
    connection.session.answer(request, result)


def queue_position(connection: "Connection", request: m.QueuePosition) -> None:
    """Orders of others are the same as orders that are not there."""
    exchange, order_id = connection.hub.exchange, request.params.order_id
    found = exchange.queue_position(identity_of(connection).account, order_id)
    if found is None:
        connection.session.refuse(request, RejectCode.NO_SUCH_ORDER)
        return
    symbol, orders, lots = found
    instrument = exchange.instrument(symbol)
    assert instrument is not None  # it has an open order
    if orders < 0:
        connection.session.answer(request, m.QueuePositionResult(order_id=order_id, waiting=True))
    else:
        ahead = format_decimal(lots, instrument.spec.quantity_decimals)
        connection.session.answer(request, m.QueuePositionResult(order_id=order_id, orders_ahead=orders, quantity_ahead=ahead))


def executions(connection: "Connection", request: m.Executions) -> None:
    """From the ring where it reaches back far enough, from the read model where there is one and it does not."""
    feed, history = connection.hub.publisher.executions, connection.hub.history
    account, params = identity_of(connection).account, request.params

    def answer(found: list[m.Execution]) -> None:
        from_seq = found[-1].seq + 1 if found else params.from_seq
        if len(found) < params.limit and from_seq >= feed.replay_from(account):
            found = [*found, *feed.recent(account, from_seq, params.limit - len(found))]
        connection.session.answer(request, m.ExecutionsResult(executions=found, execution_seq=feed.last_seq(account)))

    if history is None or params.from_seq >= feed.replay_from(account):
        answer(feed.recent(account, params.from_seq, params.limit))
    else:
        ask = partial(history.executions, account, params.from_seq, params.limit)
        ask_records(connection, request, ask, lambda recorded: answer(feed.recorded(account, recorded[1])))


def bars(connection: "Connection", request: m.Bars) -> None:
    hub, params = connection.hub, request.params
    instrument = hub.exchange.instrument(params.instrument)
    if instrument is None:
        connection.session.refuse(request, RejectCode.UNKNOWN_INSTRUMENT)
        return
    spec = instrument.spec
    from_ns, to_ns = _next_start_ns(params.from_ns, params.interval), _next_start_ns(params.to_ns, params.interval)
    if hub.history is None:
        found = [bar for bar in hub.publisher.bars.bars(spec, params.interval) if from_ns <= bar.start_ns < to_ns]
        connection.session.answer(request, _bars_result(params, hub.exchange.last_sequence, found))
        return
    offset_ns = interval_start_ns(0, params.interval)
    ask = partial(hub.history.candles, instrument.id, INTERVALS_NS[params.interval], offset_ns, from_ns, to_ns, params.limit + 1)

    def answer(recorded: "tuple[int, list[CandleRow]]") -> None:
        as_of_seq, rows = recorded
        found = [bar_of(_candle(row, params.interval, offset_ns), spec) for row in rows]
        connection.session.answer(request, _bars_result(params, as_of_seq, found))

    ask_records(connection, request, ask, answer)


def _next_start_ns(at_ns: int, interval: str) -> int:
    """The first start of an interval at or behind a time."""
    start_ns = interval_start_ns(at_ns, interval)
    return start_ns if start_ns == at_ns else min(start_ns + INTERVALS_NS[interval], INT64_MAX)


def _candle(row: "CandleRow", interval: str, offset_ns: int) -> Candle:
    bucket, low, high, lots, notional, trades, open_ticks, close_ticks = row
    return Candle(offset_ns + bucket * INTERVALS_NS[interval], open_ticks, high, low, close_ticks, lots, notional, trades)


def _bars_result(params: m.BarsParams, as_of_seq: int, found: list[m.Bar]) -> m.BarsResult:
    more = found[params.limit].start_ns if len(found) > params.limit else None
    return m.BarsResult(instrument=params.instrument, interval=params.interval, as_of_seq=as_of_seq, bars=found[: params.limit], next_ns=more)


def ask_records(connection: "Connection", request: m.Request, ask: Callable[[], T], answer: Callable[[T], None]) -> None:
    """Ask the read model. Who has a question there already, or comes when many have, is told to come again."""
    hub = connection.hub
    if connection in hub.asking or len(hub.asking) >= QUESTIONS_MAX:
        connection.session.refuse(request, RejectCode.QUEUE_FULL, {"questions": len(hub.asking)})
        return
    hub.asking.add(connection)

    async def found() -> T:
        try:
            return await asyncio.to_thread(ask)
        finally:
            hub.asking.discard(connection)

    connection.answer_later(request, found(), answer)


HANDLERS: Final[dict[type[m.Request], Callable[["Connection", Any], None]]] = {
    m.Depth: depth,
    m.QueuePosition: queue_position,
    m.Executions: executions,
    m.Bars: bars,
}
