"""`parkex bot` against a running exchange: by turns to the last one, and on a clock of its own until Ctrl-C."""

import asyncio
import contextlib
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from clients.sdk import connect, public_key_of
from clients.simulator.children import Child, Event
from clients.simulator.demo import TURN_NS
from clients.simulator.member_files import member_file
from clients.simulator.operator_desk import OPERATOR_KEY_ID, OperatorDesk
from clients.simulator.server_file import ServerFile
from tests.clients.simulator.small_park import small_park

ROOT = Path(__file__).parents[3]


def start_bot(url: str, file: Path, strategy: str, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "clients.cli", "bot", strategy, "--url", url, "--key", str(file), *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})


async def test_plays_to_the_last_turn_and_on_a_clock_of_its_own(tmp_path: Path) -> None:
    park = small_park(periods=1, members=("E03", "PV01"))
    operator, keys = Ed25519PrivateKey.generate(), {m.id: Ed25519PrivateKey.generate() for m in park.members}
    file = ServerFile(
        park_id="test",
        journal_directory=str(tmp_path / "journal"),
        read_model_url=None,
        operator_public_key=public_key_of(operator),
        start_ns=park.opens_ns,
        end_ns=park.opens_ns + 6 * TURN_NS,
        turn_ns=TURN_NS,
    )
    (tmp_path / "server.json").write_bytes(msgspec.json.encode(file))
    private = {m.id: tmp_path / f"{m.id}.json" for m in park.members}
    for member in park.members:
        private[member.id].write_bytes(msgspec.json.encode(member_file(park, member, keys[member.id].private_bytes_raw())))
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def on_event(event: Event) -> None:
        if event["event"] == "ready":
            ready.set_result(event["url"])

    server = await Child.start("server", ["-m", "clients.simulator.server_process", str(tmp_path / "server.json")], on_event)
    try:
        url = (await asyncio.wait_for(ready, 90)).replace("http", "ws", 1)
        async with connect(url, key_id=OPERATOR_KEY_ID, private_key=operator) as client:
            await OperatorDesk(client, park).open_day({name: public_key_of(key) for name, key in keys.items()})
            by_turns = start_bot(url, private["E03"], "factory")
            said = await asyncio.to_thread(by_turns.stdout.readline)
            assert "E03 is connected" in said
            await client.run_clock(None)
            out, errors = await asyncio.to_thread(by_turns.communicate, timeout=60)
            assert by_turns.returncode == 0, errors
            turns, orders = map(int, re.search(r"(\d+) turns, (\d+) orders accepted, 0 refused", out).groups())
            assert turns >= 6
            assert orders >= turns
            by_itself = start_bot(url, private["E03"], "factory", "--every", "0.2")
            await asyncio.to_thread(by_itself.stdout.readline)
            sequence = (await client.status()).sequence
            while (await client.status()).sequence < sequence + 6:  # noqa: ASYNC110 - what another process does is seen by asking
                await asyncio.sleep(0.1)
            by_itself.send_signal(signal.SIGINT)
            _, errors = await asyncio.to_thread(by_itself.communicate, timeout=30)
            assert by_itself.returncode == 130, errors
            assert "Traceback" not in errors
        wrong = await asyncio.to_thread(lambda: start_bot(url, private["PV01"], "factory").communicate(timeout=30))
        assert "no private data for strategy factory" in wrong[1]
    finally:
        assert await server.stop() == 0


def until(condition: Callable[[], object], timeout_s: float = 60) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.1)


def test_the_guides_own_exchange_opens_and_its_two_bots_trade(tmp_path: Path) -> None:
    """`parkex serve`, the program of docs/guides/operate.md as it stands there, and a `parkex bot` for each of its members."""
    program, *_ = re.findall(r"```python\n(.*?)```", (ROOT / "docs/guides/operate.md").read_text("utf-8"), re.DOTALL)
    (tmp_path / "open_market.py").write_text(program)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    data, command = tmp_path / "data", [sys.executable, "-m", "clients.cli", "serve", "--journal", str(tmp_path / "data")]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    bots: list[subprocess.Popen[str]] = []
    try:
        said = ""
        while "serving" not in said:
            said = server.stdout.readline()
            assert said, server.communicate()[1]
        url = re.search(r"http://(\S+)", said)[1]
        opened = subprocess.run(
            [sys.executable, str(tmp_path / "open_market.py"), f"ws://{url}", str(data)],
            env=environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert opened.returncode == 0, opened.stderr
        assert (data / "E01.json").stat().st_mode & 0o077 == 0
        for name, strategy in (("E01", "factory"), ("PV01", "generator")):
            bots.append(start_bot(f"ws://{url}", data / f"{name}.json", strategy, "--every", "0.2"))
        until(lambda: sqlite_count(data / "readmodel.sqlite", "trades"))
        for bot in bots:
            bot.send_signal(signal.SIGINT)
            _, errors = bot.communicate(timeout=30)
            assert bot.returncode == 130, errors
        server.send_signal(signal.SIGINT)
        _, errors = server.communicate(timeout=60)
        assert server.returncode == 130, errors
    finally:
        for process in (*bots, server):
            process.kill()
            process.communicate()


def sqlite_count(path: Path, table: str) -> int:
    with contextlib.closing(sqlite3.connect(path)) as database:
        return int(database.execute(f"select count(*) from {table}").fetchone()[0])
