"""Listed mode of the national carbon market: the band follows the close of the day, the close follows the listed trades."""

import random
from fractions import Fraction

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.journal.record import CommandFlag, CommandKind
from exchange.market.daily_reference import Band, DailyReference, band_around
from exchange.market.instruments import spec_problem
from exchange.order_path import canonical
from exchange.order_path.check import check_exchange
from exchange.order_path.path import Exchange
from exchange.protocol.documents import encode_document
from exchange.protocol.reject_codes import RejectCode
from matching.records import TimeInForce
from tests.exchange.order_path.national import BUY, SELL, National, allowance, at
from tests.exchange.order_path.park import GENESIS, units_spec
from tests.exchange.order_path.test_conditional_walk import small


@pytest.mark.parametrize(
    ("close", "limit_ppm", "low", "high"),
    [
        (6_200, 100_000, 5_580, 6_820),  # story 7, listed
        (6_200, 300_000, 4_340, 8_060),  # story 7, block
        (6_205, 100_000, 5_585, 6_825),  # 5584.5 and 6825.5: inwards
        (6_201, 300_000, 4_341, 8_061),
        (1, 100_000, 1, 1),
        (100_000, 100_000, 90_000, 100_000),  # the range of the instrument ends there
    ],
)
def test_band_is_rounded_inwards(close: int, limit_ppm: int, low: int, high: int) -> None:
    assert band_around(close, limit_ppm, allowance()) == Band(low, high)


@pytest.mark.parametrize(
    ("trades", "close"),
    [
        ([], 6_200),
        ([(6_300, 10)], 6_300),
        ([(6_300, 1), (6_301, 1)], 6_300),  # 6300.5 to the even
        ([(6_301, 1), (6_302, 1)], 6_302),  # 6301.5 to the even
        ([(6_300, 1), (6_301, 3)], 6_301),
        ([(2**31 - 1, 2**58)] * 20, 2**31 - 1),  # the turnover of this day needs more than 64 bits
    ],
)
def test_close_is_the_volume_weighted_average(trades: list[tuple[int, int]], close: int) -> None:
    reference = DailyReference(6_200)
    for price, lots in trades:
        reference.add_trades(price * lots, lots)
    assert DailyReference.from_canonical(msgspec.msgpack.decode(msgspec.msgpack.encode(reference.to_canonical()))) == reference
    assert reference.fix_close() == close
    assert reference == DailyReference(close)


@given(st.lists(st.tuples(st.integers(1, 10**5), st.integers(1, 10**6)), min_size=1))
def test_close_is_nearest_to_the_exact_average(trades: list[tuple[int, int]]) -> None:
    reference = DailyReference(1)
    for price, lots in trades:
        reference.add_trades(price * lots, lots)
    exact = Fraction(sum(p * q for p, q in trades), sum(q for _, q in trades))
    close = reference.fix_close()
    assert abs(close - exact) <= Fraction(1, 2)
    assert close % 2 == 0 or abs(close - exact) < Fraction(1, 2)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, None),
        ({"limit_ppm": 0}, "daily_limit_missing"),
        ({"calendar": "continuous"}, "daily_limit_without_trading_days"),
        ({"limit_ppm": 1_000_000}, "daily_limit_out_of_range"),
        ({"previous_close_ticks": 0}, "previous_close_out_of_range"),
        ({"previous_close_ticks": 100_001}, "previous_close_out_of_range"),
        ({"band_high_ticks": 6_821}, "band_is_not_the_daily_limit"),
        ({"block_min_lots": 0}, "block_terms_out_of_range"),
        ({"block_limit_ppm": 1_000_000}, "block_terms_out_of_range"),
        ({"block_limit_ppm": 0, "block_min_lots": 0}, None),
    ],
)
def test_terms_of_a_daily_limit(changes: dict[str, int], problem: str | None) -> None:
    assert spec_problem(allowance(**changes)) == problem


@pytest.mark.parametrize(
    ("side", "price", "code"),
    [
        (BUY, 6_820, RejectCode.ACCEPTED),
        (BUY, 6_821, RejectCode.PRICE_OUTSIDE_BAND),  # story 7: 68.21 is refused
        (SELL, 5_580, RejectCode.ACCEPTED),
        (SELL, 5_579, RejectCode.PRICE_OUTSIDE_BAND),
    ],
)
def test_story_of_the_listed_limits(side: int, price: int, code: RejectCode) -> None:
    market = National()
    market.go("09:30")
    owner = market.buyer if side == BUY else market.seller
    assert market.place(owner, market.cea, side, price, 10)["code"] == code


def test_a_listed_order_stays_below_the_block_size() -> None:
    market = National()
    market.go("09:30")
    assert market.place(market.seller, market.cea, SELL, 6_200, 100_000)["code"] == RejectCode.QUANTITY_OUT_OF_RANGE
    assert market.place(market.seller, market.cea, SELL, 6_200, 99_999)["code"] == RejectCode.ACCEPTED


def test_the_close_makes_the_band_of_the_next_day() -> None:
    market = National()
    market.go("09:30")
    market.trade(6_300, 100)
    market.go("13:00")
    market.trade(6_600, 200)
    assert market.band() == (5_580, 6_820)
    market.now_ns = at("14:59")
    market.trade(6_000, 100)
    closed = market.go("15:00")
    assert [(n.kind, n.data) for n in closed.notices if n.kind == "close"] == [
        ("close", {"symbol": "CEA25", "close_ticks": 6_375, "traded_lots": 400, "band_low_ticks": 5_738, "band_high_ticks": 7_012})
    ]
    assert market.go("09:30", "2026-07-16").notices[0].data == {"symbol": "CEA25", "phase": "continuous"}
    assert market.band() == (5_738, 7_012)
    assert market.place(market.buyer, market.cea, BUY, 7_013, 1)["code"] == RejectCode.PRICE_OUTSIDE_BAND
    assert market.place(market.buyer, market.cea, BUY, 7_012, 1)["code"] == RejectCode.ACCEPTED
    check_exchange(market.exchange)


def test_a_day_without_a_trade_and_a_weekend_keep_the_close() -> None:
    market = National()
    market.go("09:30")
    market.trade(6_300, 100)
    market.go("16:00")
    closes = [n.data["close_ticks"] for n in market.go("16:00", "2026-07-20").notices if n.kind == "close"]
    assert closes == [6_300, 6_300, 6_300]  # Thursday, Friday, Monday
    assert market.band() == (5_670, 6_930)


def test_a_late_command_finds_the_day_closed_before_it() -> None:
    """Nobody told the exchange that the day ended: the close is fixed at its own time, before the command of the next day is admitted."""
    market = National()
    market.go("09:30")
    market.trade(6_800, 100)
    market.now_ns = at("10:00", "2026-07-16")
    assert market.place(market.buyer, market.cea, BUY, 7_480, 1)["code"] == RejectCode.ACCEPTED
    assert market.place(market.buyer, market.cea, BUY, 6_000, 1)["code"] == RejectCode.PRICE_OUTSIDE_BAND


def test_orders_outside_the_new_band_are_withdrawn_at_the_close() -> None:
    market = National()
    market.go("09:30")
    low = market.place(market.buyer, market.cea, BUY, 5_600, 10)
    stop = market.place(market.buyer, market.cea, BUY, 5_700, 10, flags=CommandFlag.STOP, stop_ticks=6_810)
    kept = market.place(market.buyer, market.cea, BUY, 6_100, 10)
    session = market.place(market.buyer, market.cea, BUY, 6_100, 10, time_in_force=TimeInForce.SESSION)
    market.trade(6_500, 10)
    expired = market.go("15:00").executions
    assert {int(row["order_id"]) for row in expired} == {int(o["order_id"]) for o in (low, stop, session)}
    assert [order.order_id for order in market.exchange.open_orders(market.buyer)] == [int(kept["order_id"])]
    check_exchange(market.exchange)


def test_units_bought_today_are_sold_tomorrow_and_cash_works_today() -> None:
    market = National()
    market.go("09:30")
    seller_cash = market.exchange.balances(market.seller).available_micro
    market.trade(6_200, 1_000)
    assert market.place(market.buyer, market.cea, SELL, 6_200, 1)["code"] == RejectCode.INSUFFICIENT_UNITS
    proceeds = 6_200 * 1_000 * 10_000 - 6_200 * 1_000 * 3
    assert market.exchange.balances(market.seller).available_micro == seller_cash + proceeds
    assert market.place(market.third, market.cea, SELL, 6_200, 1)["code"] == RejectCode.INSUFFICIENT_UNITS
    spent_at_once = (seller_cash + proceeds) // (6_200 * 10_005)
    assert spent_at_once > seller_cash // (6_200 * 10_005)
    assert market.place(market.seller, market.cea, BUY, 6_200, spent_at_once)["code"] == RejectCode.ACCEPTED
    market.go("09:30", "2026-07-16")
    assert market.place(market.buyer, market.cea, SELL, 6_200, 1_000)["code"] == RejectCode.ACCEPTED
    check_exchange(market.exchange)


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 2**32))
def test_cuts_and_snapshots_do_not_move_the_close(seed: int) -> None:
    """The day's sums survive batches of any length and a snapshot in the middle of the day."""
    rng = random.Random(seed)
    market = National()
    for day in ("2026-07-15", "2026-07-16"):
        for time in ("09:30", "10:10", "13:00", "14:59", "15:00"):
            market.go(time, day)
            low, high = market.band()
            for _ in range(rng.randint(0, 4)):
                price = rng.randint(low, high)
                market.place(market.seller, market.cea, SELL, price, rng.randint(1, 50))
                market.place(market.buyer, market.cea, BUY, rng.randint(low, high), rng.randint(1, 50))
    records = np.concatenate([record for record, _ in market.log[market.prepared :]])
    other = small()
    for record, documents in market.log[: market.prepared]:
        other.apply(record, documents, other.last_sequence + 1)
    start = 0
    while start < len(records):
        end = min(len(records), start + rng.randint(1, 12))
        other.apply(records[start:end], b"", other.last_sequence + 1)
        start = end
        if rng.random() < 0.5:
            payload = canonical.snapshot(other)
            other = small()
            canonical.restore(other, payload)
            check_exchange(other)
    assert canonical.state_hash(other) == canonical.state_hash(market.exchange)
    assert other.event_hash == market.exchange.event_hash


def test_a_checkpoint_within_a_batch_knows_the_trades_before_it() -> None:
    market = National()
    market.go("09:30")
    market.trade(6_300, 7)
    expected = market.exchange.checkpoint()
    records = np.concatenate([record for record, _ in market.log[-2:]])
    other = Exchange(GENESIS)
    for record, documents in market.log[:-2]:
        other.apply(record, documents, other.last_sequence + 1)
    data = encode_document(expected)
    checkpoint = market.record(CommandKind.CHECKPOINT, 0, document_length=len(data))
    other.apply(np.concatenate([records, checkpoint]), data, other.last_sequence + 1)
    assert other.last_sequence == expected.sequence + 1


def test_journals_without_daily_limits_keep_their_hash() -> None:
    """The new fields of a specification are no part of the state where they say nothing."""
    market = National(None, units_spec())
    content = canonical.content(market.exchange)
    assert "daily_references" not in content
    assert {"limit_ppm", "previous_close_ticks", "block_limit_ppm", "block_min_lots"}.isdisjoint(content["instruments"][0][1])
