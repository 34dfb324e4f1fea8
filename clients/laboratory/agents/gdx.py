"""GDX: the quote of greatest expected profit over all rounds that are left, with beliefs counted from the shouts of the market.

Papers: S. Gjerstad and J. Dickhaut, "Price formation in double auctions", Games and Economic Behavior 22 (1998), section 3: a buyer's belief that a
bid b is accepted is (T + A) / (T + A + R) with T trades and A offers at b or below and R rejected bids at b or above; a seller's is its mirror image.
G. Tesauro and J. L. Bredin, "Strategic sequential bidding in auctions using dynamic programming", AAMAS 2002: V(n) = max over p of
f(p) (profit(p)) + (1 - f(p)) gamma V(n - 1), V(0) = 0, solved anew at each quote.

Design: quantities are divisible here, so V is that of one lot. Instead of the fixed ends and the cubic between them, one shout's weight of a belief
that rises evenly from what the grid pays to what it charges. A best quote that is the trader's own need not be improved on. Between two prices that
were heard profit falls while the belief hardly moves, so the maximum is searched at those prices, one step beside them, at the quotes and on an even
grid.
"""

from typing import Any, Final

from clients.laboratory.agents.grid import BUY, opposite, profitable_high, profitable_low
from clients.laboratory.agents.interface import NO_QUOTE, SHOUTS_KEPT
from clients.laboratory.agents.stack import DOUBLES, doubles
from matching.compile import kernel

# Slots of the trait.
DISCOUNT: Final = 0  # gamma
WINDOW: Final = 1  # shouts that count

# Slot of the memory, `n`.
LAST_QUOTE: Final = 0  # of the day, ticks; -1: none

_EVEN: Final = 8
_COLUMNS: Final = 3  # belief, profit, price of a candidate
_CANDIDATES: Final = DOUBLES // _COLUMNS
_ROUNDS_MAX: Final = 200
assert 2 * SHOUTS_KEPT + _EVEN + 4 <= _CANDIDATES


@kernel(internal=True)
def begin(memory: Any) -> None:
    """Nothing quoted today. Modifies `memory` in place."""
    memory.n[LAST_QUOTE] = -1


@kernel(internal=True)
def prior_of(view: Any, side: Any, price: Any) -> Any:
    """Chance of a price before anything is heard."""
    width = max(view.anchor_high_ticks - view.anchor_low_ticks, 1)
    share = min(max((price - view.anchor_low_ticks) / width, 0.0), 1.0)
    return share if side == BUY else 1.0 - share


@kernel(internal=True)
def belief(view: Any, history: Any, n_shouts: Any, window: Any, side: Any, price: Any, last_quote: Any) -> Any:
    """Chance that a quote at this price trades, a double in [0, 1]. `last_quote`: a best quote at this price is the trader's own."""
    best, own = opposite(view, side), view.bid_ticks if side == BUY else view.ask_ticks
    sign = 1 if side == BUY else -1
    if best >= 0 and sign * (price - best) >= 0:
        return 1.0
    if own >= 0 and sign * (price - own) <= 0 and not own == price == last_quote:
        return 0.0
    hopeful, rejected = 0.0, 0.0
    for back in range(window):
        shout = history[(n_shouts - 1 - back) % SHOUTS_KEPT]
        distance = sign * (price - shout.price_ticks)
        if shout.traded != 0:
            if distance >= 0:
                hopeful += 1.0 if shout.side == side else 2.0  # a trade; said by the other side it is an offer, too
            left = shout.bid_ticks if side == BUY else shout.ask_ticks
            if distance <= 0 and shout.side != side and left != shout.price_ticks:
                rejected -= 1.0  # it took all of a quote that was counted as one that rests
        elif shout.side == side:
            if distance <= 0:
                rejected += 1.0
        elif distance >= 0:
            hopeful += 1.0
    return (hopeful + prior_of(view, side, price)) / (hopeful + max(rejected, 0.0) + 1.0)


@kernel(internal=True)
def best_candidate(table: Any, count: Any, discount: Any, rounds: Any) -> Any:
    """Row of the best quote with so many rounds left: the last step of the dynamic program. -1 where none has a chance of profit."""
    value, row = 0.0, -1
    for _ in range(min(max(rounds, 1), _ROUNDS_MAX)):
        later = discount * value
        found, row = 0.0, -1
        for index in range(count):
            chance, profit = table[index * _COLUMNS], table[index * _COLUMNS + 1]
            expected = chance * profit + (1.0 - chance) * later
            if chance > 0.0 and expected > found:
                found, row = expected, index
        if found <= value:
            break
        value = found
    return row


@kernel(internal=True)
def _candidate(view: Any, history: Any, n_shouts: Any, window: Any, side: Any, low: Any, high: Any, number: Any) -> Any:
    """The price to try as number so and so, a multiple of the step; it may lie outside of `low` to `high`."""
    better = view.tick_step if side == BUY else -view.tick_step
    if number < 2 * window:
        price = history[(n_shouts - 1 - number // 2) % SHOUTS_KEPT].price_ticks + (number % 2) * better
    elif number <= 2 * window + _EVEN:
        price = low + (high - low) * (number - 2 * window) // _EVEN
    elif number == 2 * window + _EVEN + 1:
        price = opposite(view, side)
    else:
        price = (view.bid_ticks if side == BUY else view.ask_ticks) + (number - 2 * window - _EVEN - 2) * better
    return price // view.tick_step * view.tick_step


@kernel(internal=True)
def quote(trait: Any, memory: Any, view: Any, history: Any, n_shouts: Any, side: Any, limit_ticks: Any) -> Any:
    """The quote of greatest expected profit; the limit where no better one has a chance. Modifies `memory` in place."""
    low, high = profitable_low(view, side, limit_ticks), profitable_high(view, side, limit_ticks)
    if low > high:
        return NO_QUOTE
    window = min(n_shouts, SHOUTS_KEPT, int(trait.p[WINDOW]))
    table, count = doubles(), 0
    for number in range(2 * window + _EVEN + 4):
        price = _candidate(view, history, n_shouts, window, side, low, high, number)
        if low <= price <= high:
            table[count * _COLUMNS] = belief(view, history, n_shouts, window, side, price, memory.n[LAST_QUOTE])
            table[count * _COLUMNS + 1] = float(limit_ticks - price if side == BUY else price - limit_ticks)
            table[count * _COLUMNS + 2] = float(price)
            count += 1
    row = best_candidate(table, count, trait.p[DISCOUNT], view.rounds_left)
    price = int(table[row * _COLUMNS + 2]) if row >= 0 else high if side == BUY else low
    memory.n[LAST_QUOTE] = price
    return price
