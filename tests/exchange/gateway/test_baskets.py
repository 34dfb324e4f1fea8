"""Baskets on the wire: one request, contiguous commands, one answer; what is refused names its leg."""

from typing import Any

import pytest

from exchange.gateway.limits import Limits, Rate
from exchange.journal.record import CommandKind
from exchange.protocol.reject_codes import RejectCode
from tests.exchange.gateway.parks import FACTORY, POWER, UNITS, RawClient, request, running_park

LEG = {"client_order_id": "b-1", "instrument": POWER, "side": "buy", "price": "0.4100", "quantity": "4.0"}
OTHER = {"client_order_id": "b-2", "instrument": UNITS, "side": "sell", "price": "60.00", "quantity": "5"}


async def _offers(solar: RawClient) -> None:
    assert "result" in await solar.ask("order.place", LEG | {"client_order_id": "o-1", "side": "sell", "price": "0.4000", "quantity": "10.0"})
    assert "result" in await solar.ask("order.place", OTHER | {"client_order_id": "o-2", "side": "buy", "quantity": "6"})


async def test_a_basket_fills_whole_and_answers_leg_by_leg() -> None:
    async with running_park() as park:
        factory, solar = park.raw(), park.raw()
        await factory.log_on("factory")
        await solar.log_on("solar")
        await _offers(solar)
        await factory.ask("subscribe", {"channels": ["executions"]}, "s")
        factory.take()
        answer = (await factory.ask("basket.place", {"legs": [LEG, OTHER]}))["result"]
        first, second = answer["legs"]
        assert (first["status"], first["filled"], first["remaining"], first["average_price"]) == ("filled", "4.0", "0.0", "0.400000")
        assert (second["status"], second["filled"], second["sequence"]) == ("filled", "5", first["sequence"] + 1)
        executions = [frame["params"] for frame in factory.take() if frame.get("method") == "execution"]
        assert [(e["kind"], e["client_order_id"], e["sequence"]) for e in executions] == [
            ("trade", "b-1", first["sequence"]), ("trade", "b-2", second["sequence"]),
        ]  # fmt: skip
        again = (await factory.ask("basket.place", {"legs": [LEG, OTHER]}, 2))["result"]
        assert [leg["duplicate"] for leg in again["legs"]] == [True, True]
        assert [leg["order_id"] for leg in again["legs"]] == [first["order_id"], second["order_id"]]
        assert park.hub.in_flight == 0
        assert park.hub.statistics.orders == 4


async def test_a_refusal_names_the_leg_that_was_refused() -> None:
    async with running_park() as park:
        factory, solar = park.raw(), park.raw()
        await factory.log_on("factory")
        await solar.log_on("solar")
        await _offers(solar)
        sequence = park.node.exchange.last_sequence
        refused = (await factory.ask("basket.place", {"legs": [LEG, OTHER | {"quantity": "7"}]}))["error"]
        assert refused["data"] == {"code": RejectCode.FILL_OR_KILL_UNFILLABLE, "leg": 1, "sequence": sequence + 2}
        again = (await factory.ask("basket.place", {"legs": [LEG, OTHER | {"quantity": "7"}]}, 2))["error"]
        assert again["data"] == {"code": 4002, "leg": 1, "sequence": sequence + 4, "duplicate": True}
        reused = (await factory.ask("basket.place", {"legs": [LEG | {"client_order_id": "new"}, OTHER]}, 3))["error"]
        assert (reused["code"], reused["data"]["leg"]) == (RejectCode.CLIENT_ORDER_ID_REUSED, 1)
        assert park.node.exchange.positions(FACTORY)[0].net_lots == 0 or park.node.exchange.positions(FACTORY)[0].symbol == UNITS


WRONG: dict[str, tuple[RejectCode, dict[str, Any], list[dict[str, Any]]]] = {
    "no legs": (RejectCode.INVALID_BASKET, {"legs": 0}, []),
    "too many": (RejectCode.INVALID_BASKET, {"legs": 101}, [LEG | {"client_order_id": f"b-{n}"} for n in range(101)]),
    "one instrument twice": (RejectCode.INVALID_BASKET, {"leg": 1}, [LEG, LEG | {"client_order_id": "b-2"}]),
    "an id that is none": (RejectCode.INVALID_CLIENT_ORDER_ID, {"leg": 0}, [LEG | {"client_order_id": "a b"}]),
    "unknown instrument": (RejectCode.UNKNOWN_INSTRUMENT, {"leg": 1}, [LEG, OTHER | {"instrument": "NO"}]),
    "no price": (RejectCode.PRICE_REQUIRED, {"leg": 0}, [{k: v for k, v in LEG.items() if k != "price"}]),
    "off the lot": (RejectCode.QUANTITY_OFF_LOT, {"leg": 1}, [LEG, OTHER | {"quantity": "5.5"}]),
    "malformed": (RejectCode.INVALID_DECIMAL, {"leg": 1}, [LEG, OTHER | {"price": "1e3"}]),
}


@pytest.mark.parametrize("name", WRONG)
async def test_what_cannot_be_right_is_not_journaled(name: str) -> None:
    code, data, legs = WRONG[name]
    async with running_park() as park:
        client = park.raw()
        await client.log_on("factory")
        sequence = park.node.exchange.last_sequence
        error = (await client.ask("basket.place", {"legs": legs}))["error"]
        assert error["data"] == {"code": code} | data
        assert park.node.exchange.last_sequence == sequence


async def test_frames_that_are_no_basket() -> None:
    async with running_park() as park:
        client = park.raw()
        await client.log_on("factory")
        assert (await client.ask("basket.place", {"legs": [LEG | {"price": 0.41}]}))["error"]["data"]["code"] == RejectCode.INVALID_DECIMAL
        for params in ({}, {"legs": 1}, {"legs": [1]}, {"legs": [LEG | {"post_only": True}]}):
            assert (await client.ask("basket.place", params))["error"]["data"]["code"] == RejectCode.INVALID_PARAMS


async def test_a_basket_lies_together_between_the_orders_of_its_frame() -> None:
    async with running_park() as park:
        client = park.raw()
        await client.log_on("factory")
        order = LEG | {"price": "0.3000"}
        client.send(
            request("order.place", order | {"client_order_id": "x-1"}, 1), request("basket.place", {"legs": [LEG, OTHER]}, 2),
            request("order.place", order | {"client_order_id": "x-2"}, 3),
        )  # fmt: skip
        await client.all_answered()
        records = [row for batch in park.published for row in batch.records]
        at = next(i for i, row in enumerate(records) if row["kind"] == CommandKind.BASKET)
        place, leg = CommandKind.PLACE, CommandKind.BASKET
        assert [int(row["kind"]) for row in records[at - 1 : at + 3]] == [place, leg, leg, place]
        assert [int(row["group"]) for row in records[at : at + 2]] == [2, 0]


async def test_every_leg_is_charged_and_counts_in_flight() -> None:
    async with running_park(Limits(key=Rate(1, 3.5), account=Rate(1, 100))) as park:
        park.hub.monotonic_s = lambda: 0.0
        client = park.raw()
        await client.log_on("factory")
        assert (await client.ask("basket.place", {"legs": [LEG, OTHER]}))["error"]["data"]["code"] == RejectCode.FILL_OR_KILL_UNFILLABLE
        limited = (await client.ask("basket.place", {"legs": [LEG, OTHER]}))["error"]
        assert (limited["code"], limited["data"]["tokens"]) == (RejectCode.RATE_LIMITED, 1.5)
    async with running_park(Limits(max_in_flight=1)) as park:
        client = park.raw()
        await client.log_on("factory")
        assert (await client.ask("basket.place", {"legs": [LEG, OTHER]}))["error"]["data"]["code"] == RejectCode.QUEUE_FULL
        assert (await client.ask("basket.place", {"legs": [LEG]}))["error"]["data"]["code"] == RejectCode.FILL_OR_KILL_UNFILLABLE


async def test_a_node_that_fails_refuses_the_basket() -> None:
    async with running_park() as park:
        client = park.raw()
        await client.log_on("factory")

        def fail(_records: object) -> None:
            raise RuntimeError("broken")

        park.node.submit_many = fail  # type: ignore[assignment,method-assign] # a node that does not take it
        assert (await client.ask("basket.place", {"legs": [LEG]}))["error"]["data"]["code"] == RejectCode.NOT_ACCEPTING
        assert park.hub.in_flight == 0
