"""Columns of record arrays as Python values."""

from typing import Any

from numpy.typing import NDArray


def values_of(column: NDArray[Any]) -> list[Any]:
    """The column as int or, for bytes, as str; shape (n,)."""
    values: list[Any] = (column.astype(f"U{column.dtype.itemsize}") if column.dtype.kind == "S" else column).tolist()
    return values
