"""From the content of a file to typed tables, every wrong key named at once.

msgspec tells the first thing that is wrong with a table. Here each key is converted by itself, so that a person mends a file once; what could not be
read is stood in for by a harmless value, and nothing further is said about it.
"""

import datetime
import difflib
import types
import typing
from functools import cache
from typing import Any, Final

import msgspec

from clients.scenarios.attributes import Reader
from clients.scenarios.layers import Place
from clients.scenarios.schema import Table
from clients.scenarios.toml_lines import describe_validation

_STAND_INS: Final[dict[Any, Any]] = {int: 1, str: "", datetime.date: datetime.date(2026, 7, 15)}
# What a key of the ending holds, for a person who wrote something else.
_UNITS: Final = {
    "_kw": "kW", "_kwh": "kWh", "_mwh": "MWh", "_minutes": "minutes", "_periods": "quarter-hours", "_permille": "thousandths", "_cny": "CNY",
    "_cny_per_kwh": "CNY/kWh", "_years": "years", "_cny_per_year": "CNY a year", "_kv": "kV",
}  # fmt: skip


class LaboratoryReader(Reader):
    """A Reader that keeps silent about places where something is already known to be wrong."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._broken: set[Place] = set()

    def broken(self, reason: str, path: Place) -> None:
        """Note a value that could not be read at all."""
        super().note(reason, *path)
        self._broken.add(path)

    def note(self, reason: str, *path: str | int) -> None:
        """As of Reader, unless the value, something in it or something around it could not be read."""
        if not any(path[: len(other)] == other or other[: len(path)] == path for other in self._broken):
            super().note(reason, *path)


def convert(value: Any, kind: Any, path: Place, reader: LaboratoryReader) -> Any:
    """`value` as `kind` (a Table, a list or dict of tables, or what msgspec converts); what is wrong is noted in `reader` and stood in for."""
    bare = without_none(kind)
    if isinstance(value, dict) and is_union(bare):
        bare = next((part for part in typing.get_args(bare) if is_table(part)), bare)
    origin = typing.get_origin(bare)
    if is_table(bare) and isinstance(value, dict):
        return _table(value, bare, path, reader)
    if origin is list and is_table(typing.get_args(bare)[0]) and isinstance(value, list):
        return [convert(entry, typing.get_args(bare)[0], (*path, index), reader) for index, entry in enumerate(value)]
    if origin is dict and is_table(typing.get_args(bare)[1]) and isinstance(value, dict):
        return {key: convert(entry, typing.get_args(bare)[1], (*path, key), reader) for key, entry in value.items()}
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        reason, within = describe_validation(error)
        reader.broken(f"{reader.name_of(path)}: {_in_words(value, bare, reason)}{_expected(path)}", (*path, *within))
        return stand_in(kind)


def _table(content: dict[str, Any], kind: type[Table], path: Place, reader: LaboratoryReader) -> Table:
    kinds = fields_of(kind)
    for key in content.keys() - kinds.keys():
        near = difflib.get_close_matches(key, kinds, 1)
        reader.broken(f"{reader.name_of((*path, key))}: unknown key{f'; did you mean {near[0]}?' if near else ''}", (*path, key))
    values = {}
    for field in msgspec.structs.fields(kind):
        if field.name in content:
            values[field.name] = convert(content[field.name], kinds[field.name], (*path, field.name), reader)
        elif field.required:
            reader.broken(f"{reader.name_of((*path, field.name))} is missing", (*path, field.name))
            values[field.name] = stand_in(kinds[field.name])
    return kind(**values)


@cache
def fields_of(kind: type[Table]) -> dict[str, Any]:
    """Key -> type of what it holds."""
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in msgspec.structs.fields(kind)}


def is_table(kind: Any) -> bool:
    """Whether the type is a table of the format."""
    return isinstance(kind, type) and issubclass(kind, Table)


def is_union(kind: Any) -> bool:
    """Whether the type is `X | Y`."""
    return typing.get_origin(kind) in {types.UnionType, typing.Union}


def without_none(kind: Any) -> Any:
    """X of `X | None`, any other type as it is."""
    if is_union(kind) and type(None) in typing.get_args(kind):
        left = [part for part in typing.get_args(kind) if part is not type(None)]
        return left[0] if len(left) == 1 else typing.Union[tuple(left)]  # noqa: UP007
    return kind


def stand_in(kind: Any) -> Any:
    """A value of the type, for one that could not be read."""
    if is_union(kind):
        parts = typing.get_args(kind)
        return None if type(None) in parts else 0 if int in parts else ""
    if is_table(kind):
        return kind(**{field.name: stand_in(fields_of(kind)[field.name]) for field in msgspec.structs.fields(kind) if field.required})
    return _STAND_INS.get(kind, typing.get_origin(kind) and typing.get_origin(kind)())


def _in_words(value: Any, kind: Any, reason: str) -> str:
    """Most slips are text where a whole number belongs, with a unit or a fraction."""
    return f"{value[:30]!r} is not a whole number" if kind is int and isinstance(value, str) else reason


def _expected(path: Place) -> str:
    unit = unit_of(next((str(part) for part in reversed(path) if isinstance(part, str)), ""))
    return f"; expected {unit}" if unit else ""


def unit_of(key: str) -> str:
    """The unit that a key's ending says, empty where it says none."""
    ending = max((ending for ending in _UNITS if f"_{key}".endswith(ending)), key=len, default=None)
    return _UNITS[ending] if ending else ""
