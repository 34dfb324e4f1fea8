"""Orders with conditions through the whole order path: what they hold, what follows from a command to other orders, and how they end."""

from typing import Any

import numpy as np
import pytest

from exchange.journal.record import CommandFlag, CommandKind, OrderType
from exchange.order_path import canonical
from exchange.order_path.admit import conditions_contradict
from exchange.order_path.check import check_exchange
from exchange.order_path.entries import entry_flags
from exchange.order_path.path import BatchResult, Exchange
from exchange.order_path.records import ExecutionKind
from exchange.order_path.state import COMMAND_WORDS
from exchange.protocol.reject_codes import RejectCode
from exchange.units import NS_PER_HOUR, NS_PER_MINUTE
from matching.compile import kernel
from matching.records import ENTRY, EntryFlag, SelfTrade, Side, TimeInForce
from matching.refusals import contradicts
from tests.exchange.order_path.park import DAY_NS, GENESIS, OPEN_NS, Park, power_spec, units_spec

BUY, SELL = int(Side.BUY), int(Side.SELL)
GATE_NS = DAY_NS + 10 * NS_PER_HOUR - 5 * NS_PER_MINUTE
CONDITIONS = CommandFlag.POST_ONLY, CommandFlag.REPRICE, CommandFlag.ICEBERG, CommandFlag.MINIMUM, CommandFlag.ALL_OR_NONE, CommandFlag.STOP
ICEBERG, MINIMUM, ALL_OR_NONE, STOP = CommandFlag.ICEBERG, CommandFlag.MINIMUM, CommandFlag.ALL_OR_NONE, CommandFlag.STOP
REPRICE = CommandFlag.POST_ONLY | CommandFlag.REPRICE
# Per lot in the spec of the park: 10 micro-CNY a tick, fees of 50 at most, 4,000 for the park; sellers cover 6,500 ticks.
BUY_EXTRAS_MICRO, SELL_FEE_MICRO, DEFICIT_TICKS = 4_050, 50, 6_500


def buy_hold(lots: int, ticks: int) -> int:
    return lots * (10 * ticks + BUY_EXTRAS_MICRO)


def sell_hold(lots: int, ticks: int) -> int:
    return lots * (10 * max(0, DEFICIT_TICKS - ticks) + SELL_FEE_MICRO)


class Market(Park):
    """Two members who may buy and sell any amount of one quarter-hour, and a third."""

    def __init__(self) -> None:
        super().__init__()
        members = [self.admit(f"T{n}", "market_maker", ["power_buy", "power_sell"], low=-100_000, high=100_000, cash_cny=100_000) for n in range(3)]
        self.one_member, self.other, self.third = members
        self.power, self.later = self.list(power_spec(40), power_spec(41))
        self.tick(OPEN_NS)

    def enter(self, account: int, side: int, price_ticks: int, lots: int, flags: int = 0, **fields: Any) -> BatchResult:
        """Result of one order in the first instrument; the books are checked."""
        record = self.record(
            CommandKind.PLACE, account, instrument=self.power, side=side, price_ticks=price_ticks, quantity_lots=lots, flags=flags, **fields
        )
        result = self.send(record)
        check_exchange(self.exchange)
        return result

    def held(self, account: int) -> int:
        """Cash that open orders hold: positions hold what they hold."""
        positions = sum(position.held_micro for position in self.exchange.positions(account))
        return self.exchange.balances(account).held_micro - positions


def told(result: BatchResult) -> list[tuple[str, int, int, int]]:
    """(kind, order, price, quantity) of each execution."""
    return [
        (ExecutionKind(int(row["kind"])).name, int(row["order_id"]), int(row["price_ticks"]), int(row["quantity_lots"])) for row in result.executions
    ]


def outcome(result: BatchResult) -> tuple[int, int, int]:
    """(code, filled, open) of the command."""
    row = result.outcomes[0]
    return int(row["code"]), int(row["filled_lots"]), int(row["remaining_lots"])


@kernel
def contradictions(commands: Any, entries: Any, found: Any) -> None:
    """Whether admission and the books call each command contradictory; fills the flags of the entries."""
    for i in range(commands.shape[0]):
        reprice = EntryFlag.REPRICE if commands[i]["flags"] & CommandFlag.REPRICE else 0
        entries[i]["flags"] = entry_flags(np.int64(commands[i]["flags"])) | reprice
        found[i, 0] = conditions_contradict(commands[i])
        found[i, 1] = contradicts(entries[i])


def test_admission_refuses_what_the_books_would_refuse() -> None:
    """All combinations: the books do not check, so admission may let nothing through that contradicts there, and nothing else be refused."""
    cases = [
        (sum(int(flag) for n, flag in enumerate(CONDITIONS) if bits >> n & 1), int(time_in_force))
        for bits in range(1 << len(CONDITIONS))
        for time_in_force in TimeInForce
    ]
    commands = np.zeros(len(cases), COMMAND_WORDS).view(np.recarray)
    entries = np.zeros(len(cases), ENTRY).view(np.recarray)
    commands["flags"], commands["time_in_force"] = np.array(cases).T
    entries["time_in_force"] = commands["time_in_force"]
    found = np.zeros((len(cases), 2), np.int64)
    contradictions(commands, entries, found)
    assert [case for case, (ours, theirs) in zip(cases, found.tolist(), strict=True) if ours != theirs] == []
    assert 0 < found[:, 0].sum() < len(cases)


@pytest.mark.parametrize(
    ("field", "value"), [("side", 2), ("order_type", 2), ("time_in_force", 6), ("self_trade", 5)], ids=str
)
def test_unknown_values_of_a_foreign_journal_are_refused(field: str, value: int) -> None:
    market = Market()
    result = market.enter(market.one_member, **({"side": BUY, "price_ticks": 4_000, "lots": 5} | {field: value}))
    assert result.outcomes[0]["code"] in {RejectCode.INVALID_COMBINATION, RejectCode.NO_PERMISSION}
    assert market.held(market.one_member) == 0


def test_iceberg_shows_its_clips_and_holds_for_all() -> None:
    """Story 2: 2,000 kWh shown in clips of 250 kWh, each clip at the end of the queue."""
    market = Market()
    iceberg = int(market.enter(market.one_member, SELL, 4_000, 20_000, ICEBERG, display_lots=2_500).outcomes[0]["order_id"])
    behind = int(market.enter(market.other, SELL, 4_000, 1_000).outcomes[0]["order_id"])
    assert market.held(market.one_member) == sell_hold(20_000, 4_000)
    assert market.exchange.depth("GP-20260715-1000", SELL, 1)["quantity_lots"].tolist() == [3_500]
    result = market.enter(market.third, BUY, 4_000, 4_000)
    assert outcome(result) == (0, 4_000, 0)
    assert [(kind, quantity) for kind, _, _, quantity in told(result)] == [("TRADE", 2_500), ("REFILLED", 2_500), ("TRADE", 1_000), ("TRADE", 500)]
    assert [int(row["counter_order_id"]) for row in result.executions if row["kind"] == ExecutionKind.TRADE] == [iceberg, behind, iceberg]
    assert market.held(market.one_member) == sell_hold(17_000, 4_000)
    assert market.exchange.depth("GP-20260715-1000", SELL, 1)["quantity_lots"].tolist() == [2_000]
    (order,) = market.exchange.open_orders(market.one_member)
    assert (order.remaining_lots, order.filled_lots, order.original_lots) == (17_000, 3_000, 20_000)


def test_iceberg_grows_only_as_far_as_it_shows() -> None:
    market = Market()
    iceberg = int(market.enter(market.one_member, SELL, 4_000, 100, ICEBERG, display_lots=1).outcomes[0]["order_id"])
    assert market.amend(market.one_member, iceberg, 1, quantity_lots=101)["code"] == RejectCode.DISPLAY_OUT_OF_RANGE
    assert market.amend(market.one_member, iceberg, 1, quantity_lots=60)["code"] == 0
    assert market.held(market.one_member) == sell_hold(60, 4_000)
    check_exchange(market.exchange)


@pytest.mark.parametrize(
    ("side", "limit_ticks", "best_ticks", "rests_at"),
    [(BUY, 4_500, 4_000, 3_999), (SELL, 3_500, 4_000, 4_001), (BUY, 3_000, 4_000, 3_000), (SELL, 9_000, 4_000, 9_000)],
)
def test_repriced_order_holds_for_the_price_it_rests_at(side: int, limit_ticks: int, best_ticks: int, rests_at: int) -> None:
    market = Market()
    market.enter(market.other, 1 - side, best_ticks, 10)
    result = market.enter(market.one_member, side, limit_ticks, 7, REPRICE)
    assert told(result)[0][::2] == ("RESTED", rests_at)
    assert market.held(market.one_member) == (buy_hold if side == BUY else sell_hold)(7, rests_at)
    order_id = int(result.outcomes[0]["order_id"])
    assert market.amend(market.one_member, order_id, 1, price_ticks=limit_ticks)["code"] == 0
    assert market.exchange.open_orders(market.one_member)[0].price_ticks == rests_at
    check_exchange(market.exchange)


@pytest.mark.parametrize(("side", "edge_ticks"), [(BUY, 1_000), (SELL, 20_000)])
def test_post_only_ends_where_the_band_has_no_price_behind(side: int, edge_ticks: int) -> None:
    market = Market()
    market.enter(market.other, 1 - side, edge_ticks, 10)
    assert outcome(market.enter(market.one_member, side, edge_ticks, 7, REPRICE))[0] == RejectCode.POST_ONLY_WOULD_CROSS
    assert market.held(market.one_member) == 0


def test_stop_holds_its_protection_price_and_runs_in_the_command_that_triggers_it() -> None:
    """Its trades are its own account's, not those of the command; it is released at its own limit."""
    market = Market()
    stop = int(market.enter(market.third, BUY, 0, 30, STOP, stop_ticks=4_100, order_type=OrderType.MARKET).outcomes[0]["order_id"])
    assert market.held(market.third) == buy_hold(30, 20_000)
    market.enter(market.one_member, SELL, 4_100, 10)
    asks = [int(market.enter(market.one_member, SELL, ticks, 10).outcomes[0]["order_id"]) for ticks in (4_200, 4_300)]
    assert len(market.exchange.depth("GP-20260715-1000", BUY, 5)) == 0
    cash_micro = market.exchange.balances(market.third).balance_micro
    result = market.enter(market.other, BUY, 4_100, 5)
    assert outcome(result) == (0, 5, 0)
    assert int(result.outcomes[0]["notional_micro"]) == 5 * 4_100 * 10
    assert int(result.outcomes[0]["cancelled_orders"]) == 0
    assert [(kind, order, quantity) for kind, order, _, quantity in told(result)][1:] == [
        ("TRIGGERED", stop, 30), ("TRADE", stop, 5), ("TRADE", stop, 10), ("TRADE", stop, 10), ("CANCELLED", stop, 5),
    ]  # fmt: skip
    assert [int(row["counter_order_id"]) for row in result.executions][3:5] == asks
    assert {row["client_order_id"] for row in result.executions[1:]} == {b"c1"}
    spent_micro = 10 * (5 * 4_100 + 10 * 4_200 + 10 * 4_300) + 25 * 50
    assert market.exchange.balances(market.third).balance_micro == cash_micro - spent_micro
    assert market.held(market.third) == 0
    assert market.exchange.open_orders(market.third) == []


def test_stop_limit_rests_with_what_is_left() -> None:
    market = Market()
    stop = int(market.enter(market.third, SELL, 3_900, 30, STOP, stop_ticks=4_000).outcomes[0]["order_id"])
    assert market.held(market.third) == sell_hold(30, 3_900)
    market.enter(market.one_member, BUY, 4_000, 12)
    result = market.enter(market.other, SELL, 4_000, 2)
    assert [kind for kind, *_ in told(result)] == ["TRADE", "TRIGGERED", "TRADE", "RESTED"]
    (order,) = market.exchange.open_orders(market.third)
    assert (order.order_id, order.price_ticks, order.remaining_lots, order.filled_lots) == (stop, 3_900, 20, 10)


def test_entering_order_rests_and_is_filled_in_the_same_command() -> None:
    """It takes the slot of the maker it has just used up, and an all-or-none order that waited for it trades with it at once."""
    market = Market()
    market.enter(market.one_member, SELL, 4_000, 5)
    market.enter(market.third, SELL, 4_000, 20, ALL_OR_NONE)
    result = market.enter(market.other, BUY, 4_000, 30)
    own = int(result.outcomes[0]["order_id"])
    assert outcome(result) == (0, 25, 5)
    assert [(kind, order) for kind, order, *_ in told(result)] == [("TRADE", own), ("TRADE", own), ("RESTED", own)]
    first_buy = market.enter(market.other, BUY, 3_900, 10)
    waits = int(market.enter(market.third, SELL, 3_900, 25, ALL_OR_NONE).outcomes[0]["order_id"])
    assert outcome(first_buy) == (0, 0, 10)
    result = market.enter(market.one_member, BUY, 3_950, 12)
    newcomer = int(result.outcomes[0]["order_id"])
    kinds = [(kind, order) for kind, order, *_ in told(result)]
    assert kinds == [("RESTED", newcomer), ("TRADE", waits), ("TRADE", waits), ("TRADE", waits)]
    makers = [int(row["counter_order_id"]) for row in result.executions][1:]
    assert makers == [own, newcomer, int(first_buy.outcomes[0]["order_id"])]
    assert outcome(result) == (0, 12, 0)
    assert market.exchange.open_orders(market.one_member) == []
    (left,) = market.exchange.open_orders(market.other)
    assert (left.remaining_lots, left.filled_lots) == (2, 8)


def test_minimum_waits_trades_its_minimum_and_rests() -> None:
    market = Market()
    market.enter(market.one_member, BUY, 4_000, 30, MINIMUM, min_lots=20)
    assert market.held(market.one_member) == buy_hold(30, 4_000)
    assert outcome(market.enter(market.other, SELL, 4_000, 19)) == (0, 0, 19)
    result = market.enter(market.third, SELL, 4_000, 1)
    assert [kind for kind, *_ in told(result)] == ["RESTED", "TRADE", "TRADE", "RESTED"]
    assert outcome(result) == (0, 1, 0)
    assert market.held(market.one_member) == buy_hold(10, 4_000)


def test_minimum_that_is_not_there_at_once() -> None:
    market = Market()
    market.enter(market.other, SELL, 4_000, 19)
    result = market.enter(market.one_member, BUY, 4_000, 30, MINIMUM, min_lots=20, time_in_force=TimeInForce.IOC)
    assert outcome(result) == (RejectCode.MINIMUM_UNFILLABLE, 0, 0)
    assert market.held(market.one_member) == 0


def _set_waiting(market: Market, **fields: Any) -> list[int]:
    """One order of each kind that waits, and an iceberg, all of one account; (order ids)."""
    entries = [
        (BUY, 3_000, 10, ALL_OR_NONE, {}), (SELL, 9_000, 10, MINIMUM, {"min_lots": 3}), (BUY, 5_000, 10, STOP, {"stop_ticks": 4_500}),
        (SELL, 2_000, 10, STOP | MINIMUM, {"stop_ticks": 2_500, "min_lots": 2}), (SELL, 9_500, 10, ICEBERG, {"display_lots": 4}),
    ]  # fmt: skip
    common = int(fields.pop("flags", 0))
    return [
        int(market.enter(market.one_member, side, ticks, lots, flags | common, **own, **fields).outcomes[0]["order_id"])
        for side, ticks, lots, flags, own in entries
    ]


@pytest.mark.parametrize("way", ["gate", "good till gate", "gtd", "mass cancel", "disconnect", "cancel"])
def test_every_way_to_end_reaches_orders_beside_the_ladder(way: str) -> None:
    market = Market()
    fields: dict[str, Any] = {
        "gtd": {"time_in_force": TimeInForce.GTD, "expiry_ns": OPEN_NS + 1_000},
        "good till gate": {"time_in_force": TimeInForce.GATE},
        "disconnect": {"session": 9, "flags": CommandFlag.CANCEL_ON_DISCONNECT},
    }.get(way, {})
    orders = _set_waiting(market, **fields)
    assert {order.order_id for order in market.exchange.open_orders(market.one_member)} == set(orders)
    if way in {"gate", "good till gate"}:
        result = market.tick(GATE_NS)
    elif way == "gtd":
        result = market.tick(OPEN_NS + 1_000)
    elif way == "mass cancel":
        everything = CommandFlag.ALL_INSTRUMENTS | CommandFlag.ALL_SIDES | CommandFlag.ALL_LABELS
        result = market.send(market.record(CommandKind.MASS_CANCEL, market.one_member, flags=everything))
        assert result.outcomes[0]["cancelled_orders"] == len(orders)
    elif way == "disconnect":
        result = market.send(market.record(CommandKind.SESSION_CLOSED, market.one_member, session=9))
    else:
        result = market.send(np.concatenate([market.record(CommandKind.CANCEL, market.one_member, order_id=order) for order in orders]))
    assert sorted(order for kind, order, *_ in told(result) if kind == "CANCELLED") == orders
    assert market.held(market.one_member) == 0
    assert market.exchange.open_orders(market.one_member) == []
    check_exchange(market.exchange)


def test_session_orders_beside_the_ladder_end_with_the_day() -> None:
    market = Market()
    (cea,) = market.list(units_spec("CEA25", calendar="cea"))
    account = market.admit("C1", "enterprise", ["cea_buy"], cash_cny=100_000)
    market.tick(DAY_NS + 10 * NS_PER_HOUR)
    for time_in_force, flags in ((TimeInForce.SESSION, STOP), (TimeInForce.SESSION, ALL_OR_NONE), (TimeInForce.GTC, STOP)):
        market.place(account, cea, BUY, 6_000, 1, flags=flags, stop_ticks=6_100, time_in_force=time_in_force)
    market.tick(DAY_NS + 16 * NS_PER_HOUR)
    (kept,) = market.exchange.open_orders(account)
    assert kept.time_in_force == TimeInForce.GTC
    check_exchange(market.exchange)


def test_amended_stop_exchanges_its_hold_and_waits_on() -> None:
    market = Market()
    stop = int(market.enter(market.one_member, BUY, 4_200, 10, STOP, stop_ticks=4_100).outcomes[0]["order_id"])
    answer = market.amend(market.one_member, stop, 1, price_ticks=4_300, quantity_lots=20)
    assert (answer["code"], answer["remaining_lots"], answer["revision"]) == (0, 20, 2)
    assert market.held(market.one_member) == buy_hold(20, 4_300)
    market.amend(market.one_member, stop, 2, quantity_lots=5)
    assert market.held(market.one_member) == buy_hold(5, 4_300)
    check_exchange(market.exchange)


def test_amend_may_trigger_orders_of_others() -> None:
    market = Market()
    bid = int(market.enter(market.one_member, BUY, 3_900, 10).outcomes[0]["order_id"])
    market.enter(market.other, SELL, 4_000, 4)
    stop = int(market.enter(market.third, BUY, 4_500, 3, STOP, stop_ticks=4_000).outcomes[0]["order_id"])
    market.enter(market.other, SELL, 4_400, 5)
    answer = market.amend(market.one_member, bid, 1, price_ticks=4_000)
    assert (answer["filled_lots"], answer["remaining_lots"], answer["code"]) == (4, 6, 0)
    assert all(order.order_id != stop for order in market.exchange.open_orders(market.third))
    (order,) = market.exchange.open_orders(market.one_member)
    assert (order.filled_lots, order.remaining_lots, order.revision) == (4, 6, 2)
    check_exchange(market.exchange)


def test_decrement_of_an_iceberg_releases_what_both_lose() -> None:
    market = Market()
    market.enter(market.one_member, SELL, 4_000, 10, ICEBERG, display_lots=4)
    result = market.enter(market.one_member, BUY, 4_000, 6, self_trade=SelfTrade.DECREMENT)
    assert [kind for kind, *_ in told(result)] == ["REDUCED", "REFILLED", "REDUCED", "REDUCED", "CANCELLED"]
    assert market.held(market.one_member) == sell_hold(4, 4_000)


def test_snapshot_keeps_orders_beside_the_ladder() -> None:
    market = Market()
    _set_waiting(market)
    restored = Exchange(GENESIS)
    canonical.restore(restored, canonical.snapshot(market.exchange))
    check_exchange(restored)
    other = Park(restored)
    other.now_ns, other._client_orders = market.now_ns, market._client_orders
    for park in (market, other):
        park.place(market.other, market.power, SELL, 4_500, 5)
        park.place(market.third, market.power, BUY, 4_500, 5)
        park.place(market.third, market.power, SELL, 5_000, 20)
        check_exchange(park.exchange)
    assert restored.event_hash == market.exchange.event_hash
    assert canonical.state_hash(restored) == canonical.state_hash(market.exchange)
