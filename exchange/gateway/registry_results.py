"""What the registry tells: of a serial number, of a retirement, of an account's units. Reads the state, changes nothing."""

from typing import Any, Final

import numpy as np

from exchange.gateway.ports import ExchangeView
from exchange.registry.lifecycle import UnitState
from exchange.registry.retirements import Retirement
from exchange.registry.serials import DEVICE_SCHEMES, SerialRange

# What was retired is public: who holds a unit that is live is told to its owner and to auditors alone.
LINKS_SHOWN: Final = 50  # sales split what is left again and again; `parkex trace` follows a chain to its end
_PUBLIC_STATES: Final = frozenset({UnitState.RETIRED})


def certificate_result(exchange: ExchangeView, asked: SerialRange, viewer: int | None, *, sees_all: bool) -> dict[str, Any] | None:
    """A unit's facts, state and chain; None where the serial number was never issued. `viewer`: the account that asks, None for nobody's."""
    registry = exchange.rooms.registry
    row = registry.find(asked.issuance, asked.serial_from)
    if row is None or registry.range_of(row)[:3] != asked[:3]:
        return None
    bundle = registry.rows[row]
    account, state = int(bundle["account"]), UnitState(int(bundle["state"]))
    retirement = exchange.rooms.certificates.retirements.of_serial(asked.issuance, asked.serial_from)
    is_told = sees_all or account == viewer or state in _PUBLIC_STATES
    return {
        "serial": str(registry.range_of(row)),
        "state": state.name.lower(),
        "holder": account if is_told else None,
        "scheme": asked.scheme.name,
        "source": _source(exchange, asked),
        "vintage": asked.vintage,
        "period_start_ns": int(bundle["period_start_ns"]),
        "period_end_ns": int(bundle["period_end_ns"]),
        "expiry_ns": int(bundle["expiry_ns"]),
        "transfers": int(bundle["transfers"]),
        "issuance": issuance_result(exchange, asked.issuance),
        "chain": _chain(exchange, row),
        "retirement": None if retirement is None else retirement.number,
    }


def issuance_result(exchange: ExchangeView, issuance: int) -> dict[str, Any]:
    """The command that issued, and the digest of what it was issued on."""
    entry = exchange.rooms.registry.table.issuances[issuance - 1]
    return {"number": issuance, "sequence": int(entry["sequence"]), "evidence": entry["evidence"].tobytes().hex()}


def retirement_result(retirement: Retirement) -> dict[str, Any]:
    """All that a retirement says."""
    return {
        "number": retirement.number,
        "kind": retirement.kind.name.lower(),
        "retired_ns": retirement.retired_ns,
        "account": retirement.account,
        "beneficiary": retirement.beneficiary,
        "beneficiary_name": retirement.beneficiary_name,
        "purpose": retirement.purpose,
        "consumed_from_ns": retirement.consumed_from_ns,
        "consumed_to_ns": retirement.consumed_to_ns,
        "series": retirement.series,
        "quantity": retirement.quantity,
        "unit": retirement.unit,
        "serials": [str(serial) for serial in retirement.ranges],
        "previous": retirement.previous,
        "digest": retirement.digest,
    }


def bundle_rows(exchange: ExchangeView, account: int, limit: int) -> tuple[int, list[dict[str, Any]]]:
    """(how many, the first of them) of an account's live bundles, in the order they were made."""
    registry = exchange.rooms.registry
    rows = registry.bundles_of(account)
    live = rows[np.isin(registry.rows["state"][rows], [UnitState.ISSUED, UnitState.LOCKED, UnitState.FROZEN])]
    return len(live), [_bundle(exchange, row) for row in live[:limit].tolist()]


def state_counts(exchange: ExchangeView) -> list[dict[str, Any]]:
    """Units by series and state: what anybody may know. Granular certificates are the series GC."""
    found = []
    series = [(0, "GC"), *((instrument.id, instrument.symbol) for instrument in exchange.instruments() if not instrument.is_power)]
    for asset, symbol in series:
        counts = exchange.rooms.registry.counts(asset)
        states = {state.name.lower(): lots for state, lots in counts.items() if state is not UnitState.SPLIT and lots}
        if states:
            found.append({"series": symbol, "units": states})
    return found


def _bundle(exchange: ExchangeView, row: int) -> dict[str, Any]:
    registry = exchange.rooms.registry
    bundle = registry.rows[row]
    asset = int(bundle["asset"])
    return {
        "serial": str(registry.range_of(row)),
        "series": exchange.instrument_by_id(asset).symbol if asset else "GC",
        "quantity": registry.quantity(row),
        "state": UnitState(int(bundle["state"])).name.lower(),
        "period_start_ns": int(bundle["period_start_ns"]),
        "expiry_ns": int(bundle["expiry_ns"]),
    }


def _source(exchange: ExchangeView, serial: SerialRange) -> dict[str, Any] | None:
    """The device behind a certificate."""
    device = exchange.rooms.devices.by_id.get(serial.source) if serial.scheme in DEVICE_SCHEMES else None
    if device is None:
        return None
    return {
        "device": device.id, "name": device.name, "kind": str(device.kind), "capacity_w": device.capacity_w, "location": device.location,
        "commissioned_ns": device.commissioned_ns,
    }  # fmt: skip


def _chain(exchange: ExchangeView, row: int) -> list[dict[str, Any]]:
    """The bundle and those it was split from, as far as an answer shows them; each digest is over that of the line below it."""
    registry = exchange.rooms.registry
    chain: list[dict[str, Any]] = []
    while row >= 0 and len(chain) < LINKS_SHOWN:
        bundle = registry.rows[row]
        chain.append({"serial": str(registry.range_of(row)), "sequence": int(bundle["sequence"]), "digest": bundle["digest"].tobytes().hex()})
        row = int(bundle["parent"])
    return chain

