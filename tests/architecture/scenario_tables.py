"""The tables of docs/scenarios.md from the file format they describe; what a key means stands in the page itself and is kept.

python -m tests.architecture.scenario_tables     # writes key, type, unit and default anew, after a change of the format
"""

import datetime
import re
import types
import typing
from typing import Any, Final

import msgspec

from clients.laboratory.scenario import schema
from clients.laboratory.scenario.convert import fields_of, is_table, unit_of, without_none
from clients.scenarios.schema import (
    ContractTable,
    Decimal,
    FactorTable,
    GenerationTable,
    InstrumentTable,
    LoadTable,
    NoiseTable,
    PowerTable,
    ProgrammeTable,
    StorageTable,
    Table,
)
from tests.architecture.repository import DOCS

PAGE: Final = DOCS / "scenarios.md"
# Name of a table in the page -> its type.
TABLES: Final[dict[str, type[Table]]] = {
    "top": schema.ScenarioTable, "experiment": schema.ExperimentTable, "power": PowerTable, "market": schema.MarketTable,
    "imbalance": schema.ImbalanceTable, "forecast": schema.ForecastTable, "noise": NoiseTable, "outage": schema.OutageTable,
    "network": schema.LaboratoryNetworkTable, "emission_factor": FactorTable, "carbon": schema.CarbonTable, "residual": schema.ResidualTable,
    "sharing": schema.SharingTable, "population": schema.PopulationTable, "valuation": schema.ValuationTable, "flexible": schema.FlexibleTable,
    "member": schema.LaboratoryMemberTable, "load": LoadTable, "generation": GenerationTable, "storage": StorageTable, "ev": schema.EvTable,
    "storage_policy": schema.StoragePolicyTable,
    "asset": schema.AssetTable, "programme": ProgrammeTable, "instrument": InstrumentTable, "contract": ContractTable,
    "tariff": schema.TariffTable, "version": schema.TariffVersionTable, "step": schema.TariffStepTable,
}  # fmt: skip
_PART: Final = re.compile(r"(<!-- keys (\w+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
_NAMES: Final = {int: "whole number", str: "text", bool: "true or false", datetime.date: "date", Any: "any"}


def _kind(kind: Any) -> str:
    kind = without_none(kind)
    if kind == Decimal:
        return "decimal"
    if kind == schema.Agent:
        return "text or table"
    if is_table(kind):
        return "table"
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in {types.UnionType, typing.Union}:
        return " or ".join(_kind(part) for part in arguments)
    if origin in {list, tuple}:
        return "array of tables" if is_table(arguments[0]) or typing.get_origin(arguments[0]) is dict else f"list of {_kind(arguments[0])}s"
    return f"table of {_kind(arguments[1])}s" if origin is dict else _NAMES[kind]


def _default(field: Any) -> str:
    if field.required:
        return "required"
    value = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
    if value is None or value in ([], {}, "") or isinstance(value, Table):
        return ""
    text = ", ".join(str(entry) for entry in value) if isinstance(value, tuple) else str(value)
    return f"`{text}`" if text.strip() else ""


def table(name: str, meanings: dict[str, str]) -> str:
    """The table of a type, each key with its meaning."""
    kinds = fields_of(TABLES[name])
    rows = [
        f"| `{field.name}` | {_kind(kinds[field.name])} | {unit_of(field.name)} | {_default(field)} | {meanings.get(field.name, '')} |"
        for field in msgspec.structs.fields(TABLES[name])
    ]
    return "\n".join(["| key | type | unit | default | meaning |", "| --- | --- | --- | --- | --- |", *rows]) + "\n"


def meanings(part: str) -> dict[str, str]:
    """Key -> meaning of the rows of a table in the page."""
    cells = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in part.splitlines() if line.startswith("| `")]
    return {row[0].strip("`"): row[-1] for row in cells}


def parts(text: str) -> dict[str, str]:
    """Name of each table of the page -> its rows."""
    return {match[2]: match[3] for match in _PART.finditer(text)}


def page_with_tables(text: str) -> str:
    """The page with every table written anew, the meanings kept. Raises KeyError for a marker without a type."""
    return _PART.sub(lambda match: match[1] + table(match[2], meanings(match[3])) + match[4], text)


if __name__ == "__main__":
    PAGE.write_text(page_with_tables(PAGE.read_text("utf-8")), "utf-8")
