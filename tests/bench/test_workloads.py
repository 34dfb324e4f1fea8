"""Files of streams, the cache of the standard ones, and the floor."""

import json
from pathlib import Path

import numpy as np
import pytest

from bench.workloads import floor, lobstrm, standard
from bench.workloads.generator import Parameters
from bench.workloads.lobstrm import HEADER, load
from tests.bench.streams import MANY_BOOKS, ONE_BOOK, small_stream, stream_file


def test_written_and_read_again(tmp_path: Path) -> None:
    stream = small_stream(MANY_BOOKS)
    found = load(stream_file(tmp_path, stream))
    assert found.messages.tobytes() == stream.messages.tobytes()
    assert (found.n_books, found.n_warm, found.resting) == (9, 108, 12)
    assert found.expected == stream.expected
    assert not list(tmp_path.glob("*.part"))


def test_without_results_there_is_nothing_to_expect(tmp_path: Path) -> None:
    path = stream_file(tmp_path, small_stream())
    path.with_suffix(".json").unlink()
    assert load(path).expected == {}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda raw: raw[:40], "not an order stream"),
        (lambda raw: b"X" + raw[1:], "not an order stream"),
        (lambda raw: raw + b"0", "announced"),
        (lambda raw: raw[:8] + (25).to_bytes(4, "little") + raw[12:], "announced"),
        (lambda raw: HEADER.pack(lobstrm.MAGIC, 24, 1, 40, 40, 40, 40) + raw[64 : 64 + 40 * 24], "nothing to time"),
    ],
)
def test_what_is_no_stream_is_refused(tmp_path: Path, change, reason: str) -> None:
    path = stream_file(tmp_path, small_stream())
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(ValueError, match=reason):
        load(path)


def test_prefix_knows_its_results_where_the_stream_noted_them() -> None:
    stream = small_stream(Parameters(n=12_000, resting=100))
    noted = stream.prefix(10_000)
    assert len(noted.messages) == 10_100
    assert noted.expected["hash"] == stream.expected["at"]["10100"]["hash"]
    assert stream.prefix(5_000).expected == {}
    assert stream.prefix(12_000) is stream


def test_standard_stream_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PARKEX_CACHE_DIR", str(tmp_path))
    monkeypatch.setitem(standard.STANDARD, "1", ONE_BOOK)
    made = standard.open_stream("1")
    assert "making 1500 messages" in capsys.readouterr().err
    again = standard.open_stream("1")
    assert capsys.readouterr().err == ""
    assert made.messages.tobytes() == again.messages.tobytes() == small_stream().messages.tobytes()
    assert made.name == again.name == "stream 1"
    assert made.expected == again.expected
    (path,) = (tmp_path / "streams").glob("*.bin")
    path.write_bytes(path.read_bytes()[:-1])
    assert standard.open_stream("1").messages.tobytes() == made.messages.tobytes()
    assert "damaged" in capsys.readouterr().err


def test_cache_that_cannot_be_written_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PARKEX_CACHE_DIR", str(tmp_path / "file"))
    assert len(standard.cached_stream(ONE_BOOK).messages) == 1_540
    assert "not kept" in capsys.readouterr().err


def test_standard_streams_are_those_of_the_published_figures() -> None:
    assert standard.STANDARD["1"] == Parameters(symbols=1, n=2_000_000, resting=10_000, mean=60, maxd=200, seed=1)
    assert standard.STANDARD["2"] == Parameters(symbols=1_000, n=2_000_000, resting=100, mean=12.0, maxd=40, seed=2)


@pytest.mark.parametrize("parameters", [ONE_BOOK, MANY_BOOKS, Parameters(n=3_000, resting=9, touch=0.7, move=0.3, amax=900, seed=8)])
def test_floor_makes_the_trades_of_the_stream(parameters: Parameters) -> None:
    stream = small_stream(parameters)
    ladder, first_ticks = floor.empty_ladder(stream)
    trades, volume, n_free, n_events = floor.run_floor(ladder, stream.messages, first_ticks, len(ladder.free_slots))
    assert (trades, volume, len(ladder.free_slots) - n_free) == tuple(stream.expected[name] for name in ("trades", "volume", "live_orders"))
    assert n_events == len(stream.messages) + trades
    h = 0
    fills = ladder.events[:n_events][ladder.events["kind"][:n_events] == floor.FILL]
    for fill in fills:
        mixed = (
            int(fill["maker"]) * 0x100000001B3 + int(fill["taker"]) * 0x9E3779B1 + (int(fill["place"]) + first_ticks) * 0x85EBCA77 + int(fill["lots"])
        )
        h = ((h ^ mixed) * 0x9E3779B97F4A7C15) % 2**64
    assert f"{h:016x}" == stream.expected["hash"]


def test_floor_run_times_all_but_the_warm_up() -> None:
    stream = small_stream()
    run = floor.FloorRun(stream)
    assert run.run() > 0
    assert run.results == {"trades": stream.expected["trades"], "volume": stream.expected["volume"], "live": stream.expected["live_orders"]}


def test_floor_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert floor.main([str(stream_file(tmp_path, small_stream())), "--repeat", "2"]) == 0
    line = json.loads(capsys.readouterr().out)
    assert line["messages"] == 1_500
    assert 0 < line["ns_per_message"]["min"] <= line["ns_per_message"]["median"]
    with pytest.raises(SystemExit):
        floor.main([str(tmp_path / "none.bin")])


def test_trade_hash_wraps_around() -> None:
    folded = np.uint64(2**63 + 12345)
    for maker, taker, price, lots in ((1, 2, 3, 4), (2**40, 2**41, -5, 2**32), (7, 7, 2**31 - 1, 1)):
        mixed = maker * 0x100000001B3 + taker * 0x9E3779B1 + price * 0x85EBCA77 + lots
        wanted = ((int(folded) ^ (mixed % 2**64)) * 0x9E3779B97F4A7C15) % 2**64
        events = np.zeros(1, floor.EVENT)
        events["maker"], events["taker"], events["place"], events["lots"] = maker, taker, price, lots
        folded = np.uint64(fold_one(events, folded))
        assert int(folded) == wanted


@lobstrm.kernel
def fold_one(events, folded):
    event = events[0]
    return lobstrm.fold_trade(folded, event.maker, event.taker, event.place, event.lots)
