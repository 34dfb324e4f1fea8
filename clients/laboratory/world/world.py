"""The world of a scenario, day by day: a pure function of its physical part and a seed. No rule of the market shifts a load, a cloud or a value.

A day can be asked for in any order. Rules of the market decide only when the rounds are, so what is known at them; fees, band and tick step enter the
limits through their formula, never through a draw.
"""

import datetime

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.draws import Purpose
from clients.laboratory.scenario.model import Scenario
from clients.laboratory.world import kernels
from clients.laboratory.world.day import WorldDay
from clients.laboratory.world.deviations import Noise
from clients.laboratory.world.forecasts import knowledge_of, points_known
from clients.laboratory.world.outages import Outages
from clients.laboratory.world.profiles import Profiles
from clients.laboratory.world.rounds import rounds_of
from clients.laboratory.world.values import Values
from clients.scenarios.periods import day_periods, local_time_ns, power_symbols, quarter_of_day
from clients.scenarios.tariff import to_ticks

Integers = NDArray[np.int64]


class World:
    """What sun, wind, loads, prices of the grid and beliefs are on each day of a scenario."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        """`seed` from 0 to 2**64 - 1. Raises InputError for what the scenario names and nobody knows (shapes, series, noise, participants)."""
        if not 0 <= seed < 2**64:
            raise ValueError("a seed is a whole number from 0 to 2**64 - 1")
        self._scenario = scenario
        self._profiles = Profiles(scenario)
        self._knowledge = knowledge_of(scenario.forecast)
        self._load_noise = Noise(scenario, seed, Purpose.LOAD)
        self._generation_noise = Noise(scenario, seed, Purpose.GENERATION)
        self._load_outages = Outages(scenario, "load")
        self._generation_outages = Outages(scenario, "generation")
        self._values = Values(scenario, seed)

    def day(self, index: int) -> WorldDay:
        """Day `index` of the run, 0 the first. Raises IndexError outside of the run, InputError where the tariff has no price or a book no time."""
        scenario = self._scenario
        if not 0 <= index < scenario.days:
            raise IndexError(f"day {index} of a run of {scenario.days} days")
        date = scenario.first_date + datetime.timedelta(days=index)
        start_ns = day_periods(date, scenario.zone)
        quarters = quarter_of_day(start_ns, scenario.zone)
        opens_ns = local_time_ns(date - datetime.timedelta(days=1), scenario.market.opens, scenario.zone)
        rounds = rounds_of(scenario.market, opens_ns, start_ns)
        tariff = scenario.tariff
        deficit_ticks = np.array([to_ticks(tariff.retail_price_micro_per_kwh(start)) for start in start_ns.tolist()], dtype=np.int64)
        surplus_ticks = np.array([to_ticks(tariff.feed_in_price_micro_per_kwh(start)) for start in start_ns.tolist()], dtype=np.int64)
        known = points_known(self._knowledge, start_ns, rounds.round_ns)
        load = self._energies(self._load_noise, self._profiles.load_wh(date, quarters), start_ns, known)
        generation = self._energies(self._generation_noise, self._profiles.generation_wh(date, quarters), start_ns, known)
        self._load_outages.apply(index, quarters, rounds.round_ns, *load)
        self._generation_outages.apply(index, quarters, rounds.round_ns, *generation)
        return WorldDay(
            index=index,
            date=date,
            symbols=power_symbols(start_ns, scenario.zone),
            start_ns=_sealed(start_ns),
            opens_ns=opens_ns,
            gate_ns=_sealed(rounds.gate_ns),
            round_ns=_sealed(rounds.round_ns),
            deficit_price_ticks=_sealed(deficit_ticks),
            surplus_price_ticks=_sealed(surplus_ticks),
            load_wh=_sealed(load[0]),
            generation_wh=_sealed(generation[0]),
            forecast_load_wh=_sealed(load[1]),
            forecast_generation_wh=_sealed(generation[1]),
            value_ticks=_sealed(self._values.value_ticks(start_ns, deficit_ticks)),
            cost_ticks=_sealed(self._values.cost_ticks(start_ns, surplus_ticks)),
        )

    def _energies(self, noise: Noise, profile_wh: Integers, start_ns: Integers, known: Integers) -> tuple[Integers, Integers]:
        """Truth, int64[n, T], and forecasts, int64[R, n, T]."""
        deviations = noise.day(start_ns)
        truth_wh = np.zeros(profile_wh.shape, dtype=np.int64)
        forecast_wh = np.zeros((len(known), *profile_wh.shape), dtype=np.int64)
        profile_wh = np.ascontiguousarray(profile_wh)
        kernels.true_energies(deviations.series, deviations.parts_ppm, profile_wh, truth_wh)
        kernels.forecast_energies(deviations.series, deviations.parts_ppm, known, self._scenario.forecast.error_ppm, profile_wh, forecast_wh)
        return truth_wh, forecast_wh


def _sealed(values: Integers) -> Integers:
    values.flags.writeable = False
    return values
