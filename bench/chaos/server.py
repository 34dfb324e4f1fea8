"""The exchange as one simulated process: journal on a simulated disk, recovery, node, gateway, alarm.

Put together as exchange/service.py does it, without a socket and without a read model.
"""

import random
from pathlib import Path
from typing import Final

from bench.chaos.clocks import MachineClocks
from bench.chaos.disk import SimulatedDisk
from bench.chaos.network import HOST, Listener, Network, Pipe, ServerEnd
from bench.chaos.virtual_time import Process, VirtualTimeLoop
from exchange.alarm import Alarm
from exchange.clock import SystemClock
from exchange.gateway.connection import Connection
from exchange.gateway.executions import ExecutionFeed
from exchange.gateway.hub import Hub
from exchange.gateway.limits import Limits
from exchange.journal.interface import Genesis
from exchange.journal.segments import SegmentJournal
from exchange.node import Node
from exchange.order_path.path import Exchange
from exchange.recovery import exchange_at, latest_snapshot, take_snapshot

SEGMENT_BYTES: Final = 256 * 1024  # small, so that an hour has several
ALARM_EVERY_S: Final = 1.0


class SimulatedServer:
    """One incarnation after the other on the same disk. `start` and `stop` run as the incarnation's process; `kill` ends it between two callbacks."""

    def __init__(self, loop: VirtualTimeLoop, network: Network, clocks: MachineClocks, directory: Path, genesis: Genesis, rng: random.Random) -> None:
        self._loop = loop
        self._network = network
        self._clocks = clocks
        self._directory = directory
        self._genesis = genesis
        self._rng = rng
        self.disk = SimulatedDisk()
        self.process = Process("none")
        self.process.kill()
        self.node: Node | None = None
        self.clock: SystemClock | None = None
        self._hub: Hub | None = None
        self._alarm: Alarm | None = None
        self._starts = 0

    @property
    def is_up(self) -> bool:
        """Whether it takes commands."""
        return self.process.alive and self.node is not None and self.node.accepting

    @property
    def has_failed(self) -> bool:
        """Whether the node has stopped by itself: its journal failed."""
        return self.process.alive and self.node is not None and self.node.failure is not None

    @property
    def exchange(self) -> Exchange:
        assert self.node is not None
        return self.node.exchange

    async def start(self) -> None:
        """A new incarnation: recover, then listen. Raises what opening a journal raises."""
        self._starts += 1
        self.process = Process(f"server {self._starts}")
        self.node = None
        await self._loop.spawn(self.process, self._run(), "server")

    async def _run(self) -> None:
        snapshots = self._directory / "snapshots"
        snapshot = latest_snapshot(snapshots)
        watermarks = [] if snapshot is None else [snapshot.watermark()]
        journal = SegmentJournal.open(
            self._directory / "journal", self._genesis, segment_bytes=SEGMENT_BYTES, watermarks=watermarks, files=self.disk
        )
        self.clock = SystemClock(self._clocks.wall_ns, self._clocks.monotonic_ns)
        node = Node(journal, exchange_at(journal, snapshot), self.clock)
        limits = Limits(execution_ring=1 << 17, heartbeat_interval_s=30.0)
        executions = ExecutionFeed(limits.execution_ring, node.exchange.instrument_by_id, node.exchange.execution_seq)
        node.listeners.append(executions.on_batch)
        await node.start()
        node.listeners.remove(executions.on_batch)
        self._hub = Hub(node, limits, hosts=(HOST,), executions=executions, wall_ns=self._clocks.wall_ns, monotonic_s=self._loop.time)
        self._alarm = Alarm(node, ALARM_EVERY_S)
        self.node = node
        self._network.listener = Listener(self.process, self._accept)

    def _accept(self, pipe: Pipe) -> ServerEnd | None:
        hub = self._hub
        if hub is None or len(hub.connections) >= hub.limits.max_connections:
            return None
        return ServerEnd(self._loop, pipe, lambda wake: Connection(hub, HOST, wake))

    async def stop(self) -> None:
        """In order: finish what was taken, leave a snapshot."""
        await self._loop.spawn(self.process, self._stop(), "server stops")
        self.kill()

    async def _stop(self) -> None:
        assert self.node is not None
        assert self._hub is not None
        assert self._alarm is not None
        await self._alarm.stop()
        await self._hub.close()
        await self.node.stop()
        take_snapshot(self.exchange, self.node.journal.chain_hash, self._directory / "snapshots")

    def kill(self) -> None:
        """Nothing of the process runs again; what it wrote and did not flush is still with the operating system."""
        self.process.kill()
        self._network.listener = None
        self._network.cut_all()
        self.disk.close_all()

    def lose_power(self) -> None:
        """As `kill`, and what was not flushed may be gone."""
        self.kill()
        self.disk.lose_power(self._directory / "journal", self._rng)
