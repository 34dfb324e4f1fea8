"""Configuration of `parkex serve`: where a value is from, what is refused and with which place, and that every setting arrives."""

import base64
import logging
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import typer

from clients.cli.app import app
from clients.cli.configuration import parse_text, resolve
from clients.cli.serve_command import run_config_command, run_serve_command, tls_of
from clients.cli.settings import BY_KEY, SETTINGS, Kind, Setting, limits_from
from exchange.errors import InputError
from exchange.gateway.limits import Limits, Rate

FILE = """
[server]
port = 1001
host = "10.0.0.1"   # of the file
origins = ["https://a.example", "https://b.example"]

[limits]
flush_interval_s = 0.5
connection_per_s = 7
"""

# key, environment, --set, option -> value, source. The file has the port 1001 and the host 10.0.0.1.
PRECEDENCE: list[tuple[str, dict[str, str], list[str], Any, Any, str]] = [
    ("server.port", {}, [], None, 1001, "parkex.toml, line 3"),
    ("server.port", {"PARKEX_SERVER_PORT": "1002"}, [], None, 1002, "environment PARKEX_SERVER_PORT"),
    ("server.port", {"PARKEX_SERVER_PORT": "1002"}, ["server.port=1003"], None, 1003, "command line --set server.port"),
    ("server.port", {"PARKEX_SERVER_PORT": "1002"}, ["server.port=1003"], 1004, 1004, "command line --port"),
    ("server.host", {}, [], None, "10.0.0.1", "parkex.toml, line 4"),
    ("server.host", {}, [], "::1", "::1", "command line --host"),
    ("server.origins", {}, [], None, ("https://a.example", "https://b.example"), "parkex.toml, line 5"),
    ("server.origins", {"PARKEX_SERVER_ORIGINS": "https://c.example, https://d.example"}, [], None, ("https://c.example", "https://d.example"),
     "environment PARKEX_SERVER_ORIGINS"),
    ("server.origins", {"PARKEX_SERVER_ORIGINS": ""}, [], None, (), "environment PARKEX_SERVER_ORIGINS"),
    ("exchange.simulation", {"PARKEX_EXCHANGE_SIMULATION": "TRUE"}, [], None, True, "environment PARKEX_EXCHANGE_SIMULATION"),
    ("exchange.simulation", {"PARKEX_EXCHANGE_SIMULATION": "true"}, ["exchange.simulation=false"], None, False,
     "command line --set exchange.simulation"),
    ("limits.flush_interval_s", {}, [], None, 0.5, "parkex.toml, line 8"),
    ("limits.connection_per_s", {}, [], None, 7.0, "parkex.toml, line 9"),
    ("limits.max_connections", {}, [], None, 2_048, "default"),
    ("exchange.recovery_s", {}, [], None, None, "default"),
]  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "parkex.toml"
    path.write_text(FILE)
    return path


@pytest.mark.parametrize(("key", "environment", "assignments", "option", "value", "source"), PRECEDENCE)
def test_precedence(key: str, environment: dict[str, str], assignments: list[str], option: Any, value: Any, source: str, file: Path) -> None:
    found = resolve(file, environment, {key: option}, assignments).settings[key]
    assert (found.value, type(found.value), found.source) == (value, type(value), source)


def test_the_environment_may_name_the_file(file: Path, tmp_path: Path) -> None:
    assert resolve(None, {"PARKEX_CONFIG": str(file)}, {})["server.port"] == 1001
    other = tmp_path / "other.toml"
    other.write_text("[server]\nport = 5\n")
    assert resolve(other, {"PARKEX_CONFIG": str(file)}, {})["server.port"] == 5


# text of the file, what the message says
BAD_FILES = [
    ("[server]\nprot = 1\n", "line 2: unknown key 'prot' in [server]; did you mean port?"),
    ("[server]\nzzzz = 1\n", "line 2: unknown key 'zzzz' in [server]; it has host, port,"),
    ("[sever]\nport = 1\n", "line 1: unknown key 'sever'; expected the tables [exchange], [read_model], [server],"),
    ("port = 1\n", "line 1: unknown key 'port'"),
    ("\n\n[server]\nport = '1'\n", "line 4: server.port: expected an integer from 1 to 65535"),
    ("[server]\nport = 0\n", "line 2: server.port: expected an integer from 1 to 65535"),
    ("[server]\nport = 1.0\n", "line 2: server.port: expected an integer"),
    ("[server]\nport = true\n", "line 2: server.port: expected an integer"),
    ("[server]\nhost = 1\n", "line 2: server.host: expected a text"),
    ("[server]\norigins = 'https://a.example'\n", "line 2: server.origins: expected a list of texts"),
    ("[server]\norigins = [1]\n", "line 2: server.origins: expected a list of texts"),
    ("[exchange]\nsimulation = 'yes'\n", "line 2: exchange.simulation: expected true or false"),
    ("[exchange]\nsimulation = 1\n", "line 2: exchange.simulation: expected true or false"),
    ("[log]\nformat = 'xml'\n", "line 2: log.format: expected one of json, text"),
    ("[limits]\nflush_interval_s = nan\n", "line 2: limits.flush_interval_s: expected a number of at least 0.001"),
    ("[limits]\nflush_interval_s = 0\n", "line 2: limits.flush_interval_s: expected a number"),
    ("[limits]\nmax_connections = -1\n", "line 2: limits.max_connections: expected an integer of at least 0"),
    ("[limits]\nconnection_per_s = inf\n", "line 2: limits.connection_per_s: expected a number"),
    ("[limits]\nmax_connections = 99999999999999999999\n", "line 2: limits.max_connections: expected an integer"),
    ("[server\n", "not valid TOML"),
    ("[server]\nport = 1\nport = 2\n", "not valid TOML"),
]


@pytest.mark.parametrize(("text", "words"), BAD_FILES)
def test_what_is_wrong_in_a_file_is_named_with_its_line(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "parkex.toml"
    path.write_text(text)
    with pytest.raises(InputError) as refused:
        resolve(path, {}, {})
    assert str(refused.value).startswith("parkex.toml: ")
    assert words in str(refused.value)


def test_everything_wrong_in_a_file_is_named_at_once(tmp_path: Path) -> None:
    path = tmp_path / "parkex.toml"
    path.write_text("".join(text for text, _ in BAD_FILES[:1] + BAD_FILES[11:12]))
    with pytest.raises(InputError, match=r"(?s)2 problems, nothing was started.*line 2.*line 4"):
        resolve(path, {}, {})


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"PARKEX_SERVER_PORT": "x"}, "PARKEX_SERVER_PORT: expected an integer"),
        ({"PARKEX_SERVER_PORT": ""}, "PARKEX_SERVER_PORT: expected an integer"),
        ({"PARKEX_SERVER_PROT": "1"}, "unknown variable PARKEX_SERVER_PROT; did you mean PARKEX_SERVER_PORT?"),
        ({"PARKEX_EXCHANGE_SIMULATION": "1"}, "PARKEX_EXCHANGE_SIMULATION: expected true or false"),
        ({"PARKEX_LIMITS_FLUSH_INTERVAL_S": "nan"}, "expected a number of at least 0.001"),
    ],
)
def test_what_is_wrong_in_the_environment_is_named(environment: dict[str, str], words: str) -> None:
    with pytest.raises(InputError) as refused:
        resolve(None, environment, {})
    assert words in str(refused.value)


def test_variables_that_an_orchestrator_sets_are_no_settings() -> None:
    environment = {"PARKEX_PORT": "tcp://10.0.0.1:8765", "PARKEX_SERVICE_HOST": "10.0.0.1", "PARKEX_CACHE_DIR": "/cache", "HOME": "/"}
    assert resolve(None, environment, {}).values() == {setting.key: setting.default for setting in SETTINGS}


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("server.port", "expected KEY=VALUE"),
        ("server.prot=1", "did you mean server.port?"),
        ("=1", "with a key of docs/configuration.md"),
        ("server.port=70000", "--set server.port: expected an integer from 1 to 65535"),
    ],
)
def test_what_is_wrong_on_the_command_line_is_named(assignment: str, words: str) -> None:
    with pytest.raises(InputError) as refused:
        resolve(None, {}, {}, [assignment])
    assert words in str(refused.value)


def test_an_option_is_checked_like_any_other_source() -> None:
    with pytest.raises(InputError, match="--log-format: expected one of json, text"):
        resolve(None, {}, {"log.format": "xml"})


def test_what_is_printed_is_a_file_that_gives_the_same(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = resolve(file, {}, {}, ["log.level=debug", "server.public_names=a:1,b:2"])
    copy = tmp_path / "copy.toml"
    copy.write_text(first.describe())
    assert resolve(copy, {}, {}).values() == first.values()
    run_config_command(copy, ["limits.book_levels=3"])
    shown = capsys.readouterr().out
    assert "book_levels = 3                                              # command line --set limits.book_levels\n" in shown
    assert "level = \"debug\"                                              # copy.toml, line" in shown


def test_a_password_is_not_printed() -> None:
    url = "postgresql+psycopg://park:SECRET@db/park"
    shown = resolve(None, {}, {"read_model.url": url}).describe()
    assert "SECRET" not in shown
    assert "postgresql+psycopg://park:***@db/park" in shown


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"tls.certificate": "a.pem"}, "the key is missing"),
        ({"tls.key": "a.key"}, "the certificate is missing"),
        ({"tls.certificate": "a.pem", "tls.key": "a.key", "tls.development_directory": "d"}, "not both"),
    ],
)
def test_tls_options_that_do_not_fit_together(options: dict[str, str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        tls_of(resolve(None, {}, options))


def test_the_command_has_the_options_that_the_settings_name() -> None:
    serve: Any = typer.main.get_command(app).commands["serve"]  # type: ignore[attr-defined]
    options = {parameter.opts[0]: parameter.default for parameter in serve.params}
    assert set(options) - {"--config", "--set"} == {setting.option for setting in SETTINGS if setting.option}
    assert set(options.values()) <= {None, ()}, "a default of the command line would hide file and environment"


def test_every_limit_is_a_setting_and_says_what_it_is() -> None:
    assert limits_from(resolve(None, {}, {}).values()) == Limits()
    rates = {field.name for field in fields(Limits) if isinstance(getattr(Limits(), field.name), Rate)}
    names = {setting.name.removesuffix("_per_s").removesuffix("_burst") for setting in SETTINGS if setting.section == "limits"}
    assert {name for name in names if name in rates} == rates
    assert {field.name for field in fields(Limits)} <= names
    assert [setting.key for setting in SETTINGS if not setting.help] == []


_LISTS = {"metrics_allow": "10.0.0.0/8", "operators": f"ann={base64.b64encode(bytes(32)).decode()}"}


def _other_value(setting: Setting) -> str:
    """A value, as text, that is not the default."""
    if setting.choices:
        return next(choice for choice in setting.choices if choice != setting.default)
    match setting.kind:
        case Kind.SWITCH:
            return "false" if setting.default else "true"
        case Kind.INTEGER | Kind.NUMBER:
            return str(int(setting.default or 5) + 7)  # type: ignore[call-overload]
        case Kind.LIST:
            return _LISTS.get(setting.name, "https://x.example")
        case Kind.TEXT:
            return "elsewhere"


def _told(options: Any) -> dict[str, Any]:
    """What an exchange would be started with. The hash key of a genesis is random."""
    told = {field.name: getattr(options, field.name) for field in fields(options) if field.name not in {"clock", "genesis"}}
    return told | {"park": options.genesis.park_id, "settings": options.genesis.document}


@pytest.mark.parametrize("setting", [setting for setting in SETTINGS if setting.section not in {"tls", "log"}], ids=lambda setting: setting.key)
def test_every_setting_arrives(setting: Setting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[dict[str, Any]] = []
    monkeypatch.setattr("exchange.service.run_exchange", lambda options, _: started.append(_told(options)))
    monkeypatch.setattr("clients.cli.serve_command.configure_logging", lambda *_: logging.NullHandler())
    monkeypatch.chdir(tmp_path)
    run_serve_command(None, {}, [])
    run_serve_command(None, {}, [f"{setting.key}={_other_value(setting)}"])
    assert started[0] != started[1]


def test_log_settings_arrive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configured: list[tuple[str, str]] = []

    def configure(*told: str) -> logging.Handler:
        configured.append(told)  # type: ignore[arg-type]
        return logging.NullHandler()

    monkeypatch.setattr("exchange.service.run_exchange", lambda *_: None)
    monkeypatch.setattr("clients.cli.serve_command.configure_logging", configure)
    monkeypatch.chdir(tmp_path)
    run_serve_command(None, {"log.format": "json", "log.level": "error"}, [])
    assert configured == [("json", "error")]


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.key)
def test_another_value_is_taken_as_text(setting: Setting) -> None:
    assert parse_text(setting, _other_value(setting)) != setting.default
    assert BY_KEY[setting.key] is setting
