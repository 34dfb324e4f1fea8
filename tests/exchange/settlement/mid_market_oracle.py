"""One period of the pool at the mid-market rate in plain Python: what `mid_market_columns` is compared with."""

from dataclasses import dataclass

from exchange.units import POWER_TICK_MICRO_PER_KWH, WH_PER_KWH, divide_half_even, split_by_largest_remainder


@dataclass(frozen=True, slots=True)
class MidMarketBill:
    """One period of a pool at the mid-market rate, micro-CNY: what each member pays for withdrawal and receives for injection."""

    paid_micro: list[int]
    received_micro: list[int]


def mid_market_bill(retail_ticks: int, feed_in_ticks: int, withdrawal_wh: list[int], injection_wh: list[int]) -> MidMarketBill:
    """Split one period at the mid-market rate: withdrawals share the buyers' cost by energy, injections the sellers' income.

    Both totals are exact before they round half-even once; each split sums to its total exactly (largest remainder).
    """
    demand, generation = sum(withdrawal_wh), sum(injection_wh)
    inside = min(demand, generation)
    # In half ticks x Wh: both totals are integers.
    bought = (retail_ticks + feed_in_ticks) * inside + 2 * retail_ticks * (demand - inside)
    sold = (retail_ticks + feed_in_ticks) * inside + 2 * feed_in_ticks * (generation - inside)
    return MidMarketBill(_split_signed(bought, withdrawal_wh), _split_signed(sold, injection_wh))


def _split_signed(half_tick_wh: int, weights: list[int]) -> list[int]:
    if not any(weights):
        return [0] * len(weights)
    total = divide_half_even(half_tick_wh * POWER_TICK_MICRO_PER_KWH, 2 * WH_PER_KWH)
    shares = split_by_largest_remainder(abs(total), weights)
    return shares if total >= 0 else [-share for share in shares]
