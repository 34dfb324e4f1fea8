"""What a plan believes of prices."""

import numpy as np

from clients.laboratory.planning.prices import plan_prices
from clients.laboratory.scenario.model import MarketRules
from clients.laboratory.world.world import World
from tests.clients.laboratory.planning.days import small_park

DAY = World(small_park(), 1).day(0)
RULES = MarketRules()
NONE = np.full(96, -1, dtype=np.int64)


def test_without_a_price_the_middle_of_what_the_grid_leaves() -> None:
    prices = plan_prices(DAY, RULES)
    # Sharp 1.2884, feed-in 0.28, park fee 0.04, taker's fee 0.002: the middle is 0.7642.
    assert (prices.buy_micro[80], prices.sell_micro[80]) == (806_200, 762_200)
    # In the valley nothing is left but the fee: it buys at the grid's price rather than above, and sells at the grid's rather than below.
    assert (prices.buy_micro[0], prices.sell_micro[0]) == (320_000, 280_000)
    assert np.array_equal(prices.buy_micro, plan_prices(DAY, RULES, NONE).buy_micro)


def test_the_mean_of_what_was_paid_within_an_hour_at_the_same_prices_of_the_grid() -> None:
    last = NONE.copy()
    last[[78, 79, 80, 82, 84]] = [9000, 9100, 8000, 6000, 4000]
    prices = plan_prices(DAY, RULES, last)
    # 78 and 79 are at the peak price, 80 on at the sharp one.
    assert prices.sell_micro[[78, 80, 86, 88, 89]].tolist() == [903_000, 598_000, 498_000, 398_000, 762_200]


def test_never_beyond_the_grid_and_never_a_gain_from_a_circle() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        prices = plan_prices(DAY, RULES, rng.integers(-1, 20_000, 96))
        assert (prices.sell_micro <= prices.buy_micro).all()
        assert (prices.buy_micro <= 100 * DAY.deficit_price_ticks).all()
        assert (prices.sell_micro >= 100 * DAY.surplus_price_ticks).all()
