"""Mixing of 64-bit words, compiled: what idempotency keys are found by and the running hash of events is made of. Not cryptographic; keyed.

`fold` is one multiplication of 64 by 64 bits whose two halves are combined: it takes two words at once in the time that a multiply-xorshift
step takes for a part of one, and independent folds overlap in the processor.
"""

from typing import Any, Final

import numpy as np

from matching.compile import kernel
from matching.fold import fold

# Odd words with half of their bits set, so that no word of a command is likely to meet them: digits of pi behind the point, made odd.
C0: Final = np.uint64(0x243F6A8885A308D3)
C1: Final = np.uint64(0x13198A2E03707345)
C2: Final = np.uint64(0xA4093822299F31D1)
C3: Final = np.uint64(0x082EFA98EC4E6C89)


@kernel(inline=True)
def mix_pair(h: int, first: int, second: int) -> int:
    """Continue a hash (uint64) with two words of 64 bits, in this sequence."""
    return fold(np.uint64(first) ^ C0, np.uint64(second) ^ h)


@kernel(inline=True)
def mix_lanes(a: int, b: int, c: int, last: int) -> int:
    """The hash of a record of 25 words (uint64) from its three lanes and its last word."""
    h = fold(a ^ last, b ^ C0) ^ c
    return fold(h ^ C1, h ^ C2)


@kernel(inline=True)
def mix_rows(h: int, rows: Any, start: int, end: int) -> int:
    """Continue a hash (uint64) with rows [start, end) of u8[n, 25], word by word.

    Three lanes take six words a turn; a lane's words are told apart from another's by its constant.
    """
    for i in range(start, end):
        a = h
        b = h ^ C2
        c = h ^ C3
        for turn in range(4):
            at = 6 * turn
            a = fold(rows[i, at] ^ C1, rows[i, at + 1] ^ a)
            b = fold(rows[i, at + 2] ^ C2, rows[i, at + 3] ^ b)
            c = fold(rows[i, at + 4] ^ C3, rows[i, at + 5] ^ c)
        h = mix_lanes(a, b, c, rows[i, 24])
    return h
