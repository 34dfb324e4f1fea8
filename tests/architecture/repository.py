"""The repository as text: what the tests of layout and docs read."""

import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
DOCS: Final = ROOT / "docs"
SKIPPED: Final = {".git", ".venv", "build", "dist", "__pycache__"}


@cache
def tracked_files() -> tuple[Path, ...]:
    """Files under version control; in a copy without git, all that are not made by a build."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listing.returncode == 0 and listing.stdout:
        paths = [ROOT / name for name in listing.stdout.split("\0") if name]
    else:
        paths = [path for path in ROOT.rglob("*") if path.is_file() and not SKIPPED & set(path.relative_to(ROOT).parts)]
    return tuple(path for path in paths if path.is_file())


def text_files() -> list[tuple[Path, str]]:
    """Tracked files that are text, with their text."""
    found = []
    for path in tracked_files():
        data = path.read_bytes()
        if b"\0" not in data[:8192]:
            found.append((path, data.decode("utf-8", "replace")))
    return found


def pages() -> list[Path]:
    """All Markdown pages."""
    return [path for path in tracked_files() if path.suffix == ".md"]


def table_rows(text: str, columns: int) -> list[list[str]]:
    """Cells of every row of the tables with so many columns, heads and rules left out."""
    rows = []
    lines = text.splitlines()
    for number, line in enumerate(lines):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        is_head = number + 1 < len(lines) and set(lines[number + 1].strip()) <= set("|- ") and "-" in lines[number + 1]
        if line.startswith("|") and len(cells) == columns and not is_head and not set(line) <= set("|- "):
            rows.append(cells)
    return rows


def code_names(cell: str) -> list[str]:
    """What stands in backquotes."""
    return re.findall(r"`([^`]+)`", cell)
