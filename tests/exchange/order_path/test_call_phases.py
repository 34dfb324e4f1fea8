"""What moves the phases of a day, interruptions, halts, and deadlines that overtake each other."""

from typing import Any

import pytest

from exchange.journal.record import CommandFlag, CommandKind
from exchange.market.auction_terms import dynamic_band
from exchange.market.phases import Phase
from exchange.order_path import canonical
from exchange.order_path.check import check_exchange
from exchange.order_path.path import BatchResult, Exchange
from exchange.order_path.state import Sizes
from exchange.protocol.documents import SetPhase, encode_document
from exchange.protocol.reject_codes import RejectCode
from exchange.units import PERIOD_NS
from matching.records import SelfTrade, Side, TimeInForce
from tests.exchange.order_path.call_phases import BREAK_NS, CALL_NS, CLOSE_NS, called, notices, phase_of, trades
from tests.exchange.order_path.park import DAY_NS, GENESIS, OPEN_NS, Park, units_spec

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


def test_a_halt_before_the_opening_of_a_book_without_call_phases_does_not_open_it_early() -> None:
    park = Park()
    park.list(called(opening_auction_ns=0, closing_auction_ns=0))
    park.tick(OPEN_NS - 2)
    for move, phase in (("halted", Phase.HALTED), ("resume", Phase.PRE_OPEN)):
        assert park.document(SetPhase(symbol="GP-20260715-1000", phase=move, reason="test"))[0] == RejectCode.ACCEPTED
        assert phase_of(park) is phase
    park.tick(OPEN_NS)
    assert phase_of(park) is Phase.CONTINUOUS
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


@pytest.mark.parametrize(("lots", "code"), [(4, RejectCode.ACCEPTED), (10, RejectCode.ACCEPTED), (11, RejectCode.RESTING_ORDERS_ONLY)])
def test_an_order_that_steps_behind_may_shrink_in_a_call_phase_that_has_crossed_it(lots: int, code: RejectCode) -> None:
    park = Park()
    (instrument,) = park.list(called(reference_price_ticks=5_000))
    buyer = park.admit("B01", "market_maker", ["power_buy"], -100, 100)
    seller = park.admit("G01", "market_maker", ["power_sell"], -100, 100)
    park.tick(OPEN_NS + CALL_NS)
    flags = CommandFlag.POST_ONLY | CommandFlag.REPRICE
    order_id = int(park.place(buyer, instrument, Side.BUY, 5_000, 10, flags=flags)["order_id"])
    park.tick(CLOSE_NS - CALL_NS)
    park.place(seller, instrument, Side.SELL, 4_990, 3)
    outcome = park.amend(buyer, order_id, 1, quantity_lots=lots)
    (order,) = park.exchange.open_orders(buyer)
    assert (outcome["code"], order.price_ticks, order.remaining_lots) == (code, 5_000, lots if code == RejectCode.ACCEPTED else 10)
    check_exchange(park.exchange)


def test_a_checkpoint_right_after_a_late_listing_holds_and_opens_nothing() -> None:
    park = Park()
    park.tick(OPEN_NS + 1)
    park.list(called())
    document = encode_document(park.exchange.checkpoint())
    park.send(park.record(CommandKind.CHECKPOINT, 0, document_length=len(document)), document)
    assert phase_of(park) is Phase.PRE_OPEN
    park.tick(OPEN_NS + 1)
    assert phase_of(park) is Phase.OPENING_AUCTION
