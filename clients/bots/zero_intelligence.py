"""Zero-intelligence constrained traders: random prices that never lose money.

Source: D. K. Gode, S. Sunder, "Allocative efficiency of markets with zero-intelligence traders: market as a partial substitute for individual
rationality", Journal of Political Economy 101 (1993) 119-137: a buyer bids uniformly between the lowest price and its value, a seller asks
uniformly between its cost and the highest price.
"""

import numpy as np

from clients.bots.actions import Place
from clients.bots.balancing import Balancing
from clients.bots.market import Contract, MarketView, Side
from clients.bots.pricing import ladder
from clients.bots.private import ZeroIntelligenceData


class ZeroIntelligence(Balancing):
    """One random price a level; buyer for what it lacks, seller for what it has too much."""

    data: ZeroIntelligenceData

    def __init__(self, data: ZeroIntelligenceData, rng: np.random.Generator, label: int = 0) -> None:
        super().__init__(data, rng, label)

    def prices(self, view: MarketView, contract: Contract, side: Side, quantity_lots: int, limit_ticks: int) -> list[Place]:
        del view  # zero intelligence: neither quotes nor trades are looked at
        # Both ends of the interval are the market's, so no belief about others enters.
        low, high = (contract.band_low_ticks, limit_ticks) if side == "buy" else (limit_ticks, contract.band_high_ticks)
        levels = max(1, min(self.data.activity.levels, quantity_lots))
        share, rest = divmod(quantity_lots, levels)
        orders: list[Place] = []
        for level in range(levels):
            price = int(self.rng.integers(low, high + 1))
            orders += ladder(contract, side, share + (level < rest), price, price, 1, self.label)
        return orders
