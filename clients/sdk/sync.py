"""The client for programs without asyncio: the same methods, each of which waits for its answer.

    with connect("ws://127.0.0.1:8765", key_id="plant-7", private_key=key) as park:
        order = park.place("GP-20260715-1015", "buy", price="0.4100", quantity="12.5")
        park.cancel(order)

The asyncio client runs in a thread of its own; what it knows without asking (`open_orders`, `ticker`, `book`) is read as it is at that moment.
"""

import asyncio
import threading
from collections.abc import Coroutine, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from clients.sdk.books import Book
from clients.sdk.client import ParkClient
from clients.sdk.client import connect as connect_async
from clients.sdk.errors import OrderRejected
from clients.sdk.national import Blocks, OneWay
from clients.sdk.orders import Order
from clients.sdk.transport import Connector
from exchange.protocol import messages as m
from exchange.protocol.documents import Document

T = TypeVar("T")


@contextmanager
def connect(
    exchange: str | Connector,
    *,
    key_id: str | None = None,
    private_key: Ed25519PrivateKey | bytes | str | None = None,
    cancel_on_disconnect: bool = False,
    ca_file: str | Path | None = None,
) -> Iterator["SyncClient"]:
    """As `clients.sdk.connect`. Use the client from one thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="parkex client", daemon=True)
    thread.start()

    def run(coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result()

    context = connect_async(exchange, key_id=key_id, private_key=private_key, cancel_on_disconnect=cancel_on_disconnect, ca_file=ca_file)
    try:
        park = run(context.__aenter__())
        try:
            yield SyncClient(park, loop)
        finally:
            run(context.__aexit__(None, None, None))
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class SyncClient:
    """A ParkClient whose methods wait. Errors are those of the asyncio client."""

    def __init__(self, park: ParkClient, loop: asyncio.AbstractEventLoop) -> None:
        self._park = park
        self._loop = loop

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    @property
    def open_orders(self) -> Mapping[int, Order]:
        return dict(self._park.open_orders)

    @property
    def ticker(self) -> Mapping[str, m.Quote]:
        return dict(self._park.ticker)

    @property
    def now_ns(self) -> int:
        return self._park.now_ns

    def book(self, symbol: str) -> Book:
        return self._park.book(symbol)

    def order_params(self, instrument: str, side: m.SideName, **terms: Any) -> m.PlaceParams:
        return self._park.order_params(instrument, side, **terms)

    def place(self, instrument: str, side: m.SideName, **terms: Any) -> Order:
        return self._run(self._park.place(instrument, side, **terms))

    def place_many(self, orders: Iterable[m.PlaceParams]) -> list[Order | OrderRejected]:
        return self._run(self._park.place_many(orders))

    def basket_leg(self, instrument: str, side: m.SideName, **terms: Any) -> m.BasketLeg:
        return self._park.basket_leg(instrument, side, **terms)

    def place_basket(self, legs: Iterable[m.BasketLeg]) -> list[Order]:
        return self._run(self._park.place_basket(legs))

    def amend(self, order: Order, *, price: str | None = None, quantity: str | None = None) -> Order:
        return self._run(self._park.amend(order, price=price, quantity=quantity))

    def cancel(self, order: Order) -> Order:
        return self._run(self._park.cancel(order))

    def mass_cancel(self, *, instrument: str | None = None, side: m.SideName | None = None, label: int | None = None) -> int:
        return self._run(self._park.mass_cancel(instrument=instrument, side=side, label=label))

    def instruments(self, instrument_class: str | None = None) -> list[m.InstrumentResult]:
        return self._run(self._park.instruments(instrument_class))

    def balances(self) -> m.BalancesResult:
        return self._run(self._park.balances())

    def positions(self, instrument: str | None = None) -> list[m.PositionResult]:
        return self._run(self._park.positions(instrument))

    def statement(self, day: str) -> Any:
        return self._run(self._park.statement(day))

    def settlement(self, day: str) -> Any:
        return self._run(self._park.settlement(day))

    def status(self) -> m.StatusResult:
        return self._run(self._park.status())

    def nominate(self, instrument: str, injection: str) -> int:
        return self._run(self._park.nominate(instrument, injection))

    def submit(self, document: Document) -> Any:
        return self._run(self._park.submit(document))

    @property
    def blocks(self) -> Blocks:
        """Block trades; their methods go through `wait`."""
        return self._park.blocks

    @property
    def one_way(self) -> OneWay:
        """One-way auctions; their methods go through `wait`."""
        return self._park.one_way

    def wait(self, call: Coroutine[Any, Any, T]) -> T:
        """The result of a call of the asyncio client: `park.wait(park.blocks.confirm(7))`."""
        return self._run(call)

    def subscribe_book(self, symbol: str) -> Book:
        return self._run(self._park.subscribe_book(symbol))

    def subscribe_ticker(self) -> None:
        self._run(self._park.subscribe_ticker())
