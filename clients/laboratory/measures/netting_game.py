"""The reduced game of a park: what a coalition saves by netting its meters behind one grid connection instead of each paying alone.

Reduced, because the meters are taken as they were: no coalition replays the market. Costs are convex in the net, so a larger coalition never saves
less, every marginal contribution is at least zero and so is every Shapley value. Values are ticks x Wh.

A bill is D max(x, 0) - S max(-x, 0) = S x + (D - S) max(x, 0) in the net x; the first part adds up over members, so only the second makes the game.
"""

from collections.abc import Sequence

import numpy as np

from clients.laboratory.draws import EVERYBODY, Purpose, below, bits
from clients.laboratory.measures.figures import Integers
from clients.laboratory.run.record import RunRecord

# Beyond this many members permutations are drawn.
EXACT_MEMBERS = 12
PERMUTATIONS = 200


class NettingGame:
    """The game of a run. `net_wh` int64[n, P] is taken out positive."""

    def __init__(self, record: RunRecord) -> None:
        self.net_wh: Integers = record.load_wh + record.charge_wh - record.generation_wh - record.discharge_wh
        self._spread_ticks: Integers = record.deficit_price_ticks - record.surplus_price_ticks
        self._alone = [self._cost(net_wh) for net_wh in self.net_wh]

    def _cost(self, net_wh: Integers) -> int:
        return int(np.maximum(net_wh, 0) @ self._spread_ticks)

    def values(self) -> Integers:
        """All coalitions, int64[2**n]; for games of up to EXACT_MEMBERS."""
        n = len(self.net_wh)
        game = np.zeros(2**n, np.int64)
        alone = [0] * 2**n
        net_wh: Integers = np.zeros(self.net_wh.shape[1], np.int64)
        mask = 0
        for step in range(1, 2**n):  # Gray code: one member comes or goes at each step
            member = (step & -step).bit_length() - 1
            mask ^= 1 << member
            net_wh += self.net_wh[member] if mask >> member & 1 else -self.net_wh[member]
            last = mask.bit_length() - 1
            alone[mask] = sum(self._alone[row] for row in range(last + 1) if mask >> row & 1)
            game[mask] = alone[mask] - self._cost(net_wh)
        return game

    def marginals(self, permutation: Sequence[int]) -> Integers:
        """What each member in turn adds to the coalition of those before it, int64[n]."""
        together = np.cumsum(self.net_wh[list(permutation)], axis=0)
        cost = np.asarray(np.maximum(together, 0, out=together) @ self._spread_ticks, np.int64)
        alone = np.array([self._alone[member] for member in permutation], np.int64)
        added: Integers = alone - np.diff(cost, prepend=0)
        return added


def drawn_permutations(seed: int, n: int, count: int = PERMUTATIONS) -> list[list[int]]:
    """Permutations of n members from the stream of the seed (Fisher and Yates), the same wherever they are drawn."""
    permutations = []
    for draw in range(count):
        members = list(range(n))
        for last in range(n - 1, 0, -1):
            raw = bits(np.uint64(seed), np.uint64(EVERYBODY), np.uint64(Purpose.EXPERIMENT), np.uint64(draw), np.uint64(last))
            other = int(below(np.uint64(raw), np.uint64(last + 1)))
            members[last], members[other] = members[other], members[last]
        permutations.append(members)
    return permutations
