"""The benchmark of the gateway, tiny: its frames are those of the protocol, its readers read what the exchange writes, a whole run has figures."""

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest
from websockets.frames import Frame
from websockets.protocol import State
from websockets.server import ServerProtocol

from bench.gateway import __main__ as command
from bench.gateway import rows
from bench.gateway.figures import percentiles_us
from bench.gateway.frames import OrderTemplate, masked_frame, read_answers, read_deltas, write_orders
from bench.gateway.load import FIRST_ID
from bench.gateway.server import file_system_of
from exchange.gateway.framing import server_frames
from exchange.protocol import messages as m
from exchange.protocol.codec import decode_request, encode_error, encode_notification, encode_result
from exchange.protocol.reject_codes import RejectCode


def payloads(data: bytes) -> list[bytes]:
    """What a server makes of client frames."""
    server = ServerProtocol(state=State.OPEN)
    server.receive_data(data)
    return [bytes(event.data) for event in server.events_received() if isinstance(event, Frame)]


def test_orders_are_those_of_the_protocol() -> None:
    template = OrderTemplate("GP-BENCH-0", "sell")
    out, ring = np.empty(5 * len(template), np.uint8), np.zeros(4, np.int64)
    assert write_orders(out, template.data, template.places, FIRST_ID, 3, 5, ring, 77) == len(out)
    requests = [decode_request(payload) for payload in payloads(out.tobytes())]
    assert all(isinstance(request, m.Place) for request in requests)
    assert [request.id for request in requests] == [FIRST_ID + 3 + n for n in range(5)]
    places = [request.params for request in requests if isinstance(request, m.Place)]
    assert [place.client_order_id for place in places] == [f"c{FIRST_ID + 3 + n}" for n in range(5)]
    assert {(place.side, place.instrument, place.quantity) for place in places} == {("sell", "GP-BENCH-0", "1.0")}
    assert all(place.price is not None and 0.4 <= float(place.price) < 0.4064 for place in places)
    assert ring.tolist() == [77] * 4


@pytest.mark.parametrize("length", [5, 125, 126, 300])
def test_masked_frames(length: int) -> None:
    assert payloads(masked_frame(b"x" * length)) == [b"x" * length]


def test_answers_are_counted_and_timed() -> None:
    result = m.OrderResult(sequence=1, order_id=1, status="resting", filled="0.0", remaining="1.0", revision=1)
    messages = [
        encode_result(FIRST_ID + 1, result), encode_notification("heartbeat", m.Heartbeat(now_ns=1, seqs={})),
        encode_error(FIRST_ID + 2, RejectCode.INSUFFICIENT_CASH), encode_error(None, RejectCode.INVALID_JSON),
    ]  # fmt: skip
    data = server_frames(messages)
    sent_ns, rtt_ns = np.array([0, 100, 200, 0], np.int64), np.zeros(9, np.int64)
    whole = np.frombuffer(data + data[:7], np.uint8)
    assert read_answers(whole, len(whole), FIRST_ID, sent_ns, 1_000, rtt_ns, 0) == (len(data), 3, 2, 2)
    assert rtt_ns[:2].tolist() == [900, 800]


def test_deltas_are_followed_and_a_gap_is_seen() -> None:
    def delta(seq: int, prev_seq: int) -> bytes:
        return encode_notification("book.delta", m.BookDelta(instrument="GP-BENCH-0", seq=seq, prev_seq=prev_seq, bids=[], asks=[]))

    data = np.frombuffer(server_frames([delta(12, 10), delta(13, 12), delta(20, 15)]), np.uint8)
    due_ns, late_ns = np.arange(0, 1_000, 100), np.zeros(9, np.int64)
    texts = np.frombuffer(b'"seq":_seq":', np.uint8).reshape(2, 6)
    found = read_deltas(data, len(data), 10, texts, 5_000, due_ns, 10, late_ns, 0)
    assert found == (len(data), 3, 1, 20, 3)
    assert late_ns[:3].tolist() == [5_000, 4_800, 4_500]


def test_percentiles() -> None:
    found = percentiles_us(np.arange(1, 1_001, dtype=np.int64) * 1_000)
    assert [found[name] == pytest.approx(value, rel=0.01) for name, value in (("p50", 500), ("p99", 990), ("p999", 999))] == [True] * 3


def test_file_systems(tmp_path: Path) -> None:
    assert file_system_of(tmp_path)


def test_a_whole_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(rows, "WARM_UP_S", 0.05)
    arguments = ["--connections", "2", "--window", "2", "--seconds", "0.2", "--repeat", "1", "--surveillance"]
    arguments += ["--results", str(tmp_path), "--directory", str(tmp_path)]
    assert command.main(arguments) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result["rejects"] == 0
    assert min(result["acks_per_s"], result["server_cpu_us_per_order"], result["rtt_us"]["p50"], result["echo"]["messages_per_s"]) > 0
    watched = result["surveillance"]
    assert watched["acks_ratio"] == pytest.approx(watched["acks_per_s"] / result["acks_per_s"], abs=0.001)
    assert watched["batches_waiting"] >= 0
    assert watched["cpu_ratio"] == pytest.approx(watched["server_cpu_us_per_order"] / result["server_cpu_us_per_order"], abs=0.001)
    assert msgspec.json.decode((tmp_path / "gateway.jsonl").read_bytes().splitlines()[0])["benchmark"] == "gateway"
    with pytest.raises(SystemExit):
        command.main(["--window", "-1"])
