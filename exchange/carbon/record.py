"""Rows of the carbon tables: their fields in order are their canonical content, so a field that is added cannot be forgotten there."""

from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec


class Record(msgspec.Struct, array_like=True):
    """One row. Fields are int, str, bytes, bool, enumerations of them, and lists and records of these."""


class FrozenRecord(msgspec.Struct, array_like=True, frozen=True):
    """A row that never changes."""


_R = TypeVar("_R", bound=msgspec.Struct)


def to_rows(records: Iterable[msgspec.Struct]) -> list[Any]:
    """Values that MessagePack carries, in the given order."""
    return [msgspec.to_builtins(record, builtin_types=(bytes,)) for record in records]


def from_rows(kind: type[_R], rows: Iterable[Any]) -> list[_R]:
    """Inverse of `to_rows`. Raises msgspec.ValidationError for other content."""
    return [msgspec.convert(row, kind, builtin_types=(bytes,)) for row in rows]
