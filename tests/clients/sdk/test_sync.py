"""The client for programs without asyncio, over a socket of a server in a process of its own thread."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from clients.sdk import OrderRejected
from clients.sdk.sync import connect
from tests.exchange.gateway.parks import POWER, UNITS, private_key
from tests.exchange.gateway.test_websocket import serving


@pytest.fixture
def url() -> Iterator[str]:
    """A park served from another thread."""
    ready: list[str] = []
    started, stop = threading.Event(), threading.Event()

    async def serve() -> None:
        async with serving() as (_, address):
            ready.append(address)
            started.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert started.wait(60)
    yield ready[0]
    stop.set()
    thread.join()


def test_every_method_waits_for_its_answer(url: str) -> None:
    with connect(url, key_id="factory", private_key=private_key("factory")) as park:
        order = park.place(POWER, "buy", price="0.4000", quantity="5.0")
        assert order.is_open
        park.amend(order, price="0.4100")
        assert set(park.open_orders) == {order.order_id}
        book = park.subscribe_book(POWER)
        assert book is park.book(POWER)
        assert [level.price for level in book.bids] == ["0.4100"]
        park.subscribe_ticker()
        assert [i.symbol for i in park.instruments()] == [POWER, UNITS]
        assert park.ticker[POWER].bid == "0.4100"
        park.cancel(order)
        with pytest.raises(OrderRejected):
            park.cancel(order)
        results = park.place_many([park.order_params(POWER, "buy", price="0.4000", quantity="1.0")] )
        assert len(results) == 1
        assert park.mass_cancel() == 1
        assert park.balances().held_micro == 0
        assert len(park.positions()) == 1
        assert park.statement("2026-07-15") is None
        assert park.wait(park.one_way.auctions()) == park.wait(park.blocks.proposals()) == []
        assert park.status().now_ns == park.now_ns


def test_a_server_that_is_not_there_is_an_error_at_once() -> None:
    before = threading.active_count()
    with pytest.raises(OSError), connect("ws://127.0.0.1:1"):
        pass
    assert threading.active_count() == before
