"""Usual orders on their way: the same answers and the same state as one by one, in the order of each connection's frames."""

import asyncio
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.errors import JournalFailedError
from exchange.gateway import connection as connection_module
from exchange.gateway.limits import Limits, Rate
from exchange.node import NotAcceptingError
from exchange.protocol.reject_codes import RejectCode
from exchange.replay import state_hash_hex
from tests.exchange.gateway.parks import POWER, UNITS, RawClient, RunningPark, request, running_park
from tests.exchange.gateway.test_logon import ORDER


def order(number: int, **changes: Any) -> dict[str, Any]:
    return ORDER | {"client_order_id": f"c-{number}"} | changes


async def known(park: RunningPark, *names: str) -> list[RawClient]:
    """Sessions of members, in a gateway that knows both instruments."""
    clients = []
    for name in names:
        client = park.raw()
        await client.log_on(name)
        clients.append(client)
    for symbol in (POWER, UNITS):
        listed = park.node.exchange.instrument(symbol)
        assert listed is not None
        park.hub.usual.symbols.learn(symbol, listed)
    return clients


def by_id(frames: list[dict[str, Any]]) -> dict[Any, dict[str, Any]]:
    return {frame["id"]: frame for frame in frames if "id" in frame}


async def test_orders_of_many_connections_are_one_group() -> None:
    async with running_park() as park:
        buyer, seller = await known(park, "factory", "solar")
        park.published.clear()
        seller.send(*(request("order.place", order(n, side="sell", price="0.4000"), n) for n in range(4)))
        buyer.send(*(request("order.place", order(n, price="0.4000"), n) for n in range(4)), request("order.cancel", cancel(1), 9))
        await seller.all_answered()
        await buyer.all_answered()
        assert [len(batch.records) for batch in park.published] == [9]
        sold, bought = by_id(seller.take()), by_id(buyer.take())
        assert [sold[n]["result"]["status"] for n in range(4)] == ["resting"] * 4
        assert [bought[n]["result"]["status"] for n in range(4)] == ["filled"] * 4
        assert bought[9]["error"] == {"code": 3006, "message": "no such open order of this account", "data": bought[9]["error"]["data"]}


def cancel(order_id: int) -> dict[str, Any]:
    return {"client_order_id": f"x-{order_id}", "order_id": order_id}


async def test_frames_of_a_connection_are_acted_on_in_their_order() -> None:
    """A usual order, one that is not, a question, and usual ones again, in one read and over two."""
    async with running_park() as park:
        (client,) = await known(park, "factory")
        client.send(
            request("order.place", order(1), 1), request("order.place", order(2, time_in_force="gtd", expires_at_ns=2**62), 2),
            request("order.place", order(3), 3), request("orders.open", {}, 4), request("order.place", order(4), 5),
        )  # fmt: skip
        client.send(request("order.place", order(5), 6), request("order.mass_cancel", {"client_order_id": "m"}, 7))
        await client.all_answered()
        answers = by_id(client.take())
        sequences = [answers[request_id]["result"]["sequence"] for request_id in (1, 2, 3, 5, 6, 7)]
        assert sequences == list(range(sequences[0], sequences[0] + 6))
        assert answers[7]["result"]["cancelled_orders"] == 5


@pytest.mark.parametrize(("limits", "code"), [
    (Limits(key=Rate(1e-9, 5)), RejectCode.RATE_LIMITED), (Limits(account=Rate(1e-9, 5)), RejectCode.RATE_LIMITED),
    (Limits(max_in_flight=5), RejectCode.QUEUE_FULL), (Limits(connection=Rate(1e-9, 6)), RejectCode.RATE_LIMITED),
])  # fmt: skip
async def test_a_limit_lets_the_first_through_and_refuses_the_rest(limits: Limits, code: RejectCode) -> None:
    async with running_park(limits) as park:
        park.hub.monotonic_s = lambda: 0.0
        (client,) = await known(park, "factory")
        client.send(*(request("order.place", order(n), n) for n in range(8)))
        await client.all_answered()
        answers = by_id(client.take())
        assert [answers[n].get("error", {}).get("code") for n in range(8)] == [None] * 5 + [code] * 3
        assert park.hub.in_flight == 0


async def test_cancels_cost_what_they_cost_one_by_one() -> None:
    async with running_park(Limits(key=Rate(1e-9, 2.5))) as park:
        park.hub.monotonic_s = lambda: 0.0
        (client,) = await known(park, "factory")
        client.send(*(request("order.place", order(n), n) for n in (1, 2)), *(request("order.cancel", cancel(n), 2 + n) for n in (1, 2)))
        await client.all_answered()
        assert {frame["result"]["status"] for frame in client.take()} == {"resting", "cancelled"}
        assert (await client.ask("order.cancel", cancel(9)))["error"]["code"] == RejectCode.RATE_LIMITED


async def test_orders_that_were_read_before_the_transport_went_are_acted_on() -> None:
    async with running_park() as park:
        (client,) = await known(park, "factory")
        client.send(request("order.place", order(1), 1))
        client.connection.disconnected()
        await asyncio.sleep(0.02)
        assert len(park.node.exchange.open_orders(33)) == 1
        assert client.take() == []


async def test_a_key_that_loses_its_scope_meanwhile_is_refused() -> None:
    async with running_park() as park:
        (client,) = await known(park, "factory")
        client.connection.receive_text(request("order.place", order(1), 1))
        client.connection.process()
        identity = client.connection.identity
        assert identity is not None
        client.connection.identity = type(identity)(
            **{name: getattr(identity, name) for name in identity.__dataclass_fields__} | {"scopes": frozenset({"read"})}
        )
        await client.all_answered()
        assert client.take()[0]["error"]["code"] == RejectCode.SCOPE_MISSING


async def test_every_order_is_answered_when_the_journal_fails() -> None:
    async with running_park() as park:
        buyer, seller = await known(park, "factory", "solar")

        def fail(records: Any, documents: bytes = b"") -> Any:
            raise JournalFailedError("disk full")

        append, park.node.journal.append = park.node.journal.append, fail  # type: ignore[method-assign]
        for client in (buyer, seller):
            client.send(*(request("order.place", order(n), n) for n in range(3)))
        for client in (buyer, seller):
            await client.all_answered()
            assert [frame["error"]["code"] for frame in client.take()] == [RejectCode.JOURNAL_FAILED] * 3
        assert park.hub.in_flight == 0
        buyer.send(request("order.place", order(9), 9))  # what the node does not take at all
        assert (await buyer.answer(9))["error"]["code"] == RejectCode.JOURNAL_FAILED
        park.node.journal.append = append  # type: ignore[method-assign]
        with pytest.raises(JournalFailedError):
            await park.node.stop()


async def test_a_full_queue_refuses_the_batch() -> None:
    async with running_park() as park:
        (client,) = await known(park, "factory")

        def full(records: Any, done: Any, failed: Any) -> None:
            raise NotAcceptingError(RejectCode.QUEUE_FULL)

        park.node.submit_batch = full  # type: ignore[method-assign]
        client.send(*(request("order.place", order(n), n) for n in range(2)))
        await client.all_answered()
        assert [frame["error"]["code"] for frame in client.take()] == [RejectCode.QUEUE_FULL] * 2


async def test_more_orders_than_a_group_holds() -> None:
    async with running_park(Limits(key=Rate(1, 5_000), account=Rate(1, 5_000))) as park:
        (client,) = await known(park, "factory")
        client.send(*(request("order.cancel", cancel(10**6 + n), n) for n in range(2_500)))
        await client.all_answered()
        answers = [frame["id"] for frame in client.take()]
        assert answers == list(range(2_500))
        assert max(len(batch.records) for batch in park.published) <= 1_024


NAMES = st.sampled_from(["factory", "solar"])
PARAMS = st.fixed_dictionaries(
    {
        "instrument": st.sampled_from([POWER, UNITS, "GP-X"]), "side": st.sampled_from(["buy", "sell"]),
        "quantity": st.sampled_from(["1.0", "2", "0", "0.05"]), "price": st.sampled_from(["0.4000", "0.4010", "62.00", "9999999"]),
    },
    optional={
        "time_in_force": st.sampled_from(["gtc", "ioc", "fok", "gate"]), "post_only": st.booleans(), "type": st.sampled_from(["limit", "market"]),
        "label": st.integers(0, 2),
    },
)  # fmt: skip
STEPS = st.one_of(
    st.tuples(st.just("order.place"), PARAMS),
    st.tuples(st.just("order.cancel"), st.fixed_dictionaries({"order_id": st.integers(0, 6)})),
    st.tuples(
        st.just("order.amend"),
        st.fixed_dictionaries(
            {"instrument": st.just(POWER), "order_id": st.integers(1, 6), "revision": st.integers(1, 2), "quantity": st.just("1.0")}
        ),
    ),
    st.tuples(st.just("orders.open"), st.just({})),
)


async def replayed(steps: list[list[tuple[str, str, dict[str, Any]]]], *, usual: bool) -> tuple[list[list[Any]], str]:
    """What two members are answered to the same batches, and the state they leave."""
    async with running_park() as park:
        clients = dict(zip(("factory", "solar"), await known(park, "factory", "solar"), strict=True))
        with pytest.MonkeyPatch.context() as patch:
            if not usual:
                patch.setattr(connection_module, "is_usual_candidate", lambda frame: False)
            for batch_number, batch in enumerate(steps):
                for name, client in clients.items():
                    frames = []
                    for number, (sender, method, params) in enumerate(batch):
                        if sender == name:
                            named = params if method == "orders.open" else params | {"client_order_id": f"{batch_number}-{number % 5}"}
                            frames.append(request(method, named, number))
                    if frames:
                        client.send(*frames)
                        await client.all_answered()
        answers = [sorted((frame for frame in client.take() if "id" in frame), key=msgspec.json.encode) for client in clients.values()]
        return answers, state_hash_hex(park.node.exchange)


def test_answers_and_state_are_those_of_one_by_one() -> None:
    with asyncio.Runner() as runner:

        @settings(max_examples=12)
        @given(st.lists(st.lists(st.tuples(NAMES, STEPS).map(lambda pair: (pair[0], *pair[1])), min_size=1, max_size=9), max_size=4))
        def compare(steps: list[list[tuple[str, str, dict[str, Any]]]]) -> None:
            assert runner.run(replayed(steps, usual=True)) == runner.run(replayed(steps, usual=False))

        compare()
