"""The bounded share of the fuzzing: drawn by hypothesis, so that a failure is made small. At length: `python -m tests.hostile.fuzz`."""

import asyncio
import json
import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from exchange.protocol.codec import Refusal
from tests.exchange.gateway.parks import RunningPark, request, running_park
from tests.hostile import fuzz
from tests.hostile.gateways import BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, RSV1, TEXT, Peer, frame, gateway, market_lives

SEEDS = st.integers(0, 2**32)


@given(SEEDS)
@settings(max_examples=150)
def test_the_decoder_takes_any_frame(seed: int) -> None:
    for data in fuzz.FrameSource(seed).batch():
        fuzz.check_decoder(data)


@given(st.binary(max_size=200) | st.text(alphabet='{}[]",:\\0123456789.eE-+ntfu ', max_size=200).map(str.encode))
@settings(max_examples=300)
def test_the_decoder_takes_any_bytes(data: bytes) -> None:
    fuzz.check_decoder(data)


def test_the_frames_reach_every_part_of_the_decoder() -> None:
    """A fuzzer that only makes rubbish proves little: valid requests of every method are among its frames, and every code of the decoder."""
    source = fuzz.FrameSource(1)
    decoded = [fuzz.decode_request(source.next()) for _ in range(6_000)]
    codes = {int(found.code) for found in decoded if isinstance(found, Refusal)}
    assert codes >= {1003, 1004, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012}
    methods = {type(found) for found in decoded if not isinstance(found, Refusal)}
    assert methods == {*fuzz.EXAMPLES}


def test_every_frame_of_any_session_is_answered_once() -> None:
    with asyncio.Runner() as runner:
        context = running_park(fuzz.LIMITS)
        park = runner.run(context.__aenter__())
        try:
            given(st.lists(SEEDS, min_size=1, max_size=4), st.sampled_from([None, "factory", "solar", "operator"]))(
                settings(max_examples=60)(lambda seeds, name: runner.run(_session(park, seeds, name)))
            )()
        finally:
            runner.run(context.__aexit__(None, None, None))


async def _session(park: RunningPark, seeds: list[int], name: str | None) -> None:
    client = park.raw()
    if name is not None:
        await client.log_on(name)
    for seed in seeds:
        await fuzz.check_session(client, fuzz.FrameSource(seed).batch())
    client.connection.disconnected()


FRAMES = st.builds(
    frame,
    st.binary(max_size=40) | st.just(request("system.status")),
    st.sampled_from([TEXT, TEXT, BINARY, CONTINUATION, PING, PONG, CLOSE, 3, 11]),
    flags=st.sampled_from([FIN, FIN, FIN, 0, RSV1, FIN | RSV1, FIN | 0x10]),
    masked=st.sampled_from([True, True, True, True, False]),
    length=st.none() | st.none() | st.integers(0, 2**64 - 1),
)


def test_any_bytes_behind_a_handshake_end_their_own_connection_at_most(backend: str) -> None:
    """Frames of every kind and torn frames, cut anywhere; the client then goes, and the market is as before."""
    with asyncio.Runner() as runner:
        context = gateway(backend)
        _, host = runner.run(context.__aenter__())

        async def send(frames: list[bytes], noise: bytes, cut: int) -> None:
            data = b"".join(frames) + noise
            async with Peer.open(host) as peer:
                await peer.send(data[: cut % (len(data) + 1)])
                await peer.send(data[cut % (len(data) + 1) :])
                peer.writer.write_eof()
                await peer.gone()

        try:
            check = example([frame(b"", flags=0)] * 300, b"", 7)(lambda frames, noise, cut: runner.run(send(frames, noise, cut)))
            given(st.lists(FRAMES, max_size=8), st.binary(max_size=20), st.integers(0, 10_000))(settings(max_examples=60)(check))()
            runner.run(market_lives(host))
        finally:
            runner.run(context.__aexit__(None, None, None))


def test_the_campaign(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["fuzz", "--inputs", "600", "--seed", "9"])
    with pytest.raises(SystemExit) as ended:
        fuzz.main()
    printed = json.loads(capsys.readouterr().out)
    assert ended.value.code == 0
    assert printed["inputs"] >= 600
    assert printed["accepted"] > 0


def test_a_second_answer_or_none_is_seen() -> None:
    async def check(change: str) -> None:
        async with running_park(fuzz.LIMITS) as park:
            client = park.raw()
            session = client.connection.session
            if change == "twice":
                original = session.refuse_frame
                client.connection.session = _Changed(session, lambda: original(1004))  # type: ignore[assignment,arg-type]
            batch = [request("system.status", None, 1), request("system.status", None, 2)]
            if change == "none":
                client.connection.receive_text = lambda _: None  # type: ignore[method-assign]
            await fuzz.check_session(client, batch)

    asyncio.run(check("as it is"))
    for change in ("twice", "none"):
        with pytest.raises(AssertionError):
            asyncio.run(check(change))


class _Changed:
    """A session that says something more with each answer."""

    def __init__(self, session: object, more: object) -> None:
        self._session, self._more = session, more

    def answer(self, *arguments: object) -> None:
        self._session.answer(*arguments)  # type: ignore[attr-defined]
        self._more()  # type: ignore[operator]

    def __getattr__(self, name: str) -> object:
        return getattr(self._session, name)


@pytest.mark.soak
def test_a_million_inputs() -> None:
    result = fuzz.campaign(1_000_000, 1)
    assert result["inputs"] >= 1_000_000
    assert result["resident_mb"][1] < 1.1 * result["resident_mb"][0]
    assert result["objects"][1] < 1.1 * result["objects"][0]
