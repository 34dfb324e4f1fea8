"""`parkex scenario` as a user meets it."""

from pathlib import Path

import pytest

from clients.cli.exits import Exit, run
from clients.cli.scenario_command import run_scenario_check, run_scenario_list, run_scenario_new, run_scenario_show
from clients.laboratory.scenario.resolve import load_scenario
from clients.scenarios.layers import SHIPPED
from exchange.errors import InputError


def test_list_names_every_ready_scenario(capsys: pytest.CaptureFixture[str]) -> None:
    run_scenario_list()
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(SHIPPED)


@pytest.mark.parametrize("base", SHIPPED)
def test_a_new_file_resolves_to_its_base(tmp_path: Path, base: str) -> None:
    file = tmp_path / "mine.toml"
    run_scenario_new(file, base)
    mine, theirs = load_scenario(str(file)), load_scenario(base)
    assert (mine.name, mine.name_en) == ("mine", "mine")
    assert (mine.market, mine.participants, mine.outages, mine.days) == (theirs.market, theirs.participants, theirs.outages, theirs.days)


def test_every_line_of_a_new_file_may_be_uncommented(tmp_path: Path) -> None:
    """The values stand there as the base has them; the examples at the end change it."""
    file = tmp_path / "mine.toml"
    run_scenario_new(file, "park")
    head, rest = file.read_text("utf-8").split("[experiment]")
    lines = [line.removeprefix("# ") if " = " in line or line.startswith("# [[") else line for line in rest.splitlines()]
    file.write_text(head + "[experiment]" + "\n".join(lines), "utf-8")
    mine, park = load_scenario(str(file)), load_scenario("park")
    assert (mine.market, mine.imbalance, mine.network, mine.forecast, mine.sharing) == (
        park.market, park.imbalance, park.network, park.forecast, park.sharing,
    )  # fmt: skip
    assert mine.participants[mine.index_of("PV01")].agent.name == "truthful"
    assert [outage.participant for outage in mine.outages] == ["PV01"]


def test_a_new_file_over_a_file_of_the_user(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    run_scenario_new(tmp_path / "lower.toml", "solar")
    run_scenario_new(tmp_path / "deep" / "upper.toml", str(tmp_path / "lower.toml"))
    assert 'base = "../lower.toml"' in (tmp_path / "deep" / "upper.toml").read_text("utf-8")
    assert load_scenario(str(tmp_path / "deep" / "upper.toml")).participants == load_scenario("solar").participants


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("mine", "utf-8")
    for command in (lambda: run_scenario_new(file, "park"), lambda: run_scenario_show("park", out=file)):
        with pytest.raises(InputError, match="is there already; nothing was written"):
            command()
    assert file.read_text("utf-8") == "mine"


@pytest.mark.parametrize(("file", "base"), [("mine.txt", "park"), ("mine.toml", "parkk")])
def test_what_is_not_written(tmp_path: Path, file: str, base: str) -> None:
    with pytest.raises(InputError):
        run_scenario_new(tmp_path / file, base)
    assert list(tmp_path.iterdir()) == []


def test_check_says_what_the_scenario_is(capsys: pytest.CaptureFixture[str]) -> None:
    run_scenario_check("solar", ["market.mechanism=uniform", "experiment.days=3"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Solar-heavy park (solar): no problems"
    assert lines[1] == "  period        2026-07-15, 3 days; seed 7"
    assert "PV 30,000 kW, wind 4,000 kW, storage 5,000 kW / 10,000 kWh, vehicles 2,400 kWh a day" in lines[3]
    assert lines[4] == "  prices        grid charges 0.32 to 1.2884 and pays 0.28 on the first day; band 0.01 to 2 CNY/kWh"
    assert lines[5].startswith("  market        uniform; gate closes 5 min before delivery; 10 rounds a quarter-hour")
    assert lines[6] == "  agents        26 zi_c, 2 market_maker"


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (["market.gate_closure=1h"], "expected minutes"),
        (["population.default={ name = 'zip', shouts = 4 }"], "zip has no parameter 'shouts'"),
        (["market"], "expected KEY=VALUE"),
    ],
)
def test_check_refuses(capsys: pytest.CaptureFixture[str], settings: list[str], reason: str) -> None:
    assert run(lambda: run_scenario_check("park", settings)) == Exit.BAD_INPUT
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize("name", ["park", "stress"])
def test_show_prints_a_file_that_loads_to_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    run_scenario_show(name, settings=["market.gate_closure=15"])
    file = tmp_path / "shown.toml"
    file.write_text(capsys.readouterr().out, "utf-8")
    assert load_scenario(str(file)) == load_scenario(name, {"market.gate_closure": "15"})
    run_scenario_show(name, settings=["market.gate_closure=15"], out=tmp_path / "written.toml")
    assert (tmp_path / "written.toml").read_text("utf-8") == file.read_text("utf-8")


@pytest.mark.parametrize(
    ("key", "first"),
    [
        ("market.gate", "gate_closure_minutes = 5"),
        ("market", "[market]"),
        ("member.PV01", "[member.PV01]"),
        ("member.PV01.generation", "[member.PV01.generation]"),
        ("noise", "[noise.steady]"),
        ("outage", "[[outage]]"),
        ("outage.1", "[outage.1]"),
        ("instrument.CCER.band", "band_permille = 100"),
        ("time_zone", 'time_zone = "Asia/Shanghai"'),
    ],
)
def test_show_prints_a_part(capsys: pytest.CaptureFixture[str], key: str, first: str) -> None:
    run_scenario_show("stress", key)
    assert capsys.readouterr().out.lstrip("\n").splitlines()[0] == first


@pytest.mark.parametrize(("key", "reason"), [("m", "'m' may mean market, member"), ("member.Q", "expected one of E01"), ("name.x", "'x' is not")])
def test_show_names_what_is_there(key: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        run_scenario_show("park", key)
