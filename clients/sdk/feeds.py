"""What the client follows: own executions, books, quotes, phases and turns, with their gaps found and mended."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import msgspec

from clients.sdk.books import Book
from clients.sdk.errors import ClientError, RequestRefused
from clients.sdk.link import Link
from clients.sdk.notices import ConnectionChange, Missed
from clients.sdk.orders import OrderTable
from clients.sdk.turns import MarketTurn
from exchange.protocol import messages as m
from exchange.protocol.encoding import result_decoder

logger = logging.getLogger("parkex.sdk")

_HISTORY_PAGE: Final = 1_000
# Executions are recorded behind the exchange, so what it has told already may not stand there yet: so often it is asked again.
_RECORDS_WAIT_S: Final = 0.1
_RECORDS_PATIENCE: Final = 20

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
        self._held: list[m.Execution] | None = None
        self._told_seqs: dict[str, int] = {}
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
            await self._wait(self._book_changed)
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
                await self._wait(self._turn_changed)
            turn = self._turn
            self._turn_yielded = turn.turn
            yield MarketTurn(turn.turn, turn.now_ns, turn.next_ns, turn.last, self._report_done)
            if turn.last:
                return

    async def restore(self, *, has_account: bool) -> None:
        """After a logon: own executions from where they stopped, then every channel once more."""
        for book in self.books.values():
            book.forget()
        self.indications.clear()  # their channel begins with all that are on
        self._told_seqs.clear()
        if has_account:
            await self._restore_executions()
        channels = [channel for channel in self._channels if channel != "clock"]
        if channels:
            await self._join_again(channels)
        if "clock" in self._channels:
            await self._request(["clock"], turns=self._takes_part, at_once=True)

    def changed(self, change: ConnectionChange) -> None:
        """The connection came or went. Whoever waits for data that will not come any more is woken."""
        if change.final:
            self._book_changed.set()
            self._turn_changed.set()
        self._call_back("connection", change)

    async def _wait(self, event: asyncio.Event) -> None:
        """Until the next change. Raises the link's last error once there will be none."""
        if self._link.closed is not None:
            raise self._link.closed
        event.clear()
        await event.wait()

    async def _join_again(self, channels: list[str]) -> None:
        """All at once; where one is refused (its instrument is gone) each by itself, without those that are refused."""
        try:
            await self._request(channels, at_once=True)
        except RequestRefused:
            for channel in channels:
                try:
                    await self._request([channel], at_once=True)
                except RequestRefused as error:
                    logger.warning("channel %s is refused now: %s", channel, error)
                    self._channels.pop(channel, None)

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
        elif isinstance(params, m.PhaseChange):
            self.phases[params.instrument] = params.phase
        elif isinstance(params, m.PhasesSnapshot):
            self._apply_phases(params)
        elif isinstance(params, m.Indications):
            self.indications.update({indication.instrument: indication for indication in params.indications})
        elif isinstance(params, m.AuctionHeld):
            self.indications.pop(params.instrument, None)
        elif isinstance(params, m.Heartbeat):
            self._apply_heartbeat(params)
        self._call_back(method, params)

    def _call_back(self, method: str, params: Any) -> None:
        for callback in self.callbacks.get(method, ()):
            callback(params)

    async def _request(self, channels: list[str], *, from_seq: int | None = None, turns: bool = False, at_once: bool = False) -> m.SubscribeResult:
        params = m.SubscribeParams(channels=channels, from_seq=from_seq, turns=turns, checksum=self._checksums)
        return await self._link.call("subscribe", params, _decode_subscribe, at_once=at_once)

    # Executions

    async def _restore_executions(self) -> None:
        """Join the own executions from where they stopped: the replay follows the answer.

        What is older than it reaches back is asked of the exchange's records. Where those end too early as well, or the exchange has less than is
        known here, the list of open orders takes their place.
        """
        known = self._execution_seq
        wanted = None if known < 0 else known + 1

        def joined(raw: msgspec.Raw) -> m.SubscribeResult:
            result = _decode_subscribe(raw)
            if not isinstance(result.execution_seq, int) or not isinstance(result.replay_from, int):
                raise ClientError("the exchange does not say where its executions stand")
            # What the replay does bring is held back until the list is there.
            is_short = wanted is None or result.execution_seq < known or wanted < result.replay_from
            self._held = [] if is_short and result.execution_seq != known else None
            self._mending = self._held is not None
            return result

        self._mending = True
        try:
            params = m.SubscribeParams(channels=["executions"], from_seq=wanted)
            result = await self._link.call("subscribe", params, joined, at_once=True)
            if self._held is not None and not await self._read_history(result):
                reached = self._execution_seq
                await self.reconcile(at_once=True)
                self._tell_missed(reached, result)
        finally:
            self._mending, self._held = False, None

    async def _read_history(self, joined: m.SubscribeResult) -> bool:
        """Executions that the exchange has recorded, up to where its replay begins, and then that. False when they end before."""
        assert isinstance(joined.execution_seq, int)
        assert isinstance(joined.replay_from, int)
        if not 0 <= self._execution_seq <= joined.execution_seq:
            return False
        patience = _RECORDS_PATIENCE
        while self._execution_seq + 1 < joined.replay_from:
            params = m.ExecutionsParams(from_seq=self._execution_seq + 1, limit=_HISTORY_PAGE)
            page = await self._link.call("executions", params, _decode_executions, at_once=True)
            if not page.executions and patience:
                # The records are a moment behind the exchange.
                patience -= 1
                await asyncio.sleep(_RECORDS_WAIT_S)
                continue
            if not page.executions or page.executions[0].prev_seq != self._execution_seq:
                return False
            for event in page.executions:
                self._follow(event)
                self._call_back("execution", event)
        held, self._held = self._held or [], None
        for event in held:
            self.notified("execution", event)
        return True

    def _tell_missed(self, known: int, result: m.SubscribeResult) -> None:
        assert isinstance(result.replay_from, int)
        if 0 <= known < result.replay_from - 1:
            missed = Missed(first_seq=known + 1, last_seq=result.replay_from - 1)
            logger.warning("executions %d to %d are lost, the open orders were taken from the exchange", missed.first_seq, missed.last_seq)
            self._call_back("missed", missed)

    async def reconcile(self, *, at_once: bool = False) -> None:
        """Take the open orders from the exchange, and executions from there on."""

        def apply(raw: msgspec.Raw) -> None:
            result = _decode_orders(raw)
            held, self._held = self._held or [], None
            for event in held:
                if event.seq <= result.execution_seq:
                    self._orders.apply_execution(event)
            self._orders.reconcile(result.orders)
            self._execution_seq = result.execution_seq
            self._mending = False
            for event in held:
                if event.seq <= result.execution_seq:
                    self._call_back("execution", event)
                else:
                    self.notified("execution", event)

        await self._link.call("orders.open", m.InstrumentFilter(), apply, at_once=at_once)

    def _apply_execution(self, event: m.Execution) -> bool:
        """False when it was known already, or lies behind a gap that is being mended."""
        if self._held is not None:
            self._held.append(event)
            return False
        if event.seq <= self._execution_seq:
            return False
        if event.prev_seq != self._execution_seq:
            self._mend()
            return False
        self._follow(event)
        return True

    def _follow(self, event: m.Execution) -> None:
        self._execution_seq = event.seq
        self.now_ns = max(self.now_ns, event.at_ns)
        self._orders.apply_execution(event)

    def _mend(self) -> None:
        """Ask for what is missing, once. What fails is tried again at the next sign of the gap."""
        if self._mending:
            return
        self._mending = True
        logger.warning("executions after %d are missing, asking for a replay", self._execution_seq)
        self._mender = asyncio.get_running_loop().create_task(self._restore_executions(), name="mend executions")
        self._mender.add_done_callback(_retrieve)

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
            self._mend_book(delta.instrument)
        self._book_changed.set()

    def _mend_book(self, symbol: str) -> None:
        logger.warning("deltas of book %s are missing, subscribing again", symbol)
        params = m.SubscribeParams(channels=[f"book:{symbol}"], checksum=self._checksums)
        self._link.call("subscribe", params, _decode_subscribe).add_done_callback(_retrieve)

    def _apply_phases(self, snapshot: m.PhasesSnapshot) -> None:
        """Their channel begins with all of them. Those that changed while the connection was lost are told as changes."""
        changed = [row for row in snapshot.phases if self.phases.get(row.instrument, row.phase) != row.phase]
        self.phases.update({row.instrument: row.phase for row in snapshot.phases})
        for row in changed:
            self._call_back("phase", row)

    def _apply_heartbeat(self, heartbeat: m.Heartbeat) -> None:
        self.now_ns = max(self.now_ns, heartbeat.now_ns)
        if heartbeat.seqs.get("executions", -1) > self._execution_seq >= 0:
            self._mend()
        told, self._told_seqs = self._told_seqs, heartbeat.seqs
        for symbol, book in self.books.items():
            # One heartbeat may be ahead of a book that lags; of what was told a heartbeat ago nothing is on its way any more.
            if book.ready and book.seq < told.get(f"book:{symbol}", -1):
                book.forget()
                self._mend_book(symbol)

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


def _retrieve(future: "asyncio.Future[Any] | asyncio.Task[Any]") -> None:
    """Take the outcome of a call nobody waits for: a refusal shows in the data that stays away."""
    if not future.cancelled() and future.exception() is not None:
        logger.warning("a background request failed: %s", future.exception())
