"""Linked baskets through the order path: all legs fill whole or nothing happens, and a refused basket leaves nothing behind but its keys."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from exchange.journal.record import CommandFlag, CommandKind, OrderType
from exchange.order_path import canonical
from exchange.order_path.check import check_exchange
from exchange.order_path.path import Exchange
from exchange.order_path.records import ExecutionKind, OutcomeFlag
from exchange.order_path.state import Sizes
from exchange.protocol.documents import SetPhase
from exchange.protocol.reject_codes import RejectCode
from exchange.units import NS_PER_DAY, NS_PER_MINUTE
from matching.core import MatchingCore
from matching.records import SelfTrade, Side, TimeInForce
from matching.state import Sizes as BookSizes
from tests.exchange.order_path.park import GENESIS, OPEN_NS, Park, power_spec, units_spec

BUY, SELL = int(Side.BUY), int(Side.SELL)
OTHER = RejectCode.BASKET_REFUSED
TINY = Sizes(accounts=34, instruments=2, events=4, executions=8, postings=48, outcomes=1, keys=2, deadlines=1)
TINY_BOOKS = BookSizes(books=1, orders=2, pages=1, nodes=1, id_pages=1, owners=1, chunks=1)


class Market(Park):
    """A generator offers 100 lots at 0.40 and a load bids for 80 at 0.70 in each of three quarter-hours; a storage holds 4 kWh of at most 9."""

    def __init__(self, exchange: Exchange | None = None) -> None:
        super().__init__(exchange)
        power = ["power_buy", "power_sell"]
        self.load = self.admit("E01", "enterprise", [*power, "cea_buy", "cea_sell"], high=1_000, cash_cny=500)
        self.solar = self.admit("PV01", "generator", power, low=-1_000, cash_cny=500)
        self.battery = self.admit("S01", "storage", power, low=-100_000, high=100_000, cash_cny=500)
        self.maker = self.admit("MM1", "market_maker", [*power, "cea_buy", "cea_sell"], -500, 500, cash_cny=500)
        self.storage(self.battery, soc_wh=4_000, soc_max_wh=9_000, power_w=20_000)
        self.noon, self.evening, self.late, self.cea = self.list(power_spec(48), power_spec(80), power_spec(88), units_spec())
        self.tick(OPEN_NS)
        for instrument in (self.noon, self.evening, self.late):
            self.place(self.solar, instrument, SELL, 4_000, 100)
            self.place(self.load, instrument, BUY, 3_500, 80)

    def content(self) -> dict[str, Any]:
        """State without keys and the counters of sequence and time."""
        content = canonical.content(self.exchange)
        counters = content.pop("counters")
        content.pop("keys")
        return content | {"next ids": counters[2:]}


def test_all_legs_trade_in_their_order_each_as_a_command_of_its_own() -> None:
    market = Market()
    first = market.exchange.last_sequence + 1
    order_id = int(market.exchange.state.counters[0].next_order_id)
    records = market.basket_records(market.battery, (market.noon, BUY, 4_100, 30), (market.late, SELL, 3_000, 20), (market.evening, BUY, 4_000, 5))
    result = market.send(records)
    assert result.outcomes["code"].tolist() == [0, 0, 0]
    assert result.outcomes["order_id"].tolist() == [order_id, order_id + 1, order_id + 2]
    assert result.outcomes["sequence"].tolist() == [first, first + 1, first + 2]
    assert result.outcomes["filled_lots"].tolist() == [30, 20, 5]
    assert result.outcomes["notional_micro"].tolist() == [30 * 4_000 * 10, 20 * 3_500 * 10, 5 * 4_000 * 10]
    trades = [(int(e["sequence"]), int(e["index"]), int(e["quantity_lots"])) for e in result.executions if e["kind"] == ExecutionKind.TRADE]
    assert trades == [(first, 0, 30), (first + 1, 0, 20), (first + 2, 0, 5)]
    assert [bytes(e["client_order_id"]) for e in result.executions] == [bytes(r["client_order_id"]) for r in records]
    check_exchange(market.exchange)
    assert market.exchange.balances(market.battery).held_micro > 0
    assert market.exchange.open_orders(market.battery) == []


def test_what_a_leg_sets_off_follows_it_and_belongs_to_its_command() -> None:
    market = Market()
    stop = market.place(market.load, market.noon, BUY, 4_500, 7, flags=CommandFlag.STOP, stop_ticks=4_000)
    result = market.send(market.basket_records(market.battery, (market.noon, BUY, 4_000, 30), (market.late, SELL, 3_500, 20)))
    told = [(int(e["sequence"]) - result.first_sequence, ExecutionKind(int(e["kind"])).name, int(e["order_id"])) for e in result.executions]
    own, other = result.outcomes["order_id"].tolist()
    entered = int(stop["order_id"])
    assert told == [(0, "TRADE", own), (0, "TRIGGERED", entered), (0, "TRADE", entered), (1, "TRADE", other)]
    assert result.outcomes["filled_lots"].tolist() == [30, 20]
    check_exchange(market.exchange)


def test_charging_at_noon_and_discharging_in_the_evening_passes_where_neither_would_alone() -> None:
    """Storage: 4.0 kWh now, 4.2 more bought for the late hour, at most 9; 5 kWh at the meter are 4.69 in and 5.33 out."""
    market = Market()
    assert market.place(market.battery, market.late, BUY, 4_000, 45)["filled_lots"] == 45
    before = market.content()
    buy, sell = (market.noon, BUY, 4_000, 50), (market.evening, SELL, 3_500, 50)
    assert market.place(market.battery, *buy)["code"] == RejectCode.STORAGE_ENERGY
    assert market.place(market.battery, *sell)["code"] == RejectCode.STORAGE_ENERGY
    assert market.basket(market.battery, buy) == [RejectCode.STORAGE_ENERGY]
    assert market.content() == before
    assert market.basket(market.battery, sell, buy) == [0, 0]
    check_exchange(market.exchange)


def test_the_worst_case_of_what_is_open_still_counts() -> None:
    market = Market()
    market.place(market.battery, market.late, SELL, 9_000, 30)
    assert market.basket(market.battery, (market.noon, BUY, 4_000, 10), (market.evening, SELL, 3_500, 20)) == [RejectCode.STORAGE_ENERGY, OTHER]
    assert market.basket(market.battery, (market.noon, BUY, 4_000, 30), (market.evening, SELL, 3_500, 20)) == [0, 0]
    check_exchange(market.exchange)


def _suspend_nothing(_market: Market) -> None:
    pass


def _halt(market: Market) -> None:
    assert market.document(SetPhase(symbol="GP-20260715-2000", phase="halted", reason="test"))[0] == 0


def _recover(market: Market) -> None:
    market.one(CommandKind.NODE_STARTED, 0, quantity_lots=2, expiry_ns=NS_PER_MINUTE)


def _own_offer(market: Market) -> None:
    market.place(market.battery, market.evening, BUY, 3_600, 5)


Legs = list[tuple[int, int, int, int]]
# Name -> codes of the legs, who sends, legs, changes of every leg, what happens before.
CASES: dict[str, tuple[list[RejectCode], Callable[[Market], int], Callable[[Market], Legs], dict[str, Any], Callable[[Market], None]]] = {
    "not fill or kill": (
        [RejectCode.INVALID_BASKET, OTHER], lambda m: m.battery, lambda m: [(m.noon, BUY, 4_000, 1), (m.evening, SELL, 3_500, 1)],
        {"time_in_force": TimeInForce.IOC}, _suspend_nothing),
    "with a condition": (
        [RejectCode.INVALID_BASKET, OTHER], lambda m: m.battery, lambda m: [(m.noon, BUY, 4_000, 1), (m.evening, SELL, 3_500, 1)],
        {"flags": CommandFlag.STOP, "stop_ticks": 4_000}, _suspend_nothing),
    "one instrument twice": (
        [OTHER, OTHER, RejectCode.INVALID_BASKET], lambda m: m.battery,
        lambda m: [(m.noon, BUY, 4_000, 1), (m.evening, SELL, 3_500, 1), (m.noon, BUY, 4_000, 1)], {}, _suspend_nothing),
    "late": (
        [RejectCode.DEADLINE_PASSED, OTHER], lambda m: m.battery, lambda m: [(m.noon, BUY, 4_000, 1), (m.evening, SELL, 3_500, 1)],
        {"deadline_ns": 1}, _suspend_nothing),
    "no permission for one": (
        [OTHER, RejectCode.NO_PERMISSION], lambda m: m.battery, lambda m: [(m.noon, BUY, 4_000, 1), (m.cea, BUY, 6_000, 1)], {}, _suspend_nothing),
    "unknown account": (
        [RejectCode.ACCOUNT_SUSPENDED] * 2, lambda _: 99, lambda m: [(m.noon, BUY, 4_000, 1), (m.evening, SELL, 3_500, 1)], {}, _suspend_nothing),
    "account beyond the table": (
        [RejectCode.ACCOUNT_SUSPENDED] * 2, lambda _: 4_000_000, lambda m: [(m.noon, BUY, 4_000, 1), (m.cea, BUY, 6_000, 1)], {}, _suspend_nothing),
    "cancel-only after a restart": (
        [RejectCode.RECOVERY_CANCEL_ONLY, OTHER], lambda m: m.battery, lambda m: [(m.noon, BUY, 4_000, 1), (m.evening, SELL, 3_500, 1)],
        {}, _recover),
    "unknown instrument": (
        [OTHER, RejectCode.NOT_OPEN_FOR_TRADING], lambda m: m.battery, lambda m: [(m.noon, BUY, 4_000, 1), (999, SELL, 3_500, 1)],
        {}, _suspend_nothing),
    "one is halted": (
        [OTHER, RejectCode.NOT_OPEN_FOR_TRADING], lambda m: m.battery, lambda m: [(m.noon, BUY, 4_000, 1), (m.evening, SELL, 3_500, 1)], {}, _halt),
    "no lots": (
        [OTHER, RejectCode.QUANTITY_OUT_OF_RANGE], lambda m: m.battery, lambda m: [(m.noon, BUY, 4_000, 1), (m.evening, SELL, 3_500, 0)],
        {}, _suspend_nothing),
    "more lots than any order may have": (
        [OTHER, RejectCode.QUANTITY_OUT_OF_RANGE], lambda m: m.battery, lambda m: [(m.noon, BUY, 4_000, 1), (m.evening, SELL, 3_500, 2**40)],
        {}, _suspend_nothing),
    "outside the band": (
        [OTHER, RejectCode.PRICE_OUTSIDE_BAND], lambda m: m.battery, lambda m: [(m.noon, BUY, 4_000, 1), (m.evening, BUY, 2**33 + 4_000, 1)],
        {}, _suspend_nothing),
    "beyond a position limit": (
        [OTHER, RejectCode.POSITION_LIMIT], lambda m: m.load, lambda m: [(m.noon, BUY, 4_000, 10), (m.evening, SELL, 3_500, 1)],
        {}, _suspend_nothing),
    "beyond the rating": (
        [OTHER, RejectCode.STORAGE_RATING], lambda m: m.battery, lambda m: [(m.noon, BUY, 4_000, 50), (m.evening, SELL, 3_500, 51)],
        {}, _suspend_nothing),
    "beyond the storage": (
        [RejectCode.STORAGE_ENERGY, OTHER], lambda m: m.battery, lambda m: [(m.noon, SELL, 3_500, 40), (m.evening, BUY, 4_000, 50)],
        {}, _suspend_nothing),
    "units that are not there": (
        [OTHER, RejectCode.INSUFFICIENT_UNITS], lambda m: m.load, lambda m: [(m.noon, BUY, 4_000, 10), (m.cea, SELL, 6_000, 1)],
        {}, _suspend_nothing),
    "cash for one leg only": (
        # 100 lots at 0.40 take 4.40 CNY, 8 t at 61 take 488.24 of the 500 less what the bids hold.
        [OTHER, RejectCode.INSUFFICIENT_CASH], lambda m: m.maker, lambda m: [(m.noon, BUY, 4_000, 100), (m.cea, BUY, 6_200, 8)],
        {}, _suspend_nothing),
    "a leg too large": (
        [OTHER, RejectCode.FILL_OR_KILL_UNFILLABLE], lambda m: m.maker, lambda m: [(m.noon, BUY, 4_000, 10), (m.evening, SELL, 3_500, 81)],
        {}, _suspend_nothing),
    "an own order in the way": (
        [OTHER, RejectCode.FILL_OR_KILL_UNFILLABLE], lambda m: m.battery, lambda m: [(m.noon, BUY, 4_000, 10), (m.evening, SELL, 3_500, 1)],
        {"self_trade": SelfTrade.CANCEL_OLDEST}, _own_offer),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_refused_whole_and_nothing_left_but_keys(name: str) -> None:
    codes, who, legs, fields, prepare = CASES[name]
    market = Market()
    prepare(market)
    before = market.content()
    records = market.basket_records(who(market), *legs(market), **fields)
    result = market.send(records)
    assert [RejectCode(code) for code in result.outcomes["code"]] == codes
    assert len(result.executions) == len(result.postings) == 0
    assert market.content() == before
    check_exchange(market.exchange)
    again = market.send(records)
    if codes[0] is not RejectCode.ACCOUNT_SUSPENDED:
        assert [RejectCode(code) for code in again.outcomes["code"]] == codes
        assert (again.outcomes["flags"] & OutcomeFlag.DUPLICATE).all()


def test_cash_of_the_case_above_is_short_by_the_first_leg() -> None:
    market = Market()
    market.place(market.load, market.cea, BUY, 5_600, 1)
    assert market.basket(market.maker, (market.cea, BUY, 6_200, 8)) == [RejectCode.FILL_OR_KILL_UNFILLABLE]


def test_a_resend_is_answered_leg_by_leg() -> None:
    market = Market()
    records = market.basket_records(market.battery, (market.noon, BUY, 4_000, 10), (market.evening, SELL, 3_500, 5))
    first = market.send(records).outcomes
    before = market.content()
    again = market.send(records).outcomes
    assert (again["flags"] == OutcomeFlag.DUPLICATE).all()
    for field in ("order_id", "filled_lots", "remaining_lots", "notional_micro", "code", "revision"):
        assert again[field].tolist() == first[field].tolist()
    assert market.content() == before


REUSED = RejectCode.CLIENT_ORDER_ID_REUSED


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        (lambda r: r["quantity_lots"].__setitem__(1, 6), [REUSED, REUSED]),
        (lambda r: r["client_order_id"].__setitem__(1, b"new"), [REUSED, OTHER]),
        (lambda r: r["client_order_id"].__setitem__(0, b"new"), [OTHER, REUSED]),
        (lambda r: r["client_order_id"].__setitem__(slice(None), r["client_order_id"][::-1].copy()), [REUSED, REUSED]),
        (lambda r: r["client_order_id"].__setitem__(slice(None), b"twice"), [OTHER, REUSED]),
        (lambda r: r["client_order_id"].__setitem__(slice(None), [b"new", b""]), [OTHER, RejectCode.INVALID_CLIENT_ORDER_ID]),
    ],
    ids=["other content of one leg", "one new id", "the other new", "swapped", "the same for both", "none"],
)
def test_ids_that_were_used_refuse_the_basket(change: Callable[[np.ndarray], None], codes: list[RejectCode]) -> None:
    market = Market()
    records = market.basket_records(market.battery, (market.noon, BUY, 4_000, 10), (market.evening, SELL, 3_500, 5))
    assert market.send(records).outcomes["code"].tolist() == [0, 0]
    before = market.content()
    changed = records.copy()
    change(changed)
    assert [RejectCode(code) for code in market.send(changed).outcomes["code"]] == codes
    assert market.content() == before
    check_exchange(market.exchange)


def test_an_order_and_a_basket_do_not_share_an_id() -> None:
    market = Market()
    market.place(market.battery, market.noon, BUY, 4_000, 10, time_in_force=TimeInForce.FOK, client_order_id="same")
    assert market.basket(market.battery, (market.noon, BUY, 4_000, 10), client_order_id="same") == [REUSED]
    assert market.basket(market.battery, (market.noon, BUY, 4_000, 10), client_order_id="leg") == [0]
    code = market.place(market.battery, market.noon, BUY, 4_000, 10, time_in_force=TimeInForce.FOK, client_order_id="leg")["code"]
    assert code == REUSED


def test_ids_leave_after_their_retention() -> None:
    market = Market()
    assert market.basket(market.battery, (market.noon, BUY, 4_000, 10), (market.evening, SELL, 3_500, 5)) == [0, 0]
    used = int(market.exchange.state.counters[0].n_keys)
    market.tick(market.now_ns + 3 * NS_PER_DAY)
    assert int(market.exchange.state.counters[0].n_keys) == 0 < used
    check_exchange(market.exchange)


def _broken(kind: str, market: Market) -> np.ndarray:
    records = market.basket_records(market.battery, (market.noon, BUY, 4_000, 1), (market.evening, SELL, 3_500, 1), (market.late, BUY, 4_000, 1))
    if kind == "announces more":
        records["group"][0] = 4
    elif kind == "announces a hundred and one":
        records["group"][0] = 101
    elif kind == "announces all that fits":
        records["group"][0] = 2**16 - 1
    elif kind == "no header":
        records["group"][0] = 0
    elif kind == "another account":
        records["account"][2] = market.maker
    elif kind == "another kind inside":
        records["kind"][1] = CommandKind.TICK
    return records


@pytest.mark.parametrize(
    "kind", ["announces more", "announces a hundred and one", "announces all that fits", "no header", "another account", "another kind inside"]
)
def test_a_broken_basket_is_refused_record_by_record(kind: str) -> None:
    market = Market()
    before = market.content()
    keys = int(market.exchange.state.counters[0].n_keys)
    records = _broken(kind, market)
    codes = market.send(records).outcomes["code"]
    assert [RejectCode(c) for c, r in zip(codes, records, strict=True) if r["kind"] == CommandKind.BASKET] == [
        RejectCode.INVALID_BASKET for r in records if r["kind"] == CommandKind.BASKET
    ]
    assert (market.content(), int(market.exchange.state.counters[0].n_keys)) == (before, keys)
    check_exchange(market.exchange)


def test_a_second_header_ends_a_basket_and_begins_another() -> None:
    market = Market()
    records = market.basket_records(market.battery, (market.noon, BUY, 4_000, 1), (market.evening, SELL, 3_500, 1), (market.late, BUY, 4_000, 1))
    records["group"] = [2, 2, 0]
    assert market.send(records).outcomes["code"].tolist() == [RejectCode.INVALID_BASKET, 0, 0]


def test_market_legs_are_protected_by_the_band() -> None:
    market = Market()
    held = market.exchange.balances(market.maker).held_micro
    legs = (market.noon, BUY, 0, 100), (market.evening, SELL, 0, 80)
    assert market.basket(market.maker, *legs, order_type=OrderType.MARKET) == [0, 0]
    assert market.exchange.balances(market.maker).held_micro > held
    check_exchange(market.exchange)


def test_a_hundred_legs_in_memory_that_is_too_small() -> None:
    """Everything has to grow, between two commands and never within one."""
    market = Market(Exchange(GENESIS, TINY, MatchingCore(TINY_BOOKS, events_capacity=4)))
    instruments = market.list(*(power_spec(52 + i, symbol=f"P{i}") for i in range(27)), *(power_spec(52 + i % 27, symbol=f"Q{i}") for i in range(73)))
    market.tick(market.now_ns + 1)
    for instrument in instruments:
        for side, price in ((BUY, 3_500), (SELL, 4_000)):
            market.place(market.maker, instrument, side, price, 1)
    legs = [(instrument, BUY, 4_000, 1) for instrument in instruments]
    assert market.basket(market.load, *legs) == [0] * 100
    assert market.basket(market.load, *legs) == [*[RejectCode.FILL_OR_KILL_UNFILLABLE], *[OTHER] * 99]
    check_exchange(market.exchange)


def test_a_basket_claims_memory_for_the_books_of_its_legs_and_not_for_all_books_a_leg() -> None:
    market = Market(Exchange(GENESIS, Sizes(events=64)))  # 3 * 14 events at most are set off, 3 * 26 if every order could be met by every leg
    codes = market.basket(market.battery, *((instrument, BUY, 4_000, 101) for instrument in (market.noon, market.evening, market.late)))
    assert RejectCode.ACCEPTED not in codes
    assert len(market.exchange.state.events) == 64
