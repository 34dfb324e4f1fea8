"""One frame to many: everybody gets every frame once and in order, whether it leaves at once, in slices or because somebody cannot wait."""

import asyncio

import pytest

from exchange.gateway.fan_out import SLICE, FanOut
from exchange.gateway.framing import split_frames
from exchange.gateway.limits import Limits
from exchange.gateway.outbox import Outbox
from exchange.protocol.encoding import ENCODINGS, JSON, SharedNotification
from exchange.protocol.messages import Heartbeat

MANY = 2 * SLICE + 3


def notification(number: int) -> SharedNotification:
    return SharedNotification("heartbeat", Heartbeat(now_ns=number, seqs={}))


class Reader:
    """An outbox whose transport takes everything, or nothing."""

    def __init__(self, *, takes: bool = True, backlog: int = 256) -> None:
        self.written: list[bytes] = []
        self.outbox = Outbox(Limits(public_backlog_frames=backlog), lambda: None, write=self._write)
        self.takes = takes

    def _write(self, framed: bytes) -> bool:
        if self.takes:
            self.written += split_frames(framed)
        return self.takes


def told(readers: list[Reader]) -> list[list[bytes]]:
    return [reader.written + reader.outbox.take(9) for reader in readers]


@pytest.mark.parametrize("can_wait", [True, False])
async def test_everybody_gets_every_frame_in_order(can_wait: bool) -> None:
    readers = [Reader(takes=n % 3 > 0) for n in range(MANY)]
    finished: list[int] = []
    fan_out = FanOut(lambda: finished.append(1))
    for number in (1, 2):
        fan_out.send(notification(number), [reader.outbox for reader in readers], set())
    assert fan_out.is_busy
    assert sum(len(reader.written) + len(reader.outbox) for reader in readers) == SLICE
    if can_wait:
        while fan_out.is_busy:
            assert finished == []
            await asyncio.sleep(0)
    else:
        fan_out.finish()
        assert not fan_out.is_busy
        await asyncio.sleep(0)
    assert finished == [1]
    assert told(readers) == [[notification(1).encoded(JSON), notification(2).encoded(JSON)]] * MANY


def test_few_are_served_at_once_and_who_lags_is_named() -> None:
    quick, slow, full = Reader(), Reader(takes=False), Reader(takes=False, backlog=1)
    full.outbox.put_private(b"answer")
    fan_out = FanOut(lambda: None)
    left_out: set[Outbox] = set()
    fan_out.send(notification(1), [quick.outbox, slow.outbox, full.outbox], left_out)
    assert not fan_out.is_busy
    assert left_out == {full.outbox}
    frame = notification(1).encoded(JSON)
    assert told([quick, slow, full]) == [[frame], [frame], [b"answer"]]


def test_nothing_overtakes_what_waits() -> None:
    reader = Reader()
    reader.outbox.put_private(b"answer")
    FanOut(lambda: None).send(notification(1), [reader.outbox], set())
    assert reader.written == []
    assert reader.outbox.take(2) == [b"answer", notification(1).encoded(JSON)]


def test_each_encoding_has_a_frame_of_its_own() -> None:
    outboxes = [Outbox(Limits(), lambda: None, encoding) for encoding in ENCODINGS.values()]
    FanOut(lambda: None).send(notification(1), outboxes, set())
    assert [outbox.take(1) for outbox in outboxes] == [[notification(1).encoded(encoding)] for encoding in ENCODINGS.values()]
