"""A journal that fails for good ends the service: whoever waits is told, sessions end, and the exit code says whether a new start mends it."""

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clients.cli import exits
from clients.cli.exits import Exit
from clients.sdk import sync
from clients.sdk.credentials import public_key_of
from exchange.clock import SystemClock
from exchange.errors import JournalFailedError, OrderPathFailedError
from exchange.gateway.server import bind
from exchange.journal.files import FileOps
from exchange.journal.interface import CommittedGroup
from exchange.journal.segments import SegmentJournal
from exchange.order_path.path import BatchResult, Exchange
from exchange.protocol.documents import Deposit
from exchange.replay import replay_directory
from exchange.service import ServiceOptions, new_genesis, run_exchange
from tests.exchange.gateway.parks import private_key
from tests.exchange.order_path.park import OPERATOR


def options(directory: Path) -> ServiceOptions:
    sock = bind("127.0.0.1", 0)
    port = sock.getsockname()[1]
    sock.close()
    return ServiceOptions(
        journal_directory=directory / "journal",
        clock=SystemClock(),
        genesis=new_genesis("test", (public_key_of(private_key("operator")),)),
        segment_bytes=1 << 16,
        read_model_url=f"sqlite:///{directory}/readmodel.sqlite",
        port=port,
    )


class Visitor:
    """The operator on a thread of its own: deposits until the exchange takes none, and keeps what it was told."""

    def __init__(self, break_it: Callable[[], None]) -> None:
        self.told: list[Any] = []
        self._break_it = break_it
        self._thread: threading.Thread | None = None

    def on_ready(self, url: str) -> None:
        self._thread = threading.Thread(target=self._work, args=(url,))
        self._thread.start()

    def _work(self, url: str) -> None:
        try:
            with sync.connect(url.replace("http", "ws"), key_id="operator", private_key=private_key("operator")) as park:
                park.submit(Deposit(account=OPERATOR, amount_micro=1, reference="before"))
                self._break_it()
                park.submit(Deposit(account=OPERATOR, amount_micro=1, reference="after"))
        except Exception as error:  # noqa: BLE001 - kept to be looked at
            self.told.append(error)

    def join(self) -> None:
        assert self._thread is not None
        self._thread.join(30)
        assert not self._thread.is_alive()


def failing_flush(number: int, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Every flush of a journal fails from the call on, as the system says it."""

    def fail(_self: FileOps, _fd: int) -> None:
        raise OSError(number, os.strerror(number))

    return lambda: monkeypatch.setattr(FileOps, "fdatasync", fail)


FAILURES = [(errno.ENOSPC, Exit.NO_ROOM), (errno.EDQUOT, Exit.NO_ROOM), (errno.EROFS, Exit.NO_ROOM), (errno.EIO, Exit.FAILED)]


@pytest.mark.parametrize(("number", "code"), FAILURES, ids=[errno.errorcode[number] for number, _ in FAILURES])
def test_a_failed_journal_ends_the_service_with_its_code(
    number: int, code: Exit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    visitor = Visitor(failing_flush(number, monkeypatch))
    assert exits.run(lambda: run_exchange(options(tmp_path), visitor.on_ready)) == code
    visitor.join()
    assert len(visitor.told) == 1, "the command was answered, or the connection ended"
    assert errno.errorcode[number] in capsys.readouterr().err
    monkeypatch.undo()
    # What was acknowledged is there, the exchange starts again, and the read model is at the end of the journal.
    replayed, _ = replay_directory(tmp_path / "journal")
    assert replayed.balances(OPERATOR).balance_micro >= 1
    with pytest.raises(KeyboardInterrupt):
        run_exchange(options(tmp_path), lambda _: os.kill(os.getpid(), 2))


def test_no_room_at_the_start_is_told_the_same_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_exchange(options(tmp_path), lambda _: os.kill(os.getpid(), 2))

    def full(_self: SegmentJournal, _records: np.ndarray, _documents: bytes = b"") -> CommittedGroup:
        raise JournalFailedError("the journal stopped: the disk is full") from OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(SegmentJournal, "append", full)
    assert exits.run(lambda: run_exchange(options(tmp_path))) == Exit.NO_ROOM


def test_a_state_that_breaks_ends_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it is: a process that takes no commands and stays helps nobody."""

    def broken(*_: Any) -> BatchResult:
        raise ZeroDivisionError

    visitor = Visitor(lambda: monkeypatch.setattr(Exchange, "apply", broken))
    with pytest.raises(OrderPathFailedError, match="ZeroDivisionError"):
        run_exchange(options(tmp_path), visitor.on_ready)
    visitor.join()
    assert exits.exit_of(OrderPathFailedError("x")) is Exit.FAILED


def test_every_exit_code_is_one() -> None:
    assert [int(code) for code in Exit] == [0, 1, 2, 3, 4, 5, 130]
