"""Block trades: a row for every refusal, the money of a trade, and what ends a proposal."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from exchange.journal.record import CommandKind
from exchange.ledger.chart import House
from exchange.order_path import canonical
from exchange.order_path.check import check_exchange
from exchange.order_path.path import Exchange
from exchange.order_path.records import ExecutionKind
from exchange.protocol.documents import ConfirmBlock, DeclineBlock, Document, ProposeBlock, SetPhase, WithdrawBlock, encode_document
from exchange.protocol.reject_codes import RejectCode
from exchange.units import MICRO_PER_CNY, NS_PER_DAY, NS_PER_MINUTE
from tests.exchange.order_path.national import SELL, National, allowance, at
from tests.exchange.order_path.park import GENESIS, OPERATOR, units_spec

SIZE = 100_000


class Blocks(National):
    """At 13:30, in the window of block trades; the operator and an account without permissions are there too."""

    def __init__(self) -> None:
        super().__init__(None, allowance(), units_spec("PCC-2026", instrument_class="pcc", resale="free"))
        self.outsider = self.admit("B01", "bank", [])
        self.issue(self.seller, "PCC-2026", 500_000)
        self.go("13:30")

    def propose(self, account: int | None = None, client_id: str = "b1", **changes: Any) -> tuple[int, dict[str, Any]]:
        terms: dict[str, Any] = {
            "symbol": "CEA25", "side": "sell", "counterparty": self.buyer, "price_ticks": 6_300, "quantity_lots": SIZE,
        }  # fmt: skip
        return self.document(ProposeBlock(client_id=client_id, **(terms | changes)), self.seller if account is None else account)

    def proposed(self, **changes: Any) -> int:
        code, answer = self.propose(**changes)
        assert code == 0, answer
        return int(answer["proposal"])

    def ask(self, document: Document, account: int) -> tuple[int, Any]:
        """(code, rule) of a document."""
        code, answer = self.document(document, account)
        return code, answer.get("rule")

    def status(self, proposal: int) -> str:
        return self.exchange.rooms.blocks.by_id[proposal].status.name.lower()


def _late(market: Blocks) -> Any:
    market.go("15:00")
    return market.propose()


def _early(market: Blocks) -> Any:
    market.go("11:00", "2026-07-16")
    return market.propose()


def _holiday(market: Blocks) -> Any:
    market.go("13:30", "2026-07-18")  # a Saturday
    return market.propose()


def _halted(market: Blocks) -> Any:
    market.document(SetPhase(symbol="CEA25", phase="halted", reason="test"))
    return market.propose()


def _recovery(market: Blocks) -> Any:
    market.one(CommandKind.NODE_STARTED, 0, quantity_lots=2, expiry_ns=NS_PER_MINUTE)
    return market.propose()


def _units_on_sale(market: Blocks) -> Any:
    for _ in range(5):
        market.place(market.seller, market.cea, SELL, 6_800, 90_000)
    return market.propose()


def _units_proposed(market: Blocks) -> Any:
    market.proposed(quantity_lots=500_000)
    return market.propose(client_id="b2")


def _cash_proposed(market: Blocks) -> Any:
    market.proposed(account=market.buyer, side="buy", counterparty=market.seller, quantity_lots=700_000)
    return market.propose(market.buyer, "b2", side="buy", counterparty=market.seller)


def _bought_today(market: Blocks) -> Any:
    market.document(ConfirmBlock(proposal=market.proposed()), market.buyer)
    return market.propose(market.buyer, counterparty=market.seller)


def _other_content(market: Blocks) -> Any:
    market.proposed()
    return market.propose(price_ticks=6_301)


CODED: dict[str, tuple[RejectCode, Callable[[Blocks], Any]]] = {
    "client id malformed": (RejectCode.INVALID_CLIENT_ORDER_ID, lambda m: m.propose(client_id="two words")),
    "client id used with other content": (RejectCode.CLIENT_ORDER_ID_REUSED, _other_content),
    "the operator does not trade": (RejectCode.NO_PERMISSION, lambda m: m.propose(OPERATOR)),
    "no permission": (RejectCode.NO_PERMISSION, lambda m: m.propose(m.outsider)),
    "a counterparty without permission": (RejectCode.NO_PERMISSION, lambda m: m.propose(counterparty=m.outsider)),
    "the operator as counterparty": (RejectCode.NO_PERMISSION, lambda m: m.propose(counterparty=OPERATOR)),
    "after a restart": (RejectCode.RECOVERY_CANCEL_ONLY, _recovery),
    "after the window": (RejectCode.NOT_OPEN_FOR_TRADING, _late),
    "in the morning session": (RejectCode.NOT_OPEN_FOR_TRADING, _early),
    "on a day without trading": (RejectCode.NOT_OPEN_FOR_TRADING, _holiday),
    "halted": (RejectCode.NOT_OPEN_FOR_TRADING, _halted),
    "above the block limit": (RejectCode.PRICE_OUTSIDE_BAND, lambda m: m.propose(price_ticks=8_061)),
    "below the block limit": (RejectCode.PRICE_OUTSIDE_BAND, lambda m: m.propose(price_ticks=4_339)),
    "more units than owned": (RejectCode.INSUFFICIENT_UNITS, lambda m: m.propose(quantity_lots=500_001)),
    "units that are on sale": (RejectCode.INSUFFICIENT_UNITS, _units_on_sale),
    "units that are proposed": (RejectCode.INSUFFICIENT_UNITS, _units_proposed),
    "units bought today": (RejectCode.INSUFFICIENT_UNITS, _bought_today),
    "more than the cash": (
        RejectCode.INSUFFICIENT_CASH, lambda m: m.propose(m.third, side="buy", counterparty=m.seller)),
    "cash that is proposed": (RejectCode.INSUFFICIENT_CASH, _cash_proposed),
}  # fmt: skip


@pytest.mark.parametrize("name", CODED)
def test_refusal_with_the_code_of_an_order(name: str) -> None:
    code, attempt = CODED[name]
    market = Blocks()
    assert RejectCode(attempt(market)[0]) is code
    check_exchange(market.exchange)


RULES: dict[str, tuple[str, Callable[[Blocks], Any]]] = {
    "unknown instrument": ("unknown_instrument", lambda m: m.propose(symbol="CEA99")),
    "unknown side": ("unknown_side", lambda m: m.propose(side="both")),
    "instrument without block trades": ("no_block_trades", lambda m: m.propose(symbol="PCC-2026")),
    "oneself": ("self_dealing", lambda m: m.propose(counterparty=m.seller)),
    "unknown counterparty": ("unknown_account", lambda m: m.propose(counterparty=999)),
    "a house account": ("unknown_account", lambda m: m.propose(counterparty=int(House.ISSUER))),
    "one tonne below the size": ("below_block_size", lambda m: m.propose(quantity_lots=SIZE - 1)),
    "beyond the range of money": ("quantity_out_of_range", lambda m: m.propose(quantity_lots=2**62)),
}


@pytest.mark.parametrize("name", RULES)
def test_refusal_by_a_rule(name: str) -> None:
    rule, attempt = RULES[name]
    market = Blocks()
    before = canonical.content(market.exchange)
    code, answer = attempt(market)
    assert (code, answer) == (RejectCode.BUSINESS_RULE, {"rule": rule})
    after = canonical.content(market.exchange)
    assert {k: v for k, v in after.items() if k != "counters"} == {k: v for k, v in before.items() if k != "counters"}


@pytest.mark.parametrize("price", [4_340, 8_060])
def test_story_of_the_block_limits(price: int) -> None:
    assert Blocks().propose(price_ticks=price)[0] == RejectCode.ACCEPTED


def test_a_confirmed_trade_is_delivery_versus_payment_with_fees() -> None:
    market = Blocks()
    exchange = market.exchange
    cash = {a: exchange.balances(a).balance_micro for a in (market.seller, market.buyer)}
    proposal = market.proposed()
    assert exchange.positions(market.seller)[0].open_sell_lots == SIZE
    data = ConfirmBlock(proposal=proposal)
    result = market.send(*_document(market, data, market.buyer))
    value = 6_300 * SIZE * 10_000
    assert value == 6_300_000 * MICRO_PER_CNY
    maker_fee, taker_fee = 6_300 * SIZE * 3, 6_300 * SIZE * 5
    assert exchange.balances(market.seller).balance_micro == cash[market.seller] + value - maker_fee
    assert exchange.balances(market.buyer).balance_micro == cash[market.buyer] - value - taker_fee
    assert exchange.balances(House.FEES).balance_micro == maker_fee + taker_fee
    assert [p.net_lots for p in (exchange.positions(market.seller)[0], exchange.positions(market.buyer)[0])] == [500_000 - SIZE, SIZE]
    assert exchange.positions(market.buyer)[0].locked_lots == SIZE  # not sold again today
    (row,) = result.executions
    assert ExecutionKind(int(row["kind"])) is ExecutionKind.BLOCK_TRADE
    told = {name: int(row[name]) for name in ("order_id", "counter_order_id", "price_ticks", "quantity_lots", "side", "account", "counter_account")}
    assert told == {
        "order_id": 0, "counter_order_id": 0, "price_ticks": 6_300, "quantity_lots": SIZE, "side": 0, "account": market.buyer,
        "counter_account": market.seller,
    }  # fmt: skip
    assert (row["client_order_id"], row["counter_client_order_id"]) == (b"", b"b1")
    assert (int(row["fee_micro"]), int(row["counter_fee_micro"]), int(row["trade_number"])) == (taker_fee, maker_fee, 1)
    assert (int(row["seq"]), int(row["counter_seq"])) == (exchange.execution_seq(market.buyer), exchange.execution_seq(market.seller))
    assert [n.kind for n in result.notices] == ["block"]
    check_exchange(exchange)


def _document(market: Blocks, document: Document, account: int) -> tuple[np.ndarray, bytes]:
    data = encode_document(document)
    return market.record(CommandKind.DOCUMENT, account, document_length=len(data)), data


def test_a_buyer_proposes_and_holds_the_cash() -> None:
    market = Blocks()
    proposal = market.proposed(account=market.buyer, side="buy", counterparty=market.seller)
    assert market.exchange.balances(market.buyer).held_micro == 6_300 * SIZE * (10_000 + 5)
    assert market.ask(ConfirmBlock(proposal=proposal), market.seller) == (0, None)
    assert market.exchange.balances(market.buyer).held_micro == 0
    assert market.exchange.positions(market.buyer)[0].net_lots == SIZE
    check_exchange(market.exchange)


def test_block_trades_do_not_enter_the_close() -> None:
    market = Blocks()
    market.trade(6_210, 10)
    market.ask(ConfirmBlock(proposal=market.proposed(price_ticks=8_000)), market.buyer)
    assert market.exchange.last_price("CEA25") == 6_210
    closed = market.go("15:00")
    assert [n.data["close_ticks"] for n in closed.notices if n.kind == "close"] == [6_210]


END: dict[str, tuple[type[Document], str, str]] = {
    "declined": (DeclineBlock, "buyer", "declined"),
    "withdrawn": (WithdrawBlock, "seller", "withdrawn"),
}


@pytest.mark.parametrize("name", END)
def test_what_ends_a_proposal_releases_its_hold_and_is_idempotent(name: str) -> None:
    kind, who, status = END[name]
    market = Blocks()
    proposal = market.proposed()
    document: Any = kind(proposal=proposal)  # type: ignore[call-arg]
    assert market.ask(document, getattr(market, who)) == (0, None)
    assert market.status(proposal) == status
    assert market.exchange.positions(market.seller)[0].open_sell_lots == 0
    code, again = market.document(document, getattr(market, who))
    assert (code, again["duplicate"]) == (0, True)
    assert market.ask(ConfirmBlock(proposal=proposal), market.buyer) == (RejectCode.BUSINESS_RULE, "proposal_has_ended")
    check_exchange(market.exchange)


def test_only_the_two_sides_may_answer() -> None:
    market = Blocks()
    proposal = market.proposed()
    for document, account in (
        (ConfirmBlock(proposal=proposal), market.seller), (ConfirmBlock(proposal=proposal), market.third),
        (DeclineBlock(proposal=proposal), market.seller), (WithdrawBlock(proposal=proposal), market.buyer),
        (ConfirmBlock(proposal=99), market.buyer), (WithdrawBlock(proposal=99), market.seller),
    ):  # fmt: skip
        assert market.ask(document, account) == (RejectCode.BUSINESS_RULE, "unknown_proposal")
    assert market.ask(ConfirmBlock(proposal=proposal), OPERATOR)[0] == RejectCode.NO_PERMISSION
    assert market.status(proposal) == "open"
    assert [len(market.exchange.block_proposals(a)) for a in (market.seller, market.buyer, market.third)] == [1, 1, 0]


def test_confirmation_asks_for_cover_and_the_window() -> None:
    market = Blocks()
    proposal = market.proposed(counterparty=market.third)
    assert market.ask(ConfirmBlock(proposal=proposal), market.third)[0] == RejectCode.INSUFFICIENT_CASH
    market.document(SetPhase(symbol="CEA25", phase="halted", reason="test"))
    assert market.ask(ConfirmBlock(proposal=proposal), market.third)[0] == RejectCode.NOT_OPEN_FOR_TRADING
    assert market.status(proposal) == "open"
    check_exchange(market.exchange)


def test_a_proposal_expires_with_the_window() -> None:
    market = Blocks()
    proposal = market.proposed()
    ended = market.proposed(client_id="b2")
    market.document(WithdrawBlock(proposal=ended), market.seller)
    market.go("14:59")
    assert market.status(proposal) == "open"
    result = market.go("15:30")
    assert [(n.stamp_ns, n.data) for n in result.notices if n.kind == "block"] == [(at("15:00"), {"proposal": proposal})]
    assert (market.status(proposal), market.status(ended)) == ("expired", "withdrawn")
    assert market.exchange.positions(market.seller)[0].open_sell_lots == 0
    check_exchange(market.exchange)


def test_a_resend_is_answered_with_what_became_of_the_first_until_the_retention_is_over() -> None:
    market = Blocks()
    proposal = market.proposed()
    market.document(ConfirmBlock(proposal=proposal), market.buyer)
    code, again = market.propose()
    assert (code, again["proposal"], again["status"], again["duplicate"]) == (0, proposal, "traded", True)
    assert market.document(ConfirmBlock(proposal=proposal), market.buyer)[1]["duplicate"]
    assert market.exchange.positions(market.buyer)[0].net_lots == SIZE
    market.tick(market.now_ns + 5 * NS_PER_DAY)  # Monday
    assert market.propose(client_id="b2")[1]["proposal"] == proposal + 1
    assert market.propose()[1]["proposal"] == proposal + 2
    check_exchange(market.exchange)


def test_open_proposals_survive_a_snapshot() -> None:
    market = Blocks()
    proposal = market.proposed()
    market.document(WithdrawBlock(proposal=market.proposed(client_id="b2")), market.seller)
    restored = Exchange(GENESIS)
    canonical.restore(restored, canonical.snapshot(market.exchange))
    check_exchange(restored)
    assert canonical.snapshot(restored) == canonical.snapshot(market.exchange)
    for exchange in (market.exchange, restored):
        record, data = _document(market, ConfirmBlock(proposal=proposal), market.buyer)
        assert exchange.apply(record, data, exchange.last_sequence + 1).outcomes[0]["code"] == 0
    assert canonical.state_hash(restored) == canonical.state_hash(market.exchange)
    assert restored.event_hash == market.exchange.event_hash
