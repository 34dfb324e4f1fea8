"""The quarter-hours behind a power instrument, compiled: a quarter-hour is its own, a block has those that it covers."""

from typing import Any

import numpy as np

from matching.compile import kernel
from matching.records import Side


@kernel(inline=True)
def period_slot(state: Any, slot: int, i: int) -> int:
    """Instrument slot of the i-th quarter-hour (below INSTRUMENT.periods) of the power instrument in `slot`."""
    instrument = state.instruments[slot]
    if instrument.periods > 1:
        return np.int64(state.covered[instrument.first_period + i])
    return slot


@kernel(internal=True)
def add_open_lots(state: Any, slot: int, account: int, side: int, quantity_lots: int) -> None:
    """Count open lots (negative: no longer open) in every quarter-hour of a power instrument. Modifies the positions in place."""
    for i in range(state.instruments[slot].periods):
        position = state.positions[period_slot(state, slot, i), account]
        if side == Side.BUY:
            position.open_buy_lots += quantity_lots
        else:
            position.open_sell_lots += quantity_lots


@kernel(internal=True)
def fill_on_paper(state: Any, slot: int, account: int, side: int, quantity_lots: int) -> None:
    """Turn open lots into net lots in every quarter-hour, to look at what would be; with a negative quantity the exact way back."""
    add_open_lots(state, slot, account, side, -quantity_lots)
    for i in range(state.instruments[slot].periods):
        position = state.positions[period_slot(state, slot, i), account]
        position.net_lots += quantity_lots if side == Side.BUY else -quantity_lots
