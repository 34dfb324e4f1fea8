"""Prices that an order may have: whole multiples of the tick step inside the band, on the profitable side of a limit."""

from typing import Any, Final

import numpy as np

from clients.laboratory.agents.interface import NO_QUOTE
from matching.compile import kernel
from matching.records import Side

BUY: Final = int(Side.BUY)
SELL: Final = int(Side.SELL)
FARTHEST: Final = 2.0**31  # beyond every price, yet a double that converts to int64


@kernel(internal=True)
def lowest(view: Any) -> Any:
    """The lowest price of the band that is a multiple of the step, ticks."""
    return -((-view.low_ticks) // view.tick_step) * view.tick_step


@kernel(internal=True)
def highest(view: Any) -> Any:
    """The highest price of the band that is a multiple of the step, ticks."""
    return (view.high_ticks // view.tick_step) * view.tick_step


@kernel(internal=True)
def profitable_low(view: Any, side: Any, limit_ticks: Any) -> Any:
    """The lowest price at which no loss is made: a seller's limit rounded up, never below the band."""
    if side == BUY:
        return lowest(view)
    return max(lowest(view), -((-limit_ticks) // view.tick_step) * view.tick_step)


@kernel(internal=True)
def profitable_high(view: Any, side: Any, limit_ticks: Any) -> Any:
    """The highest price at which no loss is made: a buyer's limit rounded down, never above the band."""
    if side == SELL:
        return highest(view)
    return min(highest(view), (limit_ticks // view.tick_step) * view.tick_step)


@kernel(internal=True)
def to_ticks(price: Any, side: Any, step: Any) -> Any:
    """A real price as a whole multiple of the step, rounded to the profit of who quotes it: a bid down, an offer up."""
    bounded = min(max(price, -FARTHEST), FARTHEST)
    ticks = np.int64(np.floor(bounded / step)) * step
    return ticks + step if side == SELL and ticks < bounded else ticks


@kernel(internal=True)
def quote_within(view: Any, side: Any, limit_ticks: Any, price: Any) -> Any:
    """A real price as one that may be quoted and makes no loss; NO_QUOTE where there is none."""
    low, high = profitable_low(view, side, limit_ticks), profitable_high(view, side, limit_ticks)
    if low > high:
        return NO_QUOTE
    return min(max(to_ticks(price, side, view.tick_step), low), high)


@kernel(internal=True)
def opposite(view: Any, side: Any) -> Any:
    """The best price of the other side, ticks; -1 where there is none."""
    return view.ask_ticks if side == BUY else view.bid_ticks


@kernel(internal=True)
def is_acceptable(side: Any, price: Any, limit: Any) -> Any:
    """Whether who has this limit loses nothing at this price."""
    return price <= limit if side == BUY else price >= limit
