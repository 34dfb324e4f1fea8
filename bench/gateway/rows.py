"""The rows of the table: which load, against which server, and what comes out. Each run starts a server and a generator of its own."""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from bench.gateway.server import ServerOptions

WARM_UP_S: Final = 1.0
START_TIMEOUT_S: Final = 180.0  # the first run on a machine compiles
_CORES: Final = sorted(os.sched_getaffinity(0))
SERVER_CORE: Final = _CORES[0] if len(_CORES) > 1 else None
LOAD_CORE: Final = _CORES[1] if len(_CORES) > 1 else None


@dataclass(frozen=True, slots=True)
class Row:
    """One load. `kind`: orders, fan_out (with `subscribers` of one book) or sessions (logged on and idle).

    With `surveillance` each run without it has one with it beside it.
    """

    name: str
    connections: int
    window: int = 1
    rate: float | None = None
    seconds: float = 5.0
    kind: str = "orders"
    subscribers: int = 0
    flush_interval_s: float = 0.05
    surveillance: bool = False
    text: str = ""

    def to_json(self) -> str:
        return json.dumps(asdict(self))


ROWS: Final = (
    Row("acks", 10, 32, text="10 connections with 32 orders in flight each"),
    Row("one_in_flight", 1, 1, text="one connection, one order in flight"),
    Row("open_loop", 100, rate=20_000.0, text="20,000 orders a second at fixed times over 100 connections"),
    Row("fan_out", 1, rate=1_000.0, kind="fan_out", subscribers=500, flush_interval_s=0.005, text="500 subscribers, 200 book updates a second each"),
    Row("sessions", 2_000, kind="sessions", text="2,000 sessions logged on"),
    Row("surveillance", 10, 32, surveillance=True, text="the load of acks, without and with surveillance"),
)


def measure(row: Row, backend: str, directory: Path, repeat: int) -> dict[str, Any]:
    """Figures of a row: the run with the median acks a second, or the median CPU where a rate is given, and the echo runs beside it."""
    runs: list[dict[str, Any]] = []
    echoes: list[dict[str, Any]] = []
    watched: list[dict[str, Any]] = []
    for _ in range(repeat if row.kind == "orders" else 1):
        runs.append(_run(row, "exchange", backend, directory))
        if row.surveillance:
            watched.append(_run(row, "exchange", backend, directory, surveillance=True))
        if row.kind == "orders":
            echoes.append(_run(row, "echo", backend, directory))
    figures = runs[0] if len(runs) == 1 else _middle(runs, "server_cpu_us_per_order")
    if len(runs) > 1:
        figures["acks_per_s_of_runs"] = [run["acks_per_s"] for run in runs]
        figures["server_cpu_us_of_runs"] = [run["server_cpu_us_per_order"] for run in runs]
    if echoes:
        figures["echo"] = _middle(echoes, "server_cpu_us_per_message")
        ratios = [run["server_cpu_us_per_order"] / echo["server_cpu_us_per_message"] for run, echo in zip(runs, echoes, strict=True)]
        figures["cpu_ratio_to_echo"] = round(median(ratios), 2)
    if watched:
        figures["surveillance"] = _compared(runs, watched)
    return figures


def _compared(without: list[dict[str, Any]], watched: list[dict[str, Any]]) -> dict[str, Any]:
    """The middle run with surveillance, and what it does to acks and CPU: the medians of the ratios of runs beside each other."""
    figures = _middle(watched, "server_cpu_us_per_order")
    for key, ratio in (("acks_per_s", "acks_ratio"), ("server_cpu_us_per_order", "cpu_ratio")):
        ratios = [run[key] / other[key] for run, other in zip(watched, without, strict=True)]
        figures[ratio] = round(median(ratios), 3)
        figures[f"{ratio}_of_runs"] = [round(value, 3) for value in ratios]
    return figures


def _middle(runs: list[dict[str, Any]], key: str) -> dict[str, Any]:
    return dict(sorted(runs, key=lambda run: float(run[key]))[len(runs) // 2])


def _run(row: Row, kind: str, backend: str, directory: Path, *, surveillance: bool = False) -> dict[str, Any]:
    members = row.connections + row.subscribers if kind == "exchange" else 1
    options = ServerOptions(
        kind=kind, backend=backend, directory=str(directory), core=SERVER_CORE, members=members, flush_interval_s=row.flush_interval_s,
        surveillance=surveillance,
    )  # fmt: skip
    with _process("bench.gateway.server", options.to_json()) as server:
        place = json.loads(_line(server))
        before = _progress(server)
        task = {"row": asdict(row), "kind": kind, "port": place["port"], "pid": place["pid"], "core": LOAD_CORE, "warm_up_s": WARM_UP_S}
        with _process("bench.gateway.generator", json.dumps(task)) as generator:
            figures: dict[str, Any] = json.loads(_line(generator))
        after = _progress(server)
    if kind == "echo":
        return figures
    if surveillance:
        figures["batches_waiting"] = after["waiting"]
    n_groups = after["groups"] - before["groups"]
    return figures | {"journal_synced": place["journal_synced"], "commands_per_group": round((after["commands"] - before["commands"]) / n_groups, 1)}


@contextmanager
def _process(module: str, argument: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A child that is told to end by the end of its stdin."""
    command = [sys.executable, "-m", module, argument]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as process:  # noqa: S603
        try:
            yield process
        finally:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def _progress(server: "subprocess.Popen[bytes]") -> dict[str, int]:
    """How far its journal is."""
    assert server.stdin is not None
    server.stdin.write(b"\n")
    server.stdin.flush()
    return json.loads(_line(server))  # type: ignore[no-any-return]


def _line(process: "subprocess.Popen[bytes]") -> bytes:
    """Its next line of output. Raises RuntimeError when it ends, or says nothing, before that."""
    assert process.stdout is not None
    until = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < until:
        if select.select([process.stdout], [], [], 1.0)[0]:
            line = process.stdout.readline()
            if line:
                return line
            break
    raise RuntimeError(f"{process.args[-2]!r} ended without a result" if isinstance(process.args, list) else "no result")


