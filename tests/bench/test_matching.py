"""The matching benchmark on tiny streams, so that it never rots: the check of the trades, what it prints, the line it records."""

import json
from pathlib import Path

import numpy as np
import pytest

from bench import matching as bench_matching
from bench.checks import ResultMismatchError, compare
from bench.core import CoreRun, workload_of
from bench.cycles import HAS_CYCLE_COUNTER, bin_edges_ns, latencies, ns_per_cycle, read_cycles
from bench.pairs import Pairs, alternate
from bench.record import append_result
from bench.workloads.lobstrm import ADD, CANCEL, IOC, MESSAGE, REPLACE, Stream
from bench.workloads.mixed import SHARES, mixed_day
from matching.records import EntryKind, EventKind, Reason, TimeInForce
from tests.bench.streams import MANY_BOOKS, small_stream, stream_file
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
def tiny():
    messages = np.zeros(len(MESSAGES), MESSAGE)
    for name, column in zip(("type", "side", "qty", "id", "price"), zip(*MESSAGES, strict=True), strict=True):
        messages[name] = column
    return Stream("tiny", 1, 2, 2, messages, {"trades": 2, "volume": 17, "hash": trade_hash(TRADES), "live_orders": 0})


def run(*arguments, results: Path) -> int:
    return bench_matching.main([*map(str, arguments), "--repeat", "2", "--results", str(results)])


def test_messages_become_entries(tiny):
    workload = workload_of(tiny)
    assert (workload.n_books, workload.n_warm, workload.n_timed) == (1, 2, 4)
    assert workload.entries["kind"].tolist() == [EntryKind.PLACE] * 2 + [EntryKind.AMEND] + [EntryKind.PLACE] * 2 + [EntryKind.CANCEL]
    assert workload.entries["time_in_force"].tolist() == [TimeInForce.GTC] * 4 + [TimeInForce.IOC, TimeInForce.GTC]
    assert set(workload.entries["owner"][workload.entries["side"] == 0]) & set(workload.entries["owner"][workload.entries["side"] == 1]) == set()


def test_trades_are_those_worked_out_by_hand(tiny):
    found = bench_matching.verify(workload_of(tiny))
    assert (found["trades"], found["volume"], found["hash"], found["live"]) == (2, 17, trade_hash(TRADES), 0)
    assert found["checked"]


@pytest.mark.parametrize("parameters", [None, MANY_BOOKS])
def test_trades_are_those_of_the_generator(parameters):
    stream = small_stream(parameters) if parameters else small_stream()
    found = bench_matching.verify(workload_of(stream))
    assert found["checked"]
    assert found["hash"] == stream.expected["hash"]


@pytest.mark.parametrize(("name", "value"), [("trades", 1), ("volume", 1), ("hash", "0" * 16), ("live_orders", 1)])
def test_any_difference_ends_the_command(tmp_path, capsys, name, value):
    path = stream_file(tmp_path, small_stream(), **{name: value})
    assert run("--stream", path, results=tmp_path) == 1
    captured = capsys.readouterr()
    assert f"instead of {value}" in captured.err
    assert captured.out == ""
    assert not (tmp_path / "matching.jsonl").exists()


def test_nothing_expected_is_nothing_checked():
    assert not compare("x", {"trades": 1}, {})
    with pytest.raises(ResultMismatchError, match="x: trades 1 instead of 2"):
        compare("x", {"trades": 1, "volume": 3}, {"trades": 2, "volume": 3})


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_last_line_is_the_result(tmp_path, capsys, options):
    stream = small_stream()
    assert run("--stream", stream_file(tmp_path, stream), *options, results=tmp_path / "results") == 0
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert (len(lines) == 1) == bool(options)
    result = json.loads(lines[-1])
    assert result["messages"] == 1_500
    assert {name: result[name] for name in ("trades", "volume", "hash")} == {name: stream.expected[name] for name in ("trades", "volume", "hash")}
    assert result["live"] == stream.expected["live_orders"]
    assert len(result["state_hash"]) == 64
    assert 0 < result["ns_per_message"]["min"] <= result["ns_per_message"]["median"]
    assert result["ratio_range"][0] <= result["ratio"] <= result["ratio_range"][1]
    assert result["floor_ns"] > 0
    assert 0 < result["latency_ns"]["p50"] <= result["latency_ns"]["p99"] <= result["latency_ns"]["p999"]
    assert "small.bin: 2 of 2" in captured.err
    (recorded,) = (tmp_path / "results" / "matching.jsonl").read_text().splitlines()
    assert sum(json.loads(recorded)["latency_histogram"]) == 1_500


@pytest.mark.parametrize("options", [["--stream", "none.bin"], ["--repeat", "0"], ["--ids", "none"]])
def test_bad_options_are_refused(options):
    with pytest.raises(SystemExit) as stop:
        bench_matching.main(["--stream", "mixed-day", "--messages", "100", "--no-record", *options])
    assert stop.value.code == 2


def test_one_message_a_call_comes_to_the_same_state():
    workload = workload_of(small_stream(MANY_BOOKS))
    runs = [CoreRun(workload) for _ in range(4)]
    runs[0].run()
    runs[1].run_one_by_one()
    runs[2].run_submitted()
    runs[3].run_stamped()
    assert len({run.state_hash() for run in runs}) == 1
    assert runs[0].live_orders() == small_stream(MANY_BOOKS).expected["live_orders"]


def test_pairs_alternate_who_is_first():
    order = []
    times = {"a": iter([9.0, 10.0, 30.0, 12.0]), "b": iter([9.0, 5.0, 10.0, 6.0])}

    def subject(name):
        def measure():
            order.append(name)
            return next(times[name])

        return measure

    steps = []
    pairs = alternate(subject("a"), subject("b"), 3, steps.append)
    assert "".join(order) == "ab" + "ba" + "ab" + "ba"  # the first two do not count
    assert pairs == Pairs([10.0, 30.0, 12.0], [5.0, 10.0, 6.0])
    assert steps == [1, 2, 3]
    summary = pairs.summary()
    assert (summary["ratio"], summary["ratio_range"], summary["floor_ns"]) == (2.0, [2.0, 3.0], 6.0)
    assert summary["ns_per_message"] == {"median": 12.0, "min": 10.0}


def test_latencies_leave_out_what_was_not_measured():
    assert HAS_CYCLE_COUNTER
    first = read_cycles()
    assert read_cycles() > first
    cycles = np.array([-1, *[round(100 / ns_per_cycle())] * 99, round(10_000 / ns_per_cycle())])
    found = latencies(cycles)
    assert found["latency_ns"]["p50"] == pytest.approx(100, rel=0.1)
    assert found["latency_max_ns"] == pytest.approx(10_000, rel=0.1)
    histogram = found["latency_histogram"]
    assert sum(histogram) == 100
    edges = bin_edges_ns(len(histogram))
    assert 70 < edges[int(np.argmax(histogram))] <= 110
    assert edges[-1] > 7_000
    assert 0 < found["counter_cost_ns"] < 1_000


def test_recorded_line(tmp_path):
    append_result("matching", {"stream": "a"}, tmp_path)
    path = append_result("matching", {"stream": "b"}, tmp_path)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["stream"] for line in lines] == ["a", "b"]
    assert {"benchmark", "commit", "machine", "numba", "numpy"} <= lines[0].keys()


def test_mixed_day_does_everything_and_repeats():
    day = mixed_day(3_000, n_books=4)
    assert day.entries.tobytes() == mixed_day(3_000, n_books=4).entries.tobytes()
    assert set(day.entries["kind"].tolist()) == set(SHARES)
    core = Pair(n_books=4).core
    events = to_events(core.submit(day.entries))
    assert {event.kind for event in events} >= {
        EventKind.RESTED, EventKind.FILLED, EventKind.CANCELLED, EventKind.REDUCED, EventKind.REPRICED, EventKind.REFILLED
    }  # fmt: skip
    assert {event.reason for event in events if event.kind == EventKind.REJECTED} == {Reason.UNKNOWN_ORDER}, "only what has ended is refused"
    core.check_all()


def test_mixed_day_has_no_floor(tmp_path, capsys):
    assert run("--stream", "mixed-day", "--messages", 500, results=tmp_path) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (result["messages"], result["ratio"], result["floor_ns"], result["checked"]) == (450, None, None, False)
