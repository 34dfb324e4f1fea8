"""One task of a sweep: play the scenario, measure, keep the numbers. What a run was in full stays with the worker and is forgotten."""

from collections.abc import Mapping, Sequence
from math import fsum
from typing import Final

from clients.laboratory.benchmark.bounds import bounds_of
from clients.laboratory.measures.measures import measure
from clients.laboratory.measures.participants import participant_table
from clients.laboratory.run.engine import simulate
from clients.laboratory.sweep.task import Measure, Result, Task, done

# What a sweep keeps of each participant, and of all of one role together: what adds up and what somebody pays or trades.
KEPT: Final = (
    "bill_retail_cny", "bill_pool_cny", "bill_market_cny", "storage_value_change_cny", "saving_against_pool_cny", "fees_cny", "imbalance_cost_cny",
    "bought_kwh", "sold_kwh",
)  # fmt: skip


def play(task: Task) -> Result:
    """Raises whatever the scenario's agents and the simulator raise; `attempt` makes a result of it."""
    record = simulate(task.scenario, task.seed)
    # The rolling bound takes a program for each step, far longer than the run.
    bounds = bounds_of(record, rolling_step_periods=0) if task.welfare else None
    return done(task, dict(measure(record, bounds)), kept_of_participants(participant_table(record)), record.state_hash)


def kept_of_participants(rows: Sequence[Mapping[str, str | Measure]]) -> dict[str, dict[str, Measure]]:
    """KEPT of every participant by id and, before them, the sums of every role by name."""
    of_role: dict[str, list[dict[str, Measure]]] = {}
    of_participant: dict[str, dict[str, Measure]] = {}
    for row in rows:
        kept = {name: value for name, value in row.items() if name in KEPT and not isinstance(value, str)}
        of_participant[str(row["participant"])] = kept
        of_role.setdefault(str(row["role"]), []).append(kept)
    return {role: _sums(entries) for role, entries in of_role.items()} | of_participant


def _sums(rows: Sequence[Mapping[str, Measure]]) -> dict[str, Measure]:
    return {name: fsum(value for row in rows if (value := row.get(name)) is not None) for name in rows[0]}
