"""Emission factors by publisher, year, region and kind, and which of them a period uses (docs/rules.md, "Emission factors").

A period of a year uses the newest factor whose own year is not after it. So a factor of a later year never touches an earlier period, and a closed
year uses the factors its closing carries, whatever is published or shipped later.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from exchange.errors import InputError
from exchange.protocol.value_chain.accounting import EmissionFactor, FuelFactor
from exchange.units import PPM, divide_half_even

NATIONAL: Final = "national"
PURCHASED_HEAT: Final = "purchased_heat"
UG_PER_G: Final = 1_000_000
UG_PER_T: Final = 10**12

_YEARS: Final = range(1990, 2200)
_MG_LIMIT: Final = 10**13  # 10,000 t a unit


class FactorKind(StrEnum):
    """AVERAGE: of all power (location-based). RESIDUAL: without power sold as green (market-based). FOSSIL: of fossil power. FUEL: of a fuel."""

    AVERAGE = "average"
    RESIDUAL = "residual"
    FOSSIL = "fossil"
    FUEL = "fuel"


GRID_KINDS: Final = frozenset({FactorKind.AVERAGE, FactorKind.RESIDUAL, FactorKind.FOSSIL})


@dataclass(frozen=True, slots=True)
class FactorBook:
    """The factors one year is accounted with. Later rows of equal key come before earlier ones: registered before packaged."""

    year: int
    grid: Sequence[EmissionFactor]
    fuels: Sequence[FuelFactor]

    def electricity(self, kind: FactorKind, region: str = NATIONAL, publisher: str = "MEE") -> EmissionFactor:
        """The newest of that kind that is not younger than the year; of the nation where the region has none of the kind.

        Raises InputError when there is none.
        """
        for place in dict.fromkeys((region, NATIONAL)):
            found = [f for f in self.grid if f.publisher == publisher and f.kind == kind and f.region == place and f.year <= self.year]
            if found:
                return max(reversed(found), key=lambda factor: factor.year)
        raise InputError(f"no {kind} emission factor of {publisher} for {region} in {self.year}")

    def fuel(self, name: str) -> FuelFactor:
        """The newest of a fuel that is not younger than the year, whoever published it: what is registered goes before what is shipped.

        Raises InputError when there is none.
        """
        found = [f for f in self.fuels if f.fuel == name and f.year <= self.year]
        if not found:
            raise InputError(f"no emission factor of the fuel {name} in {self.year}")
        return max(reversed(found), key=lambda factor: factor.year)

    def resolved(self, region: str = NATIONAL) -> tuple[list[EmissionFactor], list[FuelFactor]]:
        """What a closing of the year has to carry: one factor of each kind and one of each fuel, the regional average beside the national one."""
        grid = {self.electricity(kind, place).label: self.electricity(kind, place) for kind in sorted(GRID_KINDS) for place in (NATIONAL, region)}
        fuels = [self.fuel(name) for name in sorted({f.fuel for f in self.fuels if f.year <= self.year})]
        return list(grid.values()), fuels


def electricity_ug(energy_wh: int, factor: EmissionFactor) -> int:
    """Micrograms of CO2, exact."""
    return energy_wh * factor.mg_per_kwh


def fuel_ug(quantity_milli: int, factor: FuelFactor) -> int:
    """Micrograms of CO2: AD x factor, exact, or AD x NCV x CC x OF x 44/12 rounded half-even once to the microgram."""
    if factor.mg_co2_per_unit:
        return quantity_milli * factor.mg_co2_per_unit
    carbon = quantity_milli * factor.ncv_kj_per_unit * factor.carbon_ug_per_kj * factor.oxidation_ppm
    return divide_half_even(carbon * 44, 12 * PPM * 1000)


def coal_equivalent_ug(quantity_milli: int, factor: FuelFactor) -> int:
    """Micrograms of coal equivalent, exact."""
    return quantity_milli * factor.mg_ce_per_unit


def grams(micrograms: int) -> int:
    """What is shown: grams, half-even once."""
    return divide_half_even(micrograms, UG_PER_G)


def grid_problem(factor: EmissionFactor) -> str | None:
    """The first rule that a factor breaks by itself, as a stable name."""
    if not all(0 < len(text) <= 64 for text in (factor.publisher, factor.region)) or len(factor.source) > 300:
        return "name_malformed"
    if factor.year not in _YEARS:
        return "year_out_of_range"
    if factor.kind not in {str(kind) for kind in GRID_KINDS}:
        return "unknown_factor_kind"
    return None if 0 <= factor.mg_per_kwh <= 10 * UG_PER_G else "factor_out_of_range"


def fuel_problem(factor: FuelFactor) -> str | None:
    """The first rule that a factor of a fuel breaks by itself, as a stable name."""
    if not all(0 < len(text) <= 64 for text in (factor.publisher, factor.region, factor.fuel)) or len(factor.source) > 300:
        return "name_malformed"
    if factor.year not in _YEARS:
        return "year_out_of_range"
    if factor.unit not in {"m3", "t", "GJ"}:
        return "unknown_unit"
    content = (factor.ncv_kj_per_unit, factor.carbon_ug_per_kj, factor.oxidation_ppm)
    if bool(factor.mg_co2_per_unit) == any(content) and (any(content) or factor.fuel != PURCHASED_HEAT):
        return "factor_by_content_or_by_unit"
    values = (factor.mg_co2_per_unit, *content, factor.mg_ce_per_unit)
    in_range = all(0 <= value <= _MG_LIMIT for value in values) and factor.oxidation_ppm <= PPM
    return None if in_range else "factor_out_of_range"


def same_version(factor: EmissionFactor | FuelFactor, others: Iterable[EmissionFactor] | Iterable[FuelFactor]) -> bool:
    """Whether a factor of that publisher, year, region and kind is there already."""
    return any(_version(factor) == _version(other) for other in others)


def _version(factor: EmissionFactor | FuelFactor) -> tuple[str, int, str, str]:
    return factor.publisher, factor.year, factor.region, factor.kind if isinstance(factor, EmissionFactor) else factor.fuel
