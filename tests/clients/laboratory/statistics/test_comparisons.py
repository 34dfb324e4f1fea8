"""Holm, false alarms, signs over populations, MSER-5: published tables, definitions written another way, and procedures at work."""

from fractions import Fraction

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from clients.laboratory.statistics.comparisons import FalseAlarms, Robustness, false_alarms, holm, sign_over_populations
from clients.laboratory.statistics.draws import indices
from clients.laboratory.statistics.intervals import Interval, paired_difference
from clients.laboratory.statistics.warm_up import mser5

P_VALUES = st.lists(st.floats(0, 1), max_size=8)

HOLM: list[tuple[list[float], list[float]]] = [
    # Holm's step-down on four hypotheses: 4 x 0.005, 3 x 0.01, 2 x 0.03, then the running maximum.
    ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
    ([0.2], [0.2]),
    ([0.5, 0.9], [1.0, 1.0]),
    ([], []),
]


@pytest.mark.parametrize(("p_values", "adjusted"), HOLM)
def test_holm(p_values: list[float], adjusted: list[float]) -> None:
    assert holm(p_values) == pytest.approx(adjusted)


@given(P_VALUES, st.sampled_from([0.01, 0.05, 0.2]))
def test_holm_rejects_what_the_sequential_procedure_rejects(p_values: list[float], level: float) -> None:
    remaining, rejected = sorted(range(len(p_values)), key=lambda place: p_values[place]), set()
    while remaining and p_values[remaining[0]] * len(remaining) <= level:
        rejected.add(remaining.pop(0))
    assert {place for place, p in enumerate(holm(p_values)) if p <= level} == rejected


@given(P_VALUES)
def test_holm_lies_between_the_p_value_and_bonferroni(p_values: list[float]) -> None:
    for p, adjusted in zip(p_values, holm(p_values), strict=True):
        assert p <= adjusted <= min(1.0, len(p_values) * p) + 1e-12


@pytest.mark.parametrize(("alarms", "trials"), [(0, 20), (3, 60), (20, 20), (1, 1)])
def test_false_alarms_have_the_exact_binomial_interval(alarms: int, trials: int) -> None:
    found = false_alarms(lambda trial: trial < alarms, trials)
    exact = scipy.stats.binomtest(alarms, trials).proportion_ci(0.95, method="exact")
    assert (found.alarms, found.trials, found.share) == (alarms, trials, alarms / trials)
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high))


def test_a_null_test_of_the_paired_t_keeps_its_level_and_finds_a_broken_procedure() -> None:
    def samples(trial: int) -> tuple[list[float], list[float]]:
        drawn = scipy.stats.norm.ppf((indices(11, trial, 24, 2**20) + 0.5) / 2**20)
        return drawn[:12].tolist(), drawn[12:].tolist()

    def alarm(trial: int) -> bool:
        p = paired_difference(*samples(trial)).p
        return p is not None and p < 0.05

    def looks_twenty_times(trial: int) -> bool:
        return any(alarm(20 * trial + look) for look in range(20))

    assert false_alarms(alarm, 400).within(0.05)
    assert not false_alarms(looks_twenty_times, 40).within(0.05)


def test_a_null_test_needs_a_trial() -> None:
    with pytest.raises(ValueError, match="at least one"):
        false_alarms(lambda _: True, 0)
    assert FalseAlarms(3, 60, 0.01, 0.14).within(0.05)


def interval(low: float, high: float) -> Interval:
    return Interval(5, (low + high) / 2, low, high)


SIGNS: list[tuple[dict[str, Interval], Robustness]] = [
    ({"zi_c": interval(1, 2), "zip": interval(0.1, 3), "aa": interval(2, 4)}, Robustness.ROBUST),
    ({"zi_c": interval(-2, -1), "zip": interval(-3, -1), "aa": interval(-4, -2)}, Robustness.ROBUST),
    ({"zi_c": interval(1, 2), "zip": interval(-0.1, 3), "aa": interval(2, 4)}, Robustness.BEHAVIOUR),
    ({"zi_c": interval(1, 2), "zip": interval(-3, -1), "aa": interval(2, 4)}, Robustness.BEHAVIOUR),
    ({"zi_c": interval(1, 2), "zip": Interval(1, 1.0, None, None), "aa": interval(2, 4)}, Robustness.BEHAVIOUR),
    (dict.fromkeys(("zi_c", "zip", "aa"), interval(-1, 2)), Robustness.BEHAVIOUR),
    ({"zi_c": interval(1, 2), "zip": interval(1, 2)}, Robustness.UNTRIED),
    ({}, Robustness.UNTRIED),
]


@pytest.mark.parametrize(("intervals", "verdict"), SIGNS)
def test_signs_over_populations(intervals: dict[str, Interval], verdict: Robustness) -> None:
    assert sign_over_populations(intervals) is verdict


def errors_by_definition(series: list[int]) -> list[Fraction]:
    """The statistic of every truncation that may be chosen, its sums written out, exact."""
    batches = [Fraction(sum(series[at : at + 5]), 5) for at in range(0, len(series) - len(series) % 5, 5)]
    errors = []
    for cut in range(len(batches) - 5):
        rest = batches[cut:]
        mean = sum(rest) / len(rest)
        errors.append(sum((value - mean) ** 2 for value in rest) / len(rest) ** 2)
    return errors


@given(st.lists(st.integers(-50, 50), min_size=50, max_size=120))
def test_mser5_is_its_definition(series: list[int]) -> None:
    errors, found = errors_by_definition(series), mser5([float(value) for value in series])
    # Truncations that are alike to the last bits are both right.
    best = {cut for cut, error in enumerate(errors) if float(error) == pytest.approx(float(min(errors)), abs=1e-9)}
    half = len(series) // 5 / 2
    assert found is None or found // 5 in best
    assert found is not None or any(cut > half for cut in best)


def noisy(trial: int, count: int) -> np.ndarray:
    return scipy.stats.norm.ppf((indices(5, trial, count, 2**20) + 0.5) / 2**20)


def test_mser5_drops_a_start_that_is_off_and_keeps_a_steady_series() -> None:
    biased = noisy(1, 200) + 8 * np.concatenate([np.linspace(1, 0, 40), np.zeros(160)])
    dropped = mser5(biased.tolist())
    assert dropped is not None
    assert 20 <= dropped <= 60
    assert abs(biased[dropped:].mean()) < 0.25 < biased.mean()
    step = [10.0] * 30 + [0.0, 1.0] * 60
    assert mser5(step) == 30


def test_mser5_does_not_answer_where_the_series_never_settles() -> None:
    assert mser5(np.arange(100.0).tolist()) is None
    assert mser5([1.0] * 49) is None
    assert mser5([1.0] * 50) == 0
