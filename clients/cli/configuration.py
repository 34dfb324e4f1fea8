"""The configuration of `parkex serve` from its sources: command line, environment, file, defaults, in this order of precedence.

Everything wrong is named with its place, all at once: the line of the file, the variable, the option. Nothing is started then.
"""

import difflib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from clients.cli.settings import BY_KEY, SETTINGS, Kind, Setting, Value
from clients.scenarios.problems import Problems
from clients.scenarios.toml_lines import TomlFile, decode_text, parse_toml
from exchange.errors import InputError

CONFIG_VARIABLE: Final = "PARKEX_CONFIG"
# Variables of parkex that are no settings: the cache of compiled code.
OTHER_VARIABLES: Final = frozenset({CONFIG_VARIABLE, "PARKEX_CACHE_DIR"})
_SECTIONS: Final = tuple(dict.fromkeys(setting.section for setting in SETTINGS))
_PASSWORD: Final = re.compile(r"(?<=://)([^/@:]*):[^/@]*@")


@dataclass(frozen=True, slots=True)
class Resolved:
    """A value and where it is from."""

    value: Value
    source: str


@dataclass(frozen=True, slots=True)
class Configuration:
    """All settings, by key."""

    settings: dict[str, Resolved]

    def __getitem__(self, key: str) -> Any:
        return self.settings[key].value

    def values(self) -> dict[str, Value]:
        return {key: resolved.value for key, resolved in self.settings.items()}

    def describe(self) -> str:
        """The configuration as a file that would give it, the source of each value beside it. Passwords in URLs are left out."""
        lines = []
        for section in _SECTIONS:
            lines += ["", f"[{section}]"]
            for setting in (setting for setting in SETTINGS if setting.section == section):
                resolved = self.settings[setting.key]
                # TOML has no value for "none": the line says so and stays a comment.
                text = f"# {setting.name} is not set" if resolved.value is None else f"{setting.name} = {_as_toml(resolved.value)}"
                lines.append(f"{text:60} # {resolved.source}")
        return "\n".join(lines[1:])


def resolve(file: Path | None, environment: Mapping[str, str], options: Mapping[str, Value], assignments: Sequence[str] = ()) -> Configuration:
    """The configuration of a file, an environment, the options given by key (None: not given) and `--set` assignments.

    Without `file`, PARKEX_CONFIG of the environment names it. Raises InputError naming everything wrong of the first source that has something wrong.
    """
    settings = {setting.key: Resolved(setting.default, "default") for setting in SETTINGS}
    named = environment.get(CONFIG_VARIABLE, "")
    path = file or (Path(named) if named else None)
    if path is not None:
        settings |= _from_file(path)
    settings |= _from_environment(environment)
    settings |= _from_assignments(assignments)
    for key, value in options.items():
        if value is not None:
            settings[key] = Resolved(_check_option(BY_KEY[key], value), f"command line {BY_KEY[key].option}")
    return Configuration(settings)


def _from_file(path: Path) -> dict[str, Resolved]:
    name = path.name
    toml = parse_toml(decode_text(path.read_bytes(), name), name, parse_float=float)
    problems = Problems(name, "nothing was started")
    found = {}
    for section, table in toml.content.items():
        if section not in _SECTIONS or not isinstance(table, dict):
            problems.add(f"unknown key {section!r}; expected the tables {', '.join(f'[{known}]' for known in _SECTIONS)}", _line(toml, section))
            continue
        for key, given in table.items():
            setting, line = BY_KEY.get(f"{section}.{key}"), _line(toml, section, key)
            if setting is None:
                problems.add(f"unknown key {key!r} in [{section}]{_meant(key, section)}", line)
                continue
            try:
                found[setting.key] = Resolved(_checked(setting, given), f"{name}, line {line}")
            except InputError as error:
                problems.add(f"{setting.key}: {error}", line)
    problems.raise_if_any()
    return found


def _line(toml: TomlFile, *path: str) -> int | None:
    return toml.line_of(path)


def _meant(key: str, section: str) -> str:
    names = [setting.name for setting in SETTINGS if setting.section == section]
    close = difflib.get_close_matches(key, names, n=1)
    return f"; did you mean {close[0]}?" if close else f"; it has {', '.join(names)}"


def _from_environment(environment: Mapping[str, str]) -> dict[str, Resolved]:
    """Variables with the name of a section in front are ours; other PARKEX_ variables may be an orchestrator's."""
    variables = {setting.variable: setting for setting in SETTINGS}
    problems = Problems("environment", "nothing was started")
    found = {}
    for variable in sorted(environment):
        setting = variables.get(variable)
        if setting is not None:
            try:
                found[setting.key] = Resolved(parse_text(setting, environment[variable]), f"environment {variable}")
            except InputError as error:
                problems.add(f"{variable}: {error}")
        elif variable not in OTHER_VARIABLES and variable.startswith(tuple(f"PARKEX_{section.upper()}_" for section in _SECTIONS)):
            close = difflib.get_close_matches(variable, variables, n=1)
            problems.add(f"unknown variable {variable}" + (f"; did you mean {close[0]}?" if close else ""))
    problems.raise_if_any()
    return found


def _from_assignments(assignments: Iterable[str]) -> dict[str, Resolved]:
    problems = Problems("command line", "nothing was started")
    found = {}
    for assignment in assignments:
        key, is_pair, text = assignment.partition("=")
        setting = BY_KEY.get(key.strip())
        if setting is None or not is_pair:
            close = difflib.get_close_matches(key, BY_KEY, n=1)
            meant = f"; did you mean {close[0]}?" if close else " with a key of docs/configuration.md"
            problems.add(f"--set {assignment[:60]!r}: expected KEY=VALUE{meant}")
            continue
        try:
            found[setting.key] = Resolved(parse_text(setting, text), f"command line --set {setting.key}")
        except InputError as error:
            problems.add(f"--set {setting.key}: {error}")
    problems.raise_if_any()
    return found


def parse_text(setting: Setting, text: str) -> Value:
    """A value as the environment and --set have it: lists with commas in between, switches as true or false. Raises InputError."""
    text = text.strip()
    try:
        match setting.kind:
            case Kind.INTEGER:
                given: Any = int(text)
            case Kind.NUMBER:
                given = float(text)
            case Kind.SWITCH:
                given = {"true": True, "false": False}[text.lower()]
            case Kind.LIST:
                given = [part.strip() for part in text.split(",") if part.strip()]
            case Kind.TEXT:
                given = text
    except (ValueError, KeyError):
        raise InputError(f"expected {_expected(setting)}") from None
    return _checked(setting, given)


def _check_option(setting: Setting, value: Value) -> Value:
    try:
        return _checked(setting, list(value) if isinstance(value, tuple) else value)
    except InputError as error:
        raise InputError(f"{setting.option}: {error}") from None


def _checked(setting: Setting, given: Any) -> Value:
    """A decoded value if it is one the setting takes. Raises InputError saying what was expected."""
    is_number = isinstance(given, int | float) and not isinstance(given, bool)
    match setting.kind:
        case Kind.SWITCH:
            fits = isinstance(given, bool)
        case Kind.INTEGER:
            fits = is_number and isinstance(given, int)
        case Kind.NUMBER:
            fits = is_number
        case Kind.LIST:
            fits = isinstance(given, list) and all(isinstance(part, str) for part in given)
        case Kind.TEXT:
            fits = isinstance(given, str) and (not setting.choices or given in setting.choices)
    # Written so that it also refuses "not a number", which is neither below nor above anything.
    if fits and is_number:
        fits = (setting.minimum is None or given >= setting.minimum) and (given <= (setting.maximum if setting.maximum is not None else 2**62))
    if not fits:
        raise InputError(f"expected {_expected(setting)}")
    if setting.kind is Kind.NUMBER:
        return float(given)
    return tuple(given) if isinstance(given, list) else given


def _expected(setting: Setting) -> str:
    if setting.choices:
        return f"one of {', '.join(setting.choices)}"
    low, high = setting.minimum, setting.maximum
    if low is None:
        return setting.kind.value
    return f"{setting.kind.value} from {low:g} to {high:g}" if high is not None else f"{setting.kind.value} of at least {low:g}"


def _as_toml(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "[" + ", ".join(_as_toml(part) for part in value) + "]"
    # A JSON string is a TOML string, too.
    return json.dumps(_PASSWORD.sub(r"\1:***@", value), ensure_ascii=False) if isinstance(value, str) else repr(value)
