"""Call auctions on the exchange: the golden story, who is admitted, what moves the phases, and deadlines that overtake each other."""

from typing import Any

import pytest

from exchange.journal.record import CommandFlag, CommandKind
from exchange.ledger.chart import House
from exchange.market.auction_terms import dynamic_band
from exchange.market.phases import Phase
from exchange.order_path import canonical
from exchange.order_path.check import check_exchange
from exchange.order_path.path import BatchResult, Exchange
from exchange.order_path.records import EXECUTION, ExecutionKind
from exchange.order_path.state import Sizes
from exchange.protocol.documents import InstrumentSpec, MeterReadings, SetPhase, SettleDay
from exchange.protocol.reject_codes import RejectCode
from exchange.units import MICRO_PER_CNY, NS_PER_DAY, NS_PER_MINUTE, PERIOD_NS
from matching.records import Reason, SelfTrade, Side, TimeInForce
from tests.exchange.order_path.park import DAY_NS, GENESIS, OPEN_NS, Park, power_spec, units_spec

CALL_NS = 15 * NS_PER_MINUTE
BREAK_NS = 5 * NS_PER_MINUTE
CLOSE_NS = power_spec().close_ns
# Bids and asks in ticks and lots: kWh at 0.0001 CNY and 0.1 kWh.
BIDS = [(6_200, 4_000), (5_800, 3_000), (5_500, 3_000), (5_000, 5_000), (4_400, 4_000)]
ASKS = [(3_600, 3_000), (4_000, 4_000), (4_600, 3_000), (5_200, 4_000), (6_000, 5_000)]


def called(**changes: Any) -> InstrumentSpec:
    """A quarter-hour that opens and closes with a call phase, and may be interrupted in between."""
    terms: dict[str, Any] = {
        "opening_auction_ns": CALL_NS, "closing_auction_ns": CALL_NS, "interruption_ppm": 100_000, "interruption_ns": BREAK_NS,
        "reference_price_ticks": 5_000, "auction_price_rule": "k",
    }  # fmt: skip
    return power_spec(**(terms | changes))


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


def phase_of(park: Park, symbol: str = "GP-20260715-1000") -> Phase:
    instrument = park.exchange.instrument(symbol)
    assert instrument is not None
    return instrument.phase


def trades(result: BatchResult) -> list[tuple[int, int, int, int]]:
    """(buyer, seller, ticks, lots) of the trades of a batch."""
    rows = result.executions[result.executions["kind"] == ExecutionKind.TRADE]
    return [(int(r["account"]), int(r["counter_account"]), int(r["price_ticks"]), int(r["quantity_lots"])) for r in rows]


def notices(result: BatchResult, kind: str) -> list[dict[str, Any]]:
    return [notice.data for notice in result.notices if notice.kind == kind]


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


# What moves the phase of a contract, at which time, and the phase after it.
DAYS: dict[str, list[tuple[str, int, Phase]]] = {
    "a day": [
        ("tick", OPEN_NS - 1, Phase.PRE_OPEN), ("tick", OPEN_NS, Phase.OPENING_AUCTION), ("tick", OPEN_NS + CALL_NS, Phase.CONTINUOUS),
        ("tick", CLOSE_NS - CALL_NS, Phase.CLOSING_AUCTION), ("tick", CLOSE_NS, Phase.GATE_CLOSED),
    ],
    "halted before the opening": [
        ("halted", OPEN_NS - 1, Phase.HALTED), ("resume", OPEN_NS - 1, Phase.PRE_OPEN), ("tick", OPEN_NS, Phase.OPENING_AUCTION),
    ],
    "halted into the opening call": [
        ("halted", OPEN_NS - 1, Phase.HALTED), ("resume", OPEN_NS + 1, Phase.OPENING_AUCTION), ("tick", OPEN_NS + CALL_NS, Phase.CONTINUOUS),
    ],
    "halted through the whole opening call": [
        ("halted", OPEN_NS - 1, Phase.HALTED), ("resume", OPEN_NS + CALL_NS, Phase.CONTINUOUS),
    ],
    "halted within the opening call": [
        ("halted", OPEN_NS + 1, Phase.HALTED), ("resume", OPEN_NS + 2, Phase.OPENING_AUCTION), ("tick", OPEN_NS + CALL_NS, Phase.CONTINUOUS),
    ],
    "halted over the end of the opening call": [
        ("halted", OPEN_NS + 1, Phase.HALTED), ("resume", OPEN_NS + CALL_NS + 1, Phase.INTERRUPTED),
        ("tick", OPEN_NS + CALL_NS + BREAK_NS, Phase.INTERRUPTED), ("tick", OPEN_NS + CALL_NS + 1 + BREAK_NS, Phase.CONTINUOUS),
    ],
    "halted within the closing call": [
        ("halted", CLOSE_NS - 3, Phase.HALTED), ("resume", CLOSE_NS - 2, Phase.CLOSING_AUCTION), ("tick", CLOSE_NS, Phase.GATE_CLOSED),
    ],
    "halted into the closing call": [
        ("halted", CLOSE_NS - CALL_NS - 1, Phase.HALTED), ("resume", CLOSE_NS - CALL_NS + 1, Phase.CLOSING_AUCTION),
    ],
    "halted over the gate": [("halted", CLOSE_NS - 3, Phase.HALTED), ("tick", CLOSE_NS, Phase.GATE_CLOSED)],
    "the opening call held again runs into the closing call": [
        ("halted", OPEN_NS + 1, Phase.HALTED), ("resume", CLOSE_NS - CALL_NS - 1, Phase.INTERRUPTED),
        ("tick", CLOSE_NS - CALL_NS, Phase.CLOSING_AUCTION), ("tick", CLOSE_NS - CALL_NS + BREAK_NS, Phase.CLOSING_AUCTION),
    ],
}  # fmt: skip


@pytest.mark.parametrize("moves", DAYS.values(), ids=DAYS)
def test_phases_of_a_day(moves: list[tuple[str, int, Phase]]) -> None:
    park = Park()
    park.list(called())
    for move, at_ns, phase in moves:
        if move == "tick":
            park.tick(at_ns)
        else:
            park.tick(at_ns)
            assert park.document(SetPhase(symbol="GP-20260715-1000", phase=move, reason="test"))[0] == RejectCode.ACCEPTED
        assert phase_of(park) is phase, (move, at_ns)
        check_exchange(park.exchange)


def interrupted(**changes: Any) -> tuple[Park, int, int, int, BatchResult]:
    """(park, buyer, seller, instrument, result): an order that would trade beyond the band around 0.50, in continuous trading."""
    park = Park()
    buyer = park.admit("T1", "market_maker", ["power_buy", "power_sell"], -5_000, 5_000)
    seller = park.admit("T2", "market_maker", ["power_buy", "power_sell"], -5_000, 5_000)
    (instrument,) = park.list(called(opening_auction_ns=0, **changes))
    park.tick(OPEN_NS)
    park.place(seller, instrument, Side.SELL, 5_400, 10)
    park.place(seller, instrument, Side.SELL, 5_600, 10)
    result = park.send(
        park.record(CommandKind.PLACE, buyer, instrument=instrument, side=Side.BUY, price_ticks=5_600, quantity_lots=15)
    )
    return park, buyer, seller, instrument, result


def test_a_trade_outside_the_band_interrupts_and_an_auction_ends_that() -> None:
    park, buyer, seller, _, result = interrupted()
    assert dynamic_band(called(), 5_000) == (4_500, 5_500)
    assert trades(result) == [(buyer, seller, 5_400, 10)]
    assert (result.outcomes[0]["filled_lots"], result.outcomes[0]["remaining_lots"]) == (10, 5)
    assert notices(result, "phase") == [{"symbol": "GP-20260715-1000", "phase": "interrupted", "end_ns": OPEN_NS + BREAK_NS}]
    check_exchange(park.exchange)
    ended = park.tick(OPEN_NS + BREAK_NS)
    assert trades(ended) == [(buyer, seller, 5_600, 5)]
    assert phase_of(park) is Phase.CONTINUOUS
    assert park.exchange.core.band(int(park.exchange.state.instruments[0].book)) == dynamic_band(called(), 5_600)
    check_exchange(park.exchange)


def test_an_order_that_interrupts_may_have_an_end_of_its_own() -> None:
    """Two deadlines in one command, where there was room for one."""
    states = []
    for sizes in (Sizes(), Sizes(deadlines=4)):
        park = Park(Exchange(GENESIS, sizes))
        buyer, seller = (park.admit(name, "market_maker", ["power_buy", "power_sell"], -5_000, 5_000) for name in ("T1", "T2"))
        (instrument,) = park.list(called(opening_auction_ns=0))
        park.tick(OPEN_NS)
        park.place(seller, instrument, Side.SELL, 5_600, 10)
        until_ns = OPEN_NS + BREAK_NS - 1
        park.place(buyer, instrument, Side.BUY, 5_600, 15, time_in_force=TimeInForce.GTD, expiry_ns=until_ns)
        assert phase_of(park) is Phase.INTERRUPTED
        check_exchange(park.exchange)
        assert park.exchange.next_deadline_ns() == until_ns
        park.tick(OPEN_NS + BREAK_NS)
        assert (phase_of(park), park.exchange.open_orders(buyer)) == (Phase.CONTINUOUS, [])
        states.append(canonical.state_hash(park.exchange))
    assert states[0] == states[1]


def test_an_immediate_order_that_interrupts_ends_and_the_book_opens_again() -> None:
    park, buyer, _, instrument, _ = interrupted()
    park.tick(OPEN_NS + BREAK_NS)
    outcome = park.place(buyer, instrument, Side.BUY, 20_000, 100, time_in_force=TimeInForce.IOC)
    assert (outcome["code"], outcome["filled_lots"]) == (RejectCode.ACCEPTED, 5)
    assert park.place(buyer, instrument, Side.SELL, 9_000, 5)["code"] == RejectCode.ACCEPTED
    outcome = park.place(buyer, instrument, Side.BUY, 20_000, 100, time_in_force=TimeInForce.IOC, self_trade=SelfTrade.ALLOW)
    assert outcome["code"] == RejectCode.NO_LIQUIDITY
    assert phase_of(park) is Phase.INTERRUPTED
    (auction,) = notices(park.tick(OPEN_NS + 2 * BREAK_NS), "auction")
    assert (auction["price_ticks"], auction["volume_lots"]) == (None, 0)
    assert phase_of(park) is Phase.CONTINUOUS
    assert park.exchange.core.band(int(park.exchange.state.instruments[0].book)) == dynamic_band(called(), 5_600)


@pytest.mark.parametrize("closing_ns", [0, CALL_NS], ids=["gate", "closing call"])
def test_what_overtakes_an_interruption_ends_it(closing_ns: int) -> None:
    """The gate holds the auction and closes; the closing call takes the orders over, and its auction comes at the gate."""
    park, buyer, seller, instrument, _ = interrupted(closing_auction_ns=closing_ns)
    park.tick(CLOSE_NS - closing_ns - 1)
    assert phase_of(park) is Phase.CONTINUOUS
    park.place(seller, instrument, Side.SELL, 7_000, 3)
    park.place(buyer, instrument, Side.BUY, 7_000, 8)
    assert phase_of(park) is Phase.INTERRUPTED
    assert park.exchange.phase_end_ns("GP-20260715-1000") == CLOSE_NS - closing_ns
    first = park.tick(CLOSE_NS - closing_ns)
    if closing_ns:
        assert (phase_of(park), trades(first)) == (Phase.CLOSING_AUCTION, [])
        park.tick(CLOSE_NS - closing_ns + BREAK_NS)
        first = park.tick(CLOSE_NS)
    assert trades(first) == [(buyer, seller, 7_000, 3)]
    assert phase_of(park) is Phase.GATE_CLOSED
    check_exchange(park.exchange)


def test_a_halt_over_the_end_of_an_interruption_holds_it_again() -> None:
    park, _, _, _, _ = interrupted()
    halted, resumed = (SetPhase(symbol="GP-20260715-1000", phase=phase, reason="test") for phase in ("halted", "resume"))
    assert park.document(halted)[0] == RejectCode.ACCEPTED
    park.tick(OPEN_NS + BREAK_NS - 1)
    assert park.document(resumed)[0] == RejectCode.ACCEPTED
    assert (phase_of(park), park.exchange.phase_end_ns("GP-20260715-1000")) == (Phase.INTERRUPTED, OPEN_NS + BREAK_NS)
    assert park.document(halted)[0] == RejectCode.ACCEPTED
    park.tick(OPEN_NS + BREAK_NS + 7)
    assert phase_of(park) is Phase.HALTED
    assert park.document(resumed)[0] == RejectCode.ACCEPTED
    assert (phase_of(park), park.exchange.phase_end_ns("GP-20260715-1000")) == (Phase.INTERRUPTED, OPEN_NS + 2 * BREAK_NS + 7)
    assert len(trades(park.tick(OPEN_NS + 2 * BREAK_NS + 7))) == 1
    check_exchange(park.exchange)


def test_an_interruption_of_units_goes_on_after_a_pause() -> None:
    """Allowances in their sessions: the noon break cuts the interruption off, and it begins anew when trading does."""
    park = Park()
    buyer = park.admit("T1", "enterprise", ["cea_buy", "cea_sell"])
    seller = park.admit("T2", "enterprise", ["cea_buy", "cea_sell"])
    (instrument,) = park.list(
        units_spec(calendar="cea", interruption_ppm=20_000, interruption_ns=BREAK_NS, reference_price_ticks=6_200, auction_price_rule="reference")
    )
    park.issue(seller, "CEA25", 100)
    noon_ns = DAY_NS + 46 * PERIOD_NS  # 11:30
    park.tick(noon_ns - 1)
    assert phase_of(park, "CEA25") is Phase.CONTINUOUS
    park.place(seller, instrument, Side.SELL, 6_500, 10)
    park.place(buyer, instrument, Side.BUY, 6_500, 10)
    assert phase_of(park, "CEA25") is Phase.INTERRUPTED
    park.tick(noon_ns + BREAK_NS)
    assert phase_of(park, "CEA25") is Phase.PAUSED
    check_exchange(park.exchange)
    afternoon_ns = DAY_NS + 52 * PERIOD_NS
    park.tick(afternoon_ns)
    assert phase_of(park, "CEA25") is Phase.INTERRUPTED
    check_exchange(park.exchange)
    assert trades(park.tick(afternoon_ns + BREAK_NS)) == [(buyer, seller, 6_500, 10)]
    assert phase_of(park, "CEA25") is Phase.CONTINUOUS
    check_exchange(park.exchange)


def test_units_halted_in_an_interruption_and_resumed_in_a_pause_wait_for_their_session() -> None:
    park = Park()
    buyer, seller = (park.admit(name, "enterprise", ["cea_buy", "cea_sell"]) for name in ("T1", "T2"))
    (instrument,) = park.list(units_spec(calendar="cea", interruption_ppm=20_000, interruption_ns=BREAK_NS, reference_price_ticks=6_200))
    park.issue(seller, "CEA25", 100)
    noon_ns, afternoon_ns = DAY_NS + 46 * PERIOD_NS, DAY_NS + 52 * PERIOD_NS
    park.tick(noon_ns - 1)
    park.place(seller, instrument, Side.SELL, 6_500, 10)
    park.place(buyer, instrument, Side.BUY, 6_500, 10)
    for phase, at_ns, after in (("halted", noon_ns - 1, Phase.HALTED), ("resume", noon_ns + 1, Phase.PAUSED)):
        park.tick(at_ns)
        assert park.document(SetPhase(symbol="CEA25", phase=phase, reason="test"))[0] == RejectCode.ACCEPTED
        assert phase_of(park, "CEA25") is after
        check_exchange(park.exchange)
    park.tick(afternoon_ns)
    assert phase_of(park, "CEA25") is Phase.INTERRUPTED
    assert trades(park.tick(afternoon_ns + BREAK_NS)) == [(buyer, seller, 6_500, 10)]


@pytest.mark.parametrize(
    ("late_ns", "phase"), [(CALL_NS - 1, Phase.OPENING_AUCTION), (CALL_NS, Phase.CONTINUOUS), (2 * CALL_NS, Phase.CONTINUOUS)]
)
def test_a_contract_listed_after_its_opening_is_in_the_phase_of_the_time(late_ns: int, phase: Phase) -> None:
    park = Park()
    park.tick(OPEN_NS + late_ns)
    park.list(called())
    park.tick(OPEN_NS + late_ns)
    assert phase_of(park) is phase
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
