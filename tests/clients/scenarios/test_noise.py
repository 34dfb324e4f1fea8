"""Noise: reproducible to the last digit, of the stated size, and forecasts that know less than the meter."""

import datetime

import numpy as np
import pytest

from clients.scenarios.noise import NoiseClass, autoregression_ppm, deviate, deviations, standard_normals_ppm

DAY = datetime.date(2026, 7, 15)


def test_pinned() -> None:
    # The same on every machine and numpy: the bit stream of PCG64 is part of numpy's promise, and the rest is integers.
    assert standard_normals_ppm(7, "member/E01/load/plan", DAY, 4).tolist() == [820350, -370674, -754814, -1122787]


def test_moments() -> None:
    values = standard_normals_ppm(1, "x", DAY, 20_000) / 1e6
    assert abs(values.mean()) < 0.03
    assert abs(values.std() - 1) < 0.02
    assert np.mean(np.abs(values) > 1.96) == pytest.approx(0.05, abs=0.01)


@pytest.mark.parametrize("other", [(8, "x", DAY), (7, "y", DAY), (7, "x", DAY + datetime.timedelta(1))])
def test_seed_label_and_date_each_matter(other: tuple[int, str, datetime.date]) -> None:
    assert not np.array_equal(standard_normals_ppm(7, "x", DAY, 96), standard_normals_ppm(*other, 96))


def test_autoregression_keeps_its_deviation() -> None:
    series = autoregression_ppm(standard_normals_ppm(3, "ar", DAY, 50_000), 80_000, 950_000)
    assert series.std() == pytest.approx(80_000, rel=0.05)
    assert np.corrcoef(series[:-1], series[1:])[0, 1] == pytest.approx(0.95, abs=0.01)


def test_parts_add_up() -> None:
    noise = NoiseClass("pv", 120_000, 80_000, 30_000, 950_000, 900_000)
    day_ahead, updated, metered = ([], [], [])
    for seed in range(150):
        result = deviations(noise, seed, "PV01", "generation", DAY, 96)
        day_ahead.append(result.metered_ppm - result.day_ahead_ppm)
        updated.append(result.metered_ppm - result.updated_ppm)
        metered.append(result.metered_ppm)
    assert np.std(updated) == pytest.approx(30_000, rel=0.1)
    assert np.std(day_ahead) == pytest.approx((80_000**2 + 30_000**2) ** 0.5, rel=0.1)
    assert np.std(metered) == pytest.approx((120_000**2 + 80_000**2 + 30_000**2) ** 0.5, rel=0.1)


def test_members_of_a_class_share_their_weather() -> None:
    noise = NoiseClass("pv", 120_000, 0, 0, 950_000, 900_000)
    pairs = [[deviations(noise, seed, name, "generation", DAY, 96).metered_ppm for name in ("PV01", "PV02")] for seed in range(150)]
    one, two = np.concatenate([p[0] for p in pairs]), np.concatenate([p[1] for p in pairs])
    assert np.corrcoef(one, two)[0, 1] == pytest.approx(0.81, abs=0.06)


def test_no_noise_is_the_profile() -> None:
    result = deviations(NoiseClass("none", 0, 0, 0, 0, 0), 7, "E01", "load", DAY, 96)
    profile = np.arange(96, dtype=np.int64)
    assert np.array_equal(deviate(profile, result.metered_ppm, 10**9), profile)


def test_bounds() -> None:
    profile = np.array([100, 100, 100, 0], dtype=np.int64)
    deviation = np.array([-2_000_000, 5_000_000, 100_000, 900_000], dtype=np.int64)
    assert deviate(profile, deviation, 250).tolist() == [0, 250, 110, 0]
