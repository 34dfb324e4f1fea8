"""A storage operator: buys where the day is cheap, sells where it is dear, within state of charge, rating and efficiency."""

from typing import Final

import numpy as np

from clients.bots.actions import Action, Basket, Place, Schedule
from clients.bots.arbitrage import best_pair
from clients.bots.battery import Battery, Exposure, most_that_holds
from clients.bots.dispatch import Plan, best_dispatch
from clients.bots.market import Contract, MarketView
from clients.bots.pricing import LADDER_SHARE, conceded, conceding_price, ladder
from clients.bots.private import StorageData
from clients.bots.strategy import Agenda, PowerStrategy
from exchange.units import NS_PER_DAY, NS_PER_HOUR, PERIOD_NS, POWER_LOT_WH

# Without a price the owner believes that energy is cheap in solar hours and dear in the others: shares of the way from surplus to deficit price.
_SOLAR_HOURS: Final = range(9, 16)
_SOLAR_SCARCITY: Final = 0.15
_OTHER_SCARCITY: Final = 0.85
_UTC_OFFSET_NS: Final = 8 * NS_PER_HOUR
_BETA: Final = 1.5


class Storage(PowerStrategy):
    """Plans the rest of the day by dynamic programming (clients.bots.dispatch), quotes towards the plan, never beyond the value of stored energy.

    Orders are cut to what the worst case of all its open orders allows (clients.bots.battery). At gate closure the net position is scheduled.
    """

    def __init__(self, data: StorageData, rng: np.random.Generator, label: int = 0) -> None:
        super().__init__(label, Agenda(data.activity.near, data.activity.far, rng))
        self.data = data
        self.battery = Battery(data.soc_min_wh, data.soc_max_wh, data.power_w, data.charge_efficiency_ppm, data.discharge_efficiency_ppm)
        self._scheduled_until_ns = data.first_period_ns
        self._soc_wh = data.soc_wh  # at the start of the first period that is not scheduled yet
        self._plan: dict[str, tuple[int, float]] = {}
        self._exposures: dict[str, Exposure] = {}
        self._planned_at_ns = -PERIOD_NS

    def on_turn(self, view: MarketView) -> list[Action]:
        schedules = self._schedule_closed(view)
        if view.now_ns - self._planned_at_ns >= PERIOD_NS:
            self._replan(view)
        self._exposures = {contract.symbol: _exposure(view, contract) for contract in self._unscheduled(view)}
        basket = self._basket(view) if self.data.baskets else None
        # What it quotes depends on whether the basket fills, which is known in the next turn.
        return [*schedules, *([basket] if basket is not None else super().on_turn(view))]

    def _basket(self, view: MarketView) -> Basket | None:
        """The best purchase and later sale that stand in the books."""
        exposures = list(self._exposures.values())
        pair = best_pair(view, self._unscheduled(view), self.battery, self._soc_wh, exposures, self.data.cycle_cost_ticks)
        if pair is None or pair.sell_lots == 0:
            return None
        buy = Place(pair.charge.symbol, "buy", pair.buy_ticks, pair.buy_lots, label=self.label)
        return Basket((buy, Place(pair.discharge.symbol, "sell", pair.sell_ticks, pair.sell_lots, label=self.label)))

    def quote(self, view: MarketView, contract: Contract) -> list[Action]:
        planned_lots, stored_ticks = self._plan.get(contract.symbol, (0, 0.0))
        gap = planned_lots - view.net(contract.symbol)
        if gap == 0:
            return []
        buy = gap > 0
        limit = self._limit_ticks(contract, stored_ticks, buy=buy)
        if not contract.band_low_ticks <= limit <= contract.band_high_ticks:
            return []
        lots = self._reserve(contract, abs(gap), buy=buy)
        if lots == 0:
            return []
        start = min(contract.surplus_ticks, limit) if buy else max(contract.deficit_ticks - contract.park_fee_ticks, limit)
        share = conceded(view, contract, _BETA)
        best, worst = conceding_price(start, limit, share), conceding_price(start, limit, share - LADDER_SHARE)
        return list[Action](ladder(contract, "buy" if buy else "sell", lots, best, worst, self.data.activity.levels, self.label))

    def _reserve(self, contract: Contract, wanted_lots: int, *, buy: bool) -> int:
        """Lots that the worst case still has room for, counted from now on among what is open: later orders of the turn see them."""
        symbols = list(self._exposures)
        lots = most_that_holds(
            self.battery, self._soc_wh, list(self._exposures.values()), symbols.index(contract.symbol), buy=buy, wanted_lots=wanted_lots,
            lot_wh=contract.lot_wh,
        )  # fmt: skip
        at, extra = self._exposures[contract.symbol], lots * contract.lot_wh
        more = at._replace(open_buy_wh=at.open_buy_wh + extra) if buy else at._replace(open_sell_wh=at.open_sell_wh + extra)
        self._exposures[contract.symbol] = more
        return lots

    def _limit_ticks(self, contract: Contract, stored_ticks: float, *, buy: bool) -> int:
        """Break-even at the meter against the value of a stored kWh."""
        if buy:
            return int(stored_ticks * self.data.charge_efficiency_ppm / 1e6) - contract.park_fee_ticks - contract.trade_fee_ticks
        worth = stored_ticks * 1e6 / self.data.discharge_efficiency_ppm + self.data.cycle_cost_ticks
        return max(contract.surplus_ticks, int(worth) + 1) + contract.trade_fee_ticks

    def _unscheduled(self, view: MarketView) -> list[Contract]:
        """Power contracts of the battery's day from the first unscheduled period on, in time order."""
        first, last = self._scheduled_until_ns, self.data.first_period_ns + NS_PER_DAY
        contracts = [c for c in view.contracts.values() if c.is_power and first <= c.delivery_start_ns < last]
        return sorted(contracts, key=lambda c: c.delivery_start_ns)

    def _schedule_closed(self, view: MarketView) -> list[Schedule]:
        """Periods whose gate has closed: their net position is the schedule, and moves the state of charge the next ones start from."""
        schedules = []
        for contract in self._unscheduled(view):
            if contract.close_ns > view.now_ns:
                break
            bought_wh = view.net(contract.symbol) * contract.lot_wh
            schedules.append(Schedule(contract.symbol, contract.delivery_start_ns, -bought_wh))
            after = self.battery.after(self._soc_wh, bought_wh)
            self._soc_wh = min(max(after, self.battery.soc_min_wh), self.battery.soc_max_wh)
            self._scheduled_until_ns = contract.delivery_start_ns + PERIOD_NS
        return schedules

    def _replan(self, view: MarketView) -> None:
        self._planned_at_ns = view.now_ns
        contracts = [c for c in self._unscheduled(view) if view.is_open(c)]
        if not contracts:
            return
        expected = np.array([expected_ticks(view, c) for c in contracts])
        fees = np.array([float(c.trade_fee_ticks) for c in contracts])
        park_fees = np.array([float(c.park_fee_ticks) for c in contracts])
        shortfall = float(max(c.deficit_ticks for c in contracts))
        plan: Plan = best_dispatch(
            self.battery, self._soc_wh, self.data.soc_wh, expected + fees + park_fees, expected - fees - self.data.cycle_cost_ticks, shortfall
        )
        self._plan = {
            c.symbol: (int(bought) // POWER_LOT_WH, float(value))
            for c, bought, value in zip(contracts, plan.bought_wh, plan.stored_value_ticks, strict=True)
        }


def _exposure(view: MarketView, contract: Contract) -> Exposure:
    lot_wh = contract.lot_wh
    buys, sells = view.open_lots(contract.symbol, "buy"), view.open_lots(contract.symbol, "sell")
    return Exposure(view.net(contract.symbol) * lot_wh, buys * lot_wh, sells * lot_wh)


def expected_ticks(view: MarketView, contract: Contract) -> float:
    """Middle of the quotes, else the last price, else a belief from the hour of the day; always between surplus and deficit price."""
    quote = view.quote(contract.symbol)
    if quote.bid_ticks is not None and quote.ask_ticks is not None:
        price = (quote.bid_ticks + quote.ask_ticks) / 2
    elif quote.last_ticks is not None:
        price = float(quote.last_ticks)
    else:
        hour = (contract.delivery_start_ns + _UTC_OFFSET_NS) // NS_PER_HOUR % 24
        scarcity = _SOLAR_SCARCITY if hour in _SOLAR_HOURS else _OTHER_SCARCITY
        price = contract.surplus_ticks + scarcity * (contract.deficit_ticks - contract.surplus_ticks)
    return min(max(price, float(contract.surplus_ticks)), float(contract.deficit_ticks))
