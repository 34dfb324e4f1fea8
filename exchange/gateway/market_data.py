"""Public channels: books, ticker, trades. Conflated: each flush publishes what is different now from what was published last.

A frame is encoded once and shared by all subscribers. Who lags is left out and gets a snapshot when it reads again, so a book is always either
right or known to be old.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from exchange.gateway.conflated import ConflatedChannel
from exchange.gateway.outbox import Outbox
from exchange.gateway.ports import ExchangeView
from exchange.protocol.codec import encode_notification
from exchange.protocol.decimals import format_decimal
from exchange.protocol.documents import InstrumentSpec
from exchange.protocol.messages import BookDelta, BookSnapshot, Level, PublicTrade, Quote, Ticker, Trades
from matching.records import LEVEL_VIEW, Side

ALL_SYMBOLS: Final = "*"

# Plain integers: handing an enum member to a compiled function costs more than the function.
_BUY: Final = int(Side.BUY)
_SELL: Final = int(Side.SELL)

assert LEVEL_VIEW.names is not None
assert LEVEL_VIEW.names[:3] == ("quantity_lots", "orders", "price_ticks")

_Levels = dict[int, tuple[int, int]]  # price_ticks -> (quantity_lots, orders)


@dataclass(slots=True)
class _Book:
    """One book as its subscribers know it."""

    spec: InstrumentSpec
    seq: int = -1
    bids: _Levels = field(default_factory=dict)
    asks: _Levels = field(default_factory=dict)
    subscribers: set[Outbox] = field(default_factory=set)
    owed_snapshot: set[Outbox] = field(default_factory=set)


class BookChannels:
    """Books somebody has subscribed to."""

    def __init__(self, exchange: ExchangeView, epoch: Callable[[], int], levels: int) -> None:
        self._exchange = exchange
        self._epoch = epoch
        self._levels = levels
        self._books: dict[str, _Book] = {}
        self._dirty: set[str] = set()

    @property
    def pending(self) -> bool:
        """Whether a flush has something to do."""
        return bool(self._dirty) or any(book.owed_snapshot for book in self._books.values())

    def touch(self, symbol: str) -> None:
        """The book of a symbol may have changed."""
        if symbol in self._books:
            self._dirty.add(symbol)

    def subscribe(self, spec: InstrumentSpec, outbox: Outbox) -> None:
        book = self._books.get(spec.symbol)
        if book is None:
            book = self._books[spec.symbol] = _Book(spec)
            self._read(book)
        book.subscribers.add(outbox)
        book.owed_snapshot.add(outbox)
        self._pay_snapshots(book)

    def unsubscribe(self, symbol: str, outbox: Outbox) -> None:
        book = self._books.get(symbol)
        if book is None:
            return
        book.subscribers.discard(outbox)
        book.owed_snapshot.discard(outbox)
        if not book.subscribers:
            del self._books[symbol]
            self._dirty.discard(symbol)

    def seq(self, symbol: str) -> int:
        """Sequence of the last frame of a subscribed book."""
        return self._books[symbol].seq

    def flush(self) -> None:
        """Publish deltas of the books that changed, and the snapshots that are owed."""
        dirty, self._dirty = self._dirty, set()
        for symbol in sorted(dirty):
            self._publish_delta(self._books[symbol])
        for book in self._books.values():
            if book.owed_snapshot:
                self._pay_snapshots(book)

    def _publish_delta(self, book: _Book) -> None:
        before_bids, before_asks, before_seq = book.bids, book.asks, book.seq
        self._read(book)
        bids, asks = _changes(before_bids, book.bids, book.spec), _changes(before_asks, book.asks, book.spec)
        if not bids and not asks:
            book.seq = before_seq
            return
        delta = BookDelta(instrument=book.spec.symbol, seq=book.seq, prev_seq=before_seq, bids=bids, asks=asks)
        frame = encode_notification("book.delta", delta)
        for outbox in book.subscribers:
            if outbox not in book.owed_snapshot and not outbox.put_public(frame):
                book.owed_snapshot.add(outbox)

    def _pay_snapshots(self, book: _Book) -> None:
        if all(outbox.lags for outbox in book.owed_snapshot):
            return
        snapshot = BookSnapshot(
            instrument=book.spec.symbol, seq=book.seq, epoch=self._epoch(), bids=_levels(book.bids, book.spec), asks=_levels(book.asks, book.spec)
        )
        frame = encode_notification("book.snapshot", snapshot)
        book.owed_snapshot = {outbox for outbox in book.owed_snapshot if not outbox.put_public(frame)}

    def _read(self, book: _Book) -> None:
        symbol = book.spec.symbol
        book.seq = self._exchange.book_seq(symbol)
        book.bids = _as_levels(self._exchange.depth(symbol, _BUY, self._levels))
        book.asks = _as_levels(self._exchange.depth(symbol, _SELL, self._levels))


def _as_levels(depth: Any) -> _Levels:
    return {price: (quantity, orders) for quantity, orders, price, *_ in depth.tolist()}


def _levels(levels: _Levels, spec: InstrumentSpec) -> list[Level]:
    return [
        Level(format_decimal(price, spec.price_decimals), format_decimal(quantity, spec.quantity_decimals), orders)
        for price, (quantity, orders) in levels.items()
    ]


def _changes(before: _Levels, now: _Levels, spec: InstrumentSpec) -> list[Level]:
    """Levels that are new or different, and with quantity zero those that are gone (also those that left the published depth)."""
    changed = {price: level for price, level in now.items() if before.get(price) != level}
    gone = {price: (0, 0) for price in before if price not in now}
    return _levels(changed | gone, spec)


class TickerChannel(ConflatedChannel[Quote]):
    """Best prices of all instruments."""

    def _frame(self, values: list[Quote]) -> bytes:
        return encode_notification("ticker", Ticker(quotes=values))

    def _read(self, symbol: str) -> Quote | None:
        instrument = self._exchange.instrument(symbol)
        if instrument is None:
            return None
        bid, bid_quantity = self._top(instrument.spec, _BUY)
        ask, ask_quantity = self._top(instrument.spec, _SELL)
        last_ticks = self._exchange.last_price(symbol)
        last = None if last_ticks is None else format_decimal(last_ticks, instrument.spec.price_decimals)
        return Quote(symbol, bid, bid_quantity, ask, ask_quantity, last)

    def _top(self, spec: InstrumentSpec, side: int) -> tuple[str | None, str | None]:
        depth = self._exchange.depth(spec.symbol, side, 1)
        if len(depth) == 0:
            return None, None
        quantity, _, price, *_ = depth[0].item()
        return format_decimal(price, spec.price_decimals), format_decimal(quantity, spec.quantity_decimals)


class TradeChannels:
    """Public trades, one frame a flush. Who lags misses some: their numbers show the gap, and REST has the history."""

    def __init__(self) -> None:
        self._waiting: list[PublicTrade] = []
        self._subscribers: dict[str, set[Outbox]] = {}

    @property
    def pending(self) -> bool:
        return bool(self._waiting)

    @property
    def is_followed(self) -> bool:
        """Whether anybody has subscribed to trades."""
        return bool(self._subscribers)

    def add(self, trade: PublicTrade) -> None:
        self._waiting.append(trade)

    def subscribe(self, symbol: str, outbox: Outbox) -> None:
        """`symbol` may be ALL_SYMBOLS."""
        self._subscribers.setdefault(symbol, set()).add(outbox)

    def unsubscribe(self, symbol: str, outbox: Outbox) -> None:
        outboxes = self._subscribers.get(symbol)
        if outboxes is not None:
            outboxes.discard(outbox)
            if not outboxes:
                del self._subscribers[symbol]

    def flush(self) -> None:
        trades, self._waiting = self._waiting, []
        if not trades or not self._subscribers:
            return
        _share(trades, self._subscribers.get(ALL_SYMBOLS, ()))
        by_symbol: dict[str, list[PublicTrade]] = {}
        for trade in trades:
            if trade.instrument in self._subscribers:
                by_symbol.setdefault(trade.instrument, []).append(trade)
        for symbol, own in by_symbol.items():
            _share(own, self._subscribers[symbol])


def _share(trades: list[PublicTrade], outboxes: Iterable[Outbox]) -> None:
    frame = encode_notification("trade", Trades(trades=trades)) if outboxes else b""
    for outbox in outboxes:
        outbox.put_public(frame)
