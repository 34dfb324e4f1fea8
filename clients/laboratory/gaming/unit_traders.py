"""A market in the domain of the strategy-proof mechanisms: owners of one lot, independent limits, one round, perfect knowledge.

The exchange, its books, tariffs and rules are those of a scenario; its participants are replaced. Each quarter-hour of a day is a market of its own:
nothing couples two of them, since nobody learns or stores. Limits are drawn evenly from what the grid pays to what it charges.
"""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.draws import Purpose, between, bits
from clients.laboratory.scenario.model import AgentChoice, Participant, Scenario
from clients.laboratory.world.day import WorldDay
from clients.laboratory.world.world import World
from exchange.accounts.permissions import Role
from exchange.units import PERIOD_NS, POWER_LOT_WH

Integers = NDArray[np.int64]

TRADERS_A_SIDE: Final = 5
# Rows of those who may lie.
BUYER: Final = 0
SELLER: Final = TRADERS_A_SIDE
_CASH_MICRO: Final = 10**12
_LIMIT_LOTS: Final = 10


def unit_scenario(scenario: Scenario, mechanism: str) -> Scenario:
    """One day of a scenario's market with TRADERS_A_SIDE truthful buyers and sellers in place of its participants, and nothing else."""
    market = replace(scenario.market, mechanism=mechanism, opening_auction_minutes=0, day_ahead_rounds=1, rounds_before_gate_minutes=())
    ids = [*(f"B{number}" for number in range(1, TRADERS_A_SIDE + 1)), *(f"S{number}" for number in range(1, TRADERS_A_SIDE + 1))]
    participants = tuple(_trader(identity) for identity in ids)
    return replace(scenario, days=1, market=market, participants=participants, instruments=(), outages=())


def with_lie(scenario: Scenario, row: int, shade_ppm: int) -> Scenario:
    """The same with one trader who reports its limit so much more profitable than it is; negative: beyond its limit."""
    liar = replace(scenario.participants[row], agent=AgentChoice(name="strategic", parameters={"shade_ppm": shade_ppm, "withheld_ppm": 0}))
    return replace(scenario, participants=(*scenario.participants[:row], liar, *scenario.participants[row + 1 :]))


class UnitWorld:
    """Everybody wants one lot in each quarter-hour, knows it, and has a limit drawn for itself and the quarter-hour."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self._world, self._seed = World(scenario, seed), np.uint64(seed)

    def day(self, index: int) -> WorldDay:
        day = self._world.day(index)
        load, generation = np.zeros_like(day.load_wh), np.zeros_like(day.generation_wh)
        load[:SELLER], generation[SELLER:] = POWER_LOT_WH, POWER_LOT_WH
        limits = _sealed(np.array([self._limits(day, row) for row in range(len(load))], np.int64))
        n_rounds = len(day.round_ns)
        return replace(
            day, load_wh=_sealed(load), generation_wh=_sealed(generation), value_ticks=limits, cost_ticks=limits,
            forecast_load_wh=_sealed(np.stack([load] * n_rounds)), forecast_generation_wh=_sealed(np.stack([generation] * n_rounds)),
        )  # fmt: skip

    def _limits(self, day: WorldDay, row: int) -> list[int]:
        prices = zip(day.start_ns.tolist(), day.surplus_price_ticks.tolist(), day.deficit_price_ticks.tolist(), strict=True)
        return [int(between(self._raw(row, start_ns), low, high)) for start_ns, low, high in prices]

    def _raw(self, row: int, start_ns: int) -> np.uint64:
        return np.uint64(bits(self._seed, row, int(Purpose.VALUE), start_ns // PERIOD_NS, 0))


def _trader(identity: str) -> Participant:
    return Participant(
        id=identity, name_en=identity, name_zh=identity, role=Role.ENTERPRISE.value, permissions=("power_buy", "power_sell"),
        cash_micro=_CASH_MICRO, agent=AgentChoice(name="truthful"), min_net_power_lots=-_LIMIT_LOTS, max_net_power_lots=_LIMIT_LOTS,
    )  # fmt: skip


def _sealed(values: Integers) -> Integers:
    values.flags.writeable = False
    return values
