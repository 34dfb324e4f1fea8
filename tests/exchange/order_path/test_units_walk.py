"""Units through the order path: a state machine against the model of single units, and the same hashes whatever the batches and interruptions."""

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from exchange.ledger.records import PostingReason
from exchange.order_path import canonical
from tests.exchange.order_path.replay import replayed_in_pieces
from tests.exchange.order_path.test_conditional_walk import small
from tests.exchange.order_path.units_market import UnitsMarket

ENDS = [PostingReason.UNITS_RETIRED, PostingReason.UNITS_SURRENDERED, PostingReason.UNITS_EXPIRED]
what, who, lots, number = st.integers(0, 3), st.integers(0, 2), st.integers(1, 8), st.integers(0, 9)


class Units(RuleBasedStateMachine):
    """One rule a thing that can happen to units; the market compares itself with the model after each."""

    def __init__(self) -> None:
        super().__init__()
        self.market = UnitsMarket()
        for member in range(3):
            for kind in range(3):
                self.market.put(kind, member, 6)

    @rule(what=what, who=who, lots=st.integers(1, 12))
    def issue(self, what: int, who: int, lots: int) -> None:
        self.market.put(what, who, lots)

    @rule(what=what, who=who, side=st.integers(0, 1), lots=lots)
    def order(self, what: int, who: int, side: int, lots: int) -> None:
        self.market.trade(what, who, side, lots)

    @rule(what=what, seller=who, step=st.integers(1, 2), lots=lots)
    def both_sides(self, what: int, seller: int, step: int, lots: int) -> None:
        self.market.trade(what, seller, 1, lots)
        self.market.trade(what, (seller + step) % 3, 0, lots)

    @rule(who=who, number=number)
    def cancel(self, who: int, number: int) -> None:
        self.market.call_off(who, number)

    @rule(what=what, who=who, other=who, lots=lots, named=st.booleans())
    def transfer(self, what: int, who: int, other: int, lots: int, named: bool) -> None:
        self.market.give(what, who, other, lots, named)

    @rule(what=what, who=who, lots=lots, kind=st.sampled_from(["lock", "freeze"]))
    def set_aside(self, what: int, who: int, lots: int, kind: str) -> None:
        self.market.set_aside(what, who, lots, kind)

    @rule(number=number, lots=lots, named=st.booleans())
    def let_go(self, number: int, lots: int, named: bool) -> None:
        self.market.let_go(number, lots, named)

    @rule(what=what, who=who, lots=lots)
    def withdraw(self, what: int, who: int, lots: int) -> None:
        self.market.withdraw(what, who, lots)

    @rule(number=number)
    def withdraw_frozen(self, number: int) -> None:
        self.market.withdraw_frozen(number)

    @rule(what=what, who=who, lots=lots, reason=st.sampled_from(ENDS))
    def end(self, what: int, who: int, lots: int, reason: PostingReason) -> None:
        self.market.end(what, who, lots, reason)

    @rule(what=what, who=who, lots=lots)
    def prefer(self, what: int, who: int, lots: int) -> None:
        self.market.prefer(what, who, lots)

    @rule(who=who, lots=lots, back=st.booleans())
    def convert(self, who: int, lots: int, back: bool) -> None:
        self.market.convert(who, lots, back)

    @rule(hours=st.integers(1, 30))
    def wait(self, hours: int) -> None:
        self.market.wait(hours)

    @invariant()
    def units_are_where_the_model_has_them(self) -> None:
        self.market.check()

    def teardown(self) -> None:
        if self.market.is_replayable:
            replay_in_pieces(self.market, random.Random(1))


TestUnits = Units.TestCase
TestUnits.settings = settings(max_examples=10, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def replay_in_pieces(market: UnitsMarket, rng: Any) -> None:
    """The same commands in other batches, in memory that is too small, with snapshots in between."""
    other = replayed_in_pieces(market.log, small, rng, snapshot_share=0.2)
    assert canonical.state_hash(other) == canonical.state_hash(market.exchange)
    assert canonical.snapshot(other) == canonical.snapshot(market.exchange)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_long_walk_without_ends_is_replayed(seed: int) -> None:
    market, rng = UnitsMarket(), random.Random(seed)
    for member in range(3):
        for kind in range(3):
            market.put(kind, member, 30)
    for _ in range(100):
        kind, member, quantity = rng.randrange(4), rng.randrange(3), rng.randint(1, 8)
        step = rng.randrange(10)
        if step < 4:
            market.trade(kind, member, rng.randrange(2), quantity)
        elif step == 4:
            market.give(kind, member, rng.randrange(3), quantity, rng.random() < 0.5)
        elif step == 5:
            market.set_aside(kind, member, quantity, rng.choice(("lock", "freeze")))
        elif step == 6:
            market.let_go(rng.randrange(9), quantity, rng.random() < 0.5)
        elif step == 7:
            market.convert(member, quantity, rng.random() < 0.5)
        elif step == 8:
            market.prefer(kind, member, quantity)
        else:
            market.wait(rng.randint(1, 30))
    market.check()
    replay_in_pieces(market, rng)
