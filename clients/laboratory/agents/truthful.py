"""Truthful: the limit itself, the dominant strategy of every strategy-proof mechanism.

Source: W. Vickrey, "Counterspeculation, auctions, and competitive sealed tenders", Journal of Finance 16 (1961).
"""

from typing import Any

from clients.laboratory.agents.grid import quote_within
from matching.compile import kernel


@kernel(internal=True)
def quote_limit(view: Any, side: Any, limit_ticks: Any) -> Any:
    """The limit, rounded to the step so that nothing is lost."""
    return quote_within(view, side, limit_ticks, float(limit_ticks))
