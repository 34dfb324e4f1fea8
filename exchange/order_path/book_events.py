"""Step 7, compiled: what the books report of themselves, not of an order. Modifies PathState in place."""

from typing import Any

import numpy as np

from exchange.market.phases import Phase
from exchange.order_path.deadlines import add_deadline
from exchange.order_path.state import DeadlineKind
from matching.compile import kernel
from matching.records import EventKind, Reason


@kernel(internal=True)
def post_book_event(state: Any, slot: int, event: Any) -> None:
    """An auction sets the reference price of its instrument; an interruption its phase and the deadline of its end, for which there is room.

    Any other change of a book's phase follows one of its instrument and says nothing new.
    """
    instrument = state.instruments[slot]
    if event.kind == EventKind.UNCROSSED:
        if event.quantity_lots > 0 or event.remaining_lots > 0:
            instrument.auction_ticks = event.price_ticks
    elif event.reason == Reason.VOLATILITY:
        counters = state.counters[0]
        end_ns = counters.stamp_ns + instrument.interruption_ns
        if instrument.continuous_end_ns > 0:
            end_ns = min(end_ns, np.int64(instrument.continuous_end_ns))
        instrument.phase = Phase.INTERRUPTED
        instrument.phase_end_ns = end_ns
        add_deadline(state, end_ns, DeadlineKind.CALL_END, instrument.id)
        counters.interrupted = 1
