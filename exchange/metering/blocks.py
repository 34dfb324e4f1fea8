"""Readings by device in dense arrays: blocks of 32 days, one row a device, 13 bytes a quarter-hour.

A cell without a reading has document 0. A digest of each block is kept until a cell of it changes, so that hashing the state costs what has changed
since and not all there is.
"""

import hashlib
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exchange.metering.validation import Int64Array

BLOCK_PERIODS: Final = 32 * 96
_NO_ROW: Final = -1
_ROWS_FIRST: Final = 8
# Little-endian: their bytes are part of the state hash.
_COLUMNS: Final = (("import_wh", "<i4"), ("export_wh", "<i4"), ("quality", "u1"), ("document", "<u4"))


class Cells(NamedTuple):
    """Readings of n (device, period) pairs: int64[n] in Wh, uint8[n], uint32[n]. `document` is the number of the document that wrote it, 0: none."""

    import_wh: NDArray[Any]
    export_wh: NDArray[Any]
    quality: NDArray[Any]
    document: NDArray[Any]


class Block:
    """Cells of one span of 3,072 quarter-hours."""

    def __init__(self) -> None:
        self.columns = {name: np.zeros((0, BLOCK_PERIODS), dtype) for name, dtype in _COLUMNS}
        self.devices: list[int] = []
        self._row_of = np.full(0, _NO_ROW, np.int64)  # by device id
        self._digest = b""

    def rows_of(self, devices: Int64Array) -> Int64Array:
        """Row of each device, -1 where it has none; int64, shape of `devices`."""
        known = devices < len(self._row_of)
        rows = np.full(devices.shape, _NO_ROW, np.int64)
        rows[known] = self._row_of[devices[known]]
        return rows

    def make_rows(self, devices: list[int]) -> None:
        """Room for devices without a row."""
        new = [device for device in devices if device >= len(self._row_of) or self._row_of[device] == _NO_ROW]
        if not new:
            return
        if max(new) >= len(self._row_of):
            grown = np.full(max(new) + 1, _NO_ROW, np.int64)
            grown[: len(self._row_of)] = self._row_of
            self._row_of = grown
        self._row_of[new] = np.arange(len(self.devices), len(self.devices) + len(new))
        self.devices += new
        capacity = len(self.columns["document"])
        if len(self.devices) > capacity:
            larger = max(len(self.devices), capacity + capacity // 4, _ROWS_FIRST)
            for name, column in self.columns.items():
                wider = np.zeros((larger, BLOCK_PERIODS), column.dtype)
                wider[:capacity] = column
                self.columns[name] = wider

    def get(self, rows: Int64Array, columns: Int64Array, name: str) -> NDArray[Any]:
        return self.columns[name][rows, columns]

    def put(self, rows: Int64Array, columns: Int64Array, cells: Cells) -> None:
        for name, values in zip(Cells._fields, cells, strict=True):
            self.columns[name][rows, columns] = values
        self._digest = b""

    def digest(self) -> bytes:
        """SHA-256 of the devices and their cells in the order of their ids."""
        if not self._digest:
            digest = hashlib.sha256()
            for part in self.content():
                digest.update(part)
            self._digest = digest.digest()
        return self._digest

    def content(self) -> Iterator[bytes]:
        """Device ids, then each column, in the order of the ids."""
        order = np.argsort(self.devices)
        yield np.array(self.devices, "<u4")[order].tobytes()
        for name, _ in _COLUMNS:
            yield self.columns[name][order].tobytes()

    @classmethod
    def from_content(cls, parts: list[bytes]) -> "Block":
        block = cls()
        ids, *columns = parts
        block.make_rows(np.frombuffer(ids, "<u4").tolist())
        for (name, dtype), data in zip(_COLUMNS, columns, strict=True):
            block.columns[name][: len(block.devices)] = np.frombuffer(data, dtype).reshape(-1, BLOCK_PERIODS)
        return block
