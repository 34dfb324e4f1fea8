"""A process that appends without end and says after each group what was acknowledged. Killed by the test; run as `python -m
tests.crash.journal_writer DIR`."""

import sys
from pathlib import Path

from exchange.journal.segments import SegmentJournal
from tests.exchange.journal.builders import GENESIS, commands


def main(directory: str) -> None:
    journal = SegmentJournal.open(Path(directory), GENESIS, segment_bytes=16_384)
    for tag in range(1_000_000):
        receipt = journal.append(commands(1 + tag % 9, tag), b"d" * (tag % 50))
        sys.stdout.write(f"{receipt.first_sequence} {receipt.count} {receipt.chain_hash} {journal.epoch}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
