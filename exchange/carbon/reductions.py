"""Reductions of projects after ISO 14064-2, in integers: ER = BE - PE - LE, credits = floor(ER x (1 - uncertainty) x (1 - buffer)).

Emissions are in micrograms here, because Wh x mg/kWh is exactly that. What is below a ton is carried to the next issuance, rounded down.
Sources: docs/rules.md, "Credits of projects".
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from exchange.units import PPM

UG_PER_G: Final = 1_000_000
UG_PER_T: Final = UG_PER_G * 1_000_000
# 1 TWh of a monitoring period and 5 kg/kWh: their product is below the end of int64.
ENERGY_MAX_WH: Final = 10**12
FACTOR_MAX_MG_PER_KWH: Final = 5_000_000
_MILLI: Final = 1_000


def adjusted_baseline_wh(baseline_wh: int, wh_per_unit: Sequence[int], variables_milli: Sequence[int], non_routine_wh: int) -> int:
    """Energy that the site would have used without the measure (GB/T 28750, IPMVP): a constant, routine variables, non-routine adjustments.

    Variables are in thousandths of their units; the sum is rounded down once, so that no saving comes from rounding.
    """
    routine = sum(per_unit * value for per_unit, value in zip(wh_per_unit, variables_milli, strict=True))
    return baseline_wh + routine // _MILLI + non_routine_wh


def reductions_ug(energy_wh: int, factor_mg_per_kwh: int, project_emissions_g: int, leakage_g: int) -> int:
    """ER = BE - PE - LE; negative where a project emits more than it saves. BE is the energy that is generated or saved times its factor."""
    return energy_wh * factor_mg_per_kwh - (project_emissions_g + leakage_g) * UG_PER_G


class Earned(NamedTuple):
    """Credits and credits for the buffer in t, and what of each is carried, in micrograms, 0 <= carry < 1 t."""

    credits_t: int
    carry_ug: int
    buffer_t: int
    buffer_carry_ug: int


def earned(reductions: int, uncertainty_ppm: int, buffer_ppm: int, carry_ug: int = 0, buffer_carry_ug: int = 0) -> Earned:
    """Credits of verified reductions in micrograms, with the carry of the issuance before. Negative reductions earn nothing (they are reversals)."""
    certain = max(0, reductions) * (PPM - uncertainty_ppm)
    own, own_carry = divmod(certain * (PPM - buffer_ppm) // PPM**2 + carry_ug, UG_PER_T)
    buffer, rest = divmod(certain * buffer_ppm // PPM**2 + buffer_carry_ug, UG_PER_T)
    return Earned(own, own_carry, buffer, rest)


class Reversal(NamedTuple):
    """Where reversed credits come from, in t: the buffer, their owner, and what is owed by the project's next issuance."""

    buffer_t: int
    owner_t: int
    debt_t: int


def reversal(quantity_t: int, buffer_t: int, free_t: int) -> Reversal:
    """The buffer first, then what the owner holds free, the rest is a debt."""
    from_buffer = min(quantity_t, buffer_t)
    from_owner = min(quantity_t - from_buffer, free_t)
    return Reversal(from_buffer, from_owner, quantity_t - from_buffer - from_owner)
