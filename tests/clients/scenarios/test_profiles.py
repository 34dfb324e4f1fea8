"""The shipped year: whole, of the stated size, and the sun where it belongs."""

import datetime
import hashlib
import tomllib
from fractions import Fraction
from importlib.resources import files

import numpy as np
import pytest

from clients.scenarios.profiles import derived_year, provenance
from exchange.errors import InputError

YEAR = derived_year()


def test_the_file_is_the_one_its_provenance_names() -> None:
    data = files("clients.scenarios").joinpath("data", "profiles-2026.npz").read_bytes()
    assert hashlib.sha256(data).hexdigest() == provenance()["file_sha256"]
    assert len(data) < 1_500_000


@pytest.mark.parametrize("name", ["recipe.toml", "calendar-2026.toml"])
def test_the_recipe_is_the_one_it_was_derived_with(name: str) -> None:
    # Fails when somebody edits the recipe and forgets `make profiles`.
    data = files("clients.scenarios").joinpath("derive", name).read_bytes()
    assert hashlib.sha256(data).hexdigest() == provenance()["sources_sha256"][f"clients/scenarios/derive/{name}"]


def test_series() -> None:
    assert set(YEAR.generation) == {"pv_south", "pv_east_west", "wind"}
    assert set(YEAR.load) == {"one_shift", "two_shift", "three_shift", "valley_shift", "commercial"}
    for values in [*YEAR.generation.values(), *YEAR.load.values()]:
        assert values.shape == (365, 96)
        assert values.dtype == np.int64
        assert int(values.min()) >= 0
        assert not values.flags.writeable


def test_each_load_shape_is_a_gwh() -> None:
    assert {int(values.sum()) for values in YEAR.load.values()} == {1_000_000_000}


def test_the_fleet_yields_1100_hours() -> None:
    fleet_wh = YEAR.generation_wh("pv_south", 8000).sum() + YEAR.generation_wh("pv_east_west", 4000).sum()
    assert fleet_wh / 12e6 == pytest.approx(1100, abs=0.01)


def test_the_parks_fleet_is_the_one_the_factor_was_computed_for() -> None:
    folder = files("clients.scenarios")
    recipe = tomllib.loads(folder.joinpath("derive", "recipe.toml").read_text("utf-8"))
    park = tomllib.loads(folder.joinpath("data", "park.toml").read_text("utf-8"))
    plants = [member["generation"] for member in park["member"] if "generation" in member]
    for series in recipe["pv"]["series"]:
        peak_kw = sum(plant["peak_kw"] for plant in plants if plant["series"] == series["name"])
        assert Fraction(peak_kw, 12_000) == Fraction(series["fleet_share"])


def test_no_plant_exceeds_its_rating() -> None:
    assert all(int(values.max()) <= 250_000 for values in YEAR.generation.values())


def test_wind_is_plausible_for_an_inland_site() -> None:
    assert 1500 < YEAR.generation["wind"].sum() / 1e6 < 2500


def test_the_sun_keeps_zhengzhou_time() -> None:
    # Solar noon at 113.65 E on UTC+8 is 12:25 plus or minus the equation of time: the centre of the south-facing day, averaged over months,
    # stays within half an hour of it. A copied Greensboro clock would pass here too (it is six minutes off), Greensboro's UTC would not.
    day = YEAR.generation["pv_south"].sum(axis=0)
    centre_h = float((day * (np.arange(96) + 0.5) / 4).sum() / day.sum())
    assert centre_h == pytest.approx(12.42, abs=0.35)
    nights = YEAR.generation["pv_south"][:, [0, 4, 8, 12, 84, 88, 92]]
    assert int(nights.max()) == 0


def test_day_length_is_that_of_the_latitude() -> None:
    # 34.7 N: 14 h 25 min at midsummer, 9 h 54 min at midwinter (sunrise to sunset); PV sees somewhat less.
    def lit_hours(date: datetime.date) -> float:
        return float((YEAR.generation["pv_south"][YEAR.day_index(date)] > 0).sum()) / 4

    assert 13.0 <= lit_hours(datetime.date(2026, 6, 21)) <= 14.75
    assert 8.75 <= lit_hours(datetime.date(2026, 12, 21)) <= 10.25


def test_east_and_west_face_morning_and_evening() -> None:
    south, split = (YEAR.generation[name].sum(axis=0) for name in ("pv_south", "pv_east_west"))
    early_south, early_split = (float(day[: 4 * 8].sum() / day.sum()) for day in (south, split))
    assert early_split > early_south


@pytest.mark.parametrize(
    ("shape", "working", "resting", "share"),
    [
        ("one_shift", "2026-07-15", "2026-07-18", 0.3),  # Wednesday, Saturday
        ("two_shift", "2026-07-15", "2026-07-19", 0.5),  # Wednesday, Sunday
        ("one_shift", "2026-10-10", "2026-10-05", 0.3),  # worked Saturday, National Day
        ("three_shift", "2026-03-11", "2026-02-17", 0.7),  # New Year's Day of the lunar calendar
        ("commercial", "2026-03-11", "2026-02-18", 0.5),
    ],
)
def test_days_off(shape: str, working: str, resting: str, share: float) -> None:
    on, off = (int(YEAR.load[shape][YEAR.day_index(datetime.date.fromisoformat(day))].sum()) for day in (working, resting))
    assert off < share * on


def test_midday_break_and_shifts() -> None:
    day = YEAR.day_index(datetime.date(2026, 7, 15))
    one, two, night = (YEAR.load[name][day] for name in ("one_shift", "two_shift", "valley_shift"))
    assert int(one[48:52].max()) < 0.8 * int(one[44])  # 12:00 to 13:00
    assert int(one[72:].max()) < 0.3 * int(one.max())  # nobody after 18:00
    assert int(two[72:80].min()) > 0.3 * int(two.max())  # the second shift
    assert int(night[:24].mean()) > 2 * int(night[40:64].mean())


@pytest.mark.parametrize(("day", "index"), [("2026-01-01", 0), ("2026-12-31", 364), ("2025-07-15", 195), ("2028-02-29", 58), ("2028-03-01", 59)])
def test_other_years_take_the_same_month_and_day(day: str, index: int) -> None:
    assert YEAR.day_index(datetime.date.fromisoformat(day)) == index


@pytest.mark.parametrize(("day", "first", "days"), [("2026-01-20", 0, 31), ("2028-02-29", 31, 28), ("2026-12-31", 334, 31), ("2026-07-15", 181, 31)])
def test_months(day: str, first: int, days: int) -> None:
    rows = YEAR.month_slice(datetime.date.fromisoformat(day))
    assert (rows.start, rows.stop - rows.start) == (first, days)


def test_unknown_names() -> None:
    with pytest.raises(InputError, match="pv_south"):
        YEAR.generation_wh("pv_north", 1)
    with pytest.raises(InputError, match="one_shift"):
        YEAR.load_wh({"four_shift": 1000}, 1)
