"""Price taker: trades at the price that it finds, if that is within its limit, and never tries to move it.

Source: the trader of competitive equilibrium, e.g. A. Mas-Colell, M. D. Whinston and J. R. Green, "Microeconomic theory" (1995), chapter 10.B. What
it takes for the price is a design of this laboratory: the best quote of the other side, else the last trade, else the middle between what the
grid pays and charges. At the last round it may quote its limit: no later price is left to wait for.
"""

from typing import Any, Final

from clients.laboratory.agents.grid import is_acceptable, opposite, quote_within
from clients.laboratory.agents.interface import NO_QUOTE
from matching.compile import kernel

LIMIT_AT_LAST: Final = 0  # slot of the trait: not 0: quotes the limit at the last round


@kernel(internal=True)
def going_price(view: Any, side: Any) -> Any:
    """The price that a taker reckons with, a double."""
    best = opposite(view, side)
    if best >= 0:
        return float(best)
    if view.last_ticks >= 0:
        return float(view.last_ticks)
    return (view.anchor_low_ticks + view.anchor_high_ticks) * 0.5


@kernel(internal=True)
def quote_going_price(trait: Any, view: Any, side: Any, limit_ticks: Any) -> Any:
    """The going price, if it is within the limit."""
    if trait.p[LIMIT_AT_LAST] != 0.0 and view.rounds_left <= 1:
        return quote_within(view, side, limit_ticks, float(limit_ticks))
    price = going_price(view, side)
    return quote_within(view, side, limit_ticks, price) if is_acceptable(side, price, limit_ticks) else NO_QUOTE
