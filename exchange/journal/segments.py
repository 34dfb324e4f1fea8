"""The journal in segment files: one pwrite and one fdatasync for each group, and a lock on a file of its own held for life.

Opening for writing checks the whole chain, writes what may not have reached the medium once more, cuts a torn tail, and takes the next epoch, all
durable before the first append. After any error of the system the journal refuses everything: what the medium holds is then known only to the next
opening.
"""

import os
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, Self

from numpy.typing import NDArray

from exchange.errors import CorruptionError, InputError, JournalFailedError
from exchange.journal.advice import described
from exchange.journal.files import FileOps, read_bytes, write_all, write_durably, write_from, zeros
from exchange.journal.format import (
    SEGMENT_HEADER_BYTES,
    SegmentHeader,
    crc_seed,
    encode_genesis,
    encode_group,
    encode_segment_header,
    genesis_hash,
)
from exchange.journal.head import HEAD_NAME, HeadState, HeadWriter, replace_head
from exchange.journal.interface import CommittedGroup, Genesis, Group, Head, Watermark, checked_records
from exchange.journal.lock import take_lock
from exchange.journal.preparer import SegmentPreparer
from exchange.journal.walk import (
    GENESIS_NAME,
    ChainWalk,
    Layout,
    Position,
    TornTail,
    find_chain_hash,
    load_layout,
    read_groups,
    segment_files,
    segment_path,
)

SEGMENT_BYTES_DEFAULT: Final = 16 << 20
PREPARED_BYTES_MIN: Final = 1 << 20  # smaller segments are made when they are needed


class JournalReader:
    """A journal opened for reading: no lock, nothing is changed. It shows what was committed when it was opened."""

    def __init__(self, layout: Layout, position: Position, torn_tail: TornTail | None) -> None:
        self._layout = layout
        self.torn_tail = torn_tail
        self.head = _head_at(position, layout.head.epoch)

    @classmethod
    def open(cls, directory: Path, watermarks: Iterable[Watermark] = (), archive: Path | None = None) -> Self:
        """Check the whole chain, with the segments that were moved to `archive` in front.

        Raises InputError when there is no journal, CorruptionError when it is damaged or shorter than a watermark.
        """
        layout = load_layout(directory, archive)
        walk = walk_whole(layout, watermarks)
        return cls(layout, walk.position, walk.torn)

    @property
    def genesis(self) -> Genesis:
        return self._layout.genesis

    @property
    def genesis_hash(self) -> str:
        """Start of the chain, hex."""
        return self._layout.genesis_hash.hex()

    @property
    def first_sequence(self) -> int:
        """Above 1 when segments were archived."""
        return self._layout.segments[0].header.first_sequence

    @property
    def epoch(self) -> int:
        """The epoch of the last opening for writing."""
        return self.head.epoch

    @property
    def next_sequence(self) -> int:
        return self.head.sequence + 1

    @property
    def chain_hash(self) -> str:
        return self.head.chain_hash

    def groups(self, from_sequence: int = 1) -> Iterator[Group]:
        """See Journal.groups."""
        return read_groups(self._layout, from_sequence, self.head.sequence)

    def chain_hash_at(self, sequence: int) -> str | None:
        """See Journal.chain_hash_at."""
        return find_chain_hash(self._layout, sequence, self.head.sequence)

    def group_end_up_to(self, sequence: int) -> int:
        """The last sequence that a group ends with, of those up to `sequence`."""
        walk = ChainWalk(self._layout, from_sequence=max(sequence, self.first_sequence), until_sequence=sequence)
        end = walk.position.sequence
        for group in walk:
            if group.last_sequence <= sequence:
                end = group.last_sequence
        return end

    def close(self) -> None:
        """Nothing is held."""


class SegmentJournal:
    """The journal of a running exchange. Implements interface.Journal; `torn_tail` tells what opening had to cut."""

    def __init__(self, layout: Layout, walk: ChainWalk, files: FileOps, segment_bytes: int, lock_fd: int) -> None:
        """Takes over a walked chain and its lock; use `open`."""
        self.torn_tail = walk.torn
        self.first_sequence = layout.segments[0].header.first_sequence  # when it was opened; above 1 when segments were archived
        self._directory = layout.directory
        self._files = files
        self._lock_fd = lock_fd
        self._segment_bytes = segment_bytes
        self._genesis = layout.genesis
        self._genesis_hash = layout.genesis_hash
        self._seed = crc_seed(layout.genesis_hash)
        self._position = walk.position
        self._epoch = layout.head.epoch + 1
        self._failure = ""
        self._closed = False
        self._writing = threading.Lock()
        self._preparer = SegmentPreparer(files, layout.directory, segment_bytes)
        self._capacity = max(layout.segments[-1].header.segment_bytes, len(walk.tail_data))
        self._fd = files.open(layout.segments[-1].path, os.O_RDWR)
        try:
            _settle_tail(files, self._fd, layout, walk, self._capacity)
            self._head = HeadWriter(files, layout.directory / HEAD_NAME, _opened_state(layout, walk.position, self._epoch))
        except BaseException:
            files.close(self._fd)
            raise

    @classmethod
    def open(
        cls,
        directory: Path,
        genesis: Genesis | None = None,
        *,
        segment_bytes: int = SEGMENT_BYTES_DEFAULT,
        watermarks: Iterable[Watermark] = (),
        files: FileOps | None = None,
    ) -> Self:
        """Open for writing; with a genesis, create the journal where there is none.

        Raises InputError (no journal and no genesis, another park, unknown format version), JournalLockedError (another writer), CorruptionError
        (damaged), JournalShorterError (ends before a watermark), JournalFailedError (the system refused).
        """
        files = files or FileOps()
        try:
            lock_fd = take_lock(files, directory, create=genesis is not None)
        except OSError as error:
            raise JournalFailedError(f"the journal in {directory} cannot be locked: {described(error)}") from error
        try:
            if genesis is not None and not (directory / GENESIS_NAME).exists():
                _create(files, directory, genesis, segment_bytes)
            layout = load_layout(directory)
            if genesis is not None and genesis.park_id != layout.genesis.park_id:
                raise InputError(f"the journal in {directory} is that of park {layout.genesis.park_id!r}, not {genesis.park_id!r}")
            return cls(layout, walk_whole(layout, watermarks), files, segment_bytes, lock_fd)
        except OSError as error:
            files.close(lock_fd)
            raise JournalFailedError(f"the journal in {directory} cannot be opened for writing: {described(error)}") from error
        except BaseException:
            files.close(lock_fd)
            raise

    @property
    def genesis(self) -> Genesis:
        return self._genesis

    @property
    def epoch(self) -> int:
        return self._epoch

    @property
    def head(self) -> Head:
        return _head_at(self._position, self._epoch)

    @property
    def next_sequence(self) -> int:
        return self._position.sequence + 1

    @property
    def chain_hash(self) -> str:
        return self._position.chain_hash.hex()

    def append(self, records: NDArray[Any], documents: bytes = b"") -> CommittedGroup:
        """See Journal.append."""
        commands = checked_records(records)
        with self._writing:
            self._check_usable()
            position = self._position
            group, chain_hash = encode_group(
                commands, documents, position.sequence + 1, self._epoch, position.group_index + 1, position.chain_hash, self._seed
            )
            self._failure = "an append was interrupted"
            try:
                self._commit(group, len(commands), chain_hash)
            except OSError as error:
                self._failure = described(error)
                raise JournalFailedError(f"the journal stopped at sequence {position.sequence}: {self._failure}") from error
            self._failure = ""
        return CommittedGroup(position.sequence + 1, len(commands), chain_hash.hex())

    def _commit(self, group: bytearray, count: int, chain_hash: bytes) -> None:
        if self._position.offset + len(group) > self._capacity:
            self._roll_over(len(group))
        before = self._position
        write_all(self._files, self._fd, group, before.offset)
        self._files.fdatasync(self._fd)
        self._position = Position(
            before.sequence + count, before.group_index + 1, self._epoch, before.segment_index, before.offset + len(group), chain_hash
        )
        self._head.advance(self._position.sequence, self._position.group_index, before.segment_index, self._position.offset, chain_hash)
        if 2 * self._position.offset > self._capacity >= PREPARED_BYTES_MIN:
            self._preparer.start()

    def _roll_over(self, group_bytes: int) -> None:
        """Go on in a new segment, large enough for the group."""
        before = self._position
        capacity = max(self._segment_bytes, SEGMENT_HEADER_BYTES + group_bytes)
        header = SegmentHeader(
            before.segment_index + 1, before.sequence + 1, before.group_index + 1, capacity, self._epoch, self._genesis_hash, before.chain_hash
        )
        spare = self._preparer.take() if capacity == self._segment_bytes else None
        path = _name_segment(self._files, spare, header) if spare else _create_segment(self._files, self._directory, header)
        self._head.flush()
        full, self._fd = self._fd, self._files.open(path, os.O_RDWR)
        self._files.close(full)
        self._capacity = capacity
        self._position = Position(before.sequence, before.group_index, before.epoch, header.segment_index, SEGMENT_HEADER_BYTES, before.chain_hash)

    def groups(self, from_sequence: int = 1) -> Iterator[Group]:
        """See Journal.groups."""
        last = self._last_durable_sequence()
        return read_groups(load_layout(self._directory), from_sequence, last)

    def chain_hash_at(self, sequence: int) -> str | None:
        """See Journal.chain_hash_at."""
        last = self._last_durable_sequence()
        return find_chain_hash(load_layout(self._directory), sequence, last)

    def _last_durable_sequence(self) -> int:
        """Where reading ends. Another thread may be at an append: that is waited for, and is no failure."""
        with self._writing:
            self._check_usable()
            return self._position.sequence

    def _check_usable(self) -> None:
        if self._closed:
            raise JournalFailedError("the journal is closed")
        if self._failure:
            raise JournalFailedError(f"the journal stopped at sequence {self._position.sequence}: {self._failure}")

    def close(self) -> None:
        """Flush what is known of the end and give the lock back. After a failure only the lock is given back."""
        with self._writing:
            if self._closed:
                return
            self._closed = True
            self._preparer.wait()
            try:
                if self._failure:
                    self._head.close()
                else:
                    self._head.close_clean()
            except OSError as error:
                raise JournalFailedError(f"the journal did not close in order: {described(error)}") from error
            finally:
                self._files.close(self._fd)
                self._files.close(self._lock_fd)


def walk_whole(layout: Layout, watermarks: Iterable[Watermark] = ()) -> ChainWalk:
    """Check everything that is there, from the first segment to the end."""
    walk = ChainWalk(layout, watermarks, layout.segments[0].header.first_sequence)
    for _ in walk:
        pass
    check_epoch(layout, walk)
    return walk


def check_epoch(layout: Layout, walk: ChainWalk) -> None:
    """Raises CorruptionError when a walked chain is of a later epoch than its head file."""
    if walk.position.epoch > layout.head.epoch:
        raise CorruptionError(f"{HEAD_NAME} is of epoch {layout.head.epoch}, but the last group of epoch {walk.position.epoch}")


def _head_at(position: Position, epoch: int) -> Head:
    return Head(position.sequence, position.group_index, epoch, position.chain_hash.hex())


def _create(files: FileOps, directory: Path, genesis: Genesis, segment_bytes: int) -> None:
    """Make an empty journal. The genesis file comes last: where it stands, all the rest stands."""
    for index, path in segment_files(directory):
        if index != 1 or read_bytes(path)[SEGMENT_HEADER_BYTES:].strip(b"\0"):
            raise CorruptionError(f"{GENESIS_NAME} is missing, though there are segments")
    encoded = encode_genesis(genesis)
    start = genesis_hash(encoded)
    _create_segment(files, directory, SegmentHeader(1, 1, 1, max(segment_bytes, SEGMENT_HEADER_BYTES), 0, start, start))
    replace_head(files, directory / HEAD_NAME, HeadState(1, 0, 0, 0, 0, 1, SEGMENT_HEADER_BYTES, start, start))
    write_durably(files, directory / GENESIS_NAME, [encoded])
    files.fsync_directory(directory.parent)


def _create_segment(files: FileOps, directory: Path, header: SegmentHeader) -> Path:
    """A preallocated segment file. It is filled with zeros, not only reserved, so that a flush behind a group has no metadata to write."""
    path = segment_path(directory, header.segment_index)
    write_durably(files, path, [encode_segment_header(header), *zeros(header.segment_bytes - SEGMENT_HEADER_BYTES)])
    return path


def _name_segment(files: FileOps, spare: Path, header: SegmentHeader) -> Path:
    """Make a segment of a file of zeros that is on the medium already."""
    fd = files.open(spare, os.O_RDWR)
    try:
        write_all(files, fd, encode_segment_header(header), 0)
        files.fsync(fd)
    finally:
        files.close(fd)
    path = segment_path(spare.parent, header.segment_index)
    files.replace(spare, path)
    files.fsync_directory(path.parent)
    return path


def _settle_tail(files: FileOps, fd: int, layout: Layout, walk: ChainWalk, capacity: int) -> None:
    """Make durable what the walk found, and nothing else.

    Groups behind the head file's mark may stand in memory only: a flush that failed leaves them there, marked as written. So they are written once
    more before the flush. The torn tail is overwritten with zeros, and a file that was cut short gets its size back.
    """
    head, position, data = layout.head, walk.position, walk.tail_data
    known = head.end_offset if head.segment_index == position.segment_index else SEGMENT_HEADER_BYTES
    if known < position.offset:
        write_all(files, fd, data[known : position.offset], known)
    if walk.torn is not None:
        write_from(files, fd, zeros(walk.torn.n_bytes), position.offset)
    if len(data) < capacity:
        write_from(files, fd, zeros(capacity - len(data)), len(data))
    files.fdatasync(fd)


def _opened_state(layout: Layout, position: Position, epoch: int) -> HeadState:
    return HeadState(
        clean=0,
        generation=layout.head.generation + 1,
        epoch=epoch,
        sequence=position.sequence,
        group_index=position.group_index,
        segment_index=position.segment_index,
        end_offset=position.offset,
        chain_hash=position.chain_hash,
        genesis_hash=layout.genesis_hash,
    )
