"""A commented scenario file to start from: what is likely to be changed, with the values that the base has."""

import os
from pathlib import Path
from typing import Any, Final

from clients.laboratory.scenario.model import Scenario
from clients.laboratory.scenario.names import IMBALANCES, MECHANISMS, POPULATIONS, TRANSPARENCIES
from clients.laboratory.scenario.resolve import load_scenario
from clients.laboratory.scenario.toml_text import toml_value
from clients.laboratory.scenario.write import scenario_content
from clients.scenarios.layers import SHIPPED

_HEAD: Final = """# A scenario over {base!r}: what is not said here is as there. Take the # from a line to change it.
# docs/scenarios.md explains every key.
#   parkex scenario check {file}       names everything wrong, or says what the scenario is
#   parkex scenario show {file}        prints all of it, resolved
#   parkex simulate {file} --seed 7    runs it
base = {base_value}
name = {name}
name_zh = {name}
"""
_HINTS: Final = {
    ("market", "mechanism"): " or ".join(MECHANISMS),
    ("market", "rounds_before_gate_minutes"): "when orders are placed, besides those after the opening",
    ("market", "transparency"): "what a participant sees of a book: " + ", ".join(TRANSPARENCIES),
    ("market", "max_price_cny_per_kwh"): "a cap; min_price is a floor",
    ("imbalance", "rule"): " or ".join(IMBALANCES),
    ("forecast", "error_permille"): "0: everybody knows everything; 1000: the stated errors",
    ("network", "import_limit_kw"): "0: no limit",
    ("network", "export_limit_kw"): "0: no limit",
    ("population", "default"): " or ".join(POPULATIONS) + ", or file.py:ClassName",
    ("valuation", "spread_permille"): "half width of the draw around a member's limit",
    ("sharing", "rule"): "none, energy, equal or shapley",
}
_TABLES: Final = {
    "market": (
        "mechanism", "gate_closure_minutes", "opening_auction_minutes", "rounds_before_gate_minutes", "tick_cny_per_kwh", "lot_kwh",
        "min_price_cny_per_kwh", "max_price_cny_per_kwh", "maker_fee_cny_per_kwh", "taker_fee_cny_per_kwh", "park_fee_cny_per_kwh", "transparency",
    ),
    "imbalance": ("rule", "alpha_permille"),
    "forecast": ("error_permille",),
    "network": ("import_limit_kw", "export_limit_kw"),
    "sharing": ("rule",),
    "population": ("default",),
    "valuation": ("spread_permille",),
}  # fmt: skip


def starter_text(base: str, file: Path) -> str:
    """The text of `file`. Raises InputError when the base does not load."""
    scenario = load_scenario(base)
    content = scenario_content(scenario)
    base_value = base if base in SHIPPED else Path(os.path.relpath(base, file.parent)).as_posix()
    parts = [_HEAD.format(base=base_value, base_value=toml_value(base_value), file=file, name=toml_value(file.stem))]
    parts.append(
        f"[experiment]\nfirst_date = {scenario.first_date}\ndays = {scenario.days}\nseed = {scenario.seed}"
        "                # of weather, loads, values and agents; parkex simulate --seed goes before it\n"
    )
    parts += [_table(name, keys, content[name]) for name, keys in _TABLES.items()]
    parts.append(_members(scenario))
    return "\n".join(parts)


def _table(name: str, keys: tuple[str, ...], values: dict[str, Any]) -> str:
    lines = [f"[{name}]"]
    for key in keys:
        hint = _HINTS.get((name, key))
        line = f"# {key} = {toml_value(values[key])}"
        lines.append(f"{line:<46}  # {hint}" if hint else line)
    return "\n".join(lines) + "\n"


def _members(scenario: Scenario) -> str:
    """An example for a plant and an outage of the base's own."""
    plant = next((entry for entry in scenario.participants if entry.generation is not None), None)
    lines = ["# A member of the base by its id with what is different; with a new id, a member of your own (all its keys: docs/scenarios.md)."]
    if plant is not None and plant.generation is not None:
        made = {"series": plant.generation.series, "peak_kw": plant.generation.peak_kw, "noise": plant.generation.noise}
        lines += ["# [[member]]", f"# id = {toml_value(plant.id)}", f"# generation = {toml_value(made)}", '# agent = "truthful"', ""]
        lines += ["# [[outage]]", f"# participant = {toml_value(plant.id)}", '# begins = "11:00"', '# ends = "14:00"', "# available_permille = 0"]
    return "\n".join(lines) + "\n"
