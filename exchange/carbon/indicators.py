"""Indicators of national zero-carbon parks (docs/rules.md, "Indicators"): carbon per unit energy with its bands, and five more. All of them are data.

Comparisons are exact; shown values are ppm, rounded down for shares and half-even for the carbon indicator. What cannot be said is never passed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from exchange.carbon import packaged
from exchange.carbon.activity import ActivityEntry, ActivityKind
from exchange.carbon.factors import UG_PER_T
from exchange.carbon.matching import Share
from exchange.carbon.park import ParkAccount
from exchange.protocol.value_chain.accounting import SetProductNorm
from exchange.units import MICRO_PER_CNY, PPM, WH_PER_MWH, divide_half_even

MILLI: Final = 1000
_MG_PER_KG: Final = 1_000_000


class Indicator(msgspec.Struct, frozen=True, kw_only=True):
    """`value_ppm` and `threshold_ppm`: millionths of the unit (tCO2/tce, a share). `passed` is None where the data do not say; `note` names why."""

    name: str
    value_ppm: int | None
    threshold_ppm: int
    passed: bool | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Band:
    """`limit_ppm`: millionths of a tCO2/tce; `is_below`: less energy than any band of the notice is for."""

    limit_ppm: int
    is_below: bool


def band_of(energy_ugce: int, rules: Mapping[str, Any]) -> Band:
    """The band of a park's energy use."""
    bands = sorted((row["min_tce"] * UG_PER_T, packaged.ppm(row["limit"])) for row in rules["bands"])
    reached = [limit for minimum, limit in bands if energy_ugce >= minimum]
    return Band(reached[-1], is_below=False) if reached else Band(bands[0][1], is_below=True)


def carbon_per_energy(park: ParkAccount, rules: Mapping[str, Any]) -> Indicator:
    """The core indicator, a veto: E_park over comprehensive energy use."""
    band = band_of(park.energy_ugce, rules)
    passed = None if park.energy_ugce == 0 else park.emission_ug * PPM <= band.limit_ppm * park.energy_ugce
    note = "no_energy" if park.energy_ugce == 0 else "below_the_bands" if band.is_below else ""
    return Indicator(name="carbon_per_energy", value_ppm=park.micro_t_per_tce, threshold_ppm=band.limit_ppm, passed=passed, note=note)


def gec_needed(park: ParkAccount, rules: Mapping[str, Any]) -> int | None:
    """GEC (1 MWh each) beside those used that bring the core indicator to its band; None where the import is not enough for that."""
    limit = band_of(park.energy_ugce, rules).limit_ppm
    over = park.emission_ug * PPM - limit * park.energy_ugce
    if over <= 0:
        return 0
    if park.indirect_mg_per_kwh == 0:
        return None
    needed = -(-over // (PPM * park.indirect_mg_per_kwh * WH_PER_MWH))
    return needed if needed * WH_PER_MWH <= park.charged_wh else _last_one(park, over, needed)


def _last_one(park: ParkAccount, over: int, needed: int) -> int | None:
    """The last certificate may cover less than its MWh."""
    enough = park.charged_wh * park.indirect_mg_per_kwh * PPM >= over
    return needed if enough else None


def gec_cost_micro(certificates: int, price_fen: int) -> int:
    """Cost in micro-CNY at a price of so many fen a certificate."""
    return certificates * price_fen * MICRO_PER_CNY // 100


def park_indicators(
    park: ParkAccount,
    green_wh: int,
    entries: Iterable[ActivityEntry],
    norms: Mapping[str, SetProductNorm],
    rules: Mapping[str, Any],
    electricity_mg: int,
) -> list[Indicator]:
    """All six. `green_wh`: electricity with a live claim; `norms` by product; `electricity_mg`: mg of coal equivalent a kWh."""
    sums = _sums(entries)
    clean_ugce = green_wh * electricity_mg
    return [
        carbon_per_energy(park, rules),
        _at_least("clean_energy", Share(clean_ugce, park.energy_ugce), packaged.ppm(rules["clean_energy"])),
        _product_energy(sums, norms, packaged.ppm(rules["product_energy"])),
        _pair("solid_waste", sums, ActivityKind.SOLID_WASTE_USED, ActivityKind.SOLID_WASTE, rules),
        _pair("waste_heat", sums, ActivityKind.WASTE_HEAT_USED, ActivityKind.WASTE_HEAT_AVAILABLE, rules),
        _pair("water_reuse", sums, ActivityKind.WATER_REUSED, ActivityKind.WATER_USED, rules),
    ]


def _sums(entries: Iterable[ActivityEntry]) -> dict[tuple[str, str], int]:
    sums: dict[tuple[str, str], int] = {}
    for entry in entries:
        key = entry.key.kind, entry.key.subject
        sums[key] = sums.get(key, 0) + entry.quantity_milli
    return sums


def _pair(name: str, sums: Mapping[tuple[str, str], int], part: ActivityKind, whole: ActivityKind, rules: Mapping[str, Any]) -> Indicator:
    share = Share(sums.get((part, ""), 0), sums.get((whole, ""), 0))
    return _at_least(name, share, packaged.ppm(rules[name]))


def _at_least(name: str, share: Share, threshold_ppm: int) -> Indicator:
    if share.whole <= 0:
        return Indicator(name=name, value_ppm=None, threshold_ppm=threshold_ppm, passed=None, note="no_data")
    if share.part > share.whole:
        return Indicator(name=name, value_ppm=share.ppm, threshold_ppm=threshold_ppm, passed=None, note="part_beyond_whole")
    return Indicator(name=name, value_ppm=share.ppm, threshold_ppm=threshold_ppm, passed=share.at_least(threshold_ppm))


def _product_energy(sums: Mapping[tuple[str, str], int], norms: Mapping[str, SetProductNorm], threshold_ppm: int) -> Indicator:
    """Share of products at or below level 2 of their norm; a product with output but without energy or norm leaves it open."""
    products = sorted(subject for (kind, subject), quantity in sums.items() if kind == ActivityKind.PRODUCT_OUTPUT and quantity > 0)
    if not products:
        return Indicator(name="product_energy", value_ppm=None, threshold_ppm=threshold_ppm, passed=None, note="no_data")
    within = 0
    for product in products:
        energy = sums.get((ActivityKind.PRODUCT_ENERGY, product))
        if energy is None or product not in norms:
            return Indicator(name="product_energy", value_ppm=None, threshold_ppm=threshold_ppm, passed=None, note="norm_or_energy_missing")
        within += energy * _MG_PER_KG <= norms[product].mg_ce_per_unit * sums[ActivityKind.PRODUCT_OUTPUT, product]
    return _at_least("product_energy", Share(within, len(products)), threshold_ppm)


def unit_energy_mg_ce(energy_milli_kg: int, output_milli: int) -> int:
    """Energy of a unit of a product, in mg of coal equivalent, half-even. Both in thousandths."""
    return divide_half_even(energy_milli_kg * _MG_PER_KG, output_milli)
