"""One row a reject code of admission and matching: the lowest code that applies is told, and nothing changes but the idempotency key."""

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest

from exchange.journal.record import CommandFlag, CommandKind
from exchange.order_path import canonical
from exchange.order_path.check import check_exchange
from exchange.order_path.records import OutcomeFlag
from exchange.protocol.documents import Checkpoint, Deposit, SetPhase, encode_document
from exchange.protocol.reject_codes import RejectCode
from exchange.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE
from matching.records import SelfTrade, Side, TimeInForce
from tests.exchange.order_path.park import DAY_NS, OPEN_NS, Park, power_spec, units_spec

BUY, SELL = int(Side.BUY), int(Side.SELL)


class Market(Park):
    """A load, a generator, a storage and a trader of units, open for trading; the generator offers 100 lots at 0.40."""

    def __init__(self) -> None:
        super().__init__()
        everything = ["power_buy", "power_sell", "cea_buy", "cea_sell", "gec_buy", "gec_sell"]
        self.load = self.admit("E01", "enterprise", everything, high=1_000, cash_cny=500)
        self.solar = self.admit("PV01", "generator", ["power_buy", "power_sell"], low=-1_000, cash_cny=500)
        self.battery = self.admit("S01", "storage", ["power_buy", "power_sell"], low=-100_000, high=100_000)
        self.trader = self.admit("CO1", "enterprise", everything[2:], cash_cny=100_000)
        self.storage(self.battery, soc_wh=4_000, soc_max_wh=9_000, power_w=20_000)
        self.power, self.later, self.cea, self.gec = self.list(
            power_spec(40), power_spec(41), units_spec("CEA25"), units_spec("GEC-202605-PV", instrument_class="gec", resale="none")
        )
        self.issue(self.trader, "CEA25", 50)
        self.issue(self.trader, "GEC-202605-PV", 50)
        self.tick(OPEN_NS)
        self.offer = int(self.place(self.solar, self.power, SELL, 4_000, 100)["order_id"])


def _second_use(market: Market) -> np.void:
    market.place(market.load, market.power, BUY, 3_000, 1, client_order_id="again")
    return market.place(market.load, market.power, BUY, 3_000, 2, client_order_id="again")


def _bought_today(market: Market) -> np.void:
    market.place(market.trader, market.cea, SELL, 6_000, 10)
    market.place(market.load, market.cea, BUY, 6_000, 10, client_order_id="x")
    market.document(Deposit(account=market.load, amount_micro=10**12, reference="more"))
    assert market.place(market.load, market.cea, BUY, 6_000, 10)["filled_lots"] == 10
    return market.place(market.load, market.cea, SELL, 6_000, 1)


def _one_hop(market: Market) -> np.void:
    market.document(Deposit(account=market.load, amount_micro=10**12, reference="more"))
    market.place(market.trader, market.gec, SELL, 6_000, 10)
    assert market.place(market.load, market.gec, BUY, 6_000, 10)["filled_lots"] == 10
    market.tick(market.now_ns + 3 * NS_PER_DAY)
    return market.place(market.load, market.gec, SELL, 6_000, 1)


def _halted(market: Market) -> np.void:
    assert market.document(SetPhase(symbol="GP-20260715-1000", phase="halted", reason="test"))[0] == 0
    return market.place(market.load, market.power, BUY, 4_000, 1)


def _after_gate(market: Market) -> np.void:
    market.tick(DAY_NS + 10 * NS_PER_HOUR - 5 * NS_PER_MINUTE)
    return market.place(market.load, market.power, BUY, 4_000, 1)


def _recovery(market: Market) -> np.void:
    market.one(CommandKind.NODE_STARTED, 0, quantity_lots=2, expiry_ns=NS_PER_MINUTE)
    return market.place(market.load, market.power, BUY, 4_000, 1)


def _own_order(market: Market) -> np.void:
    market.place(market.battery, market.later, SELL, 4_000, 5)
    return market.place(market.battery, market.later, BUY, 4_000, 5, self_trade=SelfTrade.CANCEL_NEWEST)


def _stop_counts(market: Market) -> np.void:
    market.document(Deposit(account=market.load, amount_micro=10**12, reference="more"))
    market.place(market.load, market.power, BUY, 4_500, 600, flags=CommandFlag.STOP, stop_ticks=4_400)
    return market.place(market.load, market.power, BUY, 3_000, 401, flags=CommandFlag.ALL_OR_NONE)


def _stop_discharges(market: Market) -> np.void:
    market.place(market.battery, market.later, SELL, 4_000, 20, flags=CommandFlag.STOP, stop_ticks=4_100)
    return market.place(market.battery, market.later, SELL, 9_000, 20, flags=CommandFlag.ALL_OR_NONE)


Case = Callable[[Market], Any]
CASES: dict[str, tuple[RejectCode, Case]] = {
    "no client order id": (RejectCode.INVALID_CLIENT_ORDER_ID, lambda m: m.place(m.load, m.power, BUY, 4_000, 1, client_order_id="")),
    "key with other content": (RejectCode.CLIENT_ORDER_ID_REUSED, _second_use),
    "late command": (RejectCode.DEADLINE_PASSED, lambda m: m.place(m.load, m.power, BUY, 4_000, 1, deadline_ns=m.now_ns - 1)),
    "expired on arrival": (
        RejectCode.EXPIRY_PASSED, lambda m: m.place(m.load, m.power, BUY, 4_000, 1, time_in_force=TimeInForce.GTD, expiry_ns=m.now_ns)),
    "unknown account": (RejectCode.ACCOUNT_SUSPENDED, lambda m: m.place(99, m.power, BUY, 4_000, 1)),
    "account beyond the table": (RejectCode.ACCOUNT_SUSPENDED, lambda m: m.place(4_000_000, m.power, BUY, 4_000, 1)),
    "operators do not trade": (RejectCode.NO_PERMISSION, lambda m: m.place(32, m.power, BUY, 4_000, 1)),
    "no permission for units": (RejectCode.NO_PERMISSION, lambda m: m.place(m.solar, m.cea, BUY, 6_000, 1)),
    "cancel of nothing": (RejectCode.UNKNOWN_ORDER, lambda m: m.cancel(m.load, 999)),
    "cancel of another's order": (RejectCode.UNKNOWN_ORDER, lambda m: m.cancel(m.load, m.offer)),
    "amend of another's order": (RejectCode.UNKNOWN_ORDER, lambda m: m.amend(m.load, m.offer, 1, quantity_lots=5)),
    "amend of an old revision": (RejectCode.REVISION_MISMATCH, lambda m: m.amend(m.solar, m.offer, 2, quantity_lots=5)),
    "cancel-only after a restart": (RejectCode.RECOVERY_CANCEL_ONLY, _recovery),
    "unknown instrument id": (RejectCode.NOT_OPEN_FOR_TRADING, lambda m: m.place(m.load, 999, BUY, 4_000, 1)),
    "after gate closure": (RejectCode.NOT_OPEN_FOR_TRADING, _after_gate),
    "halted": (RejectCode.NOT_OPEN_FOR_TRADING, _halted),
    "below the band": (RejectCode.PRICE_OUTSIDE_BAND, lambda m: m.place(m.load, m.power, BUY, 999, 1)),
    "0.01 above the daily limit": (RejectCode.PRICE_OUTSIDE_BAND, lambda m: m.place(m.trader, m.cea, BUY, 6_821, 1)),
    "beyond the size of an order": (RejectCode.QUANTITY_OUT_OF_RANGE, lambda m: m.place(m.load, m.power, BUY, 4_000, 1_000_001)),
    "more than the connection": (RejectCode.POSITION_LIMIT, lambda m: m.place(m.load, m.power, BUY, 4_000, 1_001)),
    "a load sells what it has not bought": (RejectCode.POSITION_LIMIT, lambda m: m.place(m.load, m.power, SELL, 4_000, 1)),
    "more than nameplate with open sells": (RejectCode.POSITION_LIMIT, lambda m: m.place(m.solar, m.power, SELL, 4_000, 901)),
    "faster than the rating": (RejectCode.STORAGE_RATING, lambda m: m.place(m.battery, m.later, BUY, 4_000, 51)),
    "more than is in it": (RejectCode.STORAGE_ENERGY, lambda m: m.place(m.battery, m.later, SELL, 4_000, 38)),
    "units that are not there": (RejectCode.INSUFFICIENT_UNITS, lambda m: m.place(m.trader, m.cea, SELL, 6_000, 51)),
    "units bought today": (RejectCode.INSUFFICIENT_UNITS, _bought_today),
    "a certificate has one hop": (RejectCode.INSUFFICIENT_UNITS, _one_hop),
    "more than the cash": (RejectCode.INSUFFICIENT_CASH, lambda m: m.place(m.load, m.cea, BUY, 6_000, 10)),
    "post-only that would trade": (RejectCode.POST_ONLY_WOULD_CROSS, lambda m: m.place(m.load, m.power, BUY, 4_000, 1, flags=CommandFlag.POST_ONLY)),
    "fill-or-kill too large": (
        RejectCode.FILL_OR_KILL_UNFILLABLE, lambda m: m.place(m.load, m.power, BUY, 4_000, 101, time_in_force=TimeInForce.FOK)),
    "hidden to the last lot": (
        RejectCode.DISPLAY_OUT_OF_RANGE, lambda m: m.place(m.load, m.power, BUY, 3_000, 201, flags=CommandFlag.ICEBERG, display_lots=2)),
    "shows nothing": (RejectCode.DISPLAY_OUT_OF_RANGE, lambda m: m.place(m.load, m.power, BUY, 3_000, 10, flags=CommandFlag.ICEBERG)),
    "shows more than there is": (
        RejectCode.DISPLAY_OUT_OF_RANGE, lambda m: m.place(m.load, m.power, BUY, 3_000, 10, flags=CommandFlag.ICEBERG, display_lots=11)),
    "minimum of nothing": (RejectCode.MINIMUM_OUT_OF_RANGE, lambda m: m.place(m.load, m.power, BUY, 3_000, 10, flags=CommandFlag.MINIMUM)),
    "minimum above the quantity": (
        RejectCode.MINIMUM_OUT_OF_RANGE, lambda m: m.place(m.load, m.power, BUY, 3_000, 10, flags=CommandFlag.MINIMUM, min_lots=11)),
    "stop beyond the range": (
        RejectCode.PRICE_OUT_OF_RANGE, lambda m: m.place(m.load, m.power, BUY, 3_000, 10, flags=CommandFlag.STOP, stop_ticks=30_001)),
    "conditions that contradict": (
        RejectCode.INVALID_COMBINATION,
        lambda m: m.place(m.load, m.power, BUY, 3_000, 10, flags=CommandFlag.MINIMUM | CommandFlag.ALL_OR_NONE, min_lots=5)),
    "stop counts in the worst case": (RejectCode.POSITION_LIMIT, _stop_counts),
    "stop counts for the storage": (RejectCode.STORAGE_ENERGY, _stop_discharges),
    "minimum that is not there": (
        RejectCode.MINIMUM_UNFILLABLE,
        lambda m: m.place(
            m.load, m.power, BUY, 4_000, 200, flags=CommandFlag.MINIMUM, min_lots=101, time_in_force=TimeInForce.IOC)),
    "nothing to hit": (RejectCode.NO_LIQUIDITY, lambda m: m.place(m.load, m.power, BUY, 3_999, 1, time_in_force=TimeInForce.IOC)),
    "own order in the way": (RejectCode.SELF_TRADE_PREVENTED, _own_order),
    "amend to nothing": (RejectCode.AMEND_BELOW_FILLED, lambda m: m.amend(m.solar, m.offer, 1, quantity_lots=0)),
}  # fmt: skip


TIME_PASSES = {"after gate closure", "a certificate has one hop"}
OWN_ORDERS_HOLD = {"own order in the way", "stop counts for the storage"}


@pytest.mark.parametrize("name", CASES)
def test_refusal(name: str) -> None:
    code, attempt = CASES[name]
    market = Market()
    balances = [market.exchange.balances(a) for a in (market.solar, market.battery)]
    assert RejectCode(int(attempt(market)["code"])) is code
    if name not in TIME_PASSES | OWN_ORDERS_HOLD:
        assert [market.exchange.balances(a) for a in (market.solar, market.battery)] == balances
    check_exchange(market.exchange)


def test_resend_gets_the_recorded_outcome() -> None:
    market = Market()
    first = market.place(market.load, market.power, BUY, 4_000, 60, client_order_id="once")
    before = canonical.content(market.exchange)
    again = market.place(market.load, market.power, BUY, 4_000, 60, client_order_id="once")
    assert again["flags"] == first["flags"] | OutcomeFlag.DUPLICATE
    for field in ("order_id", "filled_lots", "remaining_lots", "notional_micro", "code"):
        assert again[field] == first[field]
    after = canonical.content(market.exchange)
    assert {k: v for k, v in after.items() if k != "counters"} == {k: v for k, v in before.items() if k != "counters"}


def test_refused_keys_are_consumed_too() -> None:
    market = Market()
    assert market.place(market.load, market.power, SELL, 4_000, 1, client_order_id="no")["code"] == RejectCode.POSITION_LIMIT
    market.place(market.load, market.power, BUY, 4_000, 10)
    again = market.place(market.load, market.power, SELL, 4_000, 1, client_order_id="no")
    assert (again["code"], again["flags"]) == (RejectCode.POSITION_LIMIT, OutcomeFlag.DUPLICATE)


def test_keys_leave_after_retention_unless_their_order_rests() -> None:
    market = Market()
    market.place(market.trader, market.cea, BUY, 5_600, 1, client_order_id="rests")
    market.place(market.load, market.power, BUY, 4_000, 1, client_order_id="ends")
    market.tick(market.now_ns + 3 * NS_PER_DAY)
    assert market.place(market.trader, market.cea, BUY, 5_600, 1, client_order_id="rests")["flags"] & OutcomeFlag.DUPLICATE
    assert market.place(market.load, market.power, BUY, 4_000, 1, client_order_id="ends")["code"] == RejectCode.NOT_OPEN_FOR_TRADING
    check_exchange(market.exchange)


def test_gate_closure_fires_before_a_late_command() -> None:
    """The gate closes at its own time although no tick told the exchange."""
    market = Market()
    market.now_ns = DAY_NS + 12 * NS_PER_HOUR
    result = market.send(market.record(CommandKind.PLACE, market.load, instrument=market.power, side=BUY, price_ticks=4_000, quantity_lots=1))
    assert result.outcomes[0]["code"] == RejectCode.NOT_OPEN_FOR_TRADING
    (expired,) = [row for row in result.executions if row["order_id"] == market.offer]
    assert int(expired["stamp_ns"]) == DAY_NS + 10 * NS_PER_HOUR - 5 * NS_PER_MINUTE
    assert market.exchange.balances(market.solar).held_micro == 0


def test_market_order_is_protected_by_the_band() -> None:
    market = Market()
    taken = market.market(market.load, market.power, BUY, 150)
    assert (taken["code"], taken["filled_lots"], taken["remaining_lots"]) == (0, 100, 0)
    assert market.exchange.balances(market.load).held_micro == 100 * 4_000


def test_amend_down_keeps_priority_and_amend_up_loses_it() -> None:
    market = Market()
    second = int(market.place(market.battery, market.power, SELL, 4_000, 10)["order_id"])
    market.amend(market.solar, market.offer, 1, quantity_lots=20)
    first = market.place(market.load, market.power, BUY, 4_000, 1)
    assert market.exchange.open_orders(market.solar)[0].remaining_lots == 19, first
    assert market.amend(market.solar, market.offer, 2, quantity_lots=30)["revision"] == 3
    market.place(market.load, market.power, BUY, 4_000, 1)
    assert market.exchange.open_orders(market.battery)[0].order_id == second
    assert market.exchange.open_orders(market.battery)[0].remaining_lots == 9
    check_exchange(market.exchange)


def test_mass_cancel_by_side_and_label() -> None:
    market = Market()
    orders = [
        int(market.place(market.battery, market.later, side, price, 3, label=label)["order_id"])
        for side, price, label in ((BUY, 3_000, 1), (BUY, 3_100, 2), (SELL, 5_000, 1))
    ]
    outcome = market.one(CommandKind.MASS_CANCEL, market.battery, instrument=market.later, side=BUY, label=2)
    assert outcome["cancelled_orders"] == 1
    assert [order.order_id for order in market.exchange.open_orders(market.battery)] == [orders[0], orders[2]]
    flags = CommandFlag.ALL_INSTRUMENTS | CommandFlag.ALL_SIDES | CommandFlag.ALL_LABELS
    assert market.one(CommandKind.MASS_CANCEL, market.battery, flags=flags)["cancelled_orders"] == 2


def test_cancel_on_disconnect_ends_the_orders_of_that_session_only() -> None:
    market = Market()
    kept = int(market.place(market.load, market.later, BUY, 3_000, 1, session=7)["order_id"])
    market.place(market.load, market.later, BUY, 3_000, 1, session=7, flags=CommandFlag.CANCEL_ON_DISCONNECT)
    other = int(market.place(market.load, market.later, BUY, 3_000, 1, session=8, flags=CommandFlag.CANCEL_ON_DISCONNECT)["order_id"])
    market.one(CommandKind.SESSION_CLOSED, market.load, session=7)
    assert [order.order_id for order in market.exchange.open_orders(market.load)] == [kept, other]
    market.one(CommandKind.NODE_STARTED, 0, quantity_lots=2)
    assert [order.order_id for order in market.exchange.open_orders(market.load)] == [kept]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", RejectCode.INVALID_DOCUMENT),
        (b"\xc1", RejectCode.INVALID_DOCUMENT),
        (msgspec.msgpack.encode(["nonsense", 1, {}]), RejectCode.INVALID_DOCUMENT),
        (msgspec.msgpack.encode(["deposit", 2, {}]), RejectCode.INVALID_DOCUMENT),
        (msgspec.msgpack.encode(["deposit", 1, {"account": 33, "amount_micro": 1.5, "reference": "x"}]), RejectCode.INVALID_DOCUMENT),
        (encode_document(Checkpoint(sequence=1, state_hash=b"", event_hash="")), RejectCode.UNKNOWN_DOCUMENT),
    ],
    ids=["empty", "no MessagePack", "unknown schema", "unknown version", "float money", "not a business command"],
)
def test_documents_that_are_none(data: bytes, code: RejectCode) -> None:
    market = Market()
    result = market.send(market.record(CommandKind.DOCUMENT, 32, document_length=len(data)), data)
    assert result.outcomes[0]["code"] == code
    assert market.place(market.load, market.power, BUY, 4_000, 1)["code"] == RejectCode.ACCEPTED
