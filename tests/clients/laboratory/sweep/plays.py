"""Task functions of the tests, found by workers under `tests.clients.laboratory.sweep.plays:NAME`. Each is a pure function of scenario and seed."""

import hashlib
import os
import signal
import sys
import time
from pathlib import Path

from clients.laboratory.sweep.task import Result, Task, done
from exchange.errors import InputError

FUNCTIONS = "tests.clients.laboratory.sweep.plays"


def noise(seed: int, purpose: str = "") -> float:
    """A number in [-1, 1) of a seed."""
    raw = int.from_bytes(hashlib.sha256(f"{seed}/{purpose}".encode()).digest()[:8], "little")
    return raw / 2.0**63 - 1.0


def measured(task: Task) -> Result:
    """Linear in the gate closure, with a large noise of the seed that all rules share and a small one of their own."""
    market, days = task.scenario.market, task.scenario.days
    gain = {"cda": 0.0, "uniform": 3.0}.get(market.mechanism, 1.0)
    own = noise(task.seed, f"{market} {task.population} {task.response}") * 0.1
    efficiency = 90.0 - 0.1 * market.gate_closure_minutes + gain + 5.0 * noise(task.seed) + own
    bills = {p.id: {"bill_market_cny": 100.0 * days + noise(task.seed, p.id) - (2.0 if task.response == f"{p.id} withholds" else 0.0)}
             for p in task.scenario.participants}  # fmt: skip
    measures = {"allocative_efficiency": efficiency, "same": 1.0 + noise(task.seed), "undefined": None, "traded_lots": task.seed}
    digest = hashlib.sha256(repr((market, task.seed)).encode()).hexdigest()
    return done(task, measures, bills, digest)


def raises_for_uniform(task: Task) -> Result:
    if task.scenario.market.mechanism == "uniform":
        return {}["nothing"]
    return measured(task)


def refuses_for_uniform(task: Task) -> Result:
    if task.scenario.market.mechanism == "uniform":
        raise InputError("own.py:12: quote returned nonsense")
    return measured(task)


def dies_for_uniform(task: Task) -> Result:
    if task.scenario.market.mechanism == "uniform":
        os.kill(os.getpid(), signal.SIGKILL)
    return measured(task)


def exits_for_uniform(task: Task) -> Result:
    if task.scenario.market.mechanism == "uniform":
        sys.exit("a strategy that leaves")
    return measured(task)


def waits_for_uniform(task: Task) -> Result:
    """Writes its process id beside the sweep and then stays until it is killed."""
    if task.scenario.market.mechanism == "uniform":
        Path(os.environ["WAITS_FILE"]).write_text(str(os.getpid()))
        while True:
            time.sleep(60)
    return measured(task)
