"""The three kernels of interface.py: to each agent the rule of its population. A kind that learns nothing has no line in two of them."""

from typing import Any, Final

from clients.laboratory.agents import aggressive, gdx, market_maker
from clients.laboratory.agents import zip as zero_intelligence_plus
from clients.laboratory.agents.interface import NO_QUOTE, Population
from clients.laboratory.agents.price_taker import quote_going_price
from clients.laboratory.agents.strategic import quote_report
from clients.laboratory.agents.truthful import quote_limit
from clients.laboratory.agents.zero_intelligence import quote_constrained, quote_unconstrained
from matching.compile import kernel

ZI_U: Final = int(Population.ZI_U)
ZI_C: Final = int(Population.ZI_C)
ZIP: Final = int(Population.ZIP)
GDX: Final = int(Population.GDX)
AGGRESSIVE: Final = int(Population.AGGRESSIVE)
MARKET_MAKER: Final = int(Population.MARKET_MAKER)
PRICE_TAKER: Final = int(Population.PRICE_TAKER)
TRUTHFUL: Final = int(Population.TRUTHFUL)
STRATEGIC: Final = int(Population.STRATEGIC)


@kernel
def begin_market(trait: Any, memory: Any, side: Any, limit_ticks: Any, bits: Any) -> None:  # noqa: ARG001 - the interface's signature
    """Make a memory ready for a market of a new day. Modifies `memory` in place."""
    if trait.kind == ZIP:
        zero_intelligence_plus.begin(trait, memory, limit_ticks)
    elif trait.kind == AGGRESSIVE:
        aggressive.begin(trait, memory, limit_ticks)
    elif trait.kind == GDX:
        gdx.begin(memory)
    memory.is_begun = 1
    memory.side = side


@kernel
def quote_price(trait: Any, memory: Any, view: Any, history: Any, n_shouts: Any, side: Any, limit_ticks: Any, bits: Any) -> Any:
    """The price to quote in ticks, or NO_QUOTE. Modifies `memory` in place where a population remembers what it quoted."""
    kind = trait.kind
    if kind == ZI_C:
        return quote_constrained(view, side, limit_ticks, bits)
    if kind == ZIP:
        return zero_intelligence_plus.quote(memory, view, side, limit_ticks)
    if kind == AGGRESSIVE:
        return aggressive.quote(trait, memory, view, side, limit_ticks)
    if kind == GDX:
        return gdx.quote(trait, memory, view, history, n_shouts, side, limit_ticks)
    if kind == MARKET_MAKER:
        return market_maker.quote(trait, view, side, limit_ticks)
    if kind == TRUTHFUL:
        return quote_limit(view, side, limit_ticks)
    if kind == PRICE_TAKER:
        return quote_going_price(trait, view, side, limit_ticks)
    if kind == STRATEGIC:
        return quote_report(trait, view, side, limit_ticks)
    if kind == ZI_U:
        return quote_unconstrained(view, bits)
    return NO_QUOTE


@kernel
def hear_shout(trait: Any, memory: Any, shout: Any, side: Any, limit_ticks: Any, bits: Any) -> None:
    """Learn from what was said. `limit_ticks` is NO_QUOTE where the agent has nothing left to trade. Modifies `memory` in place."""
    if trait.kind == ZIP:
        zero_intelligence_plus.hear(trait, memory, shout, side, limit_ticks, bits)
    elif trait.kind == AGGRESSIVE:
        aggressive.hear(trait, memory, shout, side, limit_ticks)
