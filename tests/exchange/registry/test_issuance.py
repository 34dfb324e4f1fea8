"""Monthly issuance: whole MWh with the remainder carried, self-use apart, by the golden numbers of story 4."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.metering.devices import DeviceKind
from exchange.registry.issuance import ON_GRID, MonthlyIssuance, Proof, Volume, certificate_symbol, first_wh, on_grid_volumes
from exchange.units import WH_PER_MWH

PV, USER = 1, 40


def certify(table: MonthlyIssuance, month: int, eligible_wh: int) -> dict[int, int]:
    """Units by user of one month of the plant."""
    volumes = on_grid_volumes(PV, eligible_wh, table.self_use_of(month, PV))
    assert volumes is not None
    issues = table.units(volumes)
    table.close_month(month, PV, eligible_wh, issues)
    return {issue.user: issue.units for issue in issues}


def test_a_month_of_1099_6_mwh_issues_1099_and_carries_0_6() -> None:
    table = MonthlyIssuance()
    assert certify(table, 0, 1_099_600_000) == {ON_GRID: 1_099}
    assert table.carry_wh == {(PV, ON_GRID): 600_000}
    assert certify(table, 1, 400_000) == {ON_GRID: 1}
    assert table.carry_wh == {}


def test_a_year_of_story_four() -> None:
    """13,200 MWh, of which the park uses 11,880 itself: 1,320 tradable and 11,880 that are not, whatever the months."""
    table = MonthlyIssuance()
    generation = [700_000_123, 800_999_877, 1_100_000_000, 1_250_000_000, 1_400_000_000, 1_449_000_000]
    generation += [1_500_000_001, 1_400_000_000, 1_100_000_000, 1_000_000_000, 800_000_000, 699_999_999]
    assert sum(generation) == 13_200_000_000
    units = {ON_GRID: 0, USER: 0}
    for month, wh in enumerate(generation):
        used_wh = wh * 9 // 10 if month < 11 else 11_880_000_000 - sum(w * 9 // 10 for w in generation[:11])
        table.note_self_use(month, PV, USER, used_wh // 2)
        table.note_self_use(month, PV, USER, used_wh - used_wh // 2)
        for user, count in certify(table, month, wh).items():
            units[user] += count
    assert units == {ON_GRID: 1_320, USER: 11_880}
    assert (table.carry_wh, table.self_use_wh) == ({}, {})
    assert sum(month.tradable for month in table.issued.values()) == 1_320
    assert sum(month.self_use for month in table.issued.values()) == 11_880


@given(st.lists(st.tuples(st.integers(0, 5 * WH_PER_MWH), st.integers(0, 5 * WH_PER_MWH)), max_size=24))
def test_units_and_carry_are_the_energy(months: list) -> None:
    """At every month: issued x 1 MWh + carry = what was generated so far, of each kind, and the carry is less than 1 MWh."""
    table, issued = MonthlyIssuance(), {ON_GRID: 0, USER: 0}
    total = {ON_GRID: 0, USER: 0}
    for month, (on_grid_wh, used_wh) in enumerate(months):
        table.note_self_use(month, PV, USER, used_wh)
        for user, count in certify(table, month, on_grid_wh + used_wh).items():
            issued[user] += count
        total[ON_GRID] += on_grid_wh
        total[USER] += used_wh
        for user in (ON_GRID, USER):
            carry_wh = table.carry_wh.get((PV, user), 0)
            assert issued[user] * WH_PER_MWH + carry_wh == total[user]
            assert 0 <= carry_wh < WH_PER_MWH
    packed = msgspec.msgpack.decode(msgspec.msgpack.encode(table.to_canonical()))
    assert MonthlyIssuance.from_canonical(packed) == table


def test_more_self_use_than_generation_has_no_volumes() -> None:
    assert on_grid_volumes(PV, 5, [(40, 3), (41, 3)]) is None
    assert on_grid_volumes(PV, 6, [(40, 3), (41, 3)]) == [Volume(PV, ON_GRID, 0), Volume(PV, 40, 3), Volume(PV, 41, 3)]


def test_units_wait_for_the_proof_of_their_pair() -> None:
    table = MonthlyIssuance()
    table.wait_for_proof(PV, USER, 7, 3)
    table.wait_for_proof(PV, USER, 6, 2)
    table.wait_for_proof(PV, 41, 6, 1)
    table.wait_for_proof(2, USER, 6, 0)
    table.proofs[PV, USER] = Proof(PV, USER, "c", "p", 5)
    assert MonthlyIssuance.from_canonical(msgspec.msgpack.decode(msgspec.msgpack.encode(table.to_canonical()))) == table
    assert table.take_waiting(PV, USER) == [(6, 2), (7, 3)]
    assert table.waiting == {(PV, 41, 6): 1}


def test_an_empty_table_is_no_part_of_the_state() -> None:
    assert not MonthlyIssuance().to_canonical()
    assert MonthlyIssuance.from_canonical([]) == MonthlyIssuance()


@given(st.lists(st.integers(0, 9), min_size=1, max_size=12), st.integers(0, 120))
def test_the_first_wh_are_the_first(free: list[int], total: int) -> None:
    taken = first_wh(np.array(free, np.int64), total).tolist()
    wanted = []
    for wh in free:
        wanted.append(min(wh, total))
        total -= wanted[-1]
    assert taken == wanted


@pytest.mark.parametrize(("kind", "symbol"), [("pv", "GEC-202607-PV"), ("wind", "GEC-202607-WIND"), ("hydro", "GEC-202607-HYDRO")])
def test_symbols(kind: str, symbol: str) -> None:
    assert certificate_symbol(DeviceKind(kind), "2026-07") == symbol
