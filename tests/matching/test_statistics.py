"""Bars folded from events against bars counted in plain Python from the oracle's tuples, which cannot overflow."""

from fractions import Fraction
from itertools import groupby

import numpy as np
import pytest

from matching.core import MatchingCore
from matching.records import EVENT, EventKind
from matching.state import make_records
from matching.statistics import BAR, fold_events, vwap_ticks
from tests.differential.streams import PROFILES, draw_stream
from tests.matching.books import to_array, to_events

N_BOOKS = 3
Trade = tuple[int, int, int, int]  # interval, book, price in ticks, lots


def counted_bars(trades: list[Trade]) -> dict[tuple[int, int], tuple[int, ...]]:
    """(open, high, low, close, volume, turnover, trades) by interval and book."""
    bars = {}
    for key, group in groupby(sorted(trades, key=lambda trade: trade[:2]), key=lambda trade: trade[:2]):
        prices, lots = zip(*((price, quantity) for _, _, price, quantity in group), strict=True)
        turnover = sum(price * quantity for price, quantity in zip(prices, lots, strict=True))
        bars[key] = (prices[0], max(prices), min(prices), prices[-1], sum(lots), turnover, len(prices))
    return bars


def as_numbers(bar: np.void) -> tuple[int, ...]:
    return tuple(int(bar[name]) for name in ("open_ticks", "high_ticks", "low_ticks", "close_ticks", "volume_lots", "turnover", "trades"))


def fills(*trades: tuple[int, int, int], kind: EventKind = EventKind.FILLED) -> np.ndarray:
    """EVENT records from (book, price, lots)."""
    events = make_records(EVENT, len(trades))
    events["kind"] = kind
    for index, (book, price, lots) in enumerate(trades):
        events[index]["book"], events[index]["price_ticks"], events[index]["quantity_lots"] = book, price, lots
    return events


@pytest.mark.parametrize("profile", ["mixed", "wide", "auctions", "stops", "baskets"])
def test_bars_are_those_counted_from_the_trades(profile: str) -> None:
    core = MatchingCore()
    for _ in range(N_BOOKS):
        core.open_book()
    bars = make_records(BAR, N_BOOKS)
    trades: list[Trade] = []
    found = {}
    for step, command in enumerate(draw_stream(3, 600, PROFILES[profile], N_BOOKS)):
        interval = step // 50 - 5
        events = core.submit(to_array(command))
        fold_events(events, bars, interval)
        trades += [(interval, event.book, event.price_ticks, event.quantity_lots) for event in to_events(events) if event.kind == EventKind.FILLED]
        found |= {(interval, book): as_numbers(bars[book]) for book in range(N_BOOKS) if bars[book]["trades"] and bars[book]["interval"] == interval}
    assert len({interval for interval, _, _, _ in trades}) > 5
    assert found == counted_bars(trades)
    for book in range(N_BOOKS):
        if (price := core.last_trade(book)) is not None:
            assert price == bars[book]["close_ticks"]


def test_a_bar_goes_on_over_calls_and_begins_anew_with_the_interval() -> None:
    bars = make_records(BAR, 2)
    fold_events(fills((1, 10, 2), (1, 7, 1)), bars, 4)
    fold_events(fills((1, 9, 3)), bars, 4)
    assert as_numbers(bars[1]) == (10, 10, 7, 9, 6, 54, 3)
    assert as_numbers(bars[0]) == (0,) * 7
    fold_events(fills((1, -8, 5)), bars, 6)
    assert (as_numbers(bars[1]), int(bars[1]["interval"])) == ((-8, -8, -8, -8, 5, -40, 1), 6)


@pytest.mark.parametrize("kind", [kind for kind in EventKind if kind != EventKind.FILLED])
def test_only_fills_count(kind: EventKind) -> None:
    bars = make_records(BAR, 1)
    fold_events(fills((0, 10, 2), kind=kind), bars, 0)
    assert as_numbers(bars[0]) == (0,) * 7


@pytest.mark.parametrize("price", [2**31 - 1, -(2**31)])
def test_a_turnover_is_exact_up_to_64_bits_and_no_further(price: int) -> None:
    bars = make_records(BAR, 1)
    fold_events(fills((0, price, 2**32 - 1)), bars, 0)
    before = as_numbers(bars[0])
    assert before[5] == price * (2**32 - 1)
    with pytest.raises(OverflowError, match="book 0 in interval 0"):
        fold_events(fills((0, price, 2**32 - 1)), bars, 0)
    assert as_numbers(bars[0]) == before
    assert vwap_ticks(bars[0]) == price
    fold_events(fills((0, -price - 1, 2**32 - 1)), bars, 0)
    assert bars[0]["turnover"] == -(2**32 - 1)
    assert vwap_ticks(bars[0]) == Fraction(-1, 2)


def test_a_volume_is_exact_up_to_64_bits_and_no_further() -> None:
    bars = make_records(BAR, 1)
    fold_events(fills((0, 0, 1)), bars, 0)
    bars[0]["volume_lots"] = 2**63 - 3
    fold_events(fills((0, 0, 2)), bars, 0)
    assert bars[0]["volume_lots"] == 2**63 - 1
    with pytest.raises(OverflowError):
        fold_events(fills((0, 0, 1)), bars, 0)


@pytest.mark.parametrize("book", [-1, 2, 2**31 - 1, -(2**31)])
def test_a_trade_without_a_bar_is_refused_and_those_before_it_count(book: int) -> None:
    bars = make_records(BAR, 2)
    with pytest.raises(ValueError, match=f"event 1 is of book {book}"):
        fold_events(fills((0, 10, 2), (book, 10, 2), (0, 10, 2)), bars, 0)
    assert as_numbers(bars[0]) == (10, 10, 10, 10, 2, 20, 1)
    assert as_numbers(bars[1]) == (0,) * 7


def test_other_records_are_refused() -> None:
    with pytest.raises(ValueError, match="dtype EVENT"):
        fold_events(np.zeros(1, np.int64), make_records(BAR, 1), 0)
    with pytest.raises(ValueError, match="dtype EVENT"):
        fold_events(fills((0, 1, 1)), np.zeros(1, np.int64), 0)


def test_no_trades_have_no_average() -> None:
    assert vwap_ticks(make_records(BAR, 1)[0]) is None
