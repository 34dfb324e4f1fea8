"""One lasting link to an exchange: logs on, matches answers to calls, and after a lost connection connects again and sends again what had no answer.

Sending again is safe: order commands carry their client_order_id, by which the exchange recognises them; reading twice harms nobody. A call that
is neither is given up with ConnectionLost. A connection on which nothing is heard counts as lost, since the exchange sends heartbeats.
"""

import asyncio
import logging
import random
from array import array
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import perf_counter_ns
from typing import Any, Final, TypeVar

from clients.sdk.calls import Call, CallQueue, OnError, OnResult
from clients.sdk.credentials import Credentials
from clients.sdk.errors import ClientError, ConnectionLost, LogonRefused, OutcomeUnknown, RequestRefused
from clients.sdk.notices import ConnectionChange
from clients.sdk.transport import Connector, Transport
from exchange.protocol.codec import DECODE_ERRORS, WireError
from exchange.protocol.encoding import JSON, Encoding, result_decoder
from exchange.protocol.messages import Challenge, LogonResult, Params
from exchange.protocol.reject_codes import RejectCode
from exchange.protocol.session import Answered, ClientSession, Notified, SessionError

logger = logging.getLogger("parkex.sdk")

T = TypeVar("T")

_FIRST_DELAY_S: Final = 0.05
_LAST_DELAY_S: Final = 2.0
_LOGON_TIMEOUT_S: Final = 10.0
# A shorter wait may be lost in the rounding of the clock, and then be waited for again and again.
_SHORTEST_WAIT_S: Final = 0.001
# Refused before anything was recorded, by a limit that will pass.
_PASSING: Final = frozenset({RejectCode.RATE_LIMITED, RejectCode.QUEUE_FULL})
# Refused logons that the same key would meet again. 5033 and 5034: revoked, expired.
_FINAL: Final = frozenset({RejectCode.UNKNOWN_KEY, RejectCode.LOGON_STALE, RejectCode.LOGON_SIGNATURE, RejectCode.SCOPE_MISSING, 5033, 5034})

_decode_logon: Final = result_decoder(LogonResult)


def refused(error: WireError) -> ClientError:
    """The exception of an error answer."""
    return RequestRefused(error.code, error.message, error.data)


def _band_error(error: WireError) -> WireError:
    """Errors that JSON-RPC has a code of its own for (-32xxx) carry the exchange's in their data."""
    if error.code < 0 and isinstance(error.data, dict) and isinstance(error.data.get("code"), int):
        return WireError(error.data["code"], error.message, error.data)
    return error


@dataclass(frozen=True, slots=True)
class LinkOptions:
    """`resume_for_s`: how long a lost connection is tried again. `silence_s`: how long one without a word counts as alive.

    `wait_for_limits`: a command beyond the exchange's rate limits waits instead of being refused.
    """

    resume_for_s: float = 60.0
    silence_s: float = 30.0
    wait_for_limits: bool = False


class Link:
    """`encoding` is what the connector's transports speak. `restore` runs after every logon, before anything else is sent: it subscribes.

    `on_notification` gets every notification, `on_change` every loss and return of the connection.
    """

    def __init__(
        self,
        connector: Connector,
        credentials: Credentials | None,
        options: LinkOptions,
        *,
        on_notification: Callable[[str, Params], None],
        on_change: Callable[[ConnectionChange], None],
        restore: Callable[[], Awaitable[None]],
        encoding: Encoding = JSON,
    ) -> None:
        self._encoding = encoding
        self._connector = connector
        self._credentials = credentials
        self._options = options
        self._on_notification = on_notification
        self._on_change = on_change
        self._restore = restore
        self._session = ClientSession(self._encoding)
        self._transport: Transport | None = None
        self._generation = 0
        self._sent: dict[int, Call] = {}
        self._queue = CallQueue(self._send, paced=options.wait_for_limits)
        self._ready = False
        self._has_worked = False
        self._closed: ClientError | None = None
        self._flush_scheduled = False
        self._challenge: asyncio.Future[Challenge] | None = None
        self._resuming: asyncio.Task[None] | None = None
        self._watchdog: asyncio.TimerHandle | None = None
        self._heard_s = 0.0
        self.logon: LogonResult | None = None
        self.clock_offset_ns = 0
        # Nanoseconds from sending an order command to its answer.
        self.ack_latency_ns: array[int] = array("q")

    @property
    def connected(self) -> bool:
        return self._ready

    @property
    def closed(self) -> ClientError | None:
        """Why the link has ended; None while it is up or being resumed."""
        return self._closed

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

        All requests of one iteration of the loop leave in one write. `at_once`: also while the link is being restored; such a call ends with
        its connection.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        if self._closed is not None:
            future.set_exception(self._closed)
            return future
        call = Call(method, params, future, on_result, on_error, resend=resend and not at_once, timed=timed)
        if at_once:
            self._send(call)
        else:
            self._queue.put(call)
        return future

    def take_back(self, fits: Callable[[str, Any], bool], error: ClientError) -> list[Any]:
        """Calls that never left and fit fail with `error`; returns their params."""
        return self._queue.take_back(fits, error)

    async def drained(self) -> None:
        """Return when the transport can take more."""
        if self._transport is not None:
            await self._transport.drained()

    def _send(self, call: Call) -> None:
        call.sent_ns = perf_counter_ns()
        call.sends += 1
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
        if generation != self._generation or not frames:
            return
        received_ns = perf_counter_ns()
        self._heard_s = asyncio.get_running_loop().time()
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
        if call is None:  # answered before: a frame that came twice
            return
        refusal = None if event.error is None else _band_error(event.error)
        if refusal is not None and self._comes_again(call, refusal):
            return
        if call.timed:
            self.ack_latency_ns.append(received_ns - call.sent_ns)
        try:
            if refusal is not None:
                call.fail(self._error_of(call, refusal))
            else:
                call.succeed(call.on_result(event.result))
        except DECODE_ERRORS:
            call.fail(ClientError("the exchange answered in an unknown form"))

    def _comes_again(self, call: Call, error: WireError) -> bool:
        """Whether a call that a passing limit turned away is queued again: by option, and always when an earlier copy may have been carried out."""
        if error.code not in _PASSING or not call.resend:
            return False
        self._queue.limited(error.data)
        if not self._options.wait_for_limits and call.sends < 2:
            return False
        if call.sends == 1:  # so it is certain that nothing of it was done, as if it had never left
            call.sends = 0
        self._queue.put_back(call)
        return True

    @staticmethod
    def _error_of(call: Call, error: WireError) -> ClientError:
        made = call.on_error(error)
        # 5xxx refuses a command before its id is looked up. Of one that was sent twice it says nothing about the first.
        return OutcomeUnknown(error.code, error.message) if call.sends > 1 and call.timed and error.code >= 5000 else made

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
        self._session = ClientSession(self._encoding)
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
            if generation != self._generation:  # lost between the last answer and here
                raise ConnectionLost("the connection ended during the logon")
        except BaseException as error:
            self._abandon(generation)
            if isinstance(error, TimeoutError):
                raise ConnectionLost("the exchange did not answer the logon") from None
            raise
        self._ready = self._has_worked = True
        self._heard_s = asyncio.get_running_loop().time()
        self._watch(generation)
        self._on_change(ConnectionChange(connected=True, final=False, reason=""))
        self._queue.open()

    async def _log_on(self, credentials: Credentials, challenge: Challenge) -> LogonResult:
        assert self._transport is not None
        host = self._transport.host
        if challenge.host != host:
            raise LogonRefused(f"asked for {host}, but the server answers to {challenge.host}")
        signed, self.clock_offset_ns = credentials.sign(challenge, host)
        try:
            return await self.call("logon", signed, _decode_logon, at_once=True)
        except RequestRefused as error:
            raise LogonRefused(str(error), error.code, final=error.code in _FINAL) from None

    def _abandon(self, generation: int) -> None:
        """Drop a connection that did not get as far as working."""
        transport, self._transport = self._transport, None
        self._connection_lost(generation, None)
        if transport is not None:
            transport.abort()

    def _connection_lost(self, generation: int, error: Exception | None) -> None:
        if generation != self._generation or self._closed is not None:
            return
        was_ready, self._ready = self._ready, False
        self._transport = None
        self._generation += 1  # late frames of the old connection are nobody's
        self._stop_watching()
        self._queue.pause()
        if self._challenge is not None and not self._challenge.done():
            self._challenge.set_exception(ConnectionLost("the connection ended before the logon"))
            self._challenge.exception()  # marks it as seen: nobody may be waiting for it
        sent, self._sent = self._sent, {}
        for call in sent.values():
            if call.resend:
                self._queue.put_back(call)
            else:
                call.fail(ConnectionLost(f"the connection ended before {call.method} was answered"))
        reason = "closed" if error is None else f"{type(error).__name__}: {error}"
        if was_ready:
            self._on_change(ConnectionChange(connected=False, final=False, reason=reason))
        if self._resuming is None and self._has_worked:
            logger.info("connection lost (%s), resuming", reason)
            self._resuming = asyncio.get_running_loop().create_task(self._resume(), name="resume")

    async def _resume(self) -> None:
        """Connect again with growing, jittered delays until it works or the time is over."""
        delay_s = _FIRST_DELAY_S
        give_up_at = asyncio.get_running_loop().time() + self._options.resume_for_s
        while self._closed is None:
            try:
                await self._connect()
            except (OSError, ClientError) as error:
                if isinstance(error, LogonRefused) and error.final:
                    self._give_up(error)
                elif asyncio.get_running_loop().time() >= give_up_at:
                    self._give_up(ConnectionLost(f"could not resume: {error}"))
                else:
                    await asyncio.sleep(delay_s * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
                    delay_s = min(2 * delay_s, _LAST_DELAY_S)
            else:
                break
        self._resuming = None

    # A connection that died without a word

    def _watch(self, generation: int) -> None:
        loop = asyncio.get_running_loop()
        left_s = self._heard_s + self._options.silence_s - loop.time()
        if left_s > _SHORTEST_WAIT_S:
            self._watchdog = loop.call_later(left_s, self._watch, generation)
            return
        transport = self._transport
        self._connection_lost(generation, TimeoutError(f"nothing was heard for {self._options.silence_s:g} s"))
        if transport is not None:
            transport.abort()

    def _stop_watching(self) -> None:
        if self._watchdog is not None:
            self._watchdog.cancel()
            self._watchdog = None

    def _give_up(self, error: ClientError) -> None:
        if self._closed is not None:
            return
        self._closed = error
        self._ready = False
        self._stop_watching()
        for call in self._sent.values():
            call.fail(error)
        self._sent.clear()
        self._queue.close(error)
        if self._challenge is not None and not self._challenge.done():
            self._challenge.set_exception(error)
            self._challenge.exception()  # as above
        self._on_change(ConnectionChange(connected=False, final=True, reason=str(error)))
