"""What a population is to the market: three kernels over records, called for every agent and every event of a book.

A population decides prices. How much a participant wants, and to which limit, is decided before (`laboratory.planning`); orders, fills and books are
the market's affair (`laboratory.market`). A *market* here is one book: a quarter-hour of a park, or the one good of an induced-value experiment.

    begin_market(trait, memory, side, limit_ticks, bits)                       once a trading day and market, before the first quote
    quote_price(trait, memory, view, history, n_shouts, side, limit_ticks, bits) -> price_ticks, or NO_QUOTE
    hear_shout(trait, memory, shout, side, limit_ticks, bits)                   for every shout and trade of the market, in their sequence;
                                                                                limit NO_QUOTE: the agent has nothing left to trade

`bits` are 64 raw bits of the counter-based stream of (seed, agent, purpose, market, round); more come from `draws.more`. Kernels use +, -, *, / and
square roots of IEEE doubles only, never functions of libm, so that prices are the same on every machine; the price itself is a whole number of ticks.
"""

from enum import IntEnum
from typing import Final

import numpy as np

NO_QUOTE: Final = -(2**31)

NOT_COMPILED: Final = 0  # kind of an agent whose prices come from elsewhere: a user's class, or no power market at all


class Population(IntEnum):
    """Kinds of price formation that are compiled. Numbers are written into records, never reused."""

    ZI_U = 1
    ZI_C = 2
    ZIP = 3
    GDX = 4
    AGGRESSIVE = 5
    MARKET_MAKER = 6
    PRICE_TAKER = 7
    TRUTHFUL = 8
    STRATEGIC = 9


# What an agent is born with (learning rates, aggressiveness, parameters of the scenario) and keeps over all markets.
TRAIT: Final = np.dtype([("kind", "i8"), ("p", "f8", (12,))])

# What an agent knows of one market. Kept from day to day for the same quarter-hour, so that learners learn.
MEMORY: Final = np.dtype([("is_begun", "i8"), ("side", "i8"), ("n", "i8", (4,)), ("x", "f8", (12,))])

# What everybody may see of a market, after the rule of transparency: -1 where there is nothing or it is hidden. `time_left` falls from 1 at the first
# round to 0 at the last; `rounds_left` counts this one. `low_ticks`, `high_ticks`: price band. `anchor_*`: what the grid pays and charges.
VIEW: Final = np.dtype(
    [
        ("bid_ticks", "i8"), ("ask_ticks", "i8"), ("last_ticks", "i8"), ("n_trades", "i8"), ("low_ticks", "i8"), ("high_ticks", "i8"),
        ("anchor_low_ticks", "i8"), ("anchor_high_ticks", "i8"), ("rounds_left", "i8"), ("tick_step", "i8"), ("position_lots", "i8"),
        ("time_left", "f8"),
    ]
)  # fmt: skip

# One thing that was said in a market: an order that rested (`traded` 0), or one that traded (1) at `price_ticks`; `side` is who spoke (the taker).
# `bid_ticks`, `ask_ticks`: best quotes after it, -1 where there is none.
SHOUT: Final = np.dtype(
    [("price_ticks", "i8"), ("side", "i8"), ("traded", "i8"), ("quantity_lots", "i8"), ("bid_ticks", "i8"), ("ask_ticks", "i8")]
)

# The last SHOUTS_KEPT shouts of a market as a ring: `history` has shape (SHOUTS_KEPT,) and the market counts how many there were in all.
SHOUTS_KEPT: Final = 128
