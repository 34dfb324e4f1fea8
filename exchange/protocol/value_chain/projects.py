"""Documents of projects that earn credits: proposal, validation, registration, monitoring, verification, issuance, reversal.

Emissions are in g, energy in Wh, outputs in whole units of their product, shares in parts per million, allowances and credits in lots of 1 t.
Digests are SHA-256.
"""

from typing import ClassVar, Final

import msgspec

from exchange.protocol.document import Document, Part


class EmissionFactor(Part, frozen=True, kw_only=True):
    """mg CO2 of a kWh, with the version it belongs to."""

    publisher: str
    year: int
    region: str
    kind: str
    mg_per_kwh: int


class RoutineVariable(Part, frozen=True, kw_only=True):
    """A routine variable of the baseline, such as output or degree days, and the energy that one unit of it takes."""

    name: str
    wh_per_unit: int


class ProposeProject(Document, frozen=True, kw_only=True):
    """A project of the sender at the site of `host`. kind: pv_self_use, retrofit, offshore_wind, csp (pv and onshore_wind are named and refused).

    The contract names who owns the credits, the sender or the host; the other one confirms. Generation projects name `devices`, a retrofit its
    `measure`, `carrier` (electricity, fuel) and baseline: `baseline_wh` a monitoring period plus `variables`.
    `reduces_sources`: sources at the site whose direct emissions fall.
    """

    SCHEMA: ClassVar[str] = "propose_project"
    name: str
    kind: str
    host: int
    symbol: str
    credit_owner: int
    contract_sha256: bytes
    design_sha256: bytes
    factor: EmissionFactor
    starts_ns: int
    devices: list[int] = msgspec.field(default_factory=list)
    measure: str = ""
    carrier: str = "electricity"
    reduces_sources: list[str] = msgspec.field(default_factory=list)
    baseline_wh: int = 0
    variables: list[RoutineVariable] = msgspec.field(default_factory=list)


class ConfirmCreditOwner(Document, frozen=True, kw_only=True):
    """The other party of the contract says the same: who owns the credits, by which contract."""

    SCHEMA: ClassVar[str] = "confirm_credit_owner"
    project: int
    credit_owner: int
    contract_sha256: bytes


class ValidateProject(Document, frozen=True, kw_only=True):
    """A verifier's signed opinion (审定) on design, baseline and additionality. A negative one ends the project."""

    SCHEMA: ClassVar[str] = "validate_project"
    project: int
    is_positive: bool
    is_additional: bool
    opinion_sha256: bytes


class RegisterProject(Document, frozen=True, kw_only=True):
    """The registrar's entry: number, share of the credits that goes to the buffer, crediting period [from, to)."""

    SCHEMA: ClassVar[str] = "register_project"
    project: int
    number: str
    buffer_ppm: int
    credits_from_ns: int
    credits_to_ns: int


class EnergyRow(Part, frozen=True, kw_only=True):
    """Energy of a device in [start_ns, end_ns): self-used, or fed in where the project is a power station of the grid."""

    device: int
    start_ns: int
    end_ns: int
    energy_wh: int


class SubmitMonitoring(Document, frozen=True, kw_only=True):
    """Monitored data of a period of the sender's project; its own SHA-256 is stored with what is issued for it.

    Generation: `energy`. Retrofit: `metered_wh` after it, `variables_milli` in the order of the project's (thousandths of a unit) and
    `non_routine_wh`, which raises the baseline or lowers it. Project emissions and leakage are deducted.
    """

    SCHEMA: ClassVar[str] = "submit_monitoring"
    project: int
    period_start_ns: int
    period_end_ns: int
    data_sha256: bytes
    energy: list[EnergyRow] = msgspec.field(default_factory=list)
    metered_wh: int = 0
    variables_milli: list[int] = msgspec.field(default_factory=list)
    non_routine_wh: int = 0
    project_emissions_g: int = 0
    leakage_g: int = 0


class VerifyReductions(Document, frozen=True, kw_only=True):
    """A verifier's signed opinion (核查) on the monitoring with that digest: the energy it accepts, at most what was monitored, and its uncertainty.

    A negative one sends the monitoring back.
    """

    SCHEMA: ClassVar[str] = "verify_reductions"
    project: int
    monitoring_sha256: bytes
    verified_wh: int
    uncertainty_ppm: int
    opinion_sha256: bytes
    is_positive: bool = True


class IssueCredits(Document, frozen=True, kw_only=True):
    """Credits for the verified monitoring of a project; the quantity is said by who issues and must be the one that follows."""

    SCHEMA: ClassVar[str] = "issue_credits"
    project: int
    quantity_lots: int


class ReverseCredits(Document, frozen=True, kw_only=True):
    """Credits of one monitoring that should not be: cancelled from the buffer, then from their owner, then owed by the project."""

    SCHEMA: ClassVar[str] = "reverse_credits"
    project: int
    monitoring: int
    quantity_lots: int
    reason: str


PROJECTS: Final[tuple[type[Document], ...]] = (
    ProposeProject, ConfirmCreditOwner, ValidateProject, RegisterProject, SubmitMonitoring, VerifyReductions, IssueCredits, ReverseCredits,
)  # fmt: skip
