"""Zero intelligence plus (ZIP): a profit margin that is moved towards what the market has just said.

Paper: D. Cliff, "Minimal-intelligence agents for bargaining behaviors in market-based environments", HP Laboratories report HPL-97-91 (1997),
sections 4.2 and 4.3: which shouts raise and which lower a margin, the target R q + A, the Widrow-Hoff rule with momentum. A margin is a share of the
limit; it makes no loss. A trader without anything left to trade raises its margin but does not lower it.

Design: what was heard is compared with the price as it would be quoted, in whole steps. Compared with the price before rounding no trader would ever
hear its own quote as one that it has to undercut.
"""

from typing import Any, Final

from clients.laboratory.agents.grid import BUY, quote_within, to_ticks
from clients.laboratory.agents.interface import NO_QUOTE
from clients.laboratory.draws import more, unit
from matching.compile import kernel

# Slots of the trait.
LEARNING_RATE: Final = 0  # beta
MOMENTUM: Final = 1  # gamma
FIRST_MARGIN: Final = 2  # of a market that was never traded in
RELATIVE: Final = 3  # R is drawn from [1, 1 + this] or [1 - this, 1]
ABSOLUTE: Final = 4  # A is drawn from [0, this] or [-this, 0], ticks

# Slots of the memory: `n` and `x`.
LIMIT: Final = 0
STEP: Final = 1
MARGIN: Final = 0
CHANGE: Final = 1


@kernel(internal=True)
def _scale(limit_ticks: Any) -> Any:
    """What a margin is a share of; a limit of zero or less has no shares, there it is the amount."""
    return float(max(abs(limit_ticks), 1))


@kernel(internal=True)
def _price(memory: Any, side: Any) -> Any:
    """The price that the margin asks for, a double."""
    limit = memory.n[LIMIT]
    profit = memory.x[MARGIN] * _scale(limit)
    return limit - profit if side == BUY else limit + profit


@kernel(internal=True)
def begin(trait: Any, memory: Any, limit_ticks: Any) -> None:
    """A first margin; on later days the margin stays and refers to the new limit. Modifies `memory` in place."""
    if memory.is_begun == 0:
        memory.x[MARGIN] = trait.p[FIRST_MARGIN]
    memory.n[LIMIT] = limit_ticks


@kernel(internal=True)
def quote(memory: Any, view: Any, side: Any, limit_ticks: Any) -> Any:
    """The limit with the margin. Modifies `memory` in place."""
    memory.n[LIMIT], memory.n[STEP] = limit_ticks, view.tick_step
    return quote_within(view, side, limit_ticks, _price(memory, side))


@kernel(internal=True)
def _move(trait: Any, memory: Any, side: Any, heard: Any, is_up: Any, bits: Any) -> None:
    """One step of the price towards a target a little above or below what was heard (Cliff's equations 12 to 18)."""
    relative, absolute = trait.p[RELATIVE] * unit(more(bits, 0)), trait.p[ABSOLUTE] * unit(more(bits, 1))
    target = heard * (1.0 + relative) + absolute if is_up else heard * (1.0 - relative) - absolute
    price = _price(memory, side)
    momentum = trait.p[MOMENTUM]
    memory.x[CHANGE] = momentum * memory.x[CHANGE] + (1.0 - momentum) * trait.p[LEARNING_RATE] * (target - price)
    limit = memory.n[LIMIT]
    moved = price + memory.x[CHANGE]
    margin = max((limit - moved if side == BUY else moved - limit) / _scale(limit), 0.0)
    memory.x[MARGIN] = min(margin, 1.0) if side == BUY else margin


@kernel(internal=True)
def hear(trait: Any, memory: Any, shout: Any, side: Any, limit_ticks: Any, bits: Any) -> None:
    """Cliff's table of when to raise and when to lower a margin. Modifies `memory` in place."""
    heard, price = float(shout.price_ticks), to_ticks(_price(memory, side), side, max(memory.n[STEP], 1))
    is_active = limit_ticks != NO_QUOTE
    is_own_side = shout.side == side
    if shout.traded != 0 and (price >= heard if side == BUY else price <= heard):
        _move(trait, memory, side, heard, side != BUY, bits)
        return
    concedes = is_active and (is_own_side if shout.traded == 0 else not is_own_side)
    if concedes and (price <= heard if side == BUY else price >= heard):
        _move(trait, memory, side, heard, side == BUY, bits)
