"""Durations fall into the bucket whose bound they stay below."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.stages import FINITE_BUCKETS, Stage, Stages, upper_bound_ns


@pytest.mark.parametrize(
    ("elapsed_ns", "bucket"),
    [(0, 0), (1_023, 0), (1_024, 1), (2_047, 1), (2_048, 2), (upper_bound_ns(FINITE_BUCKETS - 1), FINITE_BUCKETS), ((1 << 63) - 1, 53)],
)
def test_buckets(elapsed_ns: int, bucket: int) -> None:
    stages = Stages()
    stages.observe(Stage.APPLY, elapsed_ns)
    assert stages.counts[Stage.APPLY].index(1) == bucket
    assert (sum(map(sum, stages.counts)), sum(stages.sums_ns)) == (1, elapsed_ns)


@given(st.lists(st.integers(0, 1 << 40)))
def test_cumulated_buckets_count_what_stays_below_their_bound(elapsed: list[int]) -> None:
    stages = Stages()
    for elapsed_ns in elapsed:
        stages.observe(Stage.JOURNAL, elapsed_ns)
    for bucket in range(FINITE_BUCKETS):
        below = sum(elapsed_ns < upper_bound_ns(bucket) for elapsed_ns in elapsed)
        assert sum(stages.counts[Stage.JOURNAL][: bucket + 1]) == below
