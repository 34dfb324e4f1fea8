"""Raw counter-based bits for resampling: Philox (Salmon, Moraes, Dror and Shaw, SC 2011) as numpy ships it, made into indices by integers of our own.

numpy's distributions may change with its versions; the bits of its Philox do not.
"""

import numpy as np
from numpy.typing import NDArray

_HALF = np.uint64(32)


def indices(seed: int, stream: int, count: int, below: int) -> NDArray[np.int64]:
    """`count` whole numbers in [0, below), int64, a function of (seed, stream) alone; `below` is 1 to 2**31."""
    raw = np.random.Philox(key=seed, counter=stream << 64).random_raw(count)
    scaled: NDArray[np.int64] = ((raw >> _HALF) * np.uint64(below) >> _HALF).astype(np.int64)
    return scaled
