"""Whatever stands where in a file: it loads, or it is refused with its reason. Nothing else."""

import copy
from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clients.laboratory.scenario.model import Scenario
from clients.laboratory.scenario.resolve import load_scenario
from clients.laboratory.scenario.toml_text import toml_text
from clients.laboratory.scenario.write import scenario_content
from exchange.errors import InputError

WORDS = st.sampled_from(["", "pv", "E01", "10", "-1", "1.5", "24:00", "00:00", "zip", "x.py:X", "{month-2}", "none", "henan-283-2024.toml"])
VALUES = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.integers(-2, 3) | WORDS | st.dates(),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.sampled_from(["id", "name", "from", "x"]), below, max_size=2),
    max_leaves=4,
)


def small(scenario: Scenario) -> dict[str, Any]:
    """The stress day with one member of each kind, some of them of a group."""
    content = scenario_content(scenario)
    content["member"] = [entry for entry in content["member"] if entry["id"] in {"E01", "PV01", "W01", "S01", "MM1", "E06", "E20"}]
    content["member"][0]["ev"] = {"energy_kwh": 9, "power_kw": 9, "arrival": "08:00", "departure": "24:00"}
    content["member"][0]["asset"] = {"capex_cny": 9, "operation_cny_per_year": 9, "debt_permille": 9, "years": 9, "life_years": 9}
    shapes = {"one_of": [{"two_shift": 1000}]}
    load = {"annual_mwh": {"from": 9, "to": 99}, "shapes_permille": shapes, "noise": "batch"}
    member = {"role": "enterprise", "voltage_kv": "10", "permissions": [], "cash_cny": {"of": "load.annual_mwh", "permille": 900}, "load": load}
    content["group"] = [{"id": "G", "count": 2, "name": "G", "name_zh": "G", "member": {**member, "connection_kw": 99}}]
    return content


CONTENT = small(load_scenario("stress"))


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(*path, key) for key, _ in below] + [place for key, entry in below for place in places(entry, (*path, key))]


PLACES = places(CONTENT)


@given(st.lists(st.tuples(st.sampled_from(PLACES), VALUES), min_size=1, max_size=3))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
def test_garbage_is_refused_or_loads(tmp_path: Path, changes: list[tuple[tuple[str | int, ...], Any]]) -> None:
    content = copy.deepcopy(CONTENT)
    for place, value in changes:
        # A place may be gone with what an earlier change put around it.
        with suppress(KeyError, IndexError, TypeError):
            table: Any = content
            for key in place[:-1]:
                table = table[key]
            table[place[-1]] = value
    path = tmp_path / "mine.toml"
    path.write_text(toml_text(content), "utf-8")
    with suppress(InputError):
        assert isinstance(load_scenario(str(path)), Scenario)


@given(st.dictionaries(st.text("abegikmnrt._0\"", max_size=8) | st.sampled_from([".".join(map(str, place)) for place in PLACES]), WORDS, max_size=2))
@settings(max_examples=200, deadline=None)
def test_any_key_set_is_refused_or_loads(overrides: dict[str, str]) -> None:
    with suppress(InputError):
        assert isinstance(load_scenario("stress", overrides), Scenario)
