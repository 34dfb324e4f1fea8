"""The national scheme up to the allocation: rules, entities, reported and verified emissions, allowances by vintage."""

from typing import TYPE_CHECKING, Final

from exchange.accounts.permissions import Role
from exchange.carbon.allocation import (
    EMISSIONS_MAX_G,
    grant,
    intensity_allocation_t,
    obligation_t,
    outputs_problem,
    pre_allocation_t,
    take_back,
)
from exchange.carbon.calendar import deadline_ns, year_end_ns
from exchange.carbon.compliance import ComplianceYear, Entity, Stage
from exchange.carbon.rules import YEAR_MAX, YEAR_MIN, rules_of, rules_problem
from exchange.ledger.records import PostingReason
from exchange.market.instruments import Instrument
from exchange.order_path.business.credit_deadlines import close_year, schedule_year, surrender_deadline_ns
from exchange.order_path.business.credit_units import (
    TEXT_MAX,
    allowances,
    issue_some,
    require_digest,
    require_independent,
    require_room,
    take_some,
    usable_lots,
)
from exchange.order_path.business.rules import BusinessRuleError, Caller, Handler, Result, member, require
from exchange.order_path.business.senders import HOLDERS
from exchange.protocol.document import Document
from exchange.protocol.value_chain.allowances import (
    AllocateAllowances,
    RegisterComplianceEntity,
    ReportEmissions,
    SetCarbonRules,
    VerifyEmissions,
)

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange

_NAMES_MAX: Final = 1_000


def set_rules(exchange: "Exchange", document: SetCarbonRules, _caller: Caller) -> Result:
    """Another version of the parameters. A year that somebody has begun to work on keeps the version it had."""
    tables = exchange.rooms.credits
    rules = rules_of(document)
    problem = rules_problem(rules)
    require(problem is None, str(problem))
    require(all(year < rules.from_year for _, year in tables.compliance.years), "year_has_begun")
    tables.rules.set(rules)
    return {"from_year": rules.from_year}


def register_entity(exchange: "Exchange", document: RegisterComplianceEntity, _caller: Caller) -> Result:
    """Enter an entity, or replace what is known of its boundary; what it owes stays."""
    require(member(exchange, document.account).role in HOLDERS - {Role.MARKET_MAKER}, "role_has_no_emissions")
    names = (document.sector, *document.sources, *document.boundary_projects)
    require(all(0 < len(name) <= 64 for name in names) and 0 < len(document.boundary) <= TEXT_MAX, "name_malformed")
    require(0 < len(document.sources) <= _NAMES_MAX and len(document.boundary_projects) <= _NAMES_MAX, "too_many_rows")
    require(len(set(document.sources)) == len(document.sources), "source_named_twice")
    entities = exchange.rooms.credits.compliance.entities
    entity = entities.setdefault(document.account, Entity(document.account, "", [], "", []))
    entity.sector, entity.boundary = document.sector, document.boundary
    entity.sources, entity.boundary_projects = sorted(document.sources), sorted(set(document.boundary_projects))
    return {"sources": len(entity.sources)}


def entity_of(exchange: "Exchange", account: int) -> Entity:
    """The entity of an account."""
    entity = exchange.rooms.credits.compliance.entities.get(account)
    if entity is None:
        raise BusinessRuleError("not_a_compliance_entity")
    return entity


def require_year(year: int) -> None:
    require(YEAR_MIN <= year <= YEAR_MAX, "year_out_of_range")


def _known_year(exchange: "Exchange", account: int, year: int) -> ComplianceYear:
    """What is known of a year, without making a row of it."""
    return exchange.rooms.credits.compliance.years.get((account, year)) or ComplianceYear(account, year)


def _open_year(exchange: "Exchange", account: int, year: int, now_ns: int) -> ComplianceYear:
    schedule_year(exchange, year, now_ns)
    return exchange.rooms.credits.compliance.year(account, year)


def report_emissions(exchange: "Exchange", document: ReportEmissions, caller: Caller) -> Result:
    """The entity's own figure; it may be replaced until it is verified. A late one is taken and said to be late."""
    entity_of(exchange, caller.account)
    require_year(document.year)
    require(0 <= document.emissions_g <= EMISSIONS_MAX_G, "emissions_out_of_range")
    require_digest(document.report_sha256)
    require(caller.stamp_ns >= year_end_ns(document.year), "year_is_not_over")
    require(not _known_year(exchange, caller.account, document.year).is_verified, "verified_already")
    row = _open_year(exchange, caller.account, document.year, caller.stamp_ns)
    row.reported_g, row.report_sha256, row.reported_ns = document.emissions_g, document.report_sha256, caller.stamp_ns
    return {"is_late": caller.stamp_ns >= deadline_ns(document.year, exchange.rooms.credits.rules.of_year(document.year).report_day)}


def verify_emissions(exchange: "Exchange", document: VerifyEmissions, caller: Caller) -> Result:
    """An independent verifier's figure makes the obligation. After the deadline of the surrender the whole of it is short at once."""
    entity_of(exchange, document.account)
    require_year(document.year)
    require(0 <= document.emissions_g <= EMISSIONS_MAX_G, "emissions_out_of_range")
    known = _known_year(exchange, document.account, document.year)
    require(known.reported_g >= 0, "not_reported")
    require(not known.is_verified, "verified_already")
    require(document.report_sha256 == known.report_sha256, "other_report")
    require_independent(exchange, caller.account, {document.account}, document.year)
    tables = exchange.rooms.credits
    row = _open_year(exchange, document.account, document.year, caller.stamp_ns)
    row.verified_g, row.verifier, row.verified_ns = document.emissions_g, caller.account, caller.stamp_ns
    tables.engagements.note(caller.account, document.account, document.year)
    if caller.stamp_ns >= surrender_deadline_ns(exchange, document.year):
        close_year(exchange, row)
    is_late = caller.stamp_ns >= deadline_ns(document.year, tables.rules.of_year(document.year).verify_day)
    return {"obligation_t": row.obligation_t, "is_late": is_late}


def allocate(exchange: "Exchange", document: AllocateAllowances, caller: Caller) -> Result:
    """Allowances of a vintage: before the year is verified a share of the last one, then the rest, or back what was too much."""
    entity = entity_of(exchange, document.account)
    require_year(document.year)
    instrument, vintage = allowances(exchange, document.symbol)
    require(vintage == document.year, "wrong_vintage")
    known = _known_year(exchange, document.account, document.year)
    require(document.stage in {"pre", "final", "verified"}, "unknown_stage")
    require(known.stage is Stage.NONE or (known.stage is Stage.PRE and document.stage != "pre"), "allocated_already")
    require(caller.stamp_ns < surrender_deadline_ns(exchange, document.year), "surrender_deadline_has_passed")
    entitled_t = _entitled_t(exchange, document, known)
    require(0 <= entitled_t <= obligation_t(EMISSIONS_MAX_G), "allocation_out_of_range")
    change_t = entitled_t - known.entitled_t
    require_room(exchange, instrument, document.account, max(0, change_t))
    row = _open_year(exchange, document.account, document.year, caller.stamp_ns)
    row.stage = Stage.PRE if document.stage == "pre" else Stage.FINAL
    row.entitled_t = entitled_t
    return {"entitled_t": entitled_t, **_post(exchange, entity, instrument, change_t)}


def _entitled_t(exchange: "Exchange", document: AllocateAllowances, known: ComplianceYear) -> int:
    """Allowances of the whole year as of this stage."""
    require((document.stage == "final") is bool(document.outputs), "outputs_belong_to_the_final_allocation")
    require(document.stage == "pre" or document.base_emissions_g == 0, "base_belongs_to_the_pre_allocation")
    if document.stage == "pre":
        return _pre_allocation_t(exchange, document)
    require(known.is_verified, "not_verified")
    if document.stage == "verified":
        return known.obligation_t
    problem = outputs_problem(document.outputs)
    require(problem is None, str(problem))
    return intensity_allocation_t(document.outputs)


def _pre_allocation_t(exchange: "Exchange", document: AllocateAllowances) -> int:
    before = _known_year(exchange, document.account, document.year - 1)
    require(before.is_verified or document.base_emissions_g > 0, "base_emissions_missing")
    require(not before.is_verified or document.base_emissions_g == 0, "base_is_verified_already")
    require(0 <= document.base_emissions_g <= EMISSIONS_MAX_G, "emissions_out_of_range")
    base_g = before.verified_g if before.is_verified else document.base_emissions_g
    return pre_allocation_t(base_g, exchange.rooms.credits.rules.of_year(document.year).pre_allocation_ppm)


def _post(exchange: "Exchange", entity: Entity, instrument: Instrument, change_t: int) -> Result:
    """Move the units of an allocation that changed by `change_t`, debts first."""
    if change_t >= 0:
        given = grant(change_t, entity.cut_t, entity.debt_t)
        entity.cut_t -= given.cut_t
        entity.debt_t -= given.debt_t
        issue_some(exchange, instrument, entity.account, given.issued_t)
        return {"issued_t": given.issued_t, "taken_t": 0, "debt_t": entity.debt_t, "cut_t": entity.cut_t}
    back = take_back(-change_t, usable_lots(exchange, instrument, entity.account))
    take_some(exchange, instrument, entity.account, back.taken_t, PostingReason.UNITS_WITHDRAWN)
    entity.debt_t += back.debt_t
    return {"issued_t": 0, "taken_t": back.taken_t, "debt_t": entity.debt_t, "cut_t": entity.cut_t}


HANDLERS: Final[dict[type[Document], Handler]] = {
    SetCarbonRules: set_rules,
    RegisterComplianceEntity: register_entity,
    ReportEmissions: report_emissions,
    VerifyEmissions: verify_emissions,
    AllocateAllowances: allocate,
}
