"""Bars of trades folded from events: open, high, low, close, volume, turnover and number of trades of a book in an interval.

The core has no clock: the caller says which interval a piece of its events belongs to, and folds piece by piece. One record a book holds
the bar under way, so memory does not grow with time; whoever wants the bars of an interval reads them before the next one begins. A caller
that never changes the interval gets the session's bar, whose close is the last price.
"""

from fractions import Fraction
from typing import Final

import numpy as np
from numba.core import config

from matching.compile import kernel
from matching.records import EVENT, EventKind

# `turnover` is the exact sum of price times quantity in ticks x lots. `trades` is 0 in a record that has seen none; the rest is 0 then.
BAR: Final = np.dtype(
    [
        ("interval", "i8"),
        ("volume_lots", "i8"),
        ("turnover", "i8"),
        ("trades", "i8"),
        ("open_ticks", "i4"),
        ("high_ticks", "i4"),
        ("low_ticks", "i4"),
        ("close_ticks", "i4"),
    ],
    align=True,
)
assert BAR.itemsize == 48, BAR.itemsize

SUM_MAX: Final = 2**63 - 1


@kernel
def fold_trades(events, n_events, bars, interval):
    """Fold the FILLED among `events[:n_events]` (EVENT) into `bars` (BAR, by book): the bars of `interval`, begun anew where another one stood.

    Modifies `bars` in place. Returns the index of the first event that it did not fold: `n_events`, or that of a trade whose book has no
    record or whose volume or turnover would not fit int64 any more.
    """
    for i in range(n_events):
        event = events[i]
        if event.kind != EventKind.FILLED:
            continue
        book = np.int64(event.book)
        if book < 0 or book >= bars.shape[0]:
            return np.int64(i)
        bar = bars[book]
        price = np.int64(event.price_ticks)
        lots = np.int64(event.quantity_lots)
        turnover = price * lots
        if bar.trades == 0 or bar.interval != interval:
            bar.interval = interval
            bar.volume_lots = 0
            bar.turnover = 0
            bar.trades = 0
            bar.open_ticks = price
            bar.high_ticks = price
            bar.low_ticks = price
        elif (
            bar.volume_lots > SUM_MAX - lots
            or (turnover > 0 and bar.turnover > SUM_MAX - turnover)
            or (turnover < 0 and bar.turnover < -SUM_MAX - turnover)
        ):
            return np.int64(i)
        bar.volume_lots += lots
        bar.turnover += turnover
        bar.trades += 1
        bar.high_ticks = max(np.int64(bar.high_ticks), price)
        bar.low_ticks = min(np.int64(bar.low_ticks), price)
        bar.close_ticks = price
    return np.int64(n_events)


def fold_events(events: np.ndarray, bars: np.ndarray, interval: int) -> None:
    """`fold_trades` over whole arrays, with its refusals as exceptions. Modifies `bars` in place.

    Raises ValueError for other dtypes and for a trade of a book without a record, OverflowError where a volume or turnover does not fit int64; the
    trades before it are folded then.
    """
    if events.dtype != EVENT or bars.dtype != BAR:
        raise ValueError("events have the dtype EVENT and bars the dtype BAR")
    events, bars = (array.view(np.recarray) if config.DISABLE_JIT else array for array in (events, bars))
    folded = int(fold_trades(events, len(events), bars, interval))
    if folded < len(events):
        book = int(events["book"][folded])
        if not 0 <= book < len(bars):
            raise ValueError(f"event {folded} is of book {book}, and there are {len(bars)} bars")
        raise OverflowError(f"the volume or turnover of book {book} in interval {interval} does not fit 64 bits")


def vwap_ticks(bar: np.void) -> Fraction | None:
    """Volume-weighted average price of a bar in ticks, exact; None for one without trades."""
    return Fraction(int(bar["turnover"]), int(bar["volume_lots"])) if bar["trades"] else None
