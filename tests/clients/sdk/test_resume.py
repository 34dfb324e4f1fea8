"""Lost connections: what was on its way is sent again and carried out once, what was missed is replayed, what was followed is followed again."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any

import pytest

from clients.sdk import ConnectionLost, LogonRefused, Order, ParkClient, connect
from clients.sdk.transport import ConnectionLost as OnLost
from clients.sdk.transport import FramesReceived, Transport
from exchange.gateway.limits import Limits
from exchange.protocol.documents import Deposit, RevokeKey
from tests.exchange.gateway.parks import FACTORY, POWER, RunningPark, private_key, running_park


class Line:
    """A connector whose connections can be cut, refused, or made to lose frames."""

    def __init__(self, park: RunningPark) -> None:
        self._park = park
        self.transport: Transport | None = None
        self.refusals = 0
        self.opened = 0
        self.drop: Any = lambda frame: False
        self.sent: list[bytes] = []
        self.mute = False

    async def __call__(self, on_frames: FramesReceived, on_lost: OnLost) -> Transport:
        if self.refusals:
            self.refusals -= 1
            raise ConnectionRefusedError("not now")
        self.opened += 1
        transport = await self._park.connector(lambda frames: on_frames([f for f in frames if not self.drop(f)]), on_lost)
        line, send = self, transport.send

        def recorded(frames: Sequence[bytes]) -> None:
            line.sent.extend(frames)
            if not line.mute:
                send(frames)

        transport.send = recorded  # type: ignore[method-assign]
        self.transport = transport
        return transport

    async def cut(self) -> None:
        assert self.transport is not None
        await self.transport.close()


def factory_on(line: Line, **options: Any) -> Any:
    return connect(line, key_id="factory", private_key=private_key("factory"), **options)


async def until(condition: Any) -> None:
    for _ in range(2000):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it did not happen")


async def test_an_unanswered_order_is_sent_again_and_exists_once() -> None:
    async with running_park() as park:
        line = Line(park)
        async with factory_on(line) as factory:
            line.drop = lambda frame: line.opened == 1 and (b'"result"' in frame or b"execution" in frame)
            placing = asyncio.create_task(factory.place(POWER, "buy", price="0.4000", quantity="5.0"))
            await until(lambda: len(park.node.exchange.open_orders(FACTORY)) == 1)
            await line.cut()
            order = await placing
            assert (order.status, order.remaining) == ("resting", "5.0")
            assert len(park.node.exchange.open_orders(FACTORY)) == 1
            assert list(factory.open_orders) == [order.order_id]
            frames = [frame for frame in line.sent if b"order.place" in frame]
            assert len(frames) == 2


async def test_an_order_that_never_arrived_is_sent_again() -> None:
    async with running_park() as park:
        line = Line(park)
        async with factory_on(line) as factory:
            line.mute = True
            placing = asyncio.create_task(factory.place(POWER, "buy", price="0.4000", quantity="5.0"))
            await asyncio.sleep(0.01)
            line.mute = False
            line.refusals = 2
            await line.cut()
            assert (await placing).is_open


async def test_executions_that_were_missed_are_replayed() -> None:
    async with running_park() as park:
        line = Line(park)
        async with factory_on(line) as factory, connect(park.connector, key_id="solar", private_key=private_key("solar")) as solar:
            order = await factory.place(POWER, "buy", price="0.4000", quantity="5.0")
            line.refusals = 3
            await line.cut()
            assert not factory.connected
            await solar.place(POWER, "sell", price="0.4000", quantity="2.0")
            await until(lambda: factory.connected and len(order.fills) == 1)
            assert (order.remaining, order.filled) == ("3.0", "2.0")


async def test_a_gap_is_found_and_mended() -> None:
    async with running_park() as park:
        line = Line(park)
        async with factory_on(line) as factory, connect(park.connector, key_id="solar", private_key=private_key("solar")) as solar:
            order = await factory.place(POWER, "buy", price="0.4000", quantity="5.0")
            line.drop = lambda frame: b'"kind":"trade"' in frame
            await solar.place(POWER, "sell", price="0.4000", quantity="2.0")
            await factory.status()
            assert not order.fills
            line.drop = lambda frame: False
            await solar.place(POWER, "sell", price="0.4000", quantity="1.0")
            await until(lambda: len(order.fills) == 2)
            assert [fill.quantity for fill in order.fills] == ["2.0", "1.0"]
            assert order.remaining == "2.0"


async def test_a_silent_gap_is_found_by_the_heartbeat() -> None:
    async with running_park(Limits(heartbeat_interval_s=0.01)) as park:
        line = Line(park)
        async with factory_on(line) as factory, connect(park.connector, key_id="solar", private_key=private_key("solar")) as solar:
            order = await factory.place(POWER, "buy", price="0.4000", quantity="5.0")
            line.drop = lambda frame: b'"kind":"trade"' in frame
            await solar.place(POWER, "sell", price="0.4000", quantity="2.0")
            await factory.status()
            line.drop = lambda frame: False
            await until(lambda: len(order.fills) == 1)


async def test_where_the_ring_does_not_reach_back_the_open_orders_do() -> None:
    async with running_park(Limits(execution_ring=2)) as park:
        line = Line(park)
        async with factory_on(line) as factory, connect(park.connector, key_id="solar", private_key=private_key("solar")) as solar:
            kept = await factory.place(POWER, "buy", price="0.4000", quantity="9.0")
            gone = await factory.place(POWER, "buy", price="0.4001", quantity="1.0")
            line.refusals = 4
            await line.cut()
            for _ in range(4):
                await solar.place(POWER, "sell", price="0.4000", quantity="1.0")
            await until(lambda: factory.connected)
            assert (kept.remaining, kept.filled, gone.status) == ("6.0", "3.0", "cancelled")
            await solar.place(POWER, "sell", price="0.4000", quantity="1.0")
            await until(lambda: kept.remaining == "5.0")


async def test_channels_are_joined_again() -> None:
    async with running_park() as park:
        line = Line(park)
        async with factory_on(line) as factory, connect(park.connector, key_id="solar", private_key=private_key("solar")) as solar:
            book = await factory.subscribe_book(POWER)
            await factory.subscribe_ticker()
            await line.cut()
            assert not factory.connected
            await solar.place(POWER, "sell", price="0.4100", quantity="2.0")
            await until(lambda: factory.connected and book.ready and book.asks)
            await solar.place(POWER, "sell", price="0.4200", quantity="2.0")
            await until(lambda: len(book.asks) == 2)
            await until(lambda: factory.ticker[POWER].ask == "0.4100")


async def test_a_book_with_a_gap_is_asked_for_again() -> None:
    async with running_park() as park:
        line = Line(park)
        async with factory_on(line) as factory, connect(park.connector, key_id="solar", private_key=private_key("solar")) as solar:
            book = await factory.subscribe_book(POWER)
            line.drop = lambda frame: b"book.delta" in frame
            await solar.place(POWER, "sell", price="0.4100", quantity="2.0")
            park.hub.publisher.flush()
            await factory.status()
            line.drop = lambda frame: False
            await solar.place(POWER, "sell", price="0.4200", quantity="2.0")
            await until(lambda: len(book.asks) == 2)


async def test_a_turn_that_was_done_is_reported_done_again() -> None:
    async with running_park(turns=3) as park:
        line = Line(park)
        conductor = park.hub.conductor
        assert conductor is not None
        async with factory_on(line) as factory, connect(park.connector, key_id="solar", private_key=private_key("solar")) as solar:
            mine, other = factory.turns(), solar.turns()
            first = asyncio.create_task(anext(mine))
            second = asyncio.create_task(anext(other))
            await until(lambda: len(park.hub.publisher.clock) == 2)
            conductor.run(None)
            await (await first).done()
            await line.cut()
            await until(lambda: factory.connected)
            await (await second).done()
            assert (await anext(mine)).turn == 2
            await mine.aclose()
            await other.aclose()


async def test_a_logon_that_comes_at_a_bad_moment_is_tried_again() -> None:
    """The journal has failed, or the exchange does not accept: a restart mends that, another key would not."""
    async with running_park() as park:
        line = Line(park)
        async with factory_on(line) as client:
            node = park.node
            node._accepting = False
            await line.cut()
            await until(lambda: line.opened >= 3)
            node._accepting = True
            await until(lambda: client.connected)
            assert (await client.place(POWER, "buy", price="0.4000", quantity="1.0")).status == "resting"


async def test_business_commands_are_given_up_not_sent_again() -> None:
    async with running_park() as park:
        line = Line(park)
        async with connect(line, key_id="operator", private_key=private_key("operator")) as operator:
            line.mute = True
            submitting = asyncio.create_task(operator.submit(Deposit(account=FACTORY, amount_micro=5, reference="x")))
            await asyncio.sleep(0.01)
            line.mute = False
            await line.cut()
            with pytest.raises(ConnectionLost):
                await submitting
            assert (await operator.status()).epoch == 1


async def test_giving_up_after_the_time_allowed() -> None:
    async with running_park() as park:
        line = Line(park)
        async with factory_on(line, resume_for_s=0.05) as factory:
            line.refusals = 10**9
            await line.cut()
            asking = asyncio.create_task(factory.balances())
            with pytest.raises(ConnectionLost, match="could not resume"):
                await asking
            with pytest.raises(ConnectionLost):
                await factory.balances()


async def test_a_key_that_was_revoked_meanwhile_is_not_tried_for_ever() -> None:
    async with running_park() as park:
        line = Line(park)
        async with factory_on(line) as factory:
            line.refusals = 1
            await line.cut()
            asking = asyncio.create_task(factory.balances())
            await park.document(RevokeKey(key_id="factory"))
            with pytest.raises(LogonRefused):
                await asking


async def test_closing_fails_what_is_on_its_way() -> None:
    async with running_park() as park:
        line = Line(park)
        async with factory_on(line) as factory:
            line.mute = True
            asking = asyncio.create_task(factory.balances())
            await asyncio.sleep(0.01)
        with pytest.raises(ConnectionLost, match="closed"):
            await asking


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_is_cut_the_client_ends_with_the_orders_of_the_exchange(seed: int) -> None:
    """Random orders, cancels and cuts; afterwards client and exchange name the same open orders, and no order exists twice."""
    chance = random.Random(seed)
    async with running_park() as park:
        line = Line(park)
        async with factory_on(line) as factory, connect(park.connector, key_id="solar", private_key=private_key("solar")) as solar:
            placed: list[asyncio.Task[list[Any]]] = []
            for _ in range(25):
                placed.append(asyncio.create_task(factory.place_many([random_order(factory, chance) for _ in range(chance.randint(1, 5))])))
                if chance.random() < 0.5:
                    await solar.place(POWER, "sell", price=f"0.40{chance.randint(0, 20):02d}", quantity="1.0")
                if chance.random() < 0.3:
                    await asyncio.sleep(chance.random() * 0.005)
                    line.refusals = chance.randint(0, 1)
                    await line.cut()
                if chance.random() < 0.3 and factory.open_orders:
                    await factory.cancel_many(chance.sample(list(factory.open_orders.values()), 1))
            results = [result for batch in await asyncio.gather(*placed) for result in batch]
            await factory.status()
            await until(lambda: factory.connected)
            await factory.status()
            theirs = {order.order_id: (order.client_order_id, order.remaining_lots) for order in park.node.exchange.open_orders(FACTORY)}
            ours = {number: (order.client_order_id, round(float(order.remaining) * 10)) for number, order in factory.open_orders.items()}
            assert ours == theirs, seed
            assert all(isinstance(result, Order) for result in results)
            assert len({result.order_id for result in results}) == len(results)
            for result in results:
                assert result.is_open is (result.order_id in theirs)


def random_order(park: ParkClient, chance: random.Random) -> Any:
    return park.order_params(POWER, "buy", price=f"0.40{chance.randint(0, 20):02d}", quantity=f"0.{chance.randint(1, 9)}")
