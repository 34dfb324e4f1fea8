"""One-way auctions: the golden story, a row for every refusal, ties, failures, and what ends an auction."""

from collections.abc import Callable
from typing import Any

import pytest

from exchange.journal.record import CommandKind
from exchange.ledger.chart import House
from exchange.order_path import canonical
from exchange.order_path.check import check_exchange
from exchange.order_path.path import Exchange
from exchange.order_path.records import ExecutionKind
from exchange.protocol.documents import AmendBid, CancelOneWayAuction, Deposit, OpenOneWayAuction, PlaceBid, SetPhase, WithdrawBid, encode_document
from exchange.protocol.reject_codes import RejectCode
from exchange.units import MICRO_PER_CNY, NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE
from tests.exchange.order_path.national import BUY, PERMISSIONS, SELL
from tests.exchange.order_path.park import GENESIS, OPERATOR, Park, power_spec, units_spec

CREDITS = "PCC-2026"
STORY = {"A": (7_500, 2_000), "B": (7_200, 1_500), "C": (7_000, 1_500), "D": (7_000, 1_000), "E": (6_600, 2_000)}


class Hall(Park):
    """A seller of 5,000 park credits, five bidders with cash, a bank; the window is the coming hour. One auction is open unless told otherwise."""

    def __init__(self, *, opened: bool = True, **changes: Any) -> None:
        super().__init__()
        self.seller = self.admit("PV01", "generator", PERMISSIONS, cash_cny=0)
        self.bidders = {name: self.admit(name, "enterprise", PERMISSIONS, cash_cny=200_000) for name in STORY}
        self.bank = self.admit("BANK", "bank", [])
        spec = units_spec(CREDITS, instrument_class="pcc", venue="internal", resale="next_day", maker_fee_tick_lot_micro=3)
        (self.credits, self.power) = self.list(spec, power_spec(40))
        self.issue(self.seller, CREDITS, 6_000)
        self.opens_ns, self.closes_ns = self.now_ns, self.now_ns + NS_PER_HOUR
        self.auction = 1
        if opened:
            assert self.open(**changes) == (0, {"auction": 1, "status": "open"})
        self.prepared = len(self.log)

    def open(self, account: int = OPERATOR, **changes: Any) -> tuple[int, dict[str, Any]]:
        terms: dict[str, Any] = {
            "reference": "story-8", "symbol": CREDITS, "applicant": self.seller, "side": "sell", "quantity_lots": 5_000,
            "reserve_price_ticks": 6_800, "tie": "pro_rata", "opens_ns": self.opens_ns, "closes_ns": self.closes_ns,
        }  # fmt: skip
        return self.document(OpenOneWayAuction(**(terms | changes)), account)

    def bid(self, name: str, price_ticks: int = 7_000, lots: int = 100, client_id: str = "x", auction: int = 1) -> tuple[int, dict[str, Any]]:
        document = PlaceBid(auction=auction, client_id=client_id, price_ticks=price_ticks, quantity_lots=lots)
        return self.document(document, self.bidders[name] if name in self.bidders else getattr(self, name))

    def amend(self, name: str, price_ticks: int, lots: int, revision: int = 1, client_id: str = "x") -> tuple[int, dict[str, Any]]:
        document = AmendBid(auction=1, client_id=client_id, revision=revision, price_ticks=price_ticks, quantity_lots=lots)
        return self.document(document, self.bidders[name])

    def withdraw(self, name: str, client_id: str = "x") -> tuple[int, dict[str, Any]]:
        return self.document(WithdrawBid(auction=1, client_id=client_id), self.bidders[name])

    def story(self) -> None:
        for name, (price_ticks, lots) in STORY.items():
            assert self.bid(name, price_ticks, lots)[0] == 0

    def allotted(self, auction: int = 1) -> dict[str, int]:
        """Lots of every bidder with any."""
        names = {account: name for name, account in self.bidders.items()}
        bids = self.exchange.rooms.one_way.by_id[auction].bids.values()
        return {names[bid.account]: bid.allotted_lots for bid in bids if bid.allotted_lots}

    def held(self) -> list[int]:
        return [self.exchange.balances(account).held_micro for account in self.bidders.values()]


def test_story_of_the_one_way_auction() -> None:
    hall = Hall()
    exchange = hall.exchange
    hall.story()
    before = {name: exchange.balances(account).balance_micro for name, account in hall.bidders.items()}
    assert exchange.balances(hall.bidders["A"]).held_micro == 7_500 * 2_000 * 10_005
    assert exchange.positions(hall.seller)[0].open_sell_lots == 5_000
    assert hall.tick(hall.closes_ns - 1).executions.size == 0
    result = hall.tick(hall.closes_ns)
    (auction,) = exchange.one_way_auctions()
    assert (auction.status.name, auction.price_ticks, auction.traded_lots) == ("CLEARED", 7_000, 5_000)
    shares = {"A": 2_000, "B": 1_500, "C": 900, "D": 600}
    assert hall.allotted() == shares
    paid = {name: before[name] - exchange.balances(account).balance_micro for name, account in hall.bidders.items()}
    assert paid == {name: lots * 7_000 * 10_005 for name, lots in (shares | {"E": 0}).items()}
    assert exchange.balances(hall.seller).balance_micro == 350_000 * MICRO_PER_CNY - 5_000 * 7_000 * 3
    assert exchange.balances(House.FEES).balance_micro == 5_000 * 7_000 * (5 + 3)
    assert hall.held() == [0] * 5
    assert (exchange.positions(hall.seller)[0].net_lots, exchange.positions(hall.seller)[0].open_sell_lots) == (1_000, 0)
    assert exchange.positions(hall.bidders["C"])[0].locked_lots == 900  # bought today
    rows = result.executions
    assert [ExecutionKind(int(kind)) for kind in rows["kind"]] == [ExecutionKind.ALLOTTED] * 4
    assert rows["account"].tolist() == [hall.bidders[name] for name in "ABCD"]
    assert set(rows["counter_account"].tolist()) == {hall.seller}
    assert set(rows["price_ticks"].tolist()) == {7_000}
    assert (rows["client_order_id"][0], rows["counter_client_order_id"][0]) == (b"x", b"story-8")
    assert [(n.kind, n.stamp_ns, n.data) for n in result.notices if n.kind != "phase"] == [("one_way", hall.closes_ns, {"auction": 1})]
    check_exchange(exchange)


@pytest.mark.parametrize(
    ("changes", "bids", "price", "shares"),
    [
        ({"tie": "time"}, STORY, 7_000, {"A": 2_000, "B": 1_500, "C": 1_500}),
        ({"tie": "lot", "seed": 1}, STORY, 7_000, None),
        ({"reserve_price_ticks": 7_001}, STORY, 7_200, {"A": 2_000, "B": 1_500}),
        ({"reserve_price_ticks": 7_001, "fails_if_undersubscribed": True}, STORY, -1, {}),
        ({"reserve_price_ticks": 8_000}, STORY, -1, {}),
        ({}, {}, -1, {}),
    ],
)
def test_rules_of_the_clearing(changes: dict[str, Any], bids: dict[str, tuple[int, int]], price: int, shares: dict[str, int] | None) -> None:
    hall = Hall(**changes)
    for name, terms in bids.items():
        hall.bid(name, *terms)
    hall.tick(hall.closes_ns)
    (auction,) = hall.exchange.one_way_auctions()
    assert (auction.price_ticks, auction.status.name) == (price, "FAILED" if price < 0 else "CLEARED")
    if shares is None:
        assert hall.allotted() in ({"A": 2_000, "B": 1_500, "C": 1_500}, {"A": 2_000, "B": 1_500, "C": 500, "D": 1_000})
    else:
        assert hall.allotted() == shares
    assert hall.held() == [0] * 5
    check_exchange(hall.exchange)


def test_a_buyer_is_served_by_the_lowest_asks() -> None:
    hall = Hall(opened=False)
    for name in "ABC":
        hall.issue(hall.bidders[name], CREDITS, 1_000)
    hall.document(Deposit(account=hall.seller, amount_micro=200_000 * MICRO_PER_CNY, reference="opening"))
    assert hall.open(side="buy", quantity_lots=1_500, reserve_price_ticks=7_000, tie="time")[0] == 0
    assert hall.exchange.balances(hall.seller).held_micro == 7_000 * 1_500 * 10_005
    for name, price_ticks in (("A", 6_900), ("B", 6_500), ("C", 7_001)):
        assert hall.bid(name, price_ticks, 1_000)[0] == 0
    hall.tick(hall.closes_ns)
    assert hall.allotted() == {"A": 500, "B": 1_000}
    assert hall.exchange.positions(hall.seller)[0].net_lots == 6_000 + 1_500
    assert hall.exchange.balances(hall.seller).balance_micro == 200_000 * MICRO_PER_CNY - 1_500 * 6_900 * 10_003
    check_exchange(hall.exchange)


@pytest.mark.parametrize(
    ("lots", "shares"),
    [
        (3_000, {"A": 3_000, "B": 2_000}),  # less: keeps its time
        (4_900, {"A": 4_900, "B": 100}),
        (5_000, {"A": 100, "B": 4_900}),  # more: behind B
    ],
)
def test_an_amend_loses_its_time_unless_only_the_quantity_falls(lots: int, shares: dict[str, int]) -> None:
    hall = Hall(tie="time")
    for name in "AB":
        hall.document(Deposit(account=hall.bidders[name], amount_micro=10**12, reference="more"))
        assert hall.bid(name, 7_000, 4_900)[0] == 0
    assert hall.amend("A", 7_000, lots)[0] == 0
    hall.tick(hall.closes_ns)
    assert hall.allotted() == shares


def test_amend_and_withdraw_move_the_hold() -> None:
    hall = Hall()
    hall.bid("A", 7_000, 1_000)
    assert hall.amend("A", 7_500, 2_000) == (0, {"bid": 1, "revision": 2, "status": "sealed", "allotted_lots": 0})
    assert hall.held()[0] == 7_500 * 2_000 * 10_005
    assert hall.amend("A", 7_500, 2_000)[1]["duplicate"]
    assert hall.amend("A", 7_000, 2_900, revision=2)[0] == RejectCode.INSUFFICIENT_CASH
    assert hall.held()[0] == 7_500 * 2_000 * 10_005
    check_exchange(hall.exchange)
    assert hall.bid("A", 7_000, 1_000)[1]["duplicate"]  # the first content is that of the command
    assert hall.withdraw("A") == (0, {"bid": 1, "revision": 2, "status": "withdrawn", "allotted_lots": 0})
    assert hall.withdraw("A")[1]["duplicate"]
    assert hall.held()[0] == 0
    assert hall.amend("A", 7_000, 1, revision=2) == (RejectCode.BUSINESS_RULE, {"rule": "bid_has_ended"})
    hall.tick(hall.closes_ns)
    assert hall.allotted() == {}
    check_exchange(hall.exchange)


def _late(hall: Hall) -> Any:
    hall.tick(hall.closes_ns)
    return hall.bid("A")


def _early(hall: Hall) -> Any:
    hall.open(reference="later", quantity_lots=10, opens_ns=hall.now_ns + 1)
    return hall.bid("A", lots=10, auction=2)


def _halted(hall: Hall) -> Any:
    hall.document(SetPhase(symbol=CREDITS, phase="halted", reason="test"))
    return hall.bid("A")


def _recovery(hall: Hall) -> Any:
    hall.one(CommandKind.NODE_STARTED, 0, quantity_lots=2, expiry_ns=NS_PER_MINUTE)
    return hall.bid("A")


def _again(hall: Hall) -> Any:
    hall.bid("A")
    return hall.bid("A", lots=101)


def _stale(hall: Hall) -> Any:
    hall.bid("A")
    return hall.amend("A", 7_000, 50, revision=2)


def _twice_the_units(hall: Hall) -> Any:
    return hall.open(reference="second")


def _too_many(hall: Hall) -> Any:
    for number in range(100):
        assert hall.bid("A", lots=1, client_id=f"b{number}")[0] == 0
    return hall.bid("A", lots=1)


def _ended(hall: Hall) -> Any:
    hall.bid("A")
    hall.tick(hall.closes_ns)
    return hall.withdraw("A")


def _cancel_ended(hall: Hall) -> Any:
    hall.tick(hall.closes_ns)
    return hall.document(CancelOneWayAuction(auction=1, reason="test"))


Case = Callable[[Hall], Any]
REFUSALS: dict[str, tuple[RejectCode | str, Case]] = {
    "the operator does not bid": (RejectCode.NO_PERMISSION, lambda h: h.document(
        PlaceBid(auction=1, client_id="x", price_ticks=7_000, quantity_lots=1), OPERATOR)),
    "a member opens no auction": (RejectCode.NO_PERMISSION, lambda h: h.open(h.bidders["A"])),
    "a bidder without permission": (RejectCode.NO_PERMISSION, lambda h: h.bid("bank")),
    "an applicant without permission": (RejectCode.NO_PERMISSION, lambda h: h.open(reference="r", applicant=h.bank)),
    "after a restart": (RejectCode.RECOVERY_CANCEL_ONLY, _recovery),
    "before the window": (RejectCode.NOT_OPEN_FOR_TRADING, _early),
    "while halted": (RejectCode.NOT_OPEN_FOR_TRADING, _halted),
    "client id malformed": (RejectCode.INVALID_CLIENT_ORDER_ID, lambda h: h.bid("A", client_id="")),
    "client id with other content": (RejectCode.CLIENT_ORDER_ID_REUSED, _again),
    "price outside the range": (RejectCode.PRICE_OUT_OF_RANGE, lambda h: h.bid("A", price_ticks=100_001)),
    "no quantity": (RejectCode.QUANTITY_OUT_OF_RANGE, lambda h: h.bid("A", lots=0)),
    "more than is offered": (RejectCode.QUANTITY_OUT_OF_RANGE, lambda h: h.bid("A", lots=5_001)),
    "more than the cash": (RejectCode.INSUFFICIENT_CASH, lambda h: h.bid("A", lots=2_860)),
    "an old revision": (RejectCode.REVISION_MISMATCH, _stale),
    "units that are offered already": (RejectCode.INSUFFICIENT_UNITS, _twice_the_units),
    "reference malformed": ("reference_malformed", lambda h: h.open(reference="two words")),
    "reference with other content": ("reference_used_with_other_content", lambda h: h.open(seed=5)),
    "unknown instrument": ("unknown_instrument", lambda h: h.open(reference="r", symbol="PCC-1999")),
    "power": ("power_is_not_auctioned", lambda h: h.open(reference="r", symbol="GP-20260715-1000")),
    "unknown side": ("unknown_side", lambda h: h.open(reference="r", side="both")),
    "unknown tie rule": ("unknown_tie_rule", lambda h: h.open(reference="r", tie="alphabet")),
    "seed below zero": ("seed_out_of_range", lambda h: h.open(reference="r", seed=-1)),
    "reserve outside the range": ("reserve_out_of_range", lambda h: h.open(reference="r", reserve_price_ticks=0)),
    "nothing offered": ("quantity_out_of_range", lambda h: h.open(reference="r", quantity_lots=0)),
    "more than the mechanism takes": ("quantity_out_of_range", lambda h: h.open(reference="r", quantity_lots=2**32, reserve_price_ticks=1)),
    "unknown applicant": ("unknown_account", lambda h: h.open(reference="r", applicant=999)),
    "window in the past": ("window_out_of_order", lambda h: h.open(reference="r", opens_ns=h.now_ns - 1, quantity_lots=1)),
    "window without length": ("window_out_of_order", lambda h: h.open(reference="r", closes_ns=h.opens_ns, quantity_lots=1)),
    "unknown auction": ("unknown_auction", lambda h: h.bid("A", auction=2)),
    "cancel of an unknown auction": ("unknown_auction", lambda h: h.document(CancelOneWayAuction(auction=2, reason="test"))),
    "the applicant bids": ("self_dealing", lambda h: h.bid("seller")),
    "too many bids": ("too_many_bids", _too_many),
    "bid after the end": ("auction_has_ended", _late),
    "withdrawal after the end": ("bid_has_ended", _ended),
    "cancel after the end": ("auction_has_ended", _cancel_ended),
    "another's bid": ("unknown_bid", lambda h: (h.bid("A"), h.withdraw("B"))[1]),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_refusal(name: str) -> None:
    expected, attempt = REFUSALS[name]
    hall = Hall()
    code, answer = attempt(hall)
    assert (code, answer.get("rule")) == ((RejectCode.BUSINESS_RULE, expected) if isinstance(expected, str) else (expected, None))
    check_exchange(hall.exchange)


def test_units_on_sale_are_not_auctioned() -> None:
    hall = Hall(opened=False)
    hall.tick(hall.now_ns)
    assert hall.place(hall.seller, hall.credits, SELL, 6_800, 1_001)["code"] == 0
    assert hall.open()[0] == RejectCode.INSUFFICIENT_UNITS
    assert hall.open(quantity_lots=4_999)[0] == 0
    assert hall.place(hall.seller, hall.credits, SELL, 6_800, 1)["code"] == RejectCode.INSUFFICIENT_UNITS


def test_cancel_releases_everything() -> None:
    hall = Hall()
    hall.story()
    result = hall.document(CancelOneWayAuction(auction=1, reason="test"))
    assert result == (0, {"auction": 1, "status": "cancelled"})
    assert hall.document(CancelOneWayAuction(auction=1, reason="test"))[1]["duplicate"]
    assert hall.held() == [0] * 5
    assert hall.exchange.positions(hall.seller)[0].open_sell_lots == 0
    assert hall.tick(hall.closes_ns).executions.size == 0
    check_exchange(hall.exchange)


def test_a_halt_at_the_deadline_fails_the_auction() -> None:
    hall = Hall()
    hall.story()
    hall.document(SetPhase(symbol=CREDITS, phase="halted", reason="test"))
    hall.tick(hall.closes_ns)
    assert hall.exchange.one_way_auctions()[0].status.name == "FAILED"
    assert (hall.allotted(), hall.held()) == ({}, [0] * 5)
    check_exchange(hall.exchange)


def test_opening_again_and_keeping_bids_until_the_retention_is_over() -> None:
    hall = Hall()
    hall.story()
    assert hall.open()[1] == {"auction": 1, "status": "open", "duplicate": True}
    hall.tick(hall.closes_ns)
    assert hall.bid("A", *STORY["A"])[1] == {"bid": 1, "revision": 1, "status": "ended", "allotted_lots": 2_000, "duplicate": True}
    assert [bid.allotted_lots for _, bid in hall.exchange.own_bids(hall.bidders["C"])] == [900]
    hall.now_ns += 3 * NS_PER_DAY
    assert hall.open(reference="next", quantity_lots=1_000, opens_ns=hall.now_ns, closes_ns=hall.now_ns + 1)[1]["auction"] == 2
    assert hall.exchange.own_bids(hall.bidders["C"]) == []
    assert hall.bid("A", lots=1, auction=2)[1]["bid"] == 6


def test_a_snapshot_in_the_middle_of_an_auction() -> None:
    hall = Hall(tie="lot", seed=2**64 - 1)
    hall.story()
    hall.amend("B", 7_100, 1_400)
    hall.withdraw("E")
    restored = Exchange(GENESIS)
    canonical.restore(restored, canonical.snapshot(hall.exchange))
    check_exchange(restored)
    assert canonical.snapshot(restored) == canonical.snapshot(hall.exchange)
    hall.now_ns = hall.closes_ns
    for exchange in (hall.exchange, restored):
        result = exchange.apply(hall.record(CommandKind.TICK, 0), b"", exchange.last_sequence + 1)
        assert result.executions.size >= 3
    assert canonical.state_hash(restored) == canonical.state_hash(hall.exchange)
    assert restored.event_hash == hall.exchange.event_hash


def test_nothing_of_a_bid_leaves_the_fold_before_the_end() -> None:
    """Whatever was bid, the batches of two runs tell everybody but the bidders the same until the auction ends."""
    told = []
    for price_ticks, lots in ((7_500, 2_000), (6_900, 17)):
        hall = Hall()
        before = len(hall.log)
        results = []
        for name in "AB":
            data = encode_document(PlaceBid(auction=1, client_id="x", price_ticks=price_ticks, quantity_lots=lots))
            results.append(hall.send(hall.record(CommandKind.DOCUMENT, hall.bidders[name], document_length=len(data)), data))
        results.append(hall.tick(hall.closes_ns - 1))
        code, deposit = hall.document(Deposit(account=hall.bidders["A"], amount_micro=1, reference="probe"))
        public = [hall.exchange.depth(CREDITS, side, 10).tolist() for side in (BUY, SELL)]
        public += [hall.exchange.book_seq(CREDITS), hall.exchange.last_price(CREDITS), hall.exchange.one_way_auctions(), code, deposit]
        told.append((public, [(r.notices, r.executions.tolist(), r.postings.tolist(), r.outcomes.tolist()) for r in results]))
        assert len(hall.log) == before + 4
    assert told[0] == told[1]
    assert all(not notices and not executions and not postings for notices, executions, postings, _ in told[0][1])
