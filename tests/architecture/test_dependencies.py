"""Every dependency is justified in docs/dependencies.md, what is declared is imported, and what is imported is declared."""

import ast
import re
import sys
import tomllib
from pathlib import Path
from typing import Final

from tests.architecture.repository import DOCS, ROOT, table_rows

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
PAGE = (DOCS / "dependencies.md").read_text("utf-8")
PACKAGES: Final = ("matching", "exchange", "clients")
# uvicorn finds these by itself; of plotly only its bundle of JavaScript is used.
NOT_IMPORTED: Final = {"uvloop", "httptools", "plotly"}
# Where the name of an import is not that of its distribution.
DISTRIBUTED_AS: Final = {"prometheus_client": "prometheus-client", "SALib": "salib"}
# Parts of a library's own interface that come with it.
BROUGHT_BY: Final = {"starlette": "fastapi", "pydantic": "fastapi", "click": "typer", "llvmlite": "numba", "distributed": "dask"}
# Rooms that may use an extra, by a part of their path; each says what to install where it is missing.
EXTRAS_OF: Final = {"derive": ("profiles",), "sweep": ("cluster", "laboratory"), "environment": ("laboratory",)}


def _name(requirement: str) -> str:
    return re.split(r"[\[<>=~!; ]", requirement, maxsplit=1)[0].lower()


def _declared(extra: str = "") -> set[str]:
    return {_name(line) for line in (PROJECT["optional-dependencies"][extra] if extra else PROJECT["dependencies"])}


def _imported(path: Path) -> set[str]:
    """Names of libraries that a file imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return {DISTRIBUTED_AS.get(name, name) for name in names - sys.stdlib_module_names - {*PACKAGES, "bench", "tests"}}


def test_run_time_libraries_are_justified() -> None:
    assert {row[0] for row in table_rows(PAGE, 2)} == _declared()


def test_extras_are_justified() -> None:
    listed = {(row[0], row[1]) for row in table_rows(PAGE, 3)}
    assert listed == {(name, extra) for extra in PROJECT["optional-dependencies"] for name in _declared(extra)}


def test_run_time_libraries_are_used() -> None:
    imported = {name for package in PACKAGES for path in (ROOT / package).rglob("*.py") for name in _imported(path)}
    assert _declared() - imported - NOT_IMPORTED == set()


def test_what_is_imported_is_declared() -> None:
    undeclared = set()
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            extras = [extra for part in path.parts for extra in EXTRAS_OF.get(part, ())]
            allowed = _declared().union(*map(_declared, extras))
            undeclared |= {(path.name, name) for name in _imported(path) if BROUGHT_BY.get(name, name) not in allowed}
    assert undeclared == set()
