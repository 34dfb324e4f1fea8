"""Plans of a day beside its books: what participants want to end with, limits that move with the worth of stored energy, and the day's delivery."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.planning.physical import Delivery, deliver
from clients.laboratory.planning.plan import Planner
from clients.laboratory.planning.state import PlanState
from clients.laboratory.run.calendar import RoundsAt
from clients.laboratory.run.day_market import DayMarket
from clients.laboratory.scenario.model import Scenario
from exchange.units import NS_PER_HOUR, POWER_LOT_WH, PPM

Integers = NDArray[np.int64]

REPLANNED_EVERY_NS: Final = NS_PER_HOUR


class Plans:
    """All plans of a run. A scenario without storage, vehicles or load that moves asks for none, and is spared their cost."""

    def __init__(self, scenario: Scenario, offered_ppm: Integers) -> None:
        self._planner = Planner(scenario)
        devices = self._planner.devices
        self._has_devices = bool(devices.storages or devices.fleets or devices.flexible)
        self._offered_ppm = offered_ppm[:, np.newaxis]
        self._states: dict[int, PlanState] = {}
        self._planned_ns: dict[int, int] = {}
        self._last_ticks = np.full(0, -1, np.int64)
        self._soc_wh = devices.soc_initial_wh.copy()

    def begin(self, market: DayMarket, before: DayMarket | None) -> None:
        """Plan a day whose books are listed. `before`: the day that is still being delivered, whose plans say with what storage will begin."""
        soc_wh = self._soc_wh
        if before is not None:
            soc_wh = self._planner.expected_soc_wh(before.day, before.net_lots, self._states[before.day.index])
        state = self._planner.begin(market.day, soc_wh, self._prices_seen(market))
        self._states[market.day.index] = state
        self._planned_ns[market.day.index] = market.day.opens_ns
        self._move_limits(market, state)

    def targets(self, market: DayMarket, at: RoundsAt) -> Integers:
        """Net lots that each participant wants to end with, [n, m]."""
        day = market.day
        if not self._has_devices:
            net_wh = (day.forecast_load_wh[at.rounds, :, at.periods] - day.forecast_generation_wh[at.rounds, :, at.periods]).T
            plain: Integers = np.sign(net_wh) * (np.abs(net_wh) // POWER_LOT_WH)
            return self._offered(plain)
        state, positions = self._states[day.index], market.net_lots
        if at.at_ns - self._planned_ns[day.index] >= REPLANNED_EVERY_NS:
            self._planned_ns[day.index] = at.at_ns
            self._planner.replan(day, at.at_ns, positions, state, self._prices_seen(market))
            self._move_limits(market, state)
        return self._offered(self._planner.targets(day, at.rounds, positions, state, at.periods))

    def deliver(self, market: DayMarket, following: DayMarket | None) -> Delivery:
        """What the meters of the day show. The day that follows begins where this one ends."""
        state = self._states.pop(market.day.index)
        del self._planned_ns[market.day.index]
        positions = market.net_lots
        state.soc_start_wh = self._soc_wh
        delivery = deliver(self._planner, market.day, positions, state)
        self._soc_wh = delivery.soc_end_wh
        self._last_ticks = market.last_ticks
        if following is not None:
            after = self._states[following.day.index]
            after.soc_wh += delivery.soc_end_wh - after.soc_start_wh
            after.soc_start_wh = delivery.soc_end_wh.copy()
        return delivery

    def _offered(self, targets: Integers) -> Integers:
        """What is brought to the market of it; who withholds keeps a share back."""
        offered: Integers = np.sign(targets) * (np.abs(targets) * self._offered_ppm // PPM)
        return offered

    def _prices_seen(self, market: DayMarket) -> Integers | None:
        """Last prices of the same quarter-hours the day before, where there was one as long and trades are shown."""
        return self._last_ticks if market.shows_trades and len(self._last_ticks) == market.day.n_periods else None

    def _move_limits(self, market: DayMarket, state: PlanState) -> None:
        """Limits at the book. Who quotes both sides has no use for energy: what is left of its position costs the grid's prices."""
        limits, makers = market.table.limits, np.flatnonzero(market.table.quote_lots)
        limits[0::2], limits[1::2] = state.buy_limit_ticks, state.sell_limit_ticks
        limits[2 * makers], limits[2 * makers + 1] = market.day.deficit_price_ticks, market.day.surplus_price_ticks
