"""What a strategy may ask for. The runner turns actions into requests; a strategy never touches the wire."""

from dataclasses import dataclass
from typing import Literal

from clients.bots.market import Side

TimeInForce = Literal["gtc", "session", "ioc", "fok"]


@dataclass(frozen=True, slots=True)
class Place:
    """A new limit order; `label` names the strategy, so that several can share an account."""

    symbol: str
    side: Side
    price_ticks: int
    quantity_lots: int
    time_in_force: TimeInForce = "gtc"
    post_only: bool = False
    label: int = 0


@dataclass(frozen=True, slots=True)
class Basket:
    """Fill-or-kill orders in different instruments that fill together or not at all; of a leg, time in force and post-only do not count."""

    legs: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Cancel the strategy's own orders in an instrument."""

    symbol: str
    label: int = 0


@dataclass(frozen=True, slots=True)
class Schedule:
    """What a storage will do in a period, told to the exchange (nomination) and to its own battery; injection positive."""

    symbol: str
    delivery_start_ns: int
    injection_wh: int


Action = Place | Basket | Withdraw | Schedule
