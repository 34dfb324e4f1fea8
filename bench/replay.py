"""Replay of a journal of a stream's commands: commands a second with the whole chain verified, from memory and from segment files.

    python -m bench.replay [--stream FILE|1|2] [--commands 1000000] [--group 256] [--repeat 3] [--directory DIR] [--json] [--no-record]

The journal holds the accounts, contracts and resting orders of bench/park.py and then so many commands of the stream, in groups as they are
committed. What is timed is all of it from an empty exchange: reading, checking CRC and hash chain of every group, applying every command. The
same from the verified commands without a journal stands beside it, so the difference is what reading and checking costs; so does the check
alone. The state hash must be that of a run without a journal each time, and the trades of that run those of the stream where its JSON file
knows them (after 10,000, 100,000, 1,000,000 and all messages), else the exit code is 1.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from bench.checks import ResultMismatchError, progress_line
from bench.order_path import BATCH, verify
from bench.park import Prepared, empty_exchange, genesis, prepare
from bench.record import RESULTS, append_result
from bench.workloads.standard import open_stream
from exchange.journal.format import RawGroup, crc_seed, encode_genesis, encode_group, genesis_hash, read_group
from exchange.journal.interface import Group, Records
from exchange.journal.segments import SegmentJournal
from exchange.journal.verify import verify as verify_journal
from exchange.order_path.path import Exchange
from exchange.replay import ChainSource, merged, replay_into, state_hash_hex

GROUP: Final = 256


def groups_of(prepared: Prepared, group: int) -> Iterator[tuple[Records, bytes]]:
    """Everything that a journal of the stream holds, by group."""
    yield from prepared.setup
    for first in range(0, len(prepared.commands), group):
        yield prepared.commands[first : first + group], b""


class MemoryImage:
    """A journal as one run of bytes in memory, with the chain checked as it is read: what segment files hold, without the files."""

    def __init__(self, prepared: Prepared, group: int) -> None:
        self._start = genesis_hash(encode_genesis(genesis()))
        self._seed = crc_seed(self._start)
        image = bytearray()
        chain_hash, sequence = self._start, 1
        for number, (records, documents) in enumerate(groups_of(prepared, group), 1):
            encoded, chain_hash = encode_group(records, documents, sequence, 1, number, chain_hash, self._seed)
            image += encoded
            sequence += len(records)
        self.data = bytes(image)

    def groups(self, from_sequence: int = 1) -> Iterator[Group]:
        """Every group from `from_sequence` on. Raises ResultMismatchError where the chain does not hold."""
        offset, chain_hash = 0, self._start
        while offset < len(self.data):
            group = read_group(self.data, offset, self._seed)
            if not isinstance(group, RawGroup) or not group.links_to(chain_hash):
                raise ResultMismatchError(f"the journal is damaged at byte {offset}")
            offset, chain_hash = group.end, group.chain_hash
            if group.last_sequence >= from_sequence:
                yield group.decode(from_sequence)


def write_segments(directory: Path, prepared: Prepared, group: int) -> None:
    """The same journal in segment files."""
    journal = SegmentJournal.open(directory, genesis())
    for records, documents in groups_of(prepared, group):
        journal.append(records, documents)
    journal.close()


def apply_groups(exchange: Exchange, groups: list[tuple[Records, bytes]]) -> None:
    """Apply commands that need no reading and no checking."""
    first, whole = exchange.last_sequence + 1, []
    for records, documents in groups:
        whole.append(Group(first, 1, records, documents, ""))
        first += len(records)
    for group in merged(whole):
        exchange.replay(group.records, group.documents, group.first_sequence)


def from_files(exchange: Exchange, directory: Path) -> None:
    """As `parkex replay` does: each group is checked in a second thread, then folded."""
    with closing(ChainSource(directory).groups()) as groups:
        for group in groups:
            exchange.replay(group.records, group.documents, group.first_sequence)


def benchmark(prepared: Prepared, directory: Path, group: int, n_repeat: int) -> dict[str, Any]:
    """Commands a second of each way, all from an empty exchange. Raises ResultMismatchError when two ways end in different states."""
    stream = prepared.stream
    n_commands = len(prepared.setup) + len(prepared.commands)
    state_hash = verify(prepared, BATCH)["state_hash"]
    write_segments(directory, prepared, group)
    image, groups = MemoryImage(prepared, group), list(groups_of(prepared, group))
    ways: dict[str, Callable[[Exchange], Any]] = {
        "applied_only": lambda exchange: apply_groups(exchange, groups),
        "from_memory": lambda exchange: replay_into(exchange, image),
        "from_segments": lambda exchange: from_files(exchange, directory),
        "verified_only": lambda _exchange: verify_journal(directory),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    show = progress_line(f"replay of {stream.name}", n_repeat)
    for number in range(n_repeat):
        for name, replay in ways.items():
            exchange = empty_exchange(stream)
            start = time.perf_counter()
            replay(exchange)
            seconds[name].append(time.perf_counter() - start)
            if name != "verified_only" and state_hash_hex(exchange) != state_hash:
                raise ResultMismatchError(f"{name}: another state than the run that wrote the journal")
        show(number + 1)
    rates = {name: round(n_commands / sorted(times)[len(times) // 2]) for name, times in seconds.items()}
    return {"stream": stream.name, "commands": n_commands, "group": group, "state_hash": state_hash, "commands_per_s": rates, "repeat": n_repeat}


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="bench.replay", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stream", default="1", help="a stream file, 1 or 2")
    parser.add_argument("--commands", type=int, default=1_000_000, help="timed messages of the stream that are journaled behind its warm-up")
    parser.add_argument("--group", type=int, default=GROUP, help="commands a group")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--directory", type=Path, default=None, help="where segments are written; the system's temporary directory by default")
    parser.add_argument("--json", action="store_true", help="print the JSON line only")
    parser.add_argument("--no-record", action="store_true", help="do not append to the results")
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory of the results")
    options = parser.parse_args(arguments)
    if min(options.repeat, options.group, options.commands) < 1:
        parser.error("--repeat, --group and --commands are 1 or more")
    try:
        prepared = prepare(open_stream(options.stream).prefix(options.commands))
    except (OSError, ValueError) as error:
        parser.error(str(error))
    try:
        with tempfile.TemporaryDirectory(dir=options.directory) as directory:
            result = benchmark(prepared, Path(directory) / "journal", options.group, options.repeat)
    except ResultMismatchError as error:
        print(error, file=sys.stderr)
        return 1
    if not options.json:
        print(f"{result['stream']}: {result['commands']} commands in groups of {result['group']}, state hash {result['state_hash']}")
        for name, rate in result["commands_per_s"].items():
            print(f"{name.replace('_', ' '):14} {rate:>10} commands/s")
    if not options.no_record:
        append_result("replay", result, options.results)
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
