"""The induced-value market against one written in plain Python with lists, and what must hold of every day."""

from collections import deque

import numpy as np
import pytest

from clients.laboratory.agents.catalogue import trait_of
from clients.laboratory.agents.experiment import DEAL, Experiment, Induced
from clients.laboratory.agents.interface import MEMORY, NO_QUOTE, SHOUT, SHOUTS_KEPT, TRAIT, VIEW
from clients.laboratory.agents.kernels import begin_market, hear_shout, quote_price
from clients.laboratory.draws import EVERYBODY, Purpose, below, bits
from clients.laboratory.scenario.model import AgentChoice
from matching.records import Side
from matching.state import make_records

INDUCED = Induced.of([[90, 120], [110], [70, 80, 60]], [[50, 30], [75], [85, 40]])
LOW, HIGH, TURNS = 10, 150, 60


def population(name: str, seed: int, n: int) -> np.ndarray:
    traits = make_records(TRAIT, n)
    for row in range(n):
        traits[row] = trait_of(AgentChoice(name=name), seed, row, "test")[0]
    return traits


class Naive:
    """One day after the other: quotes as a dict from side to (price, trader)."""

    def __init__(self, name: str, seed: int, *, is_cleared: bool, is_open: bool) -> None:
        self.traits, self.seed = population(name, seed, len(INDUCED.sides)), np.uint64(seed)
        self.memories = make_records(MEMORY, len(self.traits))
        self.is_cleared, self.is_open, self.last, self.day = is_cleared, is_open, -1, 0
        self.shouts: deque[np.ndarray] = deque(maxlen=SHOUTS_KEPT)
        self.n_shouts = 0

    def raw(self, trader: int, purpose: Purpose, index: int) -> np.uint64:
        return np.uint64(bits(self.seed, trader, int(purpose), self.day, index))

    def trade(self) -> list[tuple[int, ...]]:
        units = [list(map(int, row[:count])) for row, count in zip(INDUCED.limits_ticks, INDUCED.n_units, strict=True)]
        sides = [int(side) for side in INDUCED.sides]
        book: dict[int, tuple[int, int]] = {}
        deals: list[tuple[int, ...]] = []
        for trader, own in enumerate(units):
            begin_market(self.traits[trader], self.memories[trader], sides[trader], own[0], self.raw(trader, Purpose.BEGIN, 0))
        for turn in range(TURNS):
            active = [trader for trader, own in enumerate(units) if own]
            if {sides[trader] for trader in active} != {0, 1}:
                break
            trader = active[int(below(self.raw(EVERYBODY, Purpose.SEQUENCE, turn), len(active)))]
            side, other = sides[trader], 1 - sides[trader]
            price = self.ask(trader, side, units, book, len(deals), turn)
            if price == NO_QUOTE:
                continue
            sign = 1 if side == Side.BUY else -1
            if other in book and sign * (price - book[other][0]) >= 0:
                self.last, partner = book[other]
                pair = {side: trader, other: partner}
                deals.append((turn, pair[0], pair[1], self.last, side, units[pair[0]].pop(0), units[pair[1]].pop(0)))
                kept = {} if self.is_cleared else {side: quote for side, quote in book.items() if quote[1] not in pair.values()}
                book.clear()
                book.update(kept)
                self.tell(self.last, side, 1, units, book)
                continue
            improves = side not in book or sign * (price - book[side][0]) > 0
            if improves:
                book[side] = (price, trader)
            if improves or self.is_open:
                self.tell(price, side, 0, units, book)
        self.day += 1
        return deals

    def ask(self, trader: int, side: int, units: list[list[int]], book: dict[int, tuple[int, int]], n_trades: int, turn: int) -> int:
        view, done = make_records(VIEW, 1), int(INDUCED.n_units[trader]) - len(units[trader])
        values = {
            "bid_ticks": book.get(0, (-1,))[0], "ask_ticks": book.get(1, (-1,))[0], "last_ticks": self.last, "n_trades": n_trades, "low_ticks": LOW,
            "high_ticks": HIGH, "anchor_low_ticks": LOW, "anchor_high_ticks": HIGH, "tick_step": 1, "position_lots": done * (1 - 2 * side),
            "rounds_left": -(-(TURNS - turn) // len(units)), "time_left": 1 - turn / TURNS,
        }  # fmt: skip
        for name, value in values.items():
            view[name] = value
        ring = make_records(SHOUT, SHOUTS_KEPT)
        for number, shout in enumerate(self.shouts):
            ring[(self.n_shouts - len(self.shouts) + number) % SHOUTS_KEPT] = shout
        arguments = (self.traits[trader], self.memories[trader], view[0], ring, self.n_shouts, side, units[trader][0])
        return int(quote_price(*arguments, self.raw(trader, Purpose.PRICE, turn)))

    def tell(self, price: int, side: int, traded: int, units: list[list[int]], book: dict[int, tuple[int, int]]) -> None:
        shout = make_records(SHOUT, 1)
        shout[0] = (price, side, traded, 1, book.get(0, (-1,))[0], book.get(1, (-1,))[0])
        for trader, own in enumerate(units):
            arguments = (self.traits[trader], self.memories[trader], shout[0], int(INDUCED.sides[trader]), own[0] if own else NO_QUOTE)
            hear_shout(*arguments, self.raw(trader, Purpose.HEAR, self.n_shouts))
        self.shouts.append(shout[0].copy())
        self.n_shouts += 1


@pytest.mark.parametrize("is_open", [True, False])
@pytest.mark.parametrize("is_cleared", [True, False])
@pytest.mark.parametrize("name", ["zi_c", "zip", "gdx", "aa"])
def test_days_are_those_of_the_plain_market(name: str, *, is_cleared: bool, is_open: bool) -> None:
    experiment = Experiment(population(name, 5, len(INDUCED.sides)), 5, LOW, HIGH, TURNS, is_cleared=is_cleared, is_open=is_open)
    naive = Naive(name, 5, is_cleared=is_cleared, is_open=is_open)
    fields = ["turn", "buyer", "seller", "price_ticks", "taker_side", "buyer_limit_ticks", "seller_limit_ticks"]
    for day in range(4):
        deals = experiment.trade(INDUCED)
        assert [tuple(int(deal[field]) for field in fields) for deal in deals] == naive.trade()
        assert (deals["day"] == day).all()


def test_rational_traders_gain_and_units_go_best_first() -> None:
    deals = np.concatenate([Experiment(population("zi_c", seed, 6), seed, LOW, HIGH, 300).trade(INDUCED) for seed in range(20)])
    assert deals.dtype == DEAL
    assert len(deals) > 50
    assert (deals["buyer_limit_ticks"] >= deals["price_ticks"]).all()
    assert (deals["seller_limit_ticks"] <= deals["price_ticks"]).all()


def test_a_day_without_constraint_trades_all_units_of_the_smaller_side() -> None:
    assert len(Experiment(population("zi_u", 3, 6), 3, LOW, HIGH, 5_000).trade(INDUCED)) == min(6, 5)


def test_a_trader_without_units_is_refused() -> None:
    with pytest.raises(ValueError, match="each trader has a unit"):
        Induced.of([[3], []], [[1]])
