"""Replaying a journal beside its snapshots: every checkpoint and every snapshot is compared with the fold at its place."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import numpy as np

from exchange.errors import CheckFailedError, CorruptionError, InputError
from exchange.journal.interface import Group
from exchange.journal.record import CommandKind
from exchange.journal.segments import JournalReader
from exchange.journal.snapshots import Snapshot, read_snapshot, snapshot_files
from exchange.maintenance.invariants import Finding, Watch
from exchange.maintenance.stored_rows import RowsBeside
from exchange.order_path.check import check_exchange
from exchange.order_path.path import BatchResult, Exchange
from exchange.recovery import LAYOUT, exchange_at
from exchange.replay import merged, replay_into, state_hash_hex


@dataclass(slots=True)
class Audited:
    """What a replay found to hold. It began behind `first_sequence - 1`, where the journal or a snapshot does."""

    exchange: Exchange
    first_sequence: int
    checkpoints: int
    snapshots: tuple[int, ...]  # their sequences, oldest first
    passed_over: tuple[str, ...]  # snapshots that this program does not read, with the reason
    findings: tuple[Finding, ...] = ()
    stored_rows: int | None = None  # rows of the read model that were compared

    @property
    def state_hash(self) -> str:
        return state_hash_hex(self.exchange)


class _CountingSource:
    """The groups of a journal, and how many checkpoints were among them. A group that is read again counts once."""

    def __init__(self, reader: JournalReader) -> None:
        self._reader = reader
        self._counted_to = 0
        self.checkpoints = 0

    def groups(self, from_sequence: int = 1) -> Iterator[Group]:
        for group in self._reader.groups(from_sequence):
            if group.first_sequence > self._counted_to:
                self.checkpoints += int(np.count_nonzero(group.records["kind"] == int(CommandKind.CHECKPOINT)))
                self._counted_to = group.first_sequence
            yield group


def audit(
    reader: JournalReader,
    snapshots: Path,
    until_sequence: int | None = None,
    watches: Sequence[Watch] = (),
    stored: RowsBeside | None = None,
) -> Audited:
    """Fold a journal, whose chain the reader has checked, and compare on the way. `until_sequence` is where a group ends.

    `watches` see every batch; with `stored` the rows of a read model are compared too, where the replay begins with the genesis.

    Raises CorruptionError for a damaged snapshot or one that is not of this journal, CheckFailedError for a state that is another than was recorded,
    InputError when there is nothing to start from.
    """
    end = reader.next_sequence - 1 if until_sequence is None else until_sequence
    found, passed_over = _snapshots_in(snapshots, end)
    exchange = _start(reader, found)
    first_sequence = exchange.last_sequence + 1
    source = _CountingSource(reader)
    for watch in watches:
        watch.begin(exchange)
    compared: list[int] = []
    rows = stored if first_sequence == 1 else None
    if rows is not None:
        rows.begin(exchange.settlement)
    marks = {snapshot.sequence: snapshot for snapshot in found if snapshot.sequence >= first_sequence - 1}
    for stop in sorted({*marks, end, *([min(rows.last_sequence, end)] if rows is not None else [])}):
        is_stored = rows is not None and stop <= rows.last_sequence
        _fold(exchange, source, stop, watches, rows if is_stored else None)
        if stop in marks:
            _compare(exchange, marks[stop], reader)
            compared.append(stop)
    check_exchange(exchange)
    n_rows = None if rows is None else rows.conclude()
    findings = tuple(watch.conclude(exchange) for watch in watches)
    return Audited(exchange, first_sequence, source.checkpoints, tuple(compared), tuple(passed_over), findings, n_rows)


def _fold(exchange: Exchange, source: _CountingSource, until_sequence: int, watches: Sequence[Watch], rows: RowsBeside | None) -> None:
    """Fold up to the group that ends with `until_sequence`, and show every batch to who watches."""
    if not watches and rows is None:
        replay_into(exchange, source, until_sequence=until_sequence)
        return
    groups = takewhile(lambda group: group.first_sequence <= until_sequence, source.groups(exchange.last_sequence + 1))
    for group in merged(groups):
        batch: BatchResult = exchange.apply(group.records, group.documents, group.first_sequence)
        for watch in watches:
            watch.see(batch, exchange)
        if rows is not None:
            rows.see(batch)


def _snapshots_in(directory: Path, until_sequence: int) -> tuple[list[Snapshot], list[str]]:
    """(snapshots up to a sequence, oldest first; why others are passed over)."""
    found: list[Snapshot] = []
    passed_over: list[str] = []
    for sequence, path in reversed(snapshot_files(directory)):
        try:
            snapshot = read_snapshot(path, LAYOUT)
        except InputError as error:
            passed_over.append(str(error))
            continue
        if snapshot.sequence != sequence:
            raise CorruptionError(f"{path.name}: it holds sequence {snapshot.sequence}: it was renamed")
        if sequence <= until_sequence:
            found.append(snapshot)
    return found, passed_over


def _start(reader: JournalReader, snapshots: list[Snapshot]) -> Exchange:
    """As of the genesis, or where segments are archived as of the oldest snapshot that reaches to the first one here."""
    if reader.first_sequence == 1:
        return Exchange(reader.genesis)
    reaching = [snapshot for snapshot in snapshots if snapshot.sequence >= reader.first_sequence - 1]
    if not reaching:
        raise InputError(f"the journal begins at sequence {reader.first_sequence} and no snapshot reaches there: name the archive with --archive")
    return exchange_at(reader, reaching[0])


def _compare(exchange: Exchange, snapshot: Snapshot, reader: JournalReader) -> None:
    if exchange.last_sequence != snapshot.sequence:
        raise CorruptionError(f"the snapshot at {snapshot.sequence}: no group of the journal ends there")
    if state_hash_hex(exchange) != snapshot.state_hash.hex():
        raise CheckFailedError(f"the snapshot at {snapshot.sequence} is of another state than the journal gives there")
    exchange_at(reader, snapshot)
