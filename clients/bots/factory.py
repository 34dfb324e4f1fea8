"""An enterprise buys the gap between its forecast load and its position, up to what its tariff makes green power worth."""

import numpy as np

from clients.bots.actions import Place
from clients.bots.balancing import Balancing
from clients.bots.market import Contract, MarketView, Side
from clients.bots.pricing import LADDER_SHARE, conceded, conceding_price, ladder
from clients.bots.private import FactoryData


def conceding_ladder(
    view: MarketView, contract: Contract, side: Side, lots: int, limit_ticks: int, beta: float, levels: int, label: int
) -> list[Place]:
    """A ladder whose best price gives way from the other side's best case towards the limit as the gate comes near."""
    other_ticks = contract.surplus_ticks if side == "buy" else contract.deficit_ticks - contract.park_fee_ticks
    start_ticks = min(other_ticks, limit_ticks) if side == "buy" else max(other_ticks, limit_ticks)
    share = conceded(view, contract, beta)
    best = conceding_price(start_ticks, limit_ticks, share)
    worst = conceding_price(start_ticks, limit_ticks, share - LADDER_SHARE)
    return ladder(contract, side, lots, best, worst, levels, label)


class Factory(Balancing):
    """Load with a forecast error; resells what it has bought too much, never below the surplus price.

    Source: zero-profit bounds of a price-taking consumer with an outside option (retail) and time-dependent tactics, see `clients.bots.pricing`.
    """

    data: FactoryData

    def __init__(self, data: FactoryData, rng: np.random.Generator, label: int = 0) -> None:
        super().__init__(data, rng, label)

    def prices(self, view: MarketView, contract: Contract, side: Side, quantity_lots: int, limit_ticks: int) -> list[Place]:
        return conceding_ladder(view, contract, side, quantity_lots, limit_ticks, self.data.beta, self.data.activity.levels, self.label)
