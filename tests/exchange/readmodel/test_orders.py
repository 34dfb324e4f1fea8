"""The last known state of orders: resends and refusals change nothing."""

from exchange.journal.record import CommandKind
from exchange.readmodel.orders import order_changes
from matching.records import Side
from tests.exchange.readmodel.market import open_market


def test_a_resend_and_a_refusal_change_nothing() -> None:
    market = open_market()
    park, account = market.park, market.accounts[0]
    order_id = int(park.place(account, market.power, Side.BUY, 4_000, 10)["order_id"])
    assert park.amend(account, order_id, 1, 4_001)["code"] == 0
    resend = park.log[-1][0]
    assert park.amend(account, order_id, 2, 4_002)["code"] == 0
    assert order_changes(market.batches[-1]).changes[order_id].price_ticks == 4_002
    assert resend["kind"][0] == CommandKind.AMEND
    assert order_changes(park.send(resend)).changes == {}
    assert park.amend(account, order_id, 2, 4_003)["code"] != 0
    assert order_changes(market.batches[-1]).changes == {}
    park.send(park.log[-5][0])
    assert order_changes(market.batches[-1]).placed == {}
