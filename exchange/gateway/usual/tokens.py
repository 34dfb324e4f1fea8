"""Tokens of JSON in bytes, compiled: strings without escapes, plain integers, decimal strings. Every text ends with a zero byte, which is part of no
token, so no loop here needs to know where the text ends.
"""

from typing import Any, Final

import numpy as np

from exchange.protocol.decimals import MAX_DIGITS
from exchange.units import INT64_MAX
from matching.compile import kernel

QUOTE, BACKSLASH, COMMA, COLON, OPEN, CLOSE, ZERO, NINE, POINT = (ord(c) for c in '"\\,:{}09.')
UNDERSCORE, DASH = ord("_"), ord("-")
TRUE: Final = np.frombuffer(b"true", np.uint8)
FALSE: Final = np.frombuffer(b"false", np.uint8)
LONGEST_INTEGER: Final = 19  # digits of an int64
POWERS: Final = np.array([10**n for n in range(MAX_DIGITS + 1)], np.int64)


def words_of(text: str) -> tuple[np.uint64, np.uint64]:
    """The first sixteen bytes of a name as two words, to compare with `word`."""
    data = text.encode().ljust(16, b"\0")
    return np.uint64(int.from_bytes(data[:8], "little")), np.uint64(int.from_bytes(data[8:16], "little"))


@kernel(internal=True)
def word(data: Any, start: int, end: int) -> int:
    """Up to eight bytes as one little-endian word (uint64), zeros behind the end."""
    word = np.uint64(0)
    for i in range(min(end - start, 8)):
        word |= np.uint64(data[start + i]) << np.uint64(8 * i)
    return word


@kernel(internal=True)
def skip_blanks(data: Any, at: int) -> int:
    while data[at] == 32 or data[at] == 9 or data[at] == 10 or data[at] == 13:
        at += 1
    return at


@kernel(internal=True)
def string_end(data: Any, at: int) -> int:
    """Where the string that begins at `at` has its closing quote; -1 when it is none, or not plain ASCII."""
    if data[at] != QUOTE:
        return -1
    at += 1
    while data[at] != QUOTE:
        if data[at] < 32 or data[at] > 126 or data[at] == BACKSLASH:
            return -1
        at += 1
    return at


@kernel(internal=True)
def digits_end(data: Any, at: int) -> int:
    """Where the plain integer at `at` ends; -1 when there is none, or it has a leading zero."""
    start = at
    while data[at] >= ZERO and data[at] <= NINE:
        at += 1
    if at == start or at - start > LONGEST_INTEGER or (data[start] == ZERO and at - start > 1):
        return -1
    return at


@kernel(internal=True)
def integer(data: Any, start: int, end: int) -> int:
    """The digits from `start` to `end` as a number; -1 when it is beyond int64."""
    value = np.uint64(0)
    for i in range(start, end):
        value = value * np.uint64(10) + np.uint64(data[i] - ZERO)
    return np.int64(value) if value <= np.uint64(INT64_MAX) else np.int64(-1)


@kernel(internal=True)
def decimal(data: Any, start: int, end: int, decimals: int) -> int:
    """A decimal string in units of 10**-decimals; -1 when it is not one of these, or refused for any reason."""
    value = np.int64(0)
    head = np.int64(0)
    at = start
    while at < end and data[at] >= ZERO and data[at] <= NINE:
        if head == MAX_DIGITS:
            return np.int64(-1)
        value = value * 10 + np.int64(data[at]) - ZERO
        head += 1
        at += 1
    if head == 0 or (data[start] == ZERO and head > 1) or head + decimals > MAX_DIGITS:
        return np.int64(-1)
    if at == end:
        return value * POWERS[decimals]
    if data[at] != POINT:
        return np.int64(-1)
    tail = end - at - 1
    if tail < 1 or tail > decimals:
        return np.int64(-1)
    for i in range(at + 1, end):
        if data[i] < ZERO or data[i] > NINE:
            return np.int64(-1)
        value = value * 10 + np.int64(data[i]) - ZERO
    return value * POWERS[decimals - tail]


@kernel(internal=True)
def literal_end(data: Any, at: int, text: Any) -> int:
    """Where `text` ends if it stands at `at`; else -1."""
    for i in range(text.shape[0]):
        if data[at + i] != text[i]:
            return -1
    return at + text.shape[0]
