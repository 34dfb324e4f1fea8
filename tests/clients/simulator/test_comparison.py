"""Three bills on the same meters: a park by hand, and properties on days settled by the exchange."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.simulator.comparison import (
    Comparison,
    DayTariff,
    LineKind,
    MarketDay,
    NoGainPeriod,
    NoGainReason,
    ParkDay,
    StorageUnit,
    compare_bills,
    market_day_of_report,
)
from exchange.settlement.day import settle_day
from exchange.settlement.day_input import DayInput
from exchange.settlement.rendering import settlement_to_dict
from tests.exchange.settlement.worlds import Trade, days, make_day
from tests.exchange.settlement.worlds import report as day_report

KWH = 1_000
PPM = 1_000_000


def tariff_of(day: DayInput) -> DayTariff:
    return DayTariff(day.deficit_price_ticks, day.surplus_price_ticks, day.park_fee_lot_micro, day.voltage_adder_micro_per_kwh)


def park_of(day: DayInput, storage: tuple[StorageUnit, ...] = ()) -> ParkDay:
    return ParkDay(day.names, day.symbols, day.readings.consumption_wh, day.readings.generation_wh, day.readings.losses_wh, storage)


def compare(day: DayInput, storage: tuple[StorageUnit, ...] = (), soc_value_ticks: int = 0) -> Comparison:
    report = settlement_to_dict(day_report(settle_day(day)))
    return compare_bills(park_of(day, storage), tariff_of(day), market_day_of_report(report, day.accounts.tolist(), soc_value_ticks))


def by_name(comparison: Comparison) -> dict[str, tuple[int, int, int]]:
    return {line.name: (line.retail_micro, line.pool_micro, line.market_micro) for line in comparison.lines}


def test_a_park_of_two_by_hand() -> None:
    """E01 uses 10 kWh, E02 injects 6 and sold them at 0.50; retail 0.65, feed-in 0.28, park fee 0.04, adder 0.02.

    Alone: 10 x 0.67, and -6 x 0.28. Pool: mid 0.465 for 6 kWh and 0.65 for 4, fee on the 6. Market: 6 at 0.50 and 4 at 0.65, the same fee.
    """
    day = make_day([[10 * KWH], [0]], [[0], [6 * KWH]], [Trade(1, 0, 0, 60, 5000)], adders=20_000)
    comparison = compare(day)
    assert by_name(comparison) == {
        "E01": (6_700_000, 5_830_000, 6_040_000),
        "E02": (-1_680_000, -2_790_000, -3_000_000),
        "operator": (0, -240_000, -240_000),
    }
    assert [line.name for line in comparison.lines] == ["E01", "operator", "E02"]
    assert [line.name for line in comparison.losers] == ["E01"]
    assert comparison.gain_micro == 0
    assert (comparison.grid_retail_micro, comparison.grid_pool_micro, comparison.grid_market_micro) == (5_020_000, 2_800_000, 2_800_000)
    assert (comparison.pool_rounding_micro, comparison.market_residual_micro) == (0, 0)
    assert (comparison.bill_retail_micro, comparison.bill_pool_micro, comparison.bill_market_micro) == (5_020_000, 3_040_000, 3_040_000)
    assert comparison.no_gain_periods == ()


def test_the_record_itself_is_a_report_too() -> None:
    """What arrives over the wire may be the record as plain data: the market's side reads the same from it."""
    settlement = day_report(settle_day(make_day([[10 * KWH], [0]], [[0], [6 * KWH]], [Trade(1, 0, 0, 60, 5000)], adders=20_000)))
    rendered, record = (market_day_of_report(report, [33, 32, 40], 0) for report in (settlement_to_dict(settlement), msgspec.to_builtins(settlement)))
    assert rendered.total_micro.tolist() == record.total_micro.tolist() == [3_000_000, -6_040_000, 0]
    assert rendered.contract_cost_micro.tolist() == record.contract_cost_micro.tolist()
    assert rendered.operator_income_micro == record.operator_income_micro == 240_000


def test_contracts_are_part_of_the_market_bill() -> None:
    day = replace(make_day([[5 * KWH], [0]], [[0], [5 * KWH]], contract_lots=[[50], [-50]]), contract_price_ticks=np.array([4000]))
    assert {name: bills[2] for name, bills in by_name(compare(day)).items()} == {"E01": 2_000_000, "E02": -2_000_000, "operator": 0}


def storage_day() -> tuple[DayInput, StorageUnit]:
    """E01 uses 4 kWh in a valley and 4 in a peak; S1 charged 1 kWh and gave nothing back: a poor day with 1 kWh left in store."""
    day = make_day([[4 * KWH, 4 * KWH], [1 * KWH, 0]], [[0, 0], [0, 0]], deficit_ticks=np.array([3200, 10_820]))
    unit = StorageUnit(1, 2 * KWH, 3 * KWH, 0, 4 * KWH, 8 * KWH, PPM, PPM, np.array([1 * KWH, 0]), np.array([0, 0]))
    return day, unit


def test_storage_is_at_its_best_in_the_pool_and_its_day_is_valued_in_the_market() -> None:
    """Pool: 2 kWh from 0.32 to 1.082. Charged at the buy rate, discharged at mid: -2 x 0.681 + 2 x 0.32. Market: 1 kWh bought, left at 0.28."""
    day, unit = storage_day()
    comparison = compare(day, (unit,), soc_value_ticks=2800)
    (storage,) = comparison.storage
    assert storage.kind == LineKind.STORAGE
    assert comparison.pool_schedules[0].charge_wh.tolist() == [2 * KWH, 0]
    assert comparison.pool_schedules[0].discharge_wh.tolist() == [0, 2 * KWH]
    assert storage.retail_micro == 0  # alone it would buy at 0.32 and sell at 0.28
    assert storage.pool_micro == 640_000 - 1_362_000
    assert (storage.market_micro, storage.soc_value_micro) == (320_000 - 280_000, 280_000)
    assert comparison.grid_market_micro - comparison.grid_pool_micro == (10_820 * 2 - 3200) * 100


def test_storage_behind_a_members_own_meter_is_a_member() -> None:
    day, unit = storage_day()
    own = replace(unit, participant=0, charge_wh=np.array([0, 0]))
    comparison = compare(day, (own,))
    assert comparison.storage == ()
    e01 = by_name(comparison)["E01"]
    assert e01[0] == (3200 * 6 + 10_820 * 2) * 100  # alone: 6 kWh in the valley, 2 in the peak
    assert e01[1] == e01[0]


def test_periods_without_gain_from_trade_are_named_with_the_reason() -> None:
    consumption = [[5 * KWH, 5 * KWH, 0, 5 * KWH], [0] * 4]
    generation = [[0, 0, 1 * KWH, 0], [3 * KWH, 0, 3 * KWH, 3 * KWH]]
    day = make_day(consumption, generation, deficit_ticks=np.array([3200, 6500, 6500, 3201]))
    prefix = "GP-20260715-"
    assert compare(day).no_gain_periods == (
        NoGainPeriod(prefix + "0000", NoGainReason.LIMIT_NOT_ABOVE_FEED_IN),  # 0.32 - 0.04 = 0.28 = feed-in
        NoGainPeriod(prefix + "0015", NoGainReason.NO_SELLER),
        NoGainPeriod(prefix + "0030", NoGainReason.NO_BUYER),
    )
    fees = replace(tariff_of(day), trading_fee_micro_per_kwh=100)
    market = MarketDay(np.zeros(2, np.int64), np.zeros(2, np.int64), 0, 0)
    last = compare_bills(park_of(day), fees, market).no_gain_periods[-1]
    assert last == NoGainPeriod(prefix + "0045", NoGainReason.LIMIT_NOT_ABOVE_FEED_IN)


@pytest.mark.parametrize("field", ["consumption_wh", "generation_wh", "losses_wh"])
def test_shapes_that_disagree_are_named(field: str) -> None:
    day = make_day([[1], [2]], [[0], [0]])
    park = replace(park_of(day), **{field: np.zeros((3, 3), np.int64)})
    with pytest.raises(ValueError, match=field):
        compare_bills(park, tariff_of(day), MarketDay(np.zeros(2, np.int64), np.zeros(2, np.int64), 0, 0))


def test_storage_cannot_have_moved_more_than_its_meter() -> None:
    day, unit = storage_day()
    with pytest.raises(ValueError, match="more energy than the meter"):
        compare(day, (replace(unit, charge_wh=np.array([KWH + 1, 0])),))


@given(days())
def test_every_world_pays_the_grid_to_the_micro(day: DayInput) -> None:
    comparison = compare(day)
    periods = len(day.symbols)
    everybody = [sum(getattr(line, world) for line in comparison.lines) for world in ("retail_micro", "pool_micro", "market_micro")]
    assert everybody[0] == comparison.grid_retail_micro
    assert everybody[1] - comparison.grid_pool_micro == comparison.pool_rounding_micro
    assert everybody[2] - comparison.grid_market_micro == comparison.market_residual_micro
    assert abs(comparison.pool_rounding_micro) <= 2 * periods + 3
    assert abs(comparison.market_residual_micro) <= 2 * len(day.names) + 4
    # Netting is physics: without storage pool and market pay the grid the same, so what one gains another loses.
    assert comparison.grid_pool_micro == comparison.grid_market_micro
    assert comparison.gain_micro == comparison.pool_rounding_micro - comparison.market_residual_micro
    gains = [line.gain_micro for line in comparison.lines]
    assert gains == sorted(gains)


@given(days())
def test_nobody_pays_more_in_the_pool_than_alone_but_for_the_fee(day: DayInput) -> None:
    comparison = compare(replace(day, park_fee_lot_micro=np.zeros(len(day.symbols), np.int64)))
    for line in comparison.participants:
        assert line.pool_micro <= line.retail_micro + 2 * len(day.symbols) + 2


@settings(max_examples=40)
@given(st.data())
def test_no_schedule_of_the_storage_beats_the_pools(data: st.DataObject) -> None:
    """Any charge and discharge that ends where it began: the market's grid bill is never below the pool's."""
    periods = data.draw(st.integers(2, 6))
    loads = np.array(data.draw(st.lists(st.integers(-20_000, 20_000), min_size=periods, max_size=periods)))
    surplus = np.array(data.draw(st.lists(st.integers(0, 4_000), min_size=periods, max_size=periods)))
    deficit = surplus + np.array(data.draw(st.lists(st.integers(0, 9_000), min_size=periods, max_size=periods)))
    soc = [2000, *data.draw(st.lists(st.integers(0, 4000), min_size=periods - 1, max_size=periods - 1)), 2000]
    steps = np.diff(soc)
    unit = StorageUnit(1, 2000, 2000, 0, 4000, 16_000, PPM, PPM, np.maximum(steps, 0), np.maximum(-steps, 0))
    day = make_day(
        [np.maximum(loads, 0), np.maximum(steps, 0)], [np.maximum(-loads, 0), np.maximum(-steps, 0)],
        deficit_ticks=deficit, surplus_ticks=surplus, fee_lot_micro=0,
    )
    comparison = compare(day, (unit,))
    slack_micro = 2 * periods * 1_300  # rounding of the schedule: 2 Wh a period at 1.30 CNY/kWh
    assert comparison.grid_pool_micro <= comparison.grid_market_micro + slack_micro
    assert comparison.gain_micro <= slack_micro


def test_text_in_both_languages() -> None:
    day, unit = storage_day()
    comparison = compare(day, (unit,), soc_value_ticks=2800)
    english, chinese = comparison.describe("en").splitlines(), comparison.describe("zh").splitlines()
    assert len(english) == len(chinese)
    assert english[1].split() == ["participant", "kind", "retail", "pool", "market", "gain"]
    gains = [float(row.split()[-1]) for row in english[2:5]]
    assert gains == sorted(gains)
    assert any("园区运营方" in row for row in chinese)
    assert any("valued in its market bill, at 0.2800 CNY/kWh: 0.28" in row for row in english)
    assert any("按 0.2800 元/千瓦时" in row for row in chinese)
    assert english[-1].strip() == "GP-20260715-0015  nobody injects"
    assert chinese[-1].strip().endswith("无上网电量")


def test_text_says_when_every_period_had_gain() -> None:
    day = make_day([[10 * KWH], [0]], [[0], [6 * KWH]])
    assert compare(day).describe("en").endswith("Every period had gain from trade.\n")


def test_a_run_of_periods_with_one_reason_is_one_line() -> None:
    day = make_day([[10 * KWH] * 3, [0] * 3], [[0] * 3, [6 * KWH] * 3], deficit_ticks=3200)
    assert compare(day).describe("en").splitlines()[-1].strip().startswith("GP-20260715-0000 .. GP-20260715-0030 (3)  buyer's limit")
