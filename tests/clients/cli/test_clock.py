"""`parkex clock` against an exchange whose wall clock was stepped."""

import asyncio
import base64
import datetime
from pathlib import Path

import pytest

from clients.cli.clock_commands import confirm_clock, show_clock
from clients.cli.keys_commands import Desk
from exchange.errors import InputError
from exchange.units import NS_PER_SECOND
from tests.exchange.gateway.parks import RunningPark, private_key
from tests.exchange.gateway.test_websocket import serving
from tests.exchange.test_clock_doubt import Machine


def step(park: RunningPark, seconds: int) -> Machine:
    """Put the park on a machine's clocks, and step its wall clock."""
    machine = Machine()
    park.node._clock = park.node.clock._clock = machine.clock()
    machine.wall_ns += seconds * NS_PER_SECOND
    park.hub.wall_ns = lambda: machine.wall_ns
    return machine


def desk_at(url: str, directory: Path) -> Desk:
    file = directory / "operator.key"
    file.write_text(base64.b64encode(private_key("operator").private_bytes_raw()).decode())
    return Desk(url, "operator", file)


def written(time_ns: int) -> str:
    return datetime.datetime.fromtimestamp(time_ns // NS_PER_SECOND, datetime.UTC).isoformat()


async def test_from_doubt_to_confirmation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with serving() as (park, url):
        desk = desk_at(url, tmp_path)
        machine = step(park, 90)
        await asyncio.to_thread(show_clock, desk)
        lines = capsys.readouterr().out.splitlines()
        assert lines[0] == f"market time   {written(park.node.exchange.now_ns)}"
        assert lines[1].startswith(f"wall clock    {written(machine.wall_ns)[:16]}")
        assert lines[2].startswith("in doubt")
        wrong = written(machine.wall_ns - 90 * NS_PER_SECOND)
        with pytest.raises(InputError, match="5014"):
            await asyncio.to_thread(confirm_clock, desk, "the time server was off", wrong)
        assert not park.node.accepting
        await asyncio.to_thread(confirm_clock, desk, "the time server was off", written(machine.wall_ns))
        assert park.node.accepting
        await asyncio.to_thread(show_clock, desk)
        assert capsys.readouterr().out.splitlines()[-1] == "in no doubt; commands are taken"
        assert [entry.action for entry in park.node.exchange.rooms.audit.tail] == ["confirm_clock"]


async def test_without_a_time_it_is_that_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving() as (park, url):
        desk = desk_at(url, tmp_path)
        machine = step(park, 90)
        with pytest.raises(InputError, match="5014"):  # the exchange's clock is years from this machine's
            await asyncio.to_thread(confirm_clock, desk, "checked", "")
        monkeypatch.setattr("clients.cli.clock_commands.time.time_ns", lambda: machine.wall_ns)
        await asyncio.to_thread(confirm_clock, desk, "checked", "")
        assert park.node.accepting
