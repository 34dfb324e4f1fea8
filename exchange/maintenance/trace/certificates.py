"""The chain of a range of serial numbers: what it was issued on, through whose hands it went and where it ended."""

from typing import Any

import numpy as np

from exchange.maintenance.trace.energy import contract_nodes, parties, reading_nodes, settlement_node, trade_node, trades_of
from exchange.maintenance.trace.node import Node
from exchange.maintenance.trace.past import Past, local_time
from exchange.order_path.path import Exchange
from exchange.protocol.documents import MeterReadings
from exchange.registry.lifecycle import UnitState
from exchange.registry.serials import SerialRange, UnitScheme, parse_serial
from exchange.units import PERIOD_NS

# Who has which part of a range, in which state: (from, to, account, state).
Holding = tuple[int, int, int, int]


def trace_certificate(past: Past, what: str) -> Node:
    """`what` is a serial number. Raises InputError when it is none or was never issued."""
    wanted = parse_serial(what)
    registry = past.exchange.rooms.registry
    rows = registry.leaves(wanted)
    bundle = registry.rows[rows[0]]
    node = Node("certificate", what, _facts(past, wanted, rows))
    node.origins.append(_issuance(past, bundle))
    node.outcomes += [*_movements(past, wanted, bundle), *_retirements(past, wanted)]
    return node


def certificates_of_period(past: Past, account: int, starts: range) -> list[Node]:
    """Certificates that were issued to an account for delivery periods, as they are now."""
    registry = past.exchange.rooms.registry
    rows = registry.rows
    inside = np.isin(rows["period_start_ns"], list(starts)) & (rows["parent"] < 0) & (rows["account"] == account)
    found = []
    for row in np.flatnonzero(inside & np.isin(rows["scheme"], [int(UnitScheme.GC), int(UnitScheme.SDGC)])).tolist():
        found += [_short(past, part) for part in registry.parts_of(row)]
    return found


def units_moved(past: Past, trade: Any) -> list[Node]:
    """The ranges that a trade of units delivered."""
    sequence, buyer = int(trade["sequence"]), parties(trade)[0]
    before: Any = None
    for batch, exchange in past.at({sequence - 1, sequence} - {0}):
        registry = exchange.rooms.registry
        owners = np.where(registry.rows["state"] == int(UnitState.SPLIT), -1, registry.rows["account"])
        if batch.last_sequence == sequence and before is not None:
            known = np.concatenate([before, np.full(len(owners) - len(before), -1, owners.dtype)])
            gained = np.flatnonzero((owners == buyer) & (known != buyer))
            rows = [row for row in gained.tolist() if _is_new(exchange, row, before)]
            return [Node("certificate", str(registry.range_of(row)), {"->": past.name(buyer)}) for row in rows]
        before = np.array(owners)
    return []


def _is_new(exchange: Exchange, row: int, before: Any) -> bool:
    """Whether the buyer did not have it already: what is left of a bundle that was split was its owner's before."""
    parent = int(exchange.rooms.registry.rows[row]["parent"])
    return row < len(before) or parent < 0 or parent >= len(before) or before[parent] != exchange.rooms.registry.rows[row]["account"]


def _facts(past: Past, wanted: SerialRange, rows: list[int]) -> dict[str, str]:
    bundle = past.exchange.rooms.registry.rows[rows[0]]
    facts = {"": f"{wanted.quantity} {'Wh' if wanted.scheme in {UnitScheme.GC, UnitScheme.SDGC} else 'units'}"}
    if bundle["period_start_ns"]:
        facts["period"] = f"{local_time(int(bundle['period_start_ns']))} - {local_time(int(bundle['period_end_ns']))}"
    if len(rows) == 1:
        facts |= {"holder": past.name(int(bundle["account"])), "state": UnitState(int(bundle["state"])).name.lower()}
    facts["hash"] = bytes(bundle["digest"]).hex()
    return facts


def _short(past: Past, row: int) -> Node:
    registry = past.exchange.rooms.registry
    bundle = registry.rows[row]
    facts = {"": past.name(int(bundle["account"])), "state": UnitState(int(bundle["state"])).name.lower()}
    return Node("certificate", str(registry.range_of(row)), facts)


def _issuance(past: Past, bundle: Any) -> Node:
    """The command that issued it, with the document it came by and the meters, the settlement and the trades behind it."""
    registry = past.exchange.rooms.registry
    number = int(bundle["issuance"])
    sequence = int(registry.table.issuances[number - 1]["sequence"])
    document = next((carried.document for carried in past.documents if carried.sequence == sequence), None)
    node = Node("issuance", str(number), {} if document is None else {"": document.SCHEMA}, sequence)
    start_ns, end_ns = int(bundle["period_start_ns"]), int(bundle["period_end_ns"])
    device = past.exchange.rooms.devices.by_id.get(int(bundle["source"]))
    if device is not None:
        node.origins.append(Node("device", f"{past.name(device.account)} {device.name}", {"": str(device.kind), "W": f"{device.capacity_w:,}"}))
        node.origins += reading_nodes(past, device.account, range(start_ns, max(end_ns, start_ns + 1), PERIOD_NS))
    settled = settlement_node(past, start_ns) if start_ns else None
    if settled is not None and settled[0].sequence == sequence:
        node.origins.append(settled[0])
        holder = int(bundle["holder"])
        if device is None or holder != device.account:
            node.origins += [*trades_of(past, holder, (start_ns,)), *contract_nodes(past, holder, start_ns, start_ns + PERIOD_NS)]
    return node


def _holdings(exchange: Exchange, wanted: SerialRange) -> tuple[Holding, ...]:
    registry = exchange.rooms.registry
    found = []
    for row in registry.leaves(wanted):
        bundle = registry.rows[row]
        serial_from, serial_to = max(int(bundle["serial_from"]), wanted.serial_from), min(int(bundle["serial_to"]), wanted.serial_to)
        found.append((serial_from, serial_to, int(bundle["account"]), int(bundle["state"])))
    return tuple(found)


def _movements(past: Past, wanted: SerialRange, bundle: Any) -> list[Node]:
    """Every change of owner or state since it was issued, by its command."""
    issued = int(past.exchange.rooms.registry.table.issuances[wanted.issuance - 1]["sequence"])
    asset = int(bundle["asset"])
    commands = past.moved_by(asset) | past.moved_by(int(bundle["origin"])) if asset else set()
    commands |= {c.sequence for c in past.documents if not isinstance(c.document, MeterReadings)}
    found: list[Node] = []
    last: dict[tuple[int, int], tuple[int, int]] = {}
    schemas = {carried.sequence: carried.document.SCHEMA for carried in past.documents}
    for batch, exchange in past.at({sequence for sequence in commands if sequence >= issued}):
        now = _holdings(exchange, wanted)
        if batch.last_sequence > issued:
            for serial_from, serial_to, account, state in now:
                if _before(last, serial_from) != (account, state):
                    part = wanted._replace(serial_from=serial_from, serial_to=serial_to)
                    facts = {"": str(part), "->": past.name(account), "state": UnitState(state).name.lower()}
                    name = schemas.get(batch.last_sequence) or _trade_of(past, batch.last_sequence)
                    found.append(Node("movement", name, facts, batch.last_sequence))
        last = {(serial_from, serial_to): (account, state) for serial_from, serial_to, account, state in now}
    return found


def _retirements(past: Past, wanted: SerialRange) -> list[Node]:
    """Who it was retired for, and why; public by their numbers."""
    found = []
    for number, one in past.exchange.rooms.certificates.retirements.by_number.items():
        serials = one.serials
        touches = (serials[:, 3] == wanted.issuance) & (serials[:, 4] <= wanted.serial_to) & (serials[:, 5] >= wanted.serial_from)
        if touches.any():
            span = f"{local_time(one.consumed_from_ns)} - {local_time(one.consumed_to_ns)}"
            found.append(Node("retirement", str(number), {"": one.beneficiary_name, "for": one.purpose, "period": span, "hash": one.digest}))
    return found


def _before(last: dict[tuple[int, int], tuple[int, int]], serial: int) -> tuple[int, int] | None:
    return next((holding for (serial_from, serial_to), holding in last.items() if serial_from <= serial <= serial_to), None)


def _trade_of(past: Past, sequence: int) -> str:
    rows = past.trades[past.trades["sequence"] == sequence]
    return ", ".join(trade_node(past, row).name for row in rows) or str(sequence)
