"""Gode and Sunder 1993: without any intelligence the double auction finds nearly all gains from trade, as long as nobody trades at a loss.

Paper: D. K. Gode and S. Sunder, "Allocative efficiency of markets with zero-intelligence traders: market as a partial substitute for individual
rationality", Journal of Political Economy 101 (1993), tables 1 and 2. It gives demand and supply as figures; the steps here were read off them. Six
buyers and six sellers have a unit for each step. That each ZI-U market ends with all units traded follows from the published efficiencies: they are
exactly what remains of the gains from trade then. How many prices were said in a period of 30 seconds is not published.
"""

from typing import Final

from clients.laboratory.agents.experiment import Induced
from clients.laboratory.reproduce.induced import equilibrium_of
from clients.laboratory.reproduce.result import Line, Reproduction, at_least, at_most, near, reported
from clients.laboratory.reproduce.sessions import Floor, run_sessions

TRADERS_A_SIDE: Final = 6
LOW_TICKS: Final = 1
HIGH_TICKS: Final = 200
TURNS: Final = 2_000
DAYS: Final = 6  # periods of a market

# Market: steps of demand, steps of supply, published efficiency of ZI-C and ZI-U, published dispersion of profits of ZI-C.
MARKETS: Final = {
    1: ((102, 97, 92, 87, 83, 78), (34, 46, 58, 70, 83, 95), 99.9, 90.0, 28.53),
    2: ((117, 105, 93, 82, 69, 57), (49, 54, 59, 65, 69, 74), 99.2, 90.0, 49.81),
    3: ((134, 95, 90), (91, 95, 100), 99.0, 76.7, 15.90),
    4: ((180, 175, 170, 165, 160), (90, 140, 170, 190, 199), 98.2, 48.8, 60.47),
}
_GATE_PERCENT: Final = 97.0
_ALL_UNITS_TOLERANCE: Final = 0.1
_FAR_BELOW: Final = 5.0


def market_of(number: int) -> Induced:
    """Values and costs of one of the four markets."""
    demand, supply = MARKETS[number][:2]
    return Induced.of([list(demand)] * TRADERS_A_SIDE, [list(supply)] * TRADERS_A_SIDE)


def reproduce(seed: int, *, is_quick: bool = False) -> Reproduction:
    """Efficiency and dispersion of markets 1 to 4."""
    sessions = 5 if is_quick else 50
    lines = [line for number in MARKETS for line in _lines_of(number, [seed + session for session in range(sessions)])]
    return Reproduction(
        "gode-sunder", "Gode and Sunder 1993",
        f"{sessions} sessions of {DAYS} periods, at most {TURNS} prices a period, prices {LOW_TICKS} to {HIGH_TICKS}, book cleared after a trade",
        tuple(lines),
        (
            "Market 5 (published: ZI-C 97.1 %, ZI-U 86.0 %, dispersion 19.07) is not run: its schedules could not be read off the figure.",
            "The paper does not say how many prices were said in a period, on which ZI-C's figures depend: they have a floor, no target.",
        ),
    )  # fmt: skip


def _lines_of(number: int, seeds: list[int]) -> list[Line]:
    induced, (published, published_unconstrained, published_dispersion) = market_of(number), MARKETS[number][2:]
    floor = Floor(LOW_TICKS, HIGH_TICKS, TURNS)
    constrained, unconstrained = (run_sessions(name, [induced] * DAYS, floor, seeds) for name in ("zi_c", "zi_u"))
    efficiency, without = float(constrained.efficiency_percent.mean()), float(unconstrained.efficiency_percent.mean())
    what = f"market {number}, price {float(equilibrium_of(induced).price_ticks):g}"
    return [
        at_least(f"{what}: efficiency of ZI-C, %", published, efficiency, _GATE_PERCENT),
        near(f"{what}: efficiency of ZI-U, %", published_unconstrained, without, _ALL_UNITS_TOLERANCE),
        at_most(f"{what}: ZI-U less ZI-C, points", round(published_unconstrained - published, 1), without - efficiency, -_FAR_BELOW),
        reported(f"{what}: profit dispersion of ZI-C", published_dispersion, float(constrained.dispersion_ticks.mean())),
        reported(f"{what}: profit dispersion of ZI-U", None, float(unconstrained.dispersion_ticks.mean())),
    ]
