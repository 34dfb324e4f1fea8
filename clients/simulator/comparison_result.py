"""What the comparison of the three bills says: one line a participant, storage and operator, and the periods without gain from trade."""

from dataclasses import dataclass
from enum import StrEnum

from clients.simulator.comparison_storage import Schedule
from clients.simulator.comparison_text import describe_comparison
from exchange.settlement.rendering import Language


class LineKind(StrEnum):
    MEMBER = "member"
    STORAGE = "storage"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class BillLine:
    """One row of the comparison, paid positive. `soc_value_micro` is already subtracted from `market_micro`."""

    name: str
    kind: LineKind
    retail_micro: int
    pool_micro: int
    market_micro: int
    soc_value_micro: int

    @property
    def gain_micro(self) -> int:
        """Pool minus market: positive when the market serves the participant better than the pool."""
        return self.pool_micro - self.market_micro


class NoGainReason(StrEnum):
    """Why no trade of a period could leave both sides better off than the grid."""

    LIMIT_NOT_ABOVE_FEED_IN = "limit_not_above_feed_in"
    NO_SELLER = "no_seller"
    NO_BUYER = "no_buyer"


@dataclass(frozen=True, slots=True)
class NoGainPeriod:
    symbol: str
    reason: NoGainReason


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result. `lines` has who loses most first, the operator among them; `pool_schedules` is what the storage would have done there.

    `grid_*_micro` is what the grid company received net in each world. `pool_rounding_micro` is members + operator less grid in the pool, at
    most 2 micro-CNY a period; `market_residual_micro` the same in the market: rounding, and what is left when the caller's numbers disagree
    with the meters.
    """

    lines: tuple[BillLine, ...]
    no_gain_periods: tuple[NoGainPeriod, ...]
    grid_retail_micro: int
    grid_pool_micro: int
    grid_market_micro: int
    pool_rounding_micro: int
    market_residual_micro: int
    pool_schedules: tuple[Schedule, ...]
    soc_value_ticks: int  # the stated price of a kWh that the storage holds more or less at the end of the day

    @property
    def participants(self) -> tuple[BillLine, ...]:
        """Members and storage, who loses most first."""
        return tuple(line for line in self.lines if line.kind != LineKind.OPERATOR)

    @property
    def operator(self) -> BillLine:
        return next(line for line in self.lines if line.kind == LineKind.OPERATOR)

    @property
    def storage(self) -> tuple[BillLine, ...]:
        return tuple(line for line in self.lines if line.kind == LineKind.STORAGE)

    @property
    def losers(self) -> tuple[BillLine, ...]:
        return tuple(line for line in self.lines if line.gain_micro < 0)

    @property
    def bill_retail_micro(self) -> int:
        """Sum over members and storage."""
        return sum(line.retail_micro for line in self.participants)

    @property
    def bill_pool_micro(self) -> int:
        """Sum over members and storage."""
        return sum(line.pool_micro for line in self.participants)

    @property
    def bill_market_micro(self) -> int:
        """Sum over members and storage."""
        return sum(line.market_micro for line in self.participants)

    @property
    def gain_micro(self) -> int:
        """Pool minus market over everybody, the operator included."""
        return sum(line.gain_micro for line in self.lines)

    def describe(self, language: Language = "en") -> str:
        """The comparison as text: who loses first, the totals, the periods without gain from trade."""
        return describe_comparison(self, language)
