"""Each rule of surveillance with a scenario that it must find, and others that look alike and that it must not."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from exchange.order_path.path import BatchResult, Exchange
from exchange.protocol.documents import ChangeParticipant, MeterReadings, OpeningPosition, OpeningPositions
from exchange.protocol.messages import AlertRow
from exchange.surveillance.desk import Surveillance
from exchange.surveillance.parameters import OrderToTrade, Parameters
from exchange.units import NS_PER_HOUR, NS_PER_MINUTE, NS_PER_SECOND, PERIOD_NS
from matching.records import SelfTrade, Side
from tests.exchange.order_path.national import BUY, SELL, National
from tests.exchange.order_path.park import DAY_NS, GENESIS, OPEN_NS, Park, block_spec, power_spec

FEW = Parameters(order_to_trade=OrderToTrade(min_commands=20, ratio=10, maker_ratio=100))
PERMISSIONS = ["power_buy", "power_sell"]
GATE_NS = DAY_NS + 40 * PERIOD_NS - 5 * NS_PER_MINUTE


class Watched(Park):
    """One quarter-hour at 10:00 and the next; `a` to `d` may buy and sell, `maker` is a market maker; `group` belongs to `a`."""

    def __init__(self) -> None:
        super().__init__(Exchange(GENESIS))
        self.watch = Surveillance(self.exchange, FEW)
        self.a, self.b, self.c, self.d = (self.admit(name, "enterprise", PERMISSIONS, -100_000, 100_000, 1_000_000) for name in "abcd")
        self.maker = self.admit("maker", "market_maker", PERMISSIONS, -100_000, 100_000, 1_000_000)
        self.group = self.admit("group", "enterprise", PERMISSIONS, -100_000, 100_000, 1_000_000)
        assert self.document(ChangeParticipant(account=self.group, reason="test", beneficial_owner=self.a))[0] == 0
        self.first, self.second = self.list(power_spec(40), power_spec(41))
        self.tick(OPEN_NS)

    def send(self, records: np.ndarray, documents: bytes = b"") -> BatchResult:
        batch = super().send(records, documents)
        self.watch.on_batch(batch)
        return batch

    def trade(self, buyer: int, seller: int, lots: int, price_ticks: int = 4_000, instrument: int | None = None, **terms: Any) -> None:
        """`buyer` takes what `seller` offers."""
        place = {"instrument": instrument or self.first}
        assert self.place(seller, place["instrument"], Side.SELL, price_ticks, lots, **terms)["code"] == 0
        taken = self.place(buyer, place["instrument"], Side.BUY, price_ticks, lots, **terms)
        assert (taken["code"], taken["filled_lots"]) == (0, lots)

    def later(self, ns: int = NS_PER_MINUTE) -> None:
        self.tick(self.now_ns + ns)

    def meter(self, injections_wh: dict[int, int], period: int = 40) -> None:
        start_ns = DAY_NS + period * PERIOD_NS
        self.tick(max(self.now_ns, start_ns + PERIOD_NS))
        rows = sorted(injections_wh.items())
        readings = MeterReadings(
            revision=1, accounts=[account for account, _ in rows], period_starts_ns=[start_ns] * len(rows), consumption_wh=[0] * len(rows),
            generation_wh=[wh for _, wh in rows], soc_wh=[-1] * len(rows), grid_starts_ns=[start_ns], grid_import_wh=[0],
            grid_export_wh=[sum(injections_wh.values())], losses_wh=[0],
        )  # fmt: skip
        code, answer = self.document(readings)
        assert code == 0, answer

    def executions(self) -> list[Any]:
        """All of a replay."""
        replayed = Exchange(GENESIS)
        return [row for records, documents in self.log for row in replayed.apply(records, documents, replayed.last_sequence + 1).executions]

    def found(self, rule: str) -> list[AlertRow]:
        return [alert for alert in self.watch.alerts if alert.rule == rule]


def same_owner(market: Watched) -> None:
    market.trade(market.a, market.group, 50)


def other_owners(market: Watched) -> None:
    market.trade(market.a, market.b, 50)


def owner_left(market: Watched) -> None:
    assert market.document(ChangeParticipant(account=market.group, reason="sold", beneficial_owner=market.group))[0] == 0
    market.trade(market.a, market.group, 50)


def back_and_forth(market: Watched) -> None:
    for _ in range(2):
        market.trade(market.a, market.b, 50)
        market.later()
        market.trade(market.b, market.a, 50)
        market.later()


def one_way(market: Watched) -> None:
    for _ in range(6):
        market.trade(market.a, market.b, 50)
        market.later()


def back_and_forth_in_a_day(market: Watched) -> None:
    for _ in range(2):
        market.trade(market.a, market.b, 50)
        market.later(NS_PER_HOUR)
        market.trade(market.b, market.a, 50)
        market.later(NS_PER_HOUR)


def back_and_forth_with_much_left(market: Watched) -> None:
    for lots in (50, 70):
        market.trade(market.a, market.b, lots)
        market.trade(market.b, market.a, 30)


def _layers(market: Watched, *, account: int | None = None, wait_ns: int = NS_PER_SECOND, before: bool = True, lots: int = 200) -> None:
    """`a` shows three large bids, sells 100 to `b`, then takes the bids back."""

    def bids() -> list[int]:
        return [int(market.place(account or market.a, market.first, Side.BUY, 3_000 + i, lots)["order_id"]) for i in range(3)]

    market.place(market.b, market.first, Side.BUY, 3_900, 100)
    orders = bids() if before else []
    market.later(NS_PER_SECOND)
    market.place(market.a, market.first, Side.SELL, 3_900, 100)
    market.later(NS_PER_SECOND)
    orders = orders or bids()
    market.later(wait_ns)
    for order in orders:
        market.cancel(account or market.a, order)


def layers(market: Watched) -> None:
    _layers(market)


def layers_of_another(market: Watched) -> None:
    _layers(market, account=market.c)


def layers_taken_back_later(market: Watched) -> None:
    _layers(market, wait_ns=NS_PER_MINUTE)


def bids_after_the_fill(market: Watched) -> None:
    _layers(market, before=False)


def small_bids(market: Watched) -> None:
    _layers(market, lots=100)


def _close(market: Watched, prices: tuple[int, ...], buyers: tuple[int, ...], minutes: int = 3) -> None:
    """Ordinary trades at 4,000 earlier; then `buyers` take at `prices` that many minutes before the gate."""
    for _ in range(3):
        market.trade(market.b, market.c, 100)
    market.tick(GATE_NS - minutes * NS_PER_MINUTE)
    for price, buyer in zip(prices, buyers, strict=True):
        market.trade(buyer, market.d, 10, price)
    market.tick(GATE_NS)


def marks_the_close(market: Watched) -> None:
    _close(market, (4_050, 4_100), (market.a, market.group))


def many_buy_at_the_close(market: Watched) -> None:
    _close(market, (4_020, 4_050, 4_080, 4_100), (market.a, market.b, market.c, market.maker))


def buys_at_the_close_at_the_same_price(market: Watched) -> None:
    _close(market, (4_000, 4_010), (market.a, market.a))


def buys_before_the_close(market: Watched) -> None:
    _close(market, (4_050, 4_100), (market.a, market.a), minutes=20)


def buys_once_at_the_close(market: Watched) -> None:
    _close(market, (4_100,), (market.a,))


def sells_the_close_down(market: Watched) -> None:
    for _ in range(3):
        market.trade(market.b, market.c, 100)
    market.tick(GATE_NS - 3 * NS_PER_MINUTE)
    market.trade(market.b, market.a, 10, 3_900)
    market.trade(market.c, market.group, 10, 3_850)
    market.tick(GATE_NS)


def _corner(market: Watched, late_ticks: int, holders: tuple[int, ...]) -> None:
    """`holders` buy 100 each at 4,000 from `d`; in the last half hour others pay `late_ticks` for a little."""
    for holder in holders:
        market.trade(holder, market.d, 100)
    market.tick(GATE_NS - 20 * NS_PER_MINUTE)
    market.trade(market.b, market.d, 10, late_ticks)
    market.tick(GATE_NS)


def squeezes(market: Watched) -> None:
    _corner(market, 4_500, (market.a, market.group))


def price_stays(market: Watched) -> None:
    _corner(market, 4_300, (market.a, market.group))


def many_are_long(market: Watched) -> None:
    _corner(market, 4_500, (market.a, market.b, market.c))


def _produces(market: Watched, offered_lots: int, price_ticks: int = 4_000, dear_ticks: int = 6_000, cancel: bool = False) -> None:
    """Trades at 4,000 in the next period and at `dear_ticks` in this; `a` offers so much and injects 100 kWh."""
    market.trade(market.b, market.c, 100, 4_000, market.second)
    market.trade(market.b, market.c, 10, dear_ticks)
    if offered_lots:
        order = market.place(market.a, market.first, Side.SELL, price_ticks, offered_lots)
        assert order["code"] == 0
        if cancel:
            market.cancel(market.a, int(order["order_id"]))
    market.tick(GATE_NS)
    market.meter({market.a: 100_000})


def withholds(market: Watched) -> None:
    _produces(market, 100, 6_300)


def offers_all(market: Watched) -> None:
    _produces(market, 1_000, 6_300)


def offers_above_what_anybody_pays(market: Watched) -> None:
    _produces(market, 1_000, 6_501)


def withholds_at_an_ordinary_price(market: Watched) -> None:
    _produces(market, 100, 6_300, dear_ticks=4_100)


def withholds_a_little(market: Watched) -> None:
    _produces(market, 801, 6_300)


def offered_in_another_contract_of_the_hour(market: Watched) -> None:
    (other,) = market.list(power_spec(40, symbol="GP-OTHER-1000"))
    assert market.place(market.a, other, Side.SELL, 6_300, 1_000)["code"] == 0
    market.trade(market.b, market.c, 10, 6_000, other)
    _produces(market, 0)


def sold_by_contract(market: Watched) -> None:
    fresh = Watched.__new__(Watched)
    _unopened(fresh)
    sides = ((fresh.a, -1_000), (fresh.b, 1_000))
    positions = [OpeningPosition(account=account, symbol="GP-20260715-1000", net_lots=lots) for account, lots in sides]
    assert fresh.document(OpeningPositions(positions=positions))[0] == 0
    fresh.tick(OPEN_NS)
    _produces(fresh, 0)
    market.watch = fresh.watch


def sold_in_a_block(market: Watched) -> None:
    fresh = Watched.__new__(Watched)
    _unopened(fresh, power_spec(42), power_spec(43), block_spec())
    fresh.tick(OPEN_NS)
    block = fresh.exchange.instrument("GP-20260715-PEAK").id
    assert fresh.place(fresh.a, block, Side.SELL, 6_000, 1_000)["code"] == 0
    _produces(fresh, 0)
    market.watch = fresh.watch


def _unopened(market: Watched, *specs: Any) -> None:
    """A watched market whose books have not opened yet."""
    Park.__init__(market, Exchange(GENESIS))
    market.watch = Surveillance(market.exchange, FEW)
    market.a, market.b, market.c = (market.admit(name, "enterprise", PERMISSIONS, -100_000, 100_000, 1_000_000) for name in "abc")
    market.first, market.second, *_ = market.list(power_spec(40), power_spec(41), *specs)


def _quotes(market: Watched, account: int, pairs: int, trades: int = 0) -> None:
    for _ in range(pairs):
        order = market.place(account, market.first, Side.BUY, 3_000, 1)
        market.cancel(account, int(order["order_id"]))
    for _ in range(trades):
        market.trade(account, market.b, 1)
    market.later(NS_PER_HOUR)


def floods(market: Watched) -> None:
    _quotes(market, market.a, 15)


def a_maker_quotes(market: Watched) -> None:
    _quotes(market, market.maker, 15)


def few_orders(market: Watched) -> None:
    _quotes(market, market.a, 9)


def many_orders_and_trades(market: Watched) -> None:
    _quotes(market, market.a, 15, trades=4)


Scenario = Callable[[Watched], None]
FIRES: list[tuple[str, Scenario]] = [
    ("wash_trade_owner", same_owner),
    ("wash_trade_pair", back_and_forth),
    ("layering", layers),
    ("marking_the_close", marks_the_close),
    ("marking_the_close", sells_the_close_down),
    ("squeeze", squeezes),
    ("withholding", withholds),
    ("withholding", offers_above_what_anybody_pays),
    ("order_to_trade", floods),
]
SILENT: list[tuple[str, Scenario]] = [
    ("wash_trade_owner", other_owners),
    ("wash_trade_owner", owner_left),
    ("wash_trade_pair", one_way),
    ("wash_trade_pair", back_and_forth_in_a_day),
    ("wash_trade_pair", back_and_forth_with_much_left),
    ("layering", layers_of_another),
    ("layering", layers_taken_back_later),
    ("layering", bids_after_the_fill),
    ("layering", small_bids),
    ("marking_the_close", many_buy_at_the_close),
    ("marking_the_close", buys_at_the_close_at_the_same_price),
    ("marking_the_close", buys_before_the_close),
    ("marking_the_close", buys_once_at_the_close),
    ("squeeze", price_stays),
    ("squeeze", many_are_long),
    ("withholding", offers_all),
    ("withholding", withholds_at_an_ordinary_price),
    ("withholding", withholds_a_little),
    ("withholding", sold_by_contract),
    ("withholding", offered_in_another_contract_of_the_hour),
    ("withholding", sold_in_a_block),
    ("order_to_trade", a_maker_quotes),
    ("order_to_trade", few_orders),
    ("order_to_trade", many_orders_and_trades),
]


@pytest.mark.parametrize(("rule", "play"), FIRES, ids=[play.__name__ for _, play in FIRES])
def test_found(rule: str, play: Scenario) -> None:
    market = Watched()
    play(market)
    assert len(market.found(rule)) == 1


@pytest.mark.parametrize(("rule", "play"), SILENT, ids=[play.__name__ for _, play in SILENT])
def test_not_found(rule: str, play: Scenario) -> None:
    market = Watched()
    play(market)
    assert market.found(rule) == []


EVIDENCE: list[tuple[str, Scenario, list[str], dict[str, int]]] = [
    ("wash_trade_owner", same_owner, ["a", "group"], {"lots": 50, "price_ticks": 4_000, "beneficial_owner": 33}),
    ("wash_trade_pair", back_and_forth, ["a", "b"], {"trades": 4, "gross_lots": 200, "net_lots": 0}),
    ("layering", layers, ["a"], {"cancelled_orders": 3, "cancelled_lots": 600, "filled_lots": 100, "side": 0}),
    (
        "marking_the_close", marks_the_close, ["a", "group"],
        {"lots": 20, "total_lots": 20, "before_ticks": 4_000, "close_ticks": 4_100, "side": 0},
    ),
    ("squeeze", squeezes, ["a", "group"], {"net_lots": 200, "long_lots": 210, "before_ticks": 4_000, "late_ticks": 4_500}),
    (
        "withholding", withholds, ["a"],
        {"injected_wh": 100_000, "offered_wh": 10_000, "withheld_wh": 90_000, "price_ticks": 6_000, "day_ticks": 4_181},
    ),
    ("order_to_trade", floods, ["a"], {"commands": 30, "trades": 0}),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "play", "names", "evidence"), EVIDENCE, ids=[row[0] for row in EVIDENCE])
def test_evidence(rule: str, play: Scenario, names: list[str], evidence: dict[str, int]) -> None:
    market = Watched()
    play(market)
    (alert,) = market.found(rule)
    assert alert.accounts == sorted(getattr(market, name) for name in names)
    assert alert.evidence == evidence
    known = {(int(row["sequence"]), int(row["index"])) for row in market.executions()} if alert.events else set()
    assert {tuple(event) for event in alert.events} <= known
    assert bool(alert.events) == (rule not in {"withholding", "order_to_trade"})


@pytest.mark.parametrize("size", [1, 3, 1_000])
def test_the_same_alerts_however_the_journal_is_cut(size: int) -> None:
    market = Watched()
    for play in (back_and_forth, same_owner, layers, floods, marks_the_close):
        play(market)
    replayed = Exchange(GENESIS)
    again = Surveillance(replayed, FEW)
    for start in range(0, len(market.log), size):
        documents, records = b"", []
        for record, document in market.log[start : start + size]:
            moved = record.copy()
            moved["document_offset"] = len(documents)
            records.append(moved)
            documents += document
        again.on_batch(replayed.apply(np.concatenate(records), documents, replayed.last_sequence + 1))
    assert list(again.alerts) == list(market.watch.alerts)
    assert len({alert.rule for alert in again.alerts}) >= 4


def test_the_same_thing_again_is_told_after_a_while_only() -> None:
    market = Watched()
    same_owner(market)
    same_owner(market)
    assert len(market.found("wash_trade_owner")) == 1
    market.later(600 * NS_PER_SECOND)
    same_owner(market)
    assert [alert.number for alert in market.found("wash_trade_owner")] == [1, 2]
    assert [alert.number for alert in market.watch.result(None, 1).alerts] == [2]
    assert market.watch.result("squeeze", 10).alerts == []


def test_a_stream_that_begins_later_blames_nobody_for_what_it_has_not_seen() -> None:
    market = Watched()
    market.place(market.a, market.first, Side.SELL, 6_300, 1_000)
    market.watch = Surveillance(market.exchange, FEW)
    market.trade(market.a, market.group, 5, 4_000, market.second)
    assert len(market.found("wash_trade_owner")) == 1
    _produces(market, 0)
    assert market.found("withholding") == []


def test_the_close_of_a_trading_day_is_a_close_too() -> None:
    market = National()
    watch = Surveillance(market.exchange, FEW)
    market.go("09:30")
    apply = market.exchange.apply

    def told(*args: Any) -> BatchResult:
        batch = apply(*args)
        watch.on_batch(batch)
        return batch

    market.exchange.apply = told  # type: ignore[method-assign]
    market.trade(6_200, 100)
    market.go("14:57")
    market.place(market.third, market.cea, BUY, 6_400, 10)
    market.place(market.seller, market.cea, SELL, 6_400, 10)
    market.place(market.third, market.cea, BUY, 6_450, 10)
    market.place(market.seller, market.cea, SELL, 6_450, 10)
    market.go("15:00")
    assert [(alert.rule, alert.accounts) for alert in watch.alerts] == [("marking_the_close", [market.third])]


def test_self_trades_that_the_book_allows_are_found() -> None:
    market = Watched()
    market.trade(market.a, market.a, 5, self_trade=int(SelfTrade.ALLOW))
    assert [alert.accounts for alert in market.found("wash_trade_owner")] == [[market.a]]
