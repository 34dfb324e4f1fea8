"""Strategic: reports a limit that is not its own, and keeps back a part of its quantity.

Sources: R. B. Myerson and M. A. Satterthwaite, "Efficient mechanisms for bilateral trading", Journal of Economic Theory 29 (1983), for the shading of
reports; S. Borenstein, J. Bushnell and F. Wolak, "Measuring market inefficiencies in California's restructured wholesale electricity market",
American Economic Review 92 (2002), for withholding, economic (a higher price) and physical (a smaller quantity). Both shares are parameters: who
wants to know what a manipulation gains, sets them and compares.
"""

from typing import Any, Final

from clients.laboratory.agents.grid import BUY, highest, lowest, to_ticks
from clients.laboratory.agents.interface import NO_QUOTE
from matching.compile import kernel

SHADE: Final = 0  # slot of the trait: share of the limit that a report stays below (buyer) or above (seller) it; negative: the other way
WITHHELD: Final = 1  # slot of the trait: share of the quantity that never comes to the market; read by who makes the orders


@kernel(internal=True)
def quote_report(trait: Any, view: Any, side: Any, limit_ticks: Any) -> Any:
    """The limit as reported, inside the band. With a negative shade it may lie beyond the limit."""
    low, high = lowest(view), highest(view)
    if low > high:
        return NO_QUOTE
    shade = trait.p[SHADE] * abs(limit_ticks)
    reported = limit_ticks - shade if side == BUY else limit_ticks + shade
    return min(max(to_ticks(reported, side, view.tick_step), low), high)
