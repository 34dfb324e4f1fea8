"""Metrics of one gateway in the format of Prometheus.

Counters live where things happen, as plain integers; this collector reads them when it is asked. Each gateway has a registry of its own, so several
may live in one process. Prices, accounts and instruments are no labels: what the market does is public elsewhere, who does it is not.
"""

import itertools
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from exchange.gateway.probes import Probes
from exchange.journal.record import CommandKind
from exchange.order_path.path import BatchResult
from exchange.order_path.records import OutcomeFlag
from exchange.protocol.reject_codes import RejectCode
from exchange.stages import FINITE_BUCKETS, Stage, upper_bound_ns

if TYPE_CHECKING:
    from exchange.gateway.hub import Hub

_OUTCOMES: Final = ("accepted", "refused", "duplicate")
_REFUSED: Final = 1
_DUPLICATE: Final = 2
_KINDS: Final = 256
_COMMANDS_TOGETHER: Final = 1024
_NS_PER_S: Final = 1e9


class CommandCounts:
    """Commands by kind and outcome. `on_batch` is a listener of the node: it copies three columns, and many batches are counted together."""

    def __init__(self) -> None:
        self._counts = np.zeros(_KINDS * len(_OUTCOMES), np.int64)
        self._waiting: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []  # kind, code, flags
        self._n_waiting = 0

    def on_batch(self, batch: BatchResult) -> None:
        outcomes = batch.outcomes
        self._waiting.append((batch.records["kind"].copy(), outcomes["code"].copy(), outcomes["flags"].copy()))
        self._n_waiting += len(outcomes)
        if self._n_waiting >= _COMMANDS_TOGETHER:
            self._count()

    def _count(self) -> None:
        kinds, codes, flags = (np.concatenate(columns) for columns in zip(*self._waiting, strict=True))
        self._waiting.clear()
        self._n_waiting = 0
        outcome = np.where(flags & int(OutcomeFlag.DUPLICATE), _DUPLICATE, (codes != 0) * _REFUSED)
        self._counts += np.bincount(kinds.astype(np.intp) * len(_OUTCOMES) + outcome, minlength=len(self._counts))

    def rows(self) -> Iterator[tuple[str, str, int]]:
        """(kind, outcome, count) of every kind the journal knows."""
        if self._waiting:
            self._count()
        table = self._counts.reshape(_KINDS, len(_OUTCOMES))
        for kind in CommandKind:
            for index, outcome in enumerate(_OUTCOMES):
                yield kind.name.lower(), outcome, int(table[kind, index])


class Metrics:
    """`render` answers a scrape."""

    def __init__(self, hub: "Hub", probes: Probes) -> None:
        commands = CommandCounts()
        hub.node.listeners.append(commands.on_batch)
        self._registry = CollectorRegistry()
        self._registry.register(_GatewayCollector(hub, probes, commands))
        ProcessCollector(registry=self._registry)

    def render(self, accept: str) -> tuple[bytes, str]:
        """(body, content type) for an Accept header: OpenMetrics where asked for, else Prometheus' text."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type


class _GatewayCollector(Collector):
    def __init__(self, hub: "Hub", probes: Probes, commands: CommandCounts) -> None:
        self._hub = hub
        self._probes = probes
        self._commands = commands

    def collect(self) -> Iterator[Metric]:
        yield from self._orders()
        yield self._stages()
        yield from self._sessions()
        yield from self._lag()

    def _orders(self) -> Iterator[Metric]:
        commands = CounterMetricFamily("parkex_commands", "Journaled commands.", labels=("kind", "outcome"))
        for kind, outcome, count in self._commands.rows():
            commands.add_metric((kind, outcome), count)
        yield commands
        rejects = CounterMetricFamily("parkex_rejects", "Refusals sent to clients, by reject code.", labels=("code", "name"))
        for code, count in sorted(self._hub.events.refused.items()):
            rejects.add_metric((str(code), RejectCode(code).name), count)
        yield rejects
        yield CounterMetricFamily("parkex_trades", "Public trades.", value=self._hub.statistics.trades)

    def _stages(self) -> Metric:
        stages = self._hub.node.stages
        histogram = HistogramMetricFamily("parkex_stage_seconds", "Time of a group of commands in a stage of the order path.", labels=("stage",))
        for stage in Stage:
            cumulated = list(itertools.accumulate(stages.counts[stage]))
            buckets = [(repr(upper_bound_ns(bucket) / _NS_PER_S), cumulated[bucket]) for bucket in range(FINITE_BUCKETS)]
            buckets.append(("+Inf", cumulated[-1]))
            histogram.add_metric((stage.name.lower(),), buckets, stages.sums_ns[stage] / _NS_PER_S)
        return histogram

    def _sessions(self) -> Iterator[Metric]:
        hub, events = self._hub, self._hub.events
        states: dict[str, int] = {}
        waiting_frames = received = sent = 0
        for connection in list(hub.connections):
            states[str(connection.state)] = states.get(str(connection.state), 0) + 1
            waiting_frames += len(connection.outbox)
            received += connection.received_bytes
            sent += connection.outbox.sent_bytes
        yield _gauges("parkex_connections", "Open connections by state.", "state", states)
        yield CounterMetricFamily("parkex_connections_opened", "Connections accepted.", value=events.connections_opened)
        yield _counters("parkex_connections_refused", "Handshakes refused.", "reason", events.connections_refused)
        yield CounterMetricFamily("parkex_sessions_opened", "Logons that were accepted.", value=events.sessions_opened)
        yield _counters("parkex_sessions_ended", "Sessions ended by the client, or by the exchange: its code.", "reason", events.sessions_ended)
        yield _counters("parkex_logons_refused", "Refused logons.", "code", {str(code): n for code, n in events.logons_refused.items()})
        yield CounterMetricFamily("parkex_received_bytes", "Bytes of frames received.", value=events.received_bytes + received)
        yield CounterMetricFamily("parkex_sent_bytes", "Bytes of frames taken to be sent.", value=events.sent_bytes + sent)
        depths = {"node": hub.node.queued, "in_flight": hub.in_flight, "outbox_frames": waiting_frames}
        yield _gauges("parkex_queue_depth", "Commands waiting for a group, commands without an answer, frames waiting for clients.", "queue", depths)

    def _lag(self) -> Iterator[Metric]:
        hub, probes = self._hub, self._probes
        head = hub.exchange.last_sequence
        yield GaugeMetricFamily("parkex_accepting", "1 while commands are accepted.", value=int(hub.node.accepting))
        yield GaugeMetricFamily("parkex_epoch", "Term of the writer: one more with each start.", value=hub.node.epoch)
        yield GaugeMetricFamily("parkex_last_sequence", "Last command applied.", value=head)
        behind = probes.read_model_behind(head)
        if behind is not None:
            yield GaugeMetricFamily("parkex_read_model_lag_commands", "Commands applied that the read model does not have yet.", value=behind)
        free_bytes = probes.disk_free_bytes()
        if free_bytes is not None:
            yield GaugeMetricFamily("parkex_journal_disk_free_bytes", "Room left where the journal lies.", value=free_bytes)


def _counters(name: str, text: str, label: str, counts: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(name, text, labels=(label,))
    for key in sorted(counts):
        family.add_metric((key,), counts[key])
    return family


def _gauges(name: str, text: str, label: str, values: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=(label,))
    for key in sorted(values):
        family.add_metric((key,), values[key])
    return family
