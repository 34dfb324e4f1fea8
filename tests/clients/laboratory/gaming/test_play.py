"""Manipulations on a small park: each does what its name says, against a twin that differs by nothing else."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from clients.cli.gaming_command import run_gaming_command
from clients.laboratory.gaming import play as playing
from clients.laboratory.gaming.cast import Cast, SplitWorld, cast_of, with_split_plant
from clients.laboratory.gaming.play import Outcome, Task, play
from clients.laboratory.gaming.session import play_all
from clients.laboratory.gaming.suite import SUITE, Manipulation, wrongly_certified_wh
from clients.laboratory.run.engine import simulate
from clients.laboratory.run.open_round import OpenRound
from clients.laboratory.scenario.resolve import load_scenario
from clients.laboratory.scenario.write import scenario_text
from clients.laboratory.world.world import World
from exchange.errors import CheckFailedError, InputError
from tests.clients.laboratory.small_park import small_park

NAMES = ("E01", "E02", "E03", "E06", "PV01", "W01", "S01")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("park") / "small.toml"
    path.write_text(scenario_text(small_park(*NAMES)), "utf-8")
    return path


@cache
def outcomes(file: Path, mechanism: str) -> dict[str, Outcome]:
    return {one.name: one for one in play(Task(str(file), {"market.mechanism": mechanism}, 1, 7, tuple(SUITE)))}


def cast() -> Cast:
    return cast_of(small_park(*NAMES))


def test_the_largest_seller_plays_and_idle_accounts_stand_at_the_end() -> None:
    found = cast()
    ids = [entry.id for entry in found.scenario.participants]
    assert [ids[row] for row in (found.plant, found.wind, found.second, found.buyer, found.seller)] == [
        "PV01", "W01", "PV01-second", "PV01-buyer", "PV01-seller",
    ]  # fmt: skip
    assert found.storage == ids.index("S01")
    assert len(ids) == len(NAMES) + 3
    with pytest.raises(InputError, match="need a seller"):
        cast_of(small_park("E01", "E02"))


@pytest.mark.parametrize("mechanism", ["cda", "uniform"])
def test_what_each_manipulation_comes_to(file: Path, mechanism: str) -> None:
    found = outcomes(file, mechanism)
    for name in ("split-accounts", "over-selling", "withholding"):
        assert found[name].extent_wh > 0
    for name in ("wash-pairs-declared", "over-selling-limit", "grey-as-green"):
        assert found[name].extent_wh == 0
    assert all(one.wrongly_certified_wh == 0 for one in found.values())
    hashes = [one.state_hash for one in found.values()]
    assert len(set(hashes)) == len(hashes)


def test_pairs_squeezes_and_marks_come_about_in_a_continuous_book(file: Path) -> None:
    found = outcomes(file, "cda")
    for name in ("wash-pairs", "squeeze", "marking-the-close"):
        assert found[name].extent_wh > 0
    for name in ("wash-pairs-declared", "over-selling-limit"):
        assert found[name].refused_orders > 0
    assert sum(found["withholding"].alerts.values()) > 0


def test_gains_are_differences_of_bills(file: Path) -> None:
    cast = cast_of(load_scenario(str(file)))
    plant = cast.plant

    def keep(opened: OpenRound) -> None:
        targets = opened.targets[plant]
        targets[:] = [target if target >= 0 else -(-target * 7 // 10) for target in targets.tolist()]

    honest, kept = (simulate(cast.scenario, 7, hands=hands) for hands in ([], [keep]))
    more = (kept.bill_market_micro - honest.bill_market_micro).sum(axis=1) - (kept.soc_wh[:, -1] - honest.soc_wh[:, -1]) * 320_000 // 1_000
    found = outcomes(file, "cda")["withholding"]
    assert found.gain_micro == -more[plant]
    assert found.gain_micro != 0
    assert found.others_lose_micro == pytest.approx(int(np.delete(more, plant).sum()), abs=2)
    assert found.extent_wh == 100 * (honest.sold_lots - kept.sold_lots)[plant].sum()


def test_who_does_nothing_gains_nothing(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    idle = Manipulation("idle", "nothing", ("plant", "buyer"), None, lambda cast, honest, played: 0)
    monkeypatch.setitem(playing.SUITE, "idle", idle)
    (found,) = play(Task(str(file), {}, 1, 7, ("idle",)))
    assert (found.gain_micro, found.others_lose_micro, found.refused_orders, dict(found.alerts)) == (0, 0, 0, {})


def test_half_a_plant_and_its_other_half_are_the_plant() -> None:
    found = cast()
    whole, split = World(found.scenario, 9).day(0), SplitWorld(found, 9).day(0)
    for name in ("generation_wh", "forecast_generation_wh"):
        before, after = getattr(whole, name), getattr(split, name)
        assert (after[..., found.plant, :] + after[..., found.second, :] == before[..., found.plant, :]).all()
        assert (after.sum(axis=-2) == before.sum(axis=-2)).all()
    assert (split.cost_ticks[found.second] == whole.cost_ticks[found.plant]).all()
    peaks = [with_split_plant(found).participants[row].generation for row in (found.plant, found.second)]
    assert [peak.peak_kw for peak in peaks if peak is not None] == [2500, 2500]


def test_every_wrong_certificate_counts() -> None:
    record = simulate(small_park("E01", "PV01"), 7)
    assert wrongly_certified_wh(record) == 0
    issued = record.issued_wh.copy()
    issued[0] += 3
    matched = record.matched_wh.copy()
    matched[0, 0] += int(record.generation_wh[:, 0].sum()) + 5
    assert wrongly_certified_wh(replace(record, issued_wh=issued, matched_wh=matched, double_claims=2)) == 3 + 5 + 2


def test_results_do_not_depend_on_processes(file: Path) -> None:
    tasks = [Task(str(file), {}, 1, seed, ("withholding",)) for seed in (7, 8)]
    here = [one for found in play_all(tasks, 1) for one in found]
    there = sorted((one for found in play_all(tasks, 2) for one in found), key=lambda one: one.seed)
    assert here == there


def test_the_command_prints_and_keeps_what_it_found(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    run_gaming_command(str(file), 1, 2, out, only="withholding,squeeze", workers=1, as_json=True)
    printed = json.loads(capsys.readouterr().out)
    kept = json.loads((out / "gaming.json").read_text("utf-8"))
    assert printed == kept
    assert [row["name"] for row in kept["manipulations"]] == ["withholding", "squeeze"]
    assert (kept["seeds"], kept["days"], kept["mechanism"]) == ([kept["seeds"][0], kept["seeds"][0] + 1], 1, "cda")
    rows = (out / "gains.csv").read_text("utf-8").splitlines()
    assert len(rows) == 1 + 2 * 2
    gains = [int(row.split(",")[2]) for row in rows[1:] if row.startswith("withholding")]
    assert kept["manipulations"][0]["gain"]["mean"] == pytest.approx(np.mean(gains) / 1e6)
    run_gaming_command(str(out / "scenario.toml"), 1, 1, only="withholding", workers=1)
    assert "withholding" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"only": "wash"}, "expected some of wash-pairs"),
        ({"seeds": 0}, "at least 1"),
        ({"out": Path(__file__).parent}, "not empty"),
        ({"assign": ["market.nothing=1"]}, "market.nothing"),
    ],
)
def test_bad_input_is_named_before_anything_is_played(file: Path, arguments: dict[str, object], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        run_gaming_command(str(file), **arguments)


def test_wrong_certificates_fail_the_command(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playing, "wrongly_certified_wh", lambda record: 4)
    with pytest.raises(CheckFailedError, match="4 Wh"):
        run_gaming_command(str(file), 1, 1, only="withholding", workers=1)


def test_what_needs_a_storage_is_not_tried_without(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "plain.toml"
    path.write_text(scenario_text(small_park("E01", "PV01")), "utf-8")
    run_gaming_command(str(path), 1, 1, only="grey-as-green,withholding", workers=1)
    assert "grey-as-green was not tried: there is no storage" in capsys.readouterr().out
