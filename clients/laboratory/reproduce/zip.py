"""Cliff 1997: a little learning makes prices converge where zero intelligence leaves them scattered, and finds the new price after a shift.

Paper: D. Cliff, "Minimal-intelligence agents for bargaining behaviors in market-based environments", HP Laboratories report HPL-97-91 (1997), and D.
Cliff and J. Bruten, "Zero is not enough", HPL-97-141 (1997). They report by figures: Smith's alpha and the dispersion of profits fall within a few
days for ZIP traders and stay for ZI-C, and ZIP follows a change of demand. The gates say the same in numbers and are a design of this laboratory.

Market: eleven buyers and eleven sellers with one unit, values and costs 0.75 to 3.25 in steps of 0.25 (Smith 1962, chart 1; equilibrium price 2.00);
a tick is 0.01. After the shift every value is 0.50 higher.
"""

from typing import Final

import numpy as np

from clients.laboratory.agents.experiment import Induced
from clients.laboratory.reproduce.induced import equilibrium_of
from clients.laboratory.reproduce.result import Line, Reproduction, at_most, reported
from clients.laboratory.reproduce.sessions import Doubles, Floor, Sessions, mean_of_days, run_sessions

LIMITS_TICKS: Final = tuple(range(75, 326, 25))
SHIFT_TICKS: Final = 50
FLOOR: Final = Floor(low_ticks=1, high_ticks=400, n_turns=1_000)
DAYS: Final = 10  # before the shift, and again after it
WITHIN: Final = 5  # "a few days"
_HALF: Final = 0.5


def market_of(shift_ticks: int = 0) -> Induced:
    """Values and costs, all values raised by a shift."""
    return Induced.of([[limit + shift_ticks] for limit in LIMITS_TICKS], [[limit] for limit in LIMITS_TICKS])


def reproduce(seed: int, *, is_quick: bool = False) -> Reproduction:
    """ZIP against ZI-C, before and after a shift of demand."""
    count = 10 if is_quick else 50
    before, after = market_of(), market_of(SHIFT_TICKS)
    days, seeds = [before] * DAYS + [after] * DAYS, [seed + session for session in range(count)]
    learning, random = (run_sessions(name, days, FLOOR, seeds) for name in ("zip", "zi_c"))
    prices = [float(equilibrium_of(induced).price_ticks) / 100.0 for induced in (before, after)]
    lines = [
        *_falls("alpha, %", learning.alpha_percent, random.alpha_percent),
        *_falls("profit dispersion, ticks", learning.dispersion_ticks, random.dispersion_ticks),
        *_follows(learning, prices),
    ]
    return Reproduction(
        "zip", "Cliff 1997; Cliff and Bruten 1997",
        f"{count} sessions of {2 * DAYS} days, 11 buyers and 11 sellers; equilibrium {prices[0]:.2f}, from day {DAYS + 1} on {prices[1]:.2f}",
        tuple(lines), ("The reports show these as figures: published is what they say of them.",),
    )  # fmt: skip


def _falls(what: str, learning: Doubles, random: Doubles) -> list[Line]:
    zip_days, random_days = mean_of_days(learning), mean_of_days(random)
    first, later, shifted, recovered = (float(zip_days[day]) for day in (0, WITHIN - 1, DAYS, DAYS + WITHIN - 1))
    scattered = float(random_days[WITHIN - 1])
    return [
        reported(f"{what}: ZIP, day 1", None, first),
        at_most(f"{what}: ZIP, day {WITHIN}, half of day 1", "falls", later, round(first * _HALF, 2)),
        reported(f"{what}: ZI-C, day {WITHIN}", None, scattered),
        at_most(f"{what}: ZIP, day {WITHIN}, half of ZI-C", "far below ZI-C", later, round(scattered * _HALF, 2)),
        reported(f"{what}: ZIP, day {DAYS + 1}, the shift", None, shifted),
        at_most(f"{what}: ZIP, day {DAYS + WITHIN}, half of day {DAYS + 1}", "recovers", recovered, round(shifted * _HALF, 2)),
    ]


def _follows(learning: Sessions, prices: list[float]) -> list[Line]:
    mean = mean_of_days(learning.mean_price_ticks) / 100.0
    lines = []
    for price, day in zip(prices, (DAYS, DAYS + WITHIN), strict=True):
        distance = abs(float(mean[day - 1]) - price)
        lines.append(reported(f"mean price: ZIP, day {day}", f"{price:.2f}", float(mean[day - 1])))
        lines.append(at_most(f"mean price: ZIP, day {day}, distance from {price:.2f}", "converges", distance, round(0.05 * price, 2), 3))
    efficiency = float(np.mean(learning.efficiency_percent[:, WITHIN:]))
    return [*lines, reported("efficiency: ZIP, all days after the first few, %", None, efficiency)]
