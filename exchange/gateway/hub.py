"""What the connections of one gateway share: the node, limits, throttle, publisher, the clock's conductor."""

import asyncio
import contextlib
import itertools
import logging
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from exchange.gateway.auth import KEY_END_CODES
from exchange.gateway.events import GatewayEvents
from exchange.gateway.executions import ExecutionFeed
from exchange.gateway.guard import Guard
from exchange.gateway.limits import Limits
from exchange.gateway.origins import OriginPolicy, with_default_ports_left_out
from exchange.gateway.ports import CommandAnswer, ExchangeView, History, NodePort
from exchange.gateway.publisher import Publisher
from exchange.gateway.security_log import SecurityLog
from exchange.gateway.statistics import Statistics
from exchange.gateway.throttle import CommandThrottle
from exchange.gateway.turns import TurnConductor
from exchange.gateway.usual.orders import UsualOrders
from exchange.gateway.validate import pack_command
from exchange.journal.record import COMMAND, CommandFlag, CommandKind
from exchange.order_path.path import BatchResult
from exchange.protocol.reject_codes import RejectCode
from exchange.surveillance.desk import Surveillance

if TYPE_CHECKING:
    from exchange.gateway.connection import Connection

logger = logging.getLogger("parkex.gateway")

_DRAIN_LOOK_S: Final = 0.01


class Hub:
    """One gateway. `hosts` are the names it answers to; empty: any name, for use inside one process."""

    def __init__(
        self,
        node: NodePort,
        limits: Limits,
        *,
        hosts: Sequence[str] = (),
        origins: OriginPolicy | None = None,
        conductor: TurnConductor | None = None,
        executions: ExecutionFeed | None = None,
        history: History | None = None,
        security_log: SecurityLog | None = None,
        surveillance: Surveillance | None = None,
        wall_ns: Callable[[], int] = time.time_ns,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.node = node
        self.limits = limits
        self.hosts = with_default_ports_left_out(hosts)
        self.origins = origins or OriginPolicy(hosts)
        self.events = GatewayEvents()
        self.draining = False
        self.wall_ns = wall_ns
        self.monotonic_s = monotonic_s
        self.throttle = CommandThrottle(limits.key, limits.account)
        self.guard = Guard(limits)
        self._security_log = security_log
        self.publisher = Publisher(node.exchange, lambda: node.epoch, limits, executions)
        self.usual = UsualOrders(node)
        self.connections: set[Connection] = set()
        self.history = history
        self.asking: set[object] = set()  # connections and requests that have a question at the read model
        self.in_flight = 0
        self.conductor = conductor
        self.surveillance = surveillance or Surveillance(node.exchange)
        if surveillance is not None:
            loop = asyncio.get_running_loop()
            surveillance.on_alert = lambda alert: _in_loop(loop, partial(self.publisher.publish_to_operator, "alert", alert))
        self._session_ids = itertools.count(1)
        self._closing: set[asyncio.Future[CommandAnswer]] = set()
        self._heartbeat: asyncio.TimerHandle | None = None
        self.statistics = Statistics(node.exchange)
        node.listeners.append(self.publisher.on_batch)
        node.listeners.append(self.statistics.on_batch)
        node.listeners.append(self._end_sessions_of_keys)
        if conductor is not None:
            conductor.attach(node, self.publisher)

    @property
    def exchange(self) -> ExchangeView:
        return self.node.exchange

    def next_session(self) -> int:
        """Id of a session, unique within the epoch."""
        return next(self._session_ids)

    def host_for(self, asked: str) -> str | None:
        """The name a client's signature has to carry; None when the client asked for a host that is not this one."""
        if not self.hosts:
            return asked
        return asked if asked in self.hosts else None

    def handshake_refusal(self, origin: str | None) -> str | None:
        """Why a handshake is refused. Cookies are not looked at: they give no rights and take none."""
        if not self.origins.accepts(origin):
            return "origin"
        if self.draining:
            return "draining"
        return "limit" if len(self.connections) >= self.limits.max_connections else None

    def add(self, connection: "Connection") -> None:
        self.connections.add(connection)
        self.events.connection_opened()
        self._schedule_heartbeat()

    def remove(self, connection: "Connection") -> None:
        self.connections.discard(connection)
        if self.conductor is not None:
            self.conductor.leave(connection.outbox)

    def note_security(self, event: str, **facts: Any) -> None:
        """A line of the security log, where there is one."""
        if self._security_log is not None:
            self._security_log.write(event, self.wall_ns(), self.monotonic_s(), **facts)

    def close_session(self, account: int, session: int, key_number: int, *, cancel_on_disconnect: bool) -> None:
        """Journal the end of a session; nobody waits for it."""
        flags = CommandFlag.CANCEL_ON_DISCONNECT if cancel_on_disconnect else CommandFlag.NONE
        record = as_records([pack_command(CommandKind.SESSION_CLOSED, account, session, flags=flags, order_id=key_number)])
        try:
            future = asyncio.ensure_future(self.node.submit(record))
        except Exception:
            logger.exception("the end of session %d was not recorded", session)
            return
        self._closing.add(future)
        future.add_done_callback(self._session_closed)

    def _end_sessions_of_keys(self, batch: BatchResult) -> None:
        """Keys that ended, or have other scopes now, take their connections along."""
        for notice in batch.notices:
            if notice.kind == "key_ended":
                for connection in list(self.connections):
                    connection.end_if_key(notice.data["key_id"], KEY_END_CODES[notice.data["reason"]])

    async def drain(self, timeout_s: float) -> None:
        """Take nothing new, let what was taken be answered, then end every session with SHUTTING_DOWN. Takes `timeout_s` at most for each."""
        self.draining = True
        if self.conductor is not None:
            await self.conductor.close()
        self.node.drain()
        await _until(lambda: not self.in_flight, timeout_s)
        self.publisher.flush()
        for connection in list(self.connections):
            connection.end(RejectCode.SHUTTING_DOWN)
        await _until(lambda: not self.connections, timeout_s)

    async def close(self) -> None:
        """Stop timers and the conductor, and wait for the ends of sessions to be recorded."""
        if self._heartbeat is not None:
            self._heartbeat.cancel()
            self._heartbeat = None
        self.publisher.close()
        if self.conductor is not None:
            await self.conductor.close()
        if self._closing:
            await asyncio.wait(self._closing)
        if self._security_log is not None:
            self._security_log.close()
            self._security_log = None

    def _session_closed(self, future: "asyncio.Future[CommandAnswer]") -> None:
        self._closing.discard(future)
        if not future.cancelled() and future.exception() is not None:
            logger.warning("the end of a session was not recorded: %s", type(future.exception()).__name__)

    def _schedule_heartbeat(self) -> None:
        if self._heartbeat is None:
            self._heartbeat = asyncio.get_running_loop().call_later(self.limits.heartbeat_interval_s, self._beat)

    def _beat(self) -> None:
        self._heartbeat = None
        now_s = self.monotonic_s()
        for connection in self.connections:
            connection.heartbeat()
            connection.end_if_idle(now_s)
        if self.connections:
            self._schedule_heartbeat()


async def _until(done: Callable[[], bool], timeout_s: float) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not done() and time.monotonic() < deadline_s:  # noqa: ASYNC110 - it is looked at once in the life of a process
        await asyncio.sleep(_DRAIN_LOOK_S)


def _in_loop(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    """From another thread; a loop that has ended has nobody left to tell."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(call)


def as_records(packed: list[bytes]) -> "np.ndarray[tuple[int], np.dtype[np.void]]":
    """Packed commands as a writable array of COMMAND."""
    return np.frombuffer(bytearray(b"".join(packed)), COMMAND)
