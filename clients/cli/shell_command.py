"""`parkex shell`: the options, the key, and where the lines come from: a person, a pipe, or -c."""

import asyncio
import base64
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final, cast

import msgspec
from rich.console import Console

from clients.cli.shell.session import Outcome, Shell
from clients.cli.shell.show import View
from clients.cli.shell.words import Language
from clients.sdk import ClientError, ConnectionLost, connect
from exchange.errors import CheckFailedError, InputError

HISTORY_FILE: Final = Path.home() / ".local" / "state" / "parkex" / "shell-history"
# A table that goes to a file or a program is not folded to the width of a terminal.
_PIPE_WIDTH: Final = 160


@dataclass(frozen=True, slots=True)
class ShellOptions:
    url: str
    key: Path | None
    key_id: str
    lang: str
    commands: tuple[str, ...]
    yes: bool
    confirm_above: str
    cancel_on_exit: bool
    history: Path | None


class _KeyFile(msgspec.Struct):
    """What the shell needs of a member's private file."""

    key_id: str
    private_key: str


def run_shell_command(options: ShellOptions) -> None:
    """Raises InputError for bad options, an unreachable exchange or a refused logon, CheckFailedError when a command of a script was refused."""
    if options.lang not in {"en", "zh"}:
        raise InputError(f"--lang {options.lang[:10]!r}: expected en or zh")
    try:
        confirm_above_cny = Decimal(options.confirm_above)
    except InvalidOperation:
        raise InputError(f"--confirm-above {options.confirm_above[:20]!r}: expected an amount in CNY") from None
    key_id, private_key = read_key(options.key, options.key_id)
    try:
        asyncio.run(_run(options, confirm_above_cny, key_id, private_key))
    except (ValueError, ClientError) as error:
        raise InputError(f"{options.url}: {error}") from None


def read_key(file: Path | None, key_id: str) -> tuple[str | None, str | None]:
    """Key id and private key: from a member's private file (JSON), or from a bare key in base64 with its id beside it. Raises InputError."""
    if file is None:
        return None, None
    text = file.read_bytes()
    if text.lstrip().startswith(b"{"):
        try:
            found = msgspec.json.decode(text, type=_KeyFile)
        except msgspec.MsgspecError:
            raise InputError(f"{file.name}: expected a JSON object with key_id and private_key in base64") from None
        return key_id or found.key_id, found.private_key
    try:
        private_key = text.decode().strip()
        base64.b64decode(private_key, validate=True)
    except ValueError:
        raise InputError(f"{file.name}: expected a private file of a member, or a private key in base64") from None
    if not key_id:
        raise InputError(f"{file.name} holds a bare key: --key-id says whose")
    return key_id, private_key


async def _run(options: ShellOptions, confirm_above_cny: Decimal, key_id: str | None, private_key: str | None) -> None:
    is_person = not options.commands and sys.stdin.isatty() and sys.stdout.isatty()
    console = Console(markup=False, highlight=False) if is_person else Console(markup=False, highlight=False, width=_PIPE_WIDTH)
    view = View(console, cast("Language", options.lang))
    async with connect(
        options.url, key_id=key_id, private_key=private_key, cancel_on_disconnect=options.cancel_on_exit, wait_for_limits=True
    ) as park:
        if is_person:
            from clients.cli.shell.prompt import Keyboard

            keyboard = Keyboard(options.history)
            shell = Shell(park, view, confirm_above_cny=confirm_above_cny, assume_yes=options.yes, ask=keyboard.ask)
            await shell.start()
            view.line("welcome" if park.account else "welcome_public", name=park.name, account=park.account, url=options.url)
            if park.account:
                await shell.watches.add("executions")
            await keyboard.run(shell)
            if park.closed is not None:
                raise ConnectionLost(str(park.closed))
            return
        shell = Shell(park, view, confirm_above_cny=confirm_above_cny, assume_yes=options.yes, ask=None)
        await shell.start()
        async for line in _lines(options.commands):
            outcome = await shell.run(line)
            if outcome is Outcome.QUIT:
                return
            if outcome is not Outcome.DONE:
                # A script goes on only from what it expects: the next command may rely on this one.
                raise (InputError if outcome is Outcome.USAGE else CheckFailedError)(f"stopped at: {line.strip()[:100]}")


async def _lines(commands: tuple[str, ...]) -> AsyncIterator[str]:
    """Of -c, one after the other; else of the pipe, as they come, while events go on."""
    for command in commands:
        for line in command.split(";"):
            yield line
    while not commands:
        line = await asyncio.to_thread(sys.stdin.readline)
        if not line:
            return
        yield line
