"""Call auctions on the exchange: the golden story, fees, who is admitted, conditions and stops, snapshots."""

from typing import Any

import pytest

from exchange.journal.record import CommandFlag, CommandKind
from exchange.ledger.chart import House
from exchange.market.phases import Phase
from exchange.order_path import canonical
from exchange.order_path.check import check_exchange
from exchange.order_path.path import Exchange
from exchange.order_path.records import EXECUTION, ExecutionKind
from exchange.protocol.documents import MeterReadings, SettleDay
from exchange.protocol.reject_codes import RejectCode
from exchange.units import MICRO_PER_CNY, NS_PER_DAY, PERIOD_NS
from matching.records import Reason, Side, TimeInForce
from tests.exchange.order_path.call_phases import CALL_NS, CLOSE_NS, called, notices, phase_of, trades
from tests.exchange.order_path.park import DAY_NS, GENESIS, OPEN_NS, Park

# Bids and asks in ticks and lots: kWh at 0.0001 CNY and 0.1 kWh.
BIDS = [(6_200, 4_000), (5_800, 3_000), (5_500, 3_000), (5_000, 5_000), (4_400, 4_000)]
ASKS = [(3_600, 3_000), (4_000, 4_000), (4_600, 3_000), (5_200, 4_000), (6_000, 5_000)]


def story(**changes: Any) -> tuple[Park, list[int], list[int], int, dict[int, int]]:
    """(park, buyers, sellers, instrument, account by order id): the ten orders of the story, gathered."""
    park = Park()
    buyers = [park.admit(f"E{n:02d}", "enterprise", ["power_buy"], high=100_000) for n in (3, 5, 7, 9, 11)]
    sellers = [park.admit(f"PV{n:02d}", "generator", ["power_sell"], low=-100_000) for n in range(1, 6)]
    fees = {"maker_fee_lot_micro": 0, "taker_fee_lot_micro": 0}
    (instrument,) = park.list(called(**(fees | changes)))
    park.tick(OPEN_NS)
    owners = {}
    for side, accounts, orders in ((Side.BUY, buyers, BIDS), (Side.SELL, sellers, ASKS)):
        for account, (price_ticks, lots) in zip(accounts, orders, strict=True):
            outcome = park.place(account, instrument, side, price_ticks, lots)
            assert (outcome["code"], outcome["filled_lots"], outcome["remaining_lots"]) == (RejectCode.ACCEPTED, 0, lots)
            owners[int(outcome["order_id"])] = account
    return park, buyers, sellers, instrument, owners


def test_golden_story_from_the_call_auction_to_the_statement() -> None:
    """Five bids and five asks: 1,000 kWh at 0.51. Buyers pay 510.00 and hold 40.00 of park fee; E03 meters 380 of 400 kWh."""
    park, buyers, sellers, *_ = story()
    result = park.tick(OPEN_NS + CALL_NS)
    (auction,) = notices(result, "auction")
    assert auction == {"symbol": "GP-20260715-1000", "phase": "opening_auction", "price_ticks": 5_100, "volume_lots": 10_000}
    b, s = buyers, sellers
    assert trades(result) == [
        (b[0], s[0], 5_100, 3_000), (b[0], s[1], 5_100, 1_000), (b[1], s[1], 5_100, 3_000), (b[2], s[2], 5_100, 3_000),
    ]  # fmt: skip
    assert set(result.executions["reason"][result.executions["kind"] == ExecutionKind.TRADE].tolist()) == {Reason.AUCTION}
    assert set(result.executions["stamp_ns"].tolist()) == {OPEN_NS + CALL_NS}
    assert phase_of(park) is Phase.CONTINUOUS
    paid = [10_000 * MICRO_PER_CNY - park.exchange.balances(account).balance_micro for account in buyers]
    assert [amount / MICRO_PER_CNY for amount in paid] == [204, 153, 153, 0, 0]
    assert int(park.exchange.state.accounts[House.CLEARING].balance_micro) == 510 * MICRO_PER_CNY
    held_fee = [int(park.exchange.state.positions[0, account].held_park_fee_micro) for account in buyers]
    assert [fee / MICRO_PER_CNY for fee in held_fee] == [16, 12, 12, 0, 0]
    assert park.exchange.balances(buyers[0]).held_micro == 16 * MICRO_PER_CNY  # no more: the rest of its hold at 0.62 is released
    waiting = [order for account in buyers + sellers for order in park.exchange.open_orders(account)]
    assert [(order.price_ticks, order.remaining_lots) for order in waiting] == [(5_000, 5_000), (4_400, 4_000), (5_200, 4_000), (6_000, 5_000)]
    _settle_story(park, buyers, sellers)


def _settle_story(park: Park, buyers: list[int], sellers: list[int]) -> None:
    start_ns = DAY_NS + 40 * PERIOD_NS
    expired = park.tick(start_ns + PERIOD_NS)
    assert sorted(expired.executions["reason"].tolist()) == [Reason.EXPIRED] * 4
    readings = MeterReadings(
        revision=1, accounts=[*buyers, *sellers], period_starts_ns=[start_ns] * 10, soc_wh=[-1] * 10,
        consumption_wh=[380_000, 300_000, 300_000, 0, 0, 0, 0, 0, 0, 0], generation_wh=[0, 0, 0, 0, 0, 300_000, 400_000, 300_000, 0, 0],
        grid_starts_ns=[start_ns], grid_import_wh=[0], grid_export_wh=[20_000], losses_wh=[0],
    )  # fmt: skip
    assert park.document(readings)[0] == RejectCode.ACCEPTED
    code, answer = park.document(SettleDay(day="2026-07-15", day_start_ns=DAY_NS, day_end_ns=DAY_NS + NS_PER_DAY))
    assert code == RejectCode.ACCEPTED, answer
    statements = [park.exchange.statement(account, "2026-07-15") for account in buyers]
    lines = [{str(line.item): (line.energy_wh, line.amount_micro) for line in statement.lines} for statement in statements if statement]
    fee_micro = -sum(line["park_fee"][1] for line in lines if "park_fee" in line)
    assert fee_micro == 39_200_000
    held_micro = sum(statement.park_fee_held_micro for statement in statements if statement)
    assert (held_micro, held_micro - fee_micro) == (40_000_000, 800_000)
    assert lines[0]["surplus"] == (20_000, 20 * 280_000)
    received = [park.exchange.balances(account).balance_micro - 10_000 * MICRO_PER_CNY for account in sellers]
    assert [amount / MICRO_PER_CNY for amount in received] == [153, 204, 153, 0, 0]
    assert all(park.exchange.balances(account).held_micro == 0 for account in buyers + sellers)
    assert int(park.exchange.state.accounts[House.CLEARING].balance_micro) == park.exchange.money_sum_micro() == 0


def test_both_sides_of_an_auction_pay_the_fee_of_a_resting_order() -> None:
    park, *_ = story(maker_fee_lot_micro=20, taker_fee_lot_micro=50)
    rows = park.tick(OPEN_NS + CALL_NS).executions
    rows = rows[rows["kind"] == ExecutionKind.TRADE]
    assert rows["fee_micro"].tolist() == rows["counter_fee_micro"].tolist() == [20 * lots for lots in rows["quantity_lots"].tolist()]
    check_exchange(park.exchange)


def test_indication_is_what_the_auction_comes_to() -> None:
    park, _, _, _, _ = story()
    indication = park.exchange.indication("GP-20260715-1000")
    assert indication is not None
    assert (indication.price_ticks, indication.volume_lots, indication.end_ns) == (5_100, 10_000, OPEN_NS + CALL_NS)
    park.tick(OPEN_NS + CALL_NS)
    assert park.exchange.indication("GP-20260715-1000") is None


IOC, FOK = TimeInForce.IOC, TimeInForce.FOK
ADMITTED: dict[str, dict[str, Any]] = {
    "limit": {},
    "good till date": {"time_in_force": TimeInForce.GTD, "expiry_ns": OPEN_NS + NS_PER_DAY},
    "session": {"time_in_force": TimeInForce.SESSION},
    "till the gate": {"time_in_force": TimeInForce.GATE},
    "iceberg": {"flags": CommandFlag.ICEBERG, "display_lots": 5},
    "minimum": {"flags": CommandFlag.MINIMUM, "min_lots": 5},
    "all or none": {"flags": CommandFlag.ALL_OR_NONE},
    "stop limit": {"flags": CommandFlag.STOP, "stop_ticks": 5_400},
}
REFUSED: dict[str, dict[str, Any]] = {
    "immediate": {"time_in_force": IOC},
    "fill or kill": {"time_in_force": FOK},
    "market": {"order_type": 1, "price_ticks": 0},
    "stop that enters as market": {"order_type": 1, "price_ticks": 0, "flags": CommandFlag.STOP, "stop_ticks": 5_400},
    "post-only": {"flags": CommandFlag.POST_ONLY},
    "reprice": {"flags": CommandFlag.POST_ONLY | CommandFlag.REPRICE},
}


def gathering() -> tuple[Park, int, int]:
    """(park, member, instrument) in the opening call."""
    park = Park()
    member = park.admit("T1", "market_maker", ["power_buy", "power_sell"], -5_000, 5_000)
    (instrument,) = park.list(called())
    park.tick(OPEN_NS)
    return park, member, instrument


def placed(park: Park, member: int, instrument: int, **terms: Any) -> Any:
    price_ticks = terms.pop("price_ticks", 5_300)
    return park.place(member, instrument, Side.BUY, price_ticks, 10, **terms)


@pytest.mark.parametrize("terms", ADMITTED.values(), ids=ADMITTED)
def test_orders_that_may_rest_gather(terms: dict[str, Any]) -> None:
    park, member, instrument = gathering()
    outcome = placed(park, member, instrument, **terms)
    assert (outcome["code"], outcome["remaining_lots"]) == (RejectCode.ACCEPTED, 10)
    assert park.exchange.balances(member).held_micro == 10 * (5_300 * 10 + 50 + 4_000)
    check_exchange(park.exchange)


@pytest.mark.parametrize("terms", REFUSED.values(), ids=REFUSED)
def test_orders_that_must_trade_at_once_are_refused(terms: dict[str, Any]) -> None:
    park, member, instrument = gathering()
    assert placed(park, member, instrument, **terms)["code"] == RejectCode.RESTING_ORDERS_ONLY
    assert park.exchange.balances(member).held_micro == 0
    park.tick(OPEN_NS + CALL_NS)
    assert placed(park, member, instrument, **terms)["code"] != RejectCode.RESTING_ORDERS_ONLY


def test_post_only_order_keeps_its_place_in_a_call_phase() -> None:
    """One that rests from before may become smaller, and no more: at another price it might trade."""
    park, member, instrument = gathering()
    park.tick(OPEN_NS + CALL_NS)
    order = int(placed(park, member, instrument, flags=CommandFlag.POST_ONLY)["order_id"])
    park.tick(CLOSE_NS - CALL_NS)
    assert park.amend(member, order, 1, price_ticks=5_400)["code"] == RejectCode.RESTING_ORDERS_ONLY
    assert park.amend(member, order, 1, quantity_lots=11)["code"] == RejectCode.RESTING_ORDERS_ONLY
    assert park.amend(member, order, 1, quantity_lots=4)["code"] == RejectCode.ACCEPTED
    check_exchange(park.exchange)


def test_conditions_and_stops_follow_the_opening_auction() -> None:
    """All in the command at the deadline's time: the auction, the band, then what waited for its minimum, then the stops that it reached."""
    park, member, instrument = gathering()
    other = park.admit("T2", "market_maker", ["power_buy", "power_sell"], -5_000, 5_000)
    placed(park, other, instrument, flags=CommandFlag.STOP, stop_ticks=5_100, price_ticks=5_200)
    park.place(other, instrument, Side.BUY, 5_200, 30, flags=CommandFlag.ALL_OR_NONE)
    park.place(other, instrument, Side.BUY, 5_200, 10)
    park.place(member, instrument, Side.SELL, 5_200, 25)
    park.place(member, instrument, Side.SELL, 5_200, 25)
    rows = park.tick(OPEN_NS + CALL_NS).executions
    kinds = [(ExecutionKind(int(row["kind"])).name, int(row["quantity_lots"]), int(row["reason"])) for row in rows]
    assert kinds == [
        ("TRADE", 10, Reason.AUCTION), ("TRADE", 15, 0), ("TRADE", 15, 0), ("TRIGGERED", 10, 0), ("TRADE", 10, 0),
    ]  # fmt: skip
    check_exchange(park.exchange)


def test_snapshot_in_the_middle_of_a_call_phase_goes_on_the_same() -> None:
    park, *_ = story()
    other = Exchange(GENESIS)
    canonical.restore(other, canonical.snapshot(park.exchange))
    check_exchange(other)
    assert other.indication("GP-20260715-1000") == park.exchange.indication("GP-20260715-1000")
    park.now_ns = OPEN_NS + CALL_NS
    tick = park.record(CommandKind.TICK, 0)
    first, second = (exchange.apply(tick, b"", exchange.last_sequence + 1) for exchange in (park.exchange, other))
    assert len(first.executions)
    assert [first.executions[name].tolist() for name in EXECUTION.names or ()] == [second.executions[name].tolist() for name in EXECUTION.names or ()]
    assert canonical.state_hash(other) == canonical.state_hash(park.exchange)
