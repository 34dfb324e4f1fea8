"""Limits of a surrender, of carrying over, and the fine for what is missing. Source: docs/rules.md, "Allowances"."""

from exchange.units import PPM, divide_half_even


def ccer_limit_t(obligation_t: int, cap_ppm: int) -> int:
    """CCER that may be surrendered for an obligation (抵销比例), rounded down: 5 % of 52,000 is 2,600."""
    return obligation_t * cap_ppm // PPM


def carry_over_limit_t(sold_t: int, bought_t: int, carry_over_ppm: int) -> int:
    """Most allowances of a vintage that may be carried over: 1.5 times its net sales, by default."""
    return max(0, sold_t - bought_t) * carry_over_ppm // PPM


def fine_micro(shortfall_t: int, turnover_micro: int, traded_t: int, multiple_ppm: int) -> int:
    """Multiple x shortfall x average price, in micro-CNY, rounded half-even once. Raises ZeroDivisionError when nothing traded."""
    return divide_half_even(shortfall_t * turnover_micro * multiple_ppm, traded_t * PPM)
