"""One exchange as a service in one process: journal, state, node, read model, gateway.

    run_exchange(options)        serve until interrupted
    start_exchange(options, …)   the same pieces inside a running loop, for tests and for a caller that serves itself

Recovery: the journal is verified, the newest snapshot is restored and what follows it is folded before the socket opens; the read model catches up.
"""

import asyncio
import contextlib
import logging
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from fastapi import FastAPI

from exchange.alarm import Alarm
from exchange.clock import Clock, SystemClock
from exchange.errors import InputError, JournalFailedError, OrderPathFailedError
from exchange.gateway.app import create_app
from exchange.gateway.executions import ExecutionFeed
from exchange.gateway.limits import Limits
from exchange.gateway.operations import networks
from exchange.gateway.origins import OriginPolicy
from exchange.gateway.probes import DISK_FREE_MIN_BYTES, LOOPBACK, READ_MODEL_LAG_MAX, Probes
from exchange.gateway.security_log import FOLDER as SECURITY_FOLDER
from exchange.gateway.security_log import SecurityLog
from exchange.gateway.server import DEFAULT_BACKEND, SHUTDOWN_TIMEOUT_S, run_server
from exchange.gateway.tls import TlsFiles
from exchange.gateway.turns import TurnConductor
from exchange.journal.format import encode_genesis, genesis_hash
from exchange.journal.interface import Genesis
from exchange.journal.segments import SEGMENT_BYTES_DEFAULT, SegmentJournal
from exchange.journal.snapshots import SNAPSHOTS_FOLDER
from exchange.journal.watermarks import check_watermark
from exchange.logs import log_event
from exchange.node import Node
from exchange.order_path.path import Exchange
from exchange.order_path.settings import ExchangeSettings, encode_settings
from exchange.readmodel.follower import Follower
from exchange.readmodel.projector import Projector
from exchange.readmodel.queries import ReadModel
from exchange.recovery import latest_snapshot, recovered, take_snapshot
from exchange.settlement.statement import DaySettlement
from exchange.snapshot_timer import SnapshotTimer
from exchange.surveillance.desk import Surveillance
from exchange.surveillance.follower import SurveillanceFollower

logger = logging.getLogger("parkex.service")

ENGINE_VERSION: Final = "1"
# The journal's thread needs the interpreter when its flush is done, and the loop seldom waits: with the default of 5 ms a group could wait that long.
SWITCH_INTERVAL_S: Final = 0.0001


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceOptions:
    """`genesis` is used where `journal_directory` holds no journal yet. `read_model_url` None: history is not served from SQL.

    `host`, `port` and `backend` as in `gateway.server.run_server`: no port means the default or the next free one. `recovery_ns` None: as the genesis
    says. `snapshot_interval_s` 0: a snapshot is taken when the exchange stops, and no other. `surveillance` False: nobody looks at the market,
    which costs a busy exchange about as much as its read model.
    """

    journal_directory: Path
    clock: Clock
    genesis: Genesis | None = None
    segment_bytes: int = SEGMENT_BYTES_DEFAULT
    read_model_url: str | None = None
    conductor: TurnConductor | None = None
    surveillance: bool = True
    limits: Limits = field(default_factory=Limits)
    host: str = "127.0.0.1"
    port: int | None = None
    backend: str = DEFAULT_BACKEND
    public_names: tuple[str, ...] = ()
    web_directory: Path | None = None
    static_files: Mapping[str, Path] = field(default_factory=dict)
    origins: tuple[str, ...] = ()
    tls: TlsFiles | None = None
    metrics_networks: tuple[str, ...] = LOOPBACK
    shutdown_timeout_s: int = SHUTDOWN_TIMEOUT_S
    recovery_ns: int | None = None
    snapshot_interval_s: int = 0
    read_model_lag_max: int = READ_MODEL_LAG_MAX
    disk_free_min_bytes: int = DISK_FREE_MIN_BYTES


@dataclass(slots=True)
class Service:
    """A started exchange. `stop` ends it in the order of its parts: commands, journal, read model.

    `executions` has listened to the replay: a gateway goes on with it, so that clients learn what they missed while the exchange was down.
    """

    node: Node
    snapshots: Path
    read_model: ReadModel | None
    follower: Follower | None
    alarm: Alarm | None
    snapshot_timer: SnapshotTimer | None
    executions: ExecutionFeed
    surveillance: SurveillanceFollower

    async def stop(self) -> None:
        """Finish what was taken, close the journal, leave a snapshot, write the rest of the read model."""
        if self.alarm is not None:
            await self.alarm.stop()
        if self.snapshot_timer is not None:
            await self.snapshot_timer.stop()
        try:
            await self.node.stop()
            take_snapshot(self.node.exchange, self.node.journal.chain_hash, self.snapshots)
            log_event(logger, logging.INFO, "exchange stopped", epoch=self.node.epoch, sequence=self.node.exchange.last_sequence, snapshot=True)
        finally:
            await asyncio.to_thread(self.surveillance.close)
            if self.follower is not None:
                await asyncio.to_thread(self.follower.close)
                self.follower.projector.close()
            if self.read_model is not None:
                self.read_model.close()

    async def end(self) -> None:
        """`stop`, for whoever asks `raise_failure` afterwards."""
        try:
            await self.stop()
        except BaseException as error:
            if error is not self.node.failure:
                raise

    def raise_failure(self) -> None:
        """Raises what the order path has failed with: JournalFailedError, or OrderPathFailedError for everything else."""
        failure = self.node.failure
        if isinstance(failure, JournalFailedError):
            raise failure
        if failure is not None:
            raise OrderPathFailedError(f"the order path has failed and is recovered by a start: {type(failure).__name__}") from failure


def new_genesis(park_id: str, operator_keys: tuple[bytes, ...], settings: ExchangeSettings | None = None) -> Genesis:
    """Genesis of a new journal with a random hash key. `operator_keys` are raw Ed25519 public keys."""
    return Genesis(
        park_id=park_id,
        hash_key=secrets.token_bytes(16),
        engine_version=ENGINE_VERSION,
        operator_keys=operator_keys,
        document=encode_settings(settings or ExchangeSettings()),
    )


async def start_exchange(options: ServiceOptions) -> Service:
    """Open the journal, fold it, start the node.

    Raises InputError (no journal and no genesis), CorruptionError, JournalLockedError and what else opening a journal raises.
    """
    if options.genesis is not None:
        options.journal_directory.mkdir(parents=True, exist_ok=True)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    snapshots = options.journal_directory / SNAPSHOTS_FOLDER
    snapshot = latest_snapshot(snapshots)
    watermarks = [] if snapshot is None else [snapshot.watermark()]
    journal = SegmentJournal.open(options.journal_directory, options.genesis, segment_bytes=options.segment_bytes, watermarks=watermarks)
    with contextlib.ExitStack() as undo:
        undo.callback(journal.close)
        follower, read_model, projector = None, None, None
        started: list[Exchange] = []

        def find_settlement(day: str) -> DaySettlement | None:
            return started[0].settlement(day)

        if options.read_model_url is not None:
            root = genesis_hash(encode_genesis(journal.genesis)).hex()
            projector = Projector.open(options.read_model_url, root, find_settlement, may_rebuild=journal.first_sequence == 1)
            undo.callback(projector.close)
            _check_read_model(journal, projector)
        # The read model has to see what lies behind its last command.
        seen = None if projector is None else projector.last_sequence
        exchange = recovered(journal, snapshots, journal.first_sequence, seen)
        started.append(exchange)
        node = Node(journal, exchange, options.clock)
        surveillance = SurveillanceFollower(Surveillance(exchange))
        undo.callback(surveillance.close)
        if options.surveillance:
            node.listeners.append(surveillance.on_batch)
        if projector is not None and options.read_model_url is not None:
            # While the journal is replayed its head is not the hash behind the batch at hand.
            follower = Follower(projector, lambda: journal.chain_hash if exchange.last_sequence == journal.next_sequence - 1 else "")
            node.listeners.append(follower.on_batch)
            read_model = ReadModel.open(options.read_model_url)
        executions = ExecutionFeed(options.limits.execution_ring, exchange.instrument_by_id, exchange.execution_seq)
        node.listeners.append(executions.on_batch)
        await node.start(options.recovery_ns)
        node.listeners.remove(executions.on_batch)  # the gateway publishes to it from here on
        undo.pop_all()
    # A stepped clock has a conductor, whose ticks fire the deadlines.
    alarm = Alarm(node) if isinstance(options.clock, SystemClock) else None
    timer = None
    if options.snapshot_interval_s:
        behind = None if projector is None else projector_behind(projector)
        timer = SnapshotTimer(node, snapshots, options.snapshot_interval_s, behind)
    log_event(logger, logging.INFO, "exchange started", epoch=node.epoch, sequence=exchange.last_sequence, park=journal.genesis.park_id)
    return Service(node, snapshots, read_model, follower, alarm, timer, executions, surveillance)


def projector_behind(projector: Projector) -> Callable[[int], bool]:
    """Whether a read model lacks a command."""
    return lambda sequence: projector.last_sequence < sequence


def probes_of(service: Service, options: ServiceOptions) -> Probes:
    """What the operator's routes watch of a service."""
    follower = service.follower
    return Probes(
        read_model_sequence=None if follower is None else lambda: follower.projector.last_sequence,
        read_model_failed=None if follower is None else lambda: follower.failure is not None,
        journal_directory=options.journal_directory,
        read_model_lag_max=options.read_model_lag_max,
        disk_free_min_bytes=options.disk_free_min_bytes,
    )


def _check_read_model(journal: SegmentJournal, projector: Projector) -> None:
    """Raises InputError when the journal here begins behind the read model, CorruptionError when the two do not belong together."""
    if projector.last_sequence < journal.first_sequence - 1:
        raise InputError(
            f"the read model is at command {projector.last_sequence} and the journal here begins with {journal.first_sequence}: "
            "move the archived segments back beside the others, start once to fill it, and archive again"
        )
    check_watermark(journal, projector.watermark())


def run_exchange(options: ServiceOptions, on_ready: Callable[[str], None] | None = None) -> None:
    """Serve until interrupted. `on_ready` gets the base URL.

    Raises InputError when the port is taken; JournalFailedError or OrderPathFailedError when the order path has failed for good: whoever looks
    after the process decides by that whether a new start mends it.
    """
    started: list[Service] = []

    async def make_app(names: tuple[str, ...]) -> FastAPI:
        service = await start_exchange(options)
        started.append(service)
        return create_app(
            service.node,
            options.web_directory,
            service.read_model,
            options.conductor,
            options.limits,
            hosts=names,
            static_files=options.static_files,
            on_shutdown=service.end,
            executions=service.executions,
            origins=origins(names),
            probes=probes_of(service, options),
            metrics_networks=options.metrics_networks,
            security_log=SecurityLog(options.journal_directory / SECURITY_FOLDER),
            surveillance=service.surveillance.surveillance,
        )

    def origins(names: tuple[str, ...]) -> OriginPolicy:
        return OriginPolicy(names, options.origins, secure=options.tls is not None)

    origins(())  # a bad origin is refused before anything is started
    networks(options.metrics_networks)
    run_server(
        make_app, options.host, options.port, limits=options.limits, hosts=options.public_names, on_ready=on_ready, backend=options.backend,
        tls=options.tls, shutdown_timeout_s=options.shutdown_timeout_s,
    )  # fmt: skip
    for service in started:
        service.raise_failure()
