"""GDX: beliefs counted by hand and by a naive model, the dynamic program against exhaustive search."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.laboratory.agents.gdx import belief
from clients.laboratory.agents.kernels import begin_market, quote_price
from matching.compile import kernel
from matching.records import Side
from tests.clients.laboratory.agents.states import State, agent, shouts_of, states, view_of

BUY, SELL = int(Side.BUY), int(Side.SELL)
SHOUTS = ((600, SELL, 0), (500, BUY, 0), (560, BUY, 0), (560, SELL, 1), (700, SELL, 0), (640, BUY, 1))


@kernel
def call_belief(view, history, n_shouts, window, side, price, last_quote=-1):
    return belief(view, history, n_shouts, window, side, price, last_quote)


@pytest.mark.parametrize(
    ("side", "price", "chance"),
    [
        # At 560: one trade, its maker's bid is not rejected; the taker's offer counts, too. Prior: (560 - 300) / 600.
        (BUY, 560, (2 + 260 / 600) / (2 + 1)),
        # At 500: nothing at or below, one bid of 500 and none other rejected.
        (BUY, 500, (0 + 200 / 600) / (0 + 1 + 1)),
        # At 640: both trades, the offers at 600 and of the taker.
        (BUY, 640, (4 + 340 / 600) / (4 + 1)),
        # A seller at 640: the trade at 640 and its taker's bid; of the offers at or below only the one at 600 took no part in a trade.
        (SELL, 640, (2 + 260 / 600) / (2 + 0 + 1)),
        (SELL, 700, (0 + 200 / 600) / (0 + 1 + 1)),
    ],
)
def test_beliefs_counted_by_hand(side: int, price: int, chance: float) -> None:
    assert call_belief(view_of()[0], shouts_of(*SHOUTS), len(SHOUTS), len(SHOUTS), side, price) == pytest.approx(chance)


@pytest.mark.parametrize(
    ("side", "price", "chance"), [(BUY, 650, 1.0), (BUY, 651, 1.0), (BUY, 550, 0.0), (SELL, 550, 1.0), (SELL, 650, 0.0), (SELL, 700, 0.0)]
)
def test_standing_quotes_settle_a_belief(side: int, price: int, chance: float) -> None:
    view = view_of(bid_ticks=550, ask_ticks=650)
    assert call_belief(view[0], shouts_of(*SHOUTS), len(SHOUTS), len(SHOUTS), side, price) == chance


def test_a_best_quote_of_ones_own_need_not_be_improved_on() -> None:
    history, view = shouts_of(*SHOUTS), view_of(bid_ticks=560, ask_ticks=650)
    others, own = (call_belief(view[0], history, len(SHOUTS), len(SHOUTS), BUY, 560, last) for last in (-1, 560))
    assert others == 0.0
    assert own == call_belief(view_of(ask_ticks=650)[0], history, len(SHOUTS), len(SHOUTS), BUY, 560)


ROWS = st.lists(st.tuples(st.integers(100, 1_500), st.integers(0, 1), st.integers(0, 1)), max_size=8)


@settings(max_examples=60)
@given(ROWS, st.integers(0, 1))
def test_beliefs_never_fall_with_a_better_price(rows: list[tuple[int, int, int]], side: int) -> None:
    """Where each trade took a quote that was heard before."""
    heard = [shout for price, speaker, traded in rows for shout in ((price, 1 - speaker, 0), (price, speaker, 1))[1 - traded :]]
    view, history = view_of(), shouts_of(*heard)
    prices = range(50, 2_000, 37)[:: 1 if side == BUY else -1]
    chances = [call_belief(view[0], history, len(heard), len(heard), side, price) for price in prices]
    assert all(0.0 <= chance <= 1.0 for chance in chances)
    assert all(later >= earlier - 1e-12 for earlier, later in itertools.pairwise(chances))


def test_a_quote_that_is_left_after_a_trade_was_not_accepted() -> None:
    history = shouts_of((500, BUY, 0), (500, SELL, 1))
    chances = []
    for left in (-1, 500):
        history["bid_ticks"][1] = left
        chances.append(call_belief(view_of()[0], history, 2, 2, BUY, 450))
    assert chances == pytest.approx([150 / 600, 150 / 600 / 2])


def expected_value(prices: list[int], state: State, first: int, discount: float) -> float:
    """Expected profit of quoting `first` now and the best of `prices` in each later round, by recursion."""
    sign = 1 if state.side == BUY else -1

    def chance(price: int) -> float:
        return float(call_belief(state.view[0], state.history, state.n_shouts, state.n_shouts, state.side, price))

    def value(rounds: int) -> float:
        return 0.0 if rounds == 0 else max([0.0, *(step(price, rounds) for price in prices)])

    def step(price: int, rounds: int) -> float:
        won = chance(price)
        return won * sign * (state.limit_ticks - price) + (1 - won) * discount * value(rounds - 1)

    return step(first, int(state.view["rounds_left"][0]))


@settings(max_examples=60, deadline=None)
@given(states())
def test_no_other_price_is_worth_more(state: State) -> None:
    """The quote against all prices of a coarse band. Between candidates only the prior rises, by which a quote may lose a little."""
    state.view["rounds_left"], state.view["tick_step"] = min(int(state.view["rounds_left"][0]), 3), 50
    state.history["price_ticks"] -= state.history["price_ticks"] % 50
    for name in ("bid_ticks", "ask_ticks"):
        state.view[name] -= state.view[name] % 50 if state.view[name][0] >= 0 else 0
    trait, memory = agent("gdx")
    quoted = int(quote_price(trait[0], memory[0], state.view[0], state.history, state.n_shouts, state.side, state.limit_ticks, np.uint64(0)))
    low, high = (int(state.view[name][0]) for name in ("low_ticks", "high_ticks"))
    sign = 1 if state.side == BUY else -1
    within = [price for price in range(-(-low // 50) * 50, high + 1, 50) if sign * (state.limit_ticks - price) >= 0]
    if not within:
        return
    values = [expected_value(within, state, price, 0.9) for price in within]
    assert expected_value(within, state, quoted, 0.9) >= 0.9 * max(values) - 1e-9


def test_who_has_more_rounds_left_asks_for_more() -> None:
    trait, memory = agent("gdx")
    history = shouts_of(*SHOUTS)
    views = [view_of(rounds_left=rounds) for rounds in (1, 3, 10, 40)]
    quotes = [int(quote_price(trait[0], memory[0], view[0], history, len(SHOUTS), SELL, 400, np.uint64(0))) for view in views]
    assert quotes == sorted(quotes)
    assert quotes[0] < quotes[-1]


def test_a_quote_that_is_best_stays_where_it_is() -> None:
    trait, memory = agent("gdx")
    begin_market(trait[0], memory[0], BUY, 900, np.uint64(0))
    history = shouts_of(*SHOUTS)

    def ask(bid_ticks: int) -> int:
        view = view_of(bid_ticks=bid_ticks, ask_ticks=800)
        return int(quote_price(trait[0], memory[0], view[0], history, len(SHOUTS), BUY, 900, np.uint64(0)))

    first = ask(-1)
    assert ask(first) == first
    begin_market(trait[0], memory[0], BUY, 900, np.uint64(1))  # a new day: the quote is somebody else's
    assert ask(first) > first
