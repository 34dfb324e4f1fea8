"""Public channels: books, ticker, trades. Conflated: each flush publishes what is different now from what was published last.

A frame is encoded once and shared by all subscribers. Who lags is left out and gets a snapshot when it reads again, so a book is always either
right or known to be old.
"""

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from msgspec import UNSET, UnsetType

from exchange.gateway.conflated import ConflatedChannel
from exchange.gateway.fan_out import FanOut
from exchange.gateway.outbox import Outbox
from exchange.gateway.ports import ExchangeView
from exchange.protocol.checksum import CHECKSUM_LEVELS, book_checksum
from exchange.protocol.decimals import format_decimal
from exchange.protocol.documents import InstrumentSpec
from exchange.protocol.encoding import SharedNotification
from exchange.protocol.messages import DEFAULT_DEPTH, FULL_DEPTH, BookDelta, BookSnapshot, Level, PublicTrade, Quote, Ticker, Trades
from matching.records import LEVEL_VIEW, Side

ALL_SYMBOLS: Final = "*"
_FULL_AT_FIRST: Final = 256  # levels a read of a whole side begins with

# Plain integers: handing an enum member to a compiled function costs more than the function.
_BUY: Final = int(Side.BUY)
_SELL: Final = int(Side.SELL)

assert LEVEL_VIEW.names is not None
assert LEVEL_VIEW.names[:3] == ("quantity_lots", "orders", "price_ticks")

_Levels = dict[int, tuple[int, int]]  # price_ticks -> (quantity_lots, orders)


@dataclass(slots=True)
class _Book:
    """One book at one depth (0: all of it) as its subscribers know it."""

    spec: InstrumentSpec
    depth: int
    has_checksum: bool
    seq: int = -1
    bids: _Levels = field(default_factory=dict)
    asks: _Levels = field(default_factory=dict)
    subscribers: set[Outbox] = field(default_factory=set)
    owed_snapshot: set[Outbox] = field(default_factory=set)


class BookChannels:
    """Books somebody has subscribed to, each depth for itself."""

    def __init__(
        self, exchange: ExchangeView, epoch: Callable[[], int], levels: int = DEFAULT_DEPTH, sent: Callable[[], None] = lambda: None
    ) -> None:
        """`sent` is called when a delta that took several rounds of the loop has left."""
        self._fan_out = FanOut(sent)
        self._exchange = exchange
        self._epoch = epoch
        self._levels = levels
        self._books: dict[str, list[_Book]] = {}
        self._dirty: set[str] = set()

    @property
    def pending(self) -> bool:
        """Whether a flush has something to do."""
        return bool(self._dirty) or any(book.owed_snapshot for books in self._books.values() for book in books)

    @property
    def is_sending(self) -> bool:
        """Whether the last flush is still on its way to some."""
        return self._fan_out.is_busy

    def touch(self, symbol: str) -> None:
        """The book of a symbol may have changed."""
        if symbol in self._books:
            self._dirty.add(symbol)

    def subscribe(self, spec: InstrumentSpec, outbox: Outbox, depth: int | None = None, *, checksum: bool = False) -> None:
        """A connection reads a depth with or without checksums; subscribing again changes that."""
        depth = self._levels if depth is None else depth
        self.unsubscribe(spec.symbol, outbox, depth)
        books = self._books.setdefault(spec.symbol, [])
        book = next((known for known in books if known.depth == depth and known.has_checksum is checksum), None)
        if book is None:
            book = _Book(spec, depth, checksum)
            books.append(book)
            self._read(book)
        book.subscribers.add(outbox)
        book.owed_snapshot.add(outbox)
        self._pay_snapshots(book)

    def unsubscribe(self, symbol: str, outbox: Outbox, depth: int | None = None) -> None:
        self._fan_out.finish()
        depth = self._levels if depth is None else depth
        books = self._books.get(symbol, [])
        for book in [known for known in books if known.depth == depth]:
            book.subscribers.discard(outbox)
            book.owed_snapshot.discard(outbox)
            if not book.subscribers:
                books.remove(book)
        if not books:
            self._books.pop(symbol, None)
            self._dirty.discard(symbol)

    def seq(self, symbol: str, depth: int | None = None) -> int:
        """Sequence of the last frame of a subscribed book."""
        depth = self._levels if depth is None else depth
        return next(book.seq for book in self._books[symbol] if book.depth == depth)

    def flush(self) -> None:
        """Publish deltas of the books that changed, and the snapshots that are owed. What the last one left behind leaves before."""
        self._fan_out.finish()
        dirty, self._dirty = self._dirty, set()
        for symbol in sorted(dirty):
            for book in self._books[symbol]:
                self._publish_delta(book)
        for books in self._books.values():
            for book in books:
                if book.owed_snapshot:
                    self._fan_out.finish()
                    self._pay_snapshots(book)

    def _publish_delta(self, book: _Book) -> None:
        before_bids, before_asks, before_seq = book.bids, book.asks, book.seq
        self._read(book)
        bids, asks = _changes(before_bids, book.bids, book.spec), _changes(before_asks, book.asks, book.spec)
        if not bids and not asks:
            book.seq = before_seq
            return
        delta = BookDelta(
            instrument=book.spec.symbol, seq=book.seq, prev_seq=before_seq, bids=bids, asks=asks, depth=book.depth, checksum=_checksum(book)
        )
        frame = SharedNotification("book.delta", delta)
        self._fan_out.send(frame, book.subscribers - book.owed_snapshot, book.owed_snapshot)

    def _pay_snapshots(self, book: _Book) -> None:
        if all(outbox.lags for outbox in book.owed_snapshot):
            return
        snapshot = BookSnapshot(
            instrument=book.spec.symbol, seq=book.seq, epoch=self._epoch(), bids=as_told(book.bids, book.spec), asks=as_told(book.asks, book.spec),
            depth=book.depth, checksum=_checksum(book),
        )  # fmt: skip
        frame = SharedNotification("book.snapshot", snapshot)
        book.owed_snapshot = {outbox for outbox in book.owed_snapshot if not outbox.put_public(frame.encoded(outbox.encoding))}

    def _read(self, book: _Book) -> None:
        symbol = book.spec.symbol
        book.seq = self._exchange.book_seq(symbol)
        book.bids = read_levels(self._exchange, symbol, _BUY, book.depth)
        book.asks = read_levels(self._exchange, symbol, _SELL, book.depth)


def read_levels(exchange: ExchangeView, symbol: str, side: int, depth: int) -> _Levels:
    """The best `depth` levels of one side, best first; 0: all."""
    if depth != FULL_DEPTH:
        return _as_levels(exchange.depth(symbol, side, depth))
    count = _FULL_AT_FIRST
    while len(levels := exchange.depth(symbol, side, count)) == count:
        count *= 4
    return _as_levels(levels)


def _checksum(book: _Book) -> int | UnsetType:
    if not book.has_checksum:
        return UNSET
    return book_checksum(as_told(_best(book.bids), book.spec), as_told(_best(book.asks), book.spec))


def _best(levels: _Levels) -> _Levels:
    return dict(itertools.islice(levels.items(), CHECKSUM_LEVELS))


def _as_levels(depth: Any) -> _Levels:
    return {price: (quantity, orders) for quantity, orders, price, *_ in depth.tolist()}


def as_told(levels: _Levels, spec: InstrumentSpec) -> list[Level]:
    """Levels in decimal strings."""
    return [
        Level(format_decimal(price, spec.price_decimals), format_decimal(quantity, spec.quantity_decimals), orders)
        for price, (quantity, orders) in levels.items()
    ]


def _changes(before: _Levels, now: _Levels, spec: InstrumentSpec) -> list[Level]:
    """Levels that are new or different, and with quantity zero those that are gone (also those that left the published depth)."""
    changed = {price: level for price, level in now.items() if before.get(price) != level}
    gone = {price: (0, 0) for price in before if price not in now}
    return as_told(changed | gone, spec)


class TickerChannel(ConflatedChannel[Quote]):
    """Best prices of all instruments."""

    def _frame(self, values: list[Quote], seq: int, prev_seq: int | UnsetType, epoch: int | UnsetType) -> SharedNotification:
        return SharedNotification("ticker", Ticker(quotes=values, seq=seq, prev_seq=prev_seq, epoch=epoch))

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
    frame = SharedNotification("trade", Trades(trades=trades))
    for outbox in outboxes:
        outbox.put_public(frame.encoded(outbox.encoding))
