"""Indicators: one row a case."""

import numpy as np
import pytest

from clients.simulator.indicators import (
    churn,
    import_mwh,
    peak_import_kw,
    self_consumption,
    self_sufficiency,
)


@pytest.mark.parametrize(
    ("generation_wh", "export_wh", "share"), [(13_200, 1_320, 0.9), (100, 0, 1.0), (100, 100, 0.0), (0, 0, 0.0), (0, 50, 0.0), (100, 130, 0.0)]
)
def test_self_consumption(generation_wh: int, export_wh: int, share: float) -> None:
    assert self_consumption(generation_wh, export_wh) == pytest.approx(share)


@pytest.mark.parametrize(("load_wh", "import_wh", "share"), [(1000, 690, 0.31), (1000, 0, 1.0), (1000, 1100, 0.0), (0, 5, 0.0)])
def test_self_sufficiency(load_wh: int, import_wh: int, share: float) -> None:
    assert self_sufficiency(load_wh, import_wh) == pytest.approx(share)


def test_peak_is_the_highest_quarter_hour_mean() -> None:
    assert peak_import_kw(np.array([0, 1_250_000, 900_000])) == 5000.0
    assert peak_import_kw(np.array([], dtype=np.int64)) == 0.0


def test_import_in_mwh() -> None:
    assert import_mwh(np.array([1_500_000, 250_000])) == 1.75


@pytest.mark.parametrize(("traded_wh", "delivered_wh", "expected"), [(300, 100, 3.0), (100, 100, 1.0), (0, 0, 0.0), (50, 0, 0.0)])
def test_churn(traded_wh: int, delivered_wh: int, expected: float) -> None:
    assert churn(traded_wh, delivered_wh) == expected
