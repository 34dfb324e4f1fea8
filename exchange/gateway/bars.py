"""Bars of the trades that this gateway has seen, and their channels. What was before it began is the read model's to tell.

Bars count the trades of books and of their call auctions; block trades and one-way auctions are negotiated elsewhere and make no price here.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exchange.gateway.outbox import Outbox
from exchange.gateway.ports import ExchangeView
from exchange.order_path.records import ExecutionKind
from exchange.protocol.decimals import format_decimal
from exchange.protocol.documents import InstrumentSpec
from exchange.protocol.encoding import SharedNotification
from exchange.protocol.messages import Bar, BarsDelta, BarsSnapshot
from exchange.units import NS_PER_HOUR, NS_PER_MINUTE, divide_half_even

INTERVALS_NS: Final = {"1m": NS_PER_MINUTE, "5m": 5 * NS_PER_MINUTE, "15m": 15 * NS_PER_MINUTE, "1h": NS_PER_HOUR, "1d": 24 * NS_PER_HOUR}
# Days are those of China, eight hours ahead of UTC; all shorter intervals divide them.
_DAY_BEGINS_NS: Final = -8 * NS_PER_HOUR
_FOLDED_TOGETHER: Final = 4_096  # trades that wait at most for somebody to ask
_KEPT_MINUTES: Final = 1_500  # of each instrument: a day and an hour
_TOLD_AT_FIRST: Final = 100
_VWAP_EXTRA_DECIMALS: Final = 2
_INT64_MAX: Final = 2**63 - 1
_TRADE: Final = int(ExecutionKind.TRADE)
_COLUMNS: Final = ("instrument", "stamp_ns", "price_ticks", "quantity_lots")


@dataclass(slots=True)
class Candle:
    """Trades of one interval. `notional` is the sum of price in ticks times lots."""

    start_ns: int
    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    volume_lots: int = 0
    notional: int = 0
    trades: int = 0

    def add(self, later: "Candle") -> None:
        """Take in what came after it."""
        self.high_ticks, self.low_ticks = max(self.high_ticks, later.high_ticks), min(self.low_ticks, later.low_ticks)
        self.close_ticks = later.close_ticks
        self.volume_lots += later.volume_lots
        self.notional += later.notional
        self.trades += later.trades


def candles_of(
    instruments: NDArray[np.int64], stamps_ns: NDArray[np.int64], prices_ticks: NDArray[np.int64], quantities_lots: NDArray[np.int64]
) -> Iterator[tuple[int, Candle]]:
    """Trades in the order of time, all int64[n], to candles of a minute each: (instrument id, candle), of one instrument in the order of time."""
    starts_ns = stamps_ns - (stamps_ns - _DAY_BEGINS_NS) % NS_PER_MINUTE
    order = np.lexsort((starts_ns, instruments))  # stable: the order of time stays within a minute
    instruments, starts_ns, prices, lots = instruments[order], starts_ns[order], prices_ticks[order], quantities_lots[order]
    is_first = np.ones(len(order), bool)
    is_first[1:] = (instruments[1:] != instruments[:-1]) | (starts_ns[1:] != starts_ns[:-1])
    firsts = np.flatnonzero(is_first)
    ends = np.append(firsts[1:], len(order))
    # A sum of products that may not fit into 64 bits is made of Python's integers.
    fits = int(prices.max()) * int(lots.max()) <= _INT64_MAX // len(order) and int(prices.min()) >= -int(prices.max())
    products = prices * lots if fits else prices.astype(object) * lots
    columns = (
        instruments[firsts], starts_ns[firsts], prices[firsts], np.maximum.reduceat(prices, firsts), np.minimum.reduceat(prices, firsts),
        prices[ends - 1], np.add.reduceat(lots, firsts), np.add.reduceat(products, firsts), ends - firsts,
    )  # fmt: skip
    for instrument, *candle in zip(*(column.tolist() for column in columns), strict=True):
        yield instrument, Candle(*candle)


def interval_start_ns(at_ns: int, interval: str) -> int:
    """Start of the interval that a time lies in."""
    return at_ns - (at_ns - _DAY_BEGINS_NS) % INTERVALS_NS[interval]


def merged(candles: Iterable[Candle], interval: str) -> list[Candle]:
    """Candles of an interval from shorter ones in the order of time."""
    found: list[Candle] = []
    for candle in candles:
        start_ns = interval_start_ns(candle.start_ns, interval)
        if found and found[-1].start_ns == start_ns:
            found[-1].add(candle)
        else:
            found.append(
                Candle(start_ns, candle.open_ticks, candle.high_ticks, candle.low_ticks, candle.close_ticks, candle.volume_lots, candle.notional,
                       candle.trades)
            )  # fmt: skip
    return found


def bar_of(candle: Candle, spec: InstrumentSpec, *, partial: bool = False) -> Bar:
    """A candle in decimal strings."""
    open_, high, low, close = (
        format_decimal(ticks, spec.price_decimals) for ticks in (candle.open_ticks, candle.high_ticks, candle.low_ticks, candle.close_ticks)
    )
    vwap = divide_half_even(candle.notional * 10**_VWAP_EXTRA_DECIMALS, candle.volume_lots)
    return Bar(
        start_ns=candle.start_ns, open=open_, high=high, low=low, close=close, volume=format_decimal(candle.volume_lots, spec.quantity_decimals),
        vwap=format_decimal(vwap, spec.price_decimals + _VWAP_EXTRA_DECIMALS), trades=candle.trades, partial=partial,
    )  # fmt: skip


@dataclass(slots=True)
class _Channel:
    """One instrument at one interval. `told` are the bars as its subscribers know them, from the first that may still change."""

    spec: InstrumentSpec
    interval: str
    seq: int = 0
    told: dict[int, Bar] = field(default_factory=dict)
    subscribers: set[Outbox] = field(default_factory=set)
    owed_snapshot: set[Outbox] = field(default_factory=set)


class BarChannels:
    """Minutes of all instruments, and the channels made of them. `since_ns` is the market time at which this gateway began."""

    def __init__(self, exchange: ExchangeView, epoch: Callable[[], int], since_ns: int) -> None:
        self._exchange = exchange
        self._epoch = epoch
        self.since_ns = since_ns
        self._minutes: dict[str, OrderedDict[int, Candle]] = {}
        self._channels: dict[tuple[str, str], _Channel] = {}
        self._dirty: set[tuple[str, str]] = set()
        self._unfolded: list[tuple[NDArray[np.int64], ...]] = []  # columns of _COLUMNS
        self._n_unfolded = 0

    @property
    def pending(self) -> bool:
        return bool(self._dirty) or any(channel.owed_snapshot for channel in self._channels.values())

    def note(self, executions: NDArray[np.void]) -> None:
        """EXECUTION rows, in the order of time. Their trades are added up when somebody wants to know, or when they are many."""
        is_trade = executions["kind"] == _TRADE
        n_trades = int(np.count_nonzero(is_trade))
        if n_trades:
            self._unfolded.append(tuple(executions[name][is_trade].astype(np.int64) for name in _COLUMNS))
            self._n_unfolded += n_trades
            if self._channels or self._n_unfolded >= _FOLDED_TOGETHER:
                self._fold()

    def _fold(self) -> None:
        unfolded, self._unfolded, self._n_unfolded = self._unfolded, [], 0
        if unfolded:
            for instrument, candle in candles_of(*(np.concatenate(parts) for parts in zip(*unfolded, strict=True))):
                self._take_in(self._exchange.instrument_by_id(instrument).spec.symbol, candle)

    def _take_in(self, symbol: str, candle: Candle) -> None:
        """A candle of a minute, in the order of time."""
        minutes = self._minutes.setdefault(symbol, OrderedDict())
        known = minutes.get(candle.start_ns)
        if known is None:
            minutes[candle.start_ns] = candle
            if len(minutes) > _KEPT_MINUTES:
                minutes.popitem(last=False)
        else:
            known.add(candle)
        self._dirty.update(key for key in self._channels if key[0] == symbol)

    def bars(self, spec: InstrumentSpec, interval: str) -> list[Bar]:
        """All that is kept, oldest first."""
        self._fold()
        candles = merged(self._minutes.get(spec.symbol, OrderedDict()).values(), interval)
        return [bar_of(candle, spec, partial=candle.start_ns < self.since_ns) for candle in candles]

    def subscribe(self, spec: InstrumentSpec, interval: str, outbox: Outbox) -> None:
        key = spec.symbol, interval
        channel = self._channels.get(key)
        if channel is None:
            channel = self._channels[key] = _Channel(spec, interval)
            channel.told = {bar.start_ns: bar for bar in self.bars(spec, interval)}
        channel.subscribers.add(outbox)
        channel.owed_snapshot.add(outbox)
        self._pay_snapshots(channel)

    def unsubscribe(self, symbol: str, interval: str, outbox: Outbox) -> None:
        channel = self._channels.get((symbol, interval))
        if channel is None:
            return
        channel.subscribers.discard(outbox)
        channel.owed_snapshot.discard(outbox)
        if not channel.subscribers:
            del self._channels[symbol, interval]
            self._dirty.discard((symbol, interval))

    def seq(self, symbol: str, interval: str) -> int:
        return self._channels[symbol, interval].seq

    def flush(self) -> None:
        dirty, self._dirty = self._dirty, set()
        for key in sorted(dirty):
            self._publish_delta(self._channels[key])
        for channel in self._channels.values():
            if channel.owed_snapshot:
                self._pay_snapshots(channel)

    def _publish_delta(self, channel: _Channel) -> None:
        bars = {bar.start_ns: bar for bar in self.bars(channel.spec, channel.interval)}
        changed = [bar for start_ns, bar in bars.items() if channel.told.get(start_ns) != bar]
        channel.told = bars
        if not changed:
            return
        channel.seq += 1
        delta = BarsDelta(
            instrument=channel.spec.symbol, interval=channel.interval, seq=channel.seq, prev_seq=channel.seq - 1, bars=changed
        )
        frame = SharedNotification("bars.delta", delta)
        for outbox in channel.subscribers:
            if outbox not in channel.owed_snapshot and not outbox.put_public(frame.encoded(outbox.encoding)):
                channel.owed_snapshot.add(outbox)

    def _pay_snapshots(self, channel: _Channel) -> None:
        if all(outbox.lags for outbox in channel.owed_snapshot):
            return
        snapshot = BarsSnapshot(
            instrument=channel.spec.symbol, interval=channel.interval, seq=channel.seq, epoch=self._epoch(), since_ns=self.since_ns,
            bars=list(channel.told.values())[-_TOLD_AT_FIRST:],
        )  # fmt: skip
        frame = SharedNotification("bars.snapshot", snapshot)
        channel.owed_snapshot = {outbox for outbox in channel.owed_snapshot if not outbox.put_public(frame.encoded(outbox.encoding))}
