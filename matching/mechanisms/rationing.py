"""Who trades when not all can: ties at the marginal price, lotteries, and burdens shared alike. All exact in integers.

Lot numbers come from a mixing function of the seed and an id (SplitMix64: Steele, Lea and Flood 2014, "Fast splittable pseudorandom number
generators"), not from a generator with a position: an order's number depends on no other order, so no report moves it, and it is the
same on every machine and with every version of numpy.
"""

from enum import IntEnum
from typing import Final

import numpy as np

from matching.mechanisms.interface import Rules, TieRule
from matching.mechanisms.ranking import RankedSide

INT64_MAX: Final = 2**63 - 1
GOLDEN_GAMMA: Final = 0x9E3779B97F4A7C15
MIX_1: Final = 0xBF58476D1CE4E5B9
MIX_2: Final = 0x94D049BB133111EB
MASK_64: Final = 2**64 - 1


class Draw(IntEnum):
    """What lot numbers are drawn for: draws for different purposes from one seed are independent."""

    TIE = 1
    HALF = 2
    QUEUE = 3
    SELLER = 4


def lot_numbers(seed: int, draw: Draw, ids: np.ndarray) -> np.ndarray:
    """One lot number (uint64) for each id, from the seed and the purpose alone. `ids`: int64."""
    start = _mix(np.array([(seed + draw * GOLDEN_GAMMA) & MASK_64], np.uint64))
    numbers: np.ndarray = _mix(start ^ _mix(ids.astype(np.uint64) * np.uint64(GOLDEN_GAMMA)))
    return numbers


def _mix(values: np.ndarray) -> np.ndarray:
    mixed: np.ndarray = (values ^ (values >> np.uint64(30))) * np.uint64(MIX_1)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(MIX_2)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def fill_best(side: RankedSide, lots: int, rules: Rules) -> np.ndarray:
    """Lots that each order of a side trades when its best `lots` trade, which it has: int64. Ties at the marginal price by the tie rule."""
    filled = in_sequence(side.quantity_lots, lots, side.end_lots)
    if lots == 0 or rules.tie == TieRule.TIME:
        return filled
    price = side.price_ticks[side.rank_of_lot(lots)]
    at_margin = np.flatnonzero(side.price_ticks == price)
    first, behind = int(at_margin[0]), int(at_margin[-1]) + 1
    quantity = side.quantity_lots[first:behind]
    left = lots - int(side.end_lots[first] - side.quantity_lots[first])
    if rules.tie == TieRule.PRO_RATA:
        filled[first:behind] = share(left, quantity)
    else:
        numbers = lot_numbers(rules.seed, Draw.TIE, side.order_id[first:behind])
        sequence = np.argsort(numbers, kind="stable")
        filled[first + sequence] = in_sequence(quantity[sequence], left)
    return filled


def in_sequence(quantity_lots: np.ndarray, lots: int, end_lots: np.ndarray | None = None) -> np.ndarray:
    """Give `lots` to the first, then to the next, each up to its quantity: int64. `end_lots` is their cumulated sum, where it is known."""
    end = np.cumsum(quantity_lots) if end_lots is None else end_lots
    filled: np.ndarray = np.clip(lots - (end - quantity_lots), 0, quantity_lots)
    return filled


def share(whole: int, weights: np.ndarray) -> np.ndarray:
    """Split `whole` in proportion to positive weights by the largest remainder, equal remainders to the earlier: int64, summing to `whole`."""
    total = int(weights.sum())
    exact = weights if abs(whole) * int(weights.max(initial=0)) <= INT64_MAX else weights.astype(object)
    quotient, remainder = exact * whole // total, exact * whole % total
    parts: np.ndarray = quotient.astype(np.int64)
    parts[np.argsort(-remainder, kind="stable")[: whole - int(parts.sum())]] += 1
    return parts


def share_burden(side: RankedSide, lots: int, rules: Rules) -> np.ndarray:
    """Cut all orders of a side by the same quantity, none below zero, until `lots` are left: int64.

    Lots that do not divide evenly are cut from the latest, or by the highest lot numbers where the tie rule is LOT.
    """
    quantity = side.quantity_lots
    if side.total_lots <= lots:
        return quantity.copy()
    low, high = 0, int(quantity.max())  # the cut is the largest that leaves at least `lots`
    while low < high:
        middle = (low + high + 1) // 2
        if int(np.maximum(quantity - middle, 0).sum()) >= lots:
            low = middle
        else:
            high = middle - 1
    filled: np.ndarray = np.maximum(quantity - low, 0)
    active = np.flatnonzero(filled)
    if rules.tie == TieRule.LOT:
        sequence = np.argsort(lot_numbers(rules.seed, Draw.TIE, side.order_id[active]), kind="stable")
    else:
        sequence = np.argsort(side.place[active], kind="stable")
    last = active[sequence][len(active) - (int(filled.sum()) - lots) :]
    filled[last] -= 1
    return filled
