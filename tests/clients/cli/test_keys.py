"""`parkex keys`, `parkex proposals` and `parkex audit` against an exchange that two persons operate, from its first start to its audit log."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from clients.cli.keys_commands import parse_time
from exchange.errors import InputError
from tests.clients.cli.test_commands import ROOT, here, last_line, parkex, wait_for_line

__all__ = ["here"]  # the fixture


@contextmanager
def serving(data: Path, *options: str) -> Iterator[str]:
    """URL of an exchange in a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "clients.cli", "serve", "--journal", str(data), "--port", str(port), *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            wait_for_line(process, "serving http://")
            yield f"ws://127.0.0.1:{port}"
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130, errors
    assert "Traceback" not in errors


def test_two_persons_run_an_exchange(tmp_path: Path, here) -> None:
    public = {}
    for name in ("ann", "bob", "eve"):
        code, printed, _ = here("keys", "new", str(tmp_path / f"{name}.key"))
        assert code == 0
        public[name] = printed.strip()
    assert (tmp_path / "ann.key").stat().st_mode & 0o077 == 0
    assert here("keys", "new", str(tmp_path / "ann.key"))[0] == 2
    data = tmp_path / "data"
    with serving(data, "--operator", f"ann={public['ann']}", "--operator", f"bob={public['bob']}") as url:
        ann = ("--url", url, "--key", str(tmp_path / "ann.key"))
        bob = ("--url", url, "--key", str(tmp_path / "bob.key"), "--key-id", "operator-2")
        register = ("keys", "register", "32", "operator-3", "--public-key", public["eve"], "--scope", "operate", "--person", "eve", *ann)
        code, _, errors = here(*register)
        assert code == 2
        assert "3040" in last_line(errors) or "another person" in last_line(errors)
        code, proposed, _ = here(*register, "--propose", "eve joins")
        assert code == 0
        digest = re.search(r"[0-9a-f]{64}", proposed)[0]
        code, listed, _ = here("proposals", "list", *bob)
        assert "four_eyes" in listed
        assert digest in listed
        assert here("proposals", "approve", "1", "--digest", digest, *ann)[0] == 2
        assert here("proposals", "approve", "1", "--digest", digest, *bob)[0] == 0
        until = "2096-12-31T18:00+08:00"
        assert here("keys", "rotate", "operator-2", "operator-4", "--public-key", public["eve"], "--until", until, *bob)[0] == 0
        assert here("keys", "scopes", "operator-3", "--scope", "read", *ann)[0] == 0
        assert here("keys", "revoke", "operator-3", "--reason", "test", *ann)[0] == 0
        code, proposed, _ = here("keys", "scopes", "operator-4", "--expires", until, "--propose", "an end", *ann)
        assert here("proposals", "reject", "2", "--reason", "no", *bob)[0] == 0
        code, keys, _ = here("keys", "list", *bob)
        statuses = {line.split()[0]: line for line in keys.splitlines()}
        assert "revoked" in statuses["operator-3"]
        assert "live" in statuses["operator-4"]
        assert "until 2096" in statuses["operator-2"]
    assert not (data / "operator.key").exists()
    check_logs(data)


def check_logs(data: Path) -> None:
    shown = parkex("audit", data)
    assert shown.returncode == 0, shown.stderr
    assert "chain verified" in last_line(shown.stderr)
    actions = [json.loads(line) for line in parkex("audit", data, "--json").stdout.splitlines()]
    assert [(entry["action"], entry["person"], entry["code"]) for entry in actions] == [
        ("register_key", "ann", 3040), ("propose", "ann", 0), ("approve_proposal", "ann", 3041), ("register_key", "bob", 0), ("rotate_key", "bob", 0),
        ("change_key", "ann", 0), ("revoke_key", "ann", 0), ("propose", "ann", 0), ("reject_proposal", "bob", 0),
    ]  # fmt: skip
    security = parkex("audit", data, "--security")
    assert security.returncode == 0
    assert {json.loads(line)["event"] for line in security.stdout.splitlines()} == {"logon"}
    assert parkex("audit", data, "--alerts").stdout == ""


# arguments, what the last line of stderr says
MISUSE = [
    (["keys", "scopes", "x"], "--scope"),
    (["keys", "register", "33", "x", "--public-key", "short", "--scope", "read"], "--public-key"),
    (["keys", "rotate", "x", "y", "--public-key", "A" * 43 + "=", "--until", "tomorrow"], "2026-12-31"),
    (["keys", "list", "--key", "no-such-file"], "no-such-file"),
    (["proposals", "approve", "1", "--digest", "xyz"], "--digest"),
    (["audit", "no-such-directory"], "no-such-directory"),
    (["serve", "--journal", "never-made", "--operator", "ann"], "--public-key"),
    (["serve", "--journal", "never-made", "--operator", "=AAAA"], "--operator"),
]


@pytest.mark.parametrize(("arguments", "words"), MISUSE, ids=[" ".join(row[0][:3]) for row in MISUSE])
def test_misuse(arguments: list[str], words: str, here) -> None:
    code, _, errors = here(*arguments)
    assert code == 2
    assert words in last_line(errors)
    assert not (ROOT / "never-made").exists()


@pytest.mark.parametrize(
    ("text", "time_ns"), [("", 0), ("1970-01-01T00:00:01+00:00", 10**9), ("2026-12-31T18:00+08:00", 1_798_711_200 * 10**9)]
)
def test_times(text: str, time_ns: int) -> None:
    assert parse_time(text) == time_ns


@pytest.mark.parametrize("text", ["2026-12-31", "2026-12-31T18:00", "noon"])
def test_a_time_without_a_zone_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="with its zone"):
        parse_time(text)
