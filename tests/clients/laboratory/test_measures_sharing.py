"""Shapley, core and sharing: the golden game of the market rules, axioms, and a definition by permutations that shares no code."""

from dataclasses import replace
from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.laboratory.measures import sharing
from clients.laboratory.measures.netting_game import NettingGame, drawn_permutations
from clients.laboratory.measures.shapley import exact_shapley, largest_excess, sampled_shapley
from clients.laboratory.measures.sharing import core_excess_cny, share_gain, sharing_measures
from clients.laboratory.run.record import RunRecord
from clients.laboratory.scenario.model import SharingRules
from exchange.errors import InputError
from exchange.units import split_by_largest_remainder
from tests.clients.laboratory.records import member, record_of, scenario_of

# Plant P, storage S, load L; thousands of CNY a year by bit mask.
GOLDEN = np.array([0, 600, 900, 1800, 0, 1500, 1300, 2700], np.int64)


def test_golden_shapley_values_are_in_the_core() -> None:
    values = exact_shapley(GOLDEN)
    assert values == [Fraction(3200, 3), Fraction(3350, 3), Fraction(1550, 3)]
    assert largest_excess(GOLDEN, values) < 0


def test_golden_split_leaves_no_yuan_over() -> None:
    values = exact_shapley(GOLDEN * 1000)
    assert split_by_largest_remainder(2_700_000, [int(value * 3) for value in values]) == [1_066_667, 1_116_667, 516_666]


def test_golden_equal_surplus_is_outside_the_core_and_the_nucleolus_leaves_150() -> None:
    assert largest_excess(GOLDEN, [1000, 1300, 400]) == 100
    assert largest_excess(GOLDEN, [1075, 1050, 575]) == -150


def game_of(values: list[int]) -> np.ndarray:
    return np.array([0, *values], np.int64)


GAMES = st.integers(1, 4).flatmap(lambda n: st.lists(st.integers(-50, 50), min_size=2**n - 1, max_size=2**n - 1)).map(game_of)


@given(GAMES)
@settings(max_examples=60, deadline=None)
def test_shapley_is_the_mean_over_all_orders_of_arrival(game: np.ndarray) -> None:
    n = len(game).bit_length() - 1
    sums = [0] * n
    orders = list(permutations(range(n)))
    for order in orders:
        mask = 0
        for newcomer in order:
            sums[newcomer] += int(game[mask | 1 << newcomer] - game[mask])
            mask |= 1 << newcomer
    assert exact_shapley(game) == [Fraction(value, len(orders)) for value in sums]


@given(GAMES)
@settings(max_examples=40, deadline=None)
def test_sampling_every_order_once_is_exact(game: np.ndarray) -> None:
    n = len(game).bit_length() - 1

    def marginals(order: tuple[int, ...]) -> np.ndarray:
        masks = np.cumsum([0] + [1 << newcomer for newcomer in order])
        return np.diff(game[masks])

    sampled = sampled_shapley(marginals, list(permutations(range(n))))
    assert [Fraction(value, sampled.draws) for value in sampled.sums] == exact_shapley(game)


def park(rule: str, operator_ppm: int = 0, n: int = 3) -> RunRecord:
    members = [member(f"M{row:02}") for row in range(n)]
    load = [[10 + row, 4] if row % 3 else [0, 3] for row in range(n)]
    generation = [[0, 0] if row % 3 else [15, 2 * row] for row in range(n)]
    scenario = scenario_of(*members, sharing=SharingRules(rule=rule, operator_ppm=operator_ppm))
    record = record_of(scenario, load_kwh=load, generation_kwh=generation)
    # Whatever the market did: a gain over the pool of 1 CNY a member and a bit.
    return replace(record, bill_market_micro=record.bill_pool_micro - 1_000_000 - np.arange(n)[:, None])


def test_the_netting_game_is_what_grid_bills_say() -> None:
    record = park("shapley")
    game = NettingGame(record).values()
    net = record.load_wh - record.generation_wh
    for mask in range(8):
        rows = [row for row in range(3) if mask >> row & 1]
        alone = sum(bill(net[row]) for row in rows)
        assert game[mask] == alone - bill(net[rows].sum(axis=0))


def bill(net_wh: np.ndarray) -> int:
    return sum(int(wh) * (6500 if wh > 0 else 2800) for wh in net_wh)


def test_marginals_of_an_order_add_to_the_grand_coalition() -> None:
    record = park("shapley", n=5)
    game = NettingGame(record)
    values = game.values()
    for order in drawn_permutations(7, 5, 20):
        masks = np.cumsum([0] + [1 << newcomer for newcomer in order])
        assert game.marginals(order).tolist() == np.diff(values[masks]).tolist()


def test_permutations_are_drawn_by_seed_and_are_even() -> None:
    drawn = drawn_permutations(1, 3, 600)
    assert drawn == drawn_permutations(1, 3, 600)
    assert drawn != drawn_permutations(2, 3, 600)
    counts = [drawn.count(list(order)) for order in permutations(range(3))]
    assert sum(counts) == 600
    assert min(counts) > 70


@pytest.mark.parametrize("rule", ["none", "energy", "equal", "shapley"])
@pytest.mark.parametrize("operator_ppm", [0, 333_333])
@pytest.mark.parametrize("sign", [1, -1])
def test_every_rule_shares_the_whole_gain(rule: str, operator_ppm: int, sign: int) -> None:
    record = park(rule, operator_ppm)
    record = replace(record, bill_market_micro=record.bill_pool_micro + sign * (record.bill_market_micro - record.bill_pool_micro))
    shared = share_gain(record)
    assert shared.operator_micro + sum(shared.members_micro) == shared.gain_micro == sign * 3_000_003
    assert shared.operator_micro == (999_999 if operator_ppm and sign > 0 else 0)
    assert all(part * sign >= 0 for part in shared.members_micro)


def test_shares_by_rule() -> None:
    assert share_gain(park("none")).members_micro == (1_000_000, 1_000_001, 1_000_002)
    assert share_gain(park("equal")).members_micro == (1_000_001, 1_000_001, 1_000_001)
    # Metered energy 18, 15, 16 kWh.
    assert share_gain(park("energy")).members_micro == tuple(split_by_largest_remainder(3_000_003, [18, 15, 16]))
    values = exact_shapley(NettingGame(park("shapley")).values())
    assert share_gain(park("shapley")).members_micro == pytest.approx([float(3_000_003 * value / sum(values)) for value in values], abs=1)


def test_sampled_values_come_with_an_error_that_covers_the_exact_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = share_gain(park("shapley", n=7))
    monkeypatch.setattr(sharing, "EXACT_MEMBERS", 6)
    sampled = share_gain(park("shapley", n=7))
    assert exact.standard_error_micro is None
    assert sampled.standard_error_micro is not None
    assert 0 < sampled.standard_error_micro < 0.1 * sampled.gain_micro
    for one, other in zip(exact.members_micro, sampled.members_micro, strict=True):
        assert abs(one - other) < 4 * sampled.standard_error_micro
    assert sum(sampled.members_micro) == sampled.gain_micro


def test_a_park_without_netting_shares_equally_under_shapley() -> None:
    record = park("shapley")
    record = replace(record, generation_wh=record.generation_wh * 0)
    assert share_gain(record).members_micro == (1_000_001,) * 3


def test_core_excess_of_a_split_that_a_pair_would_leave() -> None:
    # A plant and one load net 10 kWh; the second load adds nothing, and equal shares give it a third.
    scenario = scenario_of(member("S1"), member("F1"), member("F2"), sharing=SharingRules(rule="equal"))
    record = record_of(scenario, load_kwh=[[0], [10], [0]], generation_kwh=[[10], [0], [0]])
    record = replace(record, bill_market_micro=record.bill_pool_micro - 1_000_000)
    figures = sharing_measures(record)
    assert figures["sharing_gain_cny"] == 3
    assert figures["sharing_core_excess_cny"] == pytest.approx(1.0)
    assert core_excess_cny(record, share_gain(replace(record, scenario=replace(scenario, sharing=SharingRules(rule="shapley"))))) == pytest.approx(0)


def test_an_unknown_rule_is_named() -> None:
    with pytest.raises(InputError, match="'fair' is none of"):
        share_gain(park("fair"))
