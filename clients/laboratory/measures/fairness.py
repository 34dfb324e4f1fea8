"""Fairness: how evenly savings fall, as a share of each participant's bill in the pool."""

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.measures.bills import saving_micro
from clients.laboratory.measures.figures import Figure, Integers, quotient
from clients.laboratory.run.record import RunRecord


def fairness_measures(record: RunRecord) -> dict[str, Figure]:
    """Gini and Jain are None where somebody saves less than nothing: `participants_losing` (bills) says how many. `fairness_participants` are those
    with a bill in the pool, paid or received.
    """
    shares = saving_shares(saving_micro(record), record.bill_pool_micro.sum(axis=1))
    return {"gini": gini(shares), "jain": jain(shares), "fairness_participants": len(shares)}


def saving_shares(saving_micro_of: Integers, pool_bill_micro: Integers) -> NDArray[np.float64]:
    """Savings as a share of what the pool's bill comes to, of those whose bill is not zero; a negative bill is an income and counts by its size."""
    chosen = pool_bill_micro != 0
    shares: NDArray[np.float64] = saving_micro_of[chosen] / np.abs(pool_bill_micro[chosen])
    return shares


def gini(shares: NDArray[np.float64]) -> float | None:
    """Gini (1912): mean absolute difference of all pairs over twice the mean; 0 all alike. None with a negative share or no saving at all."""
    if not len(shares) or shares.min() < 0 or shares.sum() == 0:
        return None
    ordered = np.sort(shares)
    n = len(ordered)
    return float(((2 * np.arange(1, n + 1) - n - 1) * ordered).sum() / (n * ordered.sum()))


def jain(shares: NDArray[np.float64]) -> float | None:
    """Jain, Chiu and Hawe (1984): (sum x)^2 / (n sum x^2); 1 all alike, 1/n one has all. None as for Gini."""
    if not len(shares) or shares.min() < 0:
        return None
    return quotient(float(shares.sum()) ** 2, len(shares) * float((shares**2).sum()))
