"""Smith 1962, test 1: prices of a double auction converge to the competitive equilibrium within a few periods.

Paper: V. L. Smith, "An experimental study of competitive market behavior", Journal of Political Economy 70 (1962), chart 1 and table 1: students,
eleven buyers and eleven sellers with a unit a period, equilibrium price 2.00 and six units. Published: the coefficient of convergence alpha of each
period. These alphas and the students' mean price of the last period stand here from memory, not read from the paper. Traders of a program differ from
students, so that the periods are reported and the gate is what Smith concludes: by the last period prices lie as close to the equilibrium as the
students' did in their second, their mean within 5 percent of it, and about its number of units trades.
"""

from typing import Final

from clients.laboratory.reproduce.result import Line, Reproduction, at_most, reported
from clients.laboratory.reproduce.sessions import Floor, mean_of_days, run_sessions
from clients.laboratory.reproduce.zip import market_of

ALPHA_PERCENT: Final = (11.8, 8.1, 5.2, 5.5, 3.5)
PRICE: Final = 2.00
VOLUME: Final = 6
_PRICE_DISTANCE: Final = 0.03  # of the students' last period, mean price 2.03
_VOLUME_DISTANCE: Final = 0
LEARNERS: Final = ("zip", "gdx", "aa")
FLOOR: Final = Floor(low_ticks=1, high_ticks=400, n_turns=1_000)
_PRICE_TOLERANCE: Final = 0.10
_VOLUME_TOLERANCE: Final = 1.0


def reproduce(seed: int, *, is_quick: bool = False) -> Reproduction:
    """Each learning population, and ZI-C beside them."""
    count = 10 if is_quick else 50
    seeds = [seed + session for session in range(count)]
    lines = [line for name in (*LEARNERS, "zi_c") for line in _lines_of(name, seeds, is_gated=name in LEARNERS)]
    return Reproduction(
        "smith", "Smith 1962, test 1", f"{count} sessions of {len(ALPHA_PERCENT)} periods, 11 buyers and 11 sellers, equilibrium {PRICE:.2f}",
        tuple(lines),
        (
            "The published alphas and the distance of the last mean price are quoted from memory and were not checked against the paper.",
            "Published are one group of students; a population is the mean of its sessions. ZI-C does not learn and has no gate.",
        ),
    )  # fmt: skip


def _lines_of(name: str, seeds: list[int], *, is_gated: bool) -> list[Line]:
    sessions = run_sessions(name, [market_of()] * len(ALPHA_PERCENT), FLOOR, seeds)
    alpha, price, volume = (mean_of_days(part) for part in (sessions.alpha_percent, sessions.mean_price_ticks / 100.0, sessions.volume))
    lines = [reported(f"{name}: alpha of period {day + 1}, %", published, float(alpha[day])) for day, published in enumerate(ALPHA_PERCENT)]
    if not is_gated:
        return lines
    last = len(ALPHA_PERCENT)
    return [
        *lines[:-1],
        at_most(f"{name}: alpha of period {last}, %", ALPHA_PERCENT[-1], float(alpha[-1]), ALPHA_PERCENT[1]),
        at_most(f"{name}: period {last}'s mean price from {PRICE:.2f}", _PRICE_DISTANCE, abs(float(price[-1]) - PRICE), _PRICE_TOLERANCE, 3),
        at_most(f"{name}: period {last}'s units from {VOLUME}", _VOLUME_DISTANCE, abs(float(volume[-1]) - VOLUME), _VOLUME_TOLERANCE),
    ]
