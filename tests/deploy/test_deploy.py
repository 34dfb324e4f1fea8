"""What the unit and the container file call is there: commands, options, settings, folders, routes."""

import os
import re
import shlex
import stat
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer

from clients.cli.app import app
from clients.cli.configuration import OTHER_VARIABLES, resolve
from clients.cli.exits import Exit
from clients.cli.settings import SETTINGS
from tests.architecture.repository import ROOT
from tests.exchange.gateway.parks import running_park

DEPLOY = ROOT / "deploy"
UNIT = (DEPLOY / "parkex.service").read_text("utf-8")
CONTAINER = (DEPLOY / "Containerfile").read_text("utf-8")
START_S = 30  # of a start that does not compile, on a slow machine
VARIABLES = {setting.variable for setting in SETTINGS} | OTHER_VARIABLES
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def entries(name: str) -> list[str]:
    """Values of a directive of the unit, in order."""
    return re.findall(rf"^{name}=(.*)$", UNIT, re.MULTILINE)


def instructions(name: str) -> list[str]:
    """Arguments of an instruction of the container file, continued lines joined."""
    return re.findall(rf"^{name} (.*)$", CONTAINER.replace("\\\n", " "), re.MULTILINE)


@pytest.mark.parametrize("line", entries("ExecStart") + entries("ExecStartPre"))
def test_the_unit_calls_commands_and_options_that_exist(line: str) -> None:
    program, command, *arguments = shlex.split(line)
    assert Path(program).name in PROJECT["scripts"]
    found: Any = typer.main.get_command(app).commands[command]  # type: ignore[attr-defined]
    known = {option for parameter in found.params for option in parameter.opts}
    assert {argument for argument in arguments if argument.startswith("--")} <= known


def test_the_unit_s_variables_are_settings_and_its_folders_its_own() -> None:
    variables = dict(line.split("=", 1) for line in entries("Environment"))
    assert set(variables) <= VARIABLES
    folders = {"/var/lib": "StateDirectory", "/var/cache": "CacheDirectory", "/etc": "ConfigurationDirectory"}
    for path in [*variables.values(), *(word for line in entries("ExecStart") for word in shlex.split(line)[2:] if word.startswith("/"))]:
        owner = next(directive for root, directive in folders.items() if path.startswith(root))
        assert Path(path).is_relative_to(Path(next(root for root, name in folders.items() if name == owner)) / entries(owner)[0])


def test_the_unit_stops_as_the_server_expects_it() -> None:
    assert entries("KillSignal") == ["SIGTERM"]
    assert int(entries("TimeoutStopSec")[0]) > 3 * resolve(None, {}, {})["server.shutdown_timeout_s"]


def test_the_unit_starts_again_what_a_start_mends_and_nothing_else() -> None:
    """And not for ever: five starts that end at once are within the interval, their pauses and their compiling included."""
    assert entries("Restart") == ["on-failure"]
    assert {int(code) for code in entries("RestartPreventExitStatus")[0].split()} == {Exit.BAD_INPUT, Exit.CORRUPTION, Exit.NO_ROOM}
    burst, interval_s, pause_s = (int(entries(name)[0]) for name in ("StartLimitBurst", "StartLimitIntervalSec", "RestartSec"))
    assert burst * (pause_s + START_S) <= interval_s


def test_a_reload_reads_the_certificate_again() -> None:
    assert entries("ExecReload") == ["/bin/kill -HUP $MAINPID"]


def test_the_unit_is_hardened() -> None:
    for directive in ("NoNewPrivileges", "ProtectHome", "PrivateTmp", "PrivateDevices", "RestrictNamespaces", "LockPersonality"):
        assert entries(directive) == ["yes"], directive
    assert (entries("ProtectSystem"), entries("CapabilityBoundingSet"), entries("User")) == (["strict"], [""], ["parkex"])
    # The order path is compiled while the exchange starts: pages that are written and then run.
    assert entries("MemoryDenyWriteExecute") == []


@pytest.mark.systemd
def test_systemd_reads_the_unit(tmp_path: Path) -> None:
    """With a program in the place of the installed one: systemd looks whether it is there."""
    program = tmp_path / "parkex"
    program.write_text(f"#!{sys.executable}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    unit = tmp_path / "parkex.service"
    unit.write_text(UNIT.replace("/opt/parkex/bin/parkex", str(program)))
    told = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(unit)], capture_output=True, text=True, check=False,
        env=os.environ | {"SYSTEMD_LOG_COLOR": "0"},
    )  # fmt: skip
    about_the_unit = [line for line in told.stderr.splitlines() if "parkex" in line]
    assert (told.returncode, about_the_unit) == (0, []), told.stderr


def test_the_configuration_to_start_from_is_one() -> None:
    found = resolve(DEPLOY / "parkex.toml", {}, {})
    assert (found["server.port"], found["log.format"], found["exchange.recovery_s"]) == (8765, "json", 30)


def test_the_container_copies_what_the_wheel_is_made_of() -> None:
    copied = {name for line in instructions("COPY") if not line.startswith("--from") for name in line.split()[:-1]}
    assert all((ROOT / name).exists() for name in copied)
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert {*wheel, "pyproject.toml", PROJECT["readme"], *PROJECT["license-files"]} <= copied
    extras = set(re.findall(r"'\.\[([\w,]+)\]'", CONTAINER)[0].split(","))
    assert extras <= set(PROJECT["optional-dependencies"])


def test_the_container_is_not_root_and_its_variables_are_settings() -> None:
    assert instructions("USER") == ["10001"]
    variables = dict(re.findall(r"(PARKEX_\w+)=(\S+)", " ".join(instructions("ENV"))))
    assert set(variables) <= VARIABLES
    found = resolve(None, variables, {})
    assert (found["server.host"], str(found["server.port"])) == ("0.0.0.0", instructions("EXPOSE")[0])
    volumes = instructions("VOLUME")[0]
    assert all(f'"{variables[name]}"' in volumes for name in ("PARKEX_CACHE_DIR", "PARKEX_EXCHANGE_DIRECTORY"))
    assert instructions("STOPSIGNAL") == ["SIGTERM"]


async def test_the_container_s_health_check_asks_a_route_that_exists() -> None:
    asked = re.findall(r"http://127\.0\.0\.1:(\d+)(/\w+)", instructions("HEALTHCHECK")[0])
    async with running_park() as park:
        assert asked == [(instructions("EXPOSE")[0], "/healthz")]
        assert asked[0][1] in park.app.openapi()["paths"]
