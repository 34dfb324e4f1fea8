"""Rules of certificates with their time, and the storage records of the EnergyTag scheme (docs/rules.md, "Granular certificates")."""

import hashlib
from typing import TYPE_CHECKING, Final

from exchange.metering.devices import Device, DeviceKind
from exchange.metering.storage_flows import storage_charge_wh, storage_discharge_wh
from exchange.order_path.business.retire import GRANULAR, Use, enter, held_granular
from exchange.order_path.business.rules import BusinessRuleError, Caller, Handler, Result, require
from exchange.order_path.business.unit_deadlines import schedule_expiry
from exchange.order_path.level import Level
from exchange.protocol.document import Document
from exchange.protocol.value_chain.certificates import RecordCharge, RecordDischarge, SetCertificateRules
from exchange.registry.certificate_rules import Allocation, CertificateRules, StorageScheme, rules_problem
from exchange.registry.lifecycle import UnitState
from exchange.registry.months import expiry_ns, month_at, vintage_of
from exchange.registry.registry import UnitFacts
from exchange.registry.retirements import RetirementKind
from exchange.registry.serials import UnitScheme
from exchange.registry.storage_records import DischargeRecord
from exchange.units import PERIOD_NS, PPM

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange


def set_rules(exchange: "Exchange", document: SetCertificateRules, caller: Caller) -> Result:
    """Other rules from a time on, which has not come yet: what has happened keeps its own."""
    problem = rules_problem(document.effective_ns, document.storage, document.allocation, document.same_year_from)
    require(problem is None, str(problem))
    require(document.effective_ns >= caller.stamp_ns, "rules_begin_in_the_past")
    rules = CertificateRules(
        document.effective_ns, StorageScheme(document.storage), Allocation(document.allocation), document.same_year_from
    )
    exchange.rooms.certificates.rules.add(rules)
    exchange.notify("certificate_rules", {"effective_ns": rules.effective_ns, "storage": str(rules.storage), "allocation": str(rules.allocation)})
    return {}


def record_charge(exchange: "Exchange", document: RecordCharge, caller: Caller) -> Result:
    """A charge record: certificates of the same quarter-hour are cancelled for what went into the storage."""
    device = _storage(exchange, document.device, document.period_start_ns, caller)
    charged_wh = storage_charge_wh(exchange.rooms.devices, exchange.rooms.meters, device, document.period_start_ns)
    require(0 < document.charged_wh <= charged_wh, "charge_beyond_meter")
    require(0 <= document.certified_wh <= document.charged_wh, "certified_beyond_charge")
    registry = exchange.rooms.registry
    exchange.drain_output()
    end_ns = document.period_start_ns + PERIOD_NS
    held = held_granular(exchange, caller.account, document.period_start_ns, end_ns)
    require(document.certified_wh <= sum(map(registry.quantity, held.tolist())), "units_not_available")
    retirement = 0
    if document.certified_wh:
        rows = registry.cut(held.tolist(), document.certified_wh, exchange.last_sequence)
        registry.change(rows, UnitState.RETIRED)
        use = Use(RetirementKind.STORAGE, caller.account, f"charge of device {device.id}", document.period_start_ns, end_ns)
        retirement = int(enter(exchange, caller, GRANULAR, rows, use)["retirement"])
    records = exchange.rooms.certificates.storage
    record = records.charge(device.id, document.period_start_ns, document.charged_wh, document.certified_wh, retirement)
    exchange.notify("charge_record", {"record": record.id, "device": device.id, "certified_wh": record.certified_wh})
    return {"record": record.id, "retirement": retirement}


def record_discharge(exchange: "Exchange", document: RecordDischarge, caller: Caller) -> Result:
    """A discharge record: certificates for the certified part of the charge it came from, less the losses of the storage."""
    device = _storage(exchange, document.device, document.period_start_ns, caller)
    discharged_wh = storage_discharge_wh(exchange.rooms.devices, exchange.rooms.meters, device, document.period_start_ns)
    require(0 < document.discharged_wh <= discharged_wh, "discharge_beyond_meter")
    storage = int(exchange.state.accounts[device.account].storage)
    require(storage >= 0, "account_has_no_storage")
    row = exchange.state.storages[storage]
    efficiency_ppm = int(row.charge_ppm) * int(row.discharge_ppm) // PPM
    require(efficiency_ppm > 0, "efficiency_out_of_range")
    allocation = exchange.rooms.certificates.rules.at(document.period_start_ns).allocation
    records = exchange.rooms.certificates.storage
    record = records.discharge(device.id, document.period_start_ns, document.discharged_wh, efficiency_ppm, allocation)
    if record.issued_wh:
        _issue_discharge(exchange, device, record)
    exchange.notify("discharge_record", {"record": record.id, "device": device.id, "issued_wh": record.issued_wh})
    return {"record": record.id, "issued_wh": record.issued_wh, "drawn_wh": record.drawn_wh, "certified_wh": record.certified_wh}


def _storage(exchange: "Exchange", device_id: int, start_ns: int, caller: Caller) -> Device:
    """The sender's storage. Raises BusinessRuleError where its records earn nothing, or come out of order."""
    device = exchange.rooms.devices.by_id.get(device_id)
    if device is None or device.kind is not DeviceKind.STORAGE or device.account != caller.account:
        raise BusinessRuleError("unknown_device")
    require(exchange.level >= Level.VALUE_CHAIN, "exchange_has_no_registry")
    certificates = exchange.rooms.certificates
    require(start_ns >= 0 and start_ns % PERIOD_NS == 0, "period_off_grid")
    require(start_ns + PERIOD_NS <= caller.stamp_ns, "period_is_not_over")
    require(certificates.rules.at(start_ns).storage is StorageScheme.ENERGYTAG, "discharge_earns_no_certificates")
    require(start_ns > certificates.storage.last_start_ns(device.id), "record_out_of_order")
    return device


def _issue_discharge(exchange: "Exchange", device: Device, record: DischargeRecord) -> None:
    certificates = exchange.rooms.certificates
    month = month_at(record.start_ns)
    parents = [certificates.storage.charges[charge].retirement for charge in record.parents]
    digests = "".join(certificates.retirements.by_number[number].digest for number in parents)
    facts = UnitFacts(
        scheme=UnitScheme.SDGC, source=device.id, vintage=vintage_of(month), period_start_ns=record.start_ns,
        period_end_ns=record.start_ns + PERIOD_NS, expiry_ns=expiry_ns(month), evidence=hashlib.sha256(digests.encode()).digest(),
    )  # fmt: skip
    exchange.rooms.registry.issue(facts, device.account, record.issued_wh, exchange.last_sequence)
    schedule_expiry(exchange, -month, expiry_ns(month))


HANDLERS: Final[dict[type[Document], Handler]] = {
    SetCertificateRules: set_rules, RecordCharge: record_charge, RecordDischarge: record_discharge,
}  # fmt: skip
