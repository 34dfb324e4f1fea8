"""The welfare program: who uses, stores, shifts and trades what in every period, so that all gain most together. Its duals are competitive prices.

For participant i and period t, in kWh: w taken out and j put in at the meter, b bought and x sold inside the park, D and S the grid's prices, v and c
private limits. A kWh that is bought inside is worth v instead of D, one sold costs c instead of S, so

    maximise  sum_t sum_i  S j - D w (1 + losses) + v b - c x - comfort of shifted load  +  value of what is left in storage
    w - j = load - shifted out + shifted in + vehicles + charge - discharge - generation + curtailed
    b <= w,  x <= j,  sum_i b = sum_i x  (its dual is the price),  import and export within the connection

Network: losses are a share of what is taken out. The connection lets through what the park as a whole takes; beyond an import limit a kWh costs
OVERLOAD, so that an impossible day has an answer that shows. Formulation after the welfare programs of day-ahead market coupling (Schweppe, Caramanis,
Tabors and Bohn, "Spot Pricing of Electricity", 1988).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.benchmark.horizon import PERIODS_PER_HOUR, Decisions, Floats, Horizon
from clients.laboratory.benchmark.linear_program import LinearProgram, Optimum, Places, Term
from clients.scenarios.model import Storage
from exchange.units import MICRO_PER_CNY, PPM, WH_PER_KWH

# CNY/kWh beyond the connection's import limit, far above any price.
OVERLOAD: Final = 1_000.0


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """`welfare` in CNY; `price` [T] CNY/kWh, a competitive price of each period; [n, T] kWh: `withdrawal`, `injection` at the meters; what was decided;
    `overload_kwh` beyond the import limit.
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
        low, high = (np.array(np.broadcast_to(bounds.get(end, default), (self.periods,)), np.float64) for end, default in (("low", 0), ("high", np.inf)))
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
        if moved:
            bounds: tuple[Floats | float, Floats | float] = (np.inf, np.inf)
        else:
            bounds = np.maximum(net, 0), np.maximum(-net, 0)
        # A fixed meter is two constants; written as variables with equal bounds so that all members have the same rows.
        low = (0.0, 0.0) if moved else bounds
        taken = self._new("withdrawal", row, cost=horizon.deficit * (1 + horizon.loss_share), low=low[0], high=bounds[0])
        given = self._new("injection", row, cost=-horizon.surplus, low=low[1], high=bounds[1])
        if moved:
            self.program.equal([(taken, 1.0), (given, -1.0), *((places, -np.asarray(sign)) for places, sign in moved)], net, self.periods)
        if with_trade:
            bought = self._new("bought", row, cost=-horizon.value[row], high=bounds[0])
            sold = self._new("sold", row, cost=horizon.cost[row], high=bounds[1])
            if moved:
                self._within(bought, taken)
                self._within(sold, given)

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
        places = self._new("vehicle", row, high=present * (fleet.power_w / WH_PER_KWH / PERIODS_PER_HOUR))
        for begin, end in self.horizon.days:
            self._total(places[begin:end], fleet.energy_wh / WH_PER_KWH)
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
        movable = self.horizon.load[row] * flexible.share_ppm / PPM
        out = self._new("shift_out", row, high=movable, cost=flexible.cost_micro_per_kwh / MICRO_PER_CNY)
        back = self._new("shift_in", row)
        spans = self.horizon.days if self.horizon.shifts_stay_in_day else [(0, self.periods)]
        for begin, end in spans:
            self._window(out[begin:end], back[begin:end], flexible.shift_periods)
        return [(out, -1.0), (back, 1.0)]

    def _window(self, out: Places, back: Places, shift: int) -> None:
        """Cumulated sums of both, each behind the other by at most `shift` periods, equal at the end."""
        count = len(out)
        sums = [self.program.variables(count) for _ in range(2)]
        for total, part in zip(sums, (out, back), strict=True):
            self.program.equal([(total[:1], 1.0), (part[:1], -1.0)], 0.0, 1)
            self.program.equal([(total[1:], 1.0), (total[:-1], -1.0), (part[1:], -1.0)], 0.0, count - 1)
        later = np.minimum(np.arange(count) + shift, count - 1)
        for ahead, behind in (sums, sums[::-1]):
            self.program.at_most([(ahead, 1.0), (behind[later], -1.0)], 0.0, count)
        self.program.equal([(sums[0][-1:], 1.0), (sums[1][-1:], -1.0)], 0.0, 1)

    def _balance(self, extra_supply_kwh: float) -> Places | None:
        """Bought equals sold in every period that is not past."""
        first = self.horizon.decided
        terms: list[Term] = [(places[first:], 1.0) for places in self.families["bought"].values()]
        terms += [(places[first:], -1.0) for places in self.families["sold"].values()]
        return self.program.equal(terms, extra_supply_kwh, self.periods - first) if terms else None

    def _connection(self) -> None:
        network = self.horizon.scenario.network
        taken = [(places, 1.0 + self.horizon.loss_share) for places in self.families["withdrawal"].values()]
        given = [(places, -1.0) for places in self.families["injection"].values()]
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
