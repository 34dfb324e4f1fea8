"""Zero intelligence: prices drawn at random, without (ZI-U) or with (ZI-C) the constraint of the budget.

Paper: D. K. Gode and S. Sunder, "Allocative efficiency of markets with zero-intelligence traders: market as a partial substitute for individual
rationality", Journal of Political Economy 101 (1993), section II: each price of the feasible range is equally likely; the range of ZI-U is that of
the market, a ZI-C buyer bids no more than its value and a ZI-C seller asks no less than its cost.
"""

from typing import Any

from clients.laboratory.agents.grid import highest, lowest, profitable_high, profitable_low
from clients.laboratory.agents.interface import NO_QUOTE
from clients.laboratory.draws import below
from matching.compile import kernel


@kernel(internal=True)
def draw_price(low: Any, high: Any, step: Any, bits: Any) -> Any:
    """Each multiple of the step from `low` to `high`, both multiples of it, with the same chance; NO_QUOTE where there is none."""
    if low > high:
        return NO_QUOTE
    return low + below(bits, (high - low) // step + 1) * step


@kernel(internal=True)
def quote_unconstrained(view: Any, bits: Any) -> Any:
    """ZI-U: any price of the band."""
    return draw_price(lowest(view), highest(view), view.tick_step, bits)


@kernel(internal=True)
def quote_constrained(view: Any, side: Any, limit_ticks: Any, bits: Any) -> Any:
    """ZI-C: any price of the band that makes no loss."""
    return draw_price(profitable_low(view, side, limit_ticks), profitable_high(view, side, limit_ticks), view.tick_step, bits)
