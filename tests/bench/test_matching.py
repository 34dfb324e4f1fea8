"""The matching benchmark on tiny streams, so that it never rots: the loader, the check of the trades, the line it records."""

import json

import numpy as np
import pytest

from bench import matching as bench_matching
from bench.record import append_result
from bench.workloads.mixed import mixed_day
from bench.workloads.stream import ADD, CANCEL, HEADER, IOC, MAGIC, MESSAGE, REPLACE, load
from matching.records import EntryKind, TimeInForce
from tests.matching.books import Pair, to_events

# type, side, quantity, id, price: two asks, one moved up; a buy takes one and rests; an immediate buy takes the other; a cancel.
MESSAGES = [
    (ADD, 1, 10, 1, 100),
    (ADD, 1, 10, 2, 101),
    (REPLACE, 1, 7, 1, 102),
    (ADD, 0, 12, 3, 101),
    (IOC, 0, 9, 4, 103),
    (CANCEL, 0, 2, 3, 101),
]
TRADES = [(2, 3, 101, 10), (1, 4, 102, 7)]  # maker, taker, price, quantity


def trade_hash(trades):
    h = 0
    for maker, taker, price, quantity in trades:
        mixed = maker * 0x100000001B3 + taker * 0x9E3779B1 + price * 0x85EBCA77 + quantity
        h = ((h ^ mixed) * 0x9E3779B97F4A7C15) % 2**64
    return f"{h:016x}"


@pytest.fixture
def stream_file(tmp_path):
    messages = np.zeros(len(MESSAGES), MESSAGE)
    for name, column in zip(("type", "side", "qty", "id", "price"), zip(*MESSAGES, strict=True), strict=True):
        messages[name] = column
    path = tmp_path / "tiny.bin"
    path.write_bytes(HEADER.pack(MAGIC, MESSAGE.itemsize, 1, 2, 2, len(messages), 4) + messages.tobytes())
    path.with_suffix(".json").write_text(json.dumps({"trades": 2, "volume": 17, "hash": trade_hash(TRADES)}))
    return path


def test_loader(stream_file):
    stream = load(stream_file)
    assert (stream.n_books, stream.n_warm, len(stream.entries)) == (1, 2, 6)
    assert stream.entries["kind"].tolist() == [EntryKind.PLACE] * 2 + [EntryKind.AMEND] + [EntryKind.PLACE] * 2 + [EntryKind.CANCEL]
    assert stream.entries["time_in_force"].tolist() == [TimeInForce.GTC] * 4 + [TimeInForce.IOC, TimeInForce.GTC]
    assert stream.expected["trades"] == 2


@pytest.mark.parametrize("change", [lambda raw: raw[:40], lambda raw: b"X" + raw[1:], lambda raw: raw + b"0"])
def test_loader_refuses_what_is_no_stream(stream_file, change):
    stream_file.write_bytes(change(stream_file.read_bytes()))
    with pytest.raises(ValueError, match=r"stream|announced"):
        load(stream_file)
    with pytest.raises(SystemExit) as stop:
        bench_matching.main([str(stream_file)])
    assert stop.value.code == 2


def test_trades_are_those_expected(stream_file):
    found = bench_matching.verify(load(stream_file))
    assert (found["trades"], found["volume"], found["hash"]) == (2, 17, trade_hash(TRADES))
    assert found["checked"]


def test_other_trades_end_the_run(stream_file, capsys):
    stream_file.with_suffix(".json").write_text(json.dumps({"hash": trade_hash(TRADES[::-1])}))
    assert bench_matching.main([str(stream_file), "--no-record"]) == 1
    assert "differ" in capsys.readouterr().err


def test_command_measures_and_compares_with_the_floor(stream_file, tmp_path, capsys):
    floor = tmp_path / "floor.py"
    floor.write_text('print(\'{"ns_per_message": {"median": 12.5}}\')\n')
    assert bench_matching.main([str(stream_file), "--floor", str(floor), "--rounds", "1", "--repeat", "2", "--no-record"]) == 0
    out = capsys.readouterr().out
    assert "state hash" in out
    assert "floor 12.5 ns" in out


def test_recorded_line(tmp_path):
    append_result("matching", {"stream": "a"}, tmp_path)
    path = append_result("matching", {"stream": "b"}, tmp_path)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["stream"] for line in lines] == ["a", "b"]
    assert {"benchmark", "commit", "machine", "numba", "numpy"} <= lines[0].keys()


def test_mixed_day_does_everything_and_repeats():
    stream = mixed_day(3_000, n_books=4)
    assert stream.entries.tobytes() == mixed_day(3_000, n_books=4).entries.tobytes()
    assert set(stream.entries["kind"].tolist()) == set(EntryKind)
    core = Pair(n_books=4).core
    reasons = {event.reason for event in to_events(core.submit(stream.entries))}
    assert len(reasons) == 8
    core.check_all()


def test_benchmark_of_a_tiny_mixed_day(benchmark):
    stream = mixed_day(500, n_books=2)
    result = benchmark.pedantic(bench_matching.benchmark, args=(stream, 1, 1), rounds=1, iterations=1)
    assert result["messages"] == 450
    assert len(result["state_hash"]) == 64
