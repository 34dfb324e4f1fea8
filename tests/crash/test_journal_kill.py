"""kill -9 of a real process in the middle of its appends: every group it has acknowledged is there when the journal is opened again."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from exchange.journal.segments import SegmentJournal
from exchange.journal.verify import verify

ROOT = Path(__file__).parents[2]
Line = tuple[int, int, str, int]


def kill_after(directory: Path, n_groups: int) -> list[Line]:
    """Run the writer, kill it after so many acknowledged groups, and return all that it managed to say."""
    process = subprocess.Popen([sys.executable, "-m", "tests.crash.journal_writer", str(directory)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process, process.stdout as said:
        lines = [said.readline() for _ in range(n_groups)]
        process.kill()
        lines += said.readlines()
    whole = [line.split() for line in lines if line.endswith("\n")]
    return [(int(first), int(count), chain_hash, int(epoch)) for first, count, chain_hash, epoch in whole]


def run_kills(directory: Path, n_kills: int, seed: int) -> None:
    rng = random.Random(seed)
    acknowledged: list[Line] = []
    for _ in range(n_kills):
        acknowledged += kill_after(directory, rng.randint(1, 120))
        verify(directory, head=acknowledged[-1][2])
        journal = SegmentJournal.open(directory)
        groups = {group.first_sequence: group for group in journal.groups()}
        for first, count, chain_hash, epoch in acknowledged:
            group = groups[first]
            assert (len(group.records), group.chain_hash, group.epoch) == (count, chain_hash, epoch)
        assert journal.epoch == acknowledged[-1][3] + 1
        journal.close()
    assert len({epoch for *_, epoch in acknowledged}) == n_kills


def test_a_killed_writer_loses_nothing_it_acknowledged(tmp_path: Path) -> None:
    run_kills(tmp_path, 5, seed=1)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_a_killed_writer_at_length(tmp_path: Path, seed: int) -> None:
    run_kills(tmp_path, 30, seed)
