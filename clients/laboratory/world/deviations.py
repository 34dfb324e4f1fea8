"""How far loads, sun and wind are from their profiles on a day: the classes of noise of `clients.scenarios.noise`, from counter-based draws.

    deviation of series s = plan + update + residual
    each part = standard deviation of the class * a first-order autoregression over the quarter-hours of the day
    variates of it = common weight * the class's own variate + sqrt(1 - weight * weight) * the series' own

Every variate is a function of (seed, participant, quarter-hour since the epoch, part). An autoregression starts anew at each local midnight from its
stationary distribution, as in the demo: so a day can be made alone, on any process, and days are independent given their profiles, which is what
intervals over days assume. The price is a jump of the error at midnight.
"""

from dataclasses import dataclass
from math import isqrt
from typing import Final
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.draws import Purpose
from clients.laboratory.scenario.model import Participant, Scenario
from clients.laboratory.world import kernels
from clients.laboratory.world.forecasts import knowledge_of
from clients.scenarios.model import WH_PER_KW_QUARTER
from clients.scenarios.noise import NoiseClass
from exchange.errors import InputError
from exchange.units import PERIOD_NS, PPM

Integers = NDArray[np.int64]

# Far above any connection, so that profile * deviation still fits.
_NO_LIMIT_WH: Final = 10**12
# Streams of classes lie above all rows.
_CLASS_STREAMS: Final = 2**31


@dataclass(frozen=True, slots=True, eq=False)
class Deviations:
    """One day of one kind: `series` says whose they are; `parts_ppm` int64[S, PARTS + G, T] as `kernels.draw_deviations` fills it."""

    series: NDArray[np.void]
    parts_ppm: Integers


class Noise:
    """Deviations of all loads, or of all plants, of a scenario."""

    def __init__(self, scenario: Scenario, seed: int, purpose: Purpose) -> None:
        """`purpose`: LOAD or GENERATION. Raises InputError for a class of noise that the scenario does not have."""
        self._seed = np.uint64(seed)
        self._knowledge = knowledge_of(scenario.forecast)
        common = Purpose.COMMON_LOAD if purpose is Purpose.LOAD else Purpose.COMMON_GENERATION
        rows = [row for row, participant in enumerate(scenario.participants) if _noise_and_limit(participant, purpose)[0]]
        self._series = np.zeros(len(rows), dtype=kernels.SERIES).view(np.recarray)
        names: list[str] = []
        for place, row in enumerate(rows):
            name, limit_wh = _noise_and_limit(scenario.participants[row], purpose)
            if name not in scenario.noises:
                raise InputError(f"participant {scenario.participants[row].id}: noise {name!r}; expected one of {', '.join(scenario.noises)}")
            names = names if name in names else [*names, name]
            self._series[place] = _series(scenario.noises[name], row, purpose, names.index(name), limit_wh)
        self._shared = np.zeros(len(names), dtype=kernels.SHARED).view(np.recarray)
        self._shared["agent"] = [_CLASS_STREAMS + crc32(name.encode()) % _CLASS_STREAMS for name in names]
        self._shared["purpose"] = common

    def day(self, start_ns: Integers) -> Deviations:
        """The deviations of the quarter-hours of a local day, int64[T]."""
        depth = kernels.PARTS + len(self._knowledge)
        common = np.empty((len(self._shared), depth, len(start_ns)), dtype=np.int64)
        parts = np.empty((len(self._series), depth, len(start_ns)), dtype=np.int64)
        kernels.draw_deviations(self._seed, self._series, self._shared, self._knowledge, int(start_ns[0]) // PERIOD_NS, common, parts)
        return Deviations(self._series, parts)


def _noise_and_limit(participant: Participant, purpose: Purpose) -> tuple[str, int]:
    """Name of the class of noise, empty where there is nothing of the kind, and the most that can be metered; a connection of 0 is no limit."""
    if purpose is Purpose.LOAD:
        limit_kw = participant.connection_kw
        return (participant.load.noise if participant.load else "", limit_kw * WH_PER_KW_QUARTER or _NO_LIMIT_WH)
    if participant.generation is None:
        return "", 0
    return participant.generation.noise, participant.generation.peak_kw * WH_PER_KW_QUARTER


def _series(noise: NoiseClass, row: int, purpose: Purpose, shared: int, limit_wh: int) -> tuple[int, ...]:
    own_ppm = isqrt(PPM * PPM - noise.common_ppm * noise.common_ppm)
    innovation_ppm = isqrt(PPM * PPM - noise.persistence_ppm * noise.persistence_ppm)
    spread = noise.plan_ppm, noise.update_ppm, noise.residual_ppm
    return (row, purpose, shared, own_ppm, noise.common_ppm, noise.persistence_ppm, innovation_ppm, *spread, limit_wh)
