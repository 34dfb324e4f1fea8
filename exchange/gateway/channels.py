"""Channels by name: who may read which, joining and leaving."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple, get_args

from exchange.gateway.access import OVERSEERS
from exchange.gateway.market_data import ALL_SYMBOLS
from exchange.gateway.submit import identity_of
from exchange.protocol import messages as m
from exchange.protocol.reject_codes import RejectCode

if TYPE_CHECKING:
    from exchange.gateway.connection import Connection
    from exchange.protocol.documents import InstrumentSpec

PRIVATE: Final = frozenset({"executions", "blocks", "balances", "positions", "statements"})
OPERATOR: Final = "operator"
OF_ALL: Final = frozenset({"ticker", "phases", "auctions", "one_way", "clock"})
_INTERVALS: Final = frozenset(get_args(m.IntervalName))
_DEPTHS: Final = {f"book.{depth}": depth for depth in m.DEPTHS} | {"book": m.DEFAULT_DEPTH, "book.full": m.FULL_DEPTH}


class Channel(NamedTuple):
    """A channel's name taken apart. `kind`: book, orders, trades, bars, or a name without a symbol."""

    kind: str
    symbol: str = ""
    depth: int | None = None
    interval: str = ""


def parse_channel(name: str) -> Channel | None:
    """`book:SYMBOL`, `book.5:SYMBOL`, `book.full:SYMBOL`, `orders:SYMBOL`, `trades:SYMBOL`, `trades:*`, `bars:SYMBOL:INTERVAL`, or a plain name."""
    if name in PRIVATE or name in OF_ALL or name == OPERATOR:
        return Channel(name)
    kind, colon, symbol = name.partition(":")
    if not colon:
        return None
    if kind in _DEPTHS:
        # The plain name has the depth that the exchange gives it.
        return Channel("book", symbol, None if kind == "book" else _DEPTHS[kind])
    if kind in {"orders", "trades"}:
        return Channel(kind, symbol)
    symbol, _, interval = symbol.rpartition(":")
    return Channel(kind, symbol, interval=interval) if kind == "bars" and interval in _INTERVALS else None


def subscribe(connection: "Connection", request: m.Subscribe) -> None:
    """All channels or none. The answer comes first, then what the channels begin with."""
    params = request.params
    refusal = next((r for r in (_channel_problem(connection, channel) for channel in params.channels) if r is not None), None)
    if refusal is None and params.turns and (connection.identity is None or connection.hub.conductor is None):
        refusal = RejectCode.NOT_LOGGED_ON if connection.identity is None else RejectCode.UNKNOWN_CHANNEL
    if refusal is not None:
        connection.session.refuse(request, refusal)
        return
    feed = connection.hub.publisher.executions
    result = m.SubscribeResult(channels=params.channels)
    if "executions" in params.channels:
        account = identity_of(connection).account
        result = m.SubscribeResult(channels=params.channels, execution_seq=feed.last_seq(account), replay_from=feed.replay_from(account))
    connection.session.answer(request, result)
    connection.send_output()
    for channel in params.channels:
        _join_channel(connection, channel, params)


def unsubscribe(connection: "Connection", request: m.Unsubscribe) -> None:
    """Channels that were not subscribed to are ignored."""
    for channel in request.params.channels:
        if channel in connection.channels:
            leave_channel(connection, channel)
    connection.session.answer(request, m.SubscribeResult(channels=request.params.channels))


def _channel_problem(connection: "Connection", name: str) -> RejectCode | None:
    channel = parse_channel(name)
    if channel is None:
        return RejectCode.UNKNOWN_CHANNEL
    if channel.kind in PRIVATE:
        if connection.identity is None:
            return RejectCode.NOT_LOGGED_ON
        return None if "read" in connection.identity.scopes else RejectCode.SCOPE_MISSING
    if channel.kind == OPERATOR:
        if connection.identity is None:
            return RejectCode.NOT_LOGGED_ON
        return RejectCode.SCOPE_MISSING if OVERSEERS.isdisjoint(connection.identity.scopes) else None
    if channel.kind in OF_ALL or name == "trades:" + ALL_SYMBOLS:
        return None
    return None if connection.hub.exchange.instrument(channel.symbol) is not None else RejectCode.UNKNOWN_INSTRUMENT


def _join_channel(connection: "Connection", name: str, params: m.SubscribeParams) -> None:
    channel = parse_channel(name)
    assert channel is not None
    publisher, outbox = connection.hub.publisher, connection.outbox
    connection.channels.add(name)
    if channel.kind == "executions":
        publisher.executions.subscribe(identity_of(connection).account, outbox, params.from_seq)
    elif channel.kind in {"balances", "positions", "statements"}:
        publisher.private.subscribe(channel.kind, identity_of(connection).account, outbox)
    elif channel.kind == "book":
        publisher.books.subscribe(_spec(connection, channel.symbol), outbox, channel.depth, checksum=params.checksum)
    elif channel.kind == "orders":
        publisher.orders.subscribe(_spec(connection, channel.symbol), outbox)
    elif channel.kind == "bars":
        publisher.bars.subscribe(_spec(connection, channel.symbol), channel.interval, outbox)
    elif channel.kind == "trades":
        publisher.trades.subscribe(channel.symbol, outbox)
    elif channel.kind == "ticker":
        publisher.ticker.subscribe(outbox)
    elif channel.kind == "phases":
        publisher.status.subscribe(outbox)
    elif channel.kind == "auctions":
        publisher.auctions.subscribe(outbox)
    elif channel.kind == "one_way":
        publisher.one_way.add(outbox)
    elif channel.kind == OPERATOR:
        publisher.operator.add(outbox)
    elif channel.kind == "blocks":
        publisher.blocks.setdefault(identity_of(connection).account, set()).add(outbox)
    else:
        publisher.clock.add(outbox)
        conductor = connection.hub.conductor
        if conductor is not None:
            conductor.join(outbox, takes_part=params.turns)


def _spec(connection: "Connection", symbol: str) -> "InstrumentSpec":
    instrument = connection.hub.exchange.instrument(symbol)
    assert instrument is not None
    return instrument.spec


def leave_channel(connection: "Connection", name: str) -> None:
    """Undo one subscription."""
    channel = parse_channel(name)
    assert channel is not None
    publisher, outbox = connection.hub.publisher, connection.outbox
    connection.channels.discard(name)
    # A private channel was joined with an identity, which a connection keeps.
    account = 0 if connection.identity is None else connection.identity.account
    leave: dict[str, Callable[[], None]] = {
        "executions": lambda: publisher.executions.unsubscribe(account, outbox),
        "balances": lambda: publisher.private.unsubscribe(channel.kind, account, outbox),
        "positions": lambda: publisher.private.unsubscribe(channel.kind, account, outbox),
        "statements": lambda: publisher.private.unsubscribe(channel.kind, account, outbox),
        "book": lambda: publisher.books.unsubscribe(channel.symbol, outbox, channel.depth),
        "orders": lambda: publisher.orders.unsubscribe(channel.symbol, outbox),
        "bars": lambda: publisher.bars.unsubscribe(channel.symbol, channel.interval, outbox),
        "trades": lambda: publisher.trades.unsubscribe(channel.symbol, outbox),
        "ticker": lambda: publisher.ticker.unsubscribe(outbox),
        "phases": lambda: publisher.status.unsubscribe(outbox),
        "auctions": lambda: publisher.auctions.unsubscribe(outbox),
        "one_way": lambda: publisher.one_way.discard(outbox),
        OPERATOR: lambda: publisher.operator.discard(outbox),
        "blocks": lambda: publisher.blocks[account].discard(outbox),
        "clock": lambda: _leave_clock(connection),
    }
    leave[channel.kind]()


def _leave_clock(connection: "Connection") -> None:
    connection.hub.publisher.clock.discard(connection.outbox)
    if connection.hub.conductor is not None:
        connection.hub.conductor.leave(connection.outbox)


def last_seqs(connection: "Connection") -> dict[str, int]:
    """The last `seq` of every channel of a connection that has one of its own."""
    publisher = connection.hub.publisher
    account = 0 if connection.identity is None else connection.identity.account
    found: dict[str, int] = {}
    for name in sorted(connection.channels):
        channel = parse_channel(name)
        assert channel is not None
        if channel.kind == "executions":
            found[name] = publisher.executions.last_seq(account)
        elif channel.kind in {"balances", "positions"}:
            found[name] = publisher.private.seq(channel.kind, account)
        elif channel.kind == "book":
            found[name] = publisher.books.seq(channel.symbol, channel.depth)
        elif channel.kind == "orders":
            found[name] = publisher.orders.seq(channel.symbol)
        elif channel.kind == "bars":
            found[name] = publisher.bars.seq(channel.symbol, channel.interval)
        elif channel.kind == "ticker":
            found[name] = publisher.ticker.seq
        elif channel.kind == "auctions":
            found[name] = publisher.auctions.seq
        elif channel.kind == "phases":
            found[name] = publisher.status.seq
    return found
