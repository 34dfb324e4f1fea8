"""A sparse linear program put together by families of variables and rows, solved by HiGHS through scipy. Minimises."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array

from exchange.errors import CheckFailedError

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
# Variables of one family, a coefficient of each (or one of all): one term of a row.
Term = tuple[Places, ArrayLike]


class _Rows:
    """Rows of one kind, as coordinates."""

    def __init__(self) -> None:
        self.count = 0
        self.row: list[Places] = []
        self.column: list[Places] = []
        self.value: list[Floats] = []
        self.right: list[Floats] = []

    def add(self, terms: Sequence[Term], right: ArrayLike, count: int) -> Places:
        rows = self.count + np.arange(count)
        for places, coefficient in terms:
            self.row.append(rows)
            self.column.append(places)
            self.value.append(np.broadcast_to(np.asarray(coefficient, np.float64), (count,)))
        self.right.append(np.broadcast_to(np.asarray(right, np.float64), (count,)))
        self.count += count
        return rows

    def matrix(self, variables: int) -> csr_array | None:
        if not self.count:
            return None
        coordinates = (np.concatenate(self.row), np.concatenate(self.column))
        return csr_array((np.concatenate(self.value), coordinates), shape=(self.count, variables))

    def right_side(self) -> Floats | None:
        return np.concatenate(self.right) if self.count else None


class Optimum:
    """Values of the variables, the objective, and what one more of each equal row's right side would add to it."""

    def __init__(self, values: Floats, objective: float, marginals: Floats) -> None:
        self.values, self.objective, self.marginals = values, objective, marginals


class LinearProgram:
    """Collects, then solves once."""

    def __init__(self) -> None:
        self._cost: list[Floats] = []
        self._low: list[Floats] = []
        self._high: list[Floats] = []
        self._count = 0
        self._equal, self._at_most = _Rows(), _Rows()

    def variables(self, count: int, *, cost: ArrayLike = 0.0, low: ArrayLike = 0.0, high: ArrayLike = np.inf) -> Places:
        """Places of `count` new variables; cost and bounds one for all or one each."""
        for collected, value in ((self._cost, cost), (self._low, low), (self._high, high)):
            collected.append(np.broadcast_to(np.asarray(value, np.float64), (count,)))
        self._count += count
        return self._count - count + np.arange(count)

    def upper(self, places: Places) -> Floats:
        """Upper bounds of variables."""
        return np.concatenate(self._high)[places]

    def equal(self, terms: Sequence[Term], right: ArrayLike, count: int) -> Places:
        """`count` rows: the sum of the terms equals `right`. Places of the rows among the equal ones."""
        return self._equal.add(terms, right, count)

    def at_most(self, terms: Sequence[Term], right: ArrayLike, count: int) -> None:
        """`count` rows: the sum of the terms is at most `right`."""
        self._at_most.add(terms, right, count)

    def solve(self, name: str) -> Optimum:
        """Raises CheckFailedError with the solver's reason where there is no optimum."""
        if not self._count:
            return Optimum(np.zeros(0), 0.0, np.zeros(self._equal.count))
        bounds = np.stack([np.concatenate(self._low), np.concatenate(self._high)], axis=1)
        found = linprog(
            np.concatenate(self._cost), A_ub=self._at_most.matrix(self._count), b_ub=self._at_most.right_side(),
            A_eq=self._equal.matrix(self._count), b_eq=self._equal.right_side(), bounds=bounds, method="highs",
        )  # fmt: skip
        if found.status != 0:
            raise CheckFailedError(f"{name}: {found.message}")
        return Optimum(found.x, float(found.fun), np.asarray(found.eqlin.marginals, np.float64) if self._equal.count else np.zeros(0))
