"""Kinds of projects, what each may earn, and what it needs. Sources: docs/rules.md, "Credits of projects"."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from exchange.metering.devices import DeviceKind
from exchange.protocol.instrument_class import InstrumentClass
from exchange.protocol.value_chain.projects import ProposeProject


class ProjectKind(StrEnum):
    PV_SELF_USE = "pv_self_use"
    RETROFIT = "retrofit"
    OFFSHORE_WIND = "offshore_wind"
    CSP = "csp"
    PV = "pv"
    ONSHORE_WIND = "onshore_wind"


@dataclass(frozen=True, slots=True)
class KindRule:
    """`earns`: the class of units, None for none. `device`: what its devices are; None: it has none, but a measure."""

    earns: InstrumentClass | None
    device: DeviceKind | None = None


# Feed-in of photovoltaics and onshore wind has green certificates; only offshore wind and concentrated solar power may choose CCER instead.
KINDS: Final[dict[ProjectKind, KindRule]] = {
    ProjectKind.PV_SELF_USE: KindRule(InstrumentClass.PCC, DeviceKind.PV),
    ProjectKind.RETROFIT: KindRule(InstrumentClass.PCC),
    ProjectKind.OFFSHORE_WIND: KindRule(InstrumentClass.CCER, DeviceKind.WIND),
    ProjectKind.CSP: KindRule(InstrumentClass.CCER, DeviceKind.CSP),
    ProjectKind.PV: KindRule(None, DeviceKind.PV),
    ProjectKind.ONSHORE_WIND: KindRule(None, DeviceKind.WIND),
}
CARRIERS: Final = frozenset({"electricity", "fuel"})
VARIABLES_MAX: Final = 32
DEVICES_MAX: Final = 1_000
DIGEST_BYTES: Final = 32
NAME_MAX: Final = 64


def is_name(text: str) -> bool:
    return 0 < len(text) <= NAME_MAX


def is_digest(data: bytes) -> bool:
    return len(data) == DIGEST_BYTES


def kind_problem(kind: str, units: InstrumentClass) -> str | None:
    """Whether a project of that kind may earn units of that class."""
    if kind not in {str(known) for known in ProjectKind}:
        return "unknown_project_kind"
    earns = KINDS[ProjectKind(kind)].earns
    if earns is None or (units is InstrumentClass.CCER and earns is not InstrumentClass.CCER):
        return "kind_earns_no_ccer" if units is InstrumentClass.CCER else "kind_earns_no_credits"
    return None if earns is units else "kind_earns_other_credits"


def form_problem(document: ProposeProject) -> str | None:
    """The first rule that a proposal breaks by itself, once its kind is known."""
    factor = document.factor
    texts = (document.name, factor.publisher, factor.region, factor.kind, *document.reduces_sources, *(v.name for v in document.variables))
    if not all(is_name(text) for text in texts) or len(document.measure) > NAME_MAX:
        return "name_malformed"
    if not (is_digest(document.contract_sha256) and is_digest(document.design_sha256)):
        return "digest_malformed"
    if len(document.reduces_sources) > VARIABLES_MAX or len(document.variables) > VARIABLES_MAX or len(document.devices) > DEVICES_MAX:
        return "too_many_rows"
    if document.carrier not in CARRIERS:
        return "unknown_carrier"
    is_retrofit = KINDS[ProjectKind(document.kind)].device is None
    if is_retrofit is bool(document.devices) or is_retrofit is not bool(document.measure):
        return "devices_or_measure"
    if not is_retrofit and (document.baseline_wh or document.variables or document.carrier != "electricity"):
        return "baseline_of_generation_is_its_energy"
    return None
