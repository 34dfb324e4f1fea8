"""`scenario_text`: a resolved scenario as the text of one file that needs no other and loads to an equal scenario."""

from collections import Counter
from importlib.metadata import version
from importlib.resources import as_file, files
from typing import Any, Final

from clients.laboratory.scenario.inline_tariff import inline_tables
from clients.laboratory.scenario.model import Scenario
from clients.laboratory.scenario.names import FORMAT
from clients.laboratory.scenario.toml_text import toml_text
from clients.laboratory.scenario.write_members import member_content, most_common
from clients.laboratory.scenario.write_population import population_content
from clients.laboratory.scenario.write_rules import (
    factor_content,
    forecast_content,
    instrument_content,
    market_content,
    noise_content,
    outage_content,
)
from clients.scenarios.decimals import decimal_text
from clients.scenarios.tariff import Tariff
from clients.scenarios.tariff_files import read_tariff
from exchange.errors import InputError

_HEAD: Final = """# The complete scenario of a run; it needs no other file. Run it again:  parkex simulate THIS_FILE --seed {seed}
# Written by parkex {version}, format {format}. Keys: docs/scenarios.md.
"""


def scenario_text(scenario: Scenario) -> str:
    """The scenario as TOML that `load_scenario` reads to an equal one.

    Raises InputError for what no file can say: a band of prices that no `band_permille` gives, or two adders for one voltage.
    """
    head = _HEAD.format(version=version("parkex"), format=FORMAT, seed=scenario.seed)
    return head + toml_text(scenario_content(scenario))


def scenario_content(scenario: Scenario) -> dict[str, Any]:
    """The tables of that text by name."""
    tariff, digest = _tariff(scenario.tariff)
    common = most_common(scenario.participants)
    network = scenario.network
    return {
        "name": scenario.name_en,
        "name_zh": scenario.name_zh,
        "time_zone": scenario.zone.key,
        "tariff": tariff,
        "experiment": {
            "name": scenario.name, "first_date": scenario.first_date, "days": scenario.days, "seed": scenario.seed, "format": FORMAT,
            "written_by": f"parkex {version('parkex')}", "tariff_sha256": digest,
        },
        "market": market_content(scenario.market),
        "imbalance": {"rule": scenario.imbalance.imbalance, "alpha_permille": decimal_text(scenario.imbalance.alpha_ppm, 3)},
        "forecast": forecast_content(scenario.forecast),
        "network": {
            "loss_permille": decimal_text(network.loss_ppm, 3), "soc_value_cny_per_kwh": decimal_text(scenario.soc_value_micro_per_kwh, 6),
            "import_limit_kw": network.import_limit_kw, "export_limit_kw": network.export_limit_kw,
        },
        "emission_factor": factor_content(scenario.carbon.factor),
        "carbon": {"scheme": scenario.carbon.scheme, "residual": factor_content(scenario.carbon.residual)},
        "sharing": {"rule": scenario.sharing.rule, "operator_permille": decimal_text(scenario.sharing.operator_ppm, 3)},
        "population": population_content(scenario.participants),
        "valuation": common.valuation,
        "flexible": common.flexible,
        "voltage_adder_cny_per_kwh": _voltage_adders(scenario),
        "noise": {name: noise_content(noise) for name, noise in scenario.noises.items()},
        "outage": [outage_content(outage) for outage in scenario.outages],
        "instrument": [instrument_content(instrument) for instrument in scenario.instruments],
        "member": [member_content(entry, common) for entry in scenario.participants],
    }  # fmt: skip


def _tariff(tariff: Tariff) -> tuple[str | dict[str, Any], str]:
    """By its name where it ships so, else the whole tariff; and its digest."""
    shipped = files("clients.scenarios").joinpath("data", f"{tariff.id}.toml")
    if tariff.id.replace("-", "").isalnum() and shipped.is_file():
        with as_file(shipped) as path:
            try:
                if read_tariff(path, tariff.zone) == tariff:
                    return path.name, tariff.sha256()
            except InputError:
                pass  # another file of that name
    return inline_tables(tariff), tariff.sha256()


def _voltage_adders(scenario: Scenario) -> dict[str, str]:
    pairs = Counter((entry.voltage_kv, entry.voltage_adder_micro_per_kwh) for entry in scenario.participants if entry.voltage_kv)
    adders = {kv: decimal_text(adder, 6) for kv, adder in pairs}
    if len(adders) != len(pairs):
        raise InputError("two participants at one voltage have different adders, which no scenario file can say")
    return adders
