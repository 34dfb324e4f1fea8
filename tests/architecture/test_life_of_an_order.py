"""docs/architecture.md against the code: every step of an order names a file and a name that exist."""

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.repository import DOCS, ROOT, code_names, table_rows

PAGE = (DOCS / "architecture.md").read_text("utf-8")
STEPS = [(row[0], *code_names(row[1]), *code_names(row[2])) for row in table_rows(PAGE, 4)]
# Also outside the table: `file.py`, `name`.
MENTIONED = re.findall(r"`([\w/]+\.py)`,\s+`([A-Za-z_.]+)`\)", PAGE)


def _names(path: Path) -> set[str]:
    """Top-level names of a file, and `Class.method`."""
    names = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}.{part.name}" for part in node.body if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)}
    return names


def test_the_page_has_every_step() -> None:
    words = " ".join(step[0] for step in STEPS)
    assert all(word in words for word in ("decode", "validate", "throttle", "sequence", "admit", "reserve", "match", "post", "publish", "project"))


@pytest.mark.parametrize(("file", "name"), sorted({(step[1], step[2]) for step in STEPS} | set(MENTIONED)))
def test_step_exists(file: str, name: str) -> None:
    path = ROOT / file
    assert path.is_file(), f"{file} of docs/architecture.md does not exist"
    assert name in _names(path), f"{file} has no {name}; docs/architecture.md says so"


@pytest.mark.parametrize("room", [row[0] for row in table_rows(PAGE, 2)])
def test_room_exists(room: str) -> None:
    assert all((ROOT / "exchange" / name).exists() for name in code_names(room))


def test_every_room_is_on_the_page() -> None:
    listed = {name.rstrip("/") for row in table_rows(PAGE, 2) for name in code_names(row[0])}
    rooms = {path.name for path in (ROOT / "exchange").iterdir() if path.suffix == ".py" or any(path.glob("*.py"))}
    assert rooms - {"__init__.py"} == listed
