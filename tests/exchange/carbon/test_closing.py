"""A closed year as state: sums of before there were figures beyond the meters keep their form, and all of them come back."""

from dataclasses import fields
from typing import Any

import pytest

from exchange.carbon.closing import ClosedYear
from exchange.carbon.flows import EnergySums
from exchange.protocol.value_chain.accounting import CloseCarbonYear

FIRST = [
    "consumption_wh", "generation_wh", "self_use_wh", "direct_wh", "grid_wh", "undelivered_wh", "lost_wh", "discharge_wh", "covered_wh", "idle_wh",
    "forgone_wh", "load_wh", "matched_wh", "park",
]  # fmt: skip


def closed(**values: Any) -> ClosedYear:
    """Two accounts; every first sum is its place, the others are `values`."""
    sums = EnergySums.zero(2)
    for place, name in enumerate(FIRST, 1):
        getattr(sums, name)[: 7 if name == "park" else 2] = place
    for name, value in values.items():
        getattr(sums, name)[-1] = value
    return ClosedYear(CloseCarbonYear(year=2026, factors=[], fuels=[]), 3, (33, 34), sums, 5, ())


@pytest.mark.parametrize(
    ("values", "columns", "of_park"),
    [
        ({}, 14, 7),
        ({"direct_beyond_wh": 4}, 15, 7),
        ({"forgone_beyond_wh": 4}, 16, 7),
        ({"park": 4}, 14, 8),
        ({"direct_beyond_wh": 1, "forgone_beyond_wh": 2, "park": 3}, 16, 8),
    ],
)
def test_what_is_nothing_is_not_written_and_all_comes_back(values: dict[str, int], columns: int, of_park: int) -> None:
    year = closed(**values)
    written = year.to_canonical()[3]
    assert (len(written), len(written[13])) == (columns, of_park)
    assert [column[0] for column in written[:14]] == list(range(1, 15))
    again = ClosedYear.from_canonical(year.to_canonical())
    for item in fields(EnergySums):
        assert getattr(again.sums, item.name).tolist() == getattr(year.sums, item.name).tolist()
