"""Projects, their monitorings and what was issued for each: a table of the fold.

Invariant (`check_projects`): credits, buffer and carry of every issuance are at most what its verifier accepted, and each names its baseline, its
emission factor with version, the digest of its monitored data and its verifier.
"""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from exchange.carbon.project_states import ProjectState
from exchange.carbon.record import FrozenRecord, Record, from_rows, to_rows
from exchange.carbon.reductions import UG_PER_T
from exchange.errors import CheckFailedError


class Factor(FrozenRecord, frozen=True):
    """An emission factor with the version it belongs to."""

    publisher: str
    year: int
    region: str
    kind: str
    mg_per_kwh: int


class Claimed(FrozenRecord, frozen=True):
    """Energy of one device and interval that a monitoring is about."""

    device: int
    start_ns: int
    end_ns: int
    energy_wh: int


class Monitoring(Record):
    """One monitoring period. `energy_wh` is what was generated or saved; `baseline_wh` of a retrofit is the adjusted baseline, of generation 0.

    `digest` is the SHA-256 of the document that brought the data, which names the file of readings behind it by `data_sha256`. `reductions_ug`,
    credits, buffer and carries are -1 until they are known.
    """

    number: int
    start_ns: int
    end_ns: int
    digest: bytes
    data_sha256: bytes
    energy_wh: int
    baseline_wh: int
    project_emissions_g: int
    leakage_g: int
    rows: list[Claimed]
    verifier: int = 0
    opinion_sha256: bytes = b""
    verified_wh: int = -1
    uncertainty_ppm: int = 0
    reductions_ug: int = -1
    issued_ns: int = 0
    credits_t: int = -1
    buffer_t: int = -1
    withheld_t: int = 0
    carry_in_ug: int = 0
    carry_ug: int = -1
    buffer_carry_in_ug: int = 0
    buffer_carry_ug: int = -1
    reversed_t: int = 0

    @property
    def is_issued(self) -> bool:
        return self.credits_t >= 0


class Project(Record):
    """`instrument`: what it earns. `carry_ug`, `buffer_carry_ug`: below a ton, for the next issuance. `debt_t`: reversed credits still owed."""

    id: int
    name: str
    kind: str
    developer: int
    host: int
    credit_owner: int
    instrument: int
    contract_sha256: bytes
    design_sha256: bytes
    factor: Factor
    starts_ns: int
    devices: list[int]
    measure: str
    carrier: str
    baseline_wh: int
    variable_names: list[str]
    wh_per_unit: list[int]
    state: ProjectState = ProjectState.PROPOSED
    is_confirmed: bool = False
    validator: int = 0
    validation_sha256: bytes = b""
    number: str = ""
    buffer_ppm: int = 0
    credits_from_ns: int = 0
    credits_to_ns: int = 0
    carry_ug: int = 0
    buffer_carry_ug: int = 0
    debt_t: int = 0
    monitorings: list[Monitoring] = msgspec.field(default_factory=list)

    @property
    def is_alive(self) -> bool:
        return self.state is not ProjectState.REJECTED

    @property
    def last(self) -> Monitoring | None:
        """The newest monitoring."""
        return self.monitorings[-1] if self.monitorings else None


class Buffer(Record):
    """Credits of an instrument that are set aside against reversals, pooled over its projects. `rows`: bundles of the registry, as set aside."""

    instrument: int
    lots: int = 0
    rows: list[int] = msgspec.field(default_factory=list)

    def add(self, lots: int, rows: list[int]) -> None:
        self.lots += lots
        self.rows = [*self.rows, *rows]


@dataclass(slots=True)
class Projects:
    """All projects by id, and the buffers by instrument."""

    by_id: dict[int, Project] = field(default_factory=dict)
    buffers: dict[int, Buffer] = field(default_factory=dict)

    def buffer(self, instrument: int) -> Buffer:
        """The buffer of an instrument, made when it is first needed."""
        return self.buffers.setdefault(instrument, Buffer(instrument))

    def buffer_lots(self, instrument: int) -> int:
        return self.buffers[instrument].lots if instrument in self.buffers else 0

    @property
    def next_id(self) -> int:
        return len(self.by_id) + 1

    def has_number(self, number: str) -> bool:
        return any(project.number == number for project in self.by_id.values())

    def rival(self, host: int, measure: str, devices: list[int]) -> bool:
        """Whether a living project has the same measure at the host, or one of the devices."""
        wanted = set(devices)
        living = (project for project in self.by_id.values() if project.is_alive)
        return any((measure and (p.host, p.measure) == (host, measure)) or not wanted.isdisjoint(p.devices) for p in living)

    def credited_ug(self, host: int, instrument: int, start_ns: int, end_ns: int) -> int:
        """Verified reductions at a site that have credits of that instrument, not reversed, for a time that overlaps [start_ns, end_ns)."""
        own = (project for project in self.by_id.values() if (project.host, project.instrument) == (host, instrument))
        found = (m for project in own for m in project.monitorings if m.is_issued and m.start_ns < end_ns and start_ns < m.end_ns)
        return sum(max(0, monitoring.reductions_ug - monitoring.reversed_t * UG_PER_T) for monitoring in found)

    def to_canonical(self) -> list[Any]:
        if not self.by_id:
            return []
        return [to_rows(project for _, project in sorted(self.by_id.items())), to_rows(row for _, row in sorted(self.buffers.items()))]

    @classmethod
    def from_canonical(cls, content: list[Any]) -> "Projects":
        if not content:
            return cls()
        rows, buffers = content
        return cls({project.id: project for project in from_rows(Project, rows)}, {row.instrument: row for row in from_rows(Buffer, buffers)})


def check_projects(projects: Projects) -> None:
    """Raises CheckFailedError naming the first invariant that does not hold."""
    for project in projects.by_id.values():
        carry, buffer_carry = 0, 0
        for monitoring in project.monitorings:
            if monitoring.is_issued:
                _check_issuance(monitoring, carry, buffer_carry)
                carry, buffer_carry = monitoring.carry_ug, monitoring.buffer_carry_ug
        _require((project.carry_ug, project.buffer_carry_ug) == (carry, buffer_carry), "a project carries what its last issuance left")
        _require(project.debt_t >= 0, "debts are not negative")
    _require(all(buffer.lots >= 0 for buffer in projects.buffers.values()), "a buffer is not negative")


def _check_issuance(monitoring: Monitoring, carry_ug: int, buffer_carry_ug: int) -> None:
    _require((monitoring.carry_in_ug, monitoring.buffer_carry_in_ug) == (carry_ug, buffer_carry_ug), "a carry is taken once")
    own_ug = monitoring.credits_t * UG_PER_T + monitoring.carry_ug - monitoring.carry_in_ug
    buffer_ug = monitoring.buffer_t * UG_PER_T + monitoring.buffer_carry_ug - monitoring.buffer_carry_in_ug
    _require(0 <= own_ug + buffer_ug <= max(0, monitoring.reductions_ug), "credits are at most the verified reductions")
    _require(0 <= monitoring.carry_ug < UG_PER_T and 0 <= monitoring.buffer_carry_ug < UG_PER_T, "a carry is below a ton")
    _require(0 <= monitoring.withheld_t <= monitoring.credits_t, "no more is withheld than earned")
    _require(0 <= monitoring.reversed_t <= monitoring.credits_t + monitoring.buffer_t, "no more is reversed than issued")
    _require(monitoring.verifier > 0 and len(monitoring.digest) == len(monitoring.opinion_sha256) == 32, "an issuance names its evidence")


def _require(condition: bool, invariant: str) -> None:
    if not condition:
        raise CheckFailedError(f"not so: {invariant}")
