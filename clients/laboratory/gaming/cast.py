"""Who plays the manipulator: the largest seller of a scenario, its storage, and three idle accounts at the end that may become its own.

The idle accounts are there in the honest run too, so that nobody's draws and nobody's turn move.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.agents.catalogue import is_user_strategy
from clients.laboratory.scenario.model import AgentChoice, GenerationProfile, Participant, Scenario
from clients.laboratory.world.day import WorldDay
from clients.laboratory.world.world import World
from exchange.accounts.permissions import Role
from exchange.errors import InputError

Integers = NDArray[np.int64]

_CASH_MICRO: Final = 10**12
# Net lots of a quarter-hour that an account without a meter may hold: 500 kWh.
ACCOUNT_LIMIT_LOTS: Final = 5_000


@dataclass(frozen=True, slots=True)
class Cast:
    """Rows of the players in `scenario.participants`. `plant`: the largest seller; `wind`: the largest seller at night, or the same; `storage`: the
    largest storage, None where there is none. `second`: an account that can take half of the plant; `buyer`, `seller`: accounts without a meter.
    """

    scenario: Scenario
    plant: int
    wind: int
    storage: int | None
    second: int
    buyer: int
    seller: int


def cast_of(scenario: Scenario) -> Cast:
    """Raises InputError where nobody sells: then there is nothing to manipulate."""
    plants = [row for row, entry in enumerate(scenario.participants) if _sells(entry)]
    if not plants:
        raise InputError(f"scenario {scenario.name}: no participant generates and sells with an agent of ours; the manipulations need a seller")
    n = len(scenario.participants)
    plant = max(plants, key=lambda row: (_peak_kw(scenario, row), -row))
    winds = [row for row in plants if (profile := scenario.participants[row].generation) is not None and profile.kind == "wind"]
    storages = [row for row, entry in enumerate(scenario.participants) if entry.storage and not entry.load and not entry.generation]
    owner = scenario.participants[plant]
    accounts = (_second(owner), _account(owner, "buyer"), _account(owner, "seller"))
    extended = replace(scenario, participants=(*scenario.participants, *accounts))
    return Cast(
        extended, plant, max(winds or [plant], key=lambda row: (_peak_kw(scenario, row), -row)),
        max(storages, key=lambda row: (_power_w(scenario.participants[row]), -row), default=None), n, n + 1, n + 2,
    )  # fmt: skip


class SplitWorld:
    """The world in which the second account has half of the plant: what both have together is what the plant had, to the watt-hour."""

    def __init__(self, cast: Cast, seed: int) -> None:
        self._world, self._rows = World(cast.scenario, seed), (cast.plant, cast.second)

    def day(self, index: int) -> WorldDay:
        day = self._world.day(index)
        plant, second = self._rows
        return replace(
            day,
            generation_wh=_halved(day.generation_wh, plant, second),
            forecast_generation_wh=_halved(day.forecast_generation_wh, plant, second),
            value_ticks=_copied(day.value_ticks, plant, second),
            cost_ticks=_copied(day.cost_ticks, plant, second),
        )


def with_split_plant(cast: Cast) -> Scenario:
    """The scenario of `SplitWorld`: each half with its own meter and the position limits of the whole."""
    participants = list(cast.scenario.participants)
    whole = participants[cast.plant].generation
    assert whole is not None
    half_kw = whole.peak_kw // 2
    for row, peak_kw in ((cast.plant, whole.peak_kw - half_kw), (cast.second, half_kw)):
        profile = GenerationProfile(series=whole.series, kind=whole.kind, peak_kw=peak_kw, noise=whole.noise)
        participants[row] = replace(participants[row], generation=profile)
    return replace(cast.scenario, participants=tuple(participants))


def _sells(entry: Participant) -> bool:
    return entry.generation is not None and entry.load is None and "power_sell" in entry.permissions and not is_user_strategy(entry.agent.name)


def _second(owner: Participant) -> Participant:
    """Same rights, limits and behaviour; no plant yet."""
    return replace(
        owner, id=f"{owner.id}-second", name_en=f"{owner.name_en}, second account", name_zh=f"{owner.name_zh}（第二账户）", generation=None,
        asset=None, storage=None, holdings_lots={}, programmes=(),
    )  # fmt: skip


def _account(owner: Participant, what: str) -> Participant:
    return Participant(
        id=f"{owner.id}-{what}", name_en=f"{owner.name_en}, {what}", name_zh=f"{owner.name_zh}（{what}）", role=Role.MARKET_MAKER.value,
        permissions=("power_buy", "power_sell"), cash_micro=_CASH_MICRO, agent=AgentChoice(name="truthful"), valuation=owner.valuation,
        min_net_power_lots=-ACCOUNT_LIMIT_LOTS, max_net_power_lots=ACCOUNT_LIMIT_LOTS,
    )  # fmt: skip


def _peak_kw(scenario: Scenario, row: int) -> int:
    profile = scenario.participants[row].generation
    return profile.peak_kw if profile is not None else 0


def _power_w(entry: Participant) -> int:
    return entry.storage.power_w if entry.storage is not None else 0


def _halved(values: Integers, plant: int, second: int) -> Integers:
    found = values.copy()
    found[..., second, :] = values[..., plant, :] // 2
    found[..., plant, :] -= found[..., second, :]
    return _sealed(found)


def _copied(values: Integers, plant: int, second: int) -> Integers:
    found = values.copy()
    found[second] = values[plant]
    return _sealed(found)


def _sealed(values: Integers) -> Integers:
    values.flags.writeable = False
    return values


def rows_of(cast: Cast, names: Iterable[str]) -> tuple[int, ...]:
    """Rows of players by the names of their fields."""
    return tuple(getattr(cast, name) for name in names if getattr(cast, name) is not None)
