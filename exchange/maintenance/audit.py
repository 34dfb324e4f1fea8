"""Replaying a journal beside its snapshots: every checkpoint and every snapshot is compared with the fold at its place."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from exchange.errors import CheckFailedError, CorruptionError, InputError
from exchange.journal.interface import Group
from exchange.journal.record import CommandKind
from exchange.journal.segments import JournalReader
from exchange.journal.snapshots import Snapshot, read_snapshot, snapshot_files
from exchange.order_path.check import check_exchange
from exchange.order_path.path import Exchange
from exchange.recovery import LAYOUT, exchange_at
from exchange.replay import replay_into, state_hash_hex


@dataclass(slots=True)
class Audited:
    """What a replay found to hold. It began behind `first_sequence - 1`, where the journal or a snapshot does."""

    exchange: Exchange
    first_sequence: int
    checkpoints: int
    snapshots: tuple[int, ...]  # their sequences, oldest first
    passed_over: tuple[str, ...]  # snapshots that this program does not read, with the reason

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


def audit(reader: JournalReader, snapshots: Path, until_sequence: int | None = None) -> Audited:
    """Fold a journal, whose chain the reader has checked, and compare on the way. `until_sequence` is where a group ends.

    Raises CorruptionError for a damaged snapshot or one that is not of this journal, CheckFailedError for a state that is another than was recorded,
    InputError when there is nothing to start from.
    """
    end = reader.next_sequence - 1 if until_sequence is None else until_sequence
    found, passed_over = _snapshots_in(snapshots, end)
    exchange = _start(reader, found)
    first_sequence = exchange.last_sequence + 1
    source = _CountingSource(reader)
    compared: list[int] = []
    for snapshot in found:
        if snapshot.sequence < first_sequence - 1:
            continue
        replay_into(exchange, source, until_sequence=snapshot.sequence)
        _compare(exchange, snapshot, reader)
        compared.append(snapshot.sequence)
    replay_into(exchange, source, until_sequence=end)
    check_exchange(exchange)
    return Audited(exchange, first_sequence, source.checkpoints, tuple(compared), tuple(passed_over))


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
