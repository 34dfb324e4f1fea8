"""Where results go: one JSON line a run, with the commit, the machine and the versions that made it."""

import json
import os
import platform
import subprocess
from pathlib import Path
from typing import Any, Final

import numba
import numpy as np

RESULTS: Final = Path(__file__).parent / "results"


def commit_name() -> str:
    """The commit measured, marked when files differ from it; `unknown` outside a checkout."""
    root = Path(__file__).parent
    commands = (["git", "rev-parse", "--short", "HEAD"], ["git", "status", "--porcelain", "--", "../matching", "../exchange"])
    outputs = []
    for command in commands:
        result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
        outputs.append(result.stdout.strip())
    commit, changes = outputs
    return (commit or "unknown") + ("+changes" if changes else "")


def machine_name() -> str:
    """Processor and cores, as far as the system tells."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = names[0] if names else model
    return f"{model}, {os.cpu_count()} cores, {platform.system()}"


def append_result(benchmark: str, result: dict[str, Any], directory: Path = RESULTS) -> Path:
    """Append one line to `directory`/`benchmark`.jsonl and return that file."""
    line = {"benchmark": benchmark, "commit": commit_name(), "machine": machine_name(), "numba": numba.__version__, "numpy": np.__version__} | result
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{benchmark}.jsonl"
    with path.open("a") as file:
        file.write(json.dumps(line) + "\n")
    return path
