"""Keys set on the command line: a unique beginning is enough, and what is unknown or ambiguous names its candidates."""

from pathlib import Path
from typing import Any

import pytest

from clients.laboratory.scenario.overrides import assignments
from clients.laboratory.scenario.resolve import load_scenario
from exchange.errors import InputError


def value(path: str, overrides: dict[str, str]) -> Any:
    found: Any = load_scenario("park", overrides)
    for name in path.split("."):
        found = found[int(name)] if name.isdigit() else found.get(name) if isinstance(found, dict) else getattr(found, name)
    return found


@pytest.mark.parametrize(
    ("key", "text", "path", "expected"),
    [
        ("market.gate_closure", "15", "market.gate_closure_minutes", 15),
        ("market.mechanism", "uniform", "market.mechanism", "uniform"),
        ("mark.mech", "vcg", "market.mechanism", "vcg"),
        ("market.max_price", "1.5", "market.max_price_ticks", 15_000),
        ("market.tick", "0.01", "market.tick_step", 100),
        ("market.k", "250", "market.k_ppm", 250_000),
        ("market.rounds", "[60, 15]", "market.rounds_before_gate_minutes", (60, 15)),
        ("market.rounds", "60 15 0", "market.rounds_before_gate_minutes", (60, 15, 0)),
        ("market.opens", "10:30", "market.opens.hour", 10),
        ("power.park_fee", "0.05", "market.park_fee_micro_per_kwh", 50_000),
        ("experiment.days", "2", "days", 2),
        ("experiment.first", "2026-01-05", "first_date.month", 1),
        ("population.default", "zip", "participants.0.agent.name", "zip"),
        ("population.role.generator", "truthful", "participants.20.agent.name", "truthful"),
        ("population.member.E01", '{ name = "gdx", shouts = 9 }', "participants.0.agent.parameters.shouts", 9),
        ("member.E01.agent", "truthful", "participants.0.agent.name", "truthful"),
        ("member.PV01.generation.peak_kw", "9000", "participants.20.generation.peak_kw", 9000),
        ("member.PV01.gen.peak", "9000", "participants.20.generation.peak_kw", 9000),
        ("member.E01.load.shapes.three", "700", "participants.0.load.shapes_permille.three_shift", 700),
        ("valuation.spread", "120", "participants.5.valuation.spread_ppm", 120_000),
        ("valuation.willingness", "1000", "participants.5.valuation.willingness_ppm", 1_000_000),
        ("flexible.share", "0", "participants.0.flexible", None),
        ("flexible.shift", "3", "participants.0.flexible.shift_periods", 3),
        ("noise.pv.plan", "0.5", "noises.pv.plan_ppm", 500_000),
        ("network.import", "2500", "network.import_limit_kw", 2500),
        ("instrument.CCER.band", "200", "instruments.3.band_high_ticks", 8107),
        ("carbon.residual.kg", "0.7", "carbon.residual.mg_per_kwh", 700_000),
        ("name", "Other", "name_en", "Other"),
    ],
)
def test_a_key_is_set(key: str, text: str, path: str, expected: Any) -> None:
    assert value(path, {key: text}) == expected
    assert value(path, {}) != expected or key == "member.E01.load.shapes.three"


@pytest.mark.parametrize(
    ("key", "text", "reason"),
    [
        ("market.ma", "1", "'ma' may mean max_price_cny_per_kwh, max_order_kwh, maker_fee_cny_per_kwh"),
        ("market.fee", "1", "no 'fee'; expected one of mechanism, k_permille"),
        ("markets.tick", "1", "no 'markets'; expected one of name, name_zh"),
        ("member.PV.connection_kw", "1", "'PV' may mean PV01, PV02, PV03"),
        ("member.X01.connection_kw", "1", "no 'X01'; expected one of E01"),
        ("market", "1", "this is a table; set one of its keys: mechanism"),
        ("member", "1", "this is a table; set one of its keys: id, name"),
        ("market.mechanism.x", "1", "market.mechanism has nothing below it"),
        ("market..tick", "1", "expected keys joined by points"),
        ("market.rounds", "[1", "not a value as a scenario file would hold it"),
        ("outage.0.participant", "pv", "there are no entries in the scenario"),
        ("market.gate_closure", "1h", "--set market.gate_closure=1h: market.gate_closure_minutes: '1h' is not a whole number; expected minutes"),
        ("market.gate_closure", "481", "--set market.gate_closure=481: market.gate_closure_minutes: the book of 00:00 would close"),
    ],
)
def test_what_cannot_be_set_says_why(key: str, text: str, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        load_scenario("park", {key: text})
    assert reason in str(caught.value)


def test_who_decides_for_whom(tmp_path: Path) -> None:
    """[population.member] goes before the member's own agent, that before its role's, that before the default."""
    path = tmp_path / "mine.toml"
    text = 'base = "park"\n[population]\ndefault = "gdx"\n[population.role]\ngenerator = "aa"\nmarket_maker = "zip"\n'
    members = "".join(f'[[member]]\nid = "{name}"\nagent = "truthful"\n' for name in ("E01", "PV01", "PV02"))
    path.write_text(text + '[population.member]\nPV01 = "zi_u"\nE02 = "price_taker"\n' + members, "utf-8")
    agents = {entry.id: entry.agent.name for entry in load_scenario(str(path)).participants}
    assert {name: agents[name] for name in ("PV01", "PV02", "PV03", "E01", "E02", "E03", "MM1")} == {
        "PV01": "zi_u", "PV02": "truthful", "PV03": "aa", "E01": "truthful", "E02": "price_taker", "E03": "gdx", "MM1": "zip",
    }  # fmt: skip


def test_all_bad_keys_are_named() -> None:
    with pytest.raises(InputError) as caught:
        load_scenario("park", {"market.x": "1", "y": "2"})
    assert "--set: 2 problems, nothing was run" in str(caught.value)


def test_entries_without_a_name_are_set_by_number() -> None:
    assert load_scenario("stress", {"outage.1.available": "500"}).outages[1].available_ppm == 500_000


def test_a_quoted_part_may_hold_points() -> None:
    assert load_scenario("park", {'voltage_adder."0.4"': "0.06"}).participants[13].voltage_adder_micro_per_kwh == 60_000


def test_a_member_of_a_group_is_set_like_any_other() -> None:
    scenario = load_scenario("national", {"member.N007.load.annual_mwh": "1234"})
    assert scenario.participants[scenario.index_of("N007")].load.annual_mwh == 1234  # type: ignore[union-attr]


def test_the_scenario_that_is_read_again_is_not_changed() -> None:
    before = load_scenario("park")
    load_scenario("park", {"member.PV01.generation.peak_kw": "9000", "market.tick": "0.01"})
    assert load_scenario("park") == before


def test_a_strategy_of_the_user_is_found_beside_the_scenario(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("class Mine:\n    pass\n", "utf-8")
    path = tmp_path / "mine.toml"
    path.write_text('base = "park"\n[population]\ndefault = "mine.py:Mine"\n', "utf-8")
    assert load_scenario(str(path)).participants[0].agent.name == f"{tmp_path / 'mine.py'}:Mine"


@pytest.mark.parametrize(("texts", "reason"), [(["market"], "expected KEY=VALUE"), (["=3"], "expected KEY=VALUE"), (["a=1", "a=2"], "there twice")])
def test_bad_assignments(texts: list[str], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        assignments(texts)


def test_an_equals_sign_in_a_value() -> None:
    assert assignments(["a.b={ name = 'zip' }", "c="]) == {"a.b": "{ name = 'zip' }", "c": ""}
