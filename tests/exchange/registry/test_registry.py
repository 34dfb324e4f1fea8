"""The registry alone: random postings against a model of single units, the way back from a snapshot, digests, bulk issuance, and refusals."""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange.errors import CheckFailedError, InputError
from exchange.ledger.chart import House
from exchange.ledger.records import POSTING, PostingReason
from exchange.protocol.instrument_class import Resale
from exchange.registry.bundles import BLOCK_ROWS, Queue
from exchange.registry.checking import check_registry
from exchange.registry.lifecycle import UnitState
from exchange.registry.registry import Registry, UnitFacts
from exchange.registry.serials import SerialRange, UnitScheme
from tests.exchange.registry.compare import require_same, serials_of
from tests.exchange.registry.model import Model

A, B, C = 33, 34, 70
RESALES = {5: Resale.FREE, 6: Resale.NEXT_DAY, 9: Resale.NONE}
GEC = UnitFacts(scheme=UnitScheme.GEC, source=2, vintage=202605, expiry_ns=7)
ENDS = {
    PostingReason.UNITS_LOCKED: House.LOCKED, PostingReason.UNITS_FROZEN: House.FROZEN, PostingReason.UNITS_RETIRED: House.RETIRED,
    PostingReason.UNITS_SURRENDERED: House.SURRENDERED, PostingReason.UNITS_EXPIRED: House.EXPIRED,
    PostingReason.UNITS_WITHDRAWN: House.WITHDRAWN,
}  # fmt: skip
CHECKED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def fresh() -> tuple[Registry, Model]:
    registry = Registry()
    for asset, resale in RESALES.items():
        registry.add_asset(asset, resale)
    return registry, Model({asset: resale.name.lower() for asset, resale in RESALES.items()})


def posting(asset: int, debit: int, credit: int, lots: int, reason: PostingReason, sequence: int = 1) -> np.ndarray:
    row = np.zeros(1, POSTING)
    row["asset"], row["debit"], row["credit"], row["amount"], row["reason"], row["sequence"] = asset, debit, credit, lots, int(reason), sequence
    return row


def issue(registry: Registry, model: Model, asset: int, account: int, lots: int) -> None:
    registry.issue(GEC, account, lots, 1, asset=asset)
    model.issue(asset, account, lots)


steps = st.lists(
    st.tuples(
        st.sampled_from(["issue", "trade", "trade", "trade", "end", "release", "midnight", "prefer", "prefer"]),
        st.sampled_from([5, 6, 6, 9, 9]), st.sampled_from([A, A, B, C]), st.sampled_from([A, B, B, C]), st.integers(1, 9), st.sampled_from([*ENDS]),
    ),
    min_size=1, max_size=40,
)  # fmt: skip


def follow(registry: Registry, model: Model, step: tuple[Any, ...]) -> list[np.ndarray]:
    """Do one step to the model, and to the registry where it is no posting; returns the postings of the step."""
    kind, asset, account, other, lots, reason = step
    if kind == "issue":
        issue(registry, model, asset, account, lots)
    elif kind == "trade":
        lots = min(lots, len(model.sellable(asset, account)))
        if lots and account != other:
            model.hand_over(asset, account, other, lots)
            return [posting(asset, account, other, lots, PostingReason.UNITS_TRADED)]
    elif kind == "end":
        taken = model.first(asset, account, lots)
        if taken:
            model.change(taken, UnitState[reason.name.removeprefix("UNITS_")].name)
            return [posting(asset, account, ENDS[reason], len(taken), reason)]
    elif kind == "release":
        taken = model.held(asset, account, "LOCKED")[:lots]
        if taken:
            model.change(taken, "ISSUED")
            return [posting(asset, House.LOCKED, account, len(taken), PostingReason.UNITS_RELEASED)]
    elif kind == "midnight":
        if len(registry):
            model.day += 1
        registry.begin_day()
    else:
        wanted = model.sellable(asset, account)[-lots:]
        if wanted:
            ranges = [SerialRange(UnitScheme.GEC, 2, 202605, issuance, number, number) for issuance, number in wanted]
            registry.prefer(registry.select_ranges(asset, account, ranges, 1, [Queue.SELLABLE]))
            model.prefer(asset, account, wanted)
    return []


@CHECKED
@given(steps)
def test_ranges_move_as_single_units_would(moves: list[tuple[Any, ...]]) -> None:
    registry, model = fresh()
    for asset in RESALES:
        for account in (A, B, A):
            issue(registry, model, asset, account, 4)
    for step in moves:
        for rows in follow(registry, model, step):
            registry.fold(rows)
        check_registry(registry)
        require_same(registry, model, [A, B, C])
        for row in range(len(registry)):
            for issuance, number in serials_of(registry, row)[:2]:
                found = registry.find(issuance, number)
                assert found is not None
                assert registry.rows[found].state != UnitState.SPLIT
                assert registry.rows[found].serial_from <= number <= registry.rows[found].serial_to


@CHECKED
@given(steps, steps)
def test_a_restored_registry_goes_on_as_the_first_would(before: list[tuple[Any, ...]], after: list[tuple[Any, ...]]) -> None:
    registry, model = fresh()
    for step in before:
        for rows in follow(registry, model, step):
            registry.fold(rows)
    other = Registry.from_canonical(registry.to_canonical(), RESALES)
    assert other.to_hash() == registry.to_hash()
    assert other.to_canonical() == registry.to_canonical()
    check_registry(other)
    for step in after:
        for rows in follow(other, model, step):
            other.fold(rows)
        require_same(other, model, [A, B, C])


def test_a_long_chain_of_rests_is_found_from_either_side() -> None:
    registry, model = fresh()
    registry.issue(GEC, A, 3_000, 1, asset=5)
    registry.issue(GEC, A, 3_000, 1, asset=6)
    rows = [posting(asset, A, B, 1, PostingReason.UNITS_TRADED, n) for n in range(2_999) for asset in (5, 6)]
    registry.fold(np.concatenate(rows))
    assert not model.units
    for number in (1, 2, 1_023, 1_024, 1_025, 2_047, 2_999, 3_000):
        for issuance, asset in ((1, 5), (2, 6)):
            found = registry.find(issuance, number)
            assert found is not None
            assert (registry.rows[found].serial_from, registry.rows[found].serial_to) == (number, number)
            assert (registry.rows[found].asset, registry.rows[found].account) == (asset, A if number == 3_000 else B)
    restored = Registry.from_canonical(registry.to_canonical(), RESALES)
    assert [restored.find(1, n) for n in range(1, 3_001, 7)] == [registry.find(1, n) for n in range(1, 3_001, 7)]


@pytest.mark.parametrize(("issuance", "number"), [(0, 1), (1, 0), (1, 101), (2, 1), (-1, 1)])
def test_what_was_never_issued_is_not_found(issuance: int, number: int) -> None:
    registry, _ = fresh()
    registry.issue(GEC, A, 100, 1, asset=5)
    assert registry.find(issuance, number) is None


def test_many_bundles_are_one_issuance_in_their_order() -> None:
    registry, _ = fresh()
    first, end = registry.issue_many(
        [A, B, A], [5, 7, 1], 3, scheme=int(UnitScheme.GC), source=[1, 2, 3], vintage=202607, period_start_ns=10, period_end_ns=20, evidence=b"e" * 32
    )
    assert (first, end) == (0, 3)
    texts = [str(registry.range_of(row)) for row in range(first, end)]
    assert [text[:-2] for text in texts] == [
        "PARK-GC-D1-202607-1-1-5", "PARK-GC-D2-202607-1-6-12", "PARK-GC-D3-202607-1-13-13",
    ]  # fmt: skip
    assert registry.find(1, 6) == registry.find(1, 12) == 1
    assert (registry.lots(0, A), registry.lots(0, B)) == (6, 7)
    assert registry.counts(0) == {UnitState.ISSUED: 13}
    assert registry.bundles_of(A).tolist() == [0, 2]
    assert registry.bundles_of(A, 0, UnitState.RETIRED).tolist() == registry.bundles_of(A, 5).tolist() == []
    check_registry(registry)


def test_the_table_grows_and_only_touched_blocks_are_hashed_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    registry, _ = fresh()
    n = 2 * BLOCK_ROWS + 5
    registry.issue_many(np.full(n, A), np.full(n, 3), 1, scheme=int(UnitScheme.GC))
    before = list(registry.table.digests())
    assert len(before) == 3
    registry.change(np.array([BLOCK_ROWS + 1]), UnitState.RETIRED)
    changed = registry.table.digests()
    assert [old == new for old, new in zip(before, changed, strict=True)] == [True, False, True]
    assert not registry.table.tables.dirty.any()
    assert Registry.from_canonical(registry.to_canonical(), {}).table.digests() == changed
    check_registry(registry)


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ((1, 1, 11), "no such units"),
        ((2, 1, 1), "no such units"),
        ((1, 9, 10), "not all held there"),  # 9 and 10 are B's
        ((3, 1, 1), "not all held there"),  # of another instrument
        ((4, 1, 1), "not all held there"),  # locked
    ],
)
def test_ranges_that_are_not_there_are_refused_and_nothing_is_split(item: tuple[int, int, int], message: str) -> None:
    registry, model = fresh()
    for asset, account, lots in ((5, A, 10), (5, A, 0), (6, A, 4), (5, A, 4)):
        if lots:
            issue(registry, model, asset, account, lots)
        else:
            registry.issue(UnitFacts(scheme=UnitScheme.GEC, source=9), A, 4, 1, asset=5)
    registry.state_rows(registry.select_ranges(5, A, [SerialRange(UnitScheme.GEC, 2, 202605, 1, 9, 10)], 1))
    registry.fold(posting(5, A, B, 2, PostingReason.UNITS_TRANSFERRED))
    registry.state_rows(registry.select_ranges(5, A, [SerialRange(UnitScheme.GEC, 2, 202605, 4, 1, 4)], 1))
    registry.fold(posting(5, A, House.LOCKED, 4, PostingReason.UNITS_LOCKED))
    content = registry.to_canonical()
    issuance, start, end = item
    with pytest.raises(InputError, match=message):
        registry.select_ranges(5, A, [SerialRange(UnitScheme.GEC, 2, 202605, issuance, start, end)], 1)
    assert registry.to_canonical() == content


def test_ranges_must_not_overlap() -> None:
    registry, model = fresh()
    issue(registry, model, 5, A, 10)
    named = [SerialRange(UnitScheme.GEC, 2, 202605, 1, 1, 5), SerialRange(UnitScheme.GEC, 2, 202605, 1, 5, 6)]
    with pytest.raises(InputError, match="overlap"):
        registry.select_ranges(5, A, named, 1)


@pytest.mark.parametrize(
    ("lots", "reason", "message"),
    [(11, PostingReason.UNITS_TRADED, "does not have"), (11, PostingReason.UNITS_RETIRED, "does not have"), (1, PostingReason.UNITS_RELEASED, "not")],
)
def test_postings_that_contradict_the_table_are_found(lots: int, reason: PostingReason, message: str) -> None:
    registry, model = fresh()
    issue(registry, model, 5, A, 10)
    debit, credit = (House.LOCKED, A) if reason is PostingReason.UNITS_RELEASED else (A, B)
    with pytest.raises(CheckFailedError, match=message):
        registry.fold(posting(5, debit, credit, lots, reason))


def test_a_bundle_of_no_instrument_ends_once() -> None:
    registry, _ = fresh()
    registry.issue_many([A], [10], 1, scheme=int(UnitScheme.GC))
    rows = registry.select_first(0, A, 4, 2)
    registry.change(rows, UnitState.RETIRED)
    assert registry.counts(0) == {UnitState.ISSUED: 6, UnitState.RETIRED: 4}
    for state in UnitState:
        with pytest.raises(InputError, match="lifecycle"):
            registry.change(rows, state)
    registry.change(registry.select_first(0, A, 6, 2), UnitState.ISSUED, B)
    assert (registry.lots(0, A), registry.lots(0, B)) == (0, 6)
    check_registry(registry)


def test_units_of_an_instrument_are_not_changed_behind_their_balance() -> None:
    registry, model = fresh()
    issue(registry, model, 5, A, 10)
    with pytest.raises(InputError, match="lifecycle"):
        registry.change(np.array([0]), UnitState.RETIRED)


def _set(row: int, name: str, value: int) -> Any:
    def tamper(registry: Registry) -> None:
        registry.table.rows[row][name] = value

    return tamper


TAMPERED = {
    "quantity": _set(3, "serial_to", 99),
    "overlap": _set(2, "serial_from", 1),
    "vintage": _set(1, "vintage", 202604),
    "owner": _set(1, "account", C),
    "state": _set(1, "state", int(UnitState.RETIRED)),
    "unsplit": _set(0, "state", int(UnitState.ISSUED)),
    "reserved": _set(1, "state", int(UnitState.RESERVED)),
    "place": _set(2, "place", 10**9),
    "device of a parent": _set(0, "source", 8),
    "total": lambda registry: registry.table.tables.totals.__setitem__((1, int(UnitState.ISSUED)), 1),
    "queue": lambda registry: registry.table.tables.queues[1, A, 0].__setitem__("lots", 1),
    "link": lambda registry: registry.table.tables.before.__setitem__(3, 1),
    "evidence": lambda registry: registry.table.issuances[0]["evidence"].__setitem__(0, 1),
    "waiting": lambda registry: registry.state_rows(np.array([1])),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_a_changed_row_is_found(what: str) -> None:
    registry, model = fresh()
    issue(registry, model, 5, A, 10)
    registry.fold(posting(5, A, B, 4, PostingReason.UNITS_TRADED))
    issue(registry, model, 5, A, 10)
    check_registry(registry)
    TAMPERED[what](registry)
    with pytest.raises(CheckFailedError):
        check_registry(registry)


def test_what_was_bought_joins_the_queue_at_the_place_of_its_arrival() -> None:
    registry, model = fresh()
    for account in (A, B):
        issue(registry, model, 6, account, 2)
    registry.fold(posting(6, A, B, 2, PostingReason.UNITS_TRADED))
    model.hand_over(6, A, B, 2)
    issue(registry, model, 6, B, 1)
    require_same(registry, model, [A, B])
    assert (registry.lots(6, B, Queue.SELLABLE), registry.lots(6, B, Queue.UNSELLABLE)) == (3, 2)
    registry.begin_day()
    model.day += 1
    assert [serial[0] for serial in model.sellable(6, B)] == [2, 2, 1, 1, 3]
    require_same(registry, model, [A, B])
    check_registry(registry)


def test_what_cannot_be_sold_ends_first() -> None:
    registry, model = fresh()
    for account in (A, B):
        issue(registry, model, 9, account, 4)
    registry.fold(posting(9, A, B, 3, PostingReason.UNITS_TRADED))
    registry.fold(posting(9, B, House.RETIRED, 4, PostingReason.UNITS_RETIRED))
    retired = [str(registry.range_of(row)) for row in registry.bundles_of(B, 9, UnitState.RETIRED)]
    assert [text[:-2] for text in retired] == ["PARK-GEC-D2-202605-1-1-3", "PARK-GEC-D2-202605-2-1-1"]
    assert registry.select_first(9, B, 2, 1).tolist() == registry.bundles_of(B, 9, UnitState.ISSUED)[:1].tolist()
