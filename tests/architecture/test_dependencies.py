"""Every dependency is justified in docs/dependencies.md, and what is needed at run time is imported."""

import ast
import re
import tomllib
from typing import Final

from tests.architecture.repository import DOCS, ROOT, table_rows

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
PAGE = (DOCS / "dependencies.md").read_text("utf-8")
# uvicorn finds these by itself; FastAPI and plotly's bundle are loaded where they are served.
FOUND_BY_UVICORN: Final = {"uvloop", "httptools"}


def _name(requirement: str) -> str:
    return re.split(r"[\[<>=~!; ]", requirement, maxsplit=1)[0].lower()


def test_run_time_libraries_are_justified() -> None:
    assert {row[0] for row in table_rows(PAGE, 2)} == {_name(line) for line in PROJECT["dependencies"]}


def test_extras_are_justified() -> None:
    listed = {(row[0], row[1]) for row in table_rows(PAGE, 3)}
    assert listed == {(_name(line), extra) for extra, lines in PROJECT["optional-dependencies"].items() for line in lines}


def test_run_time_libraries_are_used() -> None:
    imported = set()
    for package in ("matching", "exchange", "clients"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Import):
                    imported |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module:
                    imported.add(node.module.partition(".")[0])
                elif isinstance(node, ast.Constant) and node.value == "plotly":
                    imported.add("plotly")  # only its data files are used
    assert {_name(line) for line in PROJECT["dependencies"]} - imported - FOUND_BY_UVICORN == set()
