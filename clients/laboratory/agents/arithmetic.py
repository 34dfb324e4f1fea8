"""Exponential and logarithm from +, -, * and / alone, the same bits on every machine; libm's differ from system to system.

Both reduce their argument by powers of two, which is exact, and sum a Taylor series on what is left: relative error below 1e-14, tested against
decimal arithmetic of fifty digits.
"""

import math
from typing import Any, Final

import numpy as np

from matching.compile import kernel

_LN2_HIGH: Final = 0.693147180369123816490  # 32 bits of ln 2: a whole multiple below 2**20 is exact
_LN2_LOW: Final = 1.90821492927058770002e-10
_EXPONENT_MAX: Final = 700.0
_SQRT2: Final = 1.4142135623730951
_EXP_COEFFICIENTS: Final = np.array([1.0 / math.factorial(n) for n in range(15, 0, -1)])  # whole numbers divided: no libm
_LOG_COEFFICIENTS: Final = np.array([1.0 / (2 * n + 1) for n in range(13, -1, -1)])
_SMALL: Final = 0.35


@kernel(internal=True)
def power_of_two(exponent: Any) -> Any:
    """2**exponent, exact; |exponent| below 1022."""
    result, base = 1.0, 2.0 if exponent >= 0 else 0.5
    left = abs(exponent)
    while left > 0:
        if left & 1:
            result *= base
        base *= base if left > 1 else 1.0
        left >>= 1
    return result


@kernel(internal=True)
def _series(x: Any) -> Any:
    """e**x - 1 by its Taylor series; |x| up to 0.35."""
    total = 0.0
    for term in range(15):
        total = total * x + _EXP_COEFFICIENTS[term]
    return total * x


@kernel(internal=True)
def exponential(x: Any) -> Any:
    """e**x. Arguments beyond 700 count as 700."""
    bounded = min(max(x, -_EXPONENT_MAX), _EXPONENT_MAX)
    halves = int(bounded / (_LN2_HIGH + _LN2_LOW) + (0.5 if bounded >= 0.0 else -0.5))
    rest = (bounded - halves * _LN2_HIGH) - halves * _LN2_LOW
    return (1.0 + _series(rest)) * power_of_two(halves)


@kernel(internal=True)
def exponential_less_one(x: Any) -> Any:
    """e**x - 1, exact near 0."""
    return _series(x) if -_SMALL < x < _SMALL else exponential(x) - 1.0


@kernel(internal=True)
def _twice_artanh(s: Any) -> Any:
    """ln((1 + s) / (1 - s)); |s| up to 0.22."""
    square, total = s * s, 0.0
    for term in range(14):
        total = total * square + _LOG_COEFFICIENTS[term]
    return 2.0 * s * total


@kernel(internal=True)
def logarithm(x: Any) -> Any:
    """Natural logarithm of a positive normal double."""
    mantissa, twos, step = x, 0, 512
    while step > 0:
        factor = power_of_two(step)
        if mantissa >= factor:
            mantissa /= factor
            twos += step
        elif mantissa * factor < 2.0:
            mantissa *= factor
            twos -= step
        step >>= 1
    if mantissa > _SQRT2:
        mantissa *= 0.5
        twos += 1
    return (twos * _LN2_LOW + _twice_artanh((mantissa - 1.0) / (mantissa + 1.0))) + twos * _LN2_HIGH


@kernel(internal=True)
def logarithm_of_one_plus(x: Any) -> Any:
    """ln(1 + x), exact near 0; x above -1."""
    return _twice_artanh(x / (2.0 + x)) if -_SMALL < x < _SMALL else logarithm(1.0 + x)
