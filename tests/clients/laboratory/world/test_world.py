"""The world: reproducible, of the stated size, complete on days the clock changes, and the same whatever the market's rules are."""

import dataclasses
import datetime

import numpy as np
import pytest

from clients.laboratory.scenario.model import ForecastRules, MarketRules
from clients.laboratory.world.day import WorldDay
from clients.laboratory.world.world import World
from clients.scenarios.periods import quarter_of_day
from clients.scenarios.profiles import derived_year
from exchange.errors import InputError
from tests.clients.laboratory.scenarios import demo_scenario, hand_made, participant

PHYSICAL = ("start_ns", "load_wh", "generation_wh", "value_ticks", "cost_ticks", "deficit_price_ticks", "surplus_price_ticks")
BERLIN_CHANGES = [(datetime.date(2026, 3, 29), 92), (datetime.date(2026, 10, 25), 100), (datetime.date(2026, 7, 15), 96)]


def same(one: WorldDay, other: WorldDay, names: tuple[str, ...] = PHYSICAL) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


@pytest.mark.parametrize(
    "rules",
    [
        {"gate_closure_minutes": 60}, {"mechanism": "mcafee"}, {"day_ahead_rounds": 1}, {"rounds_before_gate_minutes": (0,)},
        {"opens": datetime.time(10)}, {"transparency": "none"},
    ],
)  # fmt: skip
def test_no_rule_of_the_market_changes_load_generation_or_value(rules: dict[str, object]) -> None:
    scenario = demo_scenario(2)
    changed = dataclasses.replace(scenario, market=MarketRules(**rules))  # type: ignore[arg-type]
    assert same(World(scenario, 3).day(1), World(changed, 3).day(1))


def test_truth_does_not_depend_on_what_forecasts_know() -> None:
    scenario = demo_scenario()
    sharper = dataclasses.replace(scenario, forecast=ForecastRules(horizon_minutes=(60, 10), unknown_ppm=(500_000, 100_000), error_ppm=300_000))
    assert same(World(scenario, 3).day(0), World(sharper, 3).day(0))


def test_a_day_does_not_depend_on_the_days_asked_for_before() -> None:
    world = World(demo_scenario(5), 3)
    alone = World(demo_scenario(5), 3).day(4)
    for index in range(5):
        last = world.day(index)
    assert same(alone, last, (*PHYSICAL, "forecast_load_wh", "forecast_generation_wh"))


def test_a_run_that_starts_later_sees_the_same_day() -> None:
    scenario = demo_scenario(3)
    later = dataclasses.replace(scenario, first_date=scenario.first_date + datetime.timedelta(days=2))
    assert same(World(scenario, 3).day(2), World(later, 3).day(0))


def test_a_participant_more_changes_nobody_before_it() -> None:
    scenario = demo_scenario()
    fewer = dataclasses.replace(scenario, participants=scenario.participants[:10])
    assert np.array_equal(World(scenario, 3).day(0).load_wh[:10], World(fewer, 3).day(0).load_wh)


def test_another_seed_or_day_is_another_world() -> None:
    scenario = demo_scenario(2)
    first = World(scenario, 3).day(0)
    assert not same(first, World(scenario, 4).day(0), ("load_wh",))
    assert not same(first, World(scenario, 3).day(1), ("load_wh",))


@pytest.mark.parametrize(("date", "periods"), BERLIN_CHANGES)
def test_days_the_clock_changes(date: datetime.date, periods: int) -> None:
    scenario = hand_made(demo_scenario().participants, zone="Europe/Berlin", first_date=date)
    day = World(scenario, 1).day(0)
    assert day.n_periods == len(set(day.symbols)) == periods
    n, rounds = len(scenario.participants), scenario.market.n_rounds
    assert day.load_wh.shape == day.value_ticks.shape == (n, periods)
    assert day.forecast_load_wh.shape == (rounds, n, periods)
    assert day.load_wh.min() >= 0
    assert day.load_wh.sum() > 0


def test_without_noise_the_profile_of_the_derived_year() -> None:
    scenario = demo_scenario()
    # Odd sizes, so that energies have to be rounded.
    odd = [
        dataclasses.replace(one, generation=dataclasses.replace(one.generation, peak_kw=777)) if one.generation else one
        for one in scenario.participants
    ]
    scenario = dataclasses.replace(scenario, participants=tuple(odd))
    quiet = {name: dataclasses.replace(noise, plan_ppm=0, update_ppm=0, residual_ppm=0) for name, noise in scenario.noises.items()}
    day = World(dataclasses.replace(scenario, noises=quiet), 1).day(0)
    year = derived_year()
    row = year.day_index(day.date)
    quarters = quarter_of_day(day.start_ns, scenario.zone)
    for index, one in enumerate(scenario.participants):
        load = year.load_wh(dict(one.load.shapes_permille), one.load.annual_mwh, row)[quarters] if one.load else 0 * quarters
        generation = year.generation_wh(one.generation.series, one.generation.peak_kw, row)[quarters] if one.generation else 0 * quarters
        assert np.array_equal(day.load_wh[index], np.minimum(load, one.connection_kw * 250))
        assert np.array_equal(day.generation_wh[index], generation)
        assert (day.forecast_load_wh[:, index] == day.load_wh[index]).all()


def test_prices_are_the_tariffs() -> None:
    scenario = demo_scenario()
    day = World(scenario, 1).day(0)
    # July: valley, flat, peak, sharp at 00:00, 08:00, 16:00, 20:00.
    assert day.deficit_price_ticks[[0, 32, 64, 80]].tolist() == [3200, 6500, 10820, 12884]
    assert set(day.surplus_price_ticks.tolist()) == {2800}


@pytest.mark.parametrize("index", [-1, 1])
def test_days_outside_of_the_run(index: int) -> None:
    with pytest.raises(IndexError, match="run of 1 days"):
        World(demo_scenario(), 1).day(index)


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_seeds_that_do_not_exist(seed: int) -> None:
    with pytest.raises(ValueError, match="seed"):
        World(demo_scenario(), seed)


def test_unknown_names_are_named() -> None:
    scenario = demo_scenario()
    load = scenario.participants[0].load
    assert load is not None
    for changed, message in (
        (dataclasses.replace(load, noise="storm"), "noise 'storm'"), (dataclasses.replace(load, shapes_permille={"moon": 1000}), "load shape 'moon'"),
    ):  # fmt: skip
        one = participant("X", load=changed)
        with pytest.raises(InputError, match=f"participant X: .*{message}"):
            World(hand_made((one,)), 1)


def test_pinned() -> None:
    # A seed means the same on every machine and in every version.
    day = World(demo_scenario(), 7).day(0)
    figures = [int(day.load_wh.sum()), int(day.generation_wh.sum()), int(day.forecast_load_wh[0].sum()), int(day.forecast_generation_wh[0].sum())]
    assert figures == [112_009_791, 66_971_198, 112_301_109, 66_883_752]

