"""One small day, played once for all tests that look at what it leaves behind."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from clients.simulator.demo import DemoOptions, play_park
from tests.clients.simulator.small_park import small_park


@pytest.fixture(scope="session")
def played_day(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, Path, str]:
    """(summary, --out directory, what was shown)."""
    out = tmp_path_factory.mktemp("demo") / "out"
    shown = io.StringIO()
    summary = play_park(small_park(), DemoOptions(speed=None, out=out), Console(file=shown, width=200))
    return summary, out, shown.getvalue()
