"""The comparison with other engines: right, wrong, missing, failing and slow ones, played by small engines of this file."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench import peers
from bench.core import workload_of
from bench.peer_engines import ENGINES, Peer
from bench.workloads import standard
from tests.bench.streams import ONE_BOOK, small_stream


class SlowAndRight(Peer):
    """Price-time priority by sorting a list for every order."""

    package = "pytest"  # installed wherever this runs

    def __init__(self) -> None:
        super().__init__()
        self.resting: dict[int, list[int]] = {}  # by id, in sequence of entry: side, price, lots

    def takers(self, side: int, price: int) -> list[int]:
        others = [i for i, (s, p, _) in self.resting.items() if s != side and (p <= price if side == 0 else p >= price)]
        return sorted(others, key=lambda i: self.resting[i][1] if side == 0 else -self.resting[i][1])

    def fills(self, side: int, price: int, lots: int) -> Iterator[tuple[int, int, int]]:
        for maker in self.takers(side, price):
            fill = min(lots, self.resting[maker][2])
            if fill:
                yield maker, self.resting[maker][1], fill
                lots -= fill
                self.resting[maker][2] -= fill
                if not self.resting[maker][2]:
                    del self.resting[maker]

    def add(self, order_id: int, side: int, price: int, lots: int, immediate: bool) -> None:
        self._ours[order_id] = order_id
        left = lots - self._report(order_id, list(self.fills(side, price, lots)))
        if left and not immediate:
            self.resting[order_id] = [side, price, left]

    def cancel(self, order_id: int) -> None:
        del self.resting[order_id]


class LastComesFirst(SlowAndRight):
    """The newest order of a price trades first."""

    def takers(self, side: int, price: int) -> list[int]:
        newest = sorted(super().takers(side, price), reverse=True)
        return sorted(newest, key=lambda i: self.resting[i][1] if side == 0 else -self.resting[i][1])

    def cancel(self, order_id: int) -> None:
        self.resting.pop(order_id, None)


class KeepsRemainders(SlowAndRight):
    """What is left of an immediate order rests."""

    def add(self, order_id: int, side: int, price: int, lots: int, immediate: bool) -> None:
        super().add(order_id, side, price, lots, False)

    def cancel(self, order_id: int) -> None:
        self.resting.pop(order_id, None)


class Missing(Peer):
    package = "parkex-no-such-engine"


class Fails(SlowAndRight):
    def cancel(self, order_id: int) -> None:
        raise RuntimeError("out of order")


class NeedsMore(SlowAndRight):
    def __init__(self) -> None:
        raise ImportError("needs a library of its own")


def row_of(engine: type[Peer], seconds: float = 20.0) -> dict[str, Any]:
    stream = small_stream()
    return peers.compare_engine(engine, stream, workload_of(stream), seconds, 2)


@pytest.mark.parametrize(
    ("engine", "status"),
    [
        (SlowAndRight, "ok"),
        (LastComesFirst, "makes other trades than it must"),
        (KeepsRemainders, "makes other trades than it must"),
        (Missing, "not installed"),
        (Fails, "fails: RuntimeError: out of order"),
        (NeedsMore, "needs a library of its own"),
    ],
)
def test_what_is_said_of_an_engine(engine: type[Peer], status: str) -> None:
    assert row_of(engine)["status"] == status


def test_right_engine_has_its_figures() -> None:
    row = row_of(SlowAndRight)
    assert (row["messages"], row["runs"]) == (1_500, 2)
    assert row["ns_per_message"] > 0
    assert row["ratio"] > 1


def test_engine_that_does_not_even_warm_up_in_time_is_too_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "CHECK_EVERY", 8)
    monkeypatch.setattr(peers, "WARM_FACTOR", 0)
    assert row_of(SlowAndRight)["status"] == "too slow: placed 0 of 40 resting orders in 0 s"


def test_engine_that_is_cut_short_is_checked_as_far_as_it_came() -> None:
    stream = small_stream()
    rows = peers.rows_of(stream.messages)
    peer = SlowAndRight()
    peers.send(peer, rows[:40], 20.0)
    peers.send(peer, rows[40:340], 20.0)
    assert peers.hash_of(peer.trades) == peers.expected_hash(stream, 300)
    assert peers.expected_hash(stream, 300) != peers.expected_hash(stream, 1_500)


def test_command_prints_ours_and_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PARKEX_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setitem(standard.STANDARD, "1", ONE_BOOK)
    monkeypatch.setattr(peers, "ENGINES", (SlowAndRight, Missing))
    assert peers.main(["--messages", "200", "--repeat", "1", "--results", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = json.loads(lines[-1])["rows"]
    assert [row["status"] for row in rows] == ["ok", "ok", "ok", "ok", "not installed"]
    assert rows[2]["ratio"] == 1.0
    assert len(lines) == 6
    assert (tmp_path / "peers.jsonl").exists()


def test_every_engine_is_of_the_extra() -> None:
    extras = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    assert {re.split(r"[\[>]", requirement)[0] for requirement in extras["peers"]} == {engine.package for engine in ENGINES}
