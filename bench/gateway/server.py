"""The server process: `python -m bench.gateway.server OPTIONS AS JSON`. Prints the address as one JSON line, serves until its stdin ends.

A whole exchange with its journal on a disk, as `parkex serve` starts it but without read model and, unless asked for, without surveillance; or the
bare echo server.
"""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.gateway import market
from bench.gateway.echo import serve_echo
from exchange.clock import SystemClock
from exchange.gateway.app import create_app
from exchange.gateway.server import bind, own_hosts, serve
from exchange.journal.segments import SegmentJournal
from exchange.service import ServiceOptions, start_exchange


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """`kind`: exchange or echo; `core` None leaves the process where the system puts it; the journal goes below `directory`."""

    kind: str
    backend: str
    directory: str
    core: int | None = None
    members: int = 1
    flush_interval_s: float = 0.05
    surveillance: bool = False

    def to_json(self) -> str:
        return json.dumps(asdict(self))


def file_system_of(directory: Path) -> str:
    """Type of the file system that holds `directory`, as the system names it; empty where it does not tell."""
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return ""
    place = directory.resolve()
    rows = [line.split() for line in mounts.read_text().splitlines()]
    held = [(len(row[1]), row[2]) for row in rows if place.is_relative_to(row[1])]
    return max(held, default=(0, ""))[1]


def is_synced(directory: Path) -> bool:
    """Whether a flush of a file below `directory` reaches a medium."""
    return file_system_of(directory) not in {"tmpfs", "ramfs"}


def _announce(port: int, directory: Path) -> None:
    print(json.dumps({"port": port, "pid": os.getpid(), "journal_synced": is_synced(directory)}), flush=True)


async def _answer_stdin(journal: SegmentJournal | None, waiting: Callable[[], int] = int) -> None:
    """How far the journal is, and how many batches wait for surveillance, for each line; until stdin ends."""
    while await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline):
        head = journal.head if journal is not None else None
        progress = {"commands": head.sequence if head else 0, "groups": head.group_index if head else 0, "waiting": waiting()}
        print(json.dumps(progress), flush=True)


async def _serve_exchange(options: ServerOptions, directory: Path) -> None:
    limits = market.limits(options.flush_interval_s, options.members)
    sock = bind("127.0.0.1", 0)
    port = sock.getsockname()[1]
    service = await start_exchange(
        ServiceOptions(
            journal_directory=directory / "journal", clock=SystemClock(), genesis=market.genesis(), limits=limits, surveillance=options.surveillance
        )
    )
    await market.prepare(service.node, options.members)
    journal = service.node.journal
    assert isinstance(journal, SegmentJournal)
    watch = service.surveillance.surveillance if options.surveillance else None
    app = create_app(service.node, limits=limits, hosts=own_hosts("127.0.0.1", port), on_shutdown=service.stop, surveillance=watch)
    serving = asyncio.create_task(serve(sock, app, limits, lambda _: _announce(port, directory), backend=options.backend))
    answering = asyncio.create_task(_answer_stdin(journal, lambda: service.surveillance.lag))
    await asyncio.wait([serving, answering], return_when=asyncio.FIRST_COMPLETED)
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


async def _serve_echo(options: ServerOptions, directory: Path) -> None:
    sock = bind("127.0.0.1", 0)
    serving = asyncio.create_task(serve_echo(sock, options.backend, lambda: _announce(sock.getsockname()[1], directory)))
    await asyncio.wait([serving, asyncio.create_task(_answer_stdin(None))], return_when=asyncio.FIRST_COMPLETED)
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


def main() -> None:
    import uvloop

    options = ServerOptions(**json.loads(sys.argv[1]))
    if options.core is not None:
        os.sched_setaffinity(0, {options.core})
    with tempfile.TemporaryDirectory(dir=options.directory or None) as directory, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run((_serve_exchange if options.kind == "exchange" else _serve_echo)(options, Path(directory)))


if __name__ == "__main__":
    main()
