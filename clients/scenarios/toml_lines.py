"""TOML with line numbers: tomllib says what is in a file, this says where."""

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from exchange.errors import InputError

_TABLE: Final = re.compile(r"\s*\[(?P<array>\[)?\s*(?P<path>[^\[\]]+?)\s*\]\]?\s*(?:#.*)?")
_UNKNOWN_FIELD: Final = re.compile(r"Object contains unknown field `(.*)`")
_MISSING_FIELD: Final = re.compile(r"Object missing required field `(.*)`")
_KEY: Final = re.compile(r"\s*(?P<key>[A-Za-z0-9_-]+|\"[^\"]*\")\s*=")

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class TomlFile:
    """Content of a file (decimals kept as text, so that 0.28 stays 0.28) and the line of each key and table."""

    name: str
    content: dict[str, Any]
    lines: dict[Path, int] = field(default_factory=dict)

    def line_of(self, path: Path) -> int | None:
        """Line of the key or of the nearest table around it; None when nothing of the path is in the file."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path[:-1]
        return None


def parse_toml(text: str, name: str, parse_float: Callable[[str], Any] = str) -> TomlFile:
    """Parse TOML. Raises InputError with the place of a syntax error, as tomllib words it. `parse_float` makes what numbers with a point become."""
    try:
        content = tomllib.loads(text, parse_float=parse_float)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"{name}: not valid TOML: {error}") from error
    return TomlFile(name, content, _find_lines(text))


def decode_text(data: bytes, name: str) -> str:
    """UTF-8 text, with or without the mark that Excel and Notepad put in front. Raises InputError naming the first byte that is not UTF-8."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(f"{name}: this is UTF-16; expected UTF-8 (in Excel: save as 'CSV UTF-8')")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{name}: line {line}: not UTF-8 text (in Excel: save as 'CSV UTF-8', not GBK or ANSI)") from error
    if "\x00" in text:
        raise InputError(f"{name}: line {text.count(chr(10), 0, text.index(chr(0))) + 1}: holds a zero byte; expected UTF-8 text")
    return text


def describe_validation(error: msgspec.ValidationError) -> tuple[str, tuple[str | int, ...]]:
    """What msgspec found, in the words of a file's author, and its path as keys and indices (`- at `$.member[3].kw`` in the original)."""
    text, _, place = str(error).partition(" - at `")
    path: list[str | int] = []
    for part in place.rstrip("`").removeprefix("$").split("."):
        key, *indices = part.replace("]", "").split("[")
        if key:
            path.append(key)
        path.extend(int(index) if index.isdigit() else index for index in indices if index != "...")
    where = ".".join(str(part) for part in path)
    if match := _UNKNOWN_FIELD.fullmatch(text):
        # The key itself is a better place than the table around it.
        path.append(match[1])
    text = _UNKNOWN_FIELD.sub(r"unknown key \1", _MISSING_FIELD.sub(r"\1 is missing", text))
    return (f"{where}: {text}" if where else text), tuple(path)


def _find_lines(text: str) -> dict[Path, int]:
    lines: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if match := _TABLE.fullmatch(line):
            keys = [key.strip().strip('"') for key in match["path"].split(".")]
            table = _resolve(keys, counts, is_array=match["array"] is not None)
            lines.setdefault(table, number)
        elif match := _KEY.match(line):
            lines.setdefault((*table, match["key"].strip('"')), number)
    return lines


def _resolve(keys: list[str], counts: dict[Path, int], *, is_array: bool) -> Path:
    """Path of a table header: a key that is an array of tables means its latest entry, and a new one at the end of `[[...]]`."""
    path: Path = ()
    for position, key in enumerate(keys):
        path = (*path, key)
        if is_array and position == len(keys) - 1:
            counts[path] = counts.get(path, 0) + 1
        if path in counts:
            path = (*path, counts[path] - 1)
    return path
