"""Content as TOML text: tables under headers, what they hold on one line each."""

import datetime
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def toml_text(content: Mapping[str, Any], *, is_path: bool = False) -> str:
    """The content as TOML that reads as the same: tables and arrays of tables under headers, what they hold inline.

    `is_path`: keys are whole paths, as they stand in a header.
    """
    plain = {key: value for key, value in content.items() if not _has_header(value)}
    lines = [_line(key, value) for key, value in plain.items()]
    for key, value in content.items():
        if _has_header(value):
            lines += _table(key if is_path else quoted_key(key), value)
    return "\n".join(lines).lstrip("\n") + "\n"


def _has_header(value: Any) -> bool:
    return isinstance(value, Mapping) or (isinstance(value, list) and bool(value) and all(isinstance(entry, Mapping) for entry in value))


def _table(path: str, value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for entry in value:
            yield from _entry(path, entry)
    elif value and all(isinstance(below, Mapping) for below in value.values()):
        for key, below in value.items():
            yield from ["", f"[{path}.{quoted_key(key)}]", *(_line(name, content) for name, content in below.items())]
    else:
        yield from ["", f"[{path}]", *(_line(name, content) for name, content in value.items() if not _is_deep(content))]
        for name, content in value.items():
            if _is_deep(content):
                yield from _table(f"{path}.{quoted_key(name)}", content)


def _entry(path: str, entry: Mapping[str, Any]) -> Iterator[str]:
    yield from ["", f"[[{path}]]", *(_line(name, content) for name, content in entry.items())]


def _is_deep(content: Any) -> bool:
    """Arrays whose tables hold arrays of tables themselves: on one line they would not be readable."""
    return _has_header(content) and isinstance(content, list) and any(_has_header(value) for entry in content for value in entry.values())


def _line(key: str, value: Any) -> str:
    if isinstance(value, list) and len(value) > 1 and _has_header(value):
        return "\n".join([f"{quoted_key(key)} = [", *(f"    {toml_value(entry)}," for entry in value), "]"])
    return f"{quoted_key(key)} = {toml_value(value)}"


def quoted_key(key: str) -> str:
    """A key, in quotes where it must stand in them."""
    return key if _BARE.fullmatch(key) else toml_value(key)


def toml_value(value: Any) -> str:
    """A value as it stands behind the equals sign. Raises TypeError for what TOML does not know."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # JSON escapes what TOML does, but for DEL.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, int):
        return str(value)
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml_value(entry) for entry in value) + "]"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{quoted_key(key)} = {toml_value(entry)}" for key, entry in value.items()) + " }" if value else "{}"
    raise TypeError(f"not a value of TOML: {value!r}")
