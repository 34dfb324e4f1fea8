"""Documents of the national market of allowances: rules, entities, emissions, allocation, surrender, penalties.

Emissions are in g, energy in Wh, outputs in whole units of their product, shares in parts per million, allowances and credits in lots of 1 t.
A compliance year is the calendar year of the emissions. Digests are SHA-256.
"""

from typing import ClassVar, Final

import msgspec

from exchange.protocol.document import Document, Part


class SetCarbonRules(Document, frozen=True, kw_only=True):
    """The parameters of the national scheme from a compliance year on; a year that has begun to be worked on keeps its own.

    Days are month * 100 + day of the year after the compliance year, the day itself included. `vintage_from_year`: the oldest vintage that may be
    surrendered. `verifier_years_max`: how many years in a row one verifier may have the same client.
    """

    SCHEMA: ClassVar[str] = "set_carbon_rules"
    from_year: int
    pre_allocation_ppm: int = 700_000
    ccer_cap_ppm: int = 50_000
    carry_over_ppm: int = 1_500_000
    vintage_from_year: int = 0
    penalty_min_ppm: int = 5_000_000
    penalty_max_ppm: int = 10_000_000
    verifier_years_max: int = 3
    validator_may_verify: bool = False
    report_day: int = 331
    verify_day: int = 630
    surrender_day: int = 1231


class RegisterComplianceEntity(Document, frozen=True, kw_only=True):
    """An entity of the national scheme (重点排放单位): its sector and the sources inside its boundary of direct emissions, by name.

    `boundary_projects`: numbers of credit projects inside that boundary, whose CCER it may not surrender.
    """

    SCHEMA: ClassVar[str] = "register_compliance_entity"
    account: int
    sector: str
    sources: list[str]
    boundary: str
    boundary_projects: list[str] = msgspec.field(default_factory=list)


class ReportEmissions(Document, frozen=True, kw_only=True):
    """The sender's own report of a compliance year; a second one replaces the first until it is verified."""

    SCHEMA: ClassVar[str] = "report_emissions"
    year: int
    emissions_g: int
    report_sha256: bytes


class VerifyEmissions(Document, frozen=True, kw_only=True):
    """A verifier's signed figure for the report with that digest. It makes the obligation."""

    SCHEMA: ClassVar[str] = "verify_emissions"
    account: int
    year: int
    emissions_g: int
    report_sha256: bytes


class OutputLine(Part, frozen=True, kw_only=True):
    """Allowances of one product: output x benchmark x factors."""

    product: str
    output_units: int
    benchmark_g_per_unit: int
    factors_ppm: list[int] = msgspec.field(default_factory=list)


class AllocateAllowances(Document, frozen=True, kw_only=True):
    """Allowances of the vintage of `year`. stage: pre (a share of last year's verified emissions), final (by `outputs`, a true-up against the first),
    verified (as much as was verified: the first year of a new sector).

    `base_emissions_g`: last year's verified emissions where the exchange has none of that year.
    """

    SCHEMA: ClassVar[str] = "allocate_allowances"
    account: int
    year: int
    symbol: str
    stage: str
    outputs: list[OutputLine] = msgspec.field(default_factory=list)
    base_emissions_g: int = 0


class SurrenderLine(Part, frozen=True, kw_only=True):
    """Units of one instrument. `origin`: of CCER the number of the project they come from."""

    symbol: str
    quantity_lots: int
    origin: str = ""


class SurrenderAllowances(Document, frozen=True, kw_only=True):
    """The sender surrenders (清缴) allowances and CCER for a year, all lines or none; several documents may add up to the obligation."""

    SCHEMA: ClassVar[str] = "surrender_allowances"
    year: int
    units: list[SurrenderLine]


class CarryOverAllowances(Document, frozen=True, kw_only=True):
    """The sender's allowances of one vintage become those of a later one (结转), within its net sales of the first."""

    SCHEMA: ClassVar[str] = "carry_over_allowances"
    symbol: str
    to_symbol: str
    quantity_lots: int


class SettleAllowanceDebt(Document, frozen=True, kw_only=True):
    """The sender gives back allowances that it owes since a true-up."""

    SCHEMA: ClassVar[str] = "settle_allowance_debt"
    symbol: str
    quantity_lots: int


class ImposePenalty(Document, frozen=True, kw_only=True):
    """The fine for a shortfall: `multiple_ppm` x shortfall x average price of the month before the deadline."""

    SCHEMA: ClassVar[str] = "impose_penalty"
    account: int
    year: int
    multiple_ppm: int
    reference: str


class CollectDues(Document, frozen=True, kw_only=True):
    """Take what an account owes, allowances first, then penalties, as far as it has something free."""

    SCHEMA: ClassVar[str] = "collect_dues"
    account: int


ALLOWANCES: Final[tuple[type[Document], ...]] = (
    SetCarbonRules, RegisterComplianceEntity, ReportEmissions, VerifyEmissions, AllocateAllowances, SurrenderAllowances, CarryOverAllowances,
    SettleAllowanceDebt, ImposePenalty, CollectDues,
)  # fmt: skip
