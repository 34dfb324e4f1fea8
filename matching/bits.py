"""Occupancy words: 64 places in an unsigned 64-bit integer. Compiled to the processor's bit counts; plain Python without the JIT."""

import numpy as np
from numba.core import config
from numba.cpython.unsafe import numbers

from matching.compile import kernel
from matching.records import Side


def _leading_zeros_without_jit(word):
    return 64 - int(word).bit_length()


def _trailing_zeros_without_jit(word):
    return (int(word) & -int(word)).bit_length() - 1


leading_zeros = _leading_zeros_without_jit if config.DISABLE_JIT else numbers.leading_zeros
trailing_zeros = _trailing_zeros_without_jit if config.DISABLE_JIT else numbers.trailing_zeros


@kernel(inline=True)
def highest_bit(word):
    """Place of the highest set bit of a word that is not zero."""
    return np.int64(63) - np.int64(leading_zeros(word))


@kernel(inline=True)
def lowest_bit(word):
    """Place of the lowest set bit of a word that is not zero."""
    return np.int64(trailing_zeros(word))


@kernel(inline=True)
def bit(place):
    """The word with only `place` (0 to 63) set."""
    return np.uint64(1) << np.uint64(place)


@kernel(inline=True)
def best_bit(side, word):
    """Place of the best price of a side in a word that is not zero: the highest for bids, the lowest for asks."""
    return highest_bit(word) if side == Side.BUY else lowest_bit(word)


@kernel(inline=True)
def bits_behind(side, place):
    """The places with a worse price than `place`: below it for bids, above it for asks."""
    own = bit(place)
    below = own - np.uint64(1)
    return below if side == Side.BUY else ~(own | below)
