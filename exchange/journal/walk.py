"""Reading the chain: one pass over the segments that checks every byte of what was committed.

An invalid group with nothing whole behind it, and that nobody has seen committed, is a torn tail: what a crash leaves of a group that was never
acknowledged. Any other invalid group is corruption. Only the last segment can have a torn tail, since a new segment begins after the groups before
it are durable.
"""

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from exchange.errors import CorruptionError, InputError
from exchange.journal.files import read_bytes
from exchange.journal.format import (
    SEGMENT_HEADER_BYTES,
    RawGroup,
    SegmentHeader,
    crc_seed,
    decode_genesis,
    decode_segment_header,
    find_group,
    genesis_hash,
    read_group,
)
from exchange.journal.head import HEAD_NAME, HeadState, read_head
from exchange.journal.interface import Genesis, Group, Watermark
from exchange.journal.watermarks import WatermarkCheck

GENESIS_NAME: Final = "genesis"
_SEGMENT_NAME: Final = re.compile(r"segment-(\d{8,})")


def segment_path(directory: Path, segment_index: int) -> Path:
    return directory / f"segment-{segment_index:08d}"


@dataclass(frozen=True, slots=True)
class Segment:
    path: Path
    header: SegmentHeader


@dataclass(frozen=True, slots=True)
class Layout:
    """A journal directory: what its genesis, head file and segment headers say, each checked by itself."""

    directory: Path
    genesis: Genesis
    genesis_hash: bytes
    head: HeadState
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Position:
    """A place between two groups."""

    sequence: int
    group_index: int
    epoch: int
    segment_index: int
    offset: int
    chain_hash: bytes


@dataclass(frozen=True, slots=True)
class TornTail:
    """What a crash left of a group that was never acknowledged: `n_bytes` from `offset` to the last byte that is not zero."""

    segment: str
    offset: int
    n_bytes: int
    reason: str

    def __str__(self) -> str:
        return f"{self.segment}, byte {self.offset}: a torn tail of {self.n_bytes} bytes was cut ({self.reason})"


def segment_files(directory: Path) -> list[tuple[int, Path]]:
    """(index, path) of the segment files, in order."""
    matches = ((_SEGMENT_NAME.fullmatch(path.name), path) for path in directory.iterdir())
    return sorted((int(match[1]), path) for match, path in matches if match)


def load_layout(directory: Path, archive: Path | None = None) -> Layout:
    """Read the frame of a journal, with the segments that were moved to `archive` in front. Raises InputError when there is none, CorruptionError
    when a part is damaged or missing.

    The head file is read before the segments are listed, so that a reader beside a live writer never finds the head in front of the groups.
    """
    try:
        encoded = read_bytes(directory / GENESIS_NAME)
    except (FileNotFoundError, NotADirectoryError):
        if directory.is_dir() and segment_files(directory):
            raise CorruptionError(f"{GENESIS_NAME} is missing, though there are segments") from None
        raise InputError(f"there is no journal in {directory}") from None
    start = genesis_hash(encoded)
    genesis = decode_genesis(encoded)
    head = read_head(directory / HEAD_NAME, start)
    files = dict(segment_files(archive)) if archive is not None else {}
    files |= dict(segment_files(directory))  # what an interrupted archiving left in both places is read here
    segments = tuple(_read_header(index, path, start) for index, path in sorted(files.items()))
    if not segments:
        raise CorruptionError("all segments are missing")
    for before, after in itertools.pairwise(segments):
        if after.header.segment_index != before.header.segment_index + 1:
            raise CorruptionError(f"a segment is missing between {before.path.name} and {after.path.name}")
    return Layout(directory, genesis, start, head, segments)


def _read_header(index: int, path: Path, start: bytes) -> Segment:
    header = decode_segment_header(_read_segment(path, SEGMENT_HEADER_BYTES), f"{path.name}, segment header")
    if header.segment_index != index:
        raise CorruptionError(f"{path.name} holds segment {header.segment_index}: it was renamed")
    if header.genesis_hash != start:
        raise CorruptionError(f"{path.name} belongs to another journal")
    return Segment(path, header)


def _read_segment(path: Path, n_bytes: int = -1) -> bytes:
    """As read_bytes, of a file that was there when the directory was listed."""
    try:
        return read_bytes(path, n_bytes)
    except FileNotFoundError:
        raise CorruptionError(f"{path.name} went away while the journal was read: if it was archived just now, try again") from None


class ChainWalk:
    """One pass over the groups from the segment that holds `from_sequence` on, up to `until_sequence` or to the end.

    Iterating yields RawGroup. After the pass `position` is the end, `torn` the torn tail if there is one and `tail_data` the last segment's bytes.
    Raises CorruptionError with segment, byte, group and sequences; JournalShorterError when a watermark lies behind the end.
    """

    def __init__(self, layout: Layout, watermarks: Iterable[Watermark] = (), from_sequence: int = 1, until_sequence: int | None = None) -> None:
        self._layout = layout
        self._seed = crc_seed(layout.genesis_hash)
        self._until = until_sequence
        self._segments = self._segments_from(from_sequence)
        first = self._segments[0].header
        self.position = Position(first.first_sequence - 1, first.first_group - 1, 0, first.segment_index, SEGMENT_HEADER_BYTES, first.previous_hash)
        head = layout.head
        self._watermarks = WatermarkCheck([Watermark("the head file", head.sequence, head.chain_hash.hex()), *watermarks])
        self._watermarks.skip_to(self.position.sequence - 1)
        self._watermarks.pass_group(self.position.sequence, first.previous_hash, f"{self._segments[0].path.name}, segment header")
        self.torn: TornTail | None = None
        self.tail_data = b""

    def _segments_from(self, from_sequence: int) -> tuple[Segment, ...]:
        segments = self._layout.segments
        if from_sequence < segments[0].header.first_sequence:
            missing = segments[0].header.segment_index - 1
            raise CorruptionError(
                f"sequence {from_sequence} is not here: the {missing} segments before {segments[0].path.name} are missing; "
                "if they were archived, name the archive or put them back"
            )
        last = max(i for i, segment in enumerate(segments) if segment.header.first_sequence <= from_sequence)
        return segments[last:]

    def __iter__(self) -> Iterator[RawGroup]:
        if self._done():
            return
        for number, segment in enumerate(self._segments):
            following = self._segments[number + 1] if number + 1 < len(self._segments) else None
            self._enter(segment)
            data = _read_segment(segment.path)
            yield from self._groups_in(segment, data)
            if self._done():
                return
            if following is None:
                self._check_tail(segment, data)
            else:
                self._check_rest(segment, data, following)

    def _done(self) -> bool:
        return self._until is not None and self.position.sequence >= self._until

    def _enter(self, segment: Segment) -> None:
        header, position = segment.header, self.position
        expected = (position.sequence + 1, position.group_index + 1, position.chain_hash)
        if (header.first_sequence, header.first_group, header.previous_hash) != expected:
            raise CorruptionError(f"{segment.path.name}, segment header: it does not continue the chain at sequence {position.sequence}")
        self.position = Position(
            position.sequence, position.group_index, position.epoch, header.segment_index, SEGMENT_HEADER_BYTES, position.chain_hash
        )

    def _groups_in(self, segment: Segment, data: bytes) -> Iterator[RawGroup]:
        while isinstance(group := read_group(data, self.position.offset, self._seed), RawGroup):
            place = self._place(segment, group.last_sequence)
            self._check_link(group, place)
            self._watermarks.pass_group(group.last_sequence, group.chain_hash, place)
            self.position = Position(group.last_sequence, group.group_index, group.epoch, segment.header.segment_index, group.end, group.chain_hash)
            yield group
            if self._done():
                return

    def _check_link(self, group: RawGroup, place: str) -> None:
        position = self.position
        if (group.first_sequence, group.group_index) != (position.sequence + 1, position.group_index + 1):
            raise CorruptionError(f"{place}: it is numbered group {group.group_index} from sequence {group.first_sequence}")
        if group.epoch < position.epoch:
            raise CorruptionError(f"{place}: its epoch {group.epoch} is before epoch {position.epoch} of the group before")
        if not group.links_to(position.chain_hash):
            raise CorruptionError(f"{place}: its chain hash does not continue the group before")

    def _place(self, segment: Segment, last_sequence: int) -> str:
        """The group expected at the position, in words; everything up to `last_sequence` is in doubt with it."""
        position = self.position
        first = position.sequence + 1
        sequences = f"sequence {first}" if last_sequence <= first else f"sequences {first} to {last_sequence}"
        return f"{segment.path.name}, byte {position.offset} (group {position.group_index + 1}, {sequences})"

    def _flaw(self, data: bytes) -> str:
        """Why there is no group at the position, or nothing when only zeros follow."""
        if not data[self.position.offset :].strip(b"\0"):
            return ""
        reason = read_group(data, self.position.offset, self._seed)
        return reason if isinstance(reason, str) else ""

    def _check_rest(self, segment: Segment, data: bytes, following: Segment) -> None:
        """A segment that is not the last holds all groups up to the next segment, and zeros behind them."""
        position = self.position
        last = following.header.first_sequence - 1
        if position.sequence < last:
            reason = self._flaw(data) or "the group is missing"
            behind = find_group(data, position.offset + 1, self._seed)
            last = behind.first_sequence - 1 if behind else last
            raise CorruptionError(f"{self._place(segment, last)}: {reason}")
        if reason := self._flaw(data):
            raise CorruptionError(f"{segment.path.name}, byte {position.offset}: bytes behind the last group ({reason})")

    def _check_tail(self, segment: Segment, data: bytes) -> None:
        """Tell a torn tail from a damaged group."""
        position = self.position
        self.tail_data = data
        if reason := self._flaw(data):
            behind = find_group(data, position.offset + 1, self._seed)
            seen = behind.first_sequence - 1 if behind else self._watermarks.highest
            if behind or seen > position.sequence:
                raise CorruptionError(f"{self._place(segment, seen)}: {reason}")
            end = len(data.rstrip(b"\0"))
            self.torn = TornTail(segment.path.name, position.offset, end - position.offset, reason)
        self._watermarks.finish(position.sequence)


def read_groups(layout: Layout, from_sequence: int, until_sequence: int) -> Iterator[Group]:
    """The commands from `from_sequence` to `until_sequence`, which a group ends with. Raises CorruptionError when they are not whole any more."""
    walk = ChainWalk(layout, from_sequence=from_sequence, until_sequence=until_sequence)
    for group in walk:
        if group.last_sequence >= from_sequence:
            yield group.decode(from_sequence)


def find_chain_hash(layout: Layout, sequence: int, until_sequence: int) -> str | None:
    """The chain hash behind `sequence` (hex), or None where no group ends."""
    if sequence == 0:
        return layout.genesis_hash.hex()
    first = layout.segments[0].header
    if sequence == first.first_sequence - 1:
        return first.previous_hash.hex()
    if sequence > until_sequence:
        return None
    walk = ChainWalk(layout, from_sequence=sequence, until_sequence=sequence)
    for _ in walk:
        pass
    return walk.position.chain_hash.hex() if walk.position.sequence == sequence else None
