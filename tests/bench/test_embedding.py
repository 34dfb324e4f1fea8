"""The program in C, built by the system's compiler, on tiny streams: trades as expected, however many messages a call."""

import json
from pathlib import Path

import pytest

from bench.embedding import __main__ as command
from bench.embedding.program import StreamProgram, StreamResult, stream_bytes
from bench.workloads.lobstrm import HEADER
from tests.bench.streams import MANY_BOOKS, ONE_BOOK, small_stream, stream_file

pytestmark = pytest.mark.compiler


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> StreamProgram:
    return StreamProgram(tmp_path_factory.mktemp("stream"))


@pytest.mark.parametrize(("batch", "events_capacity"), [(1, 16_384), (1, 1), (7, 5), (64, 16_384), (1_000_000, 100), (1_000_000, 16_384)])
@pytest.mark.parametrize("parameters", [ONE_BOOK, MANY_BOOKS], ids=["one book", "many books"])
def test_trades_are_those_of_the_stream(program, parameters, batch, events_capacity):
    stream = small_stream(parameters)
    result = program.run(stream_bytes(stream), batch, fold=True, events_capacity=events_capacity)
    found = {"trades": result.trades, "volume": result.volume, "hash": f"{result.hash:016x}", "live_orders": result.live_orders}
    assert found == {name: stream.expected[name] for name in found}
    assert result.n_messages == len(stream.messages) - stream.n_warm
    assert result.n_events > result.n_messages
    assert result.ns_per_message > 0


def test_nothing_is_hashed_unless_asked(program):
    result = program.run(stream_bytes(small_stream()), 64)
    assert (result.trades, result.hash) == (0, 0)
    assert result.live_orders == small_stream().expected["live_orders"]


def damaged(name: str) -> bytes:
    content = stream_bytes(small_stream())
    n = len(small_stream().messages)
    pack = {"record size": (20, 1, 40, 40, n), "no warm-up": (24, 1, 0, 40, n), "all warm-up": (24, 1, n, 40, n), "count": (24, 1, 40, 40, n + 1)}
    if name in pack:
        return HEADER.pack(b"LOBSTRM1", *pack[name], 9) + content[HEADER.size :]
    return {"empty": b"", "magic": b"X" + content[1:], "short": content[:-1], "long": content + b"x"}[name]


@pytest.mark.parametrize("name", ["empty", "magic", "short", "long", "record size", "no warm-up", "all warm-up", "count"])
def test_what_is_no_stream_is_refused(program, name):
    with pytest.raises(ValueError, match="not an order stream"):
        program.run(damaged(name), 64)


def test_no_message_a_call_is_refused(program):
    with pytest.raises(ValueError, match="not an order stream"):
        program.run(stream_bytes(small_stream()), 0)


def run(*arguments: object, results: Path) -> int:
    return command.main([*map(str, arguments), "--repeat", "1", "--results", str(results)])


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_last_line_is_the_result(tmp_path, capsys, options):
    stream = small_stream()
    assert run("--stream", stream_file(tmp_path, stream), *options, results=tmp_path / "results") == 0
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert (len(lines) == 1) == bool(options)
    result = json.loads(lines[-1])
    assert (result["checked"], result["hash"]) == (True, stream.expected["hash"])
    assert list(result["batches"]) == ["64", "1"]
    for times in result["batches"].values():
        assert times["ratio_range"][0] <= times["ratio"] <= times["ratio_range"][1]
    assert "small.bin from C, 1 a call: 1 of 1" in captured.err
    (recorded,) = (tmp_path / "results" / "embedding.jsonl").read_text().splitlines()
    assert json.loads(recorded)["batches"] == result["batches"]


def test_any_difference_ends_the_command(tmp_path, capsys):
    assert run("--stream", stream_file(tmp_path, small_stream(), hash="0" * 16), results=tmp_path) == 1
    captured = capsys.readouterr()
    assert "instead of 0000000000000000" in captured.err
    assert captured.out == ""
    assert not (tmp_path / "embedding.jsonl").exists()


def test_batches_that_differ_end_the_command(program, monkeypatch):
    runs = iter(range(10))

    def drift(self: StreamProgram, content: bytes, batch: int, *, fold: bool = False) -> StreamResult:
        return StreamResult(trades=next(runs), ns_per_message=1.0)

    monkeypatch.setattr(StreamProgram, "run", drift)
    stream = small_stream()
    with pytest.raises(command.ResultMismatchError):
        command.benchmark(program, stream, [1, 1], 1)


@pytest.mark.parametrize("options", [["--stream", "none.bin"], ["--repeat", "0"], ["--batch", "0"]])
def test_bad_options_are_refused(options):
    with pytest.raises(SystemExit) as stop:
        command.main(["--no-record", *options])
    assert stop.value.code == 2


def test_no_compiler_is_an_error_of_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit) as stop:
        command.main(["--no-record", "--stream", str(stream_file(tmp_path, small_stream()))])
    assert stop.value.code == 2
    assert "no C compiler found" in capsys.readouterr().err
