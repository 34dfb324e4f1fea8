"""McAfee 1992, table I: how much of the gains from trade a dominant-strategy double auction keeps.

Paper: R. P. McAfee, "A dominant strategy double auction", Journal of Economic Theory 56 (1992): n buyers and n sellers with one unit each, values and
costs uniform and independent. Shares are ratios of sums over all draws. The published rows follow when the last trade is always dropped if all n
would trade, without a price check, which is also what `matching.mechanisms.mcafee` does. SBB: Segal-Halevi, Hassidim and Aumann 2016.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.draws import Purpose, below, bits
from clients.laboratory.reproduce.result import Line, Reproduction, near
from matching.compile import kernel

Integers = NDArray[np.int64]

DRAWS: Final = 50_000
PRICE_MAX: Final = 2**30
_CHUNK: Final = 5_000
_SHARE_TOLERANCE: Final = 0.5  # points
_TRADES_TOLERANCE: Final = 0.02
_EXPERIMENT: Final = int(Purpose.EXPERIMENT)

# n: optimal trades, then percent of the greatest gain: of all with McAfee's rule, of the traders with it, of SBB.
PUBLISHED: Final = {
    2: (0.99, 77.18, 69.01, 62.69),
    3: (1.49, 88.08, 80.05, 77.75),
    5: (2.49, 94.61, 86.08, 88.03),
    10: (4.99, 98.37, 91.78, 94.53),
    25: (12.5, 99.71, 96.35, 97.92),
    100: (50.0, 99.98, 99.01, 99.49),
}


@dataclass(frozen=True, slots=True)
class Gains:
    """Sums over markets: efficient trades and their gain; gain of all and of the traders alone under McAfee's rule; gain under SBB."""

    trades: int
    optimal: int
    mcafee: int
    mcafee_traders: int
    sbb: int

    def __add__(self, other: "Gains") -> "Gains":
        return Gains(
            self.trades + other.trades, self.optimal + other.optimal, self.mcafee + other.mcafee, self.mcafee_traders + other.mcafee_traders,
            self.sbb + other.sbb,
        )  # fmt: skip


@kernel
def draw_markets(markets: Any, seed: Any, n_traders: Any, first: Any) -> None:
    """Fill int64 [draws, k] with whole numbers below PRICE_MAX, rows numbered from `first`. Modifies `markets` in place."""
    for row in range(markets.shape[0]):
        for column in range(markets.shape[1]):
            markets[row, column] = below(bits(seed, n_traders, _EXPERIMENT, first + row, column), PRICE_MAX)


def gains_of(values: Integers, costs: Integers, lots: Integers) -> Gains:
    """Clear markets in rows: values and costs int64 [m, n] below PRICE_MAX; `lots` [m] below PRICE_MAX draw the seller who leaves under SBB."""
    n = values.shape[1]
    bids, asks = -np.sort(-values, axis=1), np.sort(costs, axis=1)
    trades = (bids >= asks).sum(axis=1)
    gained = np.concatenate([np.zeros((len(bids), 1), np.int64), np.cumsum(bids - asks, axis=1)], axis=1)
    row = np.arange(len(bids))
    last = np.maximum(trades - 1, 0)
    bid, ask = bids[row, last], asks[row, last]
    rest = np.minimum(trades, n - 1)
    next_bid, next_ask = bids[row, rest], asks[row, rest]
    exists, has_next = trades > 0, trades < n
    twice = next_bid + next_ask
    all_trade = has_next & (twice >= 2 * ask) & (twice <= 2 * bid)
    kept = np.where(all_trade | ~exists, trades, trades - 1)
    mcafee = gained[row, kept]
    revenue = np.where(all_trade | ~exists, 0, kept * (bid - ask))
    # SBB: if no seller outside sets the price, the last buyer and one of the accepted sellers, drawn by lot, leave.
    leaves = exists & ~(has_next & (next_ask <= bid))
    drawn = asks[row, np.where(exists, (lots * trades) >> 30, 0)]
    sbb = np.where(leaves, gained[row, trades] - bid + drawn, gained[row, trades])
    return Gains(int(trades.sum()), int(gained[row, trades].sum()), int(mcafee.sum()), int((mcafee - revenue).sum()), int(sbb.sum()))


def simulate(n: int, draws: int, seed: int) -> Gains:
    """So many markets (an even number) of n buyers and n sellers.

    Each second market is the one before with values and costs exchanged. It is as likely, and since k trades here are n - k there, the number of
    trades has no sampling error (antithetic variates: Hammersley and Morton, Proceedings of the Cambridge Philosophical Society 52, 1956).
    """
    total = Gains(0, 0, 0, 0, 0)
    for first in range(0, draws // 2, _CHUNK):
        markets = np.zeros((min(_CHUNK, draws // 2 - first), 2 * n + 2), np.int64)
        draw_markets(markets, np.uint64(seed), n, first)
        one, other = markets[:, :n], markets[:, n : 2 * n]
        total += gains_of(one, other, markets[:, 2 * n]) + gains_of(other, one, markets[:, 2 * n + 1])
    return total


def reproduce(seed: int, *, is_quick: bool = False) -> Reproduction:
    """The rows of the table. Quick: fewer draws, and so wider gates."""
    draws, slack = (5_000, 3.0) if is_quick else (DRAWS, 1.0)
    lines: list[Line] = []
    for n, (trades, gain, traders, sbb) in PUBLISHED.items():
        found = simulate(n, draws, seed)
        percent = 100.0 / found.optimal
        lines += [
            near(f"n = {n}: efficient trades", trades, found.trades / draws, _TRADES_TOLERANCE * slack),
            near(f"n = {n}: gain of all, McAfee, %", gain, found.mcafee * percent, _SHARE_TOLERANCE * slack),
            near(f"n = {n}: gain of traders, McAfee, %", traders, found.mcafee_traders * percent, _SHARE_TOLERANCE * slack),
            near(f"n = {n}: gain of all, SBB, %", sbb, found.sbb * percent, _SHARE_TOLERANCE * slack),
        ]
    paper = "McAfee 1992, table I; Segal-Halevi, Hassidim and Aumann 2016"
    return Reproduction("mcafee", paper, f"{draws} markets for each n, in antithetic pairs", tuple(lines))
