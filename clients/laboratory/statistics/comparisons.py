"""Many questions at once: adjusted p values, the share of false alarms of a procedure, signs that hold for every population."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from scipy.special import betaincinv

from clients.laboratory.statistics.intervals import Interval

# A conclusion needs as many populations as this to be called robust.
POPULATIONS_MIN: Final = 3


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p values in the sequence given (Holm 1979, "A simple sequentially rejective multiple test procedure"): reject those at or below the
    level, and the chance of a single false rejection stays at it, whatever depends on whatever.
    """
    n = len(p_values)
    adjusted, running = [0.0] * n, 0.0
    for rank, place in enumerate(sorted(range(n), key=lambda place: p_values[place])):
        running = max(running, min(1.0, (n - rank) * p_values[place]))
        adjusted[place] = running
    return adjusted


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """Alarms of `trials` questions whose answer is no; `low` and `high` hold the true share with 95% (Clopper and Pearson 1934)."""

    alarms: int
    trials: int
    low: float
    high: float

    @property
    def share(self) -> float:
        return self.alarms / self.trials

    def within(self, level: float) -> bool:
        """Whether the procedure may keep to `level`: the trials do not contradict it."""
        return self.low <= level


def false_alarms(alarm: Callable[[int], bool], trials: int) -> FalseAlarms:
    """Ask `alarm(trial)` for trials 0, 1, ...: each compares two rules that are the same, on seeds of its own. Raises ValueError without a trial."""
    if trials < 1:
        raise ValueError("a null test needs at least one trial")
    alarms = sum(alarm(trial) for trial in range(trials))
    low = float(betaincinv(alarms, trials - alarms + 1, 0.025)) if alarms else 0.0
    high = float(betaincinv(alarms + 1, trials - alarms, 0.975)) if alarms < trials else 1.0
    return FalseAlarms(alarms, trials, low, high)


class Robustness(Enum):
    ROBUST = "robust"  # one sign, and every population's interval excludes zero
    BEHAVIOUR = "depends on behaviour"  # somewhere the interval holds zero, or the sign is another
    UNTRIED = "too few populations"


def sign_over_populations(intervals: Mapping[str, Interval], needed: int = POPULATIONS_MIN) -> Robustness:
    """Whether a difference has the same sign for at least `needed` populations, each beyond doubt."""
    if len(intervals) < needed:
        return Robustness.UNTRIED
    signs = {_sign(interval) for interval in intervals.values()}
    return Robustness.ROBUST if signs in ({1}, {-1}) else Robustness.BEHAVIOUR


def _sign(interval: Interval) -> int:
    """1 or -1 where the whole interval has that sign, else 0."""
    if not interval.excludes_zero or interval.low is None:
        return 0
    return 1 if interval.low > 0 else -1
