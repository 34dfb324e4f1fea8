"""Columns of record arrays as Python values."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def values_of(column: NDArray[Any]) -> list[Any]:
    """The column as int or, for bytes, as str; shape (n,)."""
    values: list[Any] = (column.astype(f"U{column.dtype.itemsize}") if column.dtype.kind == "S" else column).tolist()
    return values


def joined(arrays: Sequence[NDArray[np.void]]) -> NDArray[np.void]:
    """Record arrays of one dtype behind each other, a new array. Many times faster than np.concatenate, which compares all fields of each."""
    return np.frombuffer(bytearray().join(array.tobytes() for array in arrays), arrays[0].dtype)
