"""The read model compared in a second process: it says what the first one would, ends with it, and its own end is told."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Table

from exchange.errors import CheckFailedError, ParkexError
from exchange.maintenance import verify
from exchange.maintenance.stored_rows_process import StoredRowsProcess
from exchange.maintenance.verify import verify_path
from exchange.readmodel import tables
from exchange.readmodel.engine import open_engine
from exchange.readmodel.projector import Projector
from tests.exchange.maintenance.exchanges import run
from tests.exchange.readmodel.market import Market, market_day


@pytest.fixture(scope="module")
def market() -> Market:
    return market_day()


@pytest.fixture
def url(market: Market, tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'model.sqlite'}"
    projector = Projector.open(url, "ab" * 32, market.exchange.settlement)
    projector.apply_all([(batch, "") for batch in market.batches])
    projector.close()
    return url


def change(url: str, table: Table, **values: object) -> None:
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.execute(table.update().values(**values))
    engine.dispose()


def compare(market: Market, url: str) -> int:
    with StoredRowsProcess(url) as stored:
        assert stored.last_sequence == market.batches[-1].last_sequence
        return see_all(stored, market)


def see_all(stored: StoredRowsProcess, market: Market) -> int:
    stored.begin(market.exchange.settlement)
    for batch in market.batches:
        stored.see(batch)
    return stored.conclude()


def test_what_was_written_holds(market: Market, url: str) -> None:
    assert compare(market, url) > 500


def test_an_interrupt_is_for_the_parent(market: Market, url: str) -> None:
    with StoredRowsProcess(url) as stored:
        assert stored.last_sequence
        stored._process.send_signal(signal.SIGINT)
        assert see_all(stored, market) > 500


DIFFERENCES: list[tuple[Table, dict[str, object], str]] = [
    (tables.executions, {"price_ticks": -7}, "says price_ticks -7 in executions row"),
    (tables.orders, {"status": "lost"}, "says status 'lost' in orders row"),
]


@pytest.mark.parametrize(("table", "values", "words"), DIFFERENCES, ids=[row[0].name for row in DIFFERENCES])
def test_a_difference_is_raised_here(market: Market, url: str, table: Table, values: dict[str, object], words: str) -> None:
    change(url, table, **values)
    with pytest.raises(CheckFailedError, match=words):
        compare(market, url)


def kill(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()


ENDS: list[tuple[str, Callable[["subprocess.Popen[bytes]"], None], str]] = [
    ("killed", kill, "ended with exit code -9"),
    ("done", lambda process: process.stdin.close() if process.stdin else None, "ended with exit code 0"),
]


@pytest.mark.parametrize(("end", "words"), [row[1:] for row in ENDS], ids=[row[0] for row in ENDS])
def test_an_end_of_the_process_is_told(
    market: Market, url: str, end: Callable[["subprocess.Popen[bytes]"], None], words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with StoredRowsProcess(url) as stored:
        assert stored.last_sequence
        end(stored._process)
        with pytest.raises(ParkexError, match=words):
            see_all(stored, market)
    assert capfd.readouterr() == ("", "")


def test_it_ends_with_its_parent_and_its_arguments_hold_no_url() -> None:
    command = [sys.executable, "-m", "exchange.maintenance.stored_rows_process"]
    ended = subprocess.run(command, input=b"", capture_output=True, check=True)
    assert (ended.stdout, ended.stderr) == (b"", b"")
    with StoredRowsProcess("nonsense") as stored:
        assert stored._process.args == command
        with pytest.raises(ParkexError, match="URL is none"):
            _ = stored.last_sequence
    assert stored._process.returncode is not None


def test_verify_tells_the_same_with_one_process_and_with_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path, 2)
    told: list[list[str]] = []
    for worth in (10**9, 0):
        monkeypatch.setattr(verify, "WORTH_A_PROCESS", worth)
        monkeypatch.setattr(verify, "_has_second_core", lambda: True)
        told.append([])
        verify_path(tmp_path, told[-1].append)
    assert told[0] == told[1]
    assert "rows are what it gives" in told[0][-1]
    change(f"sqlite:///{tmp_path / 'readmodel.sqlite'}", tables.executions, price_ticks=1)
    with pytest.raises(CheckFailedError, match="says price_ticks 1 in executions row"):
        verify_path(tmp_path, told[-1].append)
