"""Market maker with inventory: quotes on both sides of a price that it moves against what it holds.

Paper: M. Avellaneda and S. Stoikov, "High-frequency trading in a limit order book", Quantitative Finance 8 (2008), section 3.2: reservation price
r = s - q gamma sigma**2 (T - t), quotes at r -/+ half of gamma sigma**2 (T - t) + (2 / gamma) ln(1 + gamma / kappa). It is asked for each side by
itself. s is the middle of the quotes, else the last trade, else the middle between what the grid pays and charges (design).
"""

from typing import Any, Final

from clients.laboratory.agents.arithmetic import logarithm_of_one_plus
from clients.laboratory.agents.grid import BUY, quote_within
from matching.compile import kernel

# Slots of the trait.
RISK_AVERSION: Final = 0  # gamma, per tick and unit of inventory
VOLATILITY: Final = 1  # sigma, ticks over the whole time of a market
DECAY: Final = 2  # kappa, per tick: how fast trades get rarer with distance
UNIT_LOTS: Final = 3  # a unit of inventory


@kernel(internal=True)
def middle_price(view: Any) -> Any:
    """The price around which is quoted, a double."""
    if view.bid_ticks >= 0 and view.ask_ticks >= 0:
        return (view.bid_ticks + view.ask_ticks) * 0.5
    if view.last_ticks >= 0:
        return float(view.last_ticks)
    return (view.anchor_low_ticks + view.anchor_high_ticks) * 0.5


@kernel(internal=True)
def quote(trait: Any, view: Any, side: Any, limit_ticks: Any) -> Any:
    """The bid or the offer, never beyond the limit of its side."""
    gamma = trait.p[RISK_AVERSION]
    risk = gamma * trait.p[VOLATILITY] * trait.p[VOLATILITY] * view.time_left
    reservation = middle_price(view) - view.position_lots / trait.p[UNIT_LOTS] * risk
    half = 0.5 * risk + logarithm_of_one_plus(gamma / trait.p[DECAY]) / gamma
    return quote_within(view, side, limit_ticks, reservation - half if side == BUY else reservation + half)
