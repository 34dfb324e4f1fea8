"""The benchmarks of the order path and of replay on tiny streams: same trades as the generator's book, nothing rejected, same state."""

import json
from pathlib import Path

import numpy as np
import pytest

from bench import order_path, park, replay
from bench.checks import ResultMismatchError
from bench.workloads.lobstrm import CANCEL, IOC, REPLACE
from exchange.journal.record import CommandKind
from exchange.order_path.check import check_exchange
from exchange.replay import state_hash_hex
from tests.bench.streams import MANY_BOOKS, small_stream, stream_file


@pytest.fixture(scope="module")
def prepared() -> park.Prepared:
    return park.prepare(small_stream(MANY_BOOKS))


def test_one_command_a_message(prepared: park.Prepared) -> None:
    messages, commands = prepared.stream.messages, prepared.commands
    assert len(commands) == len(messages)
    assert (commands["kind"][messages["type"] == CANCEL] == CommandKind.CANCEL).all()
    assert (commands["kind"][messages["type"] == REPLACE] == CommandKind.AMEND).all()
    assert (commands["kind"][messages["type"] == IOC] == CommandKind.PLACE).all()
    assert len(set(commands["client_order_id"].tolist())) == len(commands)
    assert (np.diff(commands["stamp_ns"]) > 0).all()


def test_orders_belong_to_one_of_200_accounts_by_their_id(prepared: park.Prepared) -> None:
    messages, accounts = prepared.stream.messages, prepared.commands["account"]
    assert len(set(accounts.tolist())) == park.ACCOUNTS
    owner_of: dict[int, int] = {}
    for order_id, account in zip(messages["id"].tolist(), accounts.tolist(), strict=True):
        assert owner_of.setdefault(order_id, account) == account


def test_revisions_count_the_amends_of_each_order() -> None:
    assert park.revisions(np.array([5, 3, 5, 5, 3, 9], np.uint64)).tolist() == [1, 1, 2, 3, 2, 1]


def test_trades_are_those_of_the_stream(prepared: park.Prepared) -> None:
    found = order_path.verify(prepared, batch=97)
    assert found["checked"]
    assert found == order_path.verify(prepared, batch=1_000)


def test_one_command_at_a_time_comes_to_the_same_state(prepared: park.Prepared) -> None:
    stamped = order_path.PathRun(prepared)
    cycles = stamped.run_stamped()
    check_exchange(stamped.exchange)
    whole = order_path.PathRun(prepared)
    whole.run()
    assert state_hash_hex(stamped.exchange) == state_hash_hex(whole.exchange)
    assert stamped.exchange.event_hash == whole.exchange.event_hash
    assert (cycles > 0).sum() > 0.9 * len(cycles)


def test_a_rejected_command_ends_the_run(prepared: park.Prepared) -> None:
    """A cancel that no later command depends on, sent by another account."""
    commands = prepared.commands.copy()
    last = int(np.flatnonzero(commands["kind"] == CommandKind.CANCEL)[-1])
    commands["account"][last] += 1
    stream = prepared.stream
    without = park.Prepared(type(stream)(stream.name, stream.n_books, stream.n_warm, stream.resting, stream.messages, {}), prepared.setup, commands)
    with pytest.raises(ResultMismatchError, match="UNKNOWN_ORDER"):
        order_path.verify(without, batch=500)


def test_command_prints_and_records_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stream = small_stream()
    arguments = ["--stream", str(stream_file(tmp_path, stream)), "--repeat", "2", "--results", str(tmp_path)]
    assert order_path.main(arguments) == 0
    captured = capsys.readouterr()
    result = json.loads(captured.out.splitlines()[-1])
    assert (result["messages"], result["hash"], result["live"]) == (1_500, stream.expected["hash"], stream.expected["live_orders"])
    assert result["ratio_range"][0] <= result["ratio"] <= result["ratio_range"][1]
    assert 0 < result["latency_ns"]["p50"] <= result["latency_ns"]["p999"]
    assert "2 of 2" in captured.err
    assert len((tmp_path / "order_path.jsonl").read_text().splitlines()) == 1


def test_command_ends_with_1_when_trades_differ(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = stream_file(tmp_path, small_stream(), volume=1)
    assert order_path.main(["--stream", str(path), "--no-record"]) == 1
    assert "instead of 1" in capsys.readouterr().err


def test_replay_comes_to_the_same_state_each_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = stream_file(tmp_path, small_stream())
    arguments = ["--stream", str(path), "--repeat", "1", "--group", "64", "--directory", str(tmp_path), "--results", str(tmp_path), "--json"]
    assert replay.main(arguments) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["commands"] == 1_540 + 2 * park.ACCOUNTS + 1
    assert set(result["commands_per_s"]) == {"applied_only", "from_memory", "from_segments", "verified_only"}
    assert all(rate > 0 for rate in result["commands_per_s"].values())
    assert len(result["state_hash"]) == 64


def test_a_journal_that_was_changed_is_not_replayed(prepared: park.Prepared) -> None:
    image = replay.MemoryImage(prepared, 64)
    whole = b"".join(group.records.tobytes() for group in image.groups())
    assert whole.endswith(prepared.commands.tobytes())
    for place in (100, len(image.data) // 2, len(image.data) - 10):
        damaged = bytearray(image.data)
        damaged[place] ^= 1
        image.data = bytes(damaged)
        with pytest.raises(ResultMismatchError, match="damaged at byte"):
            list(image.groups())
        damaged[place] ^= 1
        image.data = bytes(damaged)


def test_replay_that_ends_elsewhere_is_an_error(prepared: park.Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "apply_groups", lambda exchange, groups: None)
    with pytest.raises(ResultMismatchError, match="applied_only: another state"):
        replay.benchmark(prepared, tmp_path / "journal", 64, 1)
