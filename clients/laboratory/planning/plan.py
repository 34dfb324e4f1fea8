"""How much each participant wants of each quarter-hour, from what it believes at a round.

Everybody wants its expected net consumption less its position: load less generation, plus what it has planned of its own devices.

- Storage is planned by linear program or by backward induction (`linear_program`, `dynamic_program`) over the rest of the day. A storage alone behind
  its meter trades the plan; orders are cut to what holds in the worst case of what fills (docs/rules.md, "Storage"), and its limits come from the
  value of stored energy. It does what it traded, and of what it could not trade only what pays at the price of the grid. Behind a load or plant it
  follows the plan, whatever was traded.
- A fleet of vehicles charges in the cheapest quarter-hours between arrival and departure: the fractional knapsack, solved by taking the best first
  (G. B. Dantzig, "Discrete-variable extremum problems", Operations Research 5 (1957)).
- Flexible load moves to the cheapest quarter-hour within reach where that saves more than its cost, as in A.-H. Mohsenian-Rad and A. Leon-Garcia,
  "Optimal residential load control with price prediction in real-time electricity pricing environments", IEEE Transactions on Smart Grid 1 (2010);
  exact as long as no connection is full.

All plans are made at the opening and again every six hours; in between a storage alone that could not trade what it planned goes on from where it is
by its value function. What a gate has closed on stays as it is. Prices are those of `prices`. Of positions only
those of storages alone are read.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.planning import dynamic_program, kernels, linear_program
from clients.laboratory.planning.devices import Devices, StorageDevice
from clients.laboratory.planning.dynamic_program import ValueFunction
from clients.laboratory.planning.prices import PlanPrices, plan_prices
from clients.laboratory.planning.state import Cut, PlanState
from clients.laboratory.scenario.model import Scenario
from clients.laboratory.world.day import WorldDay
from clients.scenarios.periods import quarter_of_day
from exchange.units import NS_PER_HOUR, POWER_LOT_WH, POWER_TICK_MICRO_PER_KWH, PPM

Integers = NDArray[np.int64]

# Prices of a day are those of the day before, so only forecasts change; half a dozen plans a day follow them closely enough.
PLANNED_EVERY_NS: Final = 6 * NS_PER_HOUR


class Planner:
    """Plans of all participants of a scenario. Arrays are int64; n participants, T quarter-hours."""

    def __init__(self, scenario: Scenario) -> None:
        """Raises InputError for an unknown way of planning."""
        self.scenario = scenario
        self._rules = scenario.market
        self.devices = Devices(scenario)
        self._min_lots = np.array([one.min_net_power_lots for one in scenario.participants], dtype=np.int64)
        self._max_lots = np.array([one.max_net_power_lots for one in scenario.participants], dtype=np.int64)

    def begin(self, day: WorldDay, soc_wh: Integers | None = None, last_ticks: Integers | None = None) -> PlanState:
        """Plans at the opening of the day's books. `soc_wh` [n]: at the day's start, the scenario's where it is None; `last_ticks` as of `replan`."""
        shape = day.load_wh.shape
        start_wh = (self.devices.soc_initial_wh if soc_wh is None else soc_wh).astype(np.int64)
        shift, vehicle, storage = np.zeros((3, *shape), dtype=np.int64)
        moves = {place: np.zeros((shape[1], 2 * int(load.record.reach) + 1), dtype=np.int64) for place, load in enumerate(self.devices.flexible)}
        quarters = quarter_of_day(day.start_ns, self.scenario.zone)
        limits = day.value_ticks.copy(), day.cost_ticks.copy()
        charges, discharges = np.zeros((2, *shape), dtype=np.bool_)
        state = PlanState(shift, vehicle, storage, moves, *limits, charges, discharges, start_wh, start_wh.copy(), quarters)
        self.replan(day, day.opens_ns, np.zeros(shape, dtype=np.int64), state, last_ticks)
        return state

    def replan(self, day: WorldDay, now_ns: int, positions_lots: Integers, state: PlanState, last_ticks: Integers | None = None) -> None:
        """Plan what is still open with the forecasts of the last rounds up to `now_ns`, if the last plan is old enough. Modifies `state`.

        `positions_lots` [n, T]: net, bought positive; `last_ticks` [T]: last observed price of the same quarter-hour, -1: none.
        """
        missed = self.close(day, now_ns, positions_lots, state)
        if state.first_open >= day.n_periods:
            return
        if now_ns - state.planned_ns < PLANNED_EVERY_NS:
            for unit in missed:
                self._go_on(day, unit, state)
            return
        state.planned_ns = now_ns
        prices = plan_prices(day, self._rules, last_ticks)
        rounds = np.maximum((day.round_ns <= now_ns).sum(axis=0) - 1, 0)
        columns = np.arange(day.n_periods)
        load_wh = np.ascontiguousarray(day.forecast_load_wh[rounds, :, columns].T)
        self._plan_loads(load_wh, prices, state)
        if self.devices.storages:
            net_wh = load_wh - day.forecast_generation_wh[rounds, :, columns].T + state.shift_wh + state.vehicle_wh
            self._plan_storages(day, np.ascontiguousarray(net_wh), prices, state)

    def close(self, day: WorldDay, now_ns: int, positions_lots: Integers, state: PlanState) -> list[StorageDevice]:
        """Let plans of periods whose gate closed before `now_ns` stand, and move states of charge on to the first open one. Modifies `state`.

        Then `storage_wh` is what storage will do: the schedule it nominates. Returns the storages that do not do what they planned.
        """
        missed = []
        before, state.first_open = state.first_open, max(state.first_open, int(np.searchsorted(day.gate_ns, now_ns, side="left")))
        for unit in self.devices.storages:
            done, soc = np.zeros((2, day.n_periods), dtype=np.int64)
            wanted = _wanted_wh(unit, positions_lots, state)
            state.soc_wh[unit.row] = kernels.run_storage(unit.record, state.soc_wh[unit.row], wanted, before, state.first_open, done, soc)
            closed = slice(before, state.first_open)
            if not np.array_equal(state.storage_wh[unit.row, closed], done[closed]):
                missed.append(unit)
            state.storage_wh[unit.row, closed] = done[closed]
        return missed

    def expected_soc_wh(self, day: WorldDay, positions_lots: Integers, state: PlanState) -> Integers:
        """Where plans and positions so far would leave each storage at the end of the day, [n]: with what the next day's plans begin."""
        soc_wh = state.soc_wh.copy()
        for unit in self.devices.storages:
            done, soc = np.zeros((2, day.n_periods), dtype=np.int64)
            wanted = _wanted_wh(unit, positions_lots, state)
            soc_wh[unit.row] = kernels.run_storage(unit.record, soc_wh[unit.row], wanted, state.first_open, day.n_periods, done, soc)
        return soc_wh

    def targets(self, day: WorldDay, rounds: int | Integers, positions_lots: Integers, state: PlanState, periods: Integers | None = None) -> Integers:
        """Net lots that each participant wants to end with, int64[n, m], bought positive.

        `periods` int64[m] (None: all T) are looked at in their `rounds` (one for all, or int64[m]); `positions_lots` is [n, T] in any case. Rounded
        towards zero, so that nobody buys more than it needs or sells more than it has; position limits hold.
        """
        columns = np.arange(day.n_periods) if periods is None else periods
        looked_at = np.full(len(columns), rounds, dtype=np.int64)
        targets = np.empty((len(self._min_lots), len(columns)), dtype=np.int64)
        kernels.fill_targets(
            day.forecast_load_wh, day.forecast_generation_wh, looked_at, columns, state.shift_wh, state.vehicle_wh, state.storage_wh, self._min_lots,
            self._max_lots, targets,
        )  # fmt: skip
        for unit in self.devices.storages:
            if unit.is_alone:
                targets[unit.row] = (positions_lots[unit.row] + self._storage_wants(unit, positions_lots[unit.row], state))[columns]
        return targets

    def wants(self, day: WorldDay, rounds: int | Integers, positions_lots: Integers, state: PlanState, periods: Integers | None = None) -> Integers:
        """Lots that each participant wants to buy (negative: to sell) beyond its position, int64[n, m], in whole steps; arguments of `targets`."""
        positions = positions_lots if periods is None else positions_lots[:, periods]
        missing = self.targets(day, rounds, positions_lots, state, periods) - positions
        return _towards_zero(missing, self._rules.lot_step) * self._rules.lot_step

    def _storage_wants(self, unit: StorageDevice, positions_lots: Integers, state: PlanState) -> Integers:
        """What a storage alone wants of all periods, int64[T], in whole steps."""
        row = unit.row
        known, plan_wh = state.cuts.get(row), state.storage_wh[row]
        if (
            known is not None
            and (known.first_open, known.soc_wh) == (state.first_open, state.soc_wh[row])
            and np.array_equal(known.positions_lots, positions_lots)
            and np.array_equal(known.plan_wh, plan_wh)
        ):
            return known.wants_lots
        positions = positions_lots.copy()
        gap = np.clip(_towards_zero(plan_wh, POWER_LOT_WH), self._min_lots[row], self._max_lots[row]) - positions
        cut = np.zeros(len(gap), dtype=np.int64)
        kernels.cut_to_worst_case(unit.record, state.soc_wh[row], state.first_open, positions, gap, cut)
        wants = _towards_zero(cut, self._rules.lot_step) * self._rules.lot_step
        state.cuts[row] = Cut(state.first_open, int(state.soc_wh[row]), plan_wh.copy(), positions, wants)
        return wants

    def _plan_loads(self, load_wh: Integers, prices: PlanPrices, state: PlanState) -> None:
        for place, load in enumerate(self.devices.flexible):
            served = np.zeros(load_wh.shape[1], dtype=np.int64)
            kernels.shift_load(load.record, state.first_open, load_wh[load.row], prices.buy_micro, state.moves_wh[place], served)
            state.shift_wh[load.row] = served - load_wh[load.row]
        for fleet in self.devices.fleets:
            kernels.charge_fleet(fleet.record, state.quarters, state.first_open, prices.buy_micro, state.vehicle_wh[fleet.row])

    def _plan_storages(self, day: WorldDay, net_wh: Integers, prices: PlanPrices, state: PlanState) -> None:
        first, final_micro = state.first_open, self.scenario.soc_value_micro_per_kwh
        buy, sell = prices.buy_micro[first:], prices.sell_micro[first:]
        for unit in self.devices.storages:
            soc, net = int(state.soc_wh[unit.row]), net_wh[unit.row, first:]
            if unit.uses_program:
                beside = None if unit.is_alone else net
                state.storage_wh[unit.row, first:] = linear_program.best_meter_wh(unit.record, soc, beside, buy, sell, final_micro)
            if unit.is_alone or not unit.uses_program:
                function = dynamic_program.value_function(unit.record, net, buy, sell, final_micro)
                if not unit.uses_program:
                    state.storage_wh[unit.row, first:] = dynamic_program.best_meter_wh(unit.record, soc, function)
                if unit.is_alone:
                    state.values[unit.row] = first, function
                    self._set_limits(day, unit, function, state)

    def _go_on(self, day: WorldDay, unit: StorageDevice, state: PlanState) -> None:
        """Plan a storage alone anew with the values of its last plan."""
        if unit.row in state.values:
            since, function = state.values[unit.row]
            passed = state.first_open - since
            left = ValueFunction(function.values[passed:], function.moves[passed:])
            state.storage_wh[unit.row, state.first_open :] = dynamic_program.best_meter_wh(unit.record, int(state.soc_wh[unit.row]), left)
            self._set_limits(day, unit, left, state)

    def _set_limits(self, day: WorldDay, unit: StorageDevice, function: ValueFunction, state: PlanState) -> None:
        """Limits at which a storage alone breaks even against the worth of what it stores, fees taken off; it sells no lower than the grid pays."""
        first, row, step, record = state.first_open, unit.row, self._rules.tick_step, unit.record
        done, soc = np.zeros((2, day.n_periods - first), dtype=np.int64)
        kernels.run_storage(record, state.soc_wh[row], state.storage_wh[row, first:], 0, day.n_periods - first, done, soc)
        last_micro, next_micro = dynamic_program.stored_values_micro(record, soc, function)
        fee_micro, park_micro = self._rules.taker_fee_micro_per_kwh, self._rules.park_fee_micro_per_kwh
        buy_micro = last_micro * record.charge_ppm // PPM - park_micro - fee_micro
        worth_micro = -(-next_micro * PPM // record.discharge_ppm)
        sell_micro = np.maximum(worth_micro, day.surplus_price_ticks[first:] * POWER_TICK_MICRO_PER_KWH) + fee_micro
        step_micro = step * POWER_TICK_MICRO_PER_KWH
        pays = last_micro * record.charge_ppm // PPM >= day.deficit_price_ticks[first:] * POWER_TICK_MICRO_PER_KWH
        state.charges_anyway[row, first:] = pays & unit.charges_from_grid
        state.discharges_anyway[row, first:] = worth_micro <= day.surplus_price_ticks[first:] * POWER_TICK_MICRO_PER_KWH
        low, high = -(-self._rules.min_price_ticks // step) * step, self._rules.max_price_ticks // step * step
        state.buy_limit_ticks[row, first:] = np.clip(buy_micro // step_micro * step, low, high)
        state.sell_limit_ticks[row, first:] = np.clip(-(-sell_micro // step_micro) * step, low, high)


def _wanted_wh(unit: StorageDevice, positions_lots: Integers, state: PlanState) -> Integers:
    """What a storage is asked to do, int64[T]."""
    return state.schedule_wh(unit.row, positions_lots[unit.row] * POWER_LOT_WH) if unit.is_alone else state.storage_wh[unit.row]


def _towards_zero(values: Integers, divisor: int) -> Integers:
    return np.asarray(np.sign(values) * (abs(values) // divisor), dtype=np.int64)
