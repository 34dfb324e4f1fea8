"""A small park with every device, and a market that fills what is wanted as far as a test says."""

import dataclasses
import datetime
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.planning.physical import Delivery, deliver
from clients.laboratory.planning.plan import Planner
from clients.laboratory.planning.state import PlanState
from clients.laboratory.scenario.model import EvFleet, FlexibleLoad, GenerationProfile, LoadProfile, Scenario, StoragePolicy
from clients.laboratory.world.day import WorldDay
from clients.scenarios.model import Storage
from exchange.units import NS_PER_HOUR
from tests.clients.laboratory.scenarios import demo_scenario, hand_made, participant

Integers = NDArray[np.int64]
Fill = Callable[[Integers], Integers]

FROM_GRID: Final = StoragePolicy(charges_from_grid=True)

FACTORY, FLEXIBLE, FLEET, PLANT, BATTERY, PROSUMER = range(6)


def small_park(days: int = 1, policy: StoragePolicy = FROM_GRID, **changes: Any) -> Scenario:
    """A factory, one with load that moves, vehicles, a PV plant, a battery, a factory with PV and battery; at the demo park's tariff."""
    load = LoadProfile(annual_mwh=2000, shapes_permille={"three_shift": 1000}, noise="batch")
    series = next(one.generation.series for one in demo_scenario().participants if one.generation and one.generation.kind == "pv")
    battery = Storage(2_000_000, 500_000, 100_000, 1_900_000, 700_000, 940_000, 940_000)
    wide: dict[str, Any] = {"connection_kw": 1000, "min_net_power_lots": -5000, "max_net_power_lots": 5000, "storage_policy": policy}
    members = (
        participant("FACTORY", load=load, **wide),
        participant("FLEXIBLE", load=load, flexible=FlexibleLoad(share_ppm=200_000, shift_periods=12, cost_micro_per_kwh=20_000), **wide),
        participant("FLEET", ev=EvFleet(energy_wh=400_000, power_w=60_000, arrival=datetime.time(8), departure=datetime.time(18)), **wide),
        participant("PLANT", generation=GenerationProfile(series=series, kind="pv", peak_kw=1500, noise="pv"), **wide),
        participant("BATTERY", storage=battery, **wide),
        participant("PROSUMER", load=load, generation=GenerationProfile(series=series, kind="pv", peak_kw=400, noise="pv"), storage=battery, **wide),
    )
    return hand_made(members, days, **{"tariff": demo_scenario().tariff, **changes})


def play(planner: Planner, day: WorldDay, soc_wh: Integers | None, fill: Fill) -> tuple[Integers, PlanState, Delivery]:
    """A day: all rounds in their time, replanned every hour; `fill` says which lots of what is wanted, int64[n, m], are traded."""
    positions = np.zeros(day.load_wh.shape, dtype=np.int64)
    state = planner.begin(day, soc_wh)
    planned_ns = day.opens_ns
    for stamp in np.unique(day.round_ns).tolist():
        if stamp - planned_ns >= NS_PER_HOUR:
            planner.replan(day, stamp, positions, state)
            planned_ns = stamp
        planner.close(day, stamp, positions, state)
        rounds, periods = np.nonzero(day.round_ns == stamp)
        last = dict(zip(periods.tolist(), rounds.tolist(), strict=True))
        columns = np.array(sorted(last), dtype=np.int64)
        wanted = planner.wants(day, np.array([last[column] for column in columns.tolist()]), positions, state, columns)
        positions[:, columns] += fill(wanted)
    return positions, state, deliver(planner, day, positions, state)


def everything(wanted: Integers) -> Integers:
    return wanted


def without_errors(scenario: Scenario) -> Scenario:
    return dataclasses.replace(scenario, forecast=dataclasses.replace(scenario.forecast, error_ppm=0))
