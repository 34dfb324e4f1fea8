"""How many allowances an entity gets: by output and benchmark, before that a share of last year's emissions, and the true-up between the two.

Source: docs/rules.md, "Allowances". Emissions in g, allowances in t. Allocation is rounded down, obligation up (design: a fraction of a ton is
never given and always owed).
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from exchange.protocol.value_chain.allowances import OutputLine
from exchange.units import PPM

G_PER_T: Final = 1_000_000
# 100 million t a year: no entity emits more, and it times any price and multiple stays a number that is checked.
EMISSIONS_MAX_G: Final = 10**8 * G_PER_T
_OUTPUT_MAX: Final = 10**12
_BENCHMARK_MAX_G: Final = 10**10
_FACTOR_MAX_PPM: Final = 10 * PPM
_LINES_MAX: Final = 100
_FACTORS_MAX: Final = 8
_SCALE: Final[int] = PPM**_FACTORS_MAX


def obligation_t(emissions_g: int) -> int:
    """Allowances that verified emissions ask for (应清缴配额量)."""
    return -(-emissions_g // G_PER_T)


def pre_allocation_t(base_emissions_g: int, share_ppm: int) -> int:
    """A share of last year's verified emissions (预分配)."""
    return base_emissions_g * share_ppm // (PPM * G_PER_T)


def outputs_problem(outputs: Sequence[OutputLine]) -> str | None:
    """The first rule that lines of output break."""
    if not 0 < len(outputs) <= _LINES_MAX or any(not 0 < len(line.product) <= 64 for line in outputs):
        return "outputs_malformed"
    for line in outputs:
        if not 0 <= line.output_units <= _OUTPUT_MAX or not 0 <= line.benchmark_g_per_unit <= _BENCHMARK_MAX_G:
            return "output_out_of_range"
        if len(line.factors_ppm) > _FACTORS_MAX or any(not 0 <= factor <= _FACTOR_MAX_PPM for factor in line.factors_ppm):
            return "factor_out_of_range"
    return None


def intensity_allocation_t(outputs: Sequence[OutputLine]) -> int:
    """Sum of output x benchmark x factors, rounded down once to whole t."""
    return sum(_scaled_g(line) for line in outputs) // (G_PER_T * _SCALE)


def _scaled_g(line: OutputLine) -> int:
    """Emissions of a line in g times _SCALE, exactly."""
    return line.output_units * line.benchmark_g_per_unit * math.prod(line.factors_ppm, start=_SCALE) // math.prod(PPM for _ in line.factors_ppm)


class Grant(NamedTuple):
    """What an allocation of `entitled_t` comes to: `cut_t` and `debt_t` are withheld for what the entity owes, the rest is issued."""

    issued_t: int
    cut_t: int
    debt_t: int


def grant(entitled_t: int, cut_t: int, debt_t: int) -> Grant:
    """The cut for a shortfall comes first, then the debt of an earlier true-up, then the entity."""
    cut = min(entitled_t, cut_t)
    debt = min(entitled_t - cut, debt_t)
    return Grant(entitled_t - cut - debt, cut, debt)


class TakeBack(NamedTuple):
    """What a negative true-up comes to: `taken_t` from the account, `debt_t` owed because it no longer holds so many."""

    taken_t: int
    debt_t: int


def take_back(excess_t: int, free_t: int) -> TakeBack:
    """What was allocated too much goes back."""
    taken = min(excess_t, free_t)
    return TakeBack(taken, excess_t - taken)
