"""SIGTERM to a real server: what was taken is answered, sessions are told, the state is on disk, exit 0. A second signal ends it at once.

Nobody reads the server's log meanwhile, and there is more of it than a pipe holds: that must not hold the market up.
"""

import base64
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as open_websocket
from websockets.typing import Origin

from exchange.protocol.auth import logon_message
from exchange.protocol.reject_codes import RejectCode
from tests.clients.cli.test_commands import ROOT, last_line, parkex, wait_for_line

OPERATOR = 32
IN_FLIGHT = 500


@contextmanager
def server(directory: Path, **variables: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server on a free port in a process of its own: (process, host:port). `variables` of its environment."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "clients.cli", "serve", "--port", str(port), "--log-format", "json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "PARKEX_EXCHANGE_DIRECTORY": str(directory), **variables}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            wait_for_line(process, "serving http://")
            yield process, f"127.0.0.1:{port}"
        finally:
            process.kill()


def log_on(websocket: ClientConnection, host: str, key_file: Path) -> None:
    """As the operator."""
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(key_file.read_text()))
    challenge = msgspec.json.decode(websocket.recv())["params"]
    stamp = time.time_ns()
    signature = base64.b64encode(key.sign(logon_message(challenge["nonce"], challenge["epoch"], stamp, "operator", host))).decode()
    params = {"key_id": "operator", "timestamp_ns": stamp, "signature": signature, "cancel_on_disconnect": False}
    websocket.send(msgspec.json.encode({"jsonrpc": "2.0", "id": "logon", "method": "logon", "params": params}), text=True)
    assert "result" in msgspec.json.decode(websocket.recv())


def deposit(number: int) -> bytes:
    document = {"account": OPERATOR, "amount_micro": 1, "reference": f"r{number}"}
    params = {"schema": "deposit", "document": document, "client_order_id": f"d{number}"}
    return msgspec.json.encode({"jsonrpc": "2.0", "id": number, "method": "operator.submit", "params": params})


def answers_until_closed(websocket: ClientConnection) -> tuple[dict[int, Any], ConnectionClosed]:
    answers = {}
    while True:
        try:
            frame = msgspec.json.decode(websocket.recv())
        except ConnectionClosed as closed:
            return answers, closed
        if isinstance(frame.get("id"), int):
            answers[frame["id"]] = frame


def events(errors: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in errors.splitlines()]


def check_what_the_operator_sees(host: str) -> None:
    """That the parts of a service are watched, and that its configuration has arrived."""
    with urllib.request.urlopen(f"http://{host}/readyz") as answer:
        assert json.load(answer)["checks"] == {"commands": "ok", "read_model": "ok", "disk": "ok"}
    with urllib.request.urlopen(f"http://{host}/metrics") as answer:
        shown = answer.read().decode()
    assert "\nparkex_read_model_lag_commands " in shown
    assert "\nparkex_journal_disk_free_bytes " in shown
    assert "\nprocess_resident_memory_bytes " in shown
    for origin, accepted in (("https://desk.example", True), ("https://evil.example", False)):
        refused = contextlib.nullcontext() if accepted else pytest.raises(InvalidStatus)
        with refused, open_websocket(f"ws://{host}/ws/v1", origin=Origin(origin)) as websocket:
            assert b"challenge" in websocket.recv(decode=False)


def test_sigterm_drains_and_a_restart_goes_on(tmp_path: Path) -> None:
    with server(tmp_path / "data") as (process, host):
        with open_websocket(f"ws://{host}/ws/v1") as websocket:
            log_on(websocket, host, tmp_path / "data" / "operator.key")
            for number in range(IN_FLIGHT):
                websocket.send(deposit(number), text=True)
            first = msgspec.json.decode(websocket.recv())
            process.send_signal(signal.SIGTERM)
            answers, closed = answers_until_closed(websocket)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert closed.rcvd is not None
    assert (closed.rcvd.code, closed.rcvd.reason.split()[0]) == (1001, str(int(RejectCode.SHUTTING_DOWN)))
    answers[first["id"]] = first
    assert set(answers) == set(range(IN_FLIGHT)), "every request was answered"
    recorded = [frame["result"]["sequence"] for frame in answers.values() if "result" in frame]
    assert recorded
    assert {frame["error"]["code"] for frame in answers.values() if "error" in frame} <= {int(RejectCode.NOT_ACCEPTING)}

    told = events(errors)
    assert [event["event"] for event in told if event["logger"] == "parkex.service"] == ["exchange started", "exchange stopped"]
    ended = next(event for event in told if event["event"] == "session ended")
    assert (ended["account"], ended["key_id"], ended["reason"]) == (OPERATOR, "operator", str(int(RejectCode.SHUTTING_DOWN)))
    stopped = told[-1]["sequence"]
    # Behind the last command that was answered: the end of the session and the checkpoint.
    assert stopped == max(recorded) + 2
    snapshots = sorted((tmp_path / "data" / "journal" / "snapshots").iterdir())
    assert snapshots[-1].name.endswith(f"-{stopped:020d}")

    with server(tmp_path / "data", PARKEX_SERVER_ORIGINS="https://desk.example") as (process, host):
        check_what_the_operator_sees(host)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    started = events(errors)[0]
    assert (started["event"], started["epoch"], started["sequence"]) == ("exchange started", 2, stopped + 1)
    assert parkex("replay", tmp_path / "data" / "journal").returncode == 0


def test_a_second_signal_ends_it_at_once_and_loses_nothing(tmp_path: Path) -> None:
    with server(tmp_path / "data") as (process, host), socket.create_connection(host.split(":")) as deaf:
        deaf.sendall(
            f"GET /ws/v1 HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        assert deaf.recv(12) == b"HTTP/1.1 101"
        with open_websocket(f"ws://{host}/ws/v1") as websocket:
            log_on(websocket, host, tmp_path / "data" / "operator.key")
            websocket.send(deposit(0), text=True)
            sequence = msgspec.json.decode(websocket.recv())["result"]["sequence"]
            process.send_signal(signal.SIGTERM)
            with pytest.raises(ConnectionClosed):
                websocket.recv()
        # The deaf client does not answer the close, so the server still waits for it.
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 128 + signal.SIGTERM
    assert not (tmp_path / "data" / "journal" / "snapshots").exists(), "it did not wait for the end of the shutdown"
    shown = parkex("replay", tmp_path / "data" / "journal")
    assert shown.returncode == 0, shown.stderr
    assert re.fullmatch("[0-9a-f]{64}", last_line(shown.stdout))
    replayed = int(re.search(r"(\d[\d,]*) commands", shown.stdout)[1].replace(",", ""))  # type: ignore[index]
    assert replayed >= sequence
