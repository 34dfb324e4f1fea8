"""Forecasts: nested, calibrated to the stated errors, perfect where that is asked for."""

import dataclasses
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from clients.laboratory.scenario.model import ForecastRules, GenerationProfile, LoadProfile, MarketRules, Scenario
from clients.laboratory.world.forecasts import knowledge_of
from clients.laboratory.world.world import World
from clients.scenarios.noise import NoiseClass
from exchange.errors import InputError
from tests.architecture.repository import DOCS, table_rows
from tests.clients.laboratory.scenarios import demo_scenario, hand_made, participant

# Rounds at these horizons: the gate closes 5 minutes before delivery.
HORIZONS = (480, 240, 120, 60, 30, 15, 5)
RULES = MarketRules(day_ahead_rounds=0, rounds_before_gate_minutes=tuple(minutes - 5 for minutes in HORIZONS))
PLAN, UPDATE, RESIDUAL = 40_000, 60_000, 20_000
SEEDS, DAYS = 40, 8


def steady_load(noise: NoiseClass, **changes: object) -> Scenario:
    load = LoadProfile(annual_mwh=100_000, shapes_permille={"three_shift": 1000}, noise=noise.name)
    members = tuple(participant(f"L{index}", load=load) for index in range(6))
    return hand_made(members, DAYS, noises={noise.name: noise}, market=RULES, **changes)


@cache
def relative_errors() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(forecasts less profile, errors), each [round, sample] as a share of the profile, one quarter-hour in six of every day so that they hardly
    depend.
    """
    noise = NoiseClass("x", PLAN, UPDATE, RESIDUAL, 500_000, 0)
    scenario = steady_load(noise)
    quiet = World(steady_load(NoiseClass("x", 0, 0, 0, 0, 0)), 0)
    forecasts, errors = [], []
    for seed in range(SEEDS):
        world = World(scenario, seed)
        for index in range(DAYS):
            day, profile = world.day(index), quiet.day(index).load_wh[:, 40::6]
            forecast = day.forecast_load_wh[:, :, 40::6]
            forecasts.append(((forecast - profile) / profile).reshape(len(HORIZONS), -1))
            errors.append(((day.load_wh[:, 40::6] - forecast) / profile).reshape(len(HORIZONS), -1))
    return np.concatenate(forecasts, axis=1), np.concatenate(errors, axis=1)


@pytest.mark.parametrize("place", range(len(HORIZONS)))
def test_calibrated_to_the_stated_error(place: int) -> None:
    rules = ForecastRules()
    unknown = rules.unknown_ppm[rules.horizon_minutes.index(HORIZONS[place])] / 1e6
    stated = np.sqrt(unknown * UPDATE**2 + RESIDUAL**2) / 1e6
    errors = relative_errors()[1][place]
    assert abs(errors.mean()) < 4 * stated / np.sqrt(len(errors))
    # The standard error of a standard deviation is sigma / sqrt(2 N).
    assert abs(errors.std() - stated) < 4 * stated / np.sqrt(2 * len(errors))


def test_nested_errors_fall_and_revisions_are_news() -> None:
    forecasts, errors = relative_errors()
    assert (np.diff(errors.var(axis=1)) < 0).all()
    bound = 4 / np.sqrt(forecasts.shape[1])
    for place in range(len(HORIZONS) - 1):
        revision = forecasts[place + 1] - forecasts[place]
        assert abs(np.corrcoef(revision, forecasts[place])[0, 1]) < bound
        # What is learned is part of what was wrong: it takes away its own variance.
        assert errors[place].var() - errors[place + 1].var() == pytest.approx(revision.var(), rel=0.15)


def test_forecasts_last_for_hours() -> None:
    noise = NoiseClass("x", 0, UPDATE, 0, 950_000, 0)
    day = [World(steady_load(noise), seed).day(0) for seed in range(60)]
    errors = np.concatenate([(one.load_wh - one.forecast_load_wh[1]) / one.load_wh for one in day])
    assert np.corrcoef(errors[:, 40:-1].ravel(), errors[:, 41:].ravel())[0, 1] == pytest.approx(0.95, abs=0.02)


def test_members_of_a_class_err_together_by_its_weight() -> None:
    series = next(one.generation.series for one in demo_scenario().participants if one.generation and one.generation.kind == "pv")
    plant = GenerationProfile(series=series, kind="pv", peak_kw=1000, noise="x")
    noise = NoiseClass("x", 0, 0, 50_000, 500_000, 800_000)
    scenario = hand_made(tuple(participant(f"P{index}", generation=plant) for index in range(2)), noises={"x": noise}, market=RULES)
    ratios = []
    for seed in range(150):
        day = World(scenario, seed).day(0)
        ratios.append(day.generation_wh[:, 44:60:4] / np.maximum(day.forecast_generation_wh[0, :, 44:60:4], 1))
    pairs = np.concatenate(ratios, axis=1)
    assert np.corrcoef(pairs)[0, 1] == pytest.approx(0.64, abs=0.1)


def test_without_error_perfect_foresight() -> None:
    scenario = dataclasses.replace(demo_scenario(), forecast=ForecastRules(error_ppm=0))
    day = World(scenario, 5).day(0)
    assert (day.forecast_load_wh == day.load_wh).all()
    assert (day.forecast_generation_wh == day.generation_wh).all()


def test_half_the_error() -> None:
    whole = World(demo_scenario(), 5).day(0)
    half = World(dataclasses.replace(demo_scenario(), forecast=ForecastRules(error_ppm=500_000)), 5).day(0)
    full_error, half_error = whole.load_wh - whole.forecast_load_wh, half.load_wh - half.forecast_load_wh
    assert abs(full_error - 2 * half_error).max() <= 3


def test_a_point_more_on_the_grid_changes_no_forecast_at_the_others_by_more_than_its_law() -> None:
    # The variate of a point is named by its minutes: what is known at the first point stays.
    rules = ForecastRules(horizon_minutes=(480, 60), unknown_ppm=(600_000, 200_000))
    finer = ForecastRules(horizon_minutes=(480, 120, 60), unknown_ppm=(600_000, 400_000, 200_000))
    one, other = (World(dataclasses.replace(demo_scenario(), forecast=grid, market=RULES), 5).day(0) for grid in (rules, finer))
    assert np.array_equal(one.forecast_load_wh[0], other.forecast_load_wh[0])
    assert not np.array_equal(one.forecast_load_wh[3], other.forecast_load_wh[3])


def test_an_earlier_gate_knows_less() -> None:
    late, early = (
        World(dataclasses.replace(demo_scenario(), market=MarketRules(gate_closure_minutes=minutes)), 5).day(0) for minutes in (5, 120)
    )
    miss = [abs(day.load_wh - day.forecast_load_wh[-1]).sum() for day in (late, early)]
    assert miss[0] < miss[1]


@pytest.mark.parametrize(
    ("horizons", "unknown"),
    [((60, 60), (5, 4)), ((30, 60), (5, 4)), ((60,), (5, 4)), ((60, 30), (4, 5)), ((60,), (1_000_001,)), ((60,), (-1,)), ((-5,), (0,))],
)
def test_grids_that_make_no_sense(horizons: tuple[int, ...], unknown: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="forecast"):
        knowledge_of(ForecastRules(horizon_minutes=horizons, unknown_ppm=unknown))


def test_the_page_states_the_errors_of_the_demo_park() -> None:
    rules, noises = ForecastRules(), demo_scenario().noises
    page = (DOCS / "laboratory-world.md").read_text("utf-8")
    stated = {row[0]: [float(cell.removesuffix(" %")) for cell in row[1:]] for row in table_rows(page, 8)}
    assert stated == {
        name: [round(np.sqrt(share / 1e6 * one.update_ppm**2 + one.residual_ppm**2) / 1e4, 2) for share in rules.unknown_ppm[1:]]
        for name, one in noises.items()
    }
