"""Reduce-only orders: rows for what is refused and what is cut, and a random walk in which no fill of one ever enlarges or turns a position."""

import random
from collections import Counter
from typing import Any

import numpy as np
import pytest

from exchange.journal.record import CommandFlag, CommandKind
from exchange.order_path import canonical
from exchange.order_path.check import check_exchange
from exchange.order_path.path import BatchResult
from exchange.order_path.records import ExecutionKind, HouseReason
from exchange.protocol.documents import OpeningPosition, OpeningPositions
from exchange.protocol.reject_codes import RejectCode
from exchange.units import NS_PER_MINUTE
from matching.records import SelfTrade, Side, TimeInForce
from tests.exchange.order_path.park import OPEN_NS, Park, power_spec, units_spec
from tests.exchange.order_path.test_conditional_walk import small

BUY, SELL = int(Side.BUY), int(Side.SELL)
PREVENTIONS = [rule for rule in SelfTrade if rule is not SelfTrade.ALLOW]
REDUCE = int(CommandFlag.REDUCE_ONLY)


class Market(Park):
    """A storage that is long 10 lots of one period and short 10 of the next; a maker with room for both."""

    def __init__(self) -> None:
        super().__init__()
        self.battery = self.admit("S01", "storage", ["power_buy", "power_sell"], -1_000, 1_000, cash_cny=10_000)
        self.maker = self.admit("M01", "market_maker", ["power_buy", "power_sell", "cea_buy"], -10_000, 10_000, cash_cny=100_000)
        self.storage(self.battery)
        self.long, self.short, self.cea = self.list(power_spec(40), power_spec(41), units_spec())
        self.tick(OPEN_NS)
        self.place(self.maker, self.long, SELL, 4_000, 10)
        self.place(self.maker, self.short, BUY, 4_000, 10)
        self.place(self.battery, self.long, BUY, 4_000, 10)
        self.place(self.battery, self.short, SELL, 4_000, 10)

    def reduce(self, lots: int, price_ticks: int = 5_000, **fields: Any) -> np.void:
        """A reduce-only sell of the long period."""
        return self.place(self.battery, self.long, SELL, price_ticks, lots, **({"flags": REDUCE} | fields))

    def open_lots(self, instrument: int | None = None) -> list[tuple[bool, int]]:
        """(reduce-only, lots) of the storage's open orders, oldest first."""
        symbol = self.exchange.instrument_by_id(instrument or self.long).symbol
        return [(order.reduce_only, order.remaining_lots) for order in self.exchange.open_orders(self.battery) if order.symbol == symbol]


def _amend_up(market: Market) -> np.void:
    order = market.reduce(8)
    return market.amend(market.battery, int(order["order_id"]), 1, quantity_lots=11)


def _beside_another(market: Market) -> np.void:
    market.reduce(6)
    return market.reduce(5)


def _beside_an_ordinary_one(market: Market) -> np.void:
    market.place(market.battery, market.long, SELL, 6_000, 6)
    return market.reduce(5)


REFUSED = {
    "more than the position": (RejectCode.REDUCE_ONLY, lambda m: m.reduce(11)),
    "the wrong side": (RejectCode.REDUCE_ONLY, lambda m: m.place(m.battery, m.long, BUY, 3_000, 1, flags=REDUCE)),
    "without a position": (RejectCode.REDUCE_ONLY, lambda m: m.place(m.maker, m.long, SELL, 5_000, 11, flags=REDUCE)),
    "more than the short position": (RejectCode.REDUCE_ONLY, lambda m: m.place(m.battery, m.short, BUY, 3_000, 11, flags=REDUCE)),
    "with another one": (RejectCode.REDUCE_ONLY, _beside_another),
    "with an ordinary order": (RejectCode.REDUCE_ONLY, _beside_an_ordinary_one),
    "amended to more": (RejectCode.REDUCE_ONLY, _amend_up),
    "units": (RejectCode.INVALID_COMBINATION, lambda m: m.place(m.maker, m.cea, BUY, 6_000, 1, flags=REDUCE)),
    "with a minimum": (
        RejectCode.INVALID_COMBINATION, lambda m: m.reduce(5, flags=REDUCE | CommandFlag.MINIMUM, min_lots=2)),
    "all or none": (RejectCode.INVALID_COMBINATION, lambda m: m.reduce(5, flags=REDUCE | CommandFlag.ALL_OR_NONE)),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    code, attempt = REFUSED[name]
    market = Market()
    assert RejectCode(int(attempt(market)["code"])) is code
    check_exchange(market.exchange)


@pytest.mark.parametrize(
    ("flags", "fields"),
    [
        (0, {}), (CommandFlag.POST_ONLY, {}), (CommandFlag.ICEBERG, {"display_lots": 2}), (CommandFlag.STOP, {"stop_ticks": 3_000}),
        (CommandFlag.POST_ONLY | CommandFlag.REPRICE, {}),
    ],
)  # fmt: skip
def test_kinds_that_may_be_reduce_only(flags: int, fields: dict[str, int]) -> None:
    market = Market()
    assert market.reduce(10, flags=REDUCE | flags, **fields)["code"] == RejectCode.ACCEPTED
    assert market.open_lots() == [(True, 10)]
    market.place(market.battery, market.long, SELL, 6_000, 4)
    assert market.open_lots() == [(True, 6), (False, 4)]
    check_exchange(market.exchange)


def test_a_short_position_is_reduced_by_buying() -> None:
    market = Market()
    assert market.place(market.battery, market.short, BUY, 3_000, 10, flags=REDUCE)["code"] == RejectCode.ACCEPTED
    market.place(market.battery, market.short, BUY, 3_100, 3)
    assert market.open_lots(market.short) == [(True, 7), (False, 3)]
    check_exchange(market.exchange)


def test_contracts_count() -> None:
    market = Market()
    (later,) = market.list(power_spec(50, open_ns=OPEN_NS + NS_PER_MINUTE))
    symbol = market.exchange.instrument_by_id(later).symbol
    rows = [OpeningPosition(account=a, symbol=symbol, net_lots=lots) for a, lots in ((market.battery, 5), (market.maker, -5))]
    assert market.document(OpeningPositions(positions=rows))[0] == 0
    market.tick(OPEN_NS + NS_PER_MINUTE)
    assert market.place(market.battery, later, SELL, 5_000, 6, flags=REDUCE)["code"] == RejectCode.REDUCE_ONLY
    assert market.place(market.battery, later, SELL, 5_000, 5, flags=REDUCE)["code"] == RejectCode.ACCEPTED


def test_an_ordinary_order_takes_the_room_from_the_newest() -> None:
    market = Market()
    orders = [int(market.reduce(lots, price)["order_id"]) for lots, price in ((4, 5_000), (3, 5_100), (3, 5_200))]
    result = market.send(
        market.record(CommandKind.PLACE, market.battery, instrument=market.long, side=SELL, price_ticks=6_000, quantity_lots=5)
    )
    cuts = [
        (int(row["order_id"]), ExecutionKind(int(row["kind"])), int(row["quantity_lots"]), int(row["remaining_lots"]), int(row["reason"]))
        for row in result.executions
    ]
    assert cuts[:2] == [
        (orders[2], ExecutionKind.CANCELLED, 3, 0, HouseReason.REDUCE_ONLY),
        (orders[1], ExecutionKind.REDUCED, 2, 1, HouseReason.REDUCE_ONLY),
    ]
    assert cuts[2][1:] == (ExecutionKind.RESTED, 5, 5, 0)
    assert (result.outcomes[0]["cancelled_orders"], result.outcomes[0]["remaining_lots"]) == (0, 5)
    assert market.open_lots() == [(True, 4), (True, 1), (False, 5)]
    check_exchange(market.exchange)


def test_an_amend_to_more_takes_the_room_too() -> None:
    market = Market()
    market.reduce(6)
    ordinary = market.place(market.battery, market.long, SELL, 6_000, 4)
    assert market.amend(market.battery, int(ordinary["order_id"]), 1, quantity_lots=9)["code"] == RejectCode.ACCEPTED
    assert market.open_lots() == [(True, 1), (False, 9)]
    assert market.amend(market.battery, int(ordinary["order_id"]), 2, price_ticks=6_100)["code"] == RejectCode.ACCEPTED
    assert market.open_lots() == [(True, 1), (False, 9)]
    check_exchange(market.exchange)


def test_a_refused_order_takes_no_room() -> None:
    market = Market()
    market.reduce(10)
    assert market.place(market.battery, market.long, SELL, 6_000, 5_000)["code"] == RejectCode.POSITION_LIMIT
    assert market.open_lots() == [(True, 10)]


def test_one_sweep_over_both_kinds_does_not_turn_the_position() -> None:
    market = Market()
    market.reduce(10, 5_100)
    market.place(market.battery, market.long, SELL, 5_000, 6)
    swept = market.place(market.maker, market.long, BUY, 6_000, 50, time_in_force=TimeInForce.IOC)
    assert swept["filled_lots"] == 10
    assert market.exchange.positions(market.battery)[0].net_lots == 0
    check_exchange(market.exchange)


def test_a_cut_order_keeps_its_place() -> None:
    market = Market()
    market.reduce(10, 5_000)
    market.place(market.maker, market.long, SELL, 5_000, 10)
    market.place(market.battery, market.long, SELL, 6_000, 2)
    other = market.admit("M02", "market_maker", ["power_buy", "power_sell"], -100, 100)
    assert market.place(other, market.long, BUY, 5_000, 8)["filled_lots"] == 8
    assert market.open_lots() == [(False, 2)]


class Walk(Park):
    """Three makers and a storage in one period; each execution is followed, and the positions that it leaves are known before the next."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.random = random.Random(seed)
        self.members = [self.admit(f"T{n}", "market_maker", ["power_buy", "power_sell"], -300, 300, cash_cny=3_000) for n in range(3)]
        self.members.append(self.admit("S01", "storage", ["power_buy", "power_sell"], -300, 300, cash_cny=3_000))
        self.storage(self.members[3])
        (self.instrument,) = self.list(power_spec(40))
        self.tick(OPEN_NS)
        self.prepared = len(self.log)
        self.net: Counter[int] = Counter()
        self.reducing: set[int] = set()
        self.seen: Counter[str] = Counter()

    def step(self) -> None:
        record = self._command()
        next_id = int(self.exchange.state.counters[0].next_order_id)
        if record["kind"][0] == CommandKind.PLACE and record["flags"][0] & REDUCE:
            self.reducing.add(next_id)
        result = self.send(record)
        if int(result.outcomes[0]["order_id"]) != next_id and record["kind"][0] == CommandKind.PLACE:
            self.reducing.discard(next_id)
        self._follow(result)
        check_exchange(self.exchange)
        for account in self.members:
            net = [p.net_lots for p in self.exchange.positions(account)]
            assert self.net[account] == (net[0] if net else 0)

    def _follow(self, result: BatchResult) -> None:
        for row in result.executions:
            kind, lots, side = ExecutionKind(int(row["kind"])), int(row["quantity_lots"]), int(row["side"])
            if int(row["reason"]) == HouseReason.REDUCE_ONLY:
                self.seen[f"cut by {kind.name}"] += 1
                assert int(row["order_id"]) in self.reducing
            if kind is not ExecutionKind.TRADE:
                continue
            for account, order, bought in (
                (int(row["account"]), int(row["order_id"]), side == BUY), (int(row["counter_account"]), int(row["counter_order_id"]), side == SELL)
            ):  # fmt: skip
                before, after = self.net[account], self.net[account] + (lots if bought else -lots)
                self.net[account] = after
                if order in self.reducing:
                    self.seen["reducing fills"] += 1
                    assert abs(after) < abs(before)
                    assert before * after >= 0

    def _command(self) -> np.ndarray:
        rng = self.random
        account = rng.choice(self.members)
        mine = self.exchange.open_orders(account)
        choice = rng.random()
        if choice < 0.8 or not mine:
            return self._place(account)
        order = rng.choice(mine)
        if choice < 0.93:
            flags = rng.choice((CommandFlag.AMEND_PRICE, CommandFlag.AMEND_QUANTITY, CommandFlag.AMEND_PRICE | CommandFlag.AMEND_QUANTITY))
            return self.record(
                CommandKind.AMEND, account, order_id=order.order_id, revision=order.revision, flags=flags, price_ticks=rng.randint(4_000, 4_006),
                quantity_lots=rng.randint(1, 40),
            )  # fmt: skip
        if choice < 0.97:
            return self.record(CommandKind.CANCEL, account, order_id=order.order_id)
        self.now_ns += NS_PER_MINUTE
        return self.record(CommandKind.TICK, 0)

    def _place(self, account: int) -> np.ndarray:
        rng = self.random
        net, lots, side = self.net[account], rng.randint(1, 40), rng.randint(0, 1)
        flags = int(rng.choice((0, 0, 0, CommandFlag.ICEBERG, CommandFlag.STOP, CommandFlag.POST_ONLY | CommandFlag.REPRICE)))
        if rng.random() < 0.5:
            flags |= REDUCE
            if rng.random() < 0.9 and net:
                side, lots = (SELL if net > 0 else BUY), rng.randint(1, abs(net))
        return self.record(
            CommandKind.PLACE, account, instrument=self.instrument, side=side, price_ticks=rng.randint(4_000, 4_006), quantity_lots=lots, flags=flags,
            display_lots=max(1, lots // 3), stop_ticks=rng.randint(4_000, 4_006), self_trade=rng.choice(PREVENTIONS),
            time_in_force=rng.choice((TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC)) if flags in {0, REDUCE} else TimeInForce.GTC,
        )  # fmt: skip


@pytest.mark.parametrize("seed", range(2))
def test_no_reduce_only_fill_enlarges_or_turns_a_position(seed: int) -> None:
    walk = Walk(seed)
    for _ in range(240):
        walk.step()
    assert min(walk.seen[name] for name in ("reducing fills", "cut by CANCELLED", "cut by REDUCED")) > 0, walk.seen
    other = small()
    for record, documents in walk.log[: walk.prepared]:
        other.apply(record, documents, other.last_sequence + 1)
    records = np.concatenate([record for record, _ in walk.log[walk.prepared :]])
    rng, start = random.Random(seed), 0
    while start < len(records):
        end = min(len(records), start + rng.randint(1, 25))
        other.apply(records[start:end], b"", other.last_sequence + 1)
        start = end
        if rng.random() < 0.4:
            payload = canonical.snapshot(other)
            other = small()
            canonical.restore(other, payload)
            check_exchange(other)
    assert other.event_hash == walk.exchange.event_hash
    assert canonical.state_hash(other) == canonical.state_hash(walk.exchange)


def test_an_exchange_without_them_keeps_its_hash() -> None:
    market = Market()
    assert "reduce_only" not in canonical.content(market.exchange)
    market.reduce(3)
    assert canonical.content(market.exchange)["reduce_only"] == [int(market.exchange.open_orders(market.battery)[0].order_id)]
