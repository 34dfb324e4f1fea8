"""The generator process: `python -m bench.gateway.generator TASK AS JSON`. Runs one row against a server and prints its figures as one JSON line."""

import json
import os
import sys
from pathlib import Path
from typing import Any

from bench.gateway.fan_out import fan_out
from bench.gateway.figures import echo_row, orders_row
from bench.gateway.load import Load
from bench.gateway.rows import Row


def resident_mb(pid: int) -> float:
    """Memory of a process that lies in RAM, in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)


def run(task: dict[str, Any]) -> dict[str, Any]:
    """Figures of one run."""
    row = Row(**task["row"])
    if row.kind == "fan_out":
        return fan_out(row, task["port"], task["pid"], task["warm_up_s"])
    load = Load(task["port"], task["pid"], row.connections, log_on=task["kind"] == "exchange")
    try:
        if row.kind == "sessions":
            return {"sessions": len(load.connections), "server_rss_mb": resident_mb(task["pid"])}
        if row.rate is None:
            measured = load.closed_loop(row.window, task["warm_up_s"], row.seconds)
        else:
            measured = load.open_loop(row.rate, task["warm_up_s"], row.seconds)
    finally:
        load.close()
    return orders_row(measured) if task["kind"] == "exchange" else echo_row(measured)


def main() -> None:
    task = json.loads(sys.argv[1])
    if task["core"] is not None:
        os.sched_setaffinity(0, {task["core"]})
    print(json.dumps(run(task)), flush=True)


if __name__ == "__main__":
    main()
