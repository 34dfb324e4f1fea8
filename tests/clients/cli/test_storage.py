"""`parkex verify`, `backup`, `restore`, `archive` and `replay --archive` as an operator uses them: what they print and their exit codes."""

import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from clients.cli import main
from tests.exchange.maintenance.exchanges import run, segments

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """(an exchange's folder after two runs, its state hash)."""
    directory = tmp_path_factory.mktemp("played")
    return directory, run(directory, 2)


@pytest.fixture
def parkex(played: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs the command beside a copy of the folder, `data`: (exit code, stdout, stderr)."""
    shutil.copytree(played[0], tmp_path / "data")
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["parkex", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return call


def test_a_backup_comes_back(parkex: Command, played: tuple[Path, str]) -> None:
    code, told, errors = parkex("backup", "data", "monday")
    assert (code, errors) == (0, "")
    head = re.search(r"backed up sequences 1 to (\d+) of .*, snapshot at \1: .* verified\nhead ([0-9a-f]{64})", told)
    assert head
    assert parkex("verify", "monday")[0] == 0
    code, told, errors = parkex("restore", "monday", "data2")
    assert (code, errors) == (0, "")
    assert told.rstrip().endswith(f"to sequence {head[1]}; start it with: parkex serve --journal data2")
    assert played[1] in told
    code, told, _ = parkex("replay", "data2/journal", "--head", head[2])
    assert (code, told.splitlines()[-1]) == (0, played[1])


def test_an_archive_and_the_rest_replay_as_one(parkex: Command, played: tuple[Path, str], tmp_path: Path) -> None:
    n_segments = len(segments(tmp_path / "data" / "journal"))
    code, told, errors = parkex("archive", "data", "--to", "old")
    assert (code, errors) == (0, "")
    assert told.startswith(f"moved {n_segments - 1} segments")
    assert parkex("archive", "data", "--to", "old")[1].startswith("nothing to move")
    code, _, errors = parkex("replay", "data/journal")
    assert code == 3
    assert "name the archive" in errors
    code, told, _ = parkex("replay", "data/journal", "--archive", "old")
    assert (code, told.splitlines()[-1]) == (0, played[1])
    assert "from the genesis" in parkex("verify", "data", "--archive", "old")[1]
    code, told, _ = parkex("backup", "data", "whole", "--archive", "old")
    assert (code, told.startswith("backed up sequences 1 to")) == (0, True)


def test_a_breach_exits_1_and_an_unfinished_backup_2(parkex: Command, tmp_path: Path) -> None:
    assert parkex("backup", "data", "monday")[0] == 0
    path = tmp_path / "data" / "journal" / "segment-00000001"
    data = bytearray(path.read_bytes())
    data[500] ^= 1
    path.write_bytes(data)
    code, _, errors = parkex("verify", "data")
    assert code == 1
    assert re.search(r"^parkex: segment-00000001, byte \d+ \(group \d+, ", errors.splitlines()[-1])
    assert parkex("backup", "data", "tuesday")[0] == 3
    (tmp_path / "monday" / "manifest.json").unlink()
    code, _, errors = parkex("restore", "monday", "data2")
    assert code == 2
    assert "manifest.json is missing" in errors
    assert not (tmp_path / "data2").exists()
