"""What the compiled scanner knows of instruments: a hash table of symbols that were asked for, with what validation reads of their specs.

A listed instrument keeps its symbol and its spec for ever, so an entry never has to change; one that is not here is looked up the ordinary way and
entered.
"""

from typing import Any, Final

import numpy as np
from numba.core import config
from numpy.typing import NDArray

from exchange.gateway.validate import Listed
from matching.compile import kernel

SYMBOL_BYTES: Final = 32  # longer ones are validated the ordinary way

SYMBOL: Final = np.dtype(
    [
        ("word0", "u8"),
        ("word1", "u8"),
        ("word2", "u8"),
        ("word3", "u8"),
        ("id", "i8"),  # 0: an empty place
        ("min_price_ticks", "i8"),
        ("max_price_ticks", "i8"),
        ("max_order_lots", "i8"),
        ("multiplier_micro", "i8"),
        ("price_decimals", "i8"),
        ("quantity_decimals", "i8"),
    ]
)
_SIZE_AT_FIRST: Final = 256
_C1: Final = np.uint64(0x9E3779B97F4A7C15)
_C2: Final = np.uint64(0xC2B2AE3D27D4EB4F)
_HALF: Final = np.uint64(32)


@kernel(inline=True)
def home_of(word0: Any, word1: Any, word2: Any, word3: Any, size: int) -> int:
    """Where a search for a symbol begins; `size` is a power of two."""
    mixed = (np.uint64(word0) ^ (np.uint64(word1) * _C1)) * _C2
    mixed ^= (np.uint64(word2) * _C1) ^ np.uint64(word3)
    mixed *= _C1
    return np.int64(mixed >> _HALF) & (size - 1)


@kernel
def find_symbol(table: Any, word0: Any, word1: Any, word2: Any, word3: Any) -> int:
    """Index of a symbol in `table` (SYMBOL), or -1 - the empty place where it would stand."""
    size = table.shape[0]
    place = home_of(word0, word1, word2, word3, size)
    while table[place].id != 0:
        entry = table[place]
        if entry.word0 == word0 and entry.word1 == word1 and entry.word2 == word2 and entry.word3 == word3:
            return place
        place = (place + 1) & (size - 1)
    return -1 - place


def as_kernel_records(records: NDArray[np.void]) -> NDArray[np.void]:
    """Records as kernels take them: without the compiler their fields have to be attributes."""
    return records.view(np.recarray) if config.DISABLE_JIT else records


class Symbols:
    """The table; at most half of it is full."""

    def __init__(self) -> None:
        self.table: NDArray[np.void] = _empty(_SIZE_AT_FIRST)
        self._entries: dict[str, Listed] = {}

    def learn(self, symbol: str, listed: Listed) -> None:
        """Enter an instrument that an order has named."""
        if symbol in self._entries or not symbol.isascii() or not 0 < len(symbol) <= SYMBOL_BYTES:
            return
        self._entries[symbol] = listed
        if 2 * len(self._entries) > len(self.table):
            self.table = _empty(2 * len(self.table))
            for known, entry in self._entries.items():
                self._enter(known, entry)
        else:
            self._enter(symbol, listed)

    def _enter(self, symbol: str, listed: Listed) -> None:
        words = np.frombuffer(symbol.encode().ljust(SYMBOL_BYTES, b"\0"), np.uint64)
        spec = listed.spec
        with np.errstate(over="ignore"):
            place = -1 - find_symbol(self.table, *words)
        self.table[place] = (
            *words, listed.id, spec.min_price_ticks, spec.max_price_ticks, spec.max_order_lots, spec.multiplier_micro, spec.price_decimals,
            spec.quantity_decimals,
        )  # fmt: skip


def _empty(size: int) -> NDArray[np.void]:
    return as_kernel_records(np.zeros(size, SYMBOL))
