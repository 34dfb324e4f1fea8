"""The owner's model of a battery: state of charge under a position, and what the worst case of open orders leaves (docs/rules.md, "Storage").

Integer Wh throughout; rounding is always against the storage, so that what this model allows no exact model refuses.
"""

from dataclasses import dataclass
from typing import NamedTuple

from exchange.units import NS_PER_HOUR, PERIOD_NS, PPM


@dataclass(frozen=True, slots=True)
class Battery:
    """Limits and one-way efficiencies. Bought energy is measured at the meter; state of charge inside."""

    soc_min_wh: int
    soc_max_wh: int
    power_w: int
    charge_ppm: int
    discharge_ppm: int

    @property
    def period_limit_wh(self) -> int:
        """Most that passes the meter in a quarter-hour, either way."""
        return self.power_w * PERIOD_NS // NS_PER_HOUR

    def after(self, soc_wh: int, bought_wh: int, *, round_up: bool = False) -> int:
        """State of charge after a period with `bought_wh` (sold negative) at the meter."""
        if bought_wh >= 0:
            gained = bought_wh * self.charge_ppm
            return soc_wh + (-(-gained // PPM) if round_up else gained // PPM)
        drawn = -bought_wh * PPM
        return soc_wh - (drawn // self.discharge_ppm if round_up else -(-drawn // self.discharge_ppm))


class Exposure(NamedTuple):
    """One period in the worst case: position and open orders, in Wh, bought positive."""

    net_wh: int
    open_buy_wh: int
    open_sell_wh: int


def worst_case_holds(battery: Battery, soc_wh: int, exposures: list[Exposure]) -> bool:
    """Whether for every period in time order the state of charge stays in range with all sells and no buys filled, and with all buys and no sells,
    and net power within the rating.
    """
    low = high = soc_wh
    limit = battery.period_limit_wh
    for exposure in exposures:
        least = exposure.net_wh - exposure.open_sell_wh
        most = exposure.net_wh + exposure.open_buy_wh
        if least < -limit or most > limit:
            return False
        low = min(battery.after(low, least), battery.soc_max_wh)
        high = max(battery.after(high, most, round_up=True), battery.soc_min_wh)
        if low < battery.soc_min_wh or high > battery.soc_max_wh:
            return False
    return True


def most_that_holds(battery: Battery, soc_wh: int, exposures: list[Exposure], index: int, *, buy: bool, wanted_lots: int, lot_wh: int) -> int:
    """Largest quantity up to `wanted_lots` that can be added on one side of period `index` with the worst case still holding."""

    def holds(lots: int) -> bool:
        at = exposures[index]
        extra = lots * lot_wh
        changed = Exposure(at.net_wh, at.open_buy_wh + (extra if buy else 0), at.open_sell_wh + (0 if buy else extra))
        return worst_case_holds(battery, soc_wh, [*exposures[:index], changed, *exposures[index + 1 :]])

    if wanted_lots <= 0 or not holds(0):
        return 0
    good, bad = 0, wanted_lots + 1
    while bad - good > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if holds(middle) else (good, middle)
    return good
