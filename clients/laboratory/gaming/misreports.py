"""What a unilateral lie about one's limit gains under each mechanism, among traders of one lot each (`unit_traders`).

A truthful run and one for each lie share all draws: limits, who acts when, lots that a mechanism draws. A strategy-proof mechanism shows no gain from
any lie (Myerson and Satterthwaite 1983 for why not every mechanism can be one); the others show theirs.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.gaming.unit_traders import BUYER, SELLER, UnitWorld, unit_scenario, with_lie
from clients.laboratory.measures.misreporting import gain_tick_lots
from clients.laboratory.run.engine import simulate
from clients.laboratory.run.record import RunRecord
from clients.laboratory.scenario.model import Scenario
from clients.laboratory.statistics.intervals import LEVEL, Interval, mean_interval

Integers = NDArray[np.int64]

# How far a report stays on the liar's profitable side of its limit, and how far it goes beyond it.
SHADES_PPM: Final = (30_000, 100_000, -30_000)
LIARS: Final = {"buyer": BUYER, "seller": SELLER}
# A tick is 0.0001 CNY/kWh, and every market is for one lot.
_CNY_PER_MWH_OF_A_TICK: Final = 0.1

OnRun = Callable[[], None]


@dataclass(frozen=True, slots=True)
class MisreportGain:
    """Of one lie under one mechanism: profit gained in CNY per MWh that the liar wants, mean over markets with its interval. Each quarter-hour is a
    market: its limits are drawn apart, and nothing couples it with another. `most`: in one market.
    """

    mechanism: str
    liar: str
    shade_ppm: int
    gain: Interval
    most: float

    @property
    def verdict(self) -> str:
        """`gains` and `loses` where the interval says so."""
        if self.gain.low is None or self.gain.high is None:
            return "cannot be told"
        return "gains" if self.gain.low > 0 else "loses" if self.gain.high < 0 else "no difference"


def runs_of(mechanisms: Sequence[str], seeds: Sequence[int], shades_ppm: Sequence[int] = SHADES_PPM) -> int:
    """How many runs `misreports` plays."""
    return len(mechanisms) * len(seeds) * (1 + len(LIARS) * len(shades_ppm))


def misreports(
    scenario: Scenario,
    mechanisms: Sequence[str],
    seeds: Sequence[int],
    on_run: OnRun = lambda: None,
    level: float = LEVEL,
    shades_ppm: Sequence[int] = SHADES_PPM,
) -> Iterator[MisreportGain]:
    """Each lie under each mechanism, a mechanism as soon as it is played. `on_run` is called after each run."""
    for mechanism in mechanisms:
        by_seed = [_gains(unit_scenario(scenario, mechanism), seed, shades_ppm, on_run) for seed in seeds]
        for liar, shade_ppm in by_seed[0] if by_seed else ():
            gains = np.concatenate([found[liar, shade_ppm] for found in by_seed]) * _CNY_PER_MWH_OF_A_TICK
            yield MisreportGain(mechanism, liar, shade_ppm, mean_interval(gains.tolist(), level), float(gains.max()))


def _gains(scenario: Scenario, seed: int, shades_ppm: Sequence[int], on_run: OnRun) -> dict[tuple[str, int], Integers]:
    """Of each lie in one world, ticks in each market."""
    world = UnitWorld(scenario, seed)
    truthful = _play(scenario, seed, world, on_run)
    return {
        (liar, shade_ppm): gain_tick_lots(truthful, _play(with_lie(scenario, row, shade_ppm), seed, world, on_run), scenario.participants[row].id)
        for liar, row in LIARS.items()
        for shade_ppm in shades_ppm
    }


def _play(scenario: Scenario, seed: int, world: UnitWorld, on_run: OnRun) -> RunRecord:
    record = simulate(scenario, seed, world=world)
    on_run()
    return record
