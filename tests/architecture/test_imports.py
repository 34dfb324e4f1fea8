"""Who may know whom: the import contracts of pyproject.toml, and what the SDK really loads."""

import subprocess
import sys

import pytest

from tests.architecture.repository import ROOT


def test_import_contracts_hold() -> None:
    """In a process of its own: import-linter configures logging as a program does, which silences loggers that are there."""
    program = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(config_filename='pyproject.toml', no_cache=True))"
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("package", ["clients.sdk", "clients.bots"])
def test_clients_load_neither_compiler_nor_matching(package: str) -> None:
    """Contracts read the source; this reads what is loaded, dynamic imports included."""
    heavy = {"numba", "llvmlite", "matching", "scipy", "plotly"}
    program = f"import {package}, sys; print(*sorted({heavy} & {{name.partition('.')[0] for name in sys.modules}}))"
    loaded = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert loaded == []
