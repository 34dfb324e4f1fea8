"""Commands in processes of their own: exit codes, last lines, helps that teach. One row a way to use or misuse them."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from clients.cli import main

ROOT = Path(__file__).parents[3]


def parkex(*arguments: str | Path, cwd: Path | None = None, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "clients.cli", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd or ROOT, timeout=timeout_s, env=environment, check=False)


def last_line(text: str) -> str:
    return text.strip().splitlines()[-1]


# arguments, exit code, what the last line of stderr says
USAGE = [
    (["nonsense"], 2, "No such command"),
    (["demo", "--nonsense"], 2, "No such option"),
    (["demo", "--speed", "0"], 2, "--speed"),
    (["demo", "--speed", "nan"], 2, "--speed"),
    (["demo", "--speed", "fast"], 2, "--speed"),
    (["demo", "--date", "2026-02-30"], 2, "--date"),
    (["demo", "--date", "tomorrow"], 2, "--date"),
    (["demo", "--scenario", "atlantis"], 2, "atlantis"),
    (["demo", "--seed", "-1"], 2, "--seed"),
    (["demo", "--port", "99999"], 2, "--port"),
    (["demo", "--meters", "no-such-file.csv"], 2, "no-such-file.csv"),
    (["demo", "--tariff", "no-such-file.csv"], 2, "no-such-file.csv"),
    (["demo", "--out", "README.md"], 2, "README.md"),
    (["demo", "--out", "docs"], 2, "not empty"),
    (["demo", "--read-model", "mysql://host/db"], 2, "mysql is not supported"),
    (["bot", "oracle"], 2, "oracle"),
    (["bot", "factory"], 2, "--key"),
    (["bot", "factory", "--key", "README.md"], 2, "README.md"),
    (["replay", "no-such-journal"], 2, "no-such-journal"),
    (["replay", "docs"], 2, "docs"),
    (["verify", "docs"], 2, "docs"),
    (["backup", "docs", "no-such-folder"], 2, "docs"),
    (["restore", "docs", "no-such-folder"], 2, "docs"),
    (["archive", "docs", "--to", "no-such-folder"], 2, "docs"),
    (["archive", "docs"], 2, "--to"),
    (["match"], 2, "--template"),
    (["match", "no-such-file.csv"], 2, "no-such-file.csv"),
    (["match", "docs"], 2, "docs"),
    (["match", "README.md"], 2, "line 1"),
    (["match", "README.md", "--interval", "0"], 2, "--interval"),
    (["match", "README.md", "--tick", "0"], 2, "--tick"),
    (["profiles", "import", "README.md"], 2, "line 1"),
    (["profiles", "import", "no-such-file.csv"], 2, "no-such-file.csv"),
]


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs the command in this process: (exit code, stdout, stderr). A process each would cost a second or two a row."""

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["parkex", *arguments])
        monkeypatch.chdir(ROOT)
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return call


@pytest.mark.parametrize(("arguments", "code", "words"), USAGE, ids=[" ".join(row[0]) for row in USAGE])
def test_bad_usage_and_bad_input_exit_2_and_say_why(arguments: list[str], code: int, words: str, here) -> None:
    found, _, errors = here(*arguments)
    assert found == code, errors
    assert words in errors
    assert "Traceback" not in errors


def test_the_same_in_a_process_of_its_own() -> None:
    result = parkex("demo", "--speed", "0")
    assert result.returncode == 2
    assert "--speed" in last_line(result.stderr)
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "command",
    [
        "demo", "serve", "config", "bot", "replay", "verify", "backup", "restore", "archive", "profiles import", "profiles template",
        "carbon report", "carbon product", "carbon closing", "carbon matrix", "scenario new", "scenario check", "scenario show",
    ],
)  # fmt: skip
def test_helps_teach_with_an_example(command: str, here) -> None:
    code, shown, _ = here(*command.split(), "--help")
    assert code == 0
    examples = [line for line in shown.splitlines() if line.startswith(f"    parkex {command} ")]
    assert examples, "an example on a line of its own"


def test_the_list_of_commands_is_told_whole_on_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch, here) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    code, shown, _ = here("--help")
    assert code == 0
    listed = shown.split("Commands:\n")[1]
    names = [
        "demo", "serve", "config", "bot", "shell", "replay", "verify", "trace", "backup", "restore", "archive", "match", "audit", "statement",
        "version", "simulate", "compare", "sweep", "gaming", "report", "reproduce",
        "profiles", "keys", "proposals", "clock", "carbon", "meter", "scenario",
    ]  # fmt: skip
    assert [line.split()[0] for line in listed.splitlines()] == names
    assert "..." not in listed


def test_version_and_the_list_of_strategies(here) -> None:
    code, shown, _ = here("version")
    assert code == 0
    assert re.fullmatch(r"parkex \d+\.\d+\.\d+.*", shown.strip())
    code, shown, _ = here("bot", "--list")
    assert code == 0
    for name in ("zero_intelligence", "zip", "market_maker", "factory", "generator", "storage", "compliance"):
        assert f"{name}\n" in shown
    assert "Gode" in shown


def test_templates_are_accepted_back(tmp_path: Path, here) -> None:
    code, template, _ = here("profiles", "template")
    assert code == 0
    (tmp_path / "meters.csv").write_text(template)
    code, shown, errors = here("profiles", "import", str(tmp_path / "meters.csv"))
    assert code == 0, errors
    assert "readings" in shown
    lines = template.splitlines()
    lines[17] = lines[17].rsplit(",", 1)[0] + ",-3"
    (tmp_path / "bad.csv").write_text("\n".join(lines))
    code, _, errors = here("profiles", "import", str(tmp_path / "bad.csv"))
    assert code == 2
    assert "18" in errors


def test_a_port_that_is_taken_is_an_error_and_nothing_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = parkex("demo", "--port", str(taken.getsockname()[1]), "--out", tmp_path / "out")
    assert result.returncode == 2, result.stderr
    assert "port" in last_line(result.stderr)
    assert not (tmp_path / "out" / "summary.json").exists()


def test_serve_on_a_taken_port_leaves_nothing_that_stops_the_next_start(tmp_path: Path, here) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, _, errors = here("serve", "--port", str(taken.getsockname()[1]), "--journal", str(tmp_path / "data"))
    assert code == 2, errors
    assert "port" in last_line(errors)
    assert list((tmp_path / "data").iterdir()) == []


def test_serve_keeps_a_key_whose_journal_is_gone(tmp_path: Path, here) -> None:
    (tmp_path / "operator.key").write_text("precious")
    code, _, errors = here("serve", "--journal", str(tmp_path))
    assert code == 2
    assert "operator.key is there but no journal" in last_line(errors)
    assert (tmp_path / "operator.key").read_text() == "precious"


def wait_for_line(process: subprocess.Popen[str], words: str, timeout_s: float = 90) -> str:
    assert process.stdout is not None
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        line = process.stdout.readline()
        if words in line:
            return line
        assert line or process.poll() is None, "ended before its time"
    raise AssertionError(f"no line with {words!r}")


@pytest.mark.parametrize("words", ["is open at", "participants are connected"])
def test_ctrl_c_ends_the_demo_and_its_children(words: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "clients.cli", "demo", "--speed", "200", "--out", str(tmp_path / "out")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            url = wait_for_line(process, "is open at")
            if words not in url:
                wait_for_line(process, words)
            children = psutil.Process(process.pid).children(recursive=True)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert children
    assert not [child for child in children if child.is_running()]
    with socket.socket() as probe:
        port = int(re.search(r":(\d+)", url.split("http")[1])[1])
        assert probe.connect_ex(("127.0.0.1", port)) != 0, "the server is gone"


def test_serve_opens_recovers_and_ends_on_ctrl_c(tmp_path: Path, here) -> None:
    command = [sys.executable, "-m", "clients.cli", "serve", "--journal", str(tmp_path / "data"), "--port", "0"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        command[-1] = str(free.getsockname()[1])
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    hashes = []
    for _ in range(2):
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process:
            try:
                wait_for_line(process, "serving http://")
                process.send_signal(signal.SIGINT)
                _, errors = process.communicate(timeout=60)
            finally:
                process.kill()
        assert process.returncode == 130, errors
        assert "Traceback" not in errors
        result = parkex("replay", tmp_path / "data" / "journal")
        assert result.returncode == 0, result.stderr
        hashes.append(last_line(result.stdout))
    assert all(re.fullmatch("[0-9a-f]{64}", value) for value in hashes)
    assert (tmp_path / "data" / "operator.key").stat().st_mode & 0o077 == 0
    check_replay_of_a_damaged_journal(tmp_path / "data" / "journal", here)


def check_replay_of_a_damaged_journal(journal: Path, here) -> None:
    _, shown, _ = here("replay", str(journal))
    head = re.search(r"head ([0-9a-f]{64})", shown)[1]
    assert here("replay", str(journal), "--head", head)[0] == 0
    code, _, errors = here("replay", str(journal), "--head", "0" * 64)
    assert code == 3
    assert "head" in last_line(errors)
    assert here("replay", str(journal), "--head", "xyz")[0] == 2
    segment = min(path for path in journal.iterdir() if path.suffix == ".seg" or "segment" in path.name)
    data = bytearray(segment.read_bytes())
    data[300] ^= 1
    segment.write_bytes(data)
    code, _, errors = here("replay", str(journal))
    assert code == 3, errors
    assert segment.name in last_line(errors)


def test_a_member_file_without_the_strategy_is_refused(tmp_path: Path, here) -> None:
    member = {"name": "E01", "key_id": "E01-1", "private_key": "a2V5", "seed": 1, "strategies": []}
    (tmp_path / "member.json").write_text(json.dumps(member))
    code, _, errors = here("bot", "factory", "--key", str(tmp_path / "member.json"))
    assert code == 2
    assert "factory" in last_line(errors)


@pytest.mark.parametrize("victim", ["clients.simulator.server_process", "clients.bots.host"])
def test_a_child_that_dies_is_noticed_and_named(victim: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "clients.cli", "demo", "--speed", "200", "--out", str(tmp_path / "out")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            wait_for_line(process, "participants are connected")
            children = psutil.Process(process.pid).children()
            next(child for child in children if victim in child.cmdline()).kill()
            _, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 1, errors
    assert last_line(errors).startswith("parkex: server ended" if "server" in victim else "parkex: bots 1 ended")
    assert "Traceback" not in errors


def test_the_printed_template_is_matched(here: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    code, template, _ = here("match", "--template")
    assert code == 0
    orders = tmp_path / "orders.csv"
    orders.write_text(template, encoding="utf-8")
    results = [tmp_path / name for name in ("trades.csv", "book.csv", "events.csv", "bars.csv")]
    options = [text for path in results for text in (f"--{path.stem}", str(path))]
    code, summary, errors = here("match", str(orders), *options)
    assert (code, errors) == (0, "")
    counts = dict(re.findall(r"^\s*(\S.*?)\s{2,}(\S+)$", summary, re.MULTILINE))
    assert (counts["lines"], counts["orders"], counts["trades"], counts["volume"], counts["refused entries"]) == ("22", "13", "7", "98.0", "0")
    assert [len(path.read_text(encoding="utf-8").splitlines()) for path in results] == [8, 5, 26, 3]
    assert {path.name for path in tmp_path.iterdir()} == {orders.name, *(path.name for path in results)}
