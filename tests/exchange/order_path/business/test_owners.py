"""Accounts of one beneficial owner: no trade among them, and one limit for all."""

from typing import Any

import pytest

from exchange.journal.record import CommandFlag
from exchange.order_path import canonical
from exchange.order_path.check import check_exchange
from exchange.order_path.path import Exchange
from exchange.protocol.documents import ChangeParticipant, SetOwnerRules
from exchange.protocol.reject_codes import RejectCode
from matching.records import Side
from tests.exchange.order_path.national import BUY, SELL
from tests.exchange.order_path.park import GENESIS, OPEN_NS, Park, power_spec

PERMISSIONS = ["power_buy", "power_sell"]


class Group(Park):
    """`b` belongs to `a`; `c` to nobody else. Two quarter-hours in continuous trading."""

    def __init__(self, scope: str = "beneficial_owner", limit_lots: int = 0) -> None:
        super().__init__()
        self.a, self.b, self.c = (self.admit(name, "enterprise", PERMISSIONS, -1_000, 1_000, 100_000) for name in "abc")
        assert self.document(ChangeParticipant(account=self.b, reason="test", beneficial_owner=self.a))[0] == 0
        assert self.document(SetOwnerRules(self_trade_scope=scope, limit_lots=limit_lots))[0] == 0
        self.first, self.second = self.list(power_spec(40), power_spec(41))
        self.tick(OPEN_NS)


# maker, its side, its price; taker's price on the other side; code
MEETS = [
    ("b", BUY, 4_000, 4_000, RejectCode.SELF_TRADE_PREVENTED),
    ("b", BUY, 4_000, 3_999, RejectCode.SELF_TRADE_PREVENTED),
    ("b", BUY, 4_000, 4_001, RejectCode.ACCEPTED),
    ("b", SELL, 4_000, 4_000, RejectCode.SELF_TRADE_PREVENTED),
    ("b", SELL, 4_000, 4_001, RejectCode.SELF_TRADE_PREVENTED),
    ("b", SELL, 4_000, 3_999, RejectCode.ACCEPTED),
    ("c", BUY, 4_000, 4_000, RejectCode.ACCEPTED),
]


@pytest.mark.parametrize(("maker", "side", "price", "taker_price", "code"), MEETS)
def test_an_order_that_could_meet_the_groups_is_refused(maker: str, side: int, price: int, taker_price: int, code: int) -> None:
    market = Group()
    market.place(getattr(market, maker), market.first, side, price, 10)
    assert market.place(market.a, market.first, 1 - side, taker_price, 10)["code"] == code
    assert market.place(market.a, market.second, 1 - side, taker_price, 10)["code"] == RejectCode.ACCEPTED
    check_exchange(market.exchange)


def test_also_behind_orders_of_others() -> None:
    market = Group()
    market.place(market.c, market.first, BUY, 4_001, 10)
    market.place(market.b, market.first, BUY, 4_000, 10)
    assert market.place(market.a, market.first, SELL, 4_000, 5)["code"] == RejectCode.SELF_TRADE_PREVENTED
    assert market.place(market.a, market.first, SELL, 4_001, 5)["filled_lots"] == 5


def test_an_amend_into_the_groups_price_is_refused() -> None:
    market = Group()
    market.place(market.b, market.first, BUY, 4_000, 10)
    order = market.place(market.a, market.first, SELL, 4_100, 10)
    amended = market.amend(market.a, int(order["order_id"]), 1, 4_000)
    assert (amended["code"], market.exchange.open_orders(market.a)[0].price_ticks) == (RejectCode.SELF_TRADE_PREVENTED, 4_100)
    assert market.amend(market.a, int(order["order_id"]), 1, 4_050)["code"] == RejectCode.ACCEPTED
    check_exchange(market.exchange)


def test_a_basket_leg_is_refused_too() -> None:
    market = Group()
    for instrument in (market.first, market.second):
        market.place(market.c, instrument, BUY, 4_000, 10)
    market.place(market.b, market.second, BUY, 4_000, 10)
    codes = market.basket(market.a, (market.first, SELL, 4_000, 5), (market.second, SELL, 4_000, 5))
    assert codes == [RejectCode.BASKET_REFUSED, RejectCode.SELF_TRADE_PREVENTED]


def test_a_stop_waits_until_it_is_triggered() -> None:
    market = Group()
    market.place(market.b, market.first, BUY, 4_000, 10)
    stop = market.place(market.a, market.first, SELL, 3_900, 10, stop_ticks=3_950, flags=int(CommandFlag.STOP))
    assert stop["code"] == RejectCode.ACCEPTED
    # And what waits beside the ladder meets nobody.
    assert market.place(market.b, market.first, Side.BUY, 3_900, 10)["code"] == RejectCode.ACCEPTED


@pytest.mark.parametrize("change", ["scope", "owner"])
def test_without_the_rule_or_the_control_they_trade(change: str) -> None:
    market = Group("account" if change == "scope" else "beneficial_owner")
    if change == "owner":
        assert market.document(ChangeParticipant(account=market.b, reason="sold", beneficial_owner=market.b))[0] == 0
    market.place(market.b, market.first, BUY, 4_000, 10)
    assert market.place(market.a, market.first, SELL, 4_000, 10)["filled_lots"] == 10


def test_one_limit_holds_for_all_accounts_of_an_owner() -> None:
    market = Group("account", limit_lots=100)
    market.place(market.b, market.first, BUY, 3_000, 60)
    assert market.place(market.a, market.first, BUY, 3_000, 41)["code"] == RejectCode.POSITION_LIMIT
    assert market.place(market.a, market.first, BUY, 3_000, 40)["code"] == RejectCode.ACCEPTED
    assert market.place(market.b, market.second, BUY, 3_000, 100)["code"] == RejectCode.ACCEPTED
    assert market.place(market.c, market.first, BUY, 3_000, 900)["code"] == RejectCode.ACCEPTED


def test_the_limit_counts_what_is_bought_and_sold() -> None:
    market = Group("account", limit_lots=100)
    market.place(market.c, market.first, SELL, 3_000, 80)
    assert market.place(market.b, market.first, BUY, 3_000, 80)["filled_lots"] == 80
    assert market.place(market.a, market.first, BUY, 2_000, 21)["code"] == RejectCode.POSITION_LIMIT
    assert market.place(market.a, market.first, SELL, 5_000, 180)["code"] == RejectCode.ACCEPTED
    assert market.place(market.a, market.first, SELL, 5_000, 1)["code"] == RejectCode.POSITION_LIMIT


def test_the_rules_survive_a_snapshot() -> None:
    market = Group(limit_lots=50)
    other = Exchange(GENESIS)
    canonical.restore(other, canonical.snapshot(market.exchange))
    assert canonical.state_hash(other) == canonical.state_hash(market.exchange)
    market.exchange = other
    market.place(market.b, market.first, BUY, 4_000, 10)
    assert market.place(market.a, market.first, SELL, 4_000, 10)["code"] == RejectCode.SELF_TRADE_PREVENTED
    assert market.place(market.a, market.first, BUY, 2_000, 41)["code"] == RejectCode.POSITION_LIMIT


REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("unknown_self_trade_scope", {"self_trade_scope": "family"}),
    ("quantity_out_of_range", {"self_trade_scope": "account", "limit_lots": -1}),
]


@pytest.mark.parametrize(("rule", "fields"), REFUSED)
def test_rules_refused(rule: str, fields: dict[str, Any]) -> None:
    assert Group().document(SetOwnerRules(**fields)) == (RejectCode.BUSINESS_RULE, {"rule": rule})
