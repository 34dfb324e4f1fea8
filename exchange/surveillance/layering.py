"""Layering and spoofing (虚假申报): orders on one side, taken back once the other side was filled. docs/rules.md, "Surveillance", rule layering."""

from collections import deque
from collections.abc import Iterator

from exchange.surveillance.events import Cancelled, EventId, Finding, Trade
from exchange.surveillance.parameters import Layering, named
from matching.records import Side

_Key = tuple[int, int, int]  # instrument, account, side


class LayeringRule:
    """State: fills and cancels of every account by side within the window."""

    def __init__(self, parameters: Layering) -> None:
        self._parameters = parameters
        self._fills: dict[_Key, deque[tuple[int, EventId, int]]] = {}
        self._cancels: dict[_Key, deque[Cancelled]] = {}

    def on_trade(self, trade: Trade) -> None:
        for account, side in ((trade.buyer, Side.BUY), (trade.seller, Side.SELL)):
            fills = self._fills.setdefault((trade.instrument, account, int(side)), deque())
            fills.append((trade.stamp_ns, trade.id, trade.lots))
            while fills[0][0] <= trade.stamp_ns - self._parameters.window_ns:
                fills.popleft()

    def on_cancel(self, cancelled: Cancelled) -> Iterator[Finding]:
        """Counts what had rested before the other side was filled: later orders cannot have lured anybody."""
        fills = self._fills.get((cancelled.instrument, cancelled.account, 1 - cancelled.side))
        since_ns = cancelled.stamp_ns - self._parameters.window_ns
        recent = [fill for fill in fills or () if fill[0] > since_ns]
        if not recent or cancelled.rested_ns > recent[0][0]:
            return
        cancels = self._cancels.setdefault((cancelled.instrument, cancelled.account, cancelled.side), deque())
        cancels.append(cancelled)
        while cancels[0].stamp_ns <= since_ns:
            cancels.popleft()
        filled_lots = sum(lots for _, _, lots in recent)
        cancelled_lots = sum(order.lots for order in cancels)
        if len(cancels) >= self._parameters.min_orders and cancelled_lots >= self._parameters.multiple * filled_lots:
            evidence = {"cancelled_orders": len(cancels), "cancelled_lots": cancelled_lots, "filled_lots": filled_lots, "side": cancelled.side}
            events = [event for _, event, _ in recent] + [order.id for order in cancels]
            yield Finding("layering", cancelled.stamp_ns, cancelled.instrument, [cancelled.account], events, evidence, named(self._parameters))

    def forget(self, instrument: int) -> None:
        """An instrument trades no more."""
        self._fills = {key: fills for key, fills in self._fills.items() if key[0] != instrument}
        self._cancels = {key: cancels for key, cancels in self._cancels.items() if key[0] != instrument}
