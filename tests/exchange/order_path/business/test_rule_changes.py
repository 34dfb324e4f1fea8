"""Changed terms of instruments and participants: a row for every refusal, and what they do to orders."""

from typing import Any

import pytest

from exchange.order_path import canonical
from exchange.order_path.check import check_exchange
from exchange.order_path.path import Exchange
from exchange.protocol.documents import Admit, ChangeParticipant, ChangeTerms, Deposit, ProposeBlock
from exchange.protocol.reject_codes import RejectCode
from exchange.units import MICRO_PER_CNY
from matching.records import Side
from tests.exchange.order_path.business.desk import Desk
from tests.exchange.order_path.national import at
from tests.exchange.order_path.park import OPEN_NS, block_spec, power_spec, units_spec

POWER = "GP-20260715-1000"


class Changing(Desk):
    """Two members with money in continuous trading; the four quarter-hours from 10:00, their block and 11:00; credits with and without a limit."""

    def __init__(self) -> None:
        super().__init__(approval="single")
        self.buyer = self.member("buyer")
        self.seller = self.member("seller")
        for account in (self.buyer, self.seller):
            self.done(Deposit(account=account, amount_micro=1_000_000 * MICRO_PER_CNY, reference="opening"))
        limits = {"calendar": "cea", "limit_ppm": 100_000, "previous_close_ticks": 6_200, "block_limit_ppm": 300_000, "block_min_lots": 10}
        limited = units_spec("CEA26", band_low_ticks=5_580, band_high_ticks=6_820, **limits)
        self.ids = self.list(*(power_spec(i) for i in (40, 41, 42, 43, 44)), block_spec(), units_spec(), limited)
        self.tick(OPEN_NS)

    def terms(self, symbol: str = POWER, **changes: Any) -> tuple[int, dict[str, Any]]:
        return self.say(ChangeTerms(symbol=symbol, reason="test", **changes))

    def change(self, account: int, **changes: Any) -> tuple[int, dict[str, Any]]:
        return self.say(ChangeParticipant(account=account, reason="test", **changes))


TERMS: list[tuple[str, dict[str, Any]]] = [
    ("unknown_instrument", {"symbol": "nothing", "max_order_lots": 5}),
    ("nothing_to_change", {}),
    ("price_range_out_of_order", {"band_low_ticks": 20_001}),
    ("multiplier_or_size_not_positive", {"max_order_lots": 0}),
    ("negative_fee", {"maker_fee_lot_micro": -1}),
    ("power_fee_depends_on_price", {"taker_fee_tick_lot_micro": 1}),
    ("part_of_a_block", {"maker_fee_lot_micro": 30}),
    ("part_of_a_block", {"symbol": "GP-20260715-PEAK", "maker_fee_lot_micro": 30}),
    ("band_is_not_the_daily_limit", {"symbol": "CEA26", "band_low_ticks": 6_000}),
]


@pytest.mark.parametrize(("rule", "changes"), TERMS, ids=[f"{i}-{rule}" for i, (rule, _) in enumerate(TERMS)])
def test_terms_refused(rule: str, changes: dict[str, Any]) -> None:
    assert Changing().terms(**changes) == (RejectCode.BUSINESS_RULE, {"rule": rule})


def test_fees_wait_until_nothing_holds_the_old_ones() -> None:
    market = Changing()
    symbol, instrument = "GP-20260715-1100", market.ids[4]
    order = market.place(market.buyer, instrument, Side.BUY, 4_000, 100)
    assert market.terms(symbol, taker_fee_lot_micro=70) == (RejectCode.BUSINESS_RULE, {"rule": "orders_are_open"})
    market.cancel(market.buyer, int(order["order_id"]))
    assert market.terms(symbol, taker_fee_lot_micro=70)[0] == RejectCode.ACCEPTED
    before = market.exchange.balances(market.buyer).balance_micro
    market.place(market.seller, instrument, Side.SELL, 4_000, 100)
    market.place(market.buyer, instrument, Side.BUY, 4_000, 100)
    assert before - market.exchange.balances(market.buyer).balance_micro == 100 * 4_000 * 10 + 100 * 70
    check_exchange(market.exchange)


def test_fees_wait_for_proposed_block_trades_too() -> None:
    market = Changing()
    market.issue(market.seller, "CEA26", 1_000)
    market.tick(at("13:30"))
    offer = ProposeBlock(client_id="b", symbol="CEA26", side="sell", counterparty=market.buyer, price_ticks=6_200, quantity_lots=100)
    proposed, answer = market.document(offer, market.seller)
    assert proposed == 0, answer
    assert market.terms("CEA26", maker_fee_lot_micro=1) == (RejectCode.BUSINESS_RULE, {"rule": "trades_are_proposed"})


def test_orders_outside_a_new_band_expire_and_later_ones_are_refused() -> None:
    market = Changing()
    instrument = market.ids[0]
    market.place(market.buyer, instrument, Side.BUY, 4_000, 10)
    market.place(market.buyer, instrument, Side.BUY, 5_000, 11)
    assert market.terms(band_low_ticks=4_500)[0] == RejectCode.ACCEPTED
    assert [order.price_ticks for order in market.exchange.open_orders(market.buyer)] == [5_000]
    assert market.place(market.buyer, instrument, Side.BUY, 4_499, 1)["code"] == RejectCode.PRICE_OUTSIDE_BAND
    check_exchange(market.exchange)


def test_changed_terms_survive_a_snapshot() -> None:
    market = Changing()
    market.terms(band_low_ticks=4_500, max_order_lots=50)
    market.change(market.seller, beneficial_owner=market.buyer, max_net_power_lots=77)
    other = Exchange(market.genesis)
    canonical.restore(other, canonical.snapshot(market.exchange))
    assert canonical.state_hash(other) == canonical.state_hash(market.exchange)
    assert int(other.state.instruments[other.instrument(POWER).slot].max_order_lots) == 50
    assert (other.account(market.seller).beneficial_owner, int(other.state.accounts[market.seller].max_net_lots)) == (market.buyer, 77)


PARTICIPANTS: list[tuple[str, dict[str, Any]]] = [
    ("unknown_account", {"account": 99}),
    ("nothing_to_change", {}),
    ("unknown_permission", {"permissions": ["fly"]}),
    ("permission_not_allowed_for_role", {"account": 32, "permissions": ["power_buy"]}),
    ("power_limits_out_of_order", {"min_net_power_lots": 1}),
    ("unknown_account", {"beneficial_owner": 99}),
]


@pytest.mark.parametrize(("rule", "changes"), PARTICIPANTS, ids=[f"{i}-{rule}" for i, (rule, _) in enumerate(PARTICIPANTS)])
def test_participant_refused(rule: str, changes: dict[str, Any]) -> None:
    market = Changing()
    fields = {"account": market.buyer} | changes
    assert market.say(ChangeParticipant(reason="test", **fields)) == (RejectCode.BUSINESS_RULE, {"rule": rule})


def test_limits_and_permissions_hold_for_later_orders() -> None:
    market = Changing()
    market.change(market.buyer, max_net_power_lots=10)
    assert market.place(market.buyer, market.ids[0], Side.BUY, 4_000, 11)["code"] == RejectCode.POSITION_LIMIT
    market.change(market.buyer, permissions=["cea_buy"])
    assert market.place(market.buyer, market.ids[0], Side.BUY, 4_000, 1)["code"] == RejectCode.NO_PERMISSION


def test_control_has_one_step() -> None:
    market = Changing()
    third = market.member("third", beneficial_owner=market.buyer)
    assert market.exchange.account(third).beneficial_owner == market.buyer
    assert market.exchange.account(market.seller).beneficial_owner == market.seller
    assert market.change(market.seller, beneficial_owner=third) == (RejectCode.BUSINESS_RULE, {"rule": "owner_is_controlled_itself"})
    assert market.change(market.buyer, beneficial_owner=market.seller) == (RejectCode.BUSINESS_RULE, {"rule": "controls_others"})
    admitted = Admit(name="fourth", role="enterprise", permissions=[], beneficial_owner=third)
    assert market.say(admitted) == (RejectCode.BUSINESS_RULE, {"rule": "owner_is_controlled_itself"})
    assert market.change(third, beneficial_owner=third)[0] == RejectCode.ACCEPTED
    assert market.exchange.rooms.participants.controlled_by(market.buyer) == [market.buyer]
