"""The client of a park exchange: places orders, keeps their state, follows books, money and turns.

    async with connect("ws://127.0.0.1:8765", key_id="plant-7", private_key=key) as park:
        order = await park.place("GP-20260715-1015", "buy", price="0.4100", quantity="12.5")
        await order.amend(price="0.4150")
        await order.cancel()

Every method that asks the exchange raises RequestRefused (orders: OrderRejected) or ConnectionLost.
"""

import asyncio
import itertools
import secrets
from array import array
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Raw

from clients.sdk.administration import Administration
from clients.sdk.books import Book
from clients.sdk.credentials import Credentials, as_private_key
from clients.sdk.errors import ClientError, NotSent, OrderRejected
from clients.sdk.feeds import Feeds
from clients.sdk.link import Link, LinkOptions
from clients.sdk.national import Blocks, OneWay
from clients.sdk.notices import ConnectionChange
from clients.sdk.orders import Order, OrderTable
from clients.sdk.results import Statement, typed
from clients.sdk.transport import Connector, websocket_connector
from clients.sdk.turns import MarketTurn
from exchange.protocol import messages as m
from exchange.protocol.codec import WireError
from exchange.protocol.documents import Document
from exchange.protocol.encoding import ENCODINGS, JSON, Encoding, result_decoder

RESUME_FOR_S: Final = 60.0
# The exchange sends a heartbeat every 5 s.
SILENCE_S: Final = 30.0


@asynccontextmanager
async def connect(
    exchange: str | Connector,
    *,
    key_id: str | None = None,
    private_key: Ed25519PrivateKey | bytes | str | None = None,
    cancel_on_disconnect: bool = False,
    resume_for_s: float = RESUME_FOR_S,
    silence_s: float = SILENCE_S,
    wait_for_limits: bool = False,
    ca_file: str | Path | None = None,
    encoding: str = JSON.name,
) -> AsyncIterator["ParkClient"]:
    """A logged-on client of the exchange at `ws://host:port` (or behind a connector), for the length of the block.

    `ca_file` names the authorities to trust for `wss://`, instead of the system's. Without a key only public data can be had.
    After a lost connection the client resumes by itself for `resume_for_s`; a connection without a word for `silence_s` counts as lost.
    With `wait_for_limits` a command beyond the exchange's rate limits waits until it is within them, instead of being refused (5007, 5008);
    cancels pass the others. `encoding` is "json" or "msgpack": the same messages; with a connector, what that connector speaks.
    Raises ValueError for a bad address, key or encoding, OSError when nobody answers, LogonRefused.
    """
    if encoding not in ENCODINGS:
        raise ValueError("encodings are " + ", ".join(ENCODINGS))
    credentials = None
    if key_id is not None:
        if private_key is None:
            raise ValueError("a key id needs its private key")
        credentials = Credentials(key_id, as_private_key(private_key), cancel_on_disconnect)
    connector = websocket_connector(exchange, ca_file, ENCODINGS[encoding]) if isinstance(exchange, str) else exchange
    park = ParkClient(
        connector, credentials, resume_for_s=resume_for_s, silence_s=silence_s, wait_for_limits=wait_for_limits, encoding=ENCODINGS[encoding]
    )
    await park.open()
    try:
        yield park
    finally:
        await park.close()


class ParkClient:
    """One session of one key. Use `connect`."""

    def __init__(
        self,
        connector: Connector,
        credentials: Credentials | None,
        *,
        resume_for_s: float = RESUME_FOR_S,
        silence_s: float = SILENCE_S,
        wait_for_limits: bool = False,
        encoding: Encoding = JSON,
    ) -> None:
        options = LinkOptions(resume_for_s, silence_s, wait_for_limits)
        self._orders = OrderTable(self)
        self._has_account = credentials is not None
        self._link = Link(
            connector, credentials, options, on_notification=self._notified, on_change=self._changed, restore=self._restore, encoding=encoding
        )
        self._feeds = Feeds(self._link, self._orders)
        self._id_prefix = secrets.token_hex(5)
        self._id_numbers = itertools.count(1)
        self.blocks = Blocks(self._link, self._feeds, self.new_client_order_id)
        self.administration = Administration(self._link, self._feeds)
        self.one_way = OneWay(self._link, self._feeds, self.new_client_order_id)

    async def open(self) -> None:
        await self._link.open()

    async def close(self) -> None:
        await self._link.close()

    # What is known without asking

    @property
    def connected(self) -> bool:
        """False while a lost connection is being resumed; calls made then are sent afterwards."""
        return self._link.connected

    @property
    def closed(self) -> ClientError | None:
        """Why the client has ended for good; None while it is connected or being resumed."""
        return self._link.closed

    @property
    def account(self) -> int:
        """Account of the key; 0 without a key."""
        return 0 if self._link.logon is None else self._link.logon.account

    @property
    def name(self) -> str:
        return "" if self._link.logon is None else self._link.logon.name

    @property
    def epoch(self) -> int:
        """Of the exchange, as of the last logon: it grows with each of its restarts. 0 without a key."""
        return 0 if self._link.logon is None else self._link.logon.epoch

    @property
    def clock_offset_ns(self) -> int:
        """How far the exchange's wall clock was ahead of this machine's at the last logon."""
        return self._link.clock_offset_ns

    @property
    def now_ns(self) -> int:
        """Market time as last told by the exchange."""
        return max(self._feeds.now_ns, 0 if self._link.logon is None else self._link.logon.now_ns)

    @property
    def open_orders(self) -> Mapping[int, Order]:
        """Open orders of the account by order id, live."""
        return self._orders.open

    @property
    def ticker(self) -> Mapping[str, m.Quote]:
        """Best prices by symbol, live after `subscribe_ticker`."""
        return self._feeds.ticker

    @property
    def phases(self) -> Mapping[str, str]:
        """Phases by symbol, live after `subscribe_phases`; `on("phase", ...)` also gets the changes during a lost connection."""
        return self._feeds.phases

    @property
    def indications(self) -> Mapping[str, m.Indication]:
        """What the auctions of call phases would come to, by symbol, live after `subscribe_auctions`."""
        return self._feeds.indications

    @property
    def ack_latency_ns(self) -> "array[int]":
        """Nanoseconds from sending an order command to receiving its answer, one entry a command."""
        return self._link.ack_latency_ns

    def book(self, symbol: str) -> Book:
        """The live book of a symbol after `subscribe_book`. Raises KeyError before."""
        return self._feeds.books[symbol]

    def on(self, method: str, callback: Callable[[Any], None]) -> None:
        """Call `callback` with the params of every notification `method` (trade, execution, phase, ...), after the client has applied it.

        The client's own: `connection` (ConnectionChange), `missed` (Missed) when executions are lost for good.
        """
        self._feeds.callbacks.setdefault(method, []).append(callback)

    # Orders

    async def place(self, instrument: str, side: m.SideName, **terms: Any) -> Order:
        """A new order: `quantity` and `price` as decimal strings, and any other field of exchange.protocol.messages.PlaceParams.

        `display` shows a part of it, `stop_price` lets it wait for a trade at that price, `min_quantity` or `all_or_none=True` for enough on
        the other side; `post_only=True` never trades on entry, with `reprice=True` it steps behind the market instead of being refused.
        Returns it as answered: resting, waiting, filled or cancelled. Raises OrderRejected.
        """
        return await self._begin_place(self.order_params(instrument, side, **terms))

    async def place_many(self, orders: Iterable[m.PlaceParams]) -> list[Order | OrderRejected]:
        """Send all (made by `order_params`) without waiting in between; answers in the same order, a refused one as its exception."""
        futures = [self._begin_place(params) for params in orders]
        results = await asyncio.gather(*futures, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, OrderRejected):
                raise result
        return results  # type: ignore[return-value] # the loop has ruled out every other exception

    async def place_basket(self, legs: Iterable[m.BasketLeg], *, deadline_ns: int | None = None) -> list[Order]:
        """Fill-or-kill legs (made by `basket_leg`) in different instruments: all fill whole, or nothing happens.

        Returns the orders in the order of the legs, all filled. Raises OrderRejected with the code of the leg that was refused; `data["leg"]`
        is its number.
        """
        params = m.BasketParams(legs=list(legs), deadline_ns=deadline_ns)
        orders = [Order(leg.instrument, leg.side, leg.client_order_id, leg.price, leg.quantity, label=leg.label) for leg in params.legs]
        for order in orders:
            self._orders.add_pending(order)

        def apply(raw: Raw) -> list[Order]:
            for order, answer in zip(orders, _decode_basket(raw).legs, strict=True):
                self._orders.apply_answer(order, answer)
            return orders

        def reject(error: WireError) -> ClientError:
            for order in orders:
                self._orders.drop_pending(order.client_order_id)
            return _rejected(error)

        return await self._link.call("basket.place", params, apply, on_error=reject, timed=True)

    def basket_leg(self, instrument: str, side: m.SideName, **terms: Any) -> m.BasketLeg:
        """One leg with a fresh client_order_id unless one is given: `quantity`, `price`, or any other field of BasketLeg."""
        terms.setdefault("client_order_id", self.new_client_order_id())
        return m.BasketLeg(instrument=instrument, side=side, **terms)

    def order_params(self, instrument: str, side: m.SideName, **terms: Any) -> m.PlaceParams:
        """Terms of a new order with a fresh client_order_id unless one is given. Raises TypeError for an unknown term."""
        terms.setdefault("client_order_id", self.new_client_order_id())
        return m.PlaceParams(instrument=instrument, side=side, **terms)

    def new_client_order_id(self) -> str:
        """Unique: a random prefix of this client and a counter."""
        return f"{self._id_prefix}-{next(self._id_numbers)}"

    async def amend(self, order: Order, *, price: str | None = None, quantity: str | None = None, deadline_ns: int | None = None) -> Order:
        """Change price or remaining quantity of an open order. Raises OrderRejected."""
        params = m.AmendParams(
            client_order_id=self.new_client_order_id(), instrument=order.instrument, order_id=order.order_id, revision=order.revision, price=price,
            quantity=quantity, deadline_ns=deadline_ns,
        )  # fmt: skip

        def apply(raw: Raw) -> Order:
            self._orders.apply_answer(order, _decode_order(raw))
            order.price = price or order.price
            return order

        return await self._link.call("order.amend", params, apply, on_error=_rejected, timed=True)

    async def cancel(self, order: Order, *, deadline_ns: int | None = None) -> Order:
        """Withdraw an open order. Raises OrderRejected, for instance when it was filled meanwhile."""
        params = m.CancelParams(client_order_id=self.new_client_order_id(), order_id=order.order_id, deadline_ns=deadline_ns)
        return await self._begin_cancel(order, params)

    async def cancel_many(self, orders: Iterable[Order]) -> list[Order | OrderRejected]:
        """Send all cancels without waiting in between; a refused one comes back as its exception."""
        futures = [
            self._begin_cancel(order, m.CancelParams(client_order_id=self.new_client_order_id(), order_id=order.order_id)) for order in orders
        ]
        results = await asyncio.gather(*futures, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, OrderRejected):
                raise result
        return results  # type: ignore[return-value] # as in place_many

    async def mass_cancel(
        self, *, instrument: str | None = None, side: m.SideName | None = None, label: int | None = None, deadline_ns: int | None = None
    ) -> int:
        """Withdraw every open order of the account that fits all filters; returns how many. Raises OrderRejected.

        Orders that fit and have not left yet (they wait for a connection, or for the rate limits) never do: their `place` raises NotSent.
        """

        def fits(method: str, params: Any) -> bool:
            return method == "order.place" and all(
                wanted is None or wanted == actual
                for wanted, actual in ((instrument, params.instrument), (side, params.side), (label, params.label))
            )

        for taken in self._link.take_back(fits, NotSent("taken back by a mass cancel before it was sent")):
            self._orders.drop_pending(taken.client_order_id)
        params = m.MassCancelParams(
            client_order_id=self.new_client_order_id(), instrument=instrument, side=side, label=label, deadline_ns=deadline_ns
        )
        return await self._link.call("order.mass_cancel", params, lambda raw: _decode_order(raw).cancelled_orders, on_error=_rejected, timed=True)

    async def dry_run(self, instrument: str, side: m.SideName, **terms: Any) -> m.DryRunResult:
        """What a new order with the terms of `place` would come to now: code, fills, hold. Nothing is sent to the market. Raises OrderRejected
        for terms that cannot be right.
        """
        params = self.order_params(instrument, side, dry_run=True, **terms)
        return await self._link.call("order.place", params, _decode_dry_run, on_error=_rejected)

    async def cancel_after(self, timeout_ms: int, *, label: int | None = None) -> int:
        """Dead man's switch: unless called again within `timeout_ms`, the exchange cancels the account's open orders (or those with `label`).

        It outlives this session and the exchange's restarts; 0 switches it off. Returns the market time in ns at which it fires, 0: never.
        """
        params = m.CancelAfterParams(timeout_ms=timeout_ms, label=label)
        return (await self._link.call("session.cancel_after", params, _decode_cancel_after)).fires_at_ns

    def _begin_place(self, params: m.PlaceParams) -> "asyncio.Future[Order]":
        order = Order(
            params.instrument, params.side, params.client_order_id, params.price, params.quantity, remaining=params.quantity, label=params.label
        )
        self._orders.add_pending(order)

        def apply(raw: Raw) -> Order:
            self._orders.apply_answer(order, _decode_order(raw))
            return order

        def reject(error: WireError) -> ClientError:
            self._orders.drop_pending(order.client_order_id)
            return _rejected(error)

        return self._link.call("order.place", params, apply, on_error=reject, timed=True)

    def _begin_cancel(self, order: Order, params: m.CancelParams) -> "asyncio.Future[Order]":
        def apply(raw: Raw) -> Order:
            self._orders.apply_answer(order, _decode_order(raw))
            return order

        return self._link.call("order.cancel", params, apply, on_error=_rejected, timed=True)

    # Questions

    async def instruments(self, instrument_class: str | None = None) -> list[m.InstrumentResult]:
        """All instruments, or those of one class (power, gec, cea, ccer, pcc)."""
        result = await self._link.call("instruments", m.InstrumentsParams(class_=instrument_class), _decode_instruments)
        return result.instruments

    async def auctions(self, instrument: str | None = None) -> list[m.Indication]:
        """Instruments in a call phase: when it ends, and what its auction would come to now."""
        result = await self._link.call("auctions", m.InstrumentFilter(instrument=instrument), _decode_auctions)
        return result.auctions

    async def depth(self, instrument: str, levels: int = m.DEFAULT_DEPTH) -> m.DepthResult:
        """The best levels of a book now."""
        return await self._link.call("depth", m.DepthParams(instrument=instrument, levels=levels), _decode_depth)

    async def queue_position(self, order: Order) -> m.QueuePositionResult:
        """What is shown before an own order at its price. Raises RequestRefused when it is no longer open."""
        return await self._link.call("order.queue_position", m.QueuePositionParams(order_id=order.order_id), _decode_queue_position)

    async def bars(self, instrument: str, interval: m.IntervalName, **limits: int) -> m.BarsResult:
        """Bars of an instrument, oldest first; `from_ns`, `to_ns`, `limit` as in exchange.protocol.messages.BarsParams."""
        return await self._link.call("bars", m.BarsParams(instrument=instrument, interval=interval, **limits), _decode_bars)

    async def executions(self, from_seq: int, limit: int = 500) -> m.ExecutionsResult:
        """Recorded executions of the account from its private sequence `from_seq` on."""
        return await self._link.call("executions", m.ExecutionsParams(from_seq=from_seq, limit=limit), _decode_executions)

    async def balances(self) -> m.BalancesResult:
        """Money of the account in micro-CNY."""
        return await self._link.call("balances", m.NoParams(), _decode_balances)

    async def positions(self, instrument: str | None = None) -> list[m.PositionResult]:
        """Positions of the account."""
        result = await self._link.call("positions", m.InstrumentFilter(instrument=instrument), _decode_positions)
        return result.positions

    async def statement(self, day: str) -> Statement | None:
        """Statement of the account for a settled day (as 2026-07-15); None before."""
        found = (await self._link.call("statement", m.DayParams(day=day), _decode_statement)).statement
        return None if found is None else typed(found, Statement)

    async def refresh_orders(self) -> Mapping[int, Order]:
        """Take the open orders from the exchange as they are there, with revisions that others of this account have changed."""
        await self._feeds.reconcile()
        return self.open_orders

    async def status(self) -> m.StatusResult:
        """Epoch, last sequence and market time of the exchange."""
        return await self._link.call("system.status", m.NoParams(), _decode_status)

    # Business commands

    async def nominate(self, instrument: str, injection: str) -> int:
        """Storage schedule of a delivery period in kWh, injection positive; returns the command's sequence."""
        params = m.NominateParams(instrument=instrument, injection=injection, client_order_id=self.new_client_order_id())
        return (await self._link.call("nominate", params, _decode_submit)).sequence

    async def submit(self, document: Document) -> Any:
        """A business document, of the operator or of another role that may send it; returns its result.

        Given up, not sent again, when the connection is lost before the answer.
        """
        params = m.OperatorSubmitParams(schema=document.SCHEMA, document=document)
        return (await self._link.call("document.submit", params, _decode_submit, resend=False)).result

    async def settlement(self, day: str) -> Any:
        """The settlement of a day over all accounts; None before it has run. Scope operate or audit."""
        return (await self._link.call("settlement.report", m.DayParams(day=day), _decode_settlement)).settlement

    # Channels

    async def subscribe_book(self, symbol: str, *, checksum: bool = False) -> Book:
        """Follow a book; returns it when its first snapshot is there. With `checksum` the books are compared with the exchange's after each delta."""
        return await self._feeds.subscribe_book(symbol, checksum=checksum)

    async def subscribe(self, channel: str) -> None:
        """Any channel by its name on the wire (`book.5:SYMBOL`, `orders:SYMBOL`, `bars:SYMBOL:1m`, `balances`, ...); see `on`."""
        await self._feeds.subscribe(channel)

    async def subscribe_ticker(self) -> None:
        """Follow the best prices of all instruments."""
        await self._feeds.subscribe("ticker")

    async def subscribe_trades(self, symbol: str = "*") -> None:
        """Public trades of one instrument or of all; see `on("trade", ...)`."""
        await self._feeds.subscribe(f"trades:{symbol}")

    async def subscribe_phases(self) -> None:
        """Trading phases; see `on("phase", ...)`."""
        await self._feeds.subscribe("phases")

    async def subscribe_auctions(self) -> None:
        """Indications of call phases, and their results; see `on("auction", ...)`."""
        await self._feeds.subscribe("auctions")

    async def unsubscribe(self, *channels: str) -> None:
        """Leave channels, by their name on the wire."""
        await self._feeds.unsubscribe(*channels)

    # The market clock

    async def turns(self, *, take_part: bool = True) -> AsyncIterator[MarketTurn]:
        """Turns of a stepped market clock as they begin, up to the last. Who takes part must call `done` on each.

        A client that is slower than the clock gets the latest turn only.
        """
        async for turn in self._feeds.turns(take_part=take_part):
            yield turn

    async def run_clock(self, speed: float | None = None) -> int:
        """Start the market clock: `speed` market seconds a second, None: as fast as all are done. Scope operate. Returns the current turn."""
        return (await self._link.call("clock.run", m.ClockRunParams(speed=speed), _decode_turn)).turn

    async def pause_clock(self) -> int:
        """Stop the market clock. Scope operate. Returns the current turn."""
        return (await self._link.call("clock.pause", m.NoParams(), _decode_turn)).turn

    def _notified(self, method: str, params: m.Params) -> None:
        self._feeds.notified(method, params)

    def _changed(self, change: ConnectionChange) -> None:
        self._feeds.changed(change)

    async def _restore(self) -> None:
        await self._feeds.restore(has_account=self._has_account)


def _rejected(error: WireError) -> ClientError:
    return OrderRejected(error.code, error.message, error.data)


_decode_order: Final = result_decoder(m.OrderResult)
_decode_basket: Final = result_decoder(m.BasketResult)
_decode_depth: Final = result_decoder(m.DepthResult)
_decode_queue_position: Final = result_decoder(m.QueuePositionResult)
_decode_bars: Final = result_decoder(m.BarsResult)
_decode_executions: Final = result_decoder(m.ExecutionsResult)
_decode_dry_run: Final = result_decoder(m.DryRunResult)
_decode_cancel_after: Final = result_decoder(m.CancelAfterResult)
_decode_instruments: Final = result_decoder(m.InstrumentsResult)
_decode_auctions: Final = result_decoder(m.AuctionsResult)
_decode_balances: Final = result_decoder(m.BalancesResult)
_decode_positions: Final = result_decoder(m.PositionsResult)
_decode_statement: Final = result_decoder(m.StatementResult)
_decode_settlement: Final = result_decoder(m.SettlementResult)
_decode_status: Final = result_decoder(m.StatusResult)
_decode_submit: Final = result_decoder(m.SubmitResult)
_decode_turn: Final = result_decoder(m.TurnResult)
