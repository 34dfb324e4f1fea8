"""Draws, and days of each population in a small market, as text: `python -m tests.clients.laboratory.plain`."""


import numpy as np

from clients.laboratory.agents.catalogue import CATALOGUE, trait_of
from clients.laboratory.agents.experiment import Experiment, Induced
from clients.laboratory.agents.interface import NOT_COMPILED, TRAIT
from clients.laboratory.draws import Purpose, below, between, bits, more, normal_ppm, unit
from clients.laboratory.scenario.model import AgentChoice
from matching.state import make_records

INDUCED = Induced.of([[90, 120], [110], [70, 80, 60]], [[50, 30], [75], [85, 40]])
WORDS = (0, 1, 2**32 - 1, 2**63, 2**64 - 1)


def drawn() -> str:
    """Raw bits at the corners of their counters, and what is made of them."""
    raws = [
        np.uint64(bits(np.uint64(seed), agent, int(Purpose.LOAD), period, 3)) for seed in WORDS for agent in (0, 2**32 - 1) for period in (0, 2**31)
    ]
    made = [(int(more(raw, 5)), int(below(raw, 2**31)), int(between(raw, -7, 9)), float(unit(raw)), int(normal_ppm(raw))) for raw in raws]
    return f"{[int(raw) for raw in raws]} {made}"


def traded(name: str) -> str:
    """Deals of two days."""
    traits = make_records(TRAIT, len(INDUCED.sides))
    for row in range(len(traits)):
        traits[row] = trait_of(AgentChoice(name=name), 4, row, "test")[0]
    experiment = Experiment(traits, 4, 10, 150, 50, is_cleared=False)
    return f"{name} {[experiment.trade(INDUCED).tolist() for _ in range(2)]}"


def lines() -> str:
    """All of it."""
    return "\n".join([drawn(), *(traded(name) for name, entry in CATALOGUE.items() if entry.kind != NOT_COMPILED)])


if __name__ == "__main__":
    with np.errstate(over="ignore"):  # as in conftest.py
        print(lines())
