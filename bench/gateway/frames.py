"""Frames of the load generator, compiled: orders written into a buffer, answers and book deltas read from one.

An order's frame is a template whose digits are overwritten, so all frames of a connection have one length. Payloads are masked (RFC 6455, 5.3) with a
fixed key that is not zero: the server has the same work as with a random one.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from matching.compile import kernel

Bytes = NDArray[np.uint8]

ID_DIGITS: Final = 12
PRICE_DIGITS: Final = 3
PRICES: Final = 64  # from 0.4000 up, one tick apart
MASK: Final = b"\x37\xfa\x21\x3d"
HEADER_BYTES: Final = 8  # of a masked frame of 126 to 65,535 bytes
_MASK_0, _MASK_1, _MASK_2, _MASK_3 = (np.uint8(byte) for byte in MASK)
_MULTIPLIER: Final = np.uint64(6364136223846793005)
_INCREMENT: Final = np.uint64(1442695040888963407)
_TOP: Final = np.uint64(40)


def masked_frame(payload: bytes, opcode: int = 1) -> bytes:
    """One whole client frame."""
    length = len(payload)
    size = bytes((0x80 | length,)) if length < 126 else bytes((0x80 | 126,)) + length.to_bytes(2)
    return bytes((0x80 | opcode,)) + size + MASK + bytes(byte ^ MASK[i & 3] for i, byte in enumerate(payload))


class OrderTemplate:
    """The frame of a new order: `data` with zeros for the digits, and where they go, counted in the payload."""

    def __init__(self, instrument: str, side: str) -> None:
        parts = (
            '{"id":', "0" * ID_DIGITS, ',"method":"order.place","params":{"client_order_id":"c', "0" * ID_DIGITS,
            f'","instrument":"{instrument}","side":"{side}","quantity":"1.0","price":"0.4', "0" * PRICE_DIGITS, '"},"jsonrpc":"2.0"}',
        )  # fmt: skip
        starts = np.cumsum([0, *(len(part) for part in parts)])
        self.places = np.array([starts[1], starts[3], starts[5]], np.int64)
        self.data = np.frombuffer(masked_frame("".join(parts).encode()), np.uint8)

    def __len__(self) -> int:
        return len(self.data)


@kernel(internal=True)
def _put_digits(out: Any, payload_at: int, place: int, digits: int, value: int) -> None:
    """Write a number of so many digits into a masked payload."""
    for i in range(digits):
        at = place + digits - 1 - i
        lane = at & 3
        mask = _MASK_0 if lane == 0 else _MASK_1 if lane == 1 else _MASK_2 if lane == 2 else _MASK_3
        out[payload_at + at] = np.uint8(48 + value % 10) ^ mask
        value //= 10


@kernel
def write_orders(out: Any, template: Any, places: Any, first_id: int, index: int, count: int, sent_ns: Any, now_ns: int) -> int:
    """Write `count` order frames with ids from `first_id` + `index` to `out` (uint8), and `now_ns` into the ring; returns their bytes."""
    length = template.shape[0]
    for n in range(count):
        start = n * length
        for i in range(length):
            out[start + i] = template[i]
        request_id = first_id + index + n
        sent_ns[(index + n) & (sent_ns.shape[0] - 1)] = now_ns
        payload_at = start + HEADER_BYTES
        _put_digits(out, payload_at, places[0], ID_DIGITS, request_id)
        _put_digits(out, payload_at, places[1], ID_DIGITS, request_id)
        mixed = (np.uint64(request_id) * _MULTIPLIER + _INCREMENT) * _MULTIPLIER
        _put_digits(out, payload_at, places[2], PRICE_DIGITS, np.int64((mixed >> _TOP) % np.uint64(PRICES)))
    return count * length


@kernel(internal=True)
def _frame_at(data: Any, at: int, end: int) -> tuple[int, int]:
    """(start of the payload, its end) of the unmasked frame at `at`, or (-1, -1) when it is not there whole."""
    if end - at < 2:
        return -1, -1
    length = np.int64(data[at + 1])
    start = at + 2
    if length == 126:
        if end - at < 4:
            return -1, -1
        length = np.int64(data[at + 2]) * 256 + np.int64(data[at + 3])
        start = at + 4
    elif length == 127:
        if end - at < 10:
            return -1, -1
        length = np.int64(0)
        for i in range(8):
            length = length * 256 + np.int64(data[at + 2 + i])
        start = at + 10
    if start + length > end:
        return -1, -1
    return start, start + length


@kernel(internal=True)
def _number_at(data: Any, at: int) -> tuple[int, int]:
    """(the digits at `at` as a number, where they end)."""
    value = np.int64(0)
    while data[at] >= 48 and data[at] <= 57:
        value = value * 10 + np.int64(data[at]) - 48
        at += 1
    return value, at


@kernel(internal=True)
def _find(data: Any, at: int, end: int, text: Any) -> int:
    """Where the bytes of `text` end, from `at` on; -1 when they are not there."""
    for start in range(at, end - text.shape[0] + 1):
        i = 0
        while i < text.shape[0] and data[start + i] == text[i]:
            i += 1
        if i == text.shape[0]:
            return start + i
    return -1


@kernel
def read_answers(data: Any, end: int, first_id: int, sent_ns: Any, now_ns: int, rtt_ns: Any, n_rtt: int) -> tuple[int, int, int, int]:
    """Whole frames at the start of `data`, which came at `now_ns`: (bytes read, answers, those that are errors, round trips in `rtt_ns` now).

    An answer begins with its id; what does not is a notification or an echo's twin. `sent_ns` is a ring by id, its length a power of two.
    """
    at = 0
    answers = 0
    errors = 0
    while True:
        start, stop = _frame_at(data, at, end)
        if start < 0:
            return at, answers, errors, n_rtt
        if stop - start > 8 and data[start + 2] == 105 and data[start + 3] == 100:  # {"id
            request_id, place = _number_at(data, start + 6)
            answers += 1
            errors += place == start + 6 or data[place + 2] == 101  # no number, or ,"error
            if place > start + 6 and n_rtt < rtt_ns.shape[0]:
                rtt_ns[n_rtt] = now_ns - sent_ns[(request_id - first_id) & (sent_ns.shape[0] - 1)]
                n_rtt += 1
        at = stop


@kernel
def read_deltas(data: Any, end: int, last_seq: int, texts: Any, now_ns: int, due_ns: Any, first_seq: int, late_ns: Any, n_late: int) -> Any:
    """Book deltas at the start of `data`: (bytes read, deltas, gaps between them, last seq, lateness values in `late_ns` now).

    `due_ns` holds when the order behind seq `first_seq` + 1 + i was due. A delta is late by what has passed since the first order in it was due.
    `texts` (uint8, two rows) are the bytes before both numbers.
    """
    at = 0
    deltas = 0
    gaps = 0
    while True:
        start, stop = _frame_at(data, at, end)
        if start < 0:
            return at, deltas, gaps, last_seq, n_late
        place = _find(data, start, min(stop, start + 160), texts[0])
        if place > 0:
            seq, place = _number_at(data, place)
            previous_seq, _ = _number_at(data, _find(data, place, stop, texts[1]))
            gaps += previous_seq != last_seq
            last_seq = seq
            deltas += 1
            index = previous_seq - first_seq
            if index >= 0 and index < due_ns.shape[0] and n_late < late_ns.shape[0]:
                late_ns[n_late] = now_ns - due_ns[index]
                n_late += 1
        at = stop
