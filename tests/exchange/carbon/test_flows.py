"""Where energy came from: a table, and random periods against an oracle that goes period by period in plain Python with fractions."""

from fractions import Fraction
from math import floor
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.carbon.flows import EnergySums, Flows, attribute, shares
from exchange.carbon.matching import hour_of, matched_wh
from exchange.errors import CheckFailedError
from exchange.units import NS_PER_HOUR, PERIOD_NS
from tests.exchange.order_path.park import DAY_NS


def flows(consumption: list[list[int]], generation: list[list[int]], *, storage: tuple[int, ...] = (), **columns: Any) -> Flows:
    """Rows are members. The grid's meter closes the balance: what is short is imported, what is left exported, `through` both."""
    used, made = np.array(consumption, np.int64), np.array(generation, np.int64)
    n, t = used.shape
    losses = np.array(columns.pop("losses", [0] * t), np.int64)
    through = np.array(columns.pop("through", [0] * t), np.int64)
    net = used.sum(axis=0) + losses - made.sum(axis=0)
    given: dict[str, Any] = {name: np.array(columns.get(name, [[0] * t] * n), np.int64) for name in ("direct_wh", "covered_wh", "forgone_wh")}
    return Flows(
        start_ns=DAY_NS + np.arange(t) * PERIOD_NS, consumption_wh=used, generation_wh=made, grid_import_wh=np.maximum(net, 0) + through,
        grid_export_wh=np.maximum(-net, 0) + through, losses_wh=losses, is_storage=np.array([row in storage for row in range(n)]),
        gone_wh=np.array(columns.get("gone", [0] * t), np.int64), **given,
    )  # fmt: skip


def test_a_period_with_every_source() -> None:
    """E uses 100 (20 of its own), F uses 60; P makes 90, 30 of it delivered to E; the battery gives 40; losses 10; the grid 20."""
    sums = attribute(flows(
        [[100], [60], [0], [0]], [[20], [0], [90], [40]], storage=(3,), direct_wh=[[30], [0], [0], [0]], losses=[10], gone=[24],
    ))  # fmt: skip
    assert sums.self_use_wh.tolist() == [20, 0, 0, 0]
    assert sums.direct_wh.tolist() == [30, 0, 0, 0]
    # 50 and 60 are left to supply, 10 are losses: 20 from the grid, 60 undelivered, 40 of the battery.
    assert sums.grid_wh.tolist() == [8, 10, 0, 0]
    assert int(sums.park[3]) == 2
    assert sums.undelivered_wh.tolist() == [25, 30, 0, 0]
    assert sums.discharge_wh.tolist() == [17, 20, 0, 0]
    assert sums.lost_wh.tolist() == [10, 12, 0, 0]
    assert int(sums.park[4]) == 2
    assert sums.received_wh.tolist() == [18, 22, 0, 0]
    assert int(sums.park[5]) == 110


@pytest.mark.parametrize(
    ("export_sources", "expected"),
    [
        (([[0], [10]], [[50], [0]], (1,)), (0, 10, 0)),  # exported from generation, the battery is charged of the rest
        (([[30], [0]], [[0], [50]], (1,)), (0, 0, 30)),  # discharge is exported: nothing of the grid
    ],
)
def test_exports_leave_what_members_use(export_sources: tuple, expected: tuple[int, int, int]) -> None:
    consumption, generation, storage = export_sources
    sums = attribute(flows(consumption, generation, storage=storage))
    assert (int(sums.grid_wh.sum()), int(sums.undelivered_wh.sum()), int(sums.discharge_wh.sum())) == expected


def test_what_passes_through_the_grid_meter_stays_with_the_network() -> None:
    sums = attribute(flows([[10]], [[0]], through=[5]))
    assert (sums.grid_wh.tolist(), int(sums.park[0]), int(sums.park[3])) == ([10], 15, 5)


def test_certificates_of_exports_do_not_touch_members() -> None:
    """30 of 50 are exported: 30 certificates sold are theirs, the 31st is of energy used inside."""
    assert attribute(flows([[20], [0]], [[0], [50]], gone=[30])).lost_wh.tolist() == [0, 0]
    assert attribute(flows([[20], [0]], [[0], [50]], gone=[31])).lost_wh.tolist() == [1, 0]


def test_what_is_lost_is_lost_where_it_was_received() -> None:
    """One Wh of the grid goes to the first, the one from inside to the second, and so does its missing certificate."""
    sums = attribute(flows([[1], [1], [0]], [[0], [0], [1]], gone=[1]))
    assert (sums.grid_wh.tolist(), sums.undelivered_wh.tolist(), sums.lost_wh.tolist()) == ([1, 0, 0], [0, 1, 0], [0, 1, 0])


def test_a_storage_uses_nothing_and_matches_nothing() -> None:
    sums = attribute(flows([[10], [4]], [[0], [4]], storage=(1,)))
    assert (sums.self_use_wh.tolist(), sums.load_wh.tolist(), int(sums.park[5])) == ([0, 0], [10, 0], 0)


def test_granular_cover_counts_in_its_own_quarter_hour_only() -> None:
    sums = attribute(flows([[10, 10]], [[0, 0]], covered_wh=[[15, 0]]))
    assert (sums.covered_wh.tolist(), sums.idle_wh.tolist()) == ([10], [5])


@pytest.mark.parametrize(
    ("changes", "direct", "forgone", "beyond"),
    [
        ({"direct_wh": [[10], [0]], "forgone_wh": [[10], [0]], "gone": [0]}, [10, 0], [10, 0], ([0, 0], [0, 0], 0)),
        ({"direct_wh": [[0], [1]]}, [0, 0], [0, 0], ([0, 1], [0, 0], 0)),  # who generates draws nothing
        ({"direct_wh": [[11], [0]]}, [10, 0], [0, 0], ([1, 0], [0, 0], 0)),
        ({"direct_wh": [[11], [0]], "forgone_wh": [[13], [2]]}, [10, 0], [10, 0], ([1, 0], [3, 2], 0)),
        ({"forgone_wh": [[1], [0]]}, [0, 0], [0, 0], ([0, 0], [1, 0], 0)),
        ({"direct_wh": [[7], [0]], "gone": [3]}, [7, 0], [0, 0], ([0, 0], [0, 0], 0)),
        ({"direct_wh": [[7], [0]], "gone": [5]}, [7, 0], [0, 0], ([0, 0], [0, 0], 2)),  # 3 were delivered to nobody
    ],
)
def test_claims_count_as_far_as_the_meters_bear_them_out(
    changes: dict[str, Any], direct: list[int], forgone: list[int], beyond: tuple[list[int], list[int], int]
) -> None:
    sums = attribute(flows([[10], [0]], [[0], [10]], **changes))
    assert (sums.direct_beyond_wh.tolist(), sums.forgone_beyond_wh.tolist(), int(sums.park[7])) == beyond
    assert (sums.direct_wh.tolist(), sums.forgone_wh.tolist()) == (direct, forgone)
    assert int(sums.undelivered_wh.sum()) == 10 - sum(direct)


def test_of_less_generation_than_was_delivered_all_have_their_part() -> None:
    """20 and 10 were delivered of 30; the corrected meter says 15. The rest is of the grid."""
    sums = attribute(flows([[20], [10], [0]], [[0], [0], [15]], direct_wh=[[20], [10], [0]]))
    assert (sums.direct_wh.tolist(), sums.grid_wh.tolist()) == ([10, 5, 0], [10, 5, 0])
    assert sums.direct_beyond_wh.tolist() == [10, 5, 0]


def test_meters_that_do_not_balance_are_refused() -> None:
    good = flows([[10]], [[0]])
    with pytest.raises(CheckFailedError, match="do not balance"):
        attribute(Flows(**{name: getattr(good, name) for name in good.__slots__} | {"grid_import_wh": np.array([9])}))


def hamilton(total: int, weights: list[int]) -> list[int]:
    quotas = [Fraction(total * weight, max(sum(weights), 1)) for weight in weights]
    out = [floor(quota) for quota in quotas]
    for row in sorted(range(len(weights)), key=lambda row: (-(quotas[row] - floor(quotas[row])), row))[: total - sum(out)]:
        out[row] += 1
    return out


weights = st.lists(st.integers(0, 10**10), min_size=1, max_size=5)


@given(st.lists(weights.filter(lambda row: len(row) == 3), min_size=1, max_size=4), st.data())
def test_a_split_is_hamiltons(columns: list[list[int]], data: st.DataObject) -> None:
    totals = [data.draw(st.integers(0, sum(column))) for column in columns]
    split = shares(np.array(totals, np.int64), np.array(columns, np.int64).T)
    assert split.T.tolist() == [hamilton(total, column) for total, column in zip(totals, columns, strict=True)]
    assert (split <= np.array(columns).T).all()


@st.composite
def periods(draw: st.DrawFn) -> Flows:
    n, t = draw(st.integers(1, 4)), draw(st.integers(1, 6))
    energy = st.integers(0, 50)

    def grid(low: int = 0, high: int = 50) -> list[list[int]]:
        return [[draw(st.integers(low, high)) for _ in range(t)] for _ in range(n)]

    used, made = grid(), grid()
    storage = draw(st.sets(st.integers(0, n - 1), max_size=1))
    direct = [[0] * t for _ in range(n)]
    forgone = [[0] * t for _ in range(n)]
    for p in range(t):
        left = sum(max(made[row][p] - used[row][p], 0) for row in range(n) if row not in storage)
        for row in range(n):
            direct[row][p] = draw(st.integers(0, min(max(used[row][p] - made[row][p], 0), left)))
            left -= direct[row][p]
            own = 0 if row in storage else min(used[row][p], made[row][p])
            forgone[row][p] = draw(st.integers(0, own + direct[row][p]))
    line = [[draw(energy) for _ in range(t)] for _ in range(3)]
    return flows(
        used, made, storage=tuple(storage), direct_wh=direct, forgone_wh=forgone, covered_wh=grid(), losses=line[0], through=line[1], gone=line[2]
    )


@given(periods())
def test_every_wh_has_one_source(given_flows: Flows) -> None:
    f, sums = given_flows, attribute(given_flows)
    n, t = f.consumption_wh.shape
    withdrawal = [sum(max(int(f.consumption_wh[row, p] - f.generation_wh[row, p]), 0) for p in range(t)) for row in range(n)]
    parts = sums.direct_wh + sums.grid_wh + sums.undelivered_wh + sums.discharge_wh
    assert parts.tolist() == withdrawal
    assert all((getattr(sums, name) >= 0).all() for name in ("grid_wh", "undelivered_wh", "lost_wh", "discharge_wh", "covered_wh", "idle_wh"))
    assert int(sums.grid_wh.sum() + sums.park[3]) == int(f.grid_import_wh.sum())
    assert (sums.lost_wh <= sums.undelivered_wh).all()
    assert (sums.covered_wh <= sums.received_wh).all()
    assert (sums.covered_wh + sums.idle_wh).tolist() == f.covered_wh.sum(axis=1).tolist()
    assert (sums.matched_wh <= sums.load_wh).all()
    assert not sums.direct_beyond_wh.any()
    assert not sums.forgone_beyond_wh.any()
    # One period at a time, by fractions: the grid's part of each member is its share of what was left to supply, give or take a Wh.
    for p in range(t):
        rest = [max(int(f.consumption_wh[row, p] - f.generation_wh[row, p]), 0) - int(f.direct_wh[row, p]) for row in range(n)]
        wanted = sum(rest) + int(f.losses_wh[p])
        supplied = max(wanted - _inside(f, p), 0)
        one = attribute(Flows(**{name: getattr(f, name)[..., [p]] if name != "is_storage" else f.is_storage for name in f.__slots__}))
        for row in range(n):
            assert abs(int(one.grid_wh[row]) - (Fraction(supplied * rest[row], wanted) if wanted else 0)) < 1
        assert int(one.grid_wh.sum() + one.park[3]) == int(f.grid_import_wh[p])


def _inside(f: Flows, p: int) -> int:
    """Energy from inside the park for those who had not enough: injections less direct supply and exports that came from inside."""
    injected = sum(max(int(f.generation_wh[row, p] - f.consumption_wh[row, p]), 0) for row in range(len(f.is_storage)))
    inside = injected - int(f.direct_wh[:, p].sum())
    return inside - min(int(f.grid_export_wh[p]), inside)


claim = st.integers(0, 120)


@given(periods(), st.data())
def test_no_claim_is_dropped_unseen(given_flows: Flows, data: st.DataObject) -> None:
    """Whatever certificates say: what counts and what is beyond the meters is what they say, and the meters' energy is supplied all the same."""
    f = given_flows
    n, t = f.consumption_wh.shape
    direct, forgone = ([[data.draw(claim) for _ in range(t)] for _ in range(n)] for _ in range(2))
    changed = {"direct_wh": np.array(direct, np.int64), "forgone_wh": np.array(forgone, np.int64)}
    sums = attribute(Flows(**{name: changed.get(name, getattr(f, name)) for name in f.__slots__}))
    assert (sums.direct_wh + sums.direct_beyond_wh).tolist() == [sum(row) for row in direct]
    assert (sums.forgone_wh + sums.forgone_beyond_wh).tolist() == [sum(row) for row in forgone]
    withdrawal = np.maximum(f.consumption_wh - f.generation_wh, 0).sum(axis=1)
    assert (sums.direct_wh + sums.grid_wh + sums.undelivered_wh + sums.discharge_wh).tolist() == withdrawal.tolist()
    assert int(sums.lost_wh.sum() + sums.park[4] + sums.park[7]) <= int(f.gone_wh.sum())  # what is missing are exports


@given(periods(), st.data())
def test_sums_of_spans_are_the_sum_of_the_whole(given_flows: Flows, data: st.DataObject) -> None:
    """Cut at hours, where the match by the hour is not cut."""
    t = len(given_flows.start_ns)
    cut = 4 if t > 4 else 0
    total = EnergySums.zero(len(given_flows.is_storage))
    for span in (slice(0, cut), slice(cut, t)):
        if span.stop > span.start:
            total.add(attribute(Flows(**{
                name: getattr(given_flows, name)[..., span] if name != "is_storage" else given_flows.is_storage for name in given_flows.__slots__
            })))  # fmt: skip
    whole = attribute(given_flows)
    assert all(getattr(total, name).tolist() == getattr(whole, name).tolist() for name in EnergySums.__slots__)


@pytest.mark.parametrize(
    ("load", "green", "hourly", "by_quarter"),
    [
        ([10, 10, 10, 10], [0, 0, 20, 20], 40, 20),  # within the hour it may come later
        ([10, 10, 10, 10, 40, 0, 0, 0], [80, 0, 0, 0, 0, 0, 0, 0], 40, 10),  # never in another hour
        ([0, 0, 0, 0], [5, 5, 5, 5], 0, 0),
    ],
)
def test_matching(load: list[int], green: list[int], hourly: int, by_quarter: int) -> None:
    starts = DAY_NS + np.arange(len(load)) * PERIOD_NS
    columns = np.array([load], np.int64), np.array([green], np.int64)
    assert matched_wh(*columns, hour_of(starts)).tolist() == [hourly]
    assert matched_wh(*columns, np.arange(len(load))).tolist() == [by_quarter]
    assert matched_wh(*columns, np.zeros(len(load), np.int64)).tolist() == [min(sum(load), sum(green))]


def test_matching_of_nothing() -> None:
    assert matched_wh(np.zeros((2, 0), np.int64), np.zeros((2, 0), np.int64), np.zeros(0, np.int64)).tolist() == [0, 0]
    assert DAY_NS % NS_PER_HOUR == 0
