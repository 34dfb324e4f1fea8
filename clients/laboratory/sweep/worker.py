"""One task of a sweep: play the scenario, measure, keep the numbers. What a run was in full stays with the worker and is forgotten."""

from clients.laboratory.measures.measures import measure
from clients.laboratory.measures.participants import participant_table
from clients.laboratory.run.engine import simulate
from clients.laboratory.sweep.task import Measure, Result, Task, done

# Columns of the table of participants that add up over those of one role.
_ADDITIVE = ("_cny", "_kwh")


def play(task: Task) -> Result:
    """Raises whatever the scenario's agents and the simulator raise; `attempt` makes a result of it."""
    record = simulate(task.scenario, task.seed)
    rows = participant_table(record)
    participants = {str(row["participant"]): {name: value for name, value in row.items() if not isinstance(value, str)} for row in rows}
    roles = {str(row["participant"]): str(row["role"]) for row in rows}
    return done(task, dict(measure(record)), {**by_role(participants, roles), **participants}, record.state_hash)


def by_role(participants: dict[str, dict[str, Measure]], roles: dict[str, str]) -> dict[str, dict[str, Measure]]:
    """Money and energy of all participants of a role together, under the name of the role."""
    sums: dict[str, dict[str, Measure]] = {}
    for participant, row in participants.items():
        total = sums.setdefault(roles[participant], {})
        for name, value in row.items():
            if name.endswith(_ADDITIVE) and value is not None:
                total[name] = (total.get(name) or 0) + value
    return sums
