"""Compiled loops of the world: autoregressions from counter-based bits, what of them is known when, and energies. Integers only.

Variates are in parts per million of their standard deviation until they meet a profile. Divisions round down, which shifts a mean by about a
millionth of a standard deviation.
"""

from typing import Any, Final

import numpy as np

from clients.laboratory.draws import below, bits, normal_ppm
from exchange.units import PPM
from matching.compile import kernel

# One noisy series: load or generation of a participant. `agent` and `purpose` name its stream, `shared` is the row of the stream of its class.
SERIES: Final = np.dtype(
    [
        ("row", "i8"), ("purpose", "i8"), ("shared", "i8"), ("own_ppm", "i8"), ("common_ppm", "i8"), ("persistence_ppm", "i8"),
        ("innovation_ppm", "i8"), ("plan_ppm", "i8"), ("update_ppm", "i8"), ("residual_ppm", "i8"), ("limit_wh", "i8"),
    ]
)  # fmt: skip

# The stream that all series of a class of noise share.
SHARED: Final = np.dtype([("agent", "i8"), ("purpose", "i8")])

# A point of the grid of horizons (see `forecasts`). `index` names its draws.
KNOWLEDGE: Final = np.dtype([("horizon_ns", "i8"), ("index", "i8"), ("towards_truth_ppm", "i8"), ("own_ppm", "i8")])

# Parts of a deviation, in this order in every array, and as indices of their draws.
PLAN: Final = 0
UPDATE: Final = 1
RESIDUAL: Final = 2
PARTS: Final = 3


@kernel
def draw_normals(seed: Any, agent: Any, purpose: Any, index: Any, first_period: Any, normals_ppm: Any) -> None:
    """Fill int64[T] with the variates of one stream, one a quarter-hour from `first_period` (quarter-hours since the epoch) on."""
    for t in range(len(normals_ppm)):
        normals_ppm[t] = normal_ppm(bits(seed, agent, purpose, first_period + t, index))


@kernel
def autoregress(series: Any, common_ppm: Any, variates_ppm: Any) -> None:
    """Turn the own variates, int64[T], into a stationary first-order autoregression of standard deviation 1 that shares `common_ppm`, int64[T]."""
    before = np.int64(0)
    for t in range(len(variates_ppm)):
        normal = (series.common_ppm * common_ppm[t] + series.own_ppm * variates_ppm[t]) // PPM
        before = (series.persistence_ppm * before + series.innovation_ppm * normal) // PPM if t > 0 else normal
        variates_ppm[t] = before


@kernel
def reveal(knowledge: Any, update_ppm: Any, points_ppm: Any) -> None:
    """Turn autoregressions of the points, int64[G, T], into what is known of `update_ppm`, int64[T], from each point on: a Brownian bridge."""
    for t in range(len(update_ppm)):
        known = np.int64(0)
        for g in range(len(knowledge)):
            point = knowledge[g]
            own = point.own_ppm * points_ppm[g, t] if point.own_ppm > 0 else np.int64(0)
            known += (point.towards_truth_ppm * (update_ppm[t] - known) + own) // PPM
            points_ppm[g, t] = known


@kernel
def draw_deviations(seed: Any, series: Any, shared: Any, knowledge: Any, first_period: Any, common_ppm: Any, parts_ppm: Any) -> None:
    """Fill `parts_ppm`, int64[S, PARTS + G, T]: plan, update and residual, then what is known of the update from each point of the grid on.

    `common_ppm`, int64[C, PARTS + G, T], is room for the variates of the classes. Points without a variate of their own are not drawn.
    """
    for c in range(len(shared)):
        for part in range(PARTS + len(knowledge)):
            if part >= PARTS and knowledge[part - PARTS].own_ppm == 0:
                continue
            index = part if part < PARTS else knowledge[part - PARTS].index
            draw_normals(seed, shared[c].agent, shared[c].purpose, index, first_period, common_ppm[c, part])
    for s in range(len(series)):
        one = series[s]
        for part in range(PARTS + len(knowledge)):
            if part >= PARTS and knowledge[part - PARTS].own_ppm == 0:
                continue
            index = part if part < PARTS else knowledge[part - PARTS].index
            draw_normals(seed, one.row, one.purpose, index, first_period, parts_ppm[s, part])
            autoregress(one, common_ppm[one.shared, part], parts_ppm[s, part])
        reveal(knowledge, parts_ppm[s, UPDATE], parts_ppm[s, PARTS:])


@kernel
def energy(profile_wh: Any, deviation_ppm: Any, limit_wh: Any) -> Any:
    """The profile times 1 + deviation, rounded down to a Wh and kept in [0, limit]."""
    return min(max(profile_wh * (PPM + deviation_ppm) // PPM, 0), limit_wh)


@kernel
def true_energies(series: Any, parts_ppm: Any, profile_wh: Any, truth_wh: Any) -> None:
    """Fill the rows of the series in `truth_wh`, int64[n, T]; `profile_wh` int64[n, T]."""
    for s in range(len(series)):
        one = series[s]
        for t in range(truth_wh.shape[1]):
            parts = parts_ppm[s]
            total = one.plan_ppm * parts[PLAN, t] + one.update_ppm * parts[UPDATE, t] + one.residual_ppm * parts[RESIDUAL, t]
            truth_wh[one.row, t] = energy(profile_wh[one.row, t], total // PPM, one.limit_wh)


@kernel
def forecast_energies(series: Any, parts_ppm: Any, points_known: Any, error_ppm: Any, profile_wh: Any, forecast_wh: Any) -> None:
    """Fill the rows of the series in `forecast_wh`, int64[R, n, T]: the truth less `error_ppm` of what is not known.

    `points_known` int64[R, T]: how many points of the grid lie behind.
    """
    for s in range(len(series)):
        one = series[s]
        for t in range(forecast_wh.shape[2]):
            parts = parts_ppm[s]
            residual = one.residual_ppm * parts[RESIDUAL, t]
            total = (one.plan_ppm * parts[PLAN, t] + one.update_ppm * parts[UPDATE, t] + residual) // PPM
            for r in range(forecast_wh.shape[0]):
                known = parts[PARTS + points_known[r, t] - 1, t] if points_known[r, t] > 0 else np.int64(0)
                unknown = (one.update_ppm * (parts[UPDATE, t] - known) + residual) // PPM
                forecast_wh[r, one.row, t] = energy(profile_wh[one.row, t], total - error_ppm * unknown // PPM, one.limit_wh)


@kernel
def draw_uniform_ppm(seed: Any, rows: Any, purpose: Any, index: Any, first_period: Any, half_width_ppm: Any, factor_ppm: Any) -> None:
    """Fill int64[n, T] with PPM plus a whole number of [-half width, half width], one a participant and quarter-hour; `half_width_ppm` int64[n]."""
    for i in range(len(rows)):
        for t in range(factor_ppm.shape[1]):
            width = half_width_ppm[i]
            factor_ppm[i, t] = PPM - width + below(bits(seed, rows[i], purpose, first_period + t, index), 2 * width + 1)
