"""Strategies that users wrote: asked in Python, once a round and quote, beside the agents that are compiled.

Their prices lie ready when the round is decided, so that they act in the same drawn sequence as everybody else.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.agents.catalogue import is_user_strategy
from clients.laboratory.agents.interface import NO_QUOTE, SHOUTS_KEPT
from clients.laboratory.agents.user import UserStrategy
from clients.laboratory.draws import Purpose, bits
from clients.laboratory.market.deciding import look
from clients.laboratory.market.table import MarketTable
from clients.laboratory.scenario.model import Scenario
from exchange.order_path.state import PathState
from matching.records import Side

Integers = NDArray[np.int64]


class UserStrategies:
    """All objects of users' classes in a run. Raises InputError, with file and line, for what one of them does wrong."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self._seed = seed
        self._objects = {
            row: UserStrategy(entry.agent.name, entry.agent.parameters, entry.id, Path.cwd())
            for row, entry in enumerate(scenario.participants)
            if is_user_strategy(entry.agent.name)
        }
        self._begun: dict[tuple[int, int, int], int] = {}  # (row, side, quarter-hour) -> shouts heard

    def __bool__(self) -> bool:
        return bool(self._objects)

    def ask(self, state: PathState, table: MarketTable, periods: Integers, rounds: Integers, targets: Integers, net_lots: Integers) -> None:
        """Write the prices of a round into `table.forced`. `targets` and `net_lots` are [n, m]: only sides that are wanted are asked.

        A strategy hears of a side from its first question about it on: of what was said while it wanted nothing there without a limit.
        """
        for at, (period, round_index) in enumerate(zip(periods.tolist(), rounds.tolist(), strict=True)):
            look(state, table, period, round_index)
            for row, strategy in self._objects.items():
                gap = int(targets[row, at] - net_lots[row, at])
                table.forced[2 * row : 2 * row + 2, period] = NO_QUOTE
                table.views[period]["position_lots"] = net_lots[row, at]
                for side in (Side.BUY, Side.SELL):
                    self._hear(strategy, table, row, period, int(side))
                if gap:
                    self._quote(strategy, table, row, period, round_index, int(Side.BUY if gap > 0 else Side.SELL))

    def _quote(self, strategy: UserStrategy, table: MarketTable, row: int, period: int, round_index: int, side: int) -> None:
        number, limit = int(table.number[period]), int(table.limits[2 * row + side, period])
        if (row, side, number) not in self._begun:
            strategy.begin(number, side, limit)
            self._begun[row, side, number] = int(table.n_shouts[table.clock[period]])
        raw = int(bits(np.uint64(self._seed), row, Purpose.PRICE, number, 2 * round_index + side))
        table.forced[2 * row + side, period] = strategy.quote(table.views[period], number, side, limit, raw)

    def _hear(self, strategy: UserStrategy, table: MarketTable, row: int, period: int, side: int) -> None:
        """What was said in a book since the strategy last looked at it. `table.lacking` is still that of the last look."""
        clock, number = int(table.clock[period]), int(table.number[period])
        last = int(table.n_shouts[clock])
        first = self._begun.get((row, side, number), last)
        limit = int(table.limits[2 * row + side, period]) if table.lacking[2 * row + side, period] > 0 else NO_QUOTE
        for at in range(max(first, last - SHOUTS_KEPT), last):
            strategy.hear(table.history[clock, at % SHOUTS_KEPT], number, side, limit)
        if first < last:
            self._begun[row, side, number] = last
