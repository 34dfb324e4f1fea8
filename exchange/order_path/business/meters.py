"""Readings by device, substitution, the close of a month and corrections after it."""

from typing import TYPE_CHECKING, Final

import numpy as np

from exchange.metering.device_readings import THERMAL, VERSIONS, DeviceColumns, limit_wh, put, state_problem, take
from exchange.metering.months import ClosedMonth
from exchange.metering.substitution import has_gaps, substitute
from exchange.metering.validation import REVISION_LIMIT, GridColumns, Int64Array, MeterProblem
from exchange.order_path.business.rules import BusinessRuleError, Caller, Handler, Result, require
from exchange.order_path.business.units_control import anchor_storage
from exchange.order_path.flows import FlowValue, note_flows
from exchange.protocol.document import Document
from exchange.protocol.value_chain.metering import CorrectReadings, DeviceReadings, FinalizeMonth, SubstituteReadings
from exchange.units import PERIOD_NS

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange

TEXT_MAX: Final = 200
_NO_GRID: Final = GridColumns(*(np.zeros(0, np.int64) for _ in range(4)))


def read_devices(exchange: "Exchange", document: DeviceReadings, caller: Caller) -> Result:
    """A file of readings by device; a state of charge anchors its storage."""
    require(len(document.source) <= TEXT_MAX, "source_too_long")
    rooms = exchange.rooms
    taken = take(rooms.meters, document, rooms.devices, caller.stamp_ns, _sequence(exchange))
    if isinstance(taken, MeterProblem):
        raise BusinessRuleError(str(taken).lower())
    for device, at_ns, soc_wh in zip(document.soc_devices, document.soc_at_ns, document.soc_wh, strict=True):
        account = rooms.devices.by_id[device].account
        if exchange.state.accounts[account].storage >= 0:
            anchor_storage(exchange.state, account, soc_wh, at_ns)
    _tell(exchange, taken.rows, taken.grid, document.revision, document.version)
    rows = len(document.import_wh) + len(document.grid_starts_ns)
    return {"rows": rows, "replaced": taken.replaced, "already_there": taken.unchanged}


def substitute_readings(exchange: "Exchange", document: SubstituteReadings, caller: Caller) -> Result:
    """Values by the rule that the document names, flagged as substituted."""
    rooms = exchange.rooms
    device = rooms.devices.by_id.get(document.device)
    require(device is not None, "unknown_device")
    assert device is not None
    require(document.version in VERSIONS, "unknown_version")
    require(0 <= document.revision <= REVISION_LIMIT, "revision_out_of_range")
    require(len(document.reason) <= TEXT_MAX, "reason_too_long")
    rows = substitute(rooms.meters.devices, document)
    if isinstance(rows, str):
        raise BusinessRuleError(rows)
    require(int(rows.start_ns[-1]) <= caller.stamp_ns - PERIOD_NS, "period_not_over")
    require(int(max(rows.import_wh.max(), rows.export_wh.max())) <= limit_wh(device), "over_capacity")
    version = VERSIONS[document.version]
    problem = state_problem(rooms.meters, rows, rooms.devices, document.revision, version)
    if problem is not None:
        raise BusinessRuleError(str(problem).lower())
    replaced = put(rooms.meters, rows, rooms.devices, _sequence(exchange), document.revision, version)
    _tell(exchange, rows, _NO_GRID, document.revision, document.version)
    return {"rows": document.count, "replaced": replaced, "import_wh": int(rows.import_wh.sum()), "export_wh": int(rows.export_wh.sum())}


def finalize_month(exchange: "Exchange", document: FinalizeMonth, caller: Caller) -> Result:
    """Readings of a month are final; what its generators gave is told as a flow of the projects behind them."""
    meters, devices = exchange.rooms.meters, exchange.rooms.devices
    problem = meters.months.problem(document, caller.stamp_ns)
    require(problem is None, str(problem))
    complete = not has_gaps(meters.devices, document.month_start_ns, document.month_end_ns)
    require(complete or document.accept_gaps, "month_has_gaps")
    meters.months.closed.append(ClosedMonth(document.month, document.month_start_ns, document.month_end_ns))
    starts_ns = np.arange(document.month_start_ns, document.month_end_ns, PERIOD_NS, dtype=np.int64)
    exported = {device: _exported_wh(exchange, device, starts_ns) for device in sorted(meters.devices.meters) if devices.by_id[device].is_renewable}
    outputs = {"park": sum(exported.values())} | {f"device:{device}": wh for device, wh in exported.items()} if exported else {}
    note_flows(exchange, "project", [FlowValue(subject, "metered_output", document.month_start_ns, wh, "Wh") for subject, wh in outputs.items()])
    exchange.notify(
        "month_closed", {"month": document.month, "start_ns": document.month_start_ns, "end_ns": document.month_end_ns, "complete": complete}
    )
    return {"month": document.month, "complete": complete}


def correct_readings(exchange: "Exchange", document: CorrectReadings, caller: Caller) -> Result:
    """Readings by account of a closed month are corrected; a re-run compares what was settled with what is known now."""
    require(0 < len(document.reason) <= TEXT_MAX, "reason_missing")
    rooms = exchange.rooms
    problem = rooms.meters.correct(document, rooms.participants.by_id, caller.stamp_ns, _sequence(exchange))
    if problem is not None:
        raise BusinessRuleError(str(problem).lower())
    exchange.notify("corrected", {"readings": document})
    return {"rows": len(document.accounts) + len(document.grid_starts_ns)}


def _sequence(exchange: "Exchange") -> int:
    """Of the command at work."""
    return int(exchange.state.counters[0].sequence)


def _exported_wh(exchange: "Exchange", device: int, starts_ns: Int64Array) -> int:
    return int(exchange.rooms.meters.devices.find(np.full(starts_ns.shape, device), starts_ns).export_wh.sum())


def _tell(exchange: "Exchange", rows: DeviceColumns, grid: GridColumns, revision: int, version: str) -> None:
    """What is new, for the read model."""
    by_id = [device for _, device in sorted(exchange.rooms.devices.by_id.items())]
    accounts = np.array([0, *(device.account for device in by_id)], np.int64)[rows.device]
    electric = np.array([False, *(device.kind not in THERMAL for device in by_id)])[rows.device]
    exchange.notify(
        "device_metered",
        {"rows": rows, "grid": grid, "accounts": accounts, "electric": electric, "revision": revision, "version": int(VERSIONS[version])},
    )


HANDLERS: Final[dict[type[Document], Handler]] = {
    DeviceReadings: read_devices,
    SubstituteReadings: substitute_readings,
    FinalizeMonth: finalize_month,
    CorrectReadings: correct_readings,
}
