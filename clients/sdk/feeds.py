"""What the client follows: own executions, books, quotes, phases and turns, with their gaps found and mended."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import msgspec

from clients.sdk.books import Book
from clients.sdk.link import Link
from clients.sdk.orders import OrderTable
from clients.sdk.turns import MarketTurn
from exchange.protocol import messages as m
from exchange.protocol.encoding import result_decoder

logger = logging.getLogger("parkex.sdk")

_decode_subscribe: Final = result_decoder(m.SubscribeResult)
_decode_executions: Final = result_decoder(m.ExecutionsResult)
_decode_orders: Final = result_decoder(m.OrdersResult)
_decode_turn: Final = result_decoder(m.TurnResult)


class Feeds:
    """Channels of one client. `callbacks` by method are called after the notification was applied."""

    def __init__(self, link: Link, orders: OrderTable) -> None:
        self._link = link
        self._orders = orders
        self._channels: dict[str, None] = {}  # an ordered set
        self._takes_part = False
        self._checksums = False
        self._execution_seq = -1
        self._mending = False
        self._mender: asyncio.Task[None] | None = None
        self._book_changed = asyncio.Event()
        self._turn: m.Turn | None = None
        self._turn_yielded = 0
        self._turn_done = 0
        self._turn_changed = asyncio.Event()
        self.books: dict[str, Book] = {}
        self.ticker: dict[str, m.Quote] = {}
        self.phases: dict[str, str] = {}
        self.indications: dict[str, m.Indication] = {}
        self.callbacks: dict[str, list[Callable[[Any], None]]] = {}
        self.now_ns = 0

    async def subscribe(self, channel: str) -> None:
        """Join a channel now and after every resume."""
        await self._request([channel])
        self._channels[channel] = None

    async def subscribe_book(self, symbol: str, *, checksum: bool = False) -> Book:
        self._checksums = self._checksums or checksum
        book = self.books.setdefault(symbol, Book(symbol))
        try:
            await self.subscribe(f"book:{symbol}")
        except BaseException:
            if f"book:{symbol}" not in self._channels:
                del self.books[symbol]
            raise
        while not book.ready:
            self._book_changed.clear()
            await self._book_changed.wait()
        return book

    async def unsubscribe(self, *channels: str) -> None:
        for channel in channels:
            self._channels.pop(channel, None)
            self.books.pop(channel.removeprefix("book:"), None)
        await self._link.call("unsubscribe", m.UnsubscribeParams(channels=list(channels)), _decode_subscribe)

    async def turns(self, *, take_part: bool) -> AsyncIterator[MarketTurn]:
        self._takes_part = take_part
        await self._request(["clock"], turns=take_part)
        self._channels["clock"] = None
        while True:
            while self._turn is None or self._turn.turn <= self._turn_yielded:
                self._turn_changed.clear()
                await self._turn_changed.wait()
            turn = self._turn
            self._turn_yielded = turn.turn
            yield MarketTurn(turn.turn, turn.now_ns, turn.next_ns, turn.last, self._report_done)
            if turn.last:
                return

    async def restore(self, *, has_account: bool) -> None:
        """After a logon: own executions from where they stopped, then every channel once more."""
        for book in self.books.values():
            book.seq = -1
        self._mending = False
        if has_account:
            await self._restore_executions()
        channels = [channel for channel in self._channels if channel != "clock"]
        if channels:
            await self._request(channels, at_once=True)
        if "clock" in self._channels:
            await self._request(["clock"], turns=self._takes_part, at_once=True)

    def notified(self, method: str, params: m.Params) -> None:
        """Apply one notification."""
        if isinstance(params, m.Execution):
            if not self._apply_execution(params):
                return
        elif isinstance(params, m.Ticker):
            for quote in params.quotes:
                self.ticker[quote.instrument] = quote
        elif isinstance(params, m.BookDelta | m.BookSnapshot):
            self._apply_book(params)
        elif isinstance(params, m.Turn):
            self._apply_turn(params)
        elif isinstance(params, m.PhasesSnapshot | m.PhaseChange):
            rows = params.phases if isinstance(params, m.PhasesSnapshot) else [params]
            self.phases.update({row.instrument: row.phase for row in rows})
        elif isinstance(params, m.Indications):
            self.indications.update({indication.instrument: indication for indication in params.indications})
        elif isinstance(params, m.AuctionHeld):
            self.indications.pop(params.instrument, None)
        elif isinstance(params, m.Heartbeat):
            self._apply_heartbeat(params)
        for callback in self.callbacks.get(method, ()):
            callback(params)

    async def _request(self, channels: list[str], *, from_seq: int | None = None, turns: bool = False, at_once: bool = False) -> m.SubscribeResult:
        params = m.SubscribeParams(channels=channels, from_seq=from_seq, turns=turns, checksum=self._checksums)
        return await self._link.call("subscribe", params, _decode_subscribe, at_once=at_once)

    # Executions

    async def _restore_executions(self) -> None:
        wanted = None if self._execution_seq < 0 else self._execution_seq + 1
        result = await self._request(["executions"], from_seq=wanted, at_once=True)
        assert isinstance(result.execution_seq, int)
        assert isinstance(result.replay_from, int)
        # The replay follows the answer. What is older than it reaches back is asked of the exchange's records first; where those end too early,
        # the list of open orders takes their place.
        if wanted is None:
            await self._reconcile()
        elif wanted < result.replay_from and wanted <= result.execution_seq:
            self._mending = True
            if await self._read_history(result.replay_from):
                await self._request(["executions"], from_seq=self._execution_seq + 1, at_once=True)
            else:
                await self._reconcile()

    async def _read_history(self, until_seq: int) -> bool:
        """Executions that the exchange has recorded, up to where its replay takes over. False when they end before that."""
        while self._execution_seq + 1 < until_seq:
            params = m.ExecutionsParams(from_seq=self._execution_seq + 1, limit=1_000)
            page = await self._link.call("executions", params, _decode_executions, at_once=True)
            for execution in page.executions:
                self.notified("execution", execution)
            if not page.executions or page.executions[-1].seq != self._execution_seq:
                return False
        return True

    async def _reconcile(self) -> None:
        """Take the open orders from the exchange, and executions from there on."""

        def apply(raw: msgspec.Raw) -> None:
            result = _decode_orders(raw)
            self._orders.reconcile(result.orders)
            self._execution_seq = result.execution_seq
            self._mending = False

        self._mending = True
        await self._link.call("orders.open", m.InstrumentFilter(), apply, at_once=True)

    def _apply_execution(self, event: m.Execution) -> bool:
        """False when it was known already, or lies behind a gap that is being mended."""
        if event.seq <= self._execution_seq:
            return False
        if event.prev_seq != self._execution_seq:
            self._mend()
            return False
        self._mending = False
        self._execution_seq = event.seq
        self.now_ns = max(self.now_ns, event.at_ns)
        self._orders.apply_execution(event)
        return True

    def _mend(self) -> None:
        """Ask for what is missing, once."""
        if self._mending:
            return
        self._mending = True
        logger.warning("executions after %d are missing, asking for a replay", self._execution_seq)
        self._mender = asyncio.get_running_loop().create_task(self._restore_executions(), name="mend executions")

    # Public data

    def _apply_book(self, params: m.BookDelta | m.BookSnapshot) -> None:
        if params.depth != m.DEFAULT_DEPTH:
            return  # another depth, for callbacks alone
        if isinstance(params, m.BookDelta):
            self._apply_delta(params)
            return
        book = self.books.get(params.instrument)
        if book is not None:
            book.apply_snapshot(params)
            self._book_changed.set()

    def _apply_delta(self, delta: m.BookDelta) -> None:
        book = self.books.get(delta.instrument)
        if book is None:
            return
        if not book.apply_delta(delta):
            logger.warning("deltas of book %s are missing, subscribing again", delta.instrument)
            params = m.SubscribeParams(channels=[f"book:{delta.instrument}"], checksum=self._checksums)
            self._link.call("subscribe", params, _decode_subscribe).add_done_callback(_retrieve)
        self._book_changed.set()

    def _apply_heartbeat(self, heartbeat: m.Heartbeat) -> None:
        self.now_ns = max(self.now_ns, heartbeat.now_ns)
        if heartbeat.seqs.get("executions", -1) > self._execution_seq >= 0:
            self._mend()

    # Turns

    def _apply_turn(self, turn: m.Turn) -> None:
        self.now_ns = max(self.now_ns, turn.now_ns)
        if turn.turn == self._turn_done and self._takes_part:
            # Told again after a resume: the exchange has forgotten that this turn was done.
            self._link.call("turn.done", m.TurnDoneParams(turn=turn.turn), _decode_turn).add_done_callback(_retrieve)
        self._turn = turn
        self._turn_changed.set()

    async def _report_done(self, turn: int) -> None:
        self._turn_done = max(self._turn_done, turn)
        await self._link.call("turn.done", m.TurnDoneParams(turn=turn), _decode_turn)


def _retrieve(future: "asyncio.Future[Any]") -> None:
    """Take the outcome of a call nobody waits for: a refusal shows in the data that stays away."""
    if not future.cancelled() and future.exception() is not None:
        logger.warning("a background request failed: %s", future.exception())
