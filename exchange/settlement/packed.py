"""Arrays as canonical bytes: the smallest integer type that holds them, so equal arrays have equal bytes and a day of zeros takes none."""

from typing import Any

import numpy as np

from exchange.settlement.day_input import Int64Array

_KINDS = ("<i1", "<i2", "<i4", "<i8")


def pack(values: Int64Array) -> list[Any]:
    """[kind, shape, bytes]; an array of zeros has no bytes."""
    if not values.any():
        return ["", list(values.shape), b""]
    low, high = int(values.min()), int(values.max())
    kind = next(kind for kind in _KINDS if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max)
    return [kind, list(values.shape), values.astype(kind).tobytes()]


def unpack(packed: list[Any]) -> Int64Array:
    """Inverse of `pack`, as int64."""
    kind, shape, data = packed
    if not kind:
        return np.zeros(shape, np.int64)
    return np.frombuffer(data, kind).astype(np.int64).reshape(shape)
