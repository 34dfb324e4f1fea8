"""Intervals and differences against scipy.stats, which computes them in other ways."""

from math import sqrt

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.laboratory.statistics.draws import indices
from clients.laboratory.statistics.intervals import (
    Interval,
    bootstrap_difference,
    mean_interval,
    paired_difference,
    smallest_detectable,
    variance_reduction_percent,
)

SAMPLES = st.lists(st.integers(-1000, 1000).map(float), min_size=2, max_size=12)
PAIRS = st.lists(st.tuples(st.integers(-1000, 1000), st.integers(-1000, 1000)), min_size=2, max_size=12)


@given(SAMPLES, st.sampled_from([0.8, 0.95, 0.99]))
@settings(max_examples=60, deadline=None)
def test_mean_interval_is_students(values: list[float], level: float) -> None:
    found = mean_interval(values, level)
    error = scipy.stats.sem(values)
    assert found.mean == pytest.approx(np.mean(values))
    if error > 0:
        assert (found.low, found.high) == pytest.approx(scipy.stats.t.interval(level, len(values) - 1, np.mean(values), error))
    else:
        assert found.low == found.high == found.mean


@given(PAIRS)
@settings(max_examples=60, deadline=None)
def test_paired_difference_is_the_paired_t_test(pairs: list[tuple[int, int]]) -> None:
    first, second = [float(one) for one, _ in pairs], [float(other) for _, other in pairs]
    found = paired_difference(first, second)
    differences = np.subtract(second, first)
    assert found.interval.mean == pytest.approx(differences.mean())
    if differences.std() > 0:
        test = scipy.stats.ttest_rel(second, first)
        assert found.p == pytest.approx(test.pvalue)
        interval = test.confidence_interval(0.95)
        assert (found.interval.low, found.interval.high) == pytest.approx((interval.low, interval.high))
        assert found.interval.excludes_zero == (test.pvalue < 0.05)
    else:
        assert found.p == float(not differences.any())


SHORT: list[tuple[list[float], Interval]] = [([], Interval(0, None, None, None)), ([3.0], Interval(1, 3.0, None, None))]


@pytest.mark.parametrize(("values", "expected"), SHORT)
def test_too_few_values_have_no_interval(values: list[float], expected: Interval) -> None:
    assert mean_interval(values) == expected
    found = paired_difference([0.0] * len(values), values)
    assert (found.interval, found.p, found.detectable, found.variance_reduction_percent) == (expected, None, None, None)
    assert bootstrap_difference([0.0] * len(values), values, seed=1) == expected


def test_equal_differences_leave_no_doubt_whatever_floats_say() -> None:
    assert paired_difference([0.0] * 3, [0.1] * 3).p == 0
    assert paired_difference([0.1] * 3, [0.1] * 3).p == 1


def test_pairs_are_as_many() -> None:
    with pytest.raises(ValueError, match="2 and 3 values"):
        paired_difference([1, 2], [1, 2, 3])


def test_detectable_difference_is_found_as_often_as_stated() -> None:
    n, deviation = 12, 2.0
    effect = smallest_detectable(deviation / sqrt(n), n)
    critical = scipy.stats.t.ppf(0.975, n - 1)
    power = scipy.stats.nct.sf(critical, n - 1, effect / (deviation / sqrt(n)))
    assert power == pytest.approx(0.8, abs=0.02)


def test_detectable_with_many_pairs_is_2_8_standard_errors() -> None:
    # Bloom (1995): 2.80 for 80% power at the two-sided 5% level.
    assert smallest_detectable(1.0, 10_000) == pytest.approx(2.80, abs=0.005)


def test_common_random_numbers_take_the_variance_of_what_is_common_away() -> None:
    weather = [10.0, 20.0, 30.0, 40.0]
    rule = [value + effect for value, effect in zip(weather, (1.0, 2.0, 1.0, 2.0), strict=True)]
    reduction = variance_reduction_percent(weather, rule)
    assert reduction is not None
    assert reduction == pytest.approx(100 * (1 - np.var([1, 2, 1, 2]) / (np.var(weather) + np.var(rule))))
    assert variance_reduction_percent([1, 2, 3], [3, 2, 1]) == pytest.approx(-100)
    assert variance_reduction_percent([1, 1], [2, 2]) is None


def test_bootstrap_agrees_with_t_on_a_normal_sample_and_is_repeatable() -> None:
    first = scipy.stats.norm.ppf((np.arange(60) + 0.5) / 60).tolist()
    second = [value + 0.1 * place for place, value in enumerate(reversed(first))]
    found, again = (bootstrap_difference(first, second, seed=7) for _ in range(2))
    student = paired_difference(first, second).interval
    assert found == again != bootstrap_difference(first, second, seed=8)
    assert student.low is not None
    assert student.high is not None
    half = (student.high - student.low) / 2
    assert found.low == pytest.approx(student.low, abs=0.15 * half)
    assert found.high == pytest.approx(student.high, abs=0.15 * half)


def test_bootstrap_covers_as_often_as_stated() -> None:
    rng = np.random.default_rng(5)
    covered = 0
    for trial in range(200):
        sample = rng.exponential(1.0, 40) - 1.0
        found = bootstrap_difference([0.0] * 40, sample.tolist(), seed=trial, resamples=400)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 0 <= found.high
    assert 0.87 <= covered / 200 <= 0.98


def test_indices_are_even_and_a_function_of_seed_and_stream() -> None:
    drawn = indices(3, 1, 6000, 6)
    assert drawn.tolist() == indices(3, 1, 6000, 6).tolist() != indices(3, 2, 6000, 6).tolist()
    assert drawn[:100].tolist() == indices(3, 1, 100, 6).tolist()
    assert scipy.stats.chisquare(np.bincount(drawn, minlength=6)).pvalue > 0.001
    # Known draws, so that another version of numpy cannot change a published interval unseen.
    assert indices(1, 0, 6, 1000).tolist() == [303, 848, 156, 31, 900, 52]
    assert indices(2**63 + 5, 3, 4, 1000).tolist() == [627, 154, 4, 969]
