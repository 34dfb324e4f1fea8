"""McAfee 1992, table I: how much of the gains from trade a dominant-strategy double auction keeps.

Paper: R. P. McAfee, "A dominant strategy double auction", Journal of Economic Theory 56 (1992): n buyers and n sellers with one unit each, values and
costs uniform and independent. Shares are ratios of sums over all draws. The published rows follow when the last trade is always dropped if all n
would trade, without a price check, which is also what `matching.mechanisms.mcafee` does. SBB: Segal-Halevi, Hassidim and Aumann 2016.

Draws are independent, and as many as make the standard error of each gated figure at most a quarter of its gate: the number of trades at n = 100 has
a standard deviation of 3.54 and a gate of 0.02, which takes half a million.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.draws import Purpose, below, bits
from clients.laboratory.reproduce.result import Line, Reproduction, near
from matching.compile import kernel

Integers = NDArray[np.int64]

DRAWS: Final = 800_000
QUICK_DRAWS: Final = 50_000
PRICE_MAX: Final = 2**30
_CHUNK: Final = 5_000
_SHARE_TOLERANCE: Final = 0.5  # points
_TRADES_TOLERANCE: Final = 0.02
# The standard error of a figure falls with the root of the draws, and so do the gates of a quick run.
_QUICK_SLACK: Final = sqrt(DRAWS / QUICK_DRAWS)
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
_SHARES: Final = ("gain of all, McAfee, %", "gain of traders, McAfee, %", "gain of all, SBB, %")


@dataclass(frozen=True, slots=True, eq=False)
class Gains:
    """Of each market, int64[m]: efficient trades and their gain; gain of all and of the traders alone under McAfee's rule; gain under SBB."""

    trades: Integers
    optimal: Integers
    mcafee: Integers
    mcafee_traders: Integers
    sbb: Integers


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure of many draws, and the standard error that their number leaves it."""

    value: float
    standard_error: float


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
    return Gains(trades, gained[row, trades], mcafee, mcafee - revenue, sbb)


def simulate(n: int, draws: int, seed: int) -> tuple[Estimate, Estimate, Estimate, Estimate]:
    """Efficient trades of a market of n buyers and n sellers, and the three shares of PUBLISHED in percent, from so many independent markets."""
    sums, products = np.zeros(5), np.zeros((5, 5))
    for gains in _markets(n, draws, seed):
        rows = np.stack([gains.trades, gains.optimal, gains.mcafee, gains.mcafee_traders, gains.sbb]).astype(np.float64)
        sums += rows.sum(axis=1)
        products += rows @ rows.T
    moments = sums / draws, products / draws
    return _mean(*moments, draws), _share(*moments, 2, draws), _share(*moments, 3, draws), _share(*moments, 4, draws)


def _markets(n: int, draws: int, seed: int) -> Iterator[Gains]:
    for first in range(0, draws, _CHUNK):
        markets = np.zeros((min(_CHUNK, draws - first), 2 * n + 1), np.int64)
        draw_markets(markets, np.uint64(seed), n, first)
        yield gains_of(markets[:, :n], markets[:, n : 2 * n], markets[:, 2 * n])


def _mean(means: Any, products: Any, draws: int) -> Estimate:
    """Of the number of efficient trades."""
    return Estimate(float(means[0]), sqrt((products[0, 0] - means[0] ** 2) / draws))


def _share(means: Any, products: Any, row: int, draws: int) -> Estimate:
    """A ratio of sums in percent of the greatest gain; its error by the delta method, from the spread of what is kept less the ratio's part."""
    ratio = means[row] / means[1]
    spread = products[row, row] - 2 * ratio * products[row, 1] + ratio**2 * products[1, 1]
    return Estimate(100 * float(ratio), 100 * sqrt(max(spread, 0.0) / draws) / float(means[1]))


def reproduce(seed: int, *, is_quick: bool = False) -> Reproduction:
    """The rows of the table. Quick: fewer draws, and so wider gates."""
    draws, slack = (QUICK_DRAWS, _QUICK_SLACK) if is_quick else (DRAWS, 1.0)
    lines: list[Line] = []
    for n, published in PUBLISHED.items():
        trades, *shares = simulate(n, draws, seed)
        lines.append(near(f"n = {n}: efficient trades", published[0], trades.value, _TRADES_TOLERANCE * slack, 3, trades.standard_error))
        lines += [
            near(f"n = {n}: {what}", figure, share.value, _SHARE_TOLERANCE * slack, 3, share.standard_error)
            for what, figure, share in zip(_SHARES, published[1:], shares, strict=True)
        ]
    paper = "McAfee 1992, table I; Segal-Halevi, Hassidim and Aumann 2016"
    return Reproduction("mcafee", paper, f"{draws} independent markets for each n", tuple(lines))
