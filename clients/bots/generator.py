"""A PV or wind prosumer sells its forecast, and buys back what it has sold too much, within its marginal price."""

import numpy as np

from clients.bots.actions import Place
from clients.bots.balancing import Balancing
from clients.bots.factory import conceding_ladder
from clients.bots.market import Contract, MarketView, Side
from clients.bots.private import GeneratorData


class Generator(Balancing):
    """Sells at no less than feed-in or marginal cost; covers a shortfall at no more than the deficit price.

    Source: competitive bidding at marginal cost with feed-in as the outside option (docs/rules.md, "Tariffs").
    """

    data: GeneratorData

    def __init__(self, data: GeneratorData, rng: np.random.Generator, label: int = 0) -> None:
        super().__init__(data, rng, label)

    def prices(self, view: MarketView, contract: Contract, side: Side, quantity_lots: int, limit_ticks: int) -> list[Place]:
        return conceding_ladder(view, contract, side, quantity_lots, limit_ticks, self.data.beta, self.data.activity.levels, self.label)
