"""Green certificates of a month: issued from the meters, moved to users on proof, taken back by the registrar (docs/rules.md, "Certificates")."""

import hashlib
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from exchange.market.instruments import Instrument
from exchange.metering.devices import Device, Scheme
from exchange.metering.generation import device_generation_wh
from exchange.order_path.business import units
from exchange.order_path.business.rules import BusinessRuleError, Caller, Handler, Result, listed, member, require
from exchange.order_path.business.serial_rules import is_printable
from exchange.order_path.level import Level
from exchange.protocol.document import Document
from exchange.protocol.instrument_class import InstrumentClass, Resale
from exchange.protocol.value_chain.certificates import FileSelfUseProof, IssueMonthlyCertificates
from exchange.registry.claims import ClaimRows, ClaimScheme
from exchange.registry.issuance import ON_GRID, MonthlyIssue, Proof, Volume, certificate_symbol, first_wh, on_grid_volumes
from exchange.registry.months import (
    expiry_ns,
    is_month,
    month_bounds_ns,
    month_name,
    month_number,
    periods_between_ns,
    start_of_month_ns,
    vintage_of,
)
from exchange.registry.registry import UnitFacts
from exchange.registry.serials import UnitScheme

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange

TEXT_LIMIT: Final = 200


class _DeviceMonth(NamedTuple):
    """What a device's month comes to, before anything is done about it."""

    device: Device
    verified_wh: int
    claims: ClaimRows
    issues: list[MonthlyIssue]


def issue_monthly(exchange: "Exchange", document: IssueMonthlyCertificates, caller: Caller) -> Result:
    """Certify the month of every device of the scheme gec that has none of it: whole MWh, the rest carried, self-use apart."""
    require(exchange.level >= Level.VALUE_CHAIN, "exchange_has_no_registry")
    require(is_month(document.month), "month_malformed")
    month = month_number(document.month)
    start_ns, end_ns = month_bounds_ns(document.month)
    require(end_ns <= caller.stamp_ns, "month_is_not_over")
    require(caller.stamp_ns < expiry_ns(month), "certificates_would_have_expired")
    require(not _has_unsettled_period(exchange, start_ns, end_ns), "month_is_not_settled")
    plans = [_plan(exchange, device, month, stated_wh) for device, stated_wh in _devices(exchange, document, month)]
    for plan in plans:
        if any(issue.units for issue in plan.issues):
            certificate_of(exchange, plan.device, month)
    totals = {"tradable": 0, "self_use": 0, "waiting": 0}
    for plan in plans:
        _carry_out(exchange, month, plan, totals)
    exchange.notify("certified", {"series": f"GEC-{vintage_of(month)}", "month": document.month, "devices": len(plans), **totals})
    return {"devices": len(plans), **totals}


def certificate_of(exchange: "Exchange", device: Device, month: int) -> Instrument:
    """The listed instrument of a device's certificates."""
    instrument = listed(exchange, certificate_symbol(device.kind, month_name(month)))
    require(instrument.instrument_class is InstrumentClass.GEC and instrument.resale is Resale.NONE, "certificates_are_sold_once")
    return instrument


def _has_unsettled_period(exchange: "Exchange", start_ns: int, end_ns: int) -> bool:
    """Whether a delivery period of the month is open: which energy was used in the park is known once it is settled."""
    instruments = exchange.rooms.instruments.by_id.values()
    return any(i.is_quarter_hour and i.slot >= 0 and start_ns <= i.spec.delivery_start_ns < end_ns for i in instruments)


def _devices(exchange: "Exchange", document: IssueMonthlyCertificates, month: int) -> list[tuple[Device, int | None]]:
    """(device, stated on-grid Wh or None) of those to certify, by id."""
    stated = {volume.device: volume.energy_wh for volume in document.volumes}
    require(len(stated) == len(document.volumes), "volume_stated_twice")
    issued, end_ns = exchange.rooms.certificates.monthly.issued, start_of_month_ns(month + 1)
    devices = [device for device in exchange.rooms.devices.by_id.values() if device.scheme is Scheme.GEC and device.commissioned_ns < end_ns]
    open_devices = [device for device in devices if (month, device.id) not in issued]
    require(bool(open_devices), "month_is_certified" if devices else "no_device_to_certify")
    require(not any((month, device) in issued for device in stated), "month_is_certified")
    require(stated.keys() <= {device.id for device in open_devices}, "unknown_device")
    require(all(energy_wh >= 0 for energy_wh in stated.values()), "volume_out_of_range")
    return [(device, stated.get(device.id)) for device in open_devices]


def _plan(exchange: "Exchange", device: Device, month: int, stated_wh: int | None) -> _DeviceMonth:
    """Raises BusinessRuleError for a volume that the meter does not bear out."""
    certificates = exchange.rooms.certificates
    periods = periods_between_ns(start_of_month_ns(month), start_of_month_ns(month + 1))
    devices = np.full(len(periods), device.id, np.int64)
    generation = device_generation_wh(exchange.rooms.devices, exchange.rooms.meters, device.id, periods)
    free = np.maximum(generation - certificates.claims.claimed_wh(devices, periods), 0)
    volumes = on_grid_volumes(device.id, int(free.sum()), certificates.monthly.self_use_of(month, device.id))
    if volumes is None:
        raise BusinessRuleError("self_use_beyond_generation")
    if stated_wh is not None:
        require(stated_wh <= volumes[0].energy_wh, "issuance_above_verified_volume")
        volumes[0] = Volume(device.id, ON_GRID, stated_wh)
    claimed = first_wh(free, sum(volume.energy_wh for volume in volumes))
    used = np.flatnonzero(claimed)
    claims = ClaimRows(devices[used], periods[used], claimed[used], generation[used])
    return _DeviceMonth(device, int(claimed.sum()), claims, certificates.monthly.units(volumes))


def _carry_out(exchange: "Exchange", month: int, plan: _DeviceMonth, totals: dict[str, int]) -> None:
    certificates = exchange.rooms.certificates
    certificates.claims.claim(ClaimScheme.GEC, plan.claims)
    certificates.monthly.close_month(month, plan.device.id, plan.verified_wh, plan.issues)
    for issue in plan.issues:
        if not issue.units:
            continue
        if issue.user == ON_GRID:
            _issue(exchange, plan.device, month, plan.device.account, issue.units, is_tradable=True)
            totals["tradable"] += issue.units
        elif issue.user == plan.device.account or (plan.device.id, issue.user) in certificates.monthly.proofs:
            _issue(exchange, plan.device, month, issue.user, issue.units, is_tradable=False)
            totals["self_use"] += issue.units
        else:
            certificates.monthly.wait_for_proof(plan.device.id, issue.user, month, issue.units)
            totals["waiting"] += issue.units


def _issue(exchange: "Exchange", device: Device, month: int, account: int, quantity: int, *, is_tradable: bool) -> None:
    instrument = certificate_of(exchange, device, month)
    issued = exchange.rooms.certificates.monthly.issued[month, device.id]
    facts = UnitFacts(
        scheme=UnitScheme.GEC, source=device.id, vintage=vintage_of(month), period_start_ns=start_of_month_ns(month),
        period_end_ns=start_of_month_ns(month + 1), expiry_ns=expiry_ns(month),
        evidence=hashlib.sha256(f"{month_name(month)} device {device.id} {issued.verified_wh} Wh".encode()).digest(),
    )  # fmt: skip
    units.issue(exchange, instrument, account, quantity, facts, is_tradable=is_tradable)


def file_proof(exchange: "Exchange", document: FileSelfUseProof, caller: Caller) -> Result:
    """Contract and proof of payment of a pair of generator and user: what waited for them is the user's now, of months that are still valid."""
    device = exchange.rooms.devices.by_id.get(document.device)
    if device is None or device.scheme is not Scheme.GEC:
        raise BusinessRuleError("unknown_device")
    member(exchange, caller.account)
    require(caller.account != device.account, "user_is_the_generator")
    require(is_printable(document.contract, TEXT_LIMIT) and is_printable(document.payment_reference, TEXT_LIMIT), "reference_malformed")
    monthly = exchange.rooms.certificates.monthly
    require((device.id, caller.account) not in monthly.proofs, "proof_is_filed")
    waiting = [(month, count) for month, count in monthly.waiting_of(device.id, caller.account) if caller.stamp_ns < expiry_ns(month)]
    for month, _ in waiting:
        certificate_of(exchange, device, month)
    monthly.proofs[device.id, caller.account] = Proof(
        device.id, caller.account, document.contract, document.payment_reference, caller.stamp_ns
    )
    monthly.take_waiting(device.id, caller.account)
    for month, count in waiting:
        _issue(exchange, device, month, caller.account, count, is_tradable=False)
    exchange.notify("self_use_proof", {"device": device.id, "user": caller.account, "units": sum(count for _, count in waiting)})
    return {"units": sum(count for _, count in waiting)}


HANDLERS: Final[dict[type[Document], Handler]] = {IssueMonthlyCertificates: issue_monthly, FileSelfUseProof: file_proof}
