"""`parkex clock`: what the wall clock of a running exchange shows, and that it is right."""

import datetime
import time
from typing import Final

import typer

from clients.cli.keys_commands import Desk, ask, parse_time
from clients.sdk import ParkClient
from exchange.protocol.documents import ConfirmClock

NS_PER_SECOND: Final = 1_000_000_000


def show_clock(desk: Desk) -> None:
    """Market time, the exchange's wall time, and whether it is in doubt."""

    async def show(park: ParkClient) -> None:
        status = await park.status()
        wall_ns = time.time_ns() + park.clock_offset_ns
        typer.echo(f"market time   {_shown(status.now_ns)}")
        typer.echo(f"wall clock    {_shown(wall_ns)} ({park.clock_offset_ns / NS_PER_SECOND:+.1f} s from this machine's)")
        if status.clock_in_doubt:
            typer.echo("in doubt: the wall clock was stepped, and commands wait. Set it right, or confirm it: parkex clock confirm")
        else:
            typer.echo("in no doubt; " + ("commands are taken" if status.accepting else "commands are not taken for another reason"))

    ask(desk, show)


def confirm_clock(desk: Desk, reason: str, at: str) -> None:
    """Say that the exchange's wall clock is right: it shows the time `at`, or that of this machine."""
    given_ns = parse_time(at)

    async def confirm(park: ParkClient) -> None:
        await park.submit(ConfirmClock(wall_ns=given_ns or time.time_ns(), reason=reason))
        typer.echo("confirmed; commands are taken")

    ask(desk, confirm)


def _shown(time_ns: int) -> str:
    return datetime.datetime.fromtimestamp(time_ns // NS_PER_SECOND, datetime.UTC).isoformat()
