"""The books of one day as the kernels of a round see them: one block of arrays beside the state of the exchange.

Rows of agents are rows of the scenario. An agent has at most one working order on each side of a book, so what is open on a side is its position's
open lots, and the exchange is asked for that instead of being remembered.
"""

from typing import Any, Final

import numpy as np

from clients.laboratory.agents.interface import SHOUT, SHOUTS_KEPT, VIEW
from matching.state_block import StateBlock

# A working order. `order_id` 0: none. `revision` is what an amend of it has to name.
WORKING: Final = np.dtype([("order_id", "i8"), ("price_ticks", "i8"), ("revision", "i8")])

# Rules of a round that kernels read. `shows_quotes`, `shows_trades`: transparency. `is_sealed`: orders go to a one-shot mechanism. `learns`: somebody
# keeps a memory.
RULES: Final = np.dtype(
    [
        ("seed", "u8"), ("low_ticks", "i8"), ("high_ticks", "i8"), ("max_order_lots", "i8"), ("tick_step", "i8"), ("lot_step", "i8"),
        ("self_trade", "i8"), ("shows_quotes", "i8"), ("shows_trades", "i8"), ("is_sealed", "i8"), ("n_rounds", "i8"), ("learns", "i8"),
    ]
)  # fmt: skip

# Where a command, or a sealed order, comes from.
ORIGIN: Final = np.dtype([("agent", "i4"), ("period", "i4"), ("side", "i4"), ("round", "i4")])


class MarketTable(StateBlock):
    """n agents, T quarter-hours. Rows 2 * agent + side where there is one for each side."""

    rules: Any  # RULES[1]
    accounts: Any  # int64[n]
    traits: Any  # TRAIT[n]
    memory: Any  # MEMORY[2 n, quarter-hours of the clock]
    clock: Any  # int64[T], quarter-hour of the clock: learners keep what they know of it from day to day
    number: Any  # int64[T], quarter-hours since the epoch: the period of a draw
    instruments: Any  # int64[T], ids
    slots: Any  # int64[T], of the open instruments
    views: Any  # VIEW[T]
    history: Any  # SHOUT[quarter-hours of the clock, SHOUTS_KEPT]
    n_shouts: Any  # int64[quarter-hours of the clock]
    working: Any  # WORKING[2 n, T]
    limits: Any  # int64[2 n, T], ticks: the most a buyer pays, the least a seller takes
    wanted: Any  # int64[2 n, T], the whole position wanted at the last round, held or not
    lacking: Any  # int64[2 n, T], lots asked for beyond what was held, at the last round; 0: nothing left to trade
    quote_lots: Any  # int64[n], lots on each side for who quotes both; 0: quotes towards its target
    net_limits: Any  # int64[n, 2], net lots of a quarter-hour: the least and the most
    reported: Any  # int64[n, T], the limit that an agent last acted on, -1: none
    forced: Any  # int64[2 n, T], prices that come from outside of the kernels, NO_QUOTE: none
    sequence: Any  # int64[n], scratch: who acts when


def records(shape: int | tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    """Zeroed records that have attributes also without the JIT."""
    return np.zeros(shape, dtype).view(np.recarray)


def new_history(quarters: int) -> tuple[Any, Any]:
    """(history, n_shouts) of a fresh market."""
    return records((quarters, SHOUTS_KEPT), SHOUT), np.zeros(quarters, np.int64)


def new_views(periods: int) -> Any:
    """Views of the books of a day."""
    return records(periods, VIEW)
