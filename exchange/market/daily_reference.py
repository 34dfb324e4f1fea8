"""Daily reference price of an instrument with a price limit (涨跌幅限制): the close of a day and the bands it gives for the next.

Rule: docs/rules.md, "CEA". The close is the volume-weighted average of the day's listed trades, rounded half-even to the tick; without a trade the
close before stays. Sums are exact integers. Bands are rounded inwards, so a price at the edge is never beyond the stated share.
"""

from dataclasses import dataclass
from typing import Any

from exchange.protocol.documents import InstrumentSpec
from exchange.units import PPM, divide_half_even


@dataclass(frozen=True, slots=True)
class Band:
    """Prices that are allowed, both edges included, in ticks."""

    low_ticks: int
    high_ticks: int

    def __contains__(self, price_ticks: int) -> bool:
        return self.low_ticks <= price_ticks <= self.high_ticks


def band_around(close_ticks: int, limit_ppm: int, spec: InstrumentSpec) -> Band:
    """The band of `limit_ppm` parts per million on both sides of a close, inside the range of the instrument."""
    low_ticks = -(-close_ticks * (PPM - limit_ppm) // PPM)
    high_ticks = close_ticks * (PPM + limit_ppm) // PPM
    return Band(max(low_ticks, spec.min_price_ticks), min(high_ticks, spec.max_price_ticks))


@dataclass(slots=True)
class DailyReference:
    """`turnover_tick_lots` and `traded_lots` are those of the listed trades since the last close."""

    previous_close_ticks: int
    turnover_tick_lots: int = 0
    traded_lots: int = 0

    def add_trades(self, turnover_tick_lots: int, lots: int) -> None:
        """Listed trades of the day."""
        self.turnover_tick_lots += turnover_tick_lots
        self.traded_lots += lots

    def fix_close(self) -> int:
        """End the day: the close in ticks, which is the next day's reference; the sums start anew."""
        if self.traded_lots:
            self.previous_close_ticks = divide_half_even(self.turnover_tick_lots, self.traded_lots)
        self.turnover_tick_lots = self.traded_lots = 0
        return self.previous_close_ticks

    def to_canonical(self) -> list[Any]:
        """The turnover as text: it may need more than 64 bits."""
        return [self.previous_close_ticks, str(self.turnover_tick_lots), self.traded_lots]

    @classmethod
    def from_canonical(cls, content: list[Any]) -> "DailyReference":
        """Inverse of `to_canonical`."""
        close_ticks, turnover, lots = content
        return cls(close_ticks, int(turnover), lots)


def limit_problem(spec: InstrumentSpec) -> str | None:
    """The first rule that the daily limits of an instrument break, as a stable name; None when it has none or they may stand."""
    if not spec.limit_ppm:
        has_others = spec.previous_close_ticks or spec.block_limit_ppm or spec.block_min_lots
        return "daily_limit_missing" if has_others else None
    if spec.instrument_class == "power" or spec.calendar == "continuous":
        return "daily_limit_without_trading_days"
    if not 0 < spec.limit_ppm < PPM:
        return "daily_limit_out_of_range"
    if not spec.min_price_ticks <= spec.previous_close_ticks <= spec.max_price_ticks:
        return "previous_close_out_of_range"
    if band_around(spec.previous_close_ticks, spec.limit_ppm, spec) != Band(spec.band_low_ticks, spec.band_high_ticks):
        return "band_is_not_the_daily_limit"
    if bool(spec.block_limit_ppm) is not bool(spec.block_min_lots) or spec.block_min_lots < 0 or not 0 <= spec.block_limit_ppm < PPM:
        return "block_terms_out_of_range"
    return None
