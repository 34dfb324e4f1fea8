"""Durable appends: groups a second and percentiles of the time until a group is on the medium, at 1, 16 and 256 records a group.

    python -m bench.journal [--groups N] [--directory DIR] [--results DIR]

The figure is that of the disk under DIR: on a file system in memory it says nothing. Beside it stands the floor, a bare write and flush of the
same bytes, interleaved with the appends in the same run, and the cost of the head file, which is written behind each group without a flush.
Prints the chain hash of the journal it wrote and appends one JSON line to the results file.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from bench.record import RESULTS, append_result
from exchange.journal.files import FileOps, write_all, zeros
from exchange.journal.format import group_length
from exchange.journal.interface import Genesis, Records
from exchange.journal.record import COMMAND, CommandKind
from exchange.journal.segments import SegmentJournal
from exchange.journal.verify import verify

RECORDS_PER_GROUP = (1, 16, 256)
GENESIS = Genesis(park_id="bench", hash_key=bytes(32), engine_version="bench")


def sample_commands(count: int) -> Records:
    """Place commands as a busy book sends them: every byte that is used is set."""
    records = np.zeros(count, COMMAND)
    records["kind"] = CommandKind.PLACE
    records["price_ticks"] = 4_000 + np.arange(count) % 97
    records["quantity_lots"] = 10 + np.arange(count) % 13
    records["client_order_id"] = [f"bench-{i:08d}".encode() for i in range(count)]
    return records


class Floor:
    """A bare write and flush into a file of zeros: what no journal on this disk can beat."""

    def __init__(self, path: Path, n_bytes: int) -> None:
        self._files = FileOps()
        self._fd = self._files.open(path, os.O_RDWR | os.O_CREAT)
        self._offset = 0
        for number, chunk in enumerate(zeros(n_bytes)):
            write_all(self._files, self._fd, chunk, number << 20)
        self._files.fsync(self._fd)

    def write(self, data: bytes) -> int:
        """Nanoseconds of one write and flush."""
        start = time.perf_counter_ns()
        write_all(self._files, self._fd, data, self._offset)
        self._files.fdatasync(self._fd)
        self._offset += len(data)
        return time.perf_counter_ns() - start

    def close(self) -> None:
        self._files.close(self._fd)


def measure(directory: Path, n_records: int, n_groups: int) -> dict[str, Any]:
    """Append `n_groups` groups of `n_records` commands to a new journal in `directory`."""
    records = sample_commands(n_records)
    payload = bytes(group_length(n_records, 0))
    journal = SegmentJournal.open(directory / f"journal-{n_records}", GENESIS)
    floor = Floor(directory / f"floor-{n_records}", len(payload) * n_groups)
    took_ns, floor_ns = np.empty(n_groups, np.int64), np.empty(n_groups, np.int64)
    for i in range(n_groups):
        start = time.perf_counter_ns()
        journal.append(records)
        took_ns[i] = time.perf_counter_ns() - start
        floor_ns[i] = floor.write(payload)
    chain_hash = journal.chain_hash
    journal.close()
    floor.close()
    start = time.perf_counter_ns()
    verify(directory / f"journal-{n_records}", chain_hash)
    verify_ns = time.perf_counter_ns() - start
    return {
        "records_per_group": n_records,
        "groups": n_groups,
        "groups_per_s": round(1e9 * n_groups / int(took_ns.sum())),
        "append_us": percentiles_us(took_ns),
        "floor_us": percentiles_us(floor_ns),
        "verify_records_per_s": round(1e9 * n_records * n_groups / verify_ns),
        "chain_hash": chain_hash,
    }


def percentiles_us(times_ns: np.ndarray) -> dict[str, float]:
    p50, p99, highest = np.percentile(times_ns, (50, 99, 100)) / 1e3
    return {"p50": round(float(p50), 1), "p99": round(float(p99), 1), "max": round(float(highest), 1)}


def run(directory: Path, n_groups: int) -> list[dict[str, Any]]:
    return [measure(directory, n_records, n_groups) for n_records in RECORDS_PER_GROUP]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--groups", type=int, default=2_000, help="groups of each size")
    parser.add_argument("--directory", type=Path, default=None, help="where to write; a new directory in the system's temporary one by default")
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory of the results")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.directory) as directory:
        rows = run(Path(directory), options.groups)
    for row in rows:
        append, floor = row["append_us"], row["floor_us"]
        print(
            f"{row['records_per_group']:4d} records a group: {row['groups_per_s']:6d} groups/s, append p50 {append['p50']} us, "
            f"p99 {append['p99']} us, max {append['max']} us (floor p50 {floor['p50']} us, "
            f"p99 {floor['p99']} us); verify {row['verify_records_per_s']} records/s"
        )
        print(f"     chain hash {row['chain_hash']}")
    append_result("journal", {"rows": rows}, options.results)


if __name__ == "__main__":
    main()
