"""Credits of registered projects: monitoring, verification, issuance with a buffer, and what happens when too much was issued."""

import hashlib
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from exchange.carbon.calendar import year_at
from exchange.carbon.kinds import VARIABLES_MAX, is_digest
from exchange.carbon.project_states import ProjectEvent
from exchange.carbon.projects import Claimed, Monitoring, Project
from exchange.carbon.reductions import ENERGY_MAX_WH, UG_PER_T, adjusted_baseline_wh, earned, reductions_ug, reversal
from exchange.ledger.chart import House
from exchange.ledger.records import PostingReason
from exchange.market.instruments import Instrument
from exchange.order_path.business import units
from exchange.order_path.business.credit_projects import certificates, note_engagement, project_of, require_next
from exchange.order_path.business.credit_units import TEXT_MAX, issue_some, require_independent, require_room, take_some, usable_lots
from exchange.order_path.business.rules import BusinessRuleError, Caller, Handler, Result, require
from exchange.protocol.document import Document
from exchange.protocol.documents import encode_document
from exchange.protocol.value_chain.projects import IssueCredits, ReverseCredits, SubmitMonitoring, VerifyReductions
from exchange.registry.lifecycle import UnitState
from exchange.registry.registry import UnitFacts
from exchange.units import NS_PER_HOUR, PPM

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange

_ROWS_MAX: Final = 10_000
_EMISSIONS_MAX_G: Final = 10**12
_VALUE_MAX_MILLI: Final = 10**15
# Below it there is no period in ns that anybody monitors.
_TIME_MAX_NS: Final = 2**62


def monitor(exchange: "Exchange", document: SubmitMonitoring, caller: Caller) -> Result:
    """Data of one period, after the one before and inside the crediting period. Generation may carry no other claim, now and at the issuance."""
    project = project_of(exchange, document.project)
    require(caller.account in {project.developer, project.credit_owner}, "not_your_project")
    state = require_next(project, ProjectEvent.MONITOR)
    _require_period(exchange, project, document, caller)
    require(is_digest(document.data_sha256), "digest_malformed")
    out_of_range = not (0 <= document.project_emissions_g <= _EMISSIONS_MAX_G and 0 <= document.leakage_g <= _EMISSIONS_MAX_G)
    require(not out_of_range, "emissions_out_of_range")
    baseline_wh, energy_wh = _generated(exchange, project, document) if project.devices else _saved(project, document)
    require(0 <= energy_wh <= ENERGY_MAX_WH, "energy_out_of_range")
    rows = [Claimed(row.device, row.start_ns, row.end_ns, row.energy_wh) for row in document.energy]
    digest = hashlib.sha256(encode_document(document)).digest()
    number = project.last.number + 1 if project.last is not None else 1
    project.monitorings.append(
        Monitoring(
            number, document.period_start_ns, document.period_end_ns, digest, document.data_sha256, energy_wh, baseline_wh,
            document.project_emissions_g, document.leakage_g, rows,
        )
    )  # fmt: skip
    project.state = state
    return {"monitoring": number, "energy_wh": energy_wh, "sha256": digest.hex()}


def _require_period(exchange: "Exchange", project: Project, document: SubmitMonitoring, caller: Caller) -> None:
    start_ns, end_ns = document.period_start_ns, document.period_end_ns
    require(0 <= start_ns < end_ns <= caller.stamp_ns, "period_out_of_order")
    require(project.credits_from_ns <= start_ns and end_ns <= project.credits_to_ns, "outside_crediting_period")
    require(project.last is None or project.last.end_ns <= start_ns, "monitored_already")
    settled = exchange.rooms.credits.parks.is_settled_for(project.host, project.instrument, start_ns, end_ns)
    require(not settled, "counted_in_the_park_scheme")


def _generated(exchange: "Exchange", project: Project, document: SubmitMonitoring) -> tuple[int, int]:
    """(0, Wh): the rows are of the project's devices, disjoint, possible, and nobody else's."""
    require(not (document.metered_wh or document.variables_milli or document.non_routine_wh), "baseline_of_generation_is_its_energy")
    require(0 < len(document.energy) <= _ROWS_MAX, "too_many_rows")
    rows = sorted((row.device, row.start_ns, row.end_ns) for row in document.energy)
    require(not any(a[0] == b[0] and b[1] < a[2] for a, b in pairwise(rows)), "energy_twice")
    for row in document.energy:
        device = exchange.rooms.devices.by_id.get(row.device)
        if device is None or row.device not in project.devices:
            raise BusinessRuleError("unknown_device")
        require(document.period_start_ns <= row.start_ns < row.end_ns <= document.period_end_ns, "energy_outside_period")
        require(0 < row.energy_wh <= -(-device.capacity_w * (row.end_ns - row.start_ns) // NS_PER_HOUR), "energy_above_capacity")
    _require_unclaimed(exchange, [Claimed(row.device, row.start_ns, row.end_ns, row.energy_wh) for row in document.energy])
    return 0, sum(row.energy_wh for row in document.energy)


def _require_unclaimed(exchange: "Exchange", rows: list[Claimed]) -> None:
    register, claims = certificates(exchange), exchange.rooms.credits.energy
    for row in rows:
        require(register.may_be_credited(row.device, row.start_ns, row.end_ns, row.energy_wh), "energy_has_certificates")
        require(not claims.is_claimed(row.device, row.start_ns, row.end_ns), "energy_is_claimed_already")


def _saved(project: Project, document: SubmitMonitoring) -> tuple[int, int]:
    """(adjusted baseline, saving) in Wh. A site that uses more than its baseline has saved nothing."""
    require(not document.energy, "devices_or_measure")
    values = document.variables_milli
    require(len(values) == len(project.wh_per_unit) <= VARIABLES_MAX, "variables_differ_from_the_baseline")
    require(all(0 <= value <= _VALUE_MAX_MILLI for value in values), "variable_out_of_range")
    require(0 <= document.metered_wh <= ENERGY_MAX_WH and abs(document.non_routine_wh) <= ENERGY_MAX_WH, "energy_out_of_range")
    baseline_wh = adjusted_baseline_wh(project.baseline_wh, project.wh_per_unit, values, document.non_routine_wh)
    require(0 <= baseline_wh <= ENERGY_MAX_WH, "baseline_out_of_range")
    return baseline_wh, max(0, baseline_wh - document.metered_wh)


def verify(exchange: "Exchange", document: VerifyReductions, caller: Caller) -> Result:
    """An independent opinion on the monitoring with that digest: as much energy as it accepts, and how uncertain it is."""
    project = project_of(exchange, document.project)
    state = require_next(project, ProjectEvent.VERIFY if document.is_positive else ProjectEvent.SEND_BACK)
    monitoring = _last(project)
    require(document.monitoring_sha256 == monitoring.digest, "other_monitoring")
    require(is_digest(document.opinion_sha256), "digest_malformed")
    require(0 <= document.verified_wh <= monitoring.energy_wh, "verified_above_monitored")
    require(0 <= document.uncertainty_ppm <= PPM, "uncertainty_out_of_range")
    year = year_at(monitoring.end_ns - 1)
    rules = exchange.rooms.credits.rules.of_year(year)
    require(rules.validator_may_verify or caller.account != project.validator, "verifier_validated_the_project")
    require_independent(exchange, caller.account, {project.developer, project.host}, year)
    note_engagement(exchange, caller.account, project, year)
    if document.is_positive:
        monitoring.verifier, monitoring.opinion_sha256 = caller.account, document.opinion_sha256
        monitoring.verified_wh, monitoring.uncertainty_ppm = document.verified_wh, document.uncertainty_ppm
        factor = project.factor.mg_per_kwh
        monitoring.reductions_ug = reductions_ug(document.verified_wh, factor, monitoring.project_emissions_g, monitoring.leakage_g)
    else:
        project.monitorings.pop()
    project.state = state
    return {"state": project.state.name.lower(), "reductions_g": max(0, monitoring.reductions_ug) * 1_000_000 // UG_PER_T}


def _last(project: Project) -> Monitoring:
    last = project.last
    assert last is not None  # the states that have one ask for it
    return last


def issue(exchange: "Exchange", document: IssueCredits, caller: Caller) -> Result:
    """What follows from the verified monitoring and the carry, no more and no less: to the owner, a share to the buffer, a debt first."""
    project = project_of(exchange, document.project)
    state = require_next(project, ProjectEvent.ISSUE)
    monitoring = _last(project)
    found = earned(
        monitoring.reductions_ug, monitoring.uncertainty_ppm, project.buffer_ppm, project.carry_ug, project.buffer_carry_ug
    )
    require(document.quantity_lots <= found.credits_t, "above_verified_volume")
    require(document.quantity_lots == found.credits_t, "below_verified_volume")
    _require_unclaimed(exchange, monitoring.rows)
    settled = exchange.rooms.credits.parks.is_settled_for(project.host, project.instrument, monitoring.start_ns, monitoring.end_ns)
    require(not settled, "counted_in_the_park_scheme")
    instrument = exchange.rooms.instruments.by_id[project.instrument]
    require_room(exchange, instrument, project.credit_owner, found.credits_t + found.buffer_t)
    for row in monitoring.rows:
        exchange.rooms.credits.energy.claim(row.device, row.start_ns, row.end_ns, row.energy_wh, project.id)
    monitoring.issued_ns, monitoring.credits_t, monitoring.buffer_t = caller.stamp_ns, found.credits_t, found.buffer_t
    monitoring.withheld_t = min(project.debt_t, found.credits_t)
    monitoring.carry_in_ug, monitoring.buffer_carry_in_ug = project.carry_ug, project.buffer_carry_ug
    monitoring.carry_ug, monitoring.buffer_carry_ug = project.carry_ug, project.buffer_carry_ug = found.carry_ug, found.buffer_carry_ug
    project.debt_t -= monitoring.withheld_t
    project.state = state
    # The buffer first, so that what is frozen are units of this issuance.
    facts = _facts(instrument, project, monitoring)
    _set_aside(exchange, instrument, project.credit_owner, found.buffer_t, facts)
    issue_some(exchange, instrument, project.credit_owner, found.credits_t - monitoring.withheld_t, facts)
    _notify(exchange, project, monitoring)
    return {
        "credits_lots": found.credits_t, "withheld_lots": monitoring.withheld_t, "buffer_lots": found.buffer_t, "carry_ug": found.carry_ug,
    }  # fmt: skip


def _facts(instrument: Instrument, project: Project, monitoring: Monitoring) -> UnitFacts:
    """What the registry keeps of a credit: its project, its time, the digest of what it was issued on."""
    return UnitFacts(
        scheme=units.facts_of(instrument).scheme, source=project.id, vintage=year_at(monitoring.end_ns - 1) * 100,
        period_start_ns=monitoring.start_ns, period_end_ns=monitoring.end_ns, evidence=monitoring.digest,
    )  # fmt: skip


def _set_aside(exchange: "Exchange", instrument: Instrument, account: int, quantity_lots: int, facts: UnitFacts) -> None:
    """Credits for the buffer: issued to the owner and frozen at once, by the serial numbers of this issuance."""
    if not quantity_lots:
        return
    registry = exchange.rooms.registry
    issued = units.issue(exchange, instrument, account, quantity_lots, facts)
    ranges = [registry.range_of(row) for row in issued.tolist()]
    rows = units.take(exchange, instrument, account, quantity_lots, PostingReason.UNITS_FROZEN, ranges)
    exchange.rooms.credits.projects.buffer(instrument.id).add(quantity_lots, rows.tolist())


def _cancel_from_buffer(exchange: "Exchange", instrument: Instrument, quantity_lots: int) -> None:
    """The credits that were set aside first end."""
    if not quantity_lots:
        return
    registry, buffer = exchange.rooms.registry, exchange.rooms.credits.projects.buffer(instrument.id)
    standing = [part for row in buffer.rows for part in registry.parts_of(row) if int(registry.rows[part].state) == UnitState.FROZEN]
    rows = registry.cut(standing, quantity_lots, exchange.last_sequence)
    units.end_aside(exchange, instrument, quantity_lots, House.FROZEN, PostingReason.UNITS_WITHDRAWN, rows)
    buffer.lots -= quantity_lots


def reverse(exchange: "Exchange", document: ReverseCredits, _caller: Caller) -> Result:
    """Credits that should not be: from the pooled buffer of their instrument, then from what the owner has free, the rest is the project's debt."""
    project = project_of(exchange, document.project)
    monitoring = next((m for m in project.monitorings if m.number == document.monitoring and m.is_issued), None)
    if monitoring is None:
        raise BusinessRuleError("nothing_was_issued")
    left_t = monitoring.credits_t + monitoring.buffer_t - monitoring.reversed_t
    require(0 < document.quantity_lots <= left_t, "above_issued_volume")
    require(0 < len(document.reason) <= TEXT_MAX, "reason_malformed")
    instrument = exchange.rooms.instruments.by_id[project.instrument]
    free_t = usable_lots(exchange, instrument, project.credit_owner)
    parts = reversal(document.quantity_lots, exchange.rooms.credits.projects.buffer_lots(instrument.id), free_t)
    _cancel_from_buffer(exchange, instrument, parts.buffer_t)
    take_some(exchange, instrument, project.credit_owner, parts.owner_t, PostingReason.UNITS_WITHDRAWN)
    project.debt_t += parts.debt_t
    monitoring.reversed_t += document.quantity_lots
    _notify(exchange, project, monitoring)
    return {"from_buffer_lots": parts.buffer_t, "from_owner_lots": parts.owner_t, "debt_lots": project.debt_t}


def _notify(exchange: "Exchange", project: Project, monitoring: Monitoring) -> None:
    """Units have moved by an act that may be a registrar's."""
    exchange.notify("credits", {"project": project.id, "monitoring": monitoring.number, "account": project.credit_owner})


HANDLERS: Final[dict[type[Document], Handler]] = {
    SubmitMonitoring: monitor,
    VerifyReductions: verify,
    IssueCredits: issue,
    ReverseCredits: reverse,
}
