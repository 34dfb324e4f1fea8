"""The welfare program: who uses, stores, shifts and trades what in every period, so that all gain most together. Its duals are competitive prices.

For participant i and period t, in kWh: w taken out and j put in at the meter, b bought and x sold inside the park, l line losses, D and S the grid's
prices (D with the voltage adder), v and c private limits. Against dealing with the grid a kWh bought inside gains v less its price, one sold its
price less c; payments cancel, so

    maximise  sum_t (sum_i  S j - D w + v b - c x) - D l - comfort of shifted load  +  value of what storage holds more at the end
    w - j = load - shifted out + shifted in + vehicles + charge - discharge - generation + curtailed
    b <= w,  x <= j,  sum_i b = sum_i x  (its dual is the price),  l >= share of all w and of all j,  import and export within the connection

Beyond an import limit a kWh costs OVERLOAD, so that an impossible day has an answer that shows. Formulation after the welfare programs
of day-ahead market coupling (Schweppe, Caramanis, Tabors and Bohn, "Spot Pricing of Electricity", 1988).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.benchmark.horizon import PERIODS_PER_HOUR, Decisions, Floats, Horizon
from clients.laboratory.benchmark.linear_program import LinearProgram, Optimum, Places, Term
from clients.scenarios.model import Storage
from exchange.units import MICRO_PER_CNY, PPM, WH_PER_KWH

# CNY/kWh beyond the connection's import limit: the order of a value of lost load, above any price.
OVERLOAD: Final = 20.0


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """`welfare` in CNY; `price` [T] CNY/kWh, a competitive price of each period; [n, T] kWh: `withdrawal`, `injection` at the meters; what was
    decided; `overload_kwh` beyond the import limit.
    """

    welfare: float
    price: Floats
    withdrawal: Floats
    injection: Floats
    decisions: Decisions
    overload_kwh: float


def solve_welfare(horizon: Horizon, *, with_trade: bool = True, extra_supply_kwh: float = 0.0) -> Solution:
    """Solve the program of a horizon. Without trade everybody is alone with the grid. `extra_supply_kwh`, free energy in every period, moves a price
    that is not unique to the lower end of its interval (negative: the upper). Raises CheckFailedError where HiGHS finds no optimum.
    """
    return _WelfareProgram(horizon, with_trade, extra_supply_kwh).solve()


class _WelfareProgram:
    """Places of the variables by participant while the program is put together; None where a participant has none of the kind."""

    def __init__(self, horizon: Horizon, with_trade: bool, extra_supply_kwh: float) -> None:
        self.horizon = horizon
        self.program = LinearProgram()
        self.n, self.periods = horizon.shape
        self.families: dict[str, dict[int, Places]] = {
            name: {} for name in ("charge", "discharge", "vehicle", "shift_out", "shift_in", "curtailed", "bought", "sold", "withdrawal", "injection")
        }
        self.overload: Places | None = None
        for row in range(self.n):
            self._member(row, with_trade)
        self.balance = self._balance(extra_supply_kwh)
        self._connection()

    def _new(self, name: str, row: int, **bounds: NDArray[np.float64] | float) -> Places:
        """Variables of one kind for all periods of a row, those of the past fixed at what was decided."""
        low, high = (np.array(np.broadcast_to(bounds.get(end, free), self.periods), np.float64) for end, free in (("low", 0.0), ("high", np.inf)))
        if self.horizon.past is not None and hasattr(self.horizon.past, name):
            past = getattr(self.horizon.past, name)[row, : self.horizon.decided]
            low[: self.horizon.decided] = high[: self.horizon.decided] = past
        places = self.program.variables(self.periods, cost=bounds.get("cost", 0.0), low=low, high=high)
        self.families[name][row] = places
        return places

    def _member(self, row: int, with_trade: bool) -> None:
        horizon, entry = self.horizon, self.horizon.scenario.participants[row]
        moved: list[Term] = []
        if entry.storage is not None:
            moved += self._storage(row, entry.storage)
        if entry.ev is not None:
            moved.append((self._vehicles(row), 1.0))
        if entry.flexible is not None:
            moved += self._flexible(row)
        if self._may_curtail() and horizon.generation[row].any():
            moved.append((self._new("curtailed", row, high=horizon.generation[row]), 1.0))
        net = horizon.load[row] - horizon.generation[row]
        most, least = self._meter_range(net, moved)
        # A fixed meter is two constants; written as variables with equal bounds so that all members have the same rows.
        low = (0.0, 0.0) if moved else (most, least)
        taken = self._new("withdrawal", row, cost=horizon.deficit + horizon.adder[row], low=low[0], high=most)
        given = self._new("injection", row, cost=-horizon.surplus, low=low[1], high=least)
        if moved:
            self.program.equal([(taken, 1.0), (given, -1.0), *((places, -np.asarray(sign)) for places, sign in moved)], net, self.periods)
            self._one_way(taken, given, most, least)
        if with_trade:
            bought = self._new("bought", row, cost=-horizon.value[row], high=most)
            sold = self._new("sold", row, cost=horizon.cost[row], high=least)
            if moved:
                self._within(bought, taken)
                self._within(sold, given)

    def _meter_range(self, net: Floats, moved: list[Term]) -> tuple[Floats, Floats]:
        """Most that the meter can take out and put in, [T] kWh each; what is past has no limit, it has been."""
        highest, lowest = net.copy(), net.copy()
        for places, sign in moved:
            room = self.program.upper(places)
            highest += np.maximum(np.asarray(sign) * room, 0)
            lowest += np.minimum(np.asarray(sign) * room, 0)
        most, least = np.maximum(highest, 0), np.maximum(-lowest, 0)
        if moved:
            most[: self.horizon.decided] = least[: self.horizon.decided] = np.inf
        return most, least

    def _one_way(self, taken: Places, given: Places, most: Floats, least: Floats) -> None:
        """A meter does not run both ways at once, w j = 0. Its convex hull, w / most + j / least <= 1, keeps a member with a green premium from
        gaining by trades with itself.
        """
        both = np.flatnonzero((most > 0) & (least > 0) & np.isfinite(most))
        self.program.at_most([(taken[both], 1 / most[both]), (given[both], 1 / least[both])], 1.0, len(both))

    def _within(self, part: Places, whole: Places) -> None:
        """From now on nobody plans to trade more than its meter shows; what was traded in the past stands."""
        first = self.horizon.decided
        self.program.at_most([(part[first:], 1.0), (whole[first:], -1.0)], 0.0, self.periods - first)

    def _may_curtail(self) -> bool:
        return self.horizon.scenario.network.export_limit_kw > 0 or bool((self.horizon.surplus < 0).any())

    def _storage(self, row: int, storage: Storage) -> list[Term]:
        limit = storage.power_w / WH_PER_KWH / PERIODS_PER_HOUR
        charge, discharge = self._new("charge", row, high=limit), self._new("discharge", row, high=limit)
        worth = np.zeros(self.periods)
        worth[-1] = -self.horizon.soc_value
        soc = self.program.variables(self.periods, cost=worth, low=storage.soc_min_wh / WH_PER_KWH, high=storage.soc_max_wh / WH_PER_KWH)
        stored, taken = storage.charge_efficiency_ppm / PPM, PPM / storage.discharge_efficiency_ppm
        first = slice(0, 1)
        self.program.equal([(soc[first], 1.0), (charge[first], -stored), (discharge[first], taken)], self.horizon.soc[row], 1)
        self.program.equal(
            [(soc[1:], 1.0), (soc[:-1], -1.0), (charge[1:], -stored), (discharge[1:], taken)], 0.0, self.periods - 1
        )  # fmt: skip
        return [(charge, 1.0), (discharge, -1.0)]

    def _vehicles(self, row: int) -> Places:
        fleet = self.horizon.scenario.participants[row].ev
        assert fleet is not None
        present = self.horizon.vehicle_periods(fleet)
        places = self._new("vehicle", row, high=present.astype(np.float64) * (fleet.power_w / WH_PER_KWH / PERIODS_PER_HOUR))
        for begin, end in self.horizon.days:
            room = float(present[begin:end].sum()) * fleet.power_w / WH_PER_KWH / PERIODS_PER_HOUR
            self._total(places[begin:end], min(fleet.energy_wh / WH_PER_KWH, room))
        return places

    def _total(self, places: Places, right: float) -> None:
        """One row: the places add to `right`."""
        self.program.equal([(places[at : at + 1], 1.0) for at in range(len(places))], right, 1)

    def _flexible(self, row: int) -> list[Term]:
        """What has left by any period comes back at most `shift_periods` later, and nothing comes more than that before it leaves; in one dimension
        that is all it takes, first out to first in.
        """
        flexible = self.horizon.scenario.participants[row].flexible
        assert flexible is not None
        movable: Floats = self.horizon.load[row] * (flexible.share_ppm / PPM)
        out = self._new("shift_out", row, high=movable, cost=flexible.cost_micro_per_kwh / MICRO_PER_CNY)
        window = np.asarray(np.convolve(movable, np.ones(2 * flexible.shift_periods + 1)), np.float64)
        reach: Floats = window[flexible.shift_periods :][: self.periods]
        if self.horizon.past is not None:
            reach += float(self.horizon.past.shift_out[row].sum())
        back = self._new("shift_in", row, high=reach)
        for begin, end in self.horizon.days:
            self._window(out[begin:end], back[begin:end], flexible.shift_periods)
        return [(out, -1.0), (back, 1.0)]

    def _window(self, out: Places, back: Places, shift: int) -> None:
        """Cumulated sums of both, each behind the other by at most `shift` periods, equal at the end.

        What was used early, on a forecast of more load to take it from than there is, is not used less later: `wasted`, too dear to be planned.
        """
        count = len(out)
        sums = [self.program.variables(count) for _ in range(2)]
        for total, part in zip(sums, (out, back), strict=True):
            self.program.equal([(total[:1], 1.0), (part[:1], -1.0)], 0.0, 1)
            self.program.equal([(total[1:], 1.0), (total[:-1], -1.0), (part[1:], -1.0)], 0.0, count - 1)
        later = np.minimum(np.arange(count) + shift, count - 1)
        left, came = sums
        wasted = self.program.variables(1, cost=OVERLOAD, high=np.inf if self.horizon.decided else 0.0)
        self.program.at_most([(left, 1.0), (came[later], -1.0)], 0.0, count)
        self.program.at_most([(came, 1.0), (left[later], -1.0), (np.repeat(wasted, count), -1.0)], 0.0, count)
        self.program.equal([(left[-1:], 1.0), (came[-1:], -1.0), (wasted, 1.0)], 0.0, 1)

    def _balance(self, extra_supply_kwh: float) -> Places | None:
        """Bought equals sold in every period that is not past."""
        first = self.horizon.decided
        terms: list[Term] = [(places[first:], 1.0) for places in self.families["bought"].values()]
        terms += [(places[first:], -1.0) for places in self.families["sold"].values()]
        return self.program.equal(terms, extra_supply_kwh, self.periods - first) if terms else None

    def _connection(self) -> None:
        network = self.horizon.scenario.network
        taken: list[Term] = [(places, 1.0) for places in self.families["withdrawal"].values()]
        given: list[Term] = [(places, -1.0) for places in self.families["injection"].values()]
        if network.loss_ppm:
            losses = self.program.variables(self.periods, cost=self.horizon.deficit)
            for side in (taken, given):
                shares: list[Term] = [(places, self.horizon.loss_share) for places, _ in side]
                self.program.at_most([*shares, (losses, -1.0)], 0.0, self.periods)
            taken.append((losses, 1.0))
        if network.import_limit_kw:
            self.overload = self.program.variables(self.periods, cost=OVERLOAD)
            self.program.at_most([*taken, *given, (self.overload, -1.0)], network.import_limit_kw / PERIODS_PER_HOUR, self.periods)
        if network.export_limit_kw:
            negative: list[Term] = [(places, -np.asarray(sign)) for places, sign in (*taken, *given)]
            self.program.at_most(negative, network.export_limit_kw / PERIODS_PER_HOUR, self.periods)

    def solve(self) -> Solution:
        optimum = self.program.solve(f"welfare of {self.horizon.scenario.name}")
        values = {name: self._values(optimum, name) for name in self.families}
        withdrawal, injection = values.pop("withdrawal"), values.pop("injection")
        price = np.zeros(self.periods)
        if self.balance is not None:
            price[self.horizon.decided :] = -optimum.marginals[self.balance]
        overload = 0.0 if self.overload is None else float(optimum.values[self.overload].sum())
        welfare = -optimum.objective - self.horizon.soc_value * float(self.horizon.soc.sum())
        return Solution(welfare, price, withdrawal, injection, Decisions(**values), overload)

    def _values(self, optimum: Optimum, name: str) -> Floats:
        found = np.zeros((self.n, self.periods))
        for row, places in self.families[name].items():
            found[row] = optimum.values[places]
        return found
