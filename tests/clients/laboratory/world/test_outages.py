"""Outages: what stops, when forecasts learn of it."""

import dataclasses
import datetime

import numpy as np
import pytest

from clients.laboratory.scenario.model import ForecastRules, Outage
from clients.laboratory.world.world import World
from exchange.errors import InputError
from tests.clients.laboratory.scenarios import demo_scenario

NOON, SIX = datetime.time(12), datetime.time(18)


def outage(participant: str, **fields: object) -> Outage:
    given: dict[str, object] = {"first_day": 0, "last_day": 1, "begins": NOON, "ends": SIX, "available_ppm": 250_000, **fields}
    return Outage(participant=participant, **given)  # type: ignore[arg-type]


def test_truth_within_the_window_only() -> None:
    plain, hit = (World(demo_scenario(3, outages=outages), 3) for outages in ((), (outage("pv"),)))
    kinds = [one.generation.kind if one.generation else "" for one in demo_scenario().participants]
    for index, reduced in ((0, True), (1, True), (2, False)):
        before, after = plain.day(index).generation_wh, hit.day(index).generation_wh
        for row, kind in enumerate(kinds):
            expected = before[row].copy()
            if kind == "pv" and reduced:
                expected[48:72] = expected[48:72] * 250_000 // 1_000_000
            assert np.array_equal(after[row], expected)
        assert np.array_equal(plain.day(index).load_wh, hit.day(index).load_wh)


def test_unforeseen_until_it_begins() -> None:
    scenario = demo_scenario(2)
    row = next(row for row, one in enumerate(scenario.participants) if one.generation and one.generation.kind == "wind")
    name = scenario.participants[row].id
    plain, hit = (World(dataclasses.replace(scenario, outages=outages), 3) for outages in ((), (outage(name),)))
    began_ns = int(plain.day(0).start_ns[48])
    for index in (0, 1):
        day, before = hit.day(index), plain.day(index).forecast_generation_wh[:, row]
        known = (day.round_ns >= began_ns)[:, 48:72]
        assert known.any()
        assert index == 1 or not known.all()
        expected = before.copy()
        expected[:, 48:72] = np.where(known, before[:, 48:72] * 250_000 // 1_000_000, before[:, 48:72])
        assert np.array_equal(day.forecast_generation_wh[:, row], expected)


def test_foreseen_in_part() -> None:
    scenario = demo_scenario(2, outages=(outage("wind", forecast_ppm=500_000),))
    row = next(row for row, one in enumerate(scenario.participants) if one.generation and one.generation.kind == "wind")
    plain, hit = (World(one, 3).day(0).forecast_generation_wh[0, row, 48:72] for one in (demo_scenario(2), scenario))
    assert np.array_equal(hit, plain * 500_000 // 1_000_000)


def test_perfect_foresight_includes_outages() -> None:
    day = World(demo_scenario(2, outages=(outage("pv"), outage("E01", what="load")), forecast=ForecastRules(error_ppm=0)), 3).day(0)
    assert (day.forecast_generation_wh == day.generation_wh).all()
    assert (day.forecast_load_wh == day.load_wh).all()


@pytest.mark.parametrize(
    ("begins", "ends", "hit"),
    [(NOON, datetime.time(0), {*range(48, 96)}), (datetime.time(22), datetime.time(2), {*range(88, 96), *range(8)}), (NOON, SIX, {*range(48, 72)})],
)
def test_windows_at_midnight(begins: datetime.time, ends: datetime.time, hit: set[int]) -> None:
    stopped = outage("E01", what="load", begins=begins, ends=ends, available_ppm=0)
    day = World(demo_scenario(2, outages=(stopped,)), 3).day(0)
    row = demo_scenario().index_of("E01")
    assert set(np.flatnonzero(day.load_wh[row] == 0).tolist()) == hit


def test_unknown_participant() -> None:
    with pytest.raises(InputError, match="no participant 'nobody'"):
        World(demo_scenario(outages=(outage("nobody"),)), 3)
