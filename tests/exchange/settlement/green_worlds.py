"""Days with renewable devices and green contracts."""

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from exchange.settlement.day_input import DayInput, GreenInput
from tests.exchange.settlement.worlds import days


def green(
    day: DayInput, devices: dict[int, tuple[int, Any]], contracts: dict[int, tuple[int, int, int, int]] | None = None, environment_ticks: Any = 60
) -> DayInput:
    """The day with `devices` (id: row of its account, Wh by period) and `contracts` (id: buyer and generator row, Wh left, energy price in ticks)."""
    contracts = contracts or {}
    periods = len(day.symbols)

    def column(values: list[int]) -> np.ndarray:
        return np.array(values, np.int64)

    return replace(
        day,
        environment_price_ticks=np.full(periods, environment_ticks, np.int64),
        green=GreenInput(
            devices=column(list(devices)),
            account_row=column([row for row, _ in devices.values()]),
            generation_wh=column([energies for _, energies in devices.values()]).reshape(len(devices), periods),
            contracts=column(list(contracts)),
            contract_buyer_row=column([buyer for buyer, _, _, _ in contracts.values()]),
            contract_generator_row=column([generator for _, generator, _, _ in contracts.values()]),
            contract_left_wh=column([left for _, _, left, _ in contracts.values()]),
            contract_price_ticks=column([price for _, _, _, price in contracts.values()]),
        ),
    )


@st.composite
def green_days(draw: st.DrawFn) -> DayInput:
    """A random day: of every account's generation a part is that of one or two devices; some pairs have a green contract."""
    day = draw(days())
    n, periods = day.readings.generation_wh.shape
    devices: dict[int, tuple[int, Any]] = {}
    for row in range(n):
        left = day.readings.generation_wh[row].copy()
        for _ in range(draw(st.integers(0, 2))):
            share = draw(st.sampled_from([0.0, 0.3, 1.0]))
            part = (left * share).astype(np.int64)
            left -= part
            devices[len(devices) + 3] = (row, part)
    pairs = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda pair: pair[0] != pair[1])
    terms = st.tuples(st.integers(0, 60_000), st.integers(0, 9_000))
    drawn = draw(st.lists(st.tuples(pairs, terms), max_size=2))
    contracts = {number: (*pair, *term) for number, (pair, term) in enumerate(drawn, start=1)}
    ticks = draw(st.lists(st.integers(0, 200), min_size=periods, max_size=periods))
    return green(day, devices, contracts, ticks)
