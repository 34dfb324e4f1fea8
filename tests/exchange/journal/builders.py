"""Small journals for tests."""

from pathlib import Path

import numpy as np

from exchange.journal.files import FileOps
from exchange.journal.interface import Genesis, Journal, Records
from exchange.journal.record import COMMAND, CommandKind
from exchange.journal.segments import SegmentJournal

GENESIS = Genesis(park_id="park-zz", hash_key=bytes(range(32)), engine_version="0.1.0", operator_keys=(b"\x07" * 32,), document=b"rules")


class QuietFiles(FileOps):
    """No flush reaches the medium: for tests that do not ask what a power failure leaves."""

    def fdatasync(self, fd: int) -> None:
        pass

    def fsync(self, fd: int) -> None:
        pass

    def fsync_directory(self, path: Path) -> None:
        pass


def commands(n: int, tag: int = 0) -> Records:
    """`n` distinct place commands."""
    records = np.zeros(n, COMMAND)
    records["kind"] = CommandKind.PLACE
    records["price_ticks"] = np.arange(n) + 1_000 * tag
    records["quantity_lots"] = 7 + tag
    records["client_order_id"] = [f"order-{tag}-{i}".encode() for i in range(n)]
    return records


def fill(journal: Journal, counts: list[int]) -> None:
    """One group a count, each with a document of some bytes."""
    for count in counts:
        tag = journal.next_sequence
        journal.append(commands(count, tag), bytes([tag % 251]) * (tag % 3 * 13))


def build(directory: Path, counts: list[int], segment_bytes: int = 2_048, close: bool = True, files: FileOps | None = None) -> SegmentJournal:
    """A journal of the given group sizes; not closed, it is left as a killed process leaves it."""
    journal = SegmentJournal.open(directory, GENESIS, segment_bytes=segment_bytes, files=files or QuietFiles())
    fill(journal, counts)
    if close:
        journal.close()
    else:
        abandon(journal)
    return journal


def abandon(journal: SegmentJournal) -> None:
    """What the end of the process does to its descriptors, and nothing more."""
    journal._failure = "killed"
    journal.close()


def contents(journal: Journal | SegmentJournal, from_sequence: int = 1) -> list[tuple[int, int, bytes, bytes, str]]:
    return [(g.first_sequence, g.epoch, g.records.tobytes(), g.documents, g.chain_hash) for g in journal.groups(from_sequence)]
