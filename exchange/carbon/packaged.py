"""What is shipped as data: factors, rules by year, the claims matrix. Read once; numbers become integers without a float in between.

Nothing of it is state: a fold never reads it, so that other data of a later release changes no replay. Reports do.
"""

import tomllib
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any, Final

from exchange.errors import InputError
from exchange.protocol.value_chain.accounting import EmissionFactor, FuelFactor
from exchange.units import PPM

DATA: Final = "data"
_MG_PER_KG: Final = 1_000_000


@cache
def read(name: str) -> dict[str, Any]:
    """A packaged TOML file; its decimals are strings."""
    return tomllib.loads((files("exchange.carbon") / DATA / name).read_text("utf-8"))


def scaled(text: str, scale: int) -> int:
    """A decimal string times a scale, exactly. Raises InputError when a digit would be lost."""
    value = Decimal(text) * scale
    if value != value.to_integral_value():
        raise InputError(f"{text} has more digits than 1/{scale}")
    return int(value)


def ppm(text: str) -> int:
    return scaled(text, PPM)


@cache
def grid_factors() -> tuple[EmissionFactor, ...]:
    """All factors of electricity that are shipped."""
    found = []
    for table in read("factors.toml")["grid"]:
        head = {name: table[name] for name in ("publisher", "year", "source")}
        for region, kinds in table.items():
            if region not in head:
                found += [EmissionFactor(region=region, kind=kind, mg_per_kwh=scaled(kg, _MG_PER_KG), **head) for kind, kg in kinds.items()]
    return tuple(found)


@cache
def fuel_factors() -> tuple[FuelFactor, ...]:
    """Default factors of fuels and of purchased heat."""
    return tuple(
        FuelFactor(
            publisher=row["publisher"], year=row["year"], region="national", fuel=row["fuel"], unit=row["unit"], source=row["source"],
            mg_co2_per_unit=scaled(row.get("kg_co2", "0"), _MG_PER_KG), mg_ce_per_unit=scaled(row["kg_ce"], _MG_PER_KG),
            ncv_kj_per_unit=scaled(row.get("ncv_mj", "0"), 1000), carbon_ug_per_kj=scaled(row.get("carbon", "0"), 1000),
            oxidation_ppm=ppm(row.get("oxidation", "0")),
        )
        for row in read("factors.toml")["fuel"]
    )  # fmt: skip


def rule_of_year(name: str, year: int) -> dict[str, Any]:
    """The entry of a rule that holds in a year. Raises InputError before the first one."""
    holding = [entry for entry in read("rules.toml")[name] if entry["from_year"] <= year]
    if not holding:
        raise InputError(f"no rule of {name} holds in {year}")
    return dict(max(holding, key=lambda entry: entry["from_year"]))
