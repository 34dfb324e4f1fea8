"""A dry run says what the command then does, as far as everybody can see, and changes nothing at all."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.journal.record import CommandFlag, CommandKind, OrderType
from exchange.order_path import canonical
from exchange.order_path.dry_run import Trial
from exchange.order_path.records import ExecutionKind, OutcomeFlag
from exchange.protocol.reject_codes import RejectCode
from matching.records import SelfTrade, Side, TimeInForce
from tests.exchange.order_path.park import OPEN_NS, Park, power_spec, units_spec

SIDES = (Side.BUY, Side.SELL)


def market(**terms: Any) -> tuple[Park, int, int]:
    """Two traders that may do anything, a contract and an allowance, both open; nobody has orders."""
    park = Park()
    one, other = (
        park.admit(name, "prosumer", ["power_buy", "power_sell", "cea_buy", "cea_sell"], low=-1_000, high=1_000, cash_cny=100_000)
        for name in ("P01", "P02")
    )
    park.list(power_spec(40, **terms), units_spec())
    park.issue(one, "CEA25", 100)
    park.tick(OPEN_NS)
    return park, one, other


def tried(park: Park, records: np.ndarray) -> list[Trial]:
    """The trial; it must leave the state, its hash of events and its counters as they were."""
    before = (canonical.content(park.exchange), park.exchange.event_hash, park.exchange.last_sequence, park.exchange.state.counters.tobytes())
    trials = park.exchange.dry_run(records, park.now_ns)
    after = (canonical.content(park.exchange), park.exchange.event_hash, park.exchange.last_sequence, park.exchange.state.counters.tobytes())
    assert before == after
    return trials


def order(park: Park, account: int, side: int, price: int, lots: int, **fields: Any) -> np.ndarray:
    return park.record(CommandKind.PLACE, account, **({"instrument": 1, "side": side, "price_ticks": price, "quantity_lots": lots} | fields))


def compared(park: Park, record: np.ndarray) -> tuple[Any, Any]:
    """(what the dry run says, what the command does): code, fills by price, status, open lots, and the money it holds at entry."""
    (trial,) = tried(park, record)
    account = int(record["account"][0])
    held = park.exchange.balances(account).held_micro
    result = park.send(record)
    outcome = result.outcomes[0]
    own = result.executions[(result.executions["account"] == account) & (result.executions["kind"] == ExecutionKind.TRADE)]
    fills: dict[int, int] = {}
    for price, lots in zip(own["price_ticks"].tolist(), own["quantity_lots"].tolist(), strict=True):
        fills[price] = fills.get(price, 0) + lots
    code = int(outcome["code"])
    flags = int(outcome["flags"])
    status = "waiting" if flags & OutcomeFlag.WAITING else "resting" if flags & OutcomeFlag.RESTING else "cancelled"
    if not code and status == "cancelled" and outcome["filled_lots"] == record["quantity_lots"][0]:
        status = "filled"
    if code:
        return (int(trial.code), trial.fills), (code, [])
    if not fills and status in {"resting", "waiting"} and not result.executions["kind"].tolist().count(ExecutionKind.CANCELLED):
        assert park.exchange.balances(account).held_micro - held == trial.hold_micro
    said = (int(trial.code), trial.fills, trial.status, trial.remaining_lots)
    return said, (0, list(fills.items()), status, int(outcome["remaining_lots"]))


# Without hidden quantity of others (icebergs, waiting orders), which no dry run may tell of, the two agree in everything.
RESTING = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from(SIDES), st.integers(3_990, 4_010), st.integers(1, 9)), max_size=14,
)  # fmt: skip
ENTERING = st.tuples(
    st.sampled_from(SIDES), st.integers(3_985, 4_015), st.integers(1, 40), st.sampled_from([*TimeInForce]), st.sampled_from([*SelfTrade][:4]),
    st.sampled_from([0, 0, CommandFlag.POST_ONLY, CommandFlag.POST_ONLY | CommandFlag.REPRICE, CommandFlag.ALL_OR_NONE, CommandFlag.MINIMUM,
                     CommandFlag.STOP, CommandFlag.REDUCE_ONLY, CommandFlag.ICEBERG]),
    st.booleans(),
)  # fmt: skip


@given(RESTING, st.lists(ENTERING, min_size=1, max_size=4))
def test_it_says_what_the_command_then_does(resting: list[Any], entering: list[Any]) -> None:
    park, *accounts = market()
    for who, side, price, lots in resting:
        park.place(accounts[who], 1, side, price, lots, self_trade=SelfTrade.CANCEL_NEWEST)
    for side, price, lots, time_in_force, self_trade, flags, is_market in entering:
        if flags & (CommandFlag.ALL_OR_NONE | CommandFlag.MINIMUM) and self_trade == SelfTrade.DECREMENT:
            self_trade = SelfTrade.CANCEL_NEWEST  # noqa: PLW2901 - what counts as tradable then is the books' own affair
        fields: dict[str, Any] = {"time_in_force": time_in_force, "self_trade": self_trade, "flags": flags, "min_lots": (lots + 1) // 2}
        fields |= {"display_lots": max(1, lots // 2), "stop_ticks": 4_000, "expiry_ns": OPEN_NS + 10**9}
        if is_market:
            fields |= {"order_type": OrderType.MARKET, "price_ticks": 0}
        record = order(park, accounts[0], side, price, lots, **fields)
        if is_market:
            record["price_ticks"] = 0
        said, did = compared(park, record)
        assert said == did
        for waiting in park.exchange.open_orders(accounts[0]):
            if waiting.waits or waiting.display_lots:
                park.cancel(accounts[0], waiting.order_id)


AMENDS = st.tuples(st.integers(0, 9), st.none() | st.integers(3_985, 4_015), st.none() | st.integers(0, 12))


@given(RESTING, st.lists(AMENDS, min_size=1, max_size=4))
def test_an_amend_is_foretold(resting: list[Any], amends: list[Any]) -> None:
    park, *accounts = market()
    for who, side, price, lots in resting:
        park.place(accounts[who], 1, side, price, lots)
    for index, price, lots in amends:
        own = park.exchange.open_orders(accounts[0])
        target = own[index % len(own)] if own and index < 9 else None
        flags = (CommandFlag.AMEND_PRICE if price is not None else 0) | (CommandFlag.AMEND_QUANTITY if lots is not None else 0)
        record = park.record(
            CommandKind.AMEND, accounts[0], order_id=target.order_id if target else 999, revision=target.revision if target else 1, flags=flags,
            price_ticks=price or 0, quantity_lots=lots or 0,
        )  # fmt: skip
        (trial,) = tried(park, record)
        result = park.send(record)
        outcome = result.outcomes[0]
        assert int(trial.code) == int(outcome["code"])
        if trial.code == RejectCode.ACCEPTED and target is not None:
            traded = result.executions["kind"] == ExecutionKind.TRADE
            assert trial.filled_lots == int(result.executions["quantity_lots"][traded].sum())
            repriced = ExecutionKind.REPRICED in result.executions["kind"]
            assert trial.enters is repriced or not len(result.executions)
            if trial.status == "resting":
                assert trial.remaining_lots == int(outcome["remaining_lots"])


LEGS = st.lists(st.tuples(st.integers(1, 2), st.sampled_from(SIDES), st.integers(3_985, 4_015), st.integers(1, 12)), min_size=1, max_size=3)


@given(RESTING, LEGS)
def test_a_basket_is_foretold(resting: list[Any], legs: list[Any]) -> None:
    park, *accounts = market()
    for who, side, price, lots in resting:
        park.place(accounts[who], 1, side, price, lots)
    park.place(accounts[0], 2, Side.SELL, 6_000, 5)
    records = park.basket_records(accounts[1], *(leg if leg[0] == 1 else (2, leg[1], leg[2] + 2_000, leg[3]) for leg in legs))
    trials = tried(park, records)
    assert [int(trial.code) for trial in trials] == park.send(records).outcomes["code"].tolist()


def test_a_used_id_is_told_apart() -> None:
    park, one, _ = market()
    record = order(park, one, Side.BUY, 4_000, 5, client_order_id="mine")
    park.send(record)
    assert tried(park, record) == [Trial(RejectCode.ACCEPTED, duplicate=True)]
    record["quantity_lots"] = 6
    assert tried(park, record) == [Trial(RejectCode.CLIENT_ORDER_ID_REUSED)]
    legs = park.basket_records(one, (1, Side.BUY, 4_000, 1), (2, Side.BUY, 6_000, 1))
    park.send(legs)
    assert [trial.duplicate for trial in tried(park, legs)] == [True, True]
    legs["quantity_lots"] = 2
    assert {trial.code for trial in tried(park, legs)} == {RejectCode.CLIENT_ORDER_ID_REUSED}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"deadline_ns": OPEN_NS - 1}, RejectCode.DEADLINE_PASSED),
        ({"time_in_force": TimeInForce.GTD, "expiry_ns": OPEN_NS}, RejectCode.EXPIRY_PASSED),
        ({"instrument": 99}, RejectCode.NOT_OPEN_FOR_TRADING),
        ({"price_ticks": 100}, RejectCode.PRICE_OUTSIDE_BAND),
        ({"quantity_lots": 2_000}, RejectCode.POSITION_LIMIT),
    ],
)
def test_refusals(fields: dict[str, Any], code: RejectCode) -> None:
    park, one, _ = market()
    assert tried(park, order(park, one, Side.BUY, 4_000, 5, **fields)) == [Trial(code)]


def test_it_tells_nothing_of_hidden_quantity() -> None:
    """The depth is 3; behind it lie an iceberg's reserve and an order that waits."""
    park, one, other = market()
    park.place(other, 1, Side.SELL, 4_000, 100, flags=CommandFlag.ICEBERG, display_lots=3)
    park.place(other, 1, Side.SELL, 4_000, 50, flags=CommandFlag.ALL_OR_NONE)
    (trial,) = tried(park, order(park, one, Side.BUY, 4_000, 20))
    assert (trial.fills, trial.remaining_lots, trial.status) == ([(4_000, 3)], 17, "resting")
    (whole,) = tried(park, order(park, one, Side.BUY, 4_000, 20, time_in_force=TimeInForce.FOK))
    assert whole.code is RejectCode.FILL_OR_KILL_UNFILLABLE
    legs = tried(park, park.basket_records(one, (1, Side.BUY, 4_000, 20)))
    assert legs[0].code is RejectCode.FILL_OR_KILL_UNFILLABLE
    assert tried(park, park.basket_records(one, (1, Side.BUY, 4_000, 3)))[0].fills == [(4_000, 3)]


def test_a_trade_outside_the_dynamic_band_would_interrupt() -> None:
    park, one, other = market(interruption_ns=60 * 10**9, interruption_ppm=10_000, reference_price_ticks=4_000, auction_price_rule="reference")
    park.place(other, 1, Side.SELL, 4_000, 2)
    park.place(other, 1, Side.SELL, 4_500, 5)
    (trial,) = tried(park, order(park, one, Side.BUY, 4_500, 6))
    assert (trial.interrupts, trial.fills, trial.remaining_lots, trial.status) == (True, [(4_000, 2)], 4, "resting")


def test_more_levels_than_are_read_at_once() -> None:
    park, one, other = market()
    for step in range(150):
        park.place(other, 1, Side.SELL, 4_000 + step, 1)
    (trial,) = tried(park, order(park, one, Side.BUY, 5_000, 140))
    assert (len(trial.fills), trial.filled_lots, trial.status) == (140, 140, "filled")
