"""Record arrays that grow at their end, for tables that only ever get longer."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_FIRST_CAPACITY: Final = 16


class Rows:
    """`rows` is a view of what is there, in the order in which it came."""

    def __init__(self, dtype: np.dtype[Any], content: bytes = b"") -> None:
        self._rows = np.frombuffer(content, dtype).copy()
        self._count = len(self._rows)

    @property
    def rows(self) -> NDArray[Any]:
        return self._rows[: self._count]

    def __len__(self) -> int:
        return self._count

    def append(self, new: NDArray[Any]) -> None:
        """Costs what the new rows cost, on average."""
        need = self._count + len(new)
        if need > len(self._rows):
            grown = np.zeros(max(need, 2 * len(self._rows), _FIRST_CAPACITY), self._rows.dtype)
            grown[: self._count] = self.rows
            self._rows = grown
        self._rows[self._count : need] = new
        self._count = need
