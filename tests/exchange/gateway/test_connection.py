"""A connection: orders from frame to answer, refusals before the journal, and what a failing node looks like from outside."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.errors import JournalFailedError
from exchange.gateway.limits import Limits, Rate
from exchange.protocol import messages as m
from exchange.protocol.reject_codes import RejectCode
from tests.exchange.gateway.parks import FACTORY, POWER, UNITS, RunningPark, request, running_park
from tests.exchange.gateway.test_logon import EXAMPLES, ORDER


def order(number: int, **changes: Any) -> dict[str, Any]:
    return ORDER | {"client_order_id": f"c-{number}"} | changes


async def test_the_life_of_an_order() -> None:
    async with running_park() as park:
        buyer, seller = park.raw(), park.raw()
        await buyer.log_on("factory")
        await seller.log_on("solar")
        offer = (await seller.ask("order.place", order(1, side="sell", price="0.4100", quantity="12.5")))["result"]
        assert offer == {"sequence": offer["sequence"], "order_id": 1, "status": "resting", "filled": "0.0", "remaining": "12.5", "revision": 1}
        down = {"client_order_id": "a", "instrument": POWER, "order_id": 1, "revision": 1, "quantity": "10.0"}
        amended = (await seller.ask("order.amend", down))["result"]
        assert (amended["status"], amended["remaining"], amended["revision"]) == ("resting", "10.0", 2)
        bought = (await buyer.ask("order.place", order(1, price="0.4200", quantity="4.0")))["result"]
        assert (bought["status"], bought["filled"], bought["remaining"], bought["average_price"]) == ("filled", "4.0", "0.0", "0.410000")
        rest = (await buyer.ask("order.place", order(2, price="0.4200", quantity="8.0", time_in_force="ioc")))["result"]
        assert (rest["status"], rest["filled"], rest["remaining"]) == ("cancelled", "6.0", "0.0")
        assert (await seller.ask("order.cancel", {"client_order_id": "x", "order_id": 1}))["error"]["data"]["code"] == RejectCode.UNKNOWN_ORDER
        positions = (await buyer.ask("positions"))["result"]["positions"]
        assert [(p["instrument"], p["net"]) for p in positions if p["net"] != "0" and p["instrument"] == POWER] == [(POWER, "10.0")]


async def test_average_price_of_several_fills_is_rounded_half_even() -> None:
    async with running_park() as park:
        buyer, seller = park.raw(), park.raw()
        await buyer.log_on("factory")
        await seller.log_on("solar")
        for number, (price, quantity) in enumerate([("0.4000", "1.0"), ("0.4001", "2.0")]):
            await seller.ask("order.place", order(number, side="sell", price=price, quantity=quantity))
        bought = (await buyer.ask("order.place", order(9, price="0.4100", quantity="3.0")))["result"]
        assert bought["average_price"] == "0.400067"


async def test_a_resend_is_answered_with_the_first_outcome() -> None:
    async with running_park() as park:
        client = park.raw()
        await client.log_on("factory")
        first = (await client.ask("order.place", order(1)))["result"]
        again = (await client.ask("order.place", order(1), 2))["result"]
        assert again == first | {"sequence": again["sequence"], "duplicate": True}
        other = (await client.ask("order.place", order(1, quantity="2.0"), 3))["error"]
        assert other["code"] == RejectCode.CLIENT_ORDER_ID_REUSED
        assert other["data"]["sequence"] > again["sequence"]
        assert len(park.node.exchange.open_orders(FACTORY)) == 1


async def test_mass_cancel() -> None:
    async with running_park() as park:
        client = park.raw()
        await client.log_on("factory")
        for number in range(4):
            await client.ask("order.place", order(number, price=f"0.400{number}", label=number % 2))
        await client.ask("order.place", order(9, instrument=UNITS, side="sell", price="62.00", quantity="5"))
        cancelled = (await client.ask("order.mass_cancel", {"client_order_id": "m1", "label": 1}))["result"]
        assert (cancelled["cancelled_orders"], cancelled["status"], cancelled["order_id"]) == (2, "cancelled", 0)
        none_there = {"client_order_id": "m2", "instrument": POWER, "side": "sell"}
        assert "cancelled_orders" not in (await client.ask("order.mass_cancel", none_there))["result"]
        assert (await client.ask("order.mass_cancel", {"client_order_id": "m3"}))["result"]["cancelled_orders"] == 3


async def test_open_orders_and_balances() -> None:
    async with running_park() as park:
        client = park.raw()
        await client.log_on("factory")
        await client.ask("order.place", order(1, label=7, time_in_force="session"))
        await client.ask("order.place", order(2, instrument=UNITS, side="sell", price="62.00", quantity="5"))
        listed = (await client.ask("orders.open", {"instrument": POWER}))["result"]
        assert listed["orders"] == [
            {"order_id": 1, "client_order_id": "c-1", "instrument": POWER, "side": "buy", "price": "0.4000", "quantity": "1.0", "filled": "0.0",
             "remaining": "1.0", "time_in_force": "session", "revision": 1, "label": 7},
        ]  # fmt: skip
        assert len((await client.ask("orders.open"))["result"]["orders"]) == 2
        balances = (await client.ask("balances"))["result"]
        assert balances["available_micro"] == balances["balance_micro"] - balances["held_micro"] < balances["balance_micro"]


async def test_the_orders_of_a_batch_are_contiguous_in_the_journal_and_keep_their_order() -> None:
    async with running_park() as park:
        client = park.raw()
        await client.log_on("factory")
        before = park.node.exchange.last_sequence
        frames = [request("order.place", order(n, price=f"0.40{n:02d}"), n) for n in range(20)]
        frames.insert(10, request("balances", None, "b"))
        frames.insert(5, b"garbage")
        client.send(*frames)
        answers = [await client.answer(n) for n in (19,)]
        assert answers[0]["result"]["sequence"] == before + 20
        batch = next(b for b in park.published if len(b.records) >= 10 and b.records["kind"][0] == 16)
        assert [row["client_order_id"] for row in batch.records[:10]] == [f"c-{n}".encode() for n in range(10)]


async def test_binary_and_oversized_frames_are_refused_and_the_connection_lives() -> None:
    async with running_park() as park:
        client = park.raw()
        client.connection.receive_binary(b"anything")
        client.send(b"x" * (64 * 1024 + 1))
        assert [frame["error"]["data"]["code"] for frame in client.take()] == [RejectCode.BINARY_FRAME, RejectCode.FRAME_TOO_LARGE]
        await client.log_on("operator")
        client.send(b" " * (64 * 1024 + 1))
        assert [frame["error"]["data"]["code"] for frame in client.take()] == [RejectCode.INVALID_JSON]  # an operator's documents may be larger
        assert "result" in await client.ask("system.status")


async def test_frames_are_charged_before_they_are_decoded() -> None:
    clock = [0.0]
    async with running_park(Limits(connection=Rate(per_s=10, burst=3))) as park:
        park.hub.monotonic_s = lambda: clock[0]
        client = park.raw()
        client.send(b"garbage", request("instruments", {}, 1), request("instruments", {}, 2), request("order.place", {"bad": 1}, "x"), b"garbage")
        refused = [answer for answer in client.take() if "error" in answer]
        assert [(a["id"], a["error"]["data"]["code"]) for a in refused] == [(None, 1004), ("x", 5007), (None, 5007)]
        assert refused[-1]["error"]["data"] == {"code": 5007, "bucket": "connection", "tokens": 0.0, "burst": 3, "per_s": 10, "retry_after_ms": 101}
        clock[0] = 1.0
        assert "result" in await client.ask("instruments", {})


async def test_commands_are_throttled_by_key_and_account_and_never_journaled() -> None:
    async with running_park(Limits(key=Rate(1, 2), account=Rate(1, 100))) as park:
        park.hub.monotonic_s = lambda: 0.0
        client = park.raw()
        await client.log_on("factory")
        client.send(*(request("order.place", order(n), n) for n in range(3)))
        refused = (await client.answer(2))["error"]
        assert (refused["code"], refused["data"]["bucket"]) == (RejectCode.RATE_LIMITED, "key")
        await client.all_answered()
        cancel = {"client_order_id": "x", "order_id": 1}
        assert (await client.ask("order.cancel", cancel, "cancel"))["error"]["data"]["code"] == RejectCode.RATE_LIMITED
        assert len(park.node.exchange.open_orders(FACTORY)) == 2
        again = park.raw()
        await again.log_on("factory")
        assert (await again.ask("order.place", order(5)))["error"]["data"]["code"] == RejectCode.RATE_LIMITED
        # Questions are not commands.
        assert "result" in await again.ask("balances")


async def test_cancels_still_pass_when_orders_do_not() -> None:
    async with running_park(Limits(key=Rate(1, 2.25))) as park:
        park.hub.monotonic_s = lambda: 0.0
        client = park.raw()
        await client.log_on("factory")
        for number in range(2):
            await client.ask("order.place", order(number))
        assert (await client.ask("order.place", order(3)))["error"]["data"]["code"] == RejectCode.RATE_LIMITED
        assert (await client.ask("order.cancel", {"client_order_id": "x", "order_id": 1}))["result"]["status"] == "cancelled"


async def test_too_many_commands_in_flight() -> None:
    async with running_park(Limits(max_in_flight=2)) as park:
        client = park.raw()
        await client.log_on("factory")
        client.send(*(request("order.place", order(n), n) for n in range(3)))
        assert (await client.answer(2))["error"]["data"]["code"] == RejectCode.QUEUE_FULL
        await client.all_answered()
        assert "result" in await client.ask("order.place", order(2), 9)


async def test_a_failed_journal_is_told_and_every_request_is_answered() -> None:
    async with running_park() as park:
        client = park.raw()
        await client.log_on("factory")

        def fail(records: Any, documents: bytes = b"") -> Any:
            raise JournalFailedError("disk full")

        append, park.node.journal.append = park.node.journal.append, fail  # type: ignore[method-assign]
        client.send(*(request("order.place", order(n), n) for n in range(3)))
        assert {(await client.answer(n))["error"]["data"]["code"] for n in range(3)} == {RejectCode.JOURNAL_FAILED}
        assert (await client.ask("order.place", order(7), "later"))["error"]["data"]["code"] == RejectCode.JOURNAL_FAILED
        assert not (await client.ask("system.status"))["result"]["accepting"]
        park.node.journal.append = append  # type: ignore[method-assign]
        with pytest.raises(JournalFailedError):
            await park.node.stop()


async def test_a_bug_behind_a_method_is_answered_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with running_park() as park:
        client = park.raw()
        await client.log_on("factory")
        park.hub.exchange.balances = lambda account: 1 / 0  # type: ignore[attr-defined]
        assert (await client.ask("balances"))["error"] == {
            "code": 5010, "message": "the exchange does not accept commands now", "data": {"code": 5010},
        }  # fmt: skip
        assert "ZeroDivisionError" in caplog.text
        assert "result" in await client.ask("positions")


async def test_documents() -> None:
    async with running_park() as park:
        client = park.raw()
        await client.log_on("operator")

        async def submit(schema: str, document: Any) -> Any:
            return await client.ask("operator.submit", {"schema": schema, "document": document})

        unknown = await submit("print_money", {})
        assert unknown["error"]["data"]["code"] == RejectCode.UNKNOWN_DOCUMENT
        assert "deposit" in unknown["error"]["data"]["schemas"]
        misfit = await submit("deposit", {"account": "x"})
        assert misfit["error"]["data"] == {"code": 2016, "fields": ["account", "amount_micro", "reference"]}
        assert (await submit("deposit", {"account": FACTORY, "amount_micro": 2**70, "reference": "x"}))["error"]["data"]["code"] == 2016
        assert (await submit("deposit", {"account": FACTORY, "amount_micro": 1.5, "reference": "x"}))["error"]["data"]["code"] == 2016
        refused = await submit("deposit", {"account": 999, "amount_micro": 1, "reference": "x"})
        assert (refused["error"]["data"]["code"], "rule" in refused["error"]["data"]) == (RejectCode.BUSINESS_RULE, True)
        done = await submit("deposit", {"account": FACTORY, "amount_micro": 1, "reference": "x"})
        assert done["result"]["sequence"] == refused["error"]["data"]["sequence"] + 1
        bad_id = await client.ask("operator.submit", {"schema": "deposit", "document": {}, "client_order_id": "!"})
        assert bad_id["error"]["data"]["code"] == RejectCode.INVALID_CLIENT_ORDER_ID


async def test_nominate_refusals() -> None:
    async with running_park() as park:
        client = park.raw()
        await client.log_on("factory")
        rows = [
            (RejectCode.INVALID_DECIMAL, {"instrument": POWER, "injection": "1e3"}),
            (RejectCode.INVALID_DECIMAL, {"instrument": POWER, "injection": "0.0001"}),
            (RejectCode.INVALID_CLIENT_ORDER_ID, {"instrument": POWER, "injection": "1", "client_order_id": "?"}),
            (RejectCode.UNKNOWN_INSTRUMENT, {"instrument": "GP", "injection": "1"}),
            (RejectCode.BUSINESS_RULE, {"instrument": POWER, "injection": "-1.5"}),  # has no storage
        ]
        for code, params in rows:
            assert (await client.ask("nominate", params))["error"]["data"]["code"] == code


async def test_statements_before_settlement_are_null() -> None:
    async with running_park() as park:
        client = park.raw()
        await client.log_on("factory")
        assert (await client.ask("statement", {"day": "2026-07-15"}))["result"] == {"day": "2026-07-15", "statement": None}


async def test_heartbeat_names_the_last_seqs() -> None:
    async with running_park(Limits(heartbeat_interval_s=0.01)) as park:
        client = park.raw()
        await client.log_on("factory")
        await client.ask("subscribe", {"channels": ["executions", f"book:{POWER}", "ticker"]})
        await client.ask("order.place", order(1))
        for _ in range(200):
            beats = [frame["params"] for frame in client.take() if frame.get("method") == "heartbeat"]
            if beats and beats[-1]["seqs"]["executions"] == 1 and beats[-1]["seqs"][f"book:{POWER}"] == park.node.exchange.book_seq(POWER):
                break
            await asyncio.sleep(0.005)
        else:
            raise AssertionError("no heartbeat with the seqs")


METHODS = sorted(m.REQUESTS)
HINTS = st.sampled_from([example[1] or {} for example in EXAMPLES.values()])
NOISE = st.dictionaries(st.sampled_from(["price", "quantity", "order_id", "channels", "label", "x"]), st.none() | st.integers() | st.text(max_size=9))
FRAMES = st.binary(max_size=60) | st.tuples(st.sampled_from(METHODS), HINTS, NOISE, st.integers(-(2**63), 2**63 - 1) | st.text(max_size=64))


def test_every_request_with_a_valid_id_gets_exactly_one_answer() -> None:
    """Whatever is sent: random bytes, every method with noise in its params, in any batches; the market lives on."""
    with asyncio.Runner() as runner:
        context = running_park()
        park = runner.run(context.__aenter__())
        try:
            given(st.lists(st.lists(FRAMES, max_size=8), max_size=6), st.sampled_from([None, "factory", "operator"]))(
                lambda batches, key: runner.run(hostile_session(park, batches, key))
            )()
            runner.run(market_lives_on(park))
        finally:
            runner.run(context.__aexit__(None, None, None))


async def hostile_session(park: RunningPark, batches: list[list[Any]], key: str | None) -> None:
    client = park.raw()
    if key is not None:
        await client.log_on(key)
    expected: Counter[tuple[type, Any]] = Counter()
    for batch in batches:
        frames = []
        for frame in batch:
            if isinstance(frame, bytes):
                frames.append(frame)
                expected[type(None), None] += 1
                continue
            method, hint, noise, request_id = frame
            frames.append(request(method, hint | noise, request_id))
            expected[type(request_id), request_id] += 1
        client.send(*frames)
    await client.all_answered()
    answers = [frame for frame in client.take() if "id" in frame]
    assert Counter((type(answer["id"]), answer["id"]) for answer in answers) == expected
    assert all(("result" in answer) is not ("error" in answer) for answer in answers)
    client.connection.disconnected()


async def market_lives_on(park: RunningPark) -> None:
    client = park.raw()
    await client.log_on("solar")
    assert "result" in await client.ask("order.place", order(1, side="sell", price="0.9000"))
