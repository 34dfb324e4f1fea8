"""What holds for the prices of all populations, over random states; and what each rule says in cases that can be reckoned by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.laboratory.agents.catalogue import CATALOGUE
from clients.laboratory.agents.interface import NO_QUOTE, NOT_COMPILED, Population
from clients.laboratory.agents.kernels import begin_market, hear_shout, quote_price
from matching.records import Side
from tests.clients.laboratory.agents.states import State, agent, shouts_of, states, view_of

NAMES = [entry.name for entry in CATALOGUE.values() if entry.kind != NOT_COMPILED]
RATIONAL = [name for name in NAMES if CATALOGUE[name].is_rational]
BITS = np.uint64(12345)


def play(name: str, state: State, seed: int) -> int:
    """A market begun, its shouts heard, a price quoted."""
    trait, memory = agent(name, seed)
    begin_market(trait[0], memory[0], state.side, state.limit_ticks, state.bits)
    quote_price(trait[0], memory[0], state.view[0], state.history, 0, state.side, state.limit_ticks, state.bits)
    for place in range(state.n_shouts):
        hear_shout(trait[0], memory[0], state.history[place], state.side, state.limit_ticks, state.bits)
    return int(quote_price(trait[0], memory[0], state.view[0], state.history, state.n_shouts, state.side, state.limit_ticks, state.bits))


def test_every_population_has_a_name() -> None:
    assert {CATALOGUE[name].kind for name in NAMES} == set(Population)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60)
@given(states(), st.integers(0, 2**64 - 1))
def test_prices_are_steps_of_the_band_and_make_no_loss(name: str, state: State, seed: int) -> None:
    price = play(name, state, seed)
    view = state.view[0]
    if price == NO_QUOTE:
        return
    assert price % view["tick_step"] == 0
    assert view["low_ticks"] <= price <= view["high_ticks"]
    if name in RATIONAL:
        assert price <= state.limit_ticks if state.side == Side.BUY else price >= state.limit_ticks


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=20)
@given(states(), st.integers(0, 2**64 - 1))
def test_the_same_bits_give_the_same_price(name: str, state: State, seed: int) -> None:
    assert play(name, state, seed) == play(name, state, seed)


@pytest.mark.parametrize("name", RATIONAL)
@pytest.mark.parametrize(("side", "limit"), [(Side.BUY, 99), (Side.SELL, 2001)])
def test_who_cannot_trade_without_loss_is_silent(name: str, side: Side, limit: int) -> None:
    trait, memory = agent(name)
    begin_market(trait[0], memory[0], int(side), limit, BITS)
    assert quote_price(trait[0], memory[0], view_of()[0], shouts_of(), 0, int(side), limit, BITS) == NO_QUOTE


def quote(name: str, side: Side, limit: int, view: np.ndarray, parameters: dict[str, int] | None = None) -> int:
    trait, memory = agent(name, parameters=parameters)
    begin_market(trait[0], memory[0], int(side), limit, BITS)
    return int(quote_price(trait[0], memory[0], view[0], shouts_of(), 0, int(side), limit, BITS))


@pytest.mark.parametrize(
    ("name", "side", "limit", "view", "parameters", "price"),
    [
        ("truthful", Side.BUY, 777, {}, {}, 777),
        ("truthful", Side.BUY, 777, {"tick_step": 10}, {}, 770),
        ("truthful", Side.SELL, 777, {"tick_step": 10}, {}, 780),
        ("truthful", Side.BUY, 5_000, {}, {}, 2_000),
        ("truthful", Side.SELL, 5, {"tick_step": 30}, {}, 120),
        ("price_taker", Side.BUY, 777, {"ask_ticks": 600}, {}, 600),
        ("price_taker", Side.SELL, 777, {"ask_ticks": 600, "bid_ticks": 800}, {}, 800),
        ("price_taker", Side.BUY, 777, {"ask_ticks": 800}, {}, NO_QUOTE),
        ("price_taker", Side.BUY, 777, {"ask_ticks": 800, "rounds_left": 1}, {}, 777),
        ("price_taker", Side.BUY, 777, {"ask_ticks": 800, "rounds_left": 1}, {"limit_at_last": 0}, NO_QUOTE),
        ("price_taker", Side.BUY, 777, {"last_ticks": 500}, {}, 500),
        ("price_taker", Side.BUY, 777, {}, {}, 600),
        ("strategic", Side.BUY, 1_000, {}, {"shade_ppm": 200_000}, 800),
        ("strategic", Side.SELL, 1_000, {}, {"shade_ppm": 200_000}, 1_200),
        ("strategic", Side.SELL, 1_000, {}, {"shade_ppm": -200_000}, 800),
        # gamma 0.001, sigma 200, kappa 0.01, half of the time left: risk 20 per unit; half spread 10 + ln(1.1) / 0.001 = 105.31.
        ("market_maker", Side.BUY, 2_000, {"bid_ticks": 500, "ask_ticks": 700}, {}, 494),
        ("market_maker", Side.SELL, 100, {"bid_ticks": 500, "ask_ticks": 700}, {}, 706),
        ("market_maker", Side.SELL, 100, {"bid_ticks": 500, "ask_ticks": 700, "position_lots": 2_000}, {}, 666),
        ("market_maker", Side.BUY, 480, {"bid_ticks": 500, "ask_ticks": 700}, {}, 480),
    ],
)  # fmt: skip
def test_prices_reckoned_by_hand(name: str, side: Side, limit: int, view: dict[str, int], parameters: dict[str, int], price: int) -> None:
    assert quote(name, side, limit, view_of(**view), parameters) == price


@pytest.mark.parametrize(("name", "low", "high"), [("zi_u", 100, 160), ("zi_c", 100, 130)])
def test_zero_intelligence_draws_each_price_alike(name: str, low: int, high: int) -> None:
    trait, memory = agent(name)
    view = view_of(low_ticks=95, high_ticks=165, tick_step=10)
    rng = np.random.default_rng(7)
    draws = [quote_price(trait[0], memory[0], view[0], shouts_of(), 0, 0, 139, bits) for bits in rng.integers(0, 2**64, 7_000, np.uint64)]
    values, counts = np.unique(draws, return_counts=True)
    assert values.tolist() == list(range(low, high + 1, 10))
    assert abs(counts / len(draws) * len(values) - 1).max() < 0.15
