"""What the interface refuses, and that every mechanism gives the same without the JIT."""

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from matching.mechanisms import MECHANISMS, ONE_WAY, SEALED_ORDER, PriceRule, Rules, TieRule
from matching.records import QUANTITY_LOTS_MAX
from tests.matching.mechanisms.markets import BUY, GOLDEN, GRID, SELL, filled, sealed
from tests.matching.mechanisms.naive import Order

ROOT = Path(__file__).resolve().parents[3]
EVERY = pytest.mark.parametrize("mechanism", [*MECHANISMS.values(), ONE_WAY], ids=lambda m: m.name)


def changed(**fields):
    """Three good orders, the second changed."""
    array = sealed([Order(SELL, 5, 1, 0), Order(BUY, 7, 1, 1), Order(BUY, 8, 1, 2)])
    for name, value in fields.items():
        array[name][1] = value
    return array


BAD_ORDERS = {
    "another dtype": (np.zeros(2, np.int64), "SEALED_ORDER"),
    "two dimensions": (np.zeros((2, 2), SEALED_ORDER), "one-dimensional"),
    "no quantity": (changed(quantity_lots=0), "order 1: quantity"),
    "a negative quantity": (changed(quantity_lots=-(2**63)), "order 1: quantity"),
    "a quantity beyond the largest": (changed(quantity_lots=QUANTITY_LOTS_MAX + 1), "order 1: quantity"),
    "an unknown side": (changed(side=2), "order 1: side"),
    "a negative owner": (changed(owner=-1), "order 1: owner"),
    "an id twice": (changed(order_id=1), "order 1: order id"),
    "ids out of sequence, one twice": (changed(order_id=3)[[0, 2, 1]], "order 2: order id"),
    "amounts beyond int64": (changed(quantity_lots=QUANTITY_LOTS_MAX, price_ticks=-(2**31)), "too large"),
}


@EVERY
@pytest.mark.parametrize(("orders", "message"), BAD_ORDERS.values(), ids=BAD_ORDERS)
def test_bad_orders(mechanism, orders, message):
    with pytest.raises(ValueError, match=message):
        mechanism.clear(orders, Rules(**GRID))


BAD_RULES = {
    "k below 0": ({"k": Fraction(-1, 2)}, "k is a fraction"),
    "k above 1": ({"k": Fraction(3, 2)}, "k is a fraction"),
    "k too fine": ({"k": Fraction(1, 2**30 + 1)}, "k is a fraction"),
    "a negative seed": ({"seed": -1}, "seed"),
    "a seed of more than 64 bits": ({"seed": 2**64}, "seed"),
    "a price beyond int32": ({"grid_buy_ticks": 2**31}, "grid_buy_ticks"),
    "the reference rule without a reference": ({"price_rule": PriceRule.REFERENCE}, "reference_price_ticks"),
    "a grid that pays more than it charges": ({"grid_buy_ticks": 1, "grid_sell_ticks": 2}, "below"),
}


@pytest.mark.parametrize(("fields", "message"), BAD_RULES.values(), ids=BAD_RULES)
def test_bad_rules(fields, message):
    with pytest.raises(ValueError, match=message):
        Rules(**fields)


@pytest.mark.parametrize("name", ["mmr", "sdr", "none"])
@pytest.mark.parametrize("missing", GRID)
def test_pools_need_both_grid_prices(name, missing):
    with pytest.raises(ValueError, match="needs grid_buy_ticks and grid_sell_ticks"):
        MECHANISMS[name].clear(sealed(GOLDEN), Rules(**{key: value for key, value in GRID.items() if key != missing}))


@pytest.mark.parametrize("name", ["mmr", "sdr", "none"])
def test_pools_check_amounts_at_the_grid_price(name):
    orders = sealed([Order(BUY, 0, QUANTITY_LOTS_MAX, 0)])
    with pytest.raises(ValueError, match="too large"):
        MECHANISMS[name].clear(orders, Rules(grid_buy_ticks=2**31 - 1, grid_sell_ticks=0))


def test_ids_need_not_ascend():
    clearing = MECHANISMS["uniform"].clear(sealed([Order(BUY, 9, 1, 0), Order(SELL, 1, 1, 0)], [8, 3]), Rules())
    assert filled(clearing) == {8: 1, 3: 1}


def test_the_largest_amounts_are_exact():
    orders = [Order(BUY, 2**29 - 1, QUANTITY_LOTS_MAX, 0), Order(SELL, -(2**29), QUANTITY_LOTS_MAX, 1)]
    clearing = MECHANISMS["pay-as-bid"].clear(sealed(orders), Rules())
    assert clearing.surplus_tick_lots == (2**30 - 1) * QUANTITY_LOTS_MAX
    assert MECHANISMS["vcg"].clear(sealed(orders), Rules()).surplus_tick_lots == -(2**30 - 1) * QUANTITY_LOTS_MAX


def outcomes(seed):
    """Fills and surplus of every mechanism on a drawn market, as text."""
    rng = np.random.default_rng(seed)
    orders = [Order(*(int(value) for value in row)) for row in rng.integers((0, 0, 1, 0), (2, 30, 9, 12), (60, 4))]
    terms = Rules(seed=seed, tie=TieRule(seed % 3), price_rule=PriceRule(seed % 2), reference_price_ticks=12, **GRID)
    clearings = {name: mechanism.clear(sealed(orders), terms) for name, mechanism in MECHANISMS.items()}
    return "\n".join(f"{name} {found.surplus_tick_lots} {found.prices} {found.fills.tolist()}" for name, found in clearings.items())


def test_agrees_without_the_jit():
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(ROOT)}
    code = "from tests.matching.mechanisms.test_interface import outcomes\nfor seed in range(6): print(outcomes(seed))"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "\n".join(outcomes(seed) for seed in range(6))
