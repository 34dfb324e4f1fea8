"""The client for programs without asyncio: the same methods, each of which waits for its answer.

    with connect("ws://127.0.0.1:8765", key_id="plant-7", private_key=key) as park:
        order = park.place("GP-20260715-1015", "buy", price="0.4100", quantity="12.5")
        park.cancel(order)

The asyncio client runs in a thread of its own. What it knows without asking (`open_orders`, `ticker`, `book`) is a copy of that moment, or for a book
one moment of it a read. Callbacks of `on` run in the client's thread and must not call the client.
"""

import asyncio
import threading
from array import array
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from clients.sdk.books import Book
from clients.sdk.client import RESUME_FOR_S, SILENCE_S, ParkClient
from clients.sdk.client import connect as connect_async
from clients.sdk.errors import ClientError, OrderRejected
from clients.sdk.national import Blocks, OneWay
from clients.sdk.orders import Order
from clients.sdk.results import Statement
from clients.sdk.transport import Connector
from clients.sdk.turns import MarketTurn
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
    resume_for_s: float = RESUME_FOR_S,
    silence_s: float = SILENCE_S,
    wait_for_limits: bool = False,
    ca_file: str | Path | None = None,
    encoding: str = "json",
) -> Iterator["SyncClient"]:
    """As `clients.sdk.connect`. Use the client from one thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="parkex client", daemon=True)
    thread.start()

    def run(coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result()

    context = connect_async(
        exchange, key_id=key_id, private_key=private_key, cancel_on_disconnect=cancel_on_disconnect, resume_for_s=resume_for_s,
        silence_s=silence_s, wait_for_limits=wait_for_limits, ca_file=ca_file, encoding=encoding,
    )  # fmt: skip
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

    def wait(self, call: Coroutine[Any, Any, T]) -> T:
        """The result of a call of the asyncio client: `park.wait(park.blocks.confirm(7))`. Ctrl-C ends the waiting and gives the call up."""
        future = asyncio.run_coroutine_threadsafe(call, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    # What is known without asking

    @property
    def connected(self) -> bool:
        """False while a lost connection is being resumed; calls made then wait and are sent afterwards."""
        return self._park.connected

    @property
    def closed(self) -> ClientError | None:
        """Why the client has ended for good; None while it is connected or being resumed."""
        return self._park.closed

    @property
    def account(self) -> int:
        """Account of the key; 0 without a key."""
        return self._park.account

    @property
    def name(self) -> str:
        return self._park.name

    @property
    def epoch(self) -> int:
        """Of the exchange, as of the last logon: it grows with each of its restarts. 0 without a key."""
        return self._park.epoch

    @property
    def clock_offset_ns(self) -> int:
        """How far the exchange's wall clock was ahead of this machine's at the last logon."""
        return self._park.clock_offset_ns

    @property
    def now_ns(self) -> int:
        """Market time as last told by the exchange."""
        return self._park.now_ns

    @property
    def open_orders(self) -> Mapping[int, Order]:
        """Open orders of the account by order id; the mapping is a copy, the orders are live."""
        return dict(self._park.open_orders)

    @property
    def ticker(self) -> Mapping[str, m.Quote]:
        """Best prices by symbol, after `subscribe_ticker`."""
        return dict(self._park.ticker)

    @property
    def phases(self) -> Mapping[str, str]:
        """Changes of phase by symbol, after `subscribe_phases`."""
        return dict(self._park.phases)

    @property
    def indications(self) -> Mapping[str, m.Indication]:
        """What the auctions of call phases would come to, by symbol, after `subscribe_auctions`."""
        return dict(self._park.indications)

    @property
    def ack_latency_ns(self) -> "array[int]":
        """Nanoseconds from sending an order command to receiving its answer, one entry a command."""
        return self._park.ack_latency_ns

    @property
    def blocks(self) -> Blocks:
        """Block trades; their methods go through `wait`."""
        return self._park.blocks

    @property
    def one_way(self) -> OneWay:
        """One-way auctions; their methods go through `wait`."""
        return self._park.one_way

    def book(self, symbol: str) -> Book:
        """The live book of a symbol after `subscribe_book`. Raises KeyError before."""
        return self._park.book(symbol)

    def on(self, method: str, callback: Callable[[Any], None]) -> None:
        """As ParkClient.on; the callback runs in the client's thread."""
        self._loop.call_soon_threadsafe(self._park.on, method, callback)

    # Orders

    def place(self, instrument: str, side: m.SideName, **terms: Any) -> Order:
        return self.wait(self._park.place(instrument, side, **terms))

    def place_many(self, orders: Iterable[m.PlaceParams]) -> list[Order | OrderRejected]:
        return self.wait(self._park.place_many(orders))

    def order_params(self, instrument: str, side: m.SideName, **terms: Any) -> m.PlaceParams:
        return self._park.order_params(instrument, side, **terms)

    def place_basket(self, legs: Iterable[m.BasketLeg], *, deadline_ns: int | None = None) -> list[Order]:
        return self.wait(self._park.place_basket(legs, deadline_ns=deadline_ns))

    def basket_leg(self, instrument: str, side: m.SideName, **terms: Any) -> m.BasketLeg:
        return self._park.basket_leg(instrument, side, **terms)

    def new_client_order_id(self) -> str:
        return self._park.new_client_order_id()

    def amend(self, order: Order, *, price: str | None = None, quantity: str | None = None, deadline_ns: int | None = None) -> Order:
        return self.wait(self._park.amend(order, price=price, quantity=quantity, deadline_ns=deadline_ns))

    def cancel(self, order: Order, *, deadline_ns: int | None = None) -> Order:
        return self.wait(self._park.cancel(order, deadline_ns=deadline_ns))

    def cancel_many(self, orders: Iterable[Order]) -> list[Order | OrderRejected]:
        return self.wait(self._park.cancel_many(orders))

    def mass_cancel(
        self, *, instrument: str | None = None, side: m.SideName | None = None, label: int | None = None, deadline_ns: int | None = None
    ) -> int:
        return self.wait(self._park.mass_cancel(instrument=instrument, side=side, label=label, deadline_ns=deadline_ns))

    # Questions

    def dry_run(self, instrument: str, side: m.SideName, **terms: Any) -> m.DryRunResult:
        return self.wait(self._park.dry_run(instrument, side, **terms))

    def cancel_after(self, timeout_ms: int, *, label: int | None = None) -> int:
        return self.wait(self._park.cancel_after(timeout_ms, label=label))

    def refresh_orders(self) -> Mapping[int, Order]:
        return dict(self.wait(self._park.refresh_orders()))

    def instruments(self, instrument_class: str | None = None) -> list[m.InstrumentResult]:
        return self.wait(self._park.instruments(instrument_class))

    def auctions(self, instrument: str | None = None) -> list[m.Indication]:
        return self.wait(self._park.auctions(instrument))

    def depth(self, instrument: str, levels: int = m.DEFAULT_DEPTH) -> m.DepthResult:
        return self.wait(self._park.depth(instrument, levels))

    def queue_position(self, order: Order) -> m.QueuePositionResult:
        return self.wait(self._park.queue_position(order))

    def bars(self, instrument: str, interval: m.IntervalName, **limits: int) -> m.BarsResult:
        return self.wait(self._park.bars(instrument, interval, **limits))

    def executions(self, from_seq: int, limit: int = 500) -> m.ExecutionsResult:
        return self.wait(self._park.executions(from_seq, limit))

    def balances(self) -> m.BalancesResult:
        return self.wait(self._park.balances())

    def positions(self, instrument: str | None = None) -> list[m.PositionResult]:
        return self.wait(self._park.positions(instrument))

    def statement(self, day: str) -> Statement | None:
        return self.wait(self._park.statement(day))

    def settlement(self, day: str) -> Any:
        return self.wait(self._park.settlement(day))

    def status(self) -> m.StatusResult:
        return self.wait(self._park.status())

    # Business commands

    def nominate(self, instrument: str, injection: str) -> int:
        return self.wait(self._park.nominate(instrument, injection))

    def submit(self, document: Document) -> Any:
        return self.wait(self._park.submit(document))

    # Channels

    def subscribe_book(self, symbol: str, *, checksum: bool = False) -> Book:
        return self.wait(self._park.subscribe_book(symbol, checksum=checksum))

    def subscribe(self, channel: str) -> None:
        self.wait(self._park.subscribe(channel))

    def subscribe_ticker(self) -> None:
        self.wait(self._park.subscribe_ticker())

    def subscribe_trades(self, symbol: str = "*") -> None:
        self.wait(self._park.subscribe_trades(symbol))

    def subscribe_phases(self) -> None:
        self.wait(self._park.subscribe_phases())

    def subscribe_auctions(self) -> None:
        self.wait(self._park.subscribe_auctions())

    def unsubscribe(self, *channels: str) -> None:
        self.wait(self._park.unsubscribe(*channels))

    # The market clock

    def turns(self, *, take_part: bool = True) -> Iterator[MarketTurn]:
        """Turns as they begin. Who takes part must report each: `park.wait(turn.done())`."""
        turns = self._park.turns(take_part=take_part)
        while True:
            turn = self.wait(_next_of(turns))
            if turn is None:
                return
            yield turn

    def run_clock(self, speed: float | None = None) -> int:
        return self.wait(self._park.run_clock(speed))

    def pause_clock(self) -> int:
        return self.wait(self._park.pause_clock())


async def _next_of(turns: AsyncIterator[MarketTurn]) -> MarketTurn | None:
    return await anext(turns, None)
