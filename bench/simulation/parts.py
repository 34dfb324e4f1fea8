"""The three measures, each called in a process of its own."""

import dataclasses
import datetime
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from bench.checks import ResultMismatchError
from clients.laboratory.run.engine import simulate
from clients.laboratory.scenario.model import Scenario
from clients.laboratory.scenario.resolve import load_scenario
from clients.laboratory.scenario.write import scenario_text
from clients.laboratory.sweep.attempt import attempt
from clients.laboratory.sweep.axes import Cell
from clients.laboratory.sweep.plan import Question, make_tasks
from clients.laboratory.sweep.processes import Processes, cores
from clients.laboratory.sweep.results import ResultFile
from clients.laboratory.sweep.runner import PLAY, Runner
from exchange.units import WH_PER_KWH

SEED: Final = 7
ORDERS_A_DAY: Final = 50_000
PARTICIPANTS: Final = 100
_REPEATS: Final = 5
_ROUNDS_MORE: Final = 28


def busy_day() -> Scenario:
    """The demo park with so many rounds the day before that a day has 50,000 orders."""
    return load_scenario("park", {"market.day_ahead_rounds": str(_ROUNDS_MORE), "market.day_ahead_minutes": "5"})


def large_park(days: int) -> Scenario:
    """The demo park's loads and plants over and over until there are 100 participants, from the first of January, ten rounds a quarter-hour.

    Trading is continuous from the opening on; no load moves, and there is no storage.
    """
    park = load_scenario("park", {"market.opening_auction_minutes": "0"})
    metered = [dataclasses.replace(entry, flexible=None) for entry in park.participants if entry.load or entry.generation]
    participants = tuple(
        dataclasses.replace(metered[index % len(metered)], id=f"{metered[index % len(metered)].id}-{index // len(metered) + 1}")
        for index in range(PARTICIPANTS)
    )
    first = datetime.date(park.first_date.year, 1, 1)
    return dataclasses.replace(park, name="large-park", participants=participants, first_date=first, days=days, instruments=())


def measure_day(_: int) -> dict[str, Any]:
    """Seconds and orders of the busy day."""
    scenario, seconds, hashes = busy_day(), [], set()
    for repeat in range(1 + _REPEATS):
        began = time.perf_counter()
        record = simulate(scenario, SEED)
        if repeat:
            seconds.append(time.perf_counter() - began)
        hashes.add(record.state_hash)
    if len(hashes) != 1 or record.orders < ORDERS_A_DAY:
        raise ResultMismatchError(f"{record.orders} orders, {len(hashes)} different state hashes")
    return {"day_s": round(statistics.median(seconds), 3), "day_orders": record.orders, "state_hash": record.state_hash}


def measure_year(days: int) -> dict[str, Any]:
    """Seconds, orders and peak memory of the year; the compiler is warm, as on every run but the first."""
    simulate(large_park(1), SEED)
    began = time.perf_counter()
    record = simulate(large_park(days), SEED)
    seconds = time.perf_counter() - began
    if int(record.issued_wh.sum()) != int(record.generation_wh.sum()) or record.double_claims:
        raise ResultMismatchError("certificates differ from the generation that was metered")
    return {
        "year_s": round(seconds, 2),
        "year_orders": record.orders,
        "year_trades": len(record.trades),
        "year_traded_mwh": round(int(record.bought_lots.sum()) / 10 / WH_PER_KWH, 1),
        "year_peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "year_parts_s": {name: round(value, 2) for name, value in record.seconds.items()},
        "year_state_hash": record.state_hash,
    }


def measure_sweep(park_days: int) -> dict[str, Any]:
    """Park-days as `parkex sweep` plays them on all cores, from starting its workers to the last result on disk, against the same in this process.

    One after the other, warm; both end in the same results.
    """
    tasks = make_tasks(Question(scenario="park", seeds=park_days), Cell("park-days", {}), load_scenario, scenario_text)
    attempt(PLAY, tasks[0])
    began, began_cpu_s = time.perf_counter(), _cpu_s()
    alone = {task.key: attempt(PLAY, task).result for task in tasks}
    alone_s, alone_cpu_s = time.perf_counter() - began, _cpu_s() - began_cpu_s
    began_cpu_s = _cpu_s()
    with TemporaryDirectory() as directory, ResultFile(Path(directory)) as file:
        began = time.perf_counter()
        with Processes(PLAY, cores()) as processes:
            together = Runner(processes, file).play(tasks)
            together_s = time.perf_counter() - began
    if alone != together or not all(result.is_done for result in alone.values()):
        raise ResultMismatchError("a run in another process came to another result, or none")
    return {
        "sweep_s": round(together_s, 2),
        "sweep_alone_s": round(alone_s, 2),
        "sweep_efficiency": round(together_s * cores() / alone_s, 3),
        "sweep_cpu_ratio": round((_cpu_s() - began_cpu_s) / alone_cpu_s, 3),
    }


def _cpu_s() -> float:
    """CPU seconds of this process and of those that it started and that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


PARTS: Final[dict[str, Callable[[int], dict[str, Any]]]] = {"day": measure_day, "year": measure_year, "sweep": measure_sweep}
