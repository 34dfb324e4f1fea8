"""ZIP traders: zero intelligence plus a learnt profit margin.

Source: D. Cliff, "Minimal-intelligence agents for bargaining behaviors in market-based environments", HP Laboratories report HPL-97-91 (1997),
section 4: each trader quotes p = limit * (1 + margin); after a shout at price q it moves its margin towards the target R * q + A by the
Widrow-Hoff rule with momentum. Here the shouts of a turn are the trades since the last turn and the best unaccepted quotes.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from clients.bots.actions import Place
from clients.bots.balancing import Balancing
from clients.bots.market import Contract, MarketView, Side
from clients.bots.pricing import ladder
from clients.bots.private import ZipData

Kind = Literal["bid", "offer"]


@dataclass(slots=True)
class Margin:
    """Profit margin of one contract and side: at least 0 for a seller, -1 to 0 for a buyer; `momentum` is the last change."""

    side: Side
    limit_ticks: int
    value: float
    momentum: float = 0.0

    @property
    def price(self) -> float:
        return self.limit_ticks * (1 + self.value)

    def move_towards(self, target: float, beta: float, gamma: float) -> None:
        """Widrow-Hoff with momentum (Cliff's equations 8 to 10), kept in the range that never loses money."""
        if self.limit_ticks <= 0:
            return
        delta = beta * (target - self.price)
        self.momentum = gamma * self.momentum + (1 - gamma) * delta
        value = (self.price + self.momentum) / self.limit_ticks - 1
        self.value = max(0.0, value) if self.side == "sell" else min(0.0, max(-1.0, value))


class Zip(Balancing):
    """Learning rate, momentum and margins are drawn once a trader, as in Cliff's experiments."""

    CHANNELS = ("ticker", "trades:*")
    data: ZipData

    def __init__(self, data: ZipData, rng: np.random.Generator, label: int = 0) -> None:
        super().__init__(data, rng, label)
        self._beta = float(rng.uniform(0.1, 0.5))
        self._gamma = float(rng.uniform(0.2, 0.8))
        self._margins: dict[tuple[str, Side], Margin] = {}

    def prices(self, view: MarketView, contract: Contract, side: Side, quantity_lots: int, limit_ticks: int) -> list[Place]:
        margin = self._margin(contract, side, limit_ticks)
        self._learn(view, contract, margin)
        price = int(margin.price)
        # int() rounds down, which is caution for a buyer and a loss for a seller.
        price = min(price, limit_ticks) if side == "buy" else max(price, limit_ticks)
        spread = max(1, int(0.02 * limit_ticks))
        behind = price - spread if side == "buy" else price + spread
        return ladder(contract, side, quantity_lots, price, behind, self.data.activity.levels, self.label)

    def _margin(self, contract: Contract, side: Side, limit_ticks: int) -> Margin:
        key = (contract.symbol, side)
        if key not in self._margins:
            start = float(self.rng.uniform(0.05, 0.35))
            self._margins[key] = Margin(side, limit_ticks, start if side == "sell" else -start)
        return self._margins[key]

    def _learn(self, view: MarketView, contract: Contract, margin: Margin) -> None:
        for trade in view.trades.get(contract.symbol, []):
            kind: Kind = "bid" if trade.taker == "buy" else "offer"
            if trade.taker is None:
                # An auction trades bids and offers at once: who could not have traded at its price hears the side that he did not meet.
                kind = "bid" if margin.side == "sell" else "offer"
            self.hear(margin, trade.price_ticks, kind, accepted=True)
        quote = view.quote(contract.symbol)
        if quote.bid_ticks is not None:
            self.hear(margin, quote.bid_ticks, "bid", accepted=False)
        if quote.ask_ticks is not None:
            self.hear(margin, quote.ask_ticks, "offer", accepted=False)

    def hear(self, margin: Margin, shout_ticks: int, kind: Kind, *, accepted: bool) -> None:
        """Cliff's table of when to raise and when to lower the margin. Reads nothing but the shout; changes `margin` in place."""
        price = margin.price
        seller = margin.side == "sell"
        if accepted:
            more_profit = price <= shout_ticks if seller else price >= shout_ticks
            if more_profit:
                self._move(margin, shout_ticks, up=seller)
            elif kind == ("bid" if seller else "offer"):
                self._move(margin, shout_ticks, up=not seller)
        elif kind == ("offer" if seller else "bid"):
            undercut = price >= shout_ticks if seller else price <= shout_ticks
            if undercut:
                self._move(margin, shout_ticks, up=not seller)

    def _move(self, margin: Margin, shout_ticks: int, *, up: bool) -> None:
        relative = float(self.rng.uniform(1.0, 1.05) if up else self.rng.uniform(0.95, 1.0))
        absolute = float(self.rng.uniform(0.0, 5.0) if up else self.rng.uniform(-5.0, 0.0))
        margin.move_towards(relative * shout_ticks + absolute, self._beta, self._gamma)
