"""Candles of many trades at once are those of one trade after the other, also where a sum needs more than 64 bits."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from exchange.gateway.bars import Candle, candles_of, interval_start_ns
from exchange.units import NS_PER_MINUTE

# (instrument, time since the trade before in ns, price_ticks, quantity_lots)
TRADES = st.lists(
    st.tuples(
        st.integers(1, 3), st.integers(0, 2 * NS_PER_MINUTE), st.one_of(st.integers(-9, 9), st.integers(-(10**12), 10**12)),
        st.one_of(st.integers(1, 9), st.integers(1, 10**12)),
    ),
    min_size=1, max_size=40,
)  # fmt: skip


@given(TRADES)
def test_together_as_one_by_one(trades: list[tuple[int, int, int, int]]) -> None:
    stamps_ns = np.cumsum([pause_ns for _, pause_ns, _, _ in trades])
    expected: dict[tuple[int, int], Candle] = {}
    for (instrument, _, price, lots), at_ns in zip(trades, stamps_ns.tolist(), strict=True):
        candle = Candle(interval_start_ns(at_ns, "1m"), price, price, price, price, lots, price * lots, 1)
        known = expected.setdefault((instrument, candle.start_ns), candle)
        if known is not candle:
            known.add(candle)
    instruments, prices, quantities = (np.array([trade[place] for trade in trades], np.int64) for place in (0, 2, 3))
    found = list(candles_of(instruments, stamps_ns, prices, quantities))
    assert {(instrument, candle.start_ns): candle for instrument, candle in found} == expected
    assert [(instrument, candle.start_ns) for instrument, candle in found] == sorted(expected)
