"""A resolved scenario as text loads to an equal scenario: every one that ships, and every one that can be said."""

import dataclasses
import datetime
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clients.laboratory.scenario.model import Participant, Scenario
from clients.laboratory.scenario.resolve import load_scenario
from clients.laboratory.scenario.toml_text import toml_text
from clients.laboratory.scenario.write import scenario_text
from clients.scenarios.layers import SHIPPED
from exchange.errors import InputError
from tests.clients.laboratory.scenario.generated import scenarios

HEADER = "months,from,to,price_cny_per_kwh,feed_in_cny_per_kwh\n"


def again(scenario: Scenario, folder: Path, overrides: dict[str, str] | None = None) -> Scenario:
    path = folder / "again.toml"
    path.write_text(scenario_text(scenario), "utf-8", newline="\n")
    return load_scenario(str(path), overrides or {})


@pytest.mark.parametrize("name", SHIPPED)
def test_ready_ones(tmp_path: Path, name: str) -> None:
    scenario = load_scenario(name)
    assert again(scenario, tmp_path) == scenario


@given(scenarios())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
def test_generated_ones(tmp_path: Path, scenario: Scenario) -> None:
    assert again(scenario, tmp_path) == scenario


def test_to_the_end_of_the_day_and_the_same_population_with_other_parameters(tmp_path: Path) -> None:
    scenario = load_scenario(
        "stress",
        {
            "outage.1.ends": "24:00",
            "population.member.PV01": "{ name = 'zip', absolute_ticks = 3 }",
            "population.member.PV02": "{ name = 'zip', absolute_ticks = 4, flag = true, note = 'a \"b\"' }",
            "member.E20.ev": "{ energy_kwh = 0.5, power_kw = '7.125', arrival = '20:00', departure = '24:00' }",
        },
    )
    assert scenario.outages[1].ends == datetime.time()
    assert again(scenario, tmp_path) == scenario


@pytest.mark.parametrize(
    "key", [field.name for field in dataclasses.fields(Scenario) if field.name not in {"zone", "tariff", "participants", "instruments", "outages"}]
)
def test_equality_would_see_a_difference(key: str) -> None:
    """Otherwise the tests above could not fail."""
    scenario = load_scenario("stress")
    other = {
        "first_date": datetime.date(2027, 1, 1), "days": 9, "seed": 9, "name": "x", "name_en": "x", "name_zh": "x", "noises": {},
        "soc_value_micro_per_kwh": 9,
    }.get(key)  # fmt: skip
    if other is None:
        table = getattr(scenario, key)
        field = dataclasses.fields(table)[-1].name
        other = dataclasses.replace(table, **{field: "x" if isinstance(getattr(table, field), str) else 77})
    assert dataclasses.replace(scenario, **{key: other}) != scenario


def test_a_tariff_that_ships_is_named_with_its_digest() -> None:
    content = tomllib.loads(scenario_text(load_scenario("park")))
    assert content["tariff"] == "henan-283-2024.toml"
    assert content["experiment"]["tariff_sha256"] == load_scenario("park").tariff.sha256()
    assert content["experiment"]["format"] == 1
    assert content["experiment"]["written_by"].startswith("parkex ")


def test_a_tariff_of_the_user_is_written_whole(tmp_path: Path) -> None:
    (tmp_path / "flat.csv").write_text(HEADER + "1-3,00:00,24:00,0.5,0.3\n4-12,00:00,07:15,0.123456,0\n4-12,07:15,24:00,0.6,0.3\n", "utf-8")
    path = tmp_path / "mine.toml"
    path.write_text('base = "park"\ntariff = "flat.csv"\n', "utf-8")
    scenario = load_scenario(str(path))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert again(scenario, elsewhere) == scenario
    steps = tomllib.loads(scenario_text(scenario))["tariff"]["version"][0]["step"]
    assert [(step["months"], step["begins"], step["retail_cny_per_kwh"]) for step in steps] == [
        ("1-3", "00:00", "0.5"), ("4-12", "00:00", "0.123456"), ("4-12", "07:15", "0.6"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("key", "text", "change"),
    [
        ("population.default", "truthful", lambda entry: entry.agent.name == "truthful" or entry.role == "market_maker"),
        ("population.role.market_maker", "zip", lambda entry: entry.agent.name == ("zip" if entry.role == "market_maker" else "zi_c")),
        ("valuation.spread", "5", lambda entry: entry.valuation.spread_ppm == 5000),
        ("valuation.willingness", "5", lambda entry: entry.valuation.willingness_ppm == 5000),
        ("flexible.shift", "2", lambda entry: entry.flexible is None or entry.flexible.shift_periods == 2),
        ("flexible.share", "2", lambda entry: entry.flexible is None or entry.flexible.share_ppm == 2000),
        ("member.PV01.generation.peak_kw", "9000", lambda entry: entry.id != "PV01" or entry.min_net_power_lots == -22_500),
    ],
)
def test_what_is_set_over_a_written_scenario_counts_as_over_its_source(tmp_path: Path, key: str, text: str, change: Any) -> None:
    """A sweep may start from the file of an earlier run."""
    park = load_scenario("park")
    changed = again(park, tmp_path, {key: text})
    assert changed.participants == load_scenario("park", {key: text}).participants
    assert all(change(entry) for entry in changed.participants)


def test_what_no_file_can_say_is_refused() -> None:
    park = load_scenario("park")

    def with_voltage(entry: Participant, adder: int) -> Participant:
        return dataclasses.replace(entry, voltage_kv="10", voltage_adder_micro_per_kwh=adder)

    pair = tuple(with_voltage(entry, adder) for adder, entry in enumerate(park.participants[:2]))
    with pytest.raises(InputError, match="two participants at one voltage"):
        scenario_text(dataclasses.replace(park, participants=pair))
    odd = dataclasses.replace(park.instruments[0], band_low_ticks=1)
    with pytest.raises(InputError, match="no band_permille gives a band"):
        scenario_text(dataclasses.replace(park, instruments=(odd,)))


VALUES = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(st.characters(exclude_categories=["Cs"])) | st.dates(),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text("ab. 园", max_size=3), below, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=4), VALUES, max_size=5))
def test_toml_text_reads_as_what_was_written(content: dict[str, Any]) -> None:
    assert tomllib.loads(toml_text(content)) == content


@pytest.mark.parametrize("content", [{"a": [{"b": [{"c": 1}]}, {"b": [{"c": 2}, {"c": 3}]}]}, {"a": {"b": {"c": {}}}}, {"a": {}, "b": {"c": {}}}])
def test_tables_in_tables(content: dict[str, Any]) -> None:
    assert tomllib.loads(toml_text(content)) == content


def test_what_toml_does_not_know_is_not_written() -> None:
    with pytest.raises(TypeError):
        toml_text({"a": 0.5})
