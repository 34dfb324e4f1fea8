"""Forecasts as nested updates: the nearer the delivery, the more of what will happen is known, and nothing known is ever forgotten.

The deviation of a quarter-hour is plan + update + residual. A forecast always knows the plan and never the residual. Of the update it knows K(s) at
the share s = 1 - unknown of its variance, which ForecastRules states by horizon: a Brownian motion over s that ends in the update itself at s = 1.
So forecast errors are uncorrelated with the forecast, their variance falls by exactly the stated shares, and the truth does not depend on the grid
of horizons: K is drawn backwards from it as a Brownian bridge (P. Glasserman, "Monte Carlo Methods in Financial Engineering", Springer 2004, section
3.1), with an own variate for each point. For 0 <= s' < s <= 1 and independent N

    K(s) = K(s') + (s - s') / (1 - s') * (update - K(s')) + sqrt((s - s') * (1 - s) / (1 - s')) * N

The model of forecast revisions that are uncorrelated with what was known is the martingale model of forecast evolution (D. C. Heath and P. L.
Jackson, "Modeling the evolution of demand forecasts", IIE Transactions 26 (1994)). Known limits: neighbouring quarter-hours err alike, so who
watched one being revised could foresee a little of the next one's revision, which no agent here does; and a point of the grid is learned at once,
not gradually. With `error_ppm` other than a million the truth stays and errors are scaled, so such forecasts are no longer the best possible.
"""

from math import isqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.scenario.model import ForecastRules
from clients.laboratory.world import kernels
from exchange.errors import InputError
from exchange.units import NS_PER_MINUTE, PPM

Integers = NDArray[np.int64]

# Draws of the points of the grid are named by their minutes, so that a point more shifts no other's.
_FIRST_INDEX: Final = 16


def knowledge_of(rules: ForecastRules) -> NDArray[np.void]:
    """The grid of horizons as `kernels.KNOWLEDGE`, [G], horizons descending.

    Raises InputError unless horizons descend, shares do not rise with them, and all are in range.
    """
    horizons, unknown = rules.horizon_minutes, rules.unknown_ppm
    if len(horizons) != len(unknown) or list(horizons) != sorted(set(horizons), reverse=True) or min(horizons, default=0) < 0:
        raise InputError("forecast: expected as many unknown shares as horizons, the horizons in minutes, descending")
    if list(unknown) != sorted(unknown, reverse=True) or not all(0 <= share <= PPM for share in unknown):
        raise InputError("forecast: expected unknown shares of 0 to 1 that do not rise as delivery comes nearer")
    grid = np.zeros(len(horizons), dtype=kernels.KNOWLEDGE).view(np.recarray)
    before = PPM
    for place, (minutes, after) in enumerate(zip(horizons, unknown, strict=True)):
        # (s - s') / (1 - s') with s = 1 - unknown; nothing more to learn once nothing is unknown.
        towards_ppm = (before - after) * PPM // before if before else PPM
        own_ppm = isqrt((before - after) * after * PPM // before) if before else 0
        grid[place] = (minutes * NS_PER_MINUTE, _FIRST_INDEX + minutes, towards_ppm, own_ppm)
        before = after
    return grid


def points_known(knowledge: NDArray[np.void], start_ns: Integers, round_ns: Integers) -> Integers:
    """How many points of the grid lie behind a round, int64[R, T]: those whose horizon is not below the time left to delivery."""
    left_ns = start_ns[None, :] - round_ns
    return np.asarray((knowledge["horizon_ns"][:, None, None] >= left_ns[None, :, :]).sum(axis=0), dtype=np.int64)
