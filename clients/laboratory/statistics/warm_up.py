"""What of a series belongs to the warm-up: MSER-5 (White 1997, "An effective truncation heuristic for bias reduction in simulation output",
Simulation 69; batches of five after White, Cobb and Spratt 2000).

The series is cut into batches of five and truncated where the standard error of the mean of what is left is smallest: earlier keeps the bias, later
throws data away. The last five batches are no candidates, since a few values may be alike by chance. A minimum in the second half says that the
series is too short to tell (Hoad, Robinson and Davies 2010), and then there is no answer.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

BATCH: Final = 5
BATCHES_MIN: Final = 10
_LAST: Final = 5


def mser5(series: Sequence[float]) -> int | None:
    """How many values to drop from the beginning, a multiple of BATCH; None where the series is too short to tell. Linear in its length."""
    n = len(series) // BATCH
    if n < BATCHES_MIN:
        return None
    means = np.asarray(series[: n * BATCH], np.float64).reshape(n, BATCH).mean(axis=1)
    centred = means - means.mean()
    left = np.arange(n, 0, -1, dtype=np.float64)
    sums, squares = np.cumsum(centred[::-1])[::-1], np.cumsum((centred**2)[::-1])[::-1]
    # Sum of squared deviations of the batches that are left, over the square of their number.
    statistic = np.maximum(squares - sums**2 / left, 0.0) / left**2
    best = int(np.argmin(statistic[: n - _LAST]))
    return None if 2 * best > n else best * BATCH
