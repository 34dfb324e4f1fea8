"""Matched shares: worked cases, and the definition written out in plain Python."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.errors import InputError
from exchange.registry.matching import matched_shares, matched_wh
from exchange.units import NS_PER_HOUR, PERIOD_NS, PPM

energies = st.integers(0, 2_000)


def columns(rows: list[tuple[int, int, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return tuple(np.array([row[i] for row in rows], np.int64) for i in range(3))  # type: ignore[return-value]


def plain_share(rows: list[tuple[int, int, int]], interval_ns: int) -> Fraction:
    intervals: dict[int, list[int]] = {}
    for start_ns, load, certificates in rows:
        sums = intervals.setdefault(start_ns // interval_ns, [0, 0])
        sums[0] += load
        sums[1] += certificates
    total = sum(load for _, load, _ in rows)
    return Fraction(sum(min(pair) for pair in intervals.values()), total) if total else Fraction(0)


@given(st.lists(st.tuples(st.integers(0, 19).map(lambda i: i * PERIOD_NS), energies, energies), max_size=30))
def test_shares_are_the_definition(rows: list) -> None:
    shares = matched_shares(*columns(rows))
    wanted = [plain_share(rows, interval) for interval in (PERIOD_NS, NS_PER_HOUR, 10**18)]
    assert list(shares) == [int(share * PPM) for share in wanted]
    assert shares.quarter_hourly_ppm <= shares.hourly_ppm <= shares.annual_ppm <= PPM


# Load of 1,000 Wh in each of eight quarter-hours; certificates, then the three shares.
CASES = {
    "solar at noon does not cover the night": ([2_000] * 4 + [0] * 4, (500_000, 500_000, 1_000_000)),
    "a cloud within the hour is forgiven by the hour": ([0, 2_000] * 4, (500_000, 1_000_000, 1_000_000)),
    "nothing": ([0] * 8, (0, 0, 0)),
    "as it is used": ([1_000] * 8, (1_000_000, 1_000_000, 1_000_000)),
    "rounded down": ([1, *[0] * 7], (125, 125, 125)),
}


@pytest.mark.parametrize("case", CASES)
def test_worked_cases(case: str) -> None:
    certificates, shares = CASES[case]
    starts = np.arange(8, dtype=np.int64) * PERIOD_NS
    assert matched_shares(starts, np.full(8, 1_000, np.int64), np.array(certificates, np.int64)) == shares


def test_no_load_has_no_share() -> None:
    assert matched_shares(*columns([(0, 0, 500)])) == (0, 0, 0)


@pytest.mark.parametrize("rows", [[(0, -1, 0)], [(0, 0, -1)]])
def test_negative_energies_are_refused(rows: list) -> None:
    with pytest.raises(InputError):
        matched_shares(*columns(rows))


def test_columns_and_intervals_are_checked() -> None:
    starts, load, certificates = columns([(0, 1, 1), (PERIOD_NS, 1, 1)])
    with pytest.raises(InputError):
        matched_wh(starts, load, certificates[:1], PERIOD_NS)
    for interval_ns in (0, PERIOD_NS + 1, -PERIOD_NS):
        with pytest.raises(InputError):
            matched_wh(starts, load, certificates, interval_ns)
