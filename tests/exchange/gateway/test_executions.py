"""Private executions: both sides of a trade, without gaps, replayable."""

from typing import Any

from exchange.gateway.limits import Limits
from exchange.protocol.documents import RevokeKey
from exchange.protocol.reject_codes import RejectCode
from tests.exchange.gateway.parks import POWER, RawClient, request, running_park
from tests.exchange.gateway.test_logon import ORDER


def executions(client: RawClient) -> list[dict[str, Any]]:
    return [frame["params"] for frame in client.take() if frame.get("method") == "execution"]


def order(number: int, **changes: Any) -> dict[str, Any]:
    return ORDER | {"client_order_id": f"c-{number}"} | changes


async def test_both_sides_of_a_trade() -> None:
    async with running_park() as park:
        buyer, seller = park.raw(), park.raw()
        await buyer.log_on("factory")
        await seller.log_on("solar")
        subscribed = await seller.ask("subscribe", {"channels": ["executions"]})
        assert subscribed["result"] == {"channels": ["executions"], "execution_seq": 0, "replay_from": 1}
        await buyer.ask("subscribe", {"channels": ["executions"]})
        await seller.ask("order.place", order(1, side="sell", price="0.4000", quantity="5.0"))
        await buyer.ask("order.place", order(2, price="0.4100", quantity="7.0"))
        rested, sold = executions(seller)
        bought, left = executions(buyer)
        assert (rested["kind"], rested["remaining"], rested["seq"], rested["prev_seq"]) == ("rested", "5.0", 1, 0)
        assert (sold["kind"], sold["side"], sold["liquidity"], sold["remaining"], sold["client_order_id"]) == ("trade", "sell", "maker", "0.0", "c-1")
        assert (bought["side"], bought["liquidity"], bought["remaining"], bought["client_order_id"]) == ("buy", "taker", "2.0", "c-2")
        assert (left["kind"], left["remaining"], left["seq"], left["prev_seq"]) == ("rested", "2.0", 2, 1)
        shared = ("sequence", "index", "price", "quantity", "trade_number", "instrument", "at_ns")
        assert [sold[name] for name in shared] == [bought[name] for name in shared]
        assert (bought["fee_micro"], sold["fee_micro"]) == (50 * 50, 50 * 20)
        await buyer.ask("order.cancel", {"client_order_id": "x", "order_id": 2})
        (cancelled,) = executions(buyer)
        assert (cancelled["kind"], cancelled["reason"], cancelled["quantity"], cancelled["remaining"]) == ("cancelled", "requested", "2.0", "0.0")


async def test_private_executions_come_before_the_answer() -> None:
    async with running_park() as park:
        client = park.raw()
        await client.log_on("factory")
        await client.ask("subscribe", {"channels": ["executions"]})
        client.send(*[request("order.place", order(n), n) for n in range(3)])
        await client.all_answered()
        kinds = ["answer" if "id" in frame else frame["method"] for frame in client.take()]
        assert kinds == ["execution"] * 3 + ["answer"] * 3


async def test_replay_from_a_seq() -> None:
    async with running_park() as park:
        client = park.raw()
        await client.log_on("factory")
        for number in range(5):
            await client.ask("order.place", order(number, price=f"0.400{number}"))
        again = park.raw()
        await again.log_on("factory")
        answer = (await again.ask("subscribe", {"channels": ["executions"], "from_seq": 3}))["result"]
        assert (answer["execution_seq"], answer["replay_from"]) == (5, 1)
        assert [event["seq"] for event in executions(again)] == [3, 4, 5]
        await client.ask("order.place", order(9))
        assert [event["seq"] for event in executions(again)] == [6]


async def test_the_ring_is_bounded_and_says_so() -> None:
    async with running_park(Limits(execution_ring=3)) as park:
        client = park.raw()
        await client.log_on("factory")
        for number in range(5):
            await client.ask("order.place", order(number, price=f"0.400{number}"))
        answer = (await client.ask("subscribe", {"channels": ["executions"], "from_seq": 1}))["result"]
        assert (answer["execution_seq"], answer["replay_from"]) == (5, 3)
        assert [event["seq"] for event in executions(client)] == [3, 4, 5]


async def test_nobody_sees_the_executions_of_another() -> None:
    async with running_park() as park:
        watcher, seller = park.raw(), park.raw()
        await watcher.log_on("factory")
        await seller.log_on("solar")
        await watcher.ask("subscribe", {"channels": ["executions", "ticker", "trades:*", f"book:{POWER}"], "from_seq": 0})
        await seller.ask("order.place", order(1, side="sell"))
        park.hub.publisher.flush()
        assert executions(watcher) == []


async def test_a_private_backlog_ends_the_session() -> None:
    async with running_park(Limits(outbox_frames=5)) as park:
        client = park.raw()
        await client.log_on("factory")
        await client.ask("subscribe", {"channels": ["executions"]})
        client.send(*[request("order.place", order(n), n) for n in range(5)])
        await client.connection.hub.close()
        await park.document(RevokeKey(key_id="solar"))
        assert client.connection.end_code == RejectCode.SESSION_BACKLOG
        # The orders were taken all the same.
        assert len(park.node.exchange.open_orders(33)) == 5
