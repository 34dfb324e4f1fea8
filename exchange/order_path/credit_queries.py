"""What can be asked about allowances, projects and park credits. Reads only; answers are values."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import msgspec

from exchange.carbon.calendar import deadline_ns
from exchange.carbon.compliance import ComplianceYear
from exchange.carbon.park_scheme import Performance
from exchange.carbon.projects import Monitoring, Project
from exchange.carbon.reductions import UG_PER_G
from exchange.carbon.surrender import ccer_limit_t, fine_micro
from exchange.carbon.vintages import is_usable, vintage_of
from exchange.order_path.business.credit_deadlines import average_price, surrender_deadline_ns
from exchange.order_path.business.credit_units import usable_lots
from exchange.protocol.instrument_class import InstrumentClass

if TYPE_CHECKING:
    from exchange.market.instruments import Instrument
    from exchange.order_path.path import Exchange
    from exchange.order_path.tables import Rooms


@dataclass(frozen=True, slots=True)
class HeldUnits:
    """Units of one instrument: all that an account owns, and those that it can surrender now. `vintage` 0: CCER."""

    symbol: str
    vintage: int
    owned_t: int
    usable_t: int


@dataclass(frozen=True, slots=True)
class CompliancePosition:
    """Where an entity stands in a compliance year. Amounts in t, money in micro-CNY, emissions in g, -1 for what is not known yet.

    `held`: allowances of the vintages that count for the year, and CCER. `held_t`: the allowances among them. `ccer_usable_t`: CCER it owns that the
    cap still allows. `short_t`: what allowances alone leave open; `short_with_ccer_t`: what is left with the CCER too. `penalty_micro`: the fine
    (least, most) if nothing more is surrendered, at the average price so far, empty while there is no price; after the deadline that of the
    shortfall. `due_micro`: what is left to pay of an imposed fine.
    """

    account: int
    year: int
    sector: str
    reported_g: int
    verified_g: int
    verifier: int
    entitled_t: int
    obligation_t: int
    surrendered_t: int
    offset_t: int
    held: tuple[HeldUnits, ...]
    held_t: int
    ccer_limit_t: int
    ccer_usable_t: int
    short_t: int
    short_with_ccer_t: int
    debt_t: int
    cut_t: int
    report_by_ns: int
    verify_by_ns: int
    surrender_by_ns: int
    is_closed: bool
    shortfall_t: int
    penalty_micro: tuple[int, ...]
    imposed_micro: int
    due_micro: int


@dataclass(frozen=True, slots=True)
class IssuanceEvidence:
    """One monitoring with what is stored of it. Digests are hexadecimal; -1 for what is not known yet."""

    monitoring: int
    start_ns: int
    end_ns: int
    baseline_wh: int
    energy_wh: int
    verified_wh: int
    reductions_g: int
    uncertainty_ppm: int
    project_emissions_g: int
    leakage_g: int
    monitoring_sha256: str
    data_sha256: str
    opinion_sha256: str
    verifier: int
    credits_t: int
    buffer_t: int
    withheld_t: int
    carry_ug: int
    reversed_t: int


@dataclass(frozen=True, slots=True)
class ProjectView:
    """A project with its evidence. `factor`: publisher, year, region, kind, mg/kWh."""

    project: int
    name: str
    kind: str
    state: str
    number: str
    symbol: str
    developer: int
    host: int
    credit_owner: int
    validator: int
    factor: tuple[str, int, str, str, int]
    contract_sha256: str
    design_sha256: str
    validation_sha256: str
    buffer_ppm: int
    debt_t: int
    issuances: tuple[IssuanceEvidence, ...]


class CreditQueries:
    """Read side of allowances and credits; `Queries` inherits it."""

    rooms: "Rooms"

    def compliance_years(self, account: int) -> list[int]:
        """Years of which something is known."""
        return [row.year for row in self.rooms.credits.compliance.of_account(account)]

    def compliance_position(self, account: int, year: int) -> CompliancePosition | None:
        """None for an account that is no compliance entity."""
        return _position(cast("Exchange", self), account, year)

    def credit_projects(self, account: int | None = None) -> list[ProjectView]:
        """All projects by id, or those that an account develops, hosts or owns the credits of."""
        projects = self.rooms.credits.projects.by_id.values()
        return [_view(self.rooms, p) for p in projects if account is None or account in {p.developer, p.host, p.credit_owner}]

    def credit_buffer_t(self, symbol: str) -> int:
        """Credits set aside against reversals."""
        instrument = self.rooms.instruments.by_symbol.get(symbol)
        return 0 if instrument is None else self.rooms.credits.projects.buffer_lots(instrument.id)

    def park_performances(self, account: int | None = None) -> list[tuple[str, Performance]]:
        """(symbol, copy of the row) of verified performances in park schemes, by instrument and account."""
        rows: list[tuple[Any, Performance]] = sorted(self.rooms.credits.parks.performances.items())
        symbols = self.rooms.instruments.by_id
        return [(symbols[row.instrument].symbol, msgspec.structs.replace(row)) for _, row in rows if account is None or row.account == account]


def _position(exchange: "Exchange", account: int, year: int) -> CompliancePosition | None:
    tables = exchange.rooms.credits
    entity = tables.compliance.entities.get(account)
    if entity is None:
        return None
    row = tables.compliance.years.get((account, year)) or ComplianceYear(account, year)
    rules = tables.rules.of_year(year)
    held = tuple(_held(exchange, account, year, rules.vintage_from_year))
    held_t = sum(units.owned_t for units in held if units.vintage)
    limit_t = ccer_limit_t(row.obligation_t, rules.ccer_cap_ppm)
    ccer_usable_t = min(limit_t - row.offset_t, sum(units.usable_t for units in held if not units.vintage))
    short_t = max(0, row.open_t - held_t)
    return CompliancePosition(
        account, year, entity.sector, row.reported_g, row.verified_g, row.verifier, row.entitled_t, row.obligation_t, row.surrendered_t,
        row.offset_t, held, held_t, limit_t, ccer_usable_t, short_t, max(0, short_t - ccer_usable_t), entity.debt_t, entity.cut_t,
        deadline_ns(year, rules.report_day), deadline_ns(year, rules.verify_day), surrender_deadline_ns(exchange, year), row.is_closed,
        row.shortfall_t, _penalty(exchange, row), row.penalty_micro, row.due_micro,
    )  # fmt: skip


def _held(exchange: "Exchange", account: int, year: int, oldest: int) -> list[HeldUnits]:
    """Units that count for a year, by vintage, CCER first."""
    found = []
    for instrument in exchange.rooms.instruments.open.values():
        vintage = 0 if instrument.instrument_class is InstrumentClass.CCER else _vintage(instrument)
        if vintage is None or (vintage and not is_usable(vintage, year, oldest)):
            continue
        owned_t = int(exchange.state.positions[instrument.slot, account].net_lots)
        if owned_t:
            found.append(HeldUnits(instrument.symbol, vintage, owned_t, usable_lots(exchange, instrument, account)))
    return sorted(found, key=lambda units: (units.vintage, units.symbol))


def _vintage(instrument: "Instrument") -> int | None:
    return vintage_of(instrument.symbol) if instrument.instrument_class is InstrumentClass.CEA else None


def _penalty(exchange: "Exchange", row: ComplianceYear) -> tuple[int, ...]:
    """(least, most) of the fine for what is open."""
    tables = exchange.rooms.credits
    known = tables.compliance.prices.get(row.year)
    turnover_micro, traded_t = known or average_price(exchange, row.year, surrender_deadline_ns(exchange, row.year))
    if not traded_t:
        return ()
    rules = tables.rules.of_year(row.year)
    return tuple(fine_micro(row.open_t, turnover_micro, traded_t, multiple) for multiple in (rules.penalty_min_ppm, rules.penalty_max_ppm))


def _view(rooms: "Rooms", project: Project) -> ProjectView:
    factor = project.factor
    return ProjectView(
        project.id, project.name, project.kind, project.state.name.lower(), project.number, rooms.instruments.by_id[project.instrument].symbol,
        project.developer, project.host, project.credit_owner, project.validator,
        (factor.publisher, factor.year, factor.region, factor.kind, factor.mg_per_kwh), project.contract_sha256.hex(),
        project.design_sha256.hex(), project.validation_sha256.hex(), project.buffer_ppm, project.debt_t,
        tuple(_evidence(monitoring) for monitoring in project.monitorings),
    )  # fmt: skip


def _evidence(monitoring: Monitoring) -> IssuanceEvidence:
    m = monitoring
    reductions_g = m.reductions_ug // UG_PER_G if m.verified_wh >= 0 else -1
    return IssuanceEvidence(
        m.number, m.start_ns, m.end_ns, m.baseline_wh, m.energy_wh, m.verified_wh, reductions_g, m.uncertainty_ppm, m.project_emissions_g,
        m.leakage_g, m.digest.hex(), m.data_sha256.hex(), m.opinion_sha256.hex(), m.verifier, m.credits_t, m.buffer_t, m.withheld_t, m.carry_ug,
        m.reversed_t,
    )  # fmt: skip
