"""What a park stands in: the tariff of its grid, the emission factor of its imports, what its voltage levels cost."""

from collections.abc import Mapping
from importlib.resources import as_file, files
from pathlib import Path
from zoneinfo import ZoneInfo

from clients.scenarios.attributes import Reader
from clients.scenarios.layers import Place, ScenarioFile
from clients.scenarios.schema import Decimal, FactorTable
from clients.scenarios.tariff import Tariff
from clients.scenarios.tariff_files import read_tariff
from exchange.carbon.factors import same_version
from exchange.carbon.packaged import grid_factors
from exchange.errors import InputError
from exchange.protocol.value_chain.accounting import EmissionFactor


def scenario_tariff(tariff: str, scenario: ScenarioFile, zone: ZoneInfo) -> Tariff:
    """The tariff of the name: a file beside the user's scenario, or one that ships. Raises InputError for a missing or malformed one."""
    if scenario.folder is not None and (own := scenario.folder / tariff).is_file():
        return read_tariff(own, zone)
    shipped = files("clients.scenarios").joinpath("data", Path(tariff).name)
    if Path(tariff).name != tariff or not shipped.is_file():
        name, line = scenario.place_of(("tariff",))
        raise InputError(f"{name}: line {line}: tariff: no file {tariff!r}, neither beside the scenario nor among the shipped ones")
    with as_file(shipped) as path:
        return read_tariff(path, zone)


def emission_factor(table: FactorTable, reader: Reader, place: Place = ("emission_factor",)) -> EmissionFactor:
    """The one that is shipped under that name, or the scenario's own number."""
    mg_per_kwh = 0 if table.kg_per_kwh is None else reader.scaled(table.kg_per_kwh, 6, *place, "kg_per_kwh")
    own = EmissionFactor(publisher=table.publisher, year=table.year, region=table.region, kind=table.kind, mg_per_kwh=mg_per_kwh)
    if table.kg_per_kwh is not None:
        return own
    shipped = next((factor for factor in grid_factors() if same_version(factor, [own])), None)
    if shipped is None:
        reader.note(f"{'.'.join(str(part) for part in place)}: no such factor is shipped; state its kg_per_kwh", *place)
    return shipped or own


def voltage_adders(adders_cny_per_kwh: Mapping[str, Decimal], reader: Reader) -> dict[str, int]:
    """Adders of the voltage levels, micro-CNY/kWh."""
    return {kv: reader.scaled(value, 6, "voltage_adder_cny_per_kwh", kv) for kv, value in adders_cny_per_kwh.items()}
