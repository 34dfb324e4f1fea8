"""Checking a journal from outside."""

from dataclasses import dataclass
from pathlib import Path

from exchange.errors import CorruptionError, InputError
from exchange.journal.format import FORMAT_VERSION
from exchange.journal.interface import HASH_BYTES, Head
from exchange.journal.walk import ChainWalk, TornTail, load_layout


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """A journal whose every committed byte is right."""

    park_id: str
    engine_version: str
    format_version: int
    first_sequence: int  # of the first segment that is here: above 1 when segments were archived
    segments: int
    groups: int
    records: int
    head: Head
    closed_clean: bool
    known_head_sequence: int | None  # where the head that was asked for stands
    torn_tail: TornTail | None


def verify(directory: Path, head: str | None = None, archive: Path | None = None) -> VerifyReport:
    """Check every byte of a journal and of the segments that were moved to `archive`, without a lock and without changing it.

    `head` is a chain hash known from elsewhere (64 hex digits, as statements print it); the journal must contain it.
    Raises InputError (no journal, not a hash, unknown format version) and CorruptionError with segment, byte, group and sequences.
    """
    wanted = _parse_hash(head) if head is not None else None
    layout = load_layout(directory, archive)
    first = layout.segments[0].header
    found_at = first.first_sequence - 1 if wanted == first.previous_hash else None
    walk = ChainWalk(layout, from_sequence=first.first_sequence)
    n_groups = 0
    for group in walk:
        n_groups += 1
        if group.chain_hash == wanted:
            found_at = group.last_sequence
    end = walk.position
    if wanted is not None and found_at is None:
        raise CorruptionError(f"the known head {head} is not in this journal, which ends at sequence {end.sequence}")
    return VerifyReport(
        park_id=layout.genesis.park_id,
        engine_version=layout.genesis.engine_version,
        format_version=FORMAT_VERSION,
        first_sequence=first.first_sequence,
        segments=len(layout.segments),
        groups=n_groups,
        records=end.sequence - first.first_sequence + 1,
        head=Head(end.sequence, end.group_index, layout.head.epoch, end.chain_hash.hex()),
        closed_clean=bool(layout.head.clean),
        known_head_sequence=found_at,
        torn_tail=walk.torn,
    )


def _parse_hash(text: str) -> bytes:
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if len(value) != HASH_BYTES:
        raise InputError(f"a head is {2 * HASH_BYTES} hex digits, not {text!r}")
    return value
