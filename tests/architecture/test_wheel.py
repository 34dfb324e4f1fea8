"""The wheel holds what the packages need away from the checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.architecture.repository import ROOT, tracked_files

PACKAGES = ("matching", "exchange", "clients")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the checkout, without a build environment of its own and so without a network."""
    directory = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(directory), str(ROOT)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (found,) = directory.glob("parkex-*.whl")
    return found


def test_wheel_has_every_file_of_the_packages(wheel: Path) -> None:
    packed = set(zipfile.ZipFile(wheel).namelist())
    kept = {path.relative_to(ROOT).as_posix() for path in tracked_files() if path.relative_to(ROOT).parts[0] in PACKAGES}
    assert kept - packed == set()


def test_wheel_has_nothing_else(wheel: Path) -> None:
    packed = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in packed if ".dist-info/" not in name} == set(PACKAGES)
    assert [name for name in packed if "__pycache__" in name] == []


def test_wheel_works_away_from_the_checkout(wheel: Path, tmp_path: Path) -> None:
    """Page, profiles and scenarios are found beside the code, not in the checkout."""
    installed = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(installed)
    program = (
        "import clients.web, clients.scenarios, pathlib; "
        "assert (clients.web.PAGE_DIRECTORY / 'index.html').is_file(); "
        "print(pathlib.Path(clients.__file__).parent)"
    )
    environment = {**os.environ, "PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1"}
    ran = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == str(installed / "clients")
