"""Random views, histories and agents of each population, for hypothesis."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st

from clients.laboratory.agents.catalogue import trait_of
from clients.laboratory.agents.interface import MEMORY, SHOUT, SHOUTS_KEPT, TRAIT, VIEW
from clients.laboratory.scenario.model import AgentChoice
from matching.state import make_records

PRICE = st.integers(0, 3_000)


def agent(name: str, seed: int = 1, row: int = 0, parameters: Mapping[str, int] | None = None) -> tuple[np.ndarray, np.ndarray]:
    """One trait and one empty memory, as arrays that kernels take items of."""
    trait = make_records(TRAIT, 1)
    trait[0] = trait_of(AgentChoice(name=name, parameters=parameters or {}), seed, row, "test")[0]
    return trait, make_records(MEMORY, 1)


def view_of(**fields: float) -> np.ndarray:
    """A view of an empty book in a band from 100 to 2000; `fields` replace what they name."""
    view = make_records(VIEW, 1)
    values = {
        "bid_ticks": -1, "ask_ticks": -1, "last_ticks": -1, "low_ticks": 100, "high_ticks": 2000, "anchor_low_ticks": 300, "anchor_high_ticks": 900,
        "rounds_left": 5, "tick_step": 1, "time_left": 0.5,
    }  # fmt: skip
    for name, value in {**values, **fields}.items():
        view[name] = value
    return view


def shouts_of(*rows: tuple[int, int, int]) -> np.ndarray:
    """A ring of shouts (price, side, traded), the rest empty."""
    history = make_records(SHOUT, SHOUTS_KEPT)
    for place, (price, side, traded) in enumerate(rows):
        history["price_ticks"][place], history["side"][place], history["traded"][place] = price, side, traded
        history["bid_ticks"][place] = history["ask_ticks"][place] = -1
    return history


@dataclass(frozen=True)
class State:
    """All that a quote depends on besides the agent."""

    view: np.ndarray
    history: np.ndarray = field(repr=False)
    n_shouts: int
    side: int
    limit_ticks: int
    bits: np.uint64


@st.composite
def states(draw: st.DrawFn) -> State:
    low = draw(st.integers(0, 500))
    high = draw(st.integers(low, 2_500))
    anchor = sorted((draw(PRICE), draw(PRICE)))
    maybe = st.one_of(st.just(-1), st.integers(low, high))
    view = view_of(
        bid_ticks=draw(maybe), ask_ticks=draw(maybe), last_ticks=draw(maybe), low_ticks=low, high_ticks=high, anchor_low_ticks=anchor[0],
        anchor_high_ticks=anchor[1], rounds_left=draw(st.integers(1, 30)), tick_step=draw(st.sampled_from([1, 2, 7, 50, 600])),
        position_lots=draw(st.integers(-5_000, 5_000)), time_left=draw(st.floats(0, 1)),
    )  # fmt: skip
    rows = draw(st.lists(st.tuples(st.integers(low, high), st.integers(0, 1), st.integers(0, 1)), max_size=12))
    bits = np.uint64(draw(st.integers(0, 2**64 - 1)))
    return State(view, shouts_of(*rows), len(rows), draw(st.integers(0, 1)), draw(PRICE), bits)
