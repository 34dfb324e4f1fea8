"""What the connections of one gateway share: the node, limits, throttle, publisher, the clock's conductor."""

import asyncio
import itertools
import logging
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from exchange.gateway.events import GatewayEvents
from exchange.gateway.executions import ExecutionFeed
from exchange.gateway.limits import Limits
from exchange.gateway.origins import OriginPolicy, with_default_ports_left_out
from exchange.gateway.ports import CommandAnswer, ExchangeView, NodePort
from exchange.gateway.publisher import Publisher
from exchange.gateway.statistics import Statistics
from exchange.gateway.throttle import CommandThrottle
from exchange.gateway.turns import TurnConductor
from exchange.gateway.validate import pack_command
from exchange.journal.record import COMMAND, CommandFlag, CommandKind
from exchange.protocol.reject_codes import RejectCode

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
        self.publisher = Publisher(node.exchange, lambda: node.epoch, limits, executions)
        self.connections: set[Connection] = set()
        self.in_flight = 0
        self.conductor = conductor
        self._session_ids = itertools.count(1)
        self._closing: set[asyncio.Future[CommandAnswer]] = set()
        self._heartbeat: asyncio.TimerHandle | None = None
        self.statistics = Statistics(node.exchange)
        node.listeners.append(self.publisher.on_batch)
        node.listeners.append(self.statistics.on_batch)
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

    def add(self, connection: "Connection") -> None:
        self.connections.add(connection)
        self.events.connection_opened()
        self._schedule_heartbeat()

    def remove(self, connection: "Connection") -> None:
        self.connections.discard(connection)
        if self.conductor is not None:
            self.conductor.leave(connection.outbox)

    def close_session(self, account: int, session: int, *, cancel_on_disconnect: bool) -> None:
        """Journal the end of a session; nobody waits for it."""
        flags = CommandFlag.CANCEL_ON_DISCONNECT if cancel_on_disconnect else CommandFlag.NONE
        record = as_records([pack_command(CommandKind.SESSION_CLOSED, account, session, flags=flags)])
        try:
            future = asyncio.ensure_future(self.node.submit(record))
        except Exception:
            logger.exception("the end of session %d was not recorded", session)
            return
        self._closing.add(future)
        future.add_done_callback(self._session_closed)

    def end_revoked(self) -> None:
        """End the sessions whose key no longer exists."""
        for connection in list(self.connections):
            connection.end_if_revoked()

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

    def _session_closed(self, future: "asyncio.Future[CommandAnswer]") -> None:
        self._closing.discard(future)
        if not future.cancelled() and future.exception() is not None:
            logger.warning("the end of a session was not recorded: %s", type(future.exception()).__name__)

    def _schedule_heartbeat(self) -> None:
        if self._heartbeat is None:
            self._heartbeat = asyncio.get_running_loop().call_later(self.limits.heartbeat_interval_s, self._beat)

    def _beat(self) -> None:
        self._heartbeat = None
        for connection in self.connections:
            connection.heartbeat()
        if self.connections:
            self._schedule_heartbeat()


async def _until(done: Callable[[], bool], timeout_s: float) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not done() and time.monotonic() < deadline_s:  # noqa: ASYNC110 - it is looked at once in the life of a process
        await asyncio.sleep(_DRAIN_LOOK_S)


def as_records(packed: list[bytes]) -> "np.ndarray[tuple[int], np.dtype[np.void]]":
    """Packed commands as a writable array of COMMAND."""
    return np.frombuffer(bytearray(b"".join(packed)), COMMAND)
