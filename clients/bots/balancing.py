"""Trade the gap between what a metering point is expected to do and what its owner has traded: base of factory, generator, ZIC and ZIP."""

from abc import abstractmethod
from typing import Final

import numpy as np

from clients.bots.actions import Action, Place
from clients.bots.market import Contract, MarketView, Side
from clients.bots.private import PowerMember
from clients.bots.strategy import Agenda, PowerStrategy
from exchange.units import NS_PER_HOUR, PERIOD_NS, PPM

# From here on a member believes its intraday forecast.
INTRADAY_NS: Final = 2 * NS_PER_HOUR


class Balancing(PowerStrategy):
    """Buys what the forecast says is missing, sells what is too much, within its own position limits."""

    def __init__(self, data: PowerMember, rng: np.random.Generator, label: int) -> None:
        super().__init__(label, Agenda(data.activity.near, data.activity.far, rng))
        self.data = data
        self.rng = rng

    def expected_lots(self, contract: Contract, now_ns: int) -> int:
        """Expected net consumption of the period in lots, generation negative, rounded towards zero so that no dust is traded."""
        forecast = self.data.forecast
        period = (contract.delivery_start_ns - forecast.first_period_ns) // PERIOD_NS
        if not 0 <= period < len(forecast.day_ahead_wh):
            return 0
        near = contract.delivery_start_ns - now_ns <= INTRADAY_NS
        energy_wh = (forecast.intraday_wh if near else forecast.day_ahead_wh)[period]
        return int(energy_wh / contract.lot_wh)

    def gap(self, view: MarketView, contract: Contract) -> tuple[Side, int]:
        """Side and lots that bring the position to the forecast, clipped to the member's limits net of what it has open."""
        net = view.net(contract.symbol)
        missing = self.expected_lots(contract, view.now_ns) - net
        if missing >= 0:
            return "buy", max(0, min(missing, self.data.max_net_lots - net) - view.open_lots(contract.symbol, "buy"))
        return "sell", max(0, min(-missing, net - self.data.min_net_lots) - view.open_lots(contract.symbol, "sell"))

    def limit_ticks(self, contract: Contract, side: Side) -> int:
        """The most it pays or the least it takes, in ticks, so that with fees it is never worse off than without the trade."""
        if side == "buy":
            return buyer_limit_ticks(contract, self.data.willingness_ppm, self.data.green_premium_ticks)
        return seller_limit_ticks(contract, self.data.marginal_cost_ticks)

    @abstractmethod
    def prices(self, view: MarketView, contract: Contract, side: Side, quantity_lots: int, limit_ticks: int) -> list[Place]:
        """Orders for the gap, none beyond the limit."""

    def quote(self, view: MarketView, contract: Contract) -> list[Action]:
        side, lots = self.gap(view, contract)
        if lots <= 0:
            return []
        limit = self.limit_ticks(contract, side)
        if not contract.band_low_ticks <= limit <= contract.band_high_ticks:
            # Clip towards caution: a buyer never above its limit, a seller never below.
            if (side == "buy") == (limit < contract.band_low_ticks):
                return []
            limit = contract.band_high_ticks if side == "buy" else contract.band_low_ticks
        return list(self.prices(view, contract, side, lots, limit))


def buyer_limit_ticks(contract: Contract, willingness_ppm: int, green_premium_ticks: int) -> int:
    """What a load saves by not falling back on the deficit tariff, after fees, plus what green is worth to it."""
    worth = contract.deficit_ticks * willingness_ppm // PPM
    return worth + green_premium_ticks - contract.park_fee_ticks - contract.trade_fee_ticks


def seller_limit_ticks(contract: Contract, marginal_cost_ticks: int) -> int:
    """What a seller gives up: the surplus price, or its marginal cost where that is higher, plus the trading fee."""
    return max(contract.surplus_ticks, marginal_cost_ticks) + contract.trade_fee_ticks
