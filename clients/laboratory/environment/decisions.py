"""An episode as a sequence of decisions: one book at one of its rounds, in which at least one learning participant wants something.

A decision is a price and a share of what is wanted. The reward of a decision is what its fills are better than the grid's prices; when a day is
settled, what its bill says beyond that is added, so that the rewards of an episode sum to the objective exactly.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.agents.catalogue import is_user_strategy
from clients.laboratory.environment.observation import THE_END, Floats, observe, price_of, scale_lots
from clients.laboratory.measures.bills import storage_value_change_micro
from clients.laboratory.run.day_market import DayMarket
from clients.laboratory.run.engine import Run
from clients.laboratory.run.open_round import OpenRound
from clients.laboratory.run.record import RunRecord
from clients.laboratory.scenario.model import AgentChoice, Participant, Scenario
from exchange.errors import InputError
from exchange.units import POWER_MULTIPLIER_MICRO

Integers = NDArray[np.int64]

_MICRO: Final = 1_000_000


class Objective(StrEnum):
    """SAVING: what the participant pays less than in the pool. COST: what it pays, negative. Energy left in storage counts at its stated price."""

    SAVING = "saving"
    COST = "negative_cost"


def learners_of(scenario: Scenario, participants: Sequence[str]) -> tuple[int, ...]:
    """Rows of participants that can learn. Raises InputError for unknown or repeated ones, and those with nothing of their own to trade."""
    if not participants or len(set(participants)) < len(participants):
        raise InputError(f"learning participants {list(participants)}: expected at least one, each once")
    rows = []
    for name in participants:
        try:
            row = scenario.index_of(name)
        except KeyError:
            raise InputError(f"scenario {scenario.name} has no participant {name!r}") from None
        if not _has_energy(scenario.participants[row]):
            raise InputError(f"participant {name} has neither load, generation nor storage: there is nothing that it could learn to trade")
        rows.append(row)
    return tuple(rows)


@dataclass(slots=True, eq=False)
class Episode:
    """One run from its first decision to its last. `rewards_micro` [learners]: since they were last taken; `record`: of the run, once it is over."""

    scenario: Scenario
    seed: int
    rows: tuple[int, ...]
    objective: Objective
    rewards_micro: Integers = field(init=False)
    record: RunRecord | None = field(init=False, default=None)
    _run: Run = field(init=False)
    _decisions: Iterator[OpenRound] = field(init=False)
    _opened: OpenRound | None = field(init=False, default=None)
    _accrued_micro: dict[int, Integers] = field(init=False, default_factory=dict)  # by day, until it is settled
    _trades_seen: int = field(init=False, default=0)
    _days_settled: int = field(init=False, default=0)
    _lots: list[int] = field(init=False)

    def __post_init__(self) -> None:
        scenario = _with_learners(self.scenario, self.rows)
        self._run = Run(scenario, self.seed)
        self._lots = [scale_lots(scenario.participants[row], scenario.market.max_order_lots) for row in self.rows]
        self.rewards_micro = np.zeros(len(self.rows), np.int64)
        self._decisions = self._play()
        self._opened = next(self._decisions, None)

    @property
    def is_over(self) -> bool:
        return self._opened is None

    def observations(self) -> list[Floats]:
        """What each learner sees now; the same of all at the end."""
        if self._opened is None:
            return [THE_END.copy() for _ in self.rows]
        return [observe(self._opened, row, lots) for row, lots in zip(self.rows, self._lots, strict=True)]

    def act(self, actions: Mapping[int, tuple[float, float]]) -> list[float]:
        """Carry out (price, share) of each learner, by its place; both from 0 to 1. Returns what each gained by it, in CNY."""
        assert self._opened is not None
        view, net = self._opened.view(0), self._opened.net_lots
        for place, (price, share) in actions.items():
            row = self.rows[place]
            wanted = int(self._opened.targets[row, 0] - net[row, 0])
            if wanted:
                lots = int(abs(wanted) * min(max(share, 0.0), 1.0))
                self._opened.quote(row, 0, int(net[row, 0]) + (lots if wanted > 0 else -lots), price_of(view, min(max(price, 0.0), 1.0)))
        self._opened = next(self._decisions, None)
        rewards, self.rewards_micro = self.rewards_micro, np.zeros(len(self.rows), np.int64)
        return [micro / _MICRO for micro in rewards.tolist()]

    def info(self) -> dict[str, int]:
        """Where the episode is."""
        if self._opened is None:
            return {"seed": self.seed}
        place = {"day": self._opened.market.day.index, "period": int(self._opened.at.periods[0]), "round": int(self._opened.at.rounds[0])}
        return {"seed": self.seed, **place}

    def close(self) -> None:
        self._run.link.close()

    def _play(self) -> Iterator[OpenRound]:
        for opened in self._run.rounds():
            self._take_bills()
            for part in opened.parts(self.rows):
                if (part.targets[list(self.rows)] != part.net_lots[list(self.rows)]).any():
                    yield part
                self._hold(part)
        self._take_bills()
        self.record = self._run.record()
        self.rewards_micro += storage_value_change_micro(self.record)[list(self.rows)]

    def _hold(self, part: OpenRound) -> None:
        paid_micro = part.market.payments_micro.copy()
        part.hold()
        gains = -(part.market.payments_micro - paid_micro)[list(self.rows)]
        for trades in self._run.tally.trades[self._trades_seen :]:
            gains += self._gains_of(trades, part.market)
        self._trades_seen = len(self._run.tally.trades)
        if gains.any():
            day = part.market.day.index
            self._accrued_micro[day] = self._accrued_micro.get(day, np.zeros(len(self.rows), np.int64)) + gains
            self.rewards_micro += gains

    def _gains_of(self, trades: NDArray[np.void], market: DayMarket) -> Integers:
        """What trades are better than the grid's prices, micro-CNY [learners]."""
        period = trades["period"] - market.first_period
        above = market.day.deficit_price_ticks[period] - trades["price_ticks"]
        below = trades["price_ticks"] - market.day.surplus_price_ticks[period]
        found = np.zeros(len(self.rows), np.int64)
        for place, row in enumerate(self.rows):
            bought, sold = trades["buyer"] == row, trades["seller"] == row
            lots = trades["quantity_lots"]
            found[place] = int((above * lots)[bought].sum() + (below * lots)[sold].sum()) * POWER_MULTIPLIER_MICRO
        return found

    def _take_bills(self) -> None:
        """Add what bills of settled days say beyond what was counted trade by trade."""
        for day in range(self._days_settled, len(self._run.bills)):
            bills, rows = self._run.bills[day], list(self.rows)
            total = -bills.market_micro[rows]
            if self.objective is Objective.SAVING:
                total = total + bills.pool_micro[rows]
            self.rewards_micro += total - self._accrued_micro.pop(day, np.zeros(len(rows), np.int64))
        self._days_settled = len(self._run.bills)


def _with_learners(scenario: Scenario, rows: Sequence[int]) -> Scenario:
    """Learners decide prices themselves; whose agent quotes both sides or is a user's class gets a plain one in its place."""
    plain = AgentChoice(name="truthful")
    return replace(
        scenario,
        participants=tuple(
            replace(entry, agent=plain) if row in rows and (entry.agent.name == "market_maker" or is_user_strategy(entry.agent.name)) else entry
            for row, entry in enumerate(scenario.participants)
        ),
    )


def _has_energy(entry: Participant) -> bool:
    return bool(entry.load or entry.generation or entry.storage or entry.ev)
