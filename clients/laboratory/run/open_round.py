"""A round that is about to be held: what participants want in it, open to whoever acts for some of them from outside of the compiled agents."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.agents.interface import NO_QUOTE
from clients.laboratory.market.deciding import look
from clients.laboratory.run.calendar import RoundsAt
from clients.laboratory.run.day_market import DayMarket
from matching.records import Side

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class OpenRound:
    """The books `at.periods` of one day at their rounds `at.rounds`, m of them; a *place* is an index into these.

    `targets` int64[n, m], net lots that each participant wants to end with, is read when the round is held and may be changed before. A price set by
    `quote` replaces the participant's own in this round only; a user's strategy is asked after that and has the last word on its own prices.
    """

    market: DayMarket
    at: RoundsAt
    targets: Integers
    _hold: Callable[[DayMarket, RoundsAt, Integers], None]

    def hold(self) -> None:
        """Let everybody act, and the exchange or the mechanism answer."""
        self._hold(self.market, self.at, self.targets)
        self.market.table.forced[:, self.at.periods] = NO_QUOTE

    def let_time_pass(self) -> None:
        """Let what has come due since the round was opened happen before anybody decides."""
        self.market.let_time_pass()

    @property
    def net_lots(self) -> Integers:
        """What each participant has bought less sold so far, [n, m]."""
        return self.market.net_lots[:, self.at.periods]

    @property
    def rounds_left(self) -> Integers:
        """Rounds of each book from this one on, [m]."""
        left: Integers = int(self.market.table.rules["n_rounds"][0]) - self.at.rounds
        return left

    def view(self, place: int) -> Any:
        """The public view of a book (VIEW) as it is now, as far as transparency shows it."""
        period = int(self.at.periods[place])
        look(self.market.state, self.market.table, period, int(self.at.rounds[place]))
        return self.market.table.views[period]

    def limit_ticks(self, row: int, side: int, place: int) -> int:
        """The most that a participant pays, or the least that it takes, by its own plan."""
        return int(self.market.table.limits[2 * row + side, self.at.periods[place]])

    def quote(self, row: int, place: int, target_lots: int, price_ticks: int) -> None:
        """Let a participant want `target_lots` in this round and quote `price_ticks` on whichever side that is."""
        self.targets[row, place] = target_lots
        for side in (Side.BUY, Side.SELL):
            self.market.table.forced[2 * row + side, self.at.periods[place]] = price_ticks

    def parts(self, rows: Sequence[int]) -> Iterator["OpenRound"]:
        """The same round in parts, to be held one after the other: each book in which one of `rows` wants something alone, those between together.

        Books do not see each other within a round, so it comes to what holding them at once comes to, if all that is due happens before the first.
        """
        self.let_time_pass()
        m, own = len(self.at.periods), list(rows)
        wanted = (self.targets[own] != self.net_lots[own]).any(axis=0)
        edges = sorted({0, m, *(edge for place in np.flatnonzero(wanted).tolist() for edge in (place, place + 1))})
        for start, end in pairwise(edges):
            at = RoundsAt(self.at.at_ns, self.at.periods[start:end], self.at.rounds[start:end])
            yield OpenRound(self.market, at, np.ascontiguousarray(self.targets[:, start:end]), self._hold)
