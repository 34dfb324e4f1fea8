"""The bounded queue of one transport."""

from exchange.gateway.framing import server_frames
from exchange.gateway.limits import Limits
from exchange.gateway.outbox import Block, Outbox

LIMITS = Limits(outbox_frames=5, outbox_bytes=100, public_backlog_frames=3)


def test_frames_leave_in_order_and_wake_the_writer() -> None:
    woken: list[int] = []
    outbox = Outbox(LIMITS, lambda: woken.append(1))
    outbox.put_private(b"a")
    assert outbox.put_public(b"b")
    assert [outbox.take(1), outbox.take(5), outbox.take(5)] == [[b"a"], [b"b"], []]
    assert len(woken) == 2


def test_public_data_is_left_out_when_the_transport_lags() -> None:
    outbox = Outbox(LIMITS, lambda: None)
    assert [outbox.put_public(b"p") for _ in range(4)] == [True, True, True, False]
    assert outbox.lags
    outbox.take(1)
    assert outbox.put_public(b"p")


def test_a_private_backlog_ends_the_session_and_holds_no_memory() -> None:
    for frames in ([b"x"] * 6, [b"x" * 60] * 3):
        outbox = Outbox(LIMITS, lambda: None)
        for frame in frames:
            assert not outbox.overflowed
            outbox.put_private(frame)
        assert outbox.overflowed
        assert len(outbox) == 0
        outbox.put_private(b"more")
        outbox.put_answers([b"more"])
        assert not outbox.put_public(b"more")
        assert outbox.take(1) == []


def test_several_answers_wake_once() -> None:
    woken: list[int] = []
    outbox = Outbox(LIMITS, lambda: woken.append(1))
    outbox.put_answers([])
    outbox.put_answers([b"a", b"b"])
    assert (woken, outbox.take(9)) == ([1], [b"a", b"b"])
    outbox.put_answers([b"x" * 60] * 3)
    assert outbox.overflowed


def test_bytes_that_left_do_not_count() -> None:
    outbox = Outbox(LIMITS, lambda: None)
    for _ in range(50):
        outbox.put_private(b"x" * 90)
        outbox.take(1)
    assert not outbox.overflowed


def test_one_frame_larger_than_the_limit_reaches_a_client_that_reads() -> None:
    outbox = Outbox(LIMITS, lambda: None)
    large = b"x" * 2 * LIMITS.outbox_bytes
    outbox.put_private(large)
    assert (outbox.overflowed, outbox.take(9)) == (False, [large])
    outbox.put_answers([large, b"behind"])
    assert outbox.overflowed
def filled() -> Outbox:
    outbox = Outbox(Limits(), lambda: None)
    outbox.put_private(b"a")
    outbox.put_framed(server_frames([b"b", b"c" * 200]), 2)
    outbox.put_answers([b"d", b"e"])
    return outbox


def test_blocks_are_messages_to_who_counts_and_to_who_frames_them_himself() -> None:
    outbox = filled()
    assert len(outbox) == 5
    assert [outbox.take(2), outbox.take(1), outbox.take(9)] == [[b"a"], [b"b", b"c" * 200], [b"d", b"e"]]
    assert len(outbox) == 0


def test_blocks_leave_as_they_are_where_the_transport_takes_frames() -> None:
    outbox = filled()
    assert outbox.take_framed(2) == server_frames([b"a", b"b", b"c" * 200])
    assert (len(outbox), outbox.take_framed(9), outbox.take_framed(9)) == (2, server_frames([b"d", b"e"]), b"")


def test_a_backlog_of_blocks_ends_the_session() -> None:
    for block in (Block(server_frames([b"x"] * 6), 6), Block(server_frames([b"x" * 120]), 1)):
        outbox = Outbox(LIMITS, lambda: None)
        outbox.put_framed(*block)
        assert outbox.overflowed
        outbox.put_framed(*block)
        assert outbox.take_framed(1) == b""


def test_what_is_taken_at_once_is_bounded_by_its_bytes_too() -> None:
    """One message at least, whatever its length."""
    takes = ((Outbox.take, lambda frames: frames), (Outbox.take_framed, server_frames))
    for take, expected in takes:
        outbox = Outbox(Limits(), lambda: None)
        outbox.put_answers([b"a" * 200, b"b", b"c", b"d"])
        outbox.put_framed(server_frames([b"e"]), 1)
        taken = [take(outbox, 9, n_bytes) for n_bytes in (100, 2, 9)]
        assert taken == [expected([b"a" * 200]), expected([b"b", b"c"]), expected([b"d", b"e"])]
