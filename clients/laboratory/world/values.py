"""Private limits of every participant and quarter-hour: the most a buyer pays at the book, the least a seller takes, the taker's fee taken off.

    buyer: willingness * (deficit price - park fee - taker's fee) + green premium
    seller: surplus price + cost + taker's fee

each times a uniform draw of the member and quarter-hour, rounded to the tick step against the participant (a buyer pays no more, a seller takes no
less), then brought into the price band, as induced values are (V. L. Smith, "Experimental economics: induced value theory", American Economic Review
66 (1976)). The taker's fee, the higher one, so that no trade within the limits is a loss, whoever took.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.draws import Purpose
from clients.laboratory.scenario.model import Scenario
from clients.laboratory.world import kernels
from exchange.units import PERIOD_NS, POWER_TICK_MICRO_PER_KWH, PPM

Integers = NDArray[np.int64]

_BUYER: Final = 0
_SELLER: Final = 1


class Values:
    """Limits of all participants of a scenario."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        valuations = [participant.valuation for participant in scenario.participants]
        self._rules = scenario.market
        self._seed = np.uint64(seed)
        self._rows = np.arange(len(valuations), dtype=np.int64)
        self._willingness_ppm = np.array([valuation.willingness_ppm for valuation in valuations], dtype=np.int64)
        self._premium_micro = np.array([valuation.green_premium_micro_per_kwh for valuation in valuations], dtype=np.int64)
        self._cost_micro = np.array([valuation.cost_micro_per_kwh for valuation in valuations], dtype=np.int64)
        self._spread_ppm = np.array([valuation.spread_ppm for valuation in valuations], dtype=np.int64)

    def value_ticks(self, start_ns: Integers, deficit_price_ticks: Integers) -> Integers:
        """The most each buyer pays, int64[n, T]."""
        fees_micro = self._rules.park_fee_micro_per_kwh + self._rules.taker_fee_micro_per_kwh
        alternative_micro = deficit_price_ticks[None, :] * POWER_TICK_MICRO_PER_KWH - fees_micro
        value_micro = alternative_micro * self._willingness_ppm[:, None] // PPM + self._premium_micro[:, None]
        value_micro = value_micro * self._factor_ppm(start_ns, _BUYER) // PPM
        step_micro = self._rules.tick_step * POWER_TICK_MICRO_PER_KWH
        return self._in_band(value_micro // step_micro * self._rules.tick_step)

    def cost_ticks(self, start_ns: Integers, surplus_price_ticks: Integers) -> Integers:
        """The least each seller takes, int64[n, T]."""
        fee_micro = self._rules.taker_fee_micro_per_kwh
        cost_micro = surplus_price_ticks[None, :] * POWER_TICK_MICRO_PER_KWH + self._cost_micro[:, None] + fee_micro
        cost_micro = -(-cost_micro * self._factor_ppm(start_ns, _SELLER) // PPM)
        step_micro = self._rules.tick_step * POWER_TICK_MICRO_PER_KWH
        return self._in_band(-(-cost_micro // step_micro) * self._rules.tick_step)

    def _factor_ppm(self, start_ns: Integers, side: int) -> Integers:
        factor = np.empty((len(self._rows), len(start_ns)), dtype=np.int64)
        first_period = int(start_ns[0]) // PERIOD_NS
        kernels.draw_uniform_ppm(self._seed, self._rows, int(Purpose.VALUE), side, first_period, self._spread_ppm, factor)
        return factor

    def _in_band(self, price_ticks: Integers) -> Integers:
        """Clipped to the steps within the band."""
        step = self._rules.tick_step
        return np.clip(price_ticks, -(-self._rules.min_price_ticks // step) * step, self._rules.max_price_ticks // step * step)
