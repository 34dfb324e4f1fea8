"""Prices that give way with time, and ladders around them. Integers out, so that no float reaches an order.

Source of the concession curve: P. Faratin, C. Sierra, N. R. Jennings, "Negotiation decision functions for autonomous agents", Robotics and
Autonomous Systems 24 (1998), time-dependent tactics: alpha(t) = (t / t_max) ** (1 / beta).
"""

from itertools import pairwise
from typing import Final

from clients.bots.actions import Place
from clients.bots.market import Contract, MarketView, Side
from exchange.units import NS_PER_MINUTE

# Half of a bargaining range is given up over the day, the other half in the last hours before the gate.
LATE_NS: Final = 180 * NS_PER_MINUTE
_EARLY_SHARE: Final = 0.5
# The last level of a ladder stands this share of the bargaining range behind the best one.
LADDER_SHARE: Final = 0.2


def concession(now_ns: int, contract: Contract, beta: float) -> float:
    """Share of the bargaining range given up by now: 0 when the contract opens, 1 at its gate; `beta` > 1 gives way early, < 1 late."""
    late_from_ns = max(contract.open_ns, contract.close_ns - LATE_NS)
    early = _fraction(now_ns, contract.open_ns, late_from_ns)
    late = _fraction(now_ns, late_from_ns, contract.close_ns)
    return float(_EARLY_SHARE * early ** (1 / beta) + (1 - _EARLY_SHARE) * late ** (1 / beta))


def conceded(view: MarketView, contract: Contract, beta: float) -> float:
    """`concession`, but all of it where orders gather: all trade at the one price of the auction, not at their limits.

    So a member that names its true limit loses little by it, and one that holds back may miss the trade.
    """
    return 1.0 if view.gathers(contract) else concession(view.now_ns, contract, beta)


def conceding_price(start_ticks: int, limit_ticks: int, share: float) -> int:
    """A price between `start_ticks` and `limit_ticks`, never beyond the limit."""
    return start_ticks + int((limit_ticks - start_ticks) * min(max(share, 0.0), 1.0))


def ladder(contract: Contract, side: Side, quantity_lots: int, best_ticks: int, worst_ticks: int, levels: int, label: int) -> list[Place]:
    """`quantity_lots` over `levels` prices from `best_ticks` (the price given first) to `worst_ticks`; empty when there is nothing to place.

    Prices are clipped to the band and the quantity to what one order may hold; equal prices share one order.
    """
    low, high = contract.band_low_ticks, contract.band_high_ticks
    levels = max(1, min(levels, quantity_lots))
    edges = [quantity_lots * i // levels for i in range(levels + 1)]
    step = (worst_ticks - best_ticks) / max(1, levels - 1)
    by_price: dict[int, int] = {}
    for i, (begin, end) in enumerate(pairwise(edges)):
        price = min(max(best_ticks + int(step * i), low), high)
        by_price[price] = by_price.get(price, 0) + end - begin
    return [
        Place(contract.symbol, side, price, min(lots, contract.max_order_lots), label=label) for price, lots in by_price.items() if lots > 0
    ]


def _fraction(now_ns: int, begin_ns: int, end_ns: int) -> float:
    if end_ns <= begin_ns:
        return 1.0
    return min(max((now_ns - begin_ns) / (end_ns - begin_ns), 0.0), 1.0)
