"""ZIP against Cliff's rules written again in plain Python, over random sequences of shouts."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.laboratory.agents.interface import NO_QUOTE
from clients.laboratory.agents.kernels import begin_market, hear_shout, quote_price
from clients.laboratory.draws import more, unit
from matching.records import Side
from tests.clients.laboratory.agents.states import agent, shouts_of, view_of


class Cliff:
    """A trader of HPL-97-91 with prices as in the report: p = limit (1 + mu), mu at least 0 for a seller and from -1 to 0 for a buyer."""

    def __init__(self, side: Side, limit: int, beta: float, gamma: float, mu: float) -> None:
        self.side, self.limit, self.beta, self.gamma, self.change = side, limit, beta, gamma, 0.0
        self.mu = mu if side == Side.SELL else -mu

    @property
    def price(self) -> float:
        return self.limit * (1 + self.mu)

    def rounded(self) -> int:
        return math.ceil(self.price) if self.side == Side.SELL else math.floor(self.price)

    def hear(self, price: int, side: int, traded: int, bits: int, *, is_active: bool) -> None:
        relative, absolute = (scale * unit(np.uint64(more(np.uint64(bits), index))) for index, scale in enumerate((0.05, 5)))
        up, down = price * (1 + relative) + absolute, price * (1 - relative) - absolute
        bid, own = side == Side.BUY, self.rounded()
        if self.side == Side.SELL:
            if traded and own <= price:
                self.move(up)
            elif is_active and own >= price and (bid if traded else not bid):
                self.move(down)
        elif traded and own >= price:
            self.move(down)
        elif is_active and own <= price and (not bid if traded else bid):
            self.move(up)

    def move(self, target: float) -> None:
        self.change = self.gamma * self.change + (1 - self.gamma) * self.beta * (target - self.price)
        mu = (self.price + self.change) / self.limit - 1
        self.mu = max(mu, 0.0) if self.side == Side.SELL else min(max(mu, -1.0), 0.0)


@settings(max_examples=150)
@given(
    st.sampled_from(Side), st.integers(200, 1_500), st.integers(0, 2**32),
    st.lists(st.tuples(st.integers(100, 2_000), st.integers(0, 1), st.integers(0, 1), st.booleans()), max_size=30),
)  # fmt: skip
def test_margins_follow_the_report(side: Side, limit: int, seed: int, shouts: list[tuple[int, int, int, bool]]) -> None:
    trait, memory = agent("zip", seed)
    model = Cliff(side, limit, *(float(trait["p"][0, slot]) for slot in range(3)))
    begin_market(trait[0], memory[0], int(side), limit, np.uint64(0))
    quote_price(trait[0], memory[0], view_of()[0], shouts_of(), 0, int(side), limit, np.uint64(0))
    for number, (price, speaker, traded, is_active) in enumerate(shouts):
        hear_shout(trait[0], memory[0], shouts_of((price, speaker, traded))[0], int(side), limit if is_active else NO_QUOTE, np.uint64(number))
        model.hear(price, speaker, traded, number, is_active=is_active)
        assert abs(memory["x"][0, 0]) == pytest.approx(abs(model.mu), abs=1e-9)


def test_a_margin_stays_for_the_next_day_and_moves_with_the_limit() -> None:
    trait, memory = agent("zip")
    begin_market(trait[0], memory[0], int(Side.SELL), 1_000, np.uint64(0))
    margin = float(memory["x"][0, 0])
    begin_market(trait[0], memory[0], int(Side.SELL), 600, np.uint64(1))
    price = quote_price(trait[0], memory[0], view_of()[0], shouts_of(), 0, int(Side.SELL), 600, np.uint64(2))
    assert price == math.ceil(600 * (1 + margin))


def test_two_who_undercut_each_other_meet() -> None:
    """Without rounding before the comparison a lone trader would never hear its own quote as one to undercut."""
    trait, memory = agent("zip")
    begin_market(trait[0], memory[0], int(Side.SELL), 601, np.uint64(0))
    quotes = []
    for number in range(200):
        price = int(quote_price(trait[0], memory[0], view_of()[0], shouts_of(), 0, int(Side.SELL), 601, np.uint64(0)))
        hear_shout(trait[0], memory[0], shouts_of((price, int(Side.SELL), 0))[0], int(Side.SELL), 601, np.uint64(number))
        quotes.append(price)
    assert quotes[-1] == 601
