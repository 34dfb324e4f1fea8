"""Units of the exchange: every quantity that touches an order, a balance or a certificate is an int64.

| quantity | unit inside |
|---|---|
| price | ticks of the instrument |
| quantity | lots of the instrument |
| money | micro-CNY |
| energy | Wh |
| time | ns since the epoch, UTC, half-open intervals |
"""

from collections.abc import Sequence
from typing import Final

INT64_MAX: Final = 2**63 - 1

MICRO_PER_CNY: Final = 1_000_000
MICRO_PER_FEN: Final = 10_000
WH_PER_KWH: Final = 1_000
WH_PER_MWH: Final = 1_000_000
NS_PER_SECOND: Final = 1_000_000_000
NS_PER_MINUTE: Final = 60 * NS_PER_SECOND
NS_PER_HOUR: Final = 60 * NS_PER_MINUTE
NS_PER_DAY: Final = 24 * NS_PER_HOUR
PERIOD_NS: Final = 15 * NS_PER_MINUTE
PPM: Final = 1_000_000

# Green power: tick 0.0001 CNY/kWh, lot 0.1 kWh, so one tick on one lot is 10 micro-CNY, exactly.
POWER_TICK_MICRO_PER_KWH: Final = 100
POWER_LOT_WH: Final = 100
POWER_MULTIPLIER_MICRO: Final = 10
# CEA, CCER, GEC, park credit: tick 0.01 CNY, lot one unit.
UNIT_MULTIPLIER_MICRO: Final = 10_000


def divide_half_even(numerator: int, denominator: int) -> int:
    """Quotient rounded to the nearest integer, ties to even; the one rounding rule of money.

    Raises ZeroDivisionError for a zero denominator; a negative denominator is allowed.
    """
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    quotient, remainder = divmod(numerator, denominator)
    twice = 2 * remainder
    if twice > denominator or (twice == denominator and quotient & 1):
        quotient += 1
    return quotient


def energy_cost_micro(energy_wh: int, price_micro_per_kwh: int) -> int:
    """Cost of an energy at a tariff, in micro-CNY, rounded half-even once."""
    return divide_half_even(energy_wh * price_micro_per_kwh, WH_PER_KWH)


def split_by_largest_remainder(total: int, weights: Sequence[int]) -> list[int]:
    """`total` >= 0 in proportion to `weights` >= 0, as integers that sum to it exactly; ties go to the earlier row.

    Hamilton's method: every share is its quota rounded down or up. Raises ValueError when nobody has a weight.
    """
    weight_sum = sum(weights)
    if weight_sum <= 0 or total < 0 or min(weights) < 0:
        raise ValueError("a split needs a total and weights that are not negative, and at least one weight")
    shares, remainders = [], []
    for weight in weights:
        share, remainder = divmod(total * weight, weight_sum)
        shares.append(share)
        remainders.append(remainder)
    by_remainder = sorted(range(len(shares)), key=lambda row: (-remainders[row], row))
    for row in by_remainder[: total - sum(shares)]:
        shares[row] += 1
    return shares
