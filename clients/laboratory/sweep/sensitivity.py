"""Which rule matters most: screening by Morris, shares of variance by Sobol (extra `laboratory`: SALib).

M. D. Morris, "Factorial sampling plans for preliminary computational experiments", Technometrics 33 (1991); mu* of F. Campolongo, J. Cariboni and
A. Saltelli, Environmental Modelling & Software 22 (2007). I. M. Sobol', Mathematics and Computers in Simulation 55 (2001), with the estimators and
sampling plan of A. Saltelli et al., Computer Physics Communications 181 (2010).
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.sweep.parameters import ParameterSpace
from clients.laboratory.sweep.points import Evaluator, Point
from exchange.errors import CheckFailedError, InputError

METHODS: Final = ("morris", "sobol")
_LEVELS: Final = 4  # of Morris' grid; its step is then two thirds of a range
_SAMPLES_MAX: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Effect:
    """Of one rule. Morris: `size` is mu*, `interplay` sigma. Sobol: `size` is the total index, `interplay` what it exceeds the first-order index by.

    `half_width`: half of the 95% interval of `size`. All in the unit of the measure (Morris) or as shares of its variance (Sobol).
    """

    key: str
    size: float
    half_width: float
    interplay: float


def sensitivity(method: str, space: ParameterSpace, samples: int, seed: int, evaluator: Evaluator) -> tuple[Effect, ...]:
    """Effects of all parameters, in their sequence. `samples`: trajectories of Morris, or base samples of Sobol (a power of two).

    Raises InputError for bad sizes or without SALib, CheckFailedError when a point could not be played or nothing varies.
    """
    if method not in METHODS:
        raise InputError(f"--sensitivity {method}: expected morris or sobol")
    if not 2 <= samples <= _SAMPLES_MAX or (method == "sobol" and samples & (samples - 1)):
        raise InputError(f"--samples {samples}: expected at least 2, and a power of two for sobol")
    if len(space) < 2:
        raise InputError("--sensitivity compares rules: give at least two --search KEY=...")
    plan = _plan(method, space, samples, seed)
    points = evaluator.evaluate([_overrides(space, row) for row in plan])
    values = np.array([_mean(point) for point in points])
    if np.ptp(values) == 0:
        raise CheckFailedError(f"{evaluator.measure} is {values[0]:g} whatever the rules: nothing to share out")
    return _effects(method, space, plan, values, seed)


def points_of(method: str, n_parameters: int, samples: int) -> int:
    """Points that are played at most; equal ones are played once."""
    return samples * (n_parameters + (1 if method == "morris" else 2))


def _mean(point: Point) -> float:
    if not point.values:
        rules = ", ".join(f"{key}={value}" for key, value in point.overrides.items())
        raise CheckFailedError(f"sensitivity needs every point, and {rules} was not played: {point.reason}")
    return point.mean


def _overrides(space: ParameterSpace, row: NDArray[np.float64]) -> Mapping[str, str]:
    """A point of the unit cube as rules: every value of a parameter has an equal share of its side."""
    indices = (min(int(at * parameter.n_values), parameter.n_values - 1) for parameter, at in zip(space, row, strict=True))
    return {parameter.key: parameter.text(index) for parameter, index in zip(space, indices, strict=True)}


def _problem(space: ParameterSpace) -> dict[str, Any]:
    return {"num_vars": len(space), "names": [parameter.key for parameter in space], "bounds": [[0.0, 1.0]] * len(space)}


def _plan(method: str, space: ParameterSpace, samples: int, seed: int) -> NDArray[np.float64]:
    try:
        logging.getLogger("SALib").setLevel(logging.WARNING)
        from SALib.sample import morris, sobol
    except ImportError:
        raise InputError("--sensitivity needs SALib: pip install 'parkex[laboratory]'") from None
    if method == "morris":
        return np.asarray(morris.sample(_problem(space), samples, num_levels=_LEVELS, seed=seed), np.float64)
    return np.asarray(sobol.sample(_problem(space), samples, calc_second_order=False, seed=seed), np.float64)


def _effects(
    method: str, space: ParameterSpace, plan: NDArray[np.float64], values: NDArray[np.float64], seed: int
) -> tuple[Effect, ...]:
    from SALib.analyze import morris, sobol

    if method == "morris":
        found = morris.analyze(_problem(space), plan, values, num_levels=_LEVELS, seed=seed)
        rows = zip(found["mu_star"], found["mu_star_conf"], found["sigma"], strict=True)
    else:
        found = sobol.analyze(_problem(space), values, calc_second_order=False, seed=seed)
        rows = zip(found["ST"], found["ST_conf"], found["ST"] - found["S1"], strict=True)
    return tuple(Effect(p.key, float(size), float(width), float(other)) for p, (size, width, other) in zip(space, rows, strict=True))
