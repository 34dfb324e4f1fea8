"""What every strategy is: two pure steps a turn over a read-only view.

1. `withdrawals(view)`: which of its own orders to take back first.
2. `on_turn(view)`: what to do then. The view is fresh: fills that came in while orders were withdrawn are in its positions.

So a strategy never offers a quantity twice, and a runner can be a script, a WebSocket session or a test.
"""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from clients.bots.actions import Action, Withdraw
from clients.bots.market import Contract, MarketView


class Strategy(ABC):
    """Base of all strategies. `label` marks its orders; several strategies of one account have different labels."""

    # Public channels the runner subscribes for it; executions and the clock come by themselves.
    CHANNELS: ClassVar[tuple[str, ...]] = ("ticker",)

    def __init__(self, label: int) -> None:
        self.label = label

    @abstractmethod
    def withdrawals(self, view: MarketView) -> list[Withdraw]:
        """Own orders to cancel before anything else."""

    @abstractmethod
    def on_turn(self, view: MarketView) -> list[Action]:
        """Orders and schedules of this turn, in the order they are sent."""


class Agenda:
    """Which contracts to quote this turn: always the next gates, and a rotating few of the later ones, so that the whole day is quoted."""

    def __init__(self, near: int, far: int, rng: np.random.Generator) -> None:
        self._near = near
        self._far = far
        self._cursor = int(rng.integers(0, 96))

    def choose(self, contracts: list[Contract]) -> list[Contract]:
        """At most near + far of `contracts`, which come in the order of their gates."""
        near, rest = contracts[: self._near], contracts[self._near :]
        count = min(self._far, len(rest))
        chosen = [rest[(self._cursor + i) % len(rest)] for i in range(count)]
        self._cursor += count
        return near + chosen


class PowerStrategy(Strategy):
    """Quotes power contracts of its agenda, one after the other."""

    def __init__(self, label: int, agenda: Agenda) -> None:
        super().__init__(label)
        self._agenda = agenda
        self._chosen: list[Contract] = []

    def withdrawals(self, view: MarketView) -> list[Withdraw]:
        self._chosen = self.choose(view)
        return [Withdraw(c.symbol, self.label) for c in self._chosen if view.own_orders(c.symbol, self.label)]

    def on_turn(self, view: MarketView) -> list[Action]:
        return [action for contract in self._chosen if view.is_open(contract) for action in self.quote(view, contract)]

    def choose(self, view: MarketView) -> list[Contract]:
        """Contracts to work on this turn: its agenda, but every one that gathers for its opening auction, since that is held only once."""
        contracts = view.open_power()
        gathering = [c for c in contracts if view.gathers(c) and not view.own_orders(c.symbol, self.label)]
        return gathering or self._agenda.choose(contracts)

    @abstractmethod
    def quote(self, view: MarketView, contract: Contract) -> list[Action]:
        """Orders for one open contract. `view.net` holds every fill so far; own orders of this label in it are gone."""
