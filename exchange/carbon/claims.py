"""Which instrument lowers which account (docs/rules.md, "Claims matrix"): 35 cells of data, each with its reason and source.

The accounts ask `is_allowed` before an instrument counts, so the table that is printed is the one that is computed with.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import Final, NamedTuple

from exchange.carbon import packaged


class Instrument(StrEnum):
    """What may be held against an emission. GRANULAR: a certificate of a quarter-hour."""

    SELF_USE = "self_use"
    DIRECT_SUPPLY = "direct_supply"
    GEC = "gec"
    GRANULAR = "granular"
    CCER = "ccer"
    PCC = "pcc"
    CEA = "cea"


class CarbonAccount(StrEnum):
    """An obligation or account that could be lowered."""

    ETS_OBLIGATION = "ets_obligation"
    PARK_INDICATOR = "park_indicator"
    SCOPE2_LOCATION = "scope2_location"
    SCOPE2_MARKET = "scope2_market"
    PRODUCT = "product"


class Cell(NamedTuple):
    instrument: Instrument
    account: CarbonAccount
    allowed: bool
    reason_en: str
    reason_zh: str
    source: str


@cache
def matrix() -> dict[tuple[Instrument, CarbonAccount], Cell]:
    """All cells by instrument and account."""
    cells = [
        Cell(Instrument(row["instrument"]), CarbonAccount(row["account"]), row["allowed"], row["reason_en"], row["reason_zh"], row["source"])
        for row in packaged.read("claims.toml")["cell"]
    ]
    return {(cell.instrument, cell.account): cell for cell in cells}


def is_allowed(instrument: Instrument, account: CarbonAccount) -> bool:
    """Whether a unit of the instrument may lower the account. Every pair has an answer."""
    return matrix()[instrument, account].allowed


def counting_wh(held_wh: Mapping[Instrument, int], account: CarbonAccount) -> int:
    """What of the energy claimed by instruments counts in an account."""
    return sum(energy_wh for instrument, energy_wh in held_wh.items() if is_allowed(instrument, account))


NAMES: Final[dict[StrEnum, tuple[str, str]]] = {
    Instrument.SELF_USE: ("own use", "自发自用"),
    Instrument.DIRECT_SUPPLY: ("direct supply", "绿电直供"),
    Instrument.GEC: ("GEC", "绿证"),
    Instrument.GRANULAR: ("granular certificate", "分时绿证"),
    Instrument.CCER: ("CCER", "国家核证自愿减排量"),
    Instrument.PCC: ("park credit", "园区碳积分"),
    Instrument.CEA: ("CEA", "碳排放配额"),
    CarbonAccount.ETS_OBLIGATION: ("ETS obligation", "履约义务"),
    CarbonAccount.PARK_INDICATOR: ("park indicator", "园区指标"),
    CarbonAccount.SCOPE2_LOCATION: ("Scope 2 location", "范围二位置法"),
    CarbonAccount.SCOPE2_MARKET: ("Scope 2 market", "范围二市场法"),
    CarbonAccount.PRODUCT: ("product", "产品"),
}
