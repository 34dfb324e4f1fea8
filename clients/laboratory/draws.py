"""Random numbers as a function: one counter-based stream for each (seed, agent, purpose, period), so that a changed rule shifts no draw of another.

Bits come from Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011): the key is the seed, the counter
is (index, period, agent, purpose). What is made of them is integer code of our own, the same on every machine and every version of every library.
Outside of kernels numba needs 64 bits as np.uint64.
"""

from enum import IntEnum
from typing import Any, Final

import numpy as np
from numba import uint64

from exchange.units import PPM
from matching.compile import kernel


class Purpose(IntEnum):
    """What a stream is for. Numbers are part of what a seed means, never reused. Agents are rows of the scenario; 2**32 - 1: everybody's."""

    LOAD = 1
    GENERATION = 2
    COMMON_LOAD = 3
    COMMON_GENERATION = 4
    VALUE = 5
    TRAIT = 6
    PRICE = 7
    HEAR = 8
    SEQUENCE = 9  # who acts when within a round
    BEGIN = 10
    MECHANISM = 11
    SCHEDULE = 12
    EXPERIMENT = 13


EVERYBODY: Final = 2**32 - 1
_MULTIPLIER_0: Final = uint64(0xD2511F53)
_MULTIPLIER_1: Final = uint64(0xCD9E8D57)
_WEYL_0: Final = uint64(0x9E3779B9)
_WEYL_1: Final = uint64(0xBB67AE85)
_LOW: Final = uint64(0xFFFFFFFF)
_HALF: Final = uint64(32)
_ROUNDS: Final = 10
_TERMS: Final = 6
_MEAN_OF_TERMS: Final = 6 * (2**32 - 1)


@kernel
def bits(seed: Any, agent: Any, purpose: Any, period: Any, index: Any) -> Any:
    """64 raw bits, uint64. `seed` counts to 2**64, all others to 2**32."""
    key_0, key_1 = uint64(seed) & _LOW, uint64(seed) >> _HALF
    word_0, word_1, word_2, word_3 = uint64(index) & _LOW, uint64(period) & _LOW, uint64(agent) & _LOW, uint64(purpose) & _LOW
    for _ in range(_ROUNDS):
        product_0, product_1 = _MULTIPLIER_0 * word_0, _MULTIPLIER_1 * word_2
        word_0, word_1, word_2, word_3 = (
            (product_1 >> _HALF) ^ word_1 ^ key_0, product_1 & _LOW, (product_0 >> _HALF) ^ word_3 ^ key_1, product_0 & _LOW
        )  # fmt: skip
        key_0, key_1 = (key_0 + _WEYL_0) & _LOW, (key_1 + _WEYL_1) & _LOW
    return word_0 | (word_1 << _HALF)


@kernel
def more(seed_bits: Any, index: Any) -> Any:
    """The `index`-th further 64 bits from 64 bits, uint64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014)."""
    z = uint64(seed_bits) + uint64(index + 1) * uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> uint64(30))) * uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> uint64(27))) * uint64(0x94D049BB133111EB)
    return z ^ (z >> uint64(31))


@kernel
def below(raw: Any, limit: Any) -> Any:
    """A whole number in [0, limit), int64; `limit` is 1 to 2**31."""
    return np.int64(((uint64(raw) >> _HALF) * uint64(limit)) >> _HALF)


@kernel
def between(raw: Any, low: Any, high: Any) -> Any:
    """A whole number in [low, high], int64; `low` where the interval is empty."""
    count = np.int64(high) - np.int64(low) + 1
    return np.int64(low) + below(raw, max(1, count))


@kernel
def unit(raw: Any) -> Any:
    """A double in [0, 1), a whole multiple of 2**-53."""
    return np.int64(uint64(raw) >> uint64(11)) * (1.0 / 9007199254740992.0)


@kernel
def normal_ppm(raw: Any) -> Any:
    """A nearly standard normal variate in parts per million, int64: the sum of twelve uniform numbers of 32 bits (Irwin and Hall)."""
    total = np.int64(0)
    for index in range(_TERMS):
        further = more(raw, index)
        total += np.int64(further & _LOW) + np.int64(further >> _HALF)
    return ((total - _MEAN_OF_TERMS) * PPM) >> 32
