"""`--set KEY=VALUE`: keys of a scenario file by their path, each part shortened to a unique beginning, and values as the file would hold them."""

import tomllib
import typing
from collections.abc import Iterable, Mapping
from typing import Any, Final

from clients.laboratory.scenario.convert import fields_of, is_table, without_none
from clients.laboratory.scenario.schema import ScenarioTable
from clients.scenarios.layers import Place, ScenarioFile
from clients.scenarios.problems import Problems
from exchange.errors import InputError

_ENTRY_KEYS: Final = {"member": "id", "instrument": "symbol"}
_SHOWN_MAX: Final = 40


def overridden(file: ScenarioFile, overrides: Mapping[str, str]) -> ScenarioFile:
    """The scenario with the keys set otherwise. Raises InputError naming every unknown or ambiguous key and its candidates."""
    problems = Problems("--set", "nothing was run")
    values: dict[Place, Any] = {}
    names: dict[Place, str] = {}
    for key, text in overrides.items():
        try:
            path, kind = find_key(key, file.content)
            if not text.startswith(("{", "[")):
                _refuse_table(kind)
            values[path], names[path] = parse_value(text, kind), f"--set {key}={text}"
        except InputError as error:
            problems.add(f"{key}: {error}")
    problems.raise_if_any()
    return file.overridden(values, names) if values else file


def assignments(texts: Iterable[str]) -> dict[str, str]:
    """Key -> value of texts `KEY=VALUE`. Raises InputError for one without an equals sign, and for a key that is there twice."""
    values: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise InputError(f"--set {text}: expected KEY=VALUE, such as market.gate_closure=15")
        if key in values:
            raise InputError(f"--set {key} is there twice")
        values[key] = value
    return values


def find_key(key: str, content: Mapping[str, Any]) -> tuple[Place, Any]:
    """Path and type of what a key means, e.g. ("market", "gate_closure_minutes"), int | None. Raises InputError with the candidates."""
    kind: Any = ScenarioTable
    value: Any = content
    path: Place = ()
    for part in _parts(key):
        bare = without_none(kind)
        origin, arguments = typing.get_origin(bare), typing.get_args(bare)
        if is_table(bare):
            kinds = fields_of(bare)
            step: str | int = _only(part, kinds)
            kind = kinds[str(step)]
        elif origin is dict:
            step, kind = _known_or_new(part, value), arguments[1]
        elif origin is list and is_table(arguments[0]):
            step, kind = _entry(part, value, _ENTRY_KEYS.get(str(path[-1]))), arguments[0]
        elif kind_has_table(bare):
            step, kind = part, int | str | bool
        else:
            raise InputError(f"{'.'.join(str(step) for step in path)} has nothing below it; no {part!r} there")
        path = (*path, step)
        value = _below(value, step)
    return path, kind


def _refuse_table(kind: Any) -> None:
    """A table is set by its keys, or whole as a file would hold it: `{ energy_kwh = 9, ... }`."""
    bare = without_none(kind)
    if is_table(bare) or (typing.get_origin(bare) is list and is_table(typing.get_args(bare)[0])):
        raise InputError(f"this is a table; set one of its keys: {', '.join(_keys_of(bare))}")


def kind_has_table(kind: Any) -> bool:
    """Whether a value may be a table whose keys are not part of the format (the parameters of an agent)."""
    return any(typing.get_origin(part) is dict for part in typing.get_args(kind))


def _keys_of(kind: Any) -> Iterable[str]:
    return fields_of(kind if is_table(kind) else typing.get_args(kind)[0])


def _parts(key: str) -> list[str]:
    """The parts of a key; an id or a symbol may hold points itself, then it is quoted."""
    parts, quoted = [""], False
    for character in key:
        if character == '"':
            quoted = not quoted
        elif character == "." and not quoted:
            parts.append("")
        else:
            parts[-1] += character
    if "" in parts:
        raise InputError(f"expected keys joined by points, such as market.mechanism; tables: {', '.join(fields_of(ScenarioTable))}")
    return parts


def _only(part: str, known: Iterable[str]) -> str:
    """The key that is meant: the one of that name, or the only one that begins so."""
    keys = list(known)
    if part in keys:
        return part
    found = [key for key in keys if key.startswith(part)]
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(f"{part!r} may mean {', '.join(found)}")
    shown = ", ".join(keys[:_SHOWN_MAX]) + (", ..." if len(keys) > _SHOWN_MAX else "")
    raise InputError(f"no {part!r}; expected one of {shown}")


def _known_or_new(part: str, value: Any) -> str:
    """A key of a table of free keys: an existing one, or the beginning of one, or a new one."""
    keys = list(value) if isinstance(value, Mapping) else []
    found = [key for key in keys if key.startswith(part)]
    return part if part in keys or not found else _only(part, keys)


def _entry(part: str, value: Any, id_key: str | None) -> int:
    """The place of an entry of an array: by its id or symbol, or its number where it has neither."""
    entries = value if isinstance(value, list) else []
    if id_key is not None:
        ids = [str(entry.get(id_key)) for entry in entries if isinstance(entry, dict)]
        return ids.index(_only(part, ids))
    if not part.isascii() or not part.isdigit() or int(part) >= len(entries):
        raise InputError(f"expected the number of an entry, 0 to {len(entries) - 1}" if entries else "there are no entries in the scenario")
    return int(part)


def _below(value: Any, step: str | int) -> Any:
    if isinstance(value, Mapping):
        return value.get(str(step))
    return value[step] if isinstance(value, list) and isinstance(step, int) else None


def parse_value(text: str, kind: Any) -> Any:
    """The value of a text as a file would hold it. Lists may be written `[60, 15, 0]` or `60 15 0`."""
    bare = without_none(kind)
    origin = typing.get_origin(bare)
    if origin in {list, tuple, dict} or text.startswith(("{", "[")):
        if origin in {list, tuple} and not text.startswith("["):
            text = "[" + ", ".join(text.replace(",", " ").split()) + "]"
        return _toml_value(text)
    kinds = typing.get_args(bare) or (bare,)
    if bool in kinds and text in {"true", "false"}:
        return text == "true"
    if int in kinds and _is_whole(text):
        return int(text)
    return _toml_value(text) if kinds not in ((str,), (int,)) and str not in kinds else text


def _is_whole(text: str) -> bool:
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdigit() and len(digits) <= 18


def _toml_value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}", parse_float=str)["value"]
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{text[:40]!r} is not a value as a scenario file would hold it: {error}") from error
