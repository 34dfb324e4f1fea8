"""Adaptive-aggressive (AA): how much profit is given up for a better chance of a trade is learnt in the short run, how steeply in the long run.

Paper: P. Vytelingum, D. Cliff and N. R. Jennings, "Strategic bidding in continuous double auctions", Artificial Intelligence 172 (2008), section 4:
equilibrium estimate from the last trades, target price by aggressiveness r in [-1, 1] and curvature theta, rules of learning r from shouts and theta
from Smith's alpha, bidding layer with eta. Written once for both sides: the *far end* is where profit is greatest, the bottom of the band for a buyer
(the paper's 0) and its top for a seller (the paper's MAX). For intramarginal traders with r < 0 theta is replaced so that the target has one slope at
r = 0.

Design: where no quotes are seen a trader moves on from its own last quote of the day, so that sealed rounds approach the target as rounds in the
open do. What was heard is compared with the target in whole steps, as it would be quoted, and never counts as less (more) than the own aggressiveness
where this has to grow (shrink), which rounding to ticks could make it. A quote that improves by less than a step improves by one; who can no longer
improve on the best quote without passing its target quotes the target.
"""

import math
from typing import Any, Final

from clients.laboratory.agents.arithmetic import exponential, exponential_less_one, logarithm_of_one_plus
from clients.laboratory.agents.grid import BUY, highest, is_acceptable, lowest, opposite, quote_within, to_ticks
from clients.laboratory.agents.interface import NO_QUOTE
from matching.compile import kernel

# Slots of the trait.
SHORT_RATE: Final = 0  # beta 1
LONG_RATE: Final = 1  # beta 2
RELATIVE: Final = 2  # lambda r
ABSOLUTE: Final = 3  # lambda a
SHARPNESS: Final = 4  # gamma
PACE: Final = 5  # eta
THETA_MIN: Final = 6
THETA_MAX: Final = 7
FIRST_R: Final = 8
FIRST_THETA: Final = 9
WEIGHT: Final = 10  # rho: weight of a trade against that of the next

# Slots of the memory: `n`, then `x`.
N_TRADES: Final = 0
LIMIT: Final = 1
LAST_QUOTE: Final = 2
STEP: Final = 3
R: Final = 0
THETA: Final = 1
ESTIMATE: Final = 2
ALPHA_LOW: Final = 3
ALPHA_HIGH: Final = 4
TRADES: Final = 5
TRADES_KEPT: Final = 5
BOTTOM: Final = 10
TOP: Final = 11

_NEWTON_STEPS: Final = 40
_TINY: Final = 1e-9
_FLAT: Final = 1e-5  # below, the curve of slopes is its tangent
_ENOUGH: Final = 1e-6


@kernel(internal=True)
def begin(trait: Any, memory: Any, limit_ticks: Any) -> None:
    """First aggressiveness and curvature; no quote today so far. Modifies `memory` in place."""
    if memory.is_begun == 0:
        memory.x[R], memory.x[THETA] = trait.p[FIRST_R], trait.p[FIRST_THETA]
    memory.n[LIMIT], memory.n[LAST_QUOTE] = limit_ticks, -1


@kernel(internal=True)
def _bent(share: Any, theta: Any) -> Any:
    """(e**(share theta) - 1) / (e**theta - 1): from 0 to 1 with `share`."""
    return share if abs(theta) < _TINY else exponential_less_one(share * theta) / exponential_less_one(theta)


@kernel(internal=True)
def _unbent(value: Any, theta: Any) -> Any:
    """The share of which `_bent` makes this value in [0, 1]."""
    return value if abs(theta) < _TINY else min(logarithm_of_one_plus(value * exponential_less_one(theta)) / theta, 1.0)


@kernel(internal=True)
def _steepness(theta: Any) -> Any:
    """Slope of `_bent` at 0."""
    return 1.0 - 0.5 * theta if abs(theta) < _TINY else theta / exponential_less_one(theta)


@kernel(internal=True)
def theta_of_steepness(steepness: Any) -> Any:
    """The theta of this slope. Newton's steps on a convex falling function, begun on its left, never pass the root."""
    wanted = max(steepness, 1e-6)
    theta = -wanted if wanted > 1.0 else 0.0
    for _ in range(_NEWTON_STEPS):
        grown = exponential_less_one(theta)
        is_flat = abs(theta) < _FLAT
        slope = -0.5 if is_flat else (grown - theta * (grown + 1.0)) / (grown * grown)
        step = (wanted - (1.0 - 0.5 * theta if is_flat else theta / grown)) / slope
        theta += step
        if step < _ENOUGH:
            break
    return theta


@kernel(internal=True)
def _base(memory: Any, side: Any, limit: Any) -> Any:
    """Target at r = 0: the estimate, or for an extramarginal trader its limit."""
    estimate = memory.x[ESTIMATE]
    return estimate if is_acceptable(side, estimate, limit) else float(limit)


@kernel(internal=True)
def theta_towards_profit(memory: Any, side: Any, limit: Any) -> Any:
    """Curvature for r < 0."""
    base, estimate = _base(memory, side, limit), memory.x[ESTIMATE]
    far = memory.x[BOTTOM] if side == BUY else memory.x[TOP]
    if base != estimate or abs(far - estimate) < _TINY:
        return memory.x[THETA]
    return theta_of_steepness(abs(limit - estimate) / abs(far - estimate) * _steepness(memory.x[THETA]))


@kernel(internal=True)
def target_price(memory: Any, side: Any, limit: Any, towards_profit: Any) -> Any:
    """The price aimed at, a double: the far end at r = -1, the limit at r = 1."""
    r, base = memory.x[R], _base(memory, side, limit)
    if r >= 0.0:
        return base + (limit - base) * _bent(r, memory.x[THETA])
    far = memory.x[BOTTOM] if side == BUY else memory.x[TOP]
    return base + (far - base) * _bent(-r, towards_profit)


@kernel(internal=True)
def aggressiveness_of(memory: Any, side: Any, limit: Any, price: Any, towards_profit: Any) -> Any:
    """The r whose target is this price; -1 and 1 where there is none."""
    base = _base(memory, side, limit)
    far = memory.x[BOTTOM] if side == BUY else memory.x[TOP]
    is_dearer = price > base if side == BUY else price < base
    end = float(limit) if is_dearer else far
    if abs(end - base) < _TINY:
        return 0.0
    value = min(max((price - base) / (end - base), 0.0), 1.0)
    return _unbent(value, memory.x[THETA]) if is_dearer else -_unbent(value, towards_profit)


@kernel(internal=True)
def _learn_trade(trait: Any, memory: Any, price: Any) -> None:
    """Estimate of the equilibrium, Smith's alpha around it, curvature. Modifies `memory` in place."""
    memory.x[TRADES + memory.n[N_TRADES] % TRADES_KEPT] = price
    memory.n[N_TRADES] += 1
    count = min(memory.n[N_TRADES], TRADES_KEPT)
    weights, total, weight = 0.0, 0.0, 1.0
    for back in range(count):
        total += weight * memory.x[TRADES + (memory.n[N_TRADES] - 1 - back) % TRADES_KEPT]
        weights += weight
        weight *= trait.p[WEIGHT]
    estimate, squares = total / weights, 0.0
    for index in range(count):
        squares += (memory.x[TRADES + index] - estimate) * (memory.x[TRADES + index] - estimate)
    memory.x[ESTIMATE] = estimate
    alpha = math.sqrt(squares / count) / max(abs(estimate), 1.0)
    first = memory.n[N_TRADES] == 1
    memory.x[ALPHA_LOW] = alpha if first else min(alpha, memory.x[ALPHA_LOW])
    memory.x[ALPHA_HIGH] = alpha if first else max(alpha, memory.x[ALPHA_HIGH])
    width = memory.x[ALPHA_HIGH] - memory.x[ALPHA_LOW]
    if width > 0.0:
        relative = (alpha - memory.x[ALPHA_LOW]) / width
        low, high = trait.p[THETA_MIN], trait.p[THETA_MAX]
        wanted = (high - low) * (1.0 - relative * exponential(trait.p[SHARPNESS] * (relative - 1.0))) + low
        memory.x[THETA] += trait.p[LONG_RATE] * (wanted - memory.x[THETA])


@kernel(internal=True)
def hear(trait: Any, memory: Any, shout: Any, side: Any, limit_ticks: Any) -> None:
    """Learn from a trade, or from a quote of the own side that is as good as the target. Modifies `memory` in place."""
    price = float(shout.price_ticks)
    if shout.traded != 0:
        _learn_trade(trait, memory, price)
    elif shout.side != side:
        return
    if memory.n[N_TRADES] == 0 or memory.x[TOP] <= memory.x[BOTTOM]:
        return
    limit = memory.n[LIMIT] if limit_ticks == NO_QUOTE else limit_ticks
    towards_profit = theta_towards_profit(memory, side, limit)
    target = to_ticks(target_price(memory, side, limit, towards_profit), side, memory.n[STEP])
    needs_more = target < price if side == BUY else target > price
    if shout.traded == 0 and not (needs_more or target == price):
        return
    is_up = needs_more or shout.traded == 0
    heard, own = aggressiveness_of(memory, side, limit, price, towards_profit), memory.x[R]
    heard = max(heard, own) if is_up else min(heard, own)
    beside = trait.p[RELATIVE] * abs(heard) + trait.p[ABSOLUTE]
    wanted = heard + beside if is_up else heard - beside
    memory.x[R] = min(max(own + trait.p[SHORT_RATE] * (wanted - own), -1.0), 1.0)


@kernel(internal=True)
def quote(trait: Any, memory: Any, view: Any, side: Any, limit_ticks: Any) -> Any:
    """The bidding layer: take the best quote of the other side if it meets the target, else move towards it. Modifies `memory` in place."""
    memory.n[LIMIT], memory.n[STEP] = limit_ticks, view.tick_step
    memory.x[BOTTOM], memory.x[TOP] = float(lowest(view)), float(highest(view))
    best, own = opposite(view, side), view.bid_ticks if side == BUY else view.ask_ticks
    sign = 1 if side == BUY else -1
    last = memory.n[LAST_QUOTE]
    start = own if own >= 0 else last
    far, near = (memory.x[BOTTOM], memory.x[TOP]) if side == BUY else (memory.x[TOP], memory.x[BOTTOM])
    begin_at = float(start) if start >= 0 else far
    offered = float(best) if best >= 0 else near
    if memory.n[N_TRADES] == 0:
        beyond = offered + sign * (trait.p[RELATIVE] * abs(offered) + trait.p[ABSOLUTE])
        target = beyond if is_acceptable(side, beyond, limit_ticks) else float(limit_ticks)
    else:
        target = target_price(memory, side, limit_ticks, theta_towards_profit(memory, side, limit_ticks))
        if best >= 0 and is_acceptable(side, offered, target):
            return _keep(memory, quote_within(view, side, limit_ticks, offered))
    room = sign * (target - begin_at)
    if room < view.tick_step:
        return _keep(memory, quote_within(view, side, limit_ticks, target))
    # A book with few rounds would close before the target is reached: the last quote is the target.
    pace = min(trait.p[PACE], float(max(view.rounds_left, 1)))
    return _keep(memory, quote_within(view, side, limit_ticks, begin_at + sign * max(room / pace, float(view.tick_step))))


@kernel(internal=True)
def _keep(memory: Any, price: Any) -> Any:
    """Remember a quote and return it. Modifies `memory` in place."""
    if price != NO_QUOTE:
        memory.n[LAST_QUOTE] = price
    return price
