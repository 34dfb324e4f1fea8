"""What each rule of surveillance measures against (docs/rules.md, "Surveillance"). Shares in parts per million, times in ns of exchange time."""

from dataclasses import asdict, dataclass, field
from typing import Any

from exchange.units import NS_PER_HOUR, NS_PER_MINUTE, NS_PER_SECOND


@dataclass(frozen=True, slots=True)
class WashTrades:
    """Between accounts of one beneficial owner: any trade. Between others: `min_trades` back and forth that leave little net change."""

    window_ns: int = NS_PER_HOUR
    min_trades: int = 4
    net_ppm: int = 100_000


@dataclass(frozen=True, slots=True)
class Layering:
    """`min_orders` cancelled within `window_ns` after a fill on the other side, together `multiple` times what was filled."""

    window_ns: int = NS_PER_MINUTE
    min_orders: int = 3
    multiple: int = 5


@dataclass(frozen=True, slots=True)
class MarkingTheClose:
    """One owner with `share_ppm` of what was bought (or sold) in the last `window_ns`, which moved the price by `move_ppm` that way."""

    window_ns: int = 5 * NS_PER_MINUTE
    min_trades: int = 2
    share_ppm: int = 500_000
    move_ppm: int = 20_000


@dataclass(frozen=True, slots=True)
class Squeeze:
    """One owner with `share_ppm` of all that is bought net, while the average price of the last `window_ns` is `rise_ppm` above that before."""

    window_ns: int = 30 * NS_PER_MINUTE
    share_ppm: int = 500_000
    rise_ppm: int = 100_000


@dataclass(frozen=True, slots=True)
class Withholding:
    """`share_ppm` of what was injected was neither sold nor offered, in a period whose average price was `price_ppm` of the day's."""

    share_ppm: int = 200_000
    price_ppm: int = 1_200_000
    min_wh: int = 10_000


@dataclass(frozen=True, slots=True)
class OrderToTrade:
    """More than `ratio` order commands a trade in `window_ns`, from `min_commands` on; `maker_ratio` for market makers, who have to quote."""

    window_ns: int = NS_PER_HOUR
    min_commands: int = 500
    ratio: int = 100
    maker_ratio: int = 1_000


@dataclass(frozen=True, slots=True)
class Parameters:
    """Of all rules. An alert on the same rule, instrument and accounts is raised again after `repeat_ns` only."""

    wash_trades: WashTrades = field(default_factory=WashTrades)
    layering: Layering = field(default_factory=Layering)
    marking_the_close: MarkingTheClose = field(default_factory=MarkingTheClose)
    squeeze: Squeeze = field(default_factory=Squeeze)
    withholding: Withholding = field(default_factory=Withholding)
    order_to_trade: OrderToTrade = field(default_factory=OrderToTrade)
    repeat_ns: int = 600 * NS_PER_SECOND


def named(rule: Any) -> dict[str, int]:
    """The parameters of one rule by name."""
    return asdict(rule)
