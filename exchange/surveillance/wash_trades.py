"""Wash trades (对敲, 自买自卖): trades that change nobody's position. docs/rules.md, "Surveillance", rules wash_trade_owner and wash_trade_pair."""

from collections import deque
from collections.abc import Iterator
from typing import Final

from exchange.surveillance.events import EventId, Finding, Owners, Trade
from exchange.surveillance.parameters import WashTrades, named

_EVENTS_MAX: Final = 100


class WashTradeRule:
    """State: the trades of every pair of accounts within the window."""

    def __init__(self, parameters: WashTrades, owners: Owners) -> None:
        self._parameters, self._owners = parameters, owners
        self._pairs: dict[tuple[int, int, int], deque[tuple[int, EventId, int]]] = {}

    def on_trade(self, trade: Trade) -> Iterator[Finding]:
        if self._owners.of(trade.buyer) == self._owners.of(trade.seller):
            evidence = {"lots": trade.lots, "price_ticks": trade.price_ticks, "beneficial_owner": self._owners.of(trade.buyer)}
            yield Finding("wash_trade_owner", trade.stamp_ns, trade.instrument, sorted({trade.buyer, trade.seller}), [trade.id], evidence, {})
            return
        low, high = sorted((trade.buyer, trade.seller))
        trades = self._pairs.setdefault((trade.instrument, low, high), deque())
        trades.append((trade.stamp_ns, trade.id, trade.lots if trade.buyer == low else -trade.lots))
        while trades[0][0] <= trade.stamp_ns - self._parameters.window_ns:
            trades.popleft()
        gross_lots = sum(abs(lots) for _, _, lots in trades)
        net_lots = abs(sum(lots for _, _, lots in trades))
        both_ways = any(lots > 0 for _, _, lots in trades) and any(lots < 0 for _, _, lots in trades)
        if both_ways and len(trades) >= self._parameters.min_trades and net_lots * 1_000_000 <= gross_lots * self._parameters.net_ppm:
            evidence = {"trades": len(trades), "gross_lots": gross_lots, "net_lots": net_lots}
            events = [event for _, event, _ in trades][-_EVENTS_MAX:]
            yield Finding("wash_trade_pair", trade.stamp_ns, trade.instrument, [low, high], events, evidence, named(self._parameters))

    def forget(self, instrument: int) -> None:
        """An instrument trades no more."""
        for pair in [pair for pair in self._pairs if pair[0] == instrument]:
            del self._pairs[pair]
