"""Monthly contracts decomposed to quarter-hours sum to the month exactly and follow the plant."""

import datetime

import numpy as np
import pytest

from clients.scenarios import load_park
from clients.scenarios.contracts import decompose_month
from clients.scenarios.profiles import derived_year

YEAR = derived_year()


@pytest.mark.parametrize("month", [1, 2, 7, 12])
@pytest.mark.parametrize(("series", "peak_kw", "share"), [("pv_south", 5000, 250), ("pv_east_west", 4000, 1), ("wind", 4000, 1000)])
def test_the_days_sum_to_the_month(month: int, series: str, peak_kw: int, share: int) -> None:
    rows = YEAR.month_slice(datetime.date(2026, month, 1))
    total = 0
    for number in range(rows.stop - rows.start):
        month_lots, lots = decompose_month(YEAR, series, peak_kw, share, datetime.date(2026, month, 1 + number))
        total += int(lots.sum())
        assert int(lots.min()) >= 0
    plant_wh = int(YEAR.generation_wh(series, peak_kw, rows).sum())
    assert total == month_lots == plant_wh * share // 100_000


def test_the_curve_is_the_plants() -> None:
    rows = YEAR.month_slice(datetime.date(2026, 7, 1))
    average = YEAR.generation_wh("pv_south", 5000, rows).mean(axis=0) / 100 * 0.25
    _, lots = decompose_month(YEAR, "pv_south", 5000, 250, datetime.date(2026, 7, 15))
    assert np.abs(lots - average).max() <= 1.0
    assert not lots[:16].any()


def test_contracts_of_the_park() -> None:
    park = load_park()
    assert len(park.contracts) == 13
    for contract in park.contracts:
        assert int(contract.lots.min()) >= 0
        assert contract.buyer != contract.seller
        assert 280_000 < contract.price_micro_per_kwh < 650_000
    month_lots, lots = decompose_month(YEAR, "pv_south", 5000, 250, park.date)
    assert (park.contracts[0].buyer, park.contracts[0].seller, park.contracts[0].month_lots) == ("E01", "PV01", month_lots)
    assert park.contracts[0].lots.tolist() == lots.tolist()
    sold = {seller: sum(int(contract.lots.sum()) for contract in park.contracts if contract.seller == seller) for seller in ("PV01", "W01")}
    assert sold["PV01"] == -int(park.member("PV01").contract_lots.sum())
    assert sold["W01"] == -int(park.member("W01").contract_lots.sum())
