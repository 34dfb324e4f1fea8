"""Certificates of a played day for its summary, from the registry of the replayed journal. Energies in Wh until they are shown in MWh."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from exchange.order_path.claim_check import claim_breaches
from exchange.order_path.path import Exchange
from exchange.registry.lifecycle import UnitState
from exchange.registry.serials import UnitScheme
from exchange.units import WH_PER_MWH

_UNIT_WH: Final = {UnitScheme.GEC: WH_PER_MWH, UnitScheme.GC: 1, UnitScheme.SDGC: 1}


def certificates_of(exchange: Exchange) -> dict[str, int]:
    """Wh of certificates: the stock of monthly ones that the day opened with, issued at settlement, traded, retired, expired; double claims found."""
    rows = exchange.rooms.registry.rows
    found = dict.fromkeys(("opening_wh", "issued_wh", "traded_wh", "retired_wh", "expired_wh"), 0)
    for scheme, unit_wh in _UNIT_WH.items():
        of_scheme = rows["scheme"] == int(scheme)
        energy_wh = (rows["serial_to"] - rows["serial_from"] + 1) * unit_wh
        live = of_scheme & (rows["state"] != int(UnitState.SPLIT))

        def total(chosen: Any, energy_wh: Any = energy_wh) -> int:
            return int(energy_wh[np.flatnonzero(chosen)].sum())

        found["opening_wh" if scheme is UnitScheme.GEC else "issued_wh"] += total(of_scheme & (rows["parent"] < 0))
        found["traded_wh"] += total(live & (rows["transfers"] > 0))
        found["retired_wh"] += total(live & (rows["state"] == int(UnitState.RETIRED)))
        found["expired_wh"] += total(live & (rows["state"] == int(UnitState.EXPIRED)))
    return found | {"double_claims": len(claim_breaches(exchange))}


def certificate_figures(certificates: Mapping[str, int]) -> dict[str, Any]:
    """Fields of the summary, in MWh."""
    names = ("opening", "issued", "traded", "retired", "expired")
    figures: dict[str, Any] = {f"certificates_{name}": certificates[f"{name}_wh"] / WH_PER_MWH for name in names}
    return figures | {"double_claims": certificates["double_claims"]}
