"""Weather moves by the sun, not by the clock."""

import numpy as np
import pytest

from clients.scenarios.derive.place import Place, equation_of_time_minutes, solar_hours
from clients.scenarios.derive.weather import HOURS, SourceYear, retime

GREENWICH = Place("Greenwich", 51.5, 0.0, 0.0, 0.0)


def source(place: Place, kt_of_hour: np.ndarray) -> SourceYear:
    """Sun of 1000 W/m2 from 6 to 18 h of true solar time, clearness by hour of the day, temperature equal to the solar hour."""
    solar = solar_hours(np.arange(HOURS) + 0.5, place) % 24
    extraterrestrial = np.where((solar > 6) & (solar < 18), 1000.0, 0.0)
    clearness = np.tile(kt_of_hour, 365)
    ghi = clearness * extraterrestrial
    return SourceYear(place, extraterrestrial, ghi, 0.3 * ghi, solar, np.full(HOURS, 4.0), np.full(HOURS, 1e5))


@pytest.mark.parametrize(("day", "minutes"), [(45, -14.2), (105, -0.1), (135, 3.7), (207, -6.5), (307, 16.4), (359, 0.0)])
def test_equation_of_time(day: int, minutes: float) -> None:
    # Almanac values of the extremes and of days near zero; Spencer's series is good to half a minute.
    assert equation_of_time_minutes(np.array([float(day)]))[0] == pytest.approx(minutes, abs=0.7)


def test_solar_time_of_zhengzhou() -> None:
    # 113.65 E is 25.4 minutes behind the meridian of UTC+8.
    place = Place("Zhengzhou", 34.7, 113.65, 110.0, 8.0)
    noon = 24.0 * 104 + 12.0  # 15 April, equation of time near zero
    assert (noon - solar_hours(np.array([noon]), place)[0]) * 60 == pytest.approx(25.4, abs=0.5)


def test_the_afternoon_stays_the_afternoon_of_the_sun() -> None:
    # Clear mornings and overcast afternoons at a place whose clock runs three hours ahead of the sun.
    kt = np.where(np.arange(24) + 0.5 < 15.0, 0.7, 0.2)  # solar noon is at 15:00 on this clock
    ahead = Place("three hours ahead", 40.0, 0.0, 0.0, 3.0)
    moved = retime(source(ahead, kt), GREENWICH)
    by_quarter = moved.clearness.reshape(365, 96).mean(axis=0)
    assert by_quarter[4 * 10] == pytest.approx(0.7, abs=0.01)
    assert by_quarter[4 * 14] == pytest.approx(0.2, abs=0.01)


def test_the_same_place_keeps_its_sky() -> None:
    kt = np.clip(0.3 + 0.02 * np.arange(24), 0, 0.85)
    moved = retime(source(GREENWICH, kt), GREENWICH)
    assert moved.clearness.reshape(365, 96)[100, 4 * 12 + 2] == pytest.approx(0.3 + 0.02 * 12, abs=0.02)
    assert moved.diffuse_fraction == pytest.approx(0.3)
    assert moved.wind_m_s == pytest.approx(4.0)


def test_clearness_has_no_night_in_it() -> None:
    # Between dusk and dawn the nearest skies are joined; a night of zeros would darken every morning.
    moved = retime(source(GREENWICH, np.full(24, 0.6)), GREENWICH)
    assert moved.clearness == pytest.approx(0.6)
