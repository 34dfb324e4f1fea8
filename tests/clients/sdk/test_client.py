"""The client against a real exchange in the same process: every method, over the same bytes as a socket."""

import asyncio
from typing import Any

import pytest

from clients.sdk import Order, OrderRejected, ParkClient, RequestRefused, connect, public_key_of, websocket_connector
from clients.sdk.credentials import as_private_key
from exchange.protocol.documents import Deposit
from exchange.protocol.reject_codes import RejectCode
from tests.exchange.gateway.parks import FACTORY, POWER, UNITS, RunningPark, private_key, running_park


def member(park: RunningPark, name: str, **options: Any) -> Any:
    return connect(park.connector, key_id=name, private_key=private_key(name), **options)


async def settled(park: ParkClient) -> None:
    """Wait until what was sent before has been answered."""
    await park.status()


async def test_amend_and_mass_cancel() -> None:
    async with running_park() as park, member(park, "factory") as factory:
        first = await factory.place(POWER, "buy", price="0.4000", quantity="5.0", label=1)
        await first.amend(quantity="3.0")
        assert (first.remaining, first.revision) == ("3.0", 2)
        await first.amend(price="0.4100")
        assert (first.price, first.revision, first.is_open) == ("0.4100", 3, True)
        second = await factory.place(POWER, "buy", price="0.4000", quantity="5.0", label=2)
        assert set(factory.open_orders) == {first.order_id, second.order_id}
        assert await factory.mass_cancel(label=2) == 1
        assert (second.status, set(factory.open_orders)) == ("cancelled", {first.order_id})
        assert await factory.mass_cancel(instrument=POWER, side="buy") == 1
        assert not factory.open_orders
        with pytest.raises(OrderRejected) as refused:
            await first.amend(price="0.4200")
        assert refused.value.code is RejectCode.UNKNOWN_ORDER
        assert refused.value.data["sequence"] > 0


async def test_place_many_is_pipelined_and_tells_each_outcome() -> None:
    async with running_park() as park, member(park, "factory") as factory:
        orders = [factory.order_params(POWER, "buy", price=price, quantity="1.0") for price in ("0.4000", "0.40001", "99999", "0.4001")]
        results = await factory.place_many(orders)
        assert [r.status if isinstance(r, Order) else r.code for r in results] == [
            "resting", RejectCode.PRICE_OFF_TICK, RejectCode.PRICE_OUT_OF_RANGE, "resting",
        ]  # fmt: skip
        assert len(factory.open_orders) == 2
        cancelled = await factory.cancel_many(list(factory.open_orders.values()))
        assert all(isinstance(order, Order) and order.status == "cancelled" for order in cancelled)
        assert len(factory.ack_latency_ns) == 6
        assert min(factory.ack_latency_ns) > 0
        assert await factory.place_many([]) == []


async def test_a_maker_sees_its_fills() -> None:
    async with running_park() as park, member(park, "factory") as factory, member(park, "solar") as solar:
        events: list[Any] = []
        solar.on("execution", events.append)
        offer = await solar.place(POWER, "sell", price="0.4000", quantity="10.0")
        for _ in range(2):
            await factory.place(POWER, "buy", price="0.4000", quantity="2.5")
        await settled(solar)
        assert (offer.filled, offer.remaining, offer.is_open, len(offer.fills)) == ("5.0", "5.0", True, 2)
        assert [event.kind for event in events] == ["rested", "trade", "trade"]
        assert [fill.trade_number for fill in offer.fills] == [1, 2]


async def test_market_data() -> None:
    async with running_park() as park, connect(park.connector) as watcher, member(park, "solar") as solar:
        trades: list[Any] = []
        watcher.on("trade", lambda params: trades.extend(params.trades))
        book = await watcher.subscribe_book(POWER)
        await watcher.subscribe_ticker()
        await watcher.subscribe_trades()
        await watcher.subscribe_phases()
        await solar.place(POWER, "sell", price="0.4000", quantity="10.0")
        async with member(park, "factory") as factory:
            await factory.place(POWER, "buy", price="0.4000", quantity="2.5")
        park.hub.publisher.flush()
        await settled(watcher)
        assert watcher.book(POWER) is book
        assert [tuple(level) for level in book.asks] == [("0.4000", "7.5", 1)]
        assert (watcher.ticker[POWER].ask, watcher.ticker[POWER].ask_quantity, watcher.ticker[POWER].last) == ("0.4000", "7.5", "0.4000")
        assert [(trade.quantity, trade.side) for trade in trades] == [("2.5", "buy")]
        await watcher.unsubscribe(f"book:{POWER}", "ticker")
        with pytest.raises(KeyError):
            watcher.book(POWER)
        with pytest.raises(RequestRefused):
            await watcher.subscribe_book("GP-NONE")
        with pytest.raises(KeyError):
            watcher.book("GP-NONE")
        assert (watcher.account, watcher.name) == (0, "")
        with pytest.raises(RequestRefused) as refused:
            await watcher.balances()
        assert refused.value.code is RejectCode.NOT_LOGGED_ON


async def test_questions() -> None:
    async with running_park() as park, member(park, "factory") as factory:
        assert (factory.account, factory.name, factory.connected) == (FACTORY, "factory", True)
        assert [i.symbol for i in await factory.instruments()] == [POWER, UNITS]
        assert [i.symbol for i in await factory.instruments("cea")] == [UNITS]
        assert (await factory.balances()).available_micro == 100_000_000_000
        assert [(p.instrument, p.net) for p in await factory.positions()] == [(UNITS, "10000")]
        assert await factory.positions(POWER) == []
        assert await factory.statement("2026-07-15") is None
        assert (await factory.status()).now_ns == factory.now_ns == park.clock.now_ns()


async def test_an_operator_submits_documents() -> None:
    async with running_park() as park, member(park, "operator") as operator:
        assert await operator.submit(Deposit(account=FACTORY, amount_micro=5, reference="x")) == {"available_micro": 100_000_000_005}
        assert await operator.settlement("2026-07-15") is None
        with pytest.raises(RequestRefused) as refused:
            await operator.submit(Deposit(account=999, amount_micro=5, reference="x"))
        assert (refused.value.code, "rule" in refused.value.data) == (RejectCode.BUSINESS_RULE, True)
        with pytest.raises(RequestRefused):
            await operator.nominate(POWER, "1.0")


async def test_orders_that_were_open_before_are_known_after_logon() -> None:
    async with running_park() as park:
        async with member(park, "factory") as factory:
            placed = await factory.place(POWER, "buy", price="0.4000", quantity="5.0", label=3)
        async with member(park, "factory") as factory:
            order = factory.open_orders[placed.order_id]
            assert (order.instrument, order.side, order.price, order.quantity, order.remaining, order.label) == (
                POWER, "buy", "0.4000", "5.0", "5.0", 3,
            )  # fmt: skip
            await order.cancel()
            assert not factory.open_orders


async def test_cancel_on_disconnect() -> None:
    async with running_park() as park:
        async with member(park, "factory", cancel_on_disconnect=True) as factory:
            await factory.place(POWER, "buy", price="0.4000", quantity="5.0")
        await park.hub.close()
        assert park.node.exchange.open_orders(FACTORY) == []


async def test_two_clients_play_the_turns_of_a_day() -> None:
    async with running_park(turns=5) as park, member(park, "operator") as operator:

        async def play(name: str) -> list[tuple[int, bool]]:
            seen = []
            async with member(park, name) as client:
                async for turn in client.turns():
                    seen.append((turn.turn, turn.last))
                    await turn.done()
            return seen

        players = [asyncio.create_task(play(name)) for name in ("factory", "solar")]
        for _ in range(1000):
            if len(park.hub.publisher.clock) == 2:
                break
            await asyncio.sleep(0.001)
        assert await operator.run_clock() == 0
        watched = [turn.turn async for turn in operator.turns(take_part=False)]
        assert await asyncio.gather(*players) == [[(n, n == 6) for n in range(1, 7)]] * 2
        assert watched[-1] == 6
        assert await operator.pause_clock() == 6


async def test_bad_addresses_and_keys_are_named_before_anything_is_sent() -> None:
    for address in ("http://host", "ws://", "host:8765", ""):
        with pytest.raises(ValueError, match="ws://host:port"):
            websocket_connector(address)
    for key in (b"short", "not base64!", "AAAA"):
        with pytest.raises(ValueError, match="32 bytes"):
            as_private_key(key)
    with pytest.raises(ValueError, match="private key"):
        async with connect("ws://127.0.0.1:1", key_id="x"):
            pass
    with pytest.raises(OSError):
        async with connect("ws://127.0.0.1:1", key_id="x", private_key=bytes(32)):
            pass


def test_a_key_in_each_of_its_forms() -> None:
    key = private_key("solar")
    raw = key.private_bytes_raw()
    import base64

    assert public_key_of(key) == public_key_of(raw) == public_key_of(base64.b64encode(raw).decode())


async def test_an_unknown_term_of_an_order_is_a_type_error() -> None:
    async with running_park() as park, member(park, "factory") as factory:
        with pytest.raises(TypeError):
            await factory.place(POWER, "buy", prize="0.4")
