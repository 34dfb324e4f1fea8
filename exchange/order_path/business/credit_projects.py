"""Projects up to their registration: proposal, consent of the other party, validation, registration, with the guards of their boundary."""

from typing import TYPE_CHECKING, Final

from exchange.carbon.calendar import year_at
from exchange.carbon.energy_claims import CertificateRegister, SchemesOfDevices
from exchange.carbon.kinds import KINDS, ProjectKind, form_problem, is_digest, is_name, kind_problem
from exchange.carbon.project_states import ProjectEvent, ProjectState, next_state
from exchange.carbon.projects import Factor, Project
from exchange.carbon.reductions import ENERGY_MAX_WH, FACTOR_MAX_MG_PER_KWH
from exchange.carbon.rules import YEAR_MAX, YEAR_MIN
from exchange.order_path.business.credit_units import require_independent, units_of
from exchange.order_path.business.rules import BusinessRuleError, Caller, Handler, Result, listed, member, require
from exchange.order_path.business.senders import HOLDERS
from exchange.protocol.document import Document
from exchange.protocol.instrument_class import InstrumentClass
from exchange.protocol.value_chain.projects import ConfirmCreditOwner, ProposeProject, RegisterProject, ValidateProject
from exchange.units import INT64_MAX, PPM

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange


def certificates(exchange: "Exchange") -> CertificateRegister:
    """Who is asked whether generation has certificates."""
    return SchemesOfDevices(exchange.rooms.devices)


def propose(exchange: "Exchange", document: ProposeProject, caller: Caller) -> Result:
    """A project of the sender. Its reductions may have no other claim, lie in no covered source, and its credits have one owner."""
    member(exchange, document.host)
    instrument = listed(exchange, document.symbol)
    problem = kind_problem(document.kind, instrument.instrument_class) or form_problem(document)
    require(problem is None, str(problem))
    instrument = units_of(exchange, document.symbol, instrument.instrument_class)
    require(document.credit_owner in {caller.account, document.host}, "credit_owner_is_no_party")
    require(member(exchange, document.credit_owner).role in HOLDERS, "role_holds_no_units")
    require(0 < document.factor.mg_per_kwh <= FACTOR_MAX_MG_PER_KWH, "factor_out_of_range")
    require(YEAR_MIN <= document.factor.year <= YEAR_MAX, "year_out_of_range")
    require(0 <= document.starts_ns <= INT64_MAX, "start_out_of_range")
    require(0 <= document.baseline_wh <= ENERGY_MAX_WH, "baseline_out_of_range")
    require(all(abs(variable.wh_per_unit) <= ENERGY_MAX_WH for variable in document.variables), "baseline_out_of_range")
    _require_devices(exchange, document)
    _require_outside_covered_sources(exchange, document)
    projects = exchange.rooms.credits.projects
    require(not projects.rival(document.host, document.measure, document.devices), "reductions_are_claimed_already")
    project = Project(
        projects.next_id, document.name, document.kind, caller.account, document.host, document.credit_owner, instrument.id,
        document.contract_sha256, document.design_sha256, _factor(document), document.starts_ns, sorted(document.devices), document.measure,
        document.carrier, document.baseline_wh, [v.name for v in document.variables], [v.wh_per_unit for v in document.variables],
        is_confirmed=document.host == caller.account,
    )  # fmt: skip
    projects.by_id[project.id] = project
    _notify(exchange, project)
    return {"project": project.id, "is_confirmed": project.is_confirmed}


def _factor(document: ProposeProject) -> Factor:
    factor = document.factor
    return Factor(factor.publisher, factor.year, factor.region, factor.kind, factor.mg_per_kwh)


def _require_devices(exchange: "Exchange", document: ProposeProject) -> None:
    """Devices stand at the host, are of the kind, are no part of a covered source, and their energy gets no certificate unless CCER freeze those."""
    wanted = KINDS[ProjectKind(document.kind)].device
    require(len(set(document.devices)) == len(document.devices), "device_named_twice")
    for device_id in document.devices:
        device = exchange.rooms.devices.by_id.get(device_id)
        if device is None or device.account != document.host:
            raise BusinessRuleError("unknown_device")
        require(device.kind is wanted, "device_of_another_kind")
        require(not device.ets_source, "inside_covered_source")


def _require_outside_covered_sources(exchange: "Exchange", document: ProposeProject) -> None:
    """Direct emissions of a covered source are counted by the national scheme: what is reduced there earns nothing else."""
    entity = exchange.rooms.credits.compliance.entities.get(document.host)
    if entity is not None:
        require(set(document.reduces_sources).isdisjoint(entity.sources), "inside_covered_source")
        require(document.carrier != "fuel", "inside_covered_source")  # fuel burnt inside the boundary is its direct emissions


def confirm_owner(exchange: "Exchange", document: ConfirmCreditOwner, caller: Caller) -> Result:
    """The host says what the developer said; who says otherwise is told so and the project stays unconfirmed."""
    project = project_of(exchange, document.project)
    require(caller.account == project.host, "not_the_host")
    require(project.state is ProjectState.PROPOSED and not project.is_confirmed, "confirmed_already")
    require(document.credit_owner == project.credit_owner, "credits_are_claimed_by_both")
    require(document.contract_sha256 == project.contract_sha256, "other_contract")
    project.is_confirmed = True
    return {"credit_owner": project.credit_owner}


def validate(exchange: "Exchange", document: ValidateProject, caller: Caller) -> Result:
    """An independent opinion on the design. Without additionality it is negative, and a negative one ends the project."""
    project = project_of(exchange, document.project)
    event = ProjectEvent.VALIDATE if document.is_positive else ProjectEvent.REJECT
    state = require_next(project, event)
    require(project.is_confirmed, "credit_owner_not_confirmed")
    require(document.is_additional or not document.is_positive, "not_additional")
    require(is_digest(document.opinion_sha256), "digest_malformed")
    year = year_at(caller.stamp_ns)
    require_independent(exchange, caller.account, {project.developer, project.host}, year)
    note_engagement(exchange, caller.account, project, year)
    project.state, project.validator, project.validation_sha256 = state, caller.account, document.opinion_sha256
    _notify(exchange, project)
    return {"state": state.name.lower()}


def register(exchange: "Exchange", document: RegisterProject, _caller: Caller) -> Result:
    """The registrar's entry. Who chose CCER has its untraded certificates frozen from here on."""
    project = project_of(exchange, document.project)
    state = require_next(project, ProjectEvent.REGISTER)
    projects = exchange.rooms.credits.projects
    require(is_name(document.number), "name_malformed")
    require(not projects.has_number(document.number), "number_taken")
    require(0 <= document.buffer_ppm < PPM, "buffer_out_of_range")
    in_order = max(0, project.starts_ns) <= document.credits_from_ns < document.credits_to_ns <= INT64_MAX
    require(in_order, "crediting_period_out_of_order")
    project.state, project.number, project.buffer_ppm = state, document.number, document.buffer_ppm
    project.credits_from_ns, project.credits_to_ns = document.credits_from_ns, document.credits_to_ns
    if exchange.rooms.instruments.by_id[project.instrument].instrument_class is InstrumentClass.CCER:
        certificates(exchange).freeze_untraded(project.devices)
    _notify(exchange, project)
    return {"state": state.name.lower()}


# What the steps after it share


def project_of(exchange: "Exchange", project_id: int) -> Project:
    project = exchange.rooms.credits.projects.by_id.get(project_id)
    if project is None:
        raise BusinessRuleError("unknown_project")
    return project


def require_next(project: Project, event: ProjectEvent) -> ProjectState:
    """The state after an event. Raises BusinessRuleError where the project is not there."""
    state = next_state(project.state, event)
    if state is None:
        raise BusinessRuleError(f"project_is_{project.state.name.lower()}")
    return state


def note_engagement(exchange: "Exchange", verifier: int, project: Project, year: int) -> None:
    for client in {project.developer, project.host}:
        exchange.rooms.credits.engagements.note(verifier, client, year)


def _notify(exchange: "Exchange", project: Project) -> None:
    exchange.notify("project", {"project": project.id, "state": project.state.name.lower()})


HANDLERS: Final[dict[type[Document], Handler]] = {
    ProposeProject: propose,
    ConfirmCreditOwner: confirm_owner,
    ValidateProject: validate,
    RegisterProject: register,
}
