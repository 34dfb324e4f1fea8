"""What makes a day differ from its profile: seeded noise in whole parts per million, the same on every machine and numpy version.

Three independent parts add up, so a forecast is never better than what it was made from:

    day-ahead forecast (16:00 the day before) = profile * (1 + plan)
    updated forecast (shortly before gate closure) = profile * (1 + plan + update)
    metered value                                  = profile * (1 + plan + update + residual)

Each part is a first-order autoregression over the quarter-hours of a day, so an error lasts for hours and not for one period. Its normal variates
are sums of twelve uniform 32-bit integers (Irwin-Hall), from PCG64 seeded by (seed, member, date): integers all the way.
"""

import datetime
import hashlib
from dataclasses import dataclass
from math import isqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exchange.units import PPM

Integers = NDArray[np.int64]

_TERMS: Final = 12


@dataclass(frozen=True, slots=True)
class NoiseClass:
    """Standard deviations in ppm of the profile, persistence from one quarter-hour to the next, and the part shared by all of the class.

    `common_ppm` is the weight c of the shared variate, the own one has sqrt(1 - c*c): clouds pass over all roofs of a park.
    """

    name: str
    plan_ppm: int
    update_ppm: int
    residual_ppm: int
    persistence_ppm: int
    common_ppm: int


@dataclass(frozen=True, slots=True)
class Deviations:
    """Deviations from the profile in ppm, int64[periods] each: known the day before, known shortly before the gate, and in the meter."""

    day_ahead_ppm: Integers
    updated_ppm: Integers
    metered_ppm: Integers


def standard_normals_ppm(seed: int, label: str, day: datetime.date, count: int) -> Integers:
    """Approximately standard normal variates times a million, int64[count], a pure function of the arguments."""
    digest = hashlib.sha256(label.encode()).digest()
    entropy = [seed, int.from_bytes(digest[:8], "little"), day.toordinal()]
    raw = np.random.PCG64(np.random.SeedSequence(entropy)).random_raw(count * _TERMS // 2)
    halves = np.stack([raw & np.uint64(0xFFFFFFFF), raw >> np.uint64(32)]).astype(np.int64)
    sums = halves.reshape(_TERMS, count).sum(axis=0)
    # The sum of twelve has mean 6 * (2**32 - 1) and standard deviation 2**32, nearly.
    return np.asarray(((sums - 6 * (2**32 - 1)) * PPM) >> 32, dtype=np.int64)


def autoregression_ppm(normals_ppm: Integers, deviation_ppm: int, persistence_ppm: int) -> Integers:
    """A stationary first-order autoregression with the given standard deviation, int64, shape of `normals_ppm`."""
    innovation_ppm = deviation_ppm * isqrt(PPM * PPM - persistence_ppm * persistence_ppm) // PPM
    values: list[int] = []
    for normal in normals_ppm.tolist():
        if values:
            values.append((persistence_ppm * values[-1] + innovation_ppm * normal) // PPM)
        else:
            values.append(deviation_ppm * normal // PPM)
    return np.array(values, dtype=np.int64)


def deviations(noise: NoiseClass, seed: int, member: str, kind: str, day: datetime.date, count: int) -> Deviations:
    """The deviations of one member (`kind`: load or generation) on one day."""
    own_ppm = isqrt(PPM * PPM - noise.common_ppm * noise.common_ppm)
    parts = []
    for part, deviation_ppm in (("plan", noise.plan_ppm), ("update", noise.update_ppm), ("residual", noise.residual_ppm)):
        own = standard_normals_ppm(seed, f"member/{member}/{kind}/{part}", day, count)
        common = standard_normals_ppm(seed, f"class/{noise.name}/{part}", day, count)
        normals = (noise.common_ppm * common + own_ppm * own) // PPM
        parts.append(autoregression_ppm(normals, deviation_ppm, noise.persistence_ppm))
    plan, update, residual = parts
    return Deviations(plan, plan + update, plan + update + residual)


def deviate(profile_wh: Integers, deviation_ppm: Integers, limit_wh: int) -> Integers:
    """The profile times 1 + deviation, rounded down to a Wh and kept in [0, limit_wh]; int64, shape of `profile_wh`."""
    return np.asarray(np.clip(profile_wh * (PPM + deviation_ppm) // PPM, 0, limit_wh), dtype=np.int64)
