"""One lasting link to an exchange: logs on, matches answers to calls, and after a lost connection connects again and sends again what had no answer.

Sending again is safe: order commands carry their client_order_id, by which the exchange recognises them; reading twice harms nobody. A call that
is neither is given up with ConnectionLost.
"""

import asyncio
import logging
import random
import time
from array import array
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Raw

from clients.sdk.credentials import Credentials
from clients.sdk.errors import ClientError, ConnectionLost, LogonRefused, RequestRefused
from clients.sdk.transport import Connector, Transport
from exchange.protocol.codec import DECODE_ERRORS, WireError
from exchange.protocol.messages import Challenge, LogonResult, Params
from exchange.protocol.reject_codes import RejectCode
from exchange.protocol.session import Answered, ClientSession, Notified, SessionError

logger = logging.getLogger("parkex.sdk")

T = TypeVar("T")

_FIRST_DELAY_S: Final = 0.05
_LAST_DELAY_S: Final = 2.0
_LOGON_TIMEOUT_S: Final = 10.0
# Refusals of a logon that speak of the exchange's state, not of the key: a restart or a moment mends them.
_TRY_LATER: Final = frozenset({RejectCode.RATE_LIMITED, RejectCode.QUEUE_FULL, RejectCode.NOT_ACCEPTING, RejectCode.JOURNAL_FAILED})

_decode_logon: Final = msgspec.json.Decoder(LogonResult).decode

OnResult = Callable[[Raw], T]
OnError = Callable[[WireError], ClientError]


def refused(error: WireError) -> ClientError:
    """The exception of an error answer."""
    return RequestRefused(error.code, error.message, error.data)


@dataclass(slots=True, eq=False)
class _Call:
    method: str
    params: Params | dict[str, Any]
    future: "asyncio.Future[Any]"
    on_result: OnResult[Any]
    on_error: OnError
    resend: bool
    timed: bool
    sent_ns: int = 0


class Link:
    """`restore` runs after every logon, before anything else is sent: it subscribes. `on_notification` gets every notification."""

    def __init__(
        self,
        connector: Connector,
        credentials: Credentials | None,
        *,
        resume_for_s: float,
        on_notification: Callable[[str, Params], None],
        restore: Callable[[], Awaitable[None]],
    ) -> None:
        self._connector = connector
        self._credentials = credentials
        self._resume_for_s = resume_for_s
        self._on_notification = on_notification
        self._restore = restore
        self._session = ClientSession()
        self._transport: Transport | None = None
        self._generation = 0
        self._sent: dict[int, _Call] = {}
        self._unsent: list[_Call] = []
        self._ready = False
        self._closed: ClientError | None = None
        self._flush_scheduled = False
        self._challenge: asyncio.Future[Challenge] | None = None
        self._resuming: asyncio.Task[None] | None = None
        self.logon: LogonResult | None = None
        # Nanoseconds from sending an order command to its answer.
        self.ack_latency_ns: array[int] = array("q")

    @property
    def connected(self) -> bool:
        return self._ready

    async def open(self) -> None:
        """The first connection. Raises OSError, LogonRefused or ConnectionLost: only a link that has worked is resumed."""
        try:
            await self._connect()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """End the link; what has no answer fails with ConnectionLost."""
        self._give_up(ConnectionLost("the client was closed"))
        resuming, self._resuming = self._resuming, None
        if resuming is not None:
            resuming.cancel()
            await asyncio.wait([resuming])
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.close()

    def call(
        self,
        method: str,
        params: Params | dict[str, Any],
        on_result: OnResult[T],
        *,
        on_error: OnError = refused,
        resend: bool = True,
        timed: bool = False,
        at_once: bool = False,
    ) -> "asyncio.Future[T]":
        """Send a request; the future gets what `on_result` makes of the raw result, or the exception of `on_error`.

        All requests of one iteration of the loop leave in one write. `at_once`: also while the link is being restored.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        if self._closed is not None:
            future.set_exception(self._closed)
            return future
        call = _Call(method, params, future, on_result, on_error, resend, timed)
        if self._ready or at_once:
            self._send(call)
        else:
            self._unsent.append(call)
        return future

    async def drained(self) -> None:
        """Return when the transport can take more."""
        if self._transport is not None:
            await self._transport.drained()

    def _send(self, call: _Call) -> None:
        call.sent_ns = time.perf_counter_ns()
        self._sent[self._session.request(call.method, call.params)] = call
        if not self._flush_scheduled:
            self._flush_scheduled = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_scheduled = False
        if self._transport is not None:
            self._transport.send(self._session.data_to_send())

    # Receiving

    def _frames_received(self, generation: int, frames: list[bytes]) -> None:
        if generation != self._generation:
            return
        received_ns = time.perf_counter_ns()
        try:
            for frame in frames:
                self._session.receive_data(frame)
        except SessionError as error:
            self._give_up(ClientError(str(error)))
            return
        for event in self._session.events_received():
            if isinstance(event, Answered):
                self._answered(event, received_ns)
            else:
                self._notified(event)

    def _answered(self, event: Answered, received_ns: int) -> None:
        call = self._sent.pop(event.id, None)
        if call is None:
            return
        if call.timed:
            self.ack_latency_ns.append(received_ns - call.sent_ns)
        try:
            if event.error is not None:
                result, error = None, call.on_error(event.error)
            else:
                result, error = call.on_result(event.result), None
        except DECODE_ERRORS:
            result, error = None, ClientError("the exchange answered in an unknown form")
        if call.future.done():  # its waiter was cancelled
            return
        if error is not None:
            call.future.set_exception(error)
        else:
            call.future.set_result(result)

    def _notified(self, event: Notified) -> None:
        if isinstance(event.params, Challenge):
            if self._challenge is not None and not self._challenge.done():
                self._challenge.set_result(event.params)
            return
        self._on_notification(event.method, event.params)

    # Connecting and resuming

    async def _connect(self) -> None:
        self._generation += 1
        generation = self._generation
        self._session = ClientSession()
        self._challenge = asyncio.get_running_loop().create_future()
        self._transport = await self._connector(
            lambda frames: self._frames_received(generation, frames), lambda error: self._connection_lost(generation, error)
        )
        try:
            async with asyncio.timeout(_LOGON_TIMEOUT_S):
                challenge = await self._challenge
                if self._credentials is not None:
                    self.logon = await self._log_on(self._credentials, challenge)
                await self._restore()
        except BaseException as error:
            await self._abandon(generation)
            if isinstance(error, TimeoutError):
                raise ConnectionLost("the exchange did not answer the logon") from None
            raise
        if generation != self._generation:
            raise ConnectionLost("the connection ended during the logon")
        self._ready = True
        unsent, self._unsent = self._unsent, []
        for call in unsent:
            if not call.future.done():
                self._send(call)

    async def _abandon(self, generation: int) -> None:
        """A connection that did not come as far as it should is closed, so that none is left open behind the next attempt."""
        if generation != self._generation:
            return  # it was lost, and with it its calls
        transport = self._transport
        self._connection_lost(generation, None)
        if transport is not None:
            await transport.close()

    async def _log_on(self, credentials: Credentials, challenge: Challenge) -> LogonResult:
        assert self._transport is not None
        host = self._transport.host
        if challenge.host != host:
            raise LogonRefused(f"asked for {host}, but the server answers to {challenge.host}")
        try:
            return await self.call("logon", credentials.sign(challenge, host), _decode_logon, at_once=True, resend=False)
        except RequestRefused as error:
            if error.code in _TRY_LATER:
                raise ConnectionLost(f"the exchange takes no logon now: {error}") from None
            raise LogonRefused(str(error)) from None

    def _connection_lost(self, generation: int, error: Exception | None) -> None:
        if generation != self._generation or self._closed is not None:
            return
        self._ready = False
        self._transport = None
        self._generation += 1  # late frames of the old connection are nobody's
        self._fail_challenge(ConnectionLost("the connection ended before the logon"))
        kept = []
        for call in self._sent.values():
            if call.future.done():
                continue
            if call.resend:
                kept.append(call)
            else:
                call.future.set_exception(ConnectionLost(f"the connection ended before {call.method} was answered"))
        self._sent.clear()
        self._unsent = kept + self._unsent
        if self._resuming is None and self.logon_was_good:
            logger.info("connection lost (%s), resuming", type(error).__name__ if error is not None else "closed")
            self._resuming = asyncio.get_running_loop().create_task(self._resume(), name="resume")

    @property
    def logon_was_good(self) -> bool:
        """Whether the link has ever been up."""
        return self._credentials is None or self.logon is not None

    async def _resume(self) -> None:
        """Connect again with growing, jittered delays until it works or the time is over."""
        delay_s = _FIRST_DELAY_S
        give_up_at = time.monotonic() + self._resume_for_s
        while self._closed is None:
            try:
                await self._connect()
            except (OSError, ConnectionLost) as error:
                if time.monotonic() >= give_up_at:
                    self._give_up(ConnectionLost(f"could not resume: {error}"))
                    break
                await asyncio.sleep(delay_s * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
                delay_s = min(2 * delay_s, _LAST_DELAY_S)
            except ClientError as error:
                self._give_up(error)
            else:
                break
        self._resuming = None

    def _fail_challenge(self, error: ClientError) -> None:
        if self._challenge is not None and not self._challenge.done():
            self._challenge.set_exception(error)
            self._challenge.exception()  # marks it as seen: nobody may be waiting for it

    def _give_up(self, error: ClientError) -> None:
        if self._closed is not None:
            return
        self._closed = error
        self._ready = False
        for call in [*self._sent.values(), *self._unsent]:
            if not call.future.done():
                call.future.set_exception(error)
        self._sent.clear()
        self._unsent.clear()
        self._fail_challenge(error)
