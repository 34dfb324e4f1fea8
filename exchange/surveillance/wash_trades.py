"""Wash trades (对敲, 自买自卖): trades that change nobody's position. docs/rules.md, "Surveillance", rules wash_trade_owner and wash_trade_pair."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from exchange.surveillance.events import EventId, Finding, Owners, Trade
from exchange.surveillance.parameters import WashTrades, named

_EVENTS_MAX: Final = 100


@dataclass(slots=True)
class _Pair:
    """Trades of one pair within the window with their sums. Lots are positive where the lower account bought."""

    trades: deque[tuple[int, EventId, int]] = field(default_factory=deque)
    gross_lots: int = 0
    net_lots: int = 0

    def add(self, stamp_ns: int, event: EventId, lots: int) -> None:
        self.trades.append((stamp_ns, event, lots))
        self.gross_lots += abs(lots)
        self.net_lots += lots

    def forget_until(self, time_ns: int) -> None:
        while self.trades and self.trades[0][0] <= time_ns:
            lots = self.trades.popleft()[2]
            self.gross_lots -= abs(lots)
            self.net_lots -= lots


class WashTradeRule:
    """State: the trades of every pair of accounts within the window."""

    def __init__(self, parameters: WashTrades, owners: Owners) -> None:
        self._parameters, self._owners = parameters, owners
        self._pairs: dict[tuple[int, int, int], _Pair] = {}

    def on_trade(self, trade: Trade) -> Iterator[Finding]:
        if self._owners.of(trade.buyer) == self._owners.of(trade.seller):
            evidence = {"lots": trade.lots, "price_ticks": trade.price_ticks, "beneficial_owner": self._owners.of(trade.buyer)}
            yield Finding("wash_trade_owner", trade.stamp_ns, trade.instrument, sorted({trade.buyer, trade.seller}), [trade.id], evidence, {})
            return
        low, high = sorted((trade.buyer, trade.seller))
        pair = self._pairs.setdefault((trade.instrument, low, high), _Pair())
        pair.add(trade.stamp_ns, trade.id, trade.lots if trade.buyer == low else -trade.lots)
        pair.forget_until(trade.stamp_ns - self._parameters.window_ns)
        both_ways = abs(pair.net_lots) != pair.gross_lots
        is_little = abs(pair.net_lots) * 1_000_000 <= pair.gross_lots * self._parameters.net_ppm
        if both_ways and is_little and len(pair.trades) >= self._parameters.min_trades:
            evidence = {"trades": len(pair.trades), "gross_lots": pair.gross_lots, "net_lots": abs(pair.net_lots)}
            events = [event for _, event, _ in pair.trades][-_EVENTS_MAX:]
            yield Finding("wash_trade_pair", trade.stamp_ns, trade.instrument, [low, high], events, evidence, named(self._parameters))

    def forget(self, instrument: int) -> None:
        """An instrument trades no more."""
        for pair in [pair for pair in self._pairs if pair[0] == instrument]:
            del self._pairs[pair]
