"""The park-year, two days of it: every part runs, checks itself and is told; the year is the same each time it is made."""

import json
from pathlib import Path

import numpy as np
import pytest

from bench.checks import ResultMismatchError
from bench.value_chain import measures
from bench.value_chain.__main__ import run
from bench.value_chain.park_year import PERIODS, TRADES_A_PERIOD, ParkYear, members


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    return run(tmp_path_factory.mktemp("year"), days=2, transfers=300)


def test_it_tells_what_it_measured(result: dict[str, float]) -> None:
    named = {"settle_s", "issue_s", "verify_s", "peak_mb", "serial_query_us", "transfers_per_s"}
    assert named <= result.keys()
    assert all(result[name] > 0 for name in named)
    assert result["trades"] == 2 * PERIODS * TRADES_A_PERIOD
    assert result["certificates"] > 2 * PERIODS
    assert json.loads(json.dumps(result)) == result


def test_two_years_are_the_same_and_energy_fits_its_devices() -> None:
    first, second = ParkYear(seed=3), ParkYear(seed=3)
    for day in range(3):
        pairs = list(zip(first.energies(day), second.energies(day), strict=True))
        assert all(np.array_equal(one, other) for one, other in pairs)
        consumption, generation = pairs[0][0], pairs[1][0]
        capacity_wh = np.array([(member.pv_w + member.wind_w) // 4 for member in members()])
        assert (generation <= capacity_wh[:, None]).all()
        assert (consumption >= 0).all()
        assert consumption.sum() > generation.sum() // 4


def test_a_breach_is_a_failed_run(tmp_path: Path) -> None:
    measures.measure_year(tmp_path, 1, lambda _: None)
    segment = next(iter(sorted((tmp_path / measures.JOURNAL).glob("segment-*"))))
    data = bytearray(segment.read_bytes())
    data[4_000] ^= 1
    segment.write_bytes(data)
    with pytest.raises(ResultMismatchError, match="verify"):
        measures.verify_seconds(tmp_path, with_read_model=False)
