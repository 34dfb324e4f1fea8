"""`parkex shell` as a person and a script use it: a process of its own, by a pipe and by a terminal, against a real server."""

import asyncio
import base64
import io
import json
import os
import pty
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.console import Console

from clients.cli.shell.session import Outcome, Shell
from clients.cli.shell.show import View
from clients.sdk import connect, public_key_of
from exchange.protocol.documents import Key
from exchange.protocol.reject_codes import RejectCode
from matching.records import Side
from tests.running_market import Market, running_market

ROOT = Path(__file__).parents[4]
POWER = "GP-20260715-1000"
PROMPT = "parkex>"


@asynccontextmanager
async def market_with_member(tmp_path: Path) -> AsyncIterator[tuple[Market, list[str], int]]:
    """A market, the command line of a member's shell without its options, and the member's account."""
    async with running_market() as market:
        private_key = Ed25519PrivateKey.generate()
        key = Key(key_id="e02", public_key=public_key_of(private_key), scopes=["read", "trade"])
        account = await market.admit("E02", "enterprise", ["power_buy", "power_sell"], 0, 100_000, key=key)
        file = tmp_path / "E02.json"
        file.write_text(json.dumps({"key_id": "e02", "private_key": base64.b64encode(private_key.private_bytes_raw()).decode(), "strategies": []}))
        command = [sys.executable, "-m", "clients.cli", "shell", "--url", market.url.replace("http", "ws", 1), "--key", str(file)]
        yield market, [*command, "--history", str(tmp_path / "history")], account


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "120", "LINES": "40"}


async def script(command: list[str], *options: str, text: str = "") -> tuple[int, str, str]:
    """Exit code, output, errors."""
    process = await asyncio.create_subprocess_exec(
        *command, *options, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=environment()
    )
    out, errors = await asyncio.wait_for(process.communicate(text.encode()), 60)
    assert process.returncode is not None
    return process.returncode, out.decode(), errors.decode()


async def test_a_day_from_a_pipe(tmp_path: Path) -> None:
    async with market_with_member(tmp_path) as (market, command, account):
        await market.place(market.plant, POWER, Side.SELL, 4_200, 30)
        lines = f"""
            # a script may have notes
            buy {POWER} 12.5 0.4100 label=7
            buy {POWER} 1.0 0.4000 post
            book {POWER}
            buy {POWER} 2.0 market
            amend 2 quantity=10.0
            wait 0.3
            quotes 1000
            orders
            positions
            balances
            cancel 3
            cancel all {POWER} buy label=7
            orders
            status
            instruments power
            auctions
            statement 2026-07-15
            help basket
            lang zh
            basket buy {POWER} 0.5 0.4200 + buy GP-20260715-1015 0.5 0.4000
            """
        code, out, errors = await script(command, text=lines)
        assert code == 1, errors
        assert "stopped at: basket" in errors
        assert "order 2 resting · filled 0 · remaining 12.5" in out
        assert re.search(r"1\s+12.5\s+0.4100\s+0.4200\s+3.0\s+1", out)
        assert "order 4 filled · filled 2.0 · remaining 0.0 · average 0.420000" in out
        assert "order 2 is now 10.0 @ 0.4100" in out
        assert re.search(rf"{POWER}\s+10.0\s+0.4100\s+0.4200\s+1.0\s+0.4200", out)
        assert re.search(rf"2\s+{POWER}\s+buy\s+10.0\s+0.4100\s+0.0\s+resting\s+7", out)
        assert re.search(rf"{POWER}\s+2.0\s+0", out)
        assert "order 3 cancelled\n1 orders cancelled\nnone\n" in out
        assert "2026-07-15 is not settled" in out
        assert "被拒绝：4002" in out
        assert "(第 2 笔)" in out
        assert market.node.exchange.open_orders(account) == []


SAID = [
    (f"buy {POWER} 1.0 0.41001", Outcome.REFUSED, f"refused: {int(RejectCode.PRICE_OFF_TICK)} "),
    (f"buy {POWER} 1.0 99", Outcome.REFUSED, f"refused: {int(RejectCode.PRICE_OUT_OF_RANGE)} "),
    (f"sell {POWER} 1.0 0.41", Outcome.REFUSED, f"refused: {int(RejectCode.POSITION_LIMIT)} "),
    ("buy CEA25 1 60.00", Outcome.REFUSED, f"refused: {int(RejectCode.NO_PERMISSION)} "),
    (f"buy {POWER} 1.0 0.41 fok", Outcome.REFUSED, f"refused: {int(RejectCode.FILL_OR_KILL_UNFILLABLE)} "),
    (f"nominate {POWER} 1.0", Outcome.REFUSED, "refused: "),
    ("cancel 99", Outcome.USAGE, "no open order 99 of this account"),
    ("amend 99 price=0.41", Outcome.USAGE, "no open order 99 of this account"),
    ("buy GP-20260715-1001 1.0 0.41", Outcome.USAGE, "did you mean GP-20260715-10"),
    ("bye", Outcome.USAGE, "unknown command bye"),
    (f"buy {POWER} 1,0 0.41", Outcome.USAGE, "1,0 is not a decimal"),
    ("watch trades", Outcome.DONE, "watching: trades"),
    ("watch phases", Outcome.DONE, "watching: phases, trades"),
    ("unwatch trades", Outcome.DONE, ""),
    ("unwatch phases", Outcome.DONE, ""),
    ("watch", Outcome.DONE, "watching: none"),
    ("unwatch", Outcome.USAGE, "usage: unwatch"),
    ("help buy", Outcome.DONE, "display=Q (iceberg)"),
    ("quit", Outcome.QUIT, ""),
]


async def test_what_each_line_says(tmp_path: Path) -> None:
    async with market_with_member(tmp_path) as (market, command, account):
        member = json.loads((tmp_path / "E02.json").read_text())
        async with connect(command[command.index("--url") + 1], key_id="e02", private_key=member["private_key"]) as park:
            out = io.StringIO()
            view = View(Console(file=out, width=160, markup=False, highlight=False), "en")
            shell = Shell(park, view, confirm_above_cny=Decimal(1000), assume_yes=False, ask=None)
            await shell.start()
            for line, outcome, said in SAID:
                out.truncate(0)
                assert await shell.run(line) is outcome, (line, out.getvalue())
                assert said in out.getvalue(), line
            assert "E02  ·  live" in shell.toolbar()
        assert market.node.exchange.open_orders(account) == []


@pytest.mark.parametrize(("line", "code"), [(f"buy {POWER} 1.0 99", 1), ("bye", 2)])
async def test_a_script_stops_at_what_is_refused(tmp_path: Path, line: str, code: int) -> None:
    async with market_with_member(tmp_path) as (market, command, account):
        got, out, errors = await script(command, "-c", f"{line}; buy {POWER} 1.0 0.4000")
        assert got == code, (out, errors)
        assert f"stopped at: {line}" in errors
        assert "Traceback" not in errors
        assert market.node.exchange.open_orders(account) == []


async def test_a_large_market_order_is_not_sent_by_a_script_without_a_yes(tmp_path: Path) -> None:
    async with market_with_member(tmp_path) as (market, command, _):
        await market.place(market.plant, POWER, Side.SELL, 4_200, 100)
        line = f"buy {POWER} 10.0 market"
        code, out, _ = await script(command, "--confirm-above", "4.19", "-c", line)
        assert (code, "about 4.20 CNY needs --yes" in out) == (1, True)
        assert market.node.exchange.last_price(POWER) is None
        code, out, _ = await script(command, "--confirm-above", "4.19", "--yes", "-c", line)
        assert (code, "filled 10.0" in out) == (0, True)
        code, out, _ = await script(command, "--confirm-above", "4.20", "-c", line.replace("10.0", "0.0"))
        assert (code, "refused: 2009" in out) == (1, True)


async def test_bad_options_and_keys_are_named(tmp_path: Path) -> None:
    async with market_with_member(tmp_path) as (_, command, _):
        public = command[: command.index("--key")]
        code, out, _ = await script(public, "-c", "instruments; quotes", "-c", "book CEA25")
        assert (code, "CEA25" in out) == (0, True)
        code, out, _ = await script(public, "-c", "balances")
        assert (code, "this needs a key" in out) == (2, True)
        bare = tmp_path / "bare.key"
        bare.write_text("A" * 43 + "=")
        for options, said in [
            (["--key", str(bare), "-c", "status"], "--key-id says whose"),
            (["--key", str(bare), "--key-id", "nobody", "-c", "status"], "5005 logon refused"),
            (["--lang", "de", "-c", "status"], "expected en or zh"),
            (["--confirm-above", "much", "-c", "status"], "expected an amount"),
        ]:
            code, _, errors = await script(public, *options)
            assert (code, said in errors) == (2, True), errors


class Terminal:
    """A person at a terminal of the shell."""

    def __init__(self, process: Any, fd: int) -> None:
        self.process = process
        self.fd = fd
        self.screen = ""

    def read_more(self) -> None:
        try:
            data = os.read(self.fd, 65536).decode("utf-8", "replace")
        except OSError:  # the other side has closed
            return
        if "\x1b[6n" in data:  # it asks where the cursor is
            os.write(self.fd, b"\x1b[1;1R")
        self.screen += re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[=>]|\x1b\][^\x07]*\x07", "", data)

    def type(self, text: str) -> None:
        os.write(self.fd, text.encode())

    async def see(self, text: str, timeout_s: float = 20.0) -> None:
        """Wait until something is on the screen that was not there before; what came until then is gone."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        while text not in self.screen:
            assert asyncio.get_running_loop().time() < deadline, f"{text!r} is not to be seen in {self.screen!r}"
            await asyncio.sleep(0.02)
        self.screen = self.screen[self.screen.index(text) + len(text) :]


@asynccontextmanager
async def terminal(command: list[str]) -> AsyncIterator[Terminal]:
    master, slave = pty.openpty()
    process = await asyncio.create_subprocess_exec(*command, stdin=slave, stdout=slave, stderr=slave, env=environment(), start_new_session=True)
    os.close(slave)
    screen = Terminal(process, master)
    asyncio.get_running_loop().add_reader(master, screen.read_more)
    try:
        yield screen
    finally:
        asyncio.get_running_loop().remove_reader(master)
        if process.returncode is None:
            process.kill()
        await process.wait()
        os.close(master)


async def test_a_person_trades_and_keeps_what_is_typed_when_events_come(tmp_path: Path) -> None:
    async with market_with_member(tmp_path) as (market, command, account), terminal(command) as person:
        await person.see("E02 · account")
        await person.see(PROMPT)
        person.type(f"buy {POWER} 5.0 0.4100\r")
        await person.see("order 1 resting · filled 0 · remaining 5.0")
        await person.see(PROMPT)
        # Half a line is typed when a fill comes in.
        person.type("orde")
        await person.see("orde")
        await market.place(market.plant, POWER, Side.SELL, 4_100, 20)
        await person.see("traded · buy 2.0 @ 0.4100")
        await person.see("parkex> orde")
        person.type("rs\r")
        await person.see("3.0")
        await person.see(PROMPT)
        # Tab completes a symbol.
        person.type("sell GP-20260715-103\t")
        await person.see("GP-20260715-1030")
        person.type("\x03")
        await person.see(PROMPT)
        # A market order that costs much is asked about, and No is the answer of an empty line.
        await market.place(market.plant, POWER, Side.SELL, 10_000, 20_000)
        person.type(f"buy {POWER} 2000.0 market\r")
        await person.see("Send it? [y/N]")
        person.type("\r")
        await person.see("nothing was sent")
        await person.see(PROMPT)
        person.type(f"watch book {POWER}\r")
        await person.see(f"watching: executions, book {POWER}")
        await person.see("3.0 × 0.4100 | 1.0000 × 2000.0")
        person.type("cancel all\r")
        await person.see("1 orders cancelled")
        # The connection goes and comes back; the shell says so and goes on.
        for connection in list(market.hub.connections):
            connection.end(RejectCode.NOT_ACCEPTING)
        await person.see("connection lost")
        await person.see("connected again")
        person.type("lang zh\r")
        person.type("balances\r")
        await person.see("余额(元)")
        person.type("\x04")
        assert await asyncio.wait_for(person.process.wait(), 20) == 0
        assert market.node.exchange.open_orders(account) == []
        kept = (tmp_path / "history").read_text("utf-8")
        assert f"+buy {POWER} 5.0 0.4100" in kept
        assert (tmp_path / "history").stat().st_mode & 0o077 == 0


COMPLETIONS = [("", "buy"), ("ca", "cancel"), ("watch ", "executions"), ("buy X 1 ", "market"), ("buy X 1 2 po", "post"), ("basket buy X 1 2 ", "+")]


@pytest.mark.parametrize(("typed", "candidates"), COMPLETIONS)
def test_completion(typed: str, candidates: str) -> None:
    from prompt_toolkit.completion import CompleteEvent
    from prompt_toolkit.document import Document

    from clients.cli.shell.prompt import ShellCompleter

    shell = type("AnyShell", (), {"instruments": {}})
    found = ShellCompleter(shell).get_completions(Document(typed), CompleteEvent())  # type: ignore[arg-type]
    assert candidates in {completion.text for completion in found}
