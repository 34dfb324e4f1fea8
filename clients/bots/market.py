"""What a bot sees of the market, as integers: contracts, quotes, its own orders and positions. Read-only to strategies, no I/O.

A strategy is a function of a `MarketView` and of its own private data, so it can be tested without an exchange.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from exchange.protocol.decimals import parse_decimal
from exchange.protocol.messages import InstrumentResult
from exchange.units import PERIOD_NS, WH_PER_KWH

Side = Literal["buy", "sell"]

POWER: Final = "power"


@dataclass(frozen=True, slots=True)
class Contract:
    """An instrument as a bot needs it: prices in ticks, quantities in lots, fees in ticks of one lot's price (rounded up)."""

    symbol: str
    instrument_class: str
    price_decimals: int
    quantity_decimals: int
    band_low_ticks: int
    band_high_ticks: int
    max_order_lots: int
    open_ns: int
    close_ns: int
    delivery_start_ns: int
    deficit_ticks: int
    surplus_ticks: int
    park_fee_ticks: int
    trade_fee_ticks: int
    call_end_ns: int = 0  # of the opening auction, 0: there is none
    periods: int = 1  # quarter-hours of delivery; of a block more than one

    @property
    def is_power(self) -> bool:
        """Whether it is energy of one quarter-hour, which is what strategies for power trade."""
        return self.instrument_class == POWER and self.periods == 1

    @property
    def is_block(self) -> bool:
        return self.instrument_class == POWER and self.periods > 1

    def covers(self, other: "Contract") -> bool:
        """Whether a trade of this block is one of the quarter-hour `other`."""
        end_ns = self.delivery_start_ns + self.periods * PERIOD_NS
        return self.is_block and other.is_power and self.delivery_start_ns <= other.delivery_start_ns < end_ns

    @property
    def lot_wh(self) -> int:
        """Energy of one lot of a power contract, whose quoted unit is the kWh."""
        return WH_PER_KWH // int(10**self.quantity_decimals)

    @classmethod
    def from_wire(cls, wire: InstrumentResult) -> "Contract":
        """Parse the exchange's description of an instrument."""

        def ticks(text: str) -> int:
            return parse_decimal(text, wire.price_decimals) if text else 0

        worst_lot_micro = max(wire.maker_fee_lot_micro, wire.taker_fee_lot_micro)
        worst_tick_micro = max(wire.maker_fee_tick_lot_micro, wire.taker_fee_tick_lot_micro)
        fee_micro = worst_lot_micro + worst_tick_micro * ticks(wire.band_high)
        return cls(
            symbol=wire.symbol,
            instrument_class=wire.instrument_class,
            price_decimals=wire.price_decimals,
            quantity_decimals=wire.quantity_decimals,
            band_low_ticks=ticks(wire.band_low),
            band_high_ticks=ticks(wire.band_high),
            max_order_lots=parse_decimal(wire.max_order, wire.quantity_decimals),
            open_ns=wire.open_ns,
            close_ns=wire.close_ns,
            call_end_ns=wire.open_ns + wire.opening_auction_ns if wire.opening_auction_ns else 0,
            delivery_start_ns=wire.delivery_start_ns,
            deficit_ticks=ticks(wire.deficit_price),
            surplus_ticks=ticks(wire.surplus_price),
            park_fee_ticks=_ceil_div(wire.park_fee_lot_micro, wire.multiplier_micro),
            trade_fee_ticks=_ceil_div(fee_micro, wire.multiplier_micro),
            periods=(wire.delivery_end_ns - wire.delivery_start_ns) // PERIOD_NS if wire.instrument_class == POWER else 1,
        )


class Quote(NamedTuple):
    """Best prices and their quantities, and the last trade; None where there is none."""

    bid_ticks: int | None = None
    bid_lots: int = 0
    ask_ticks: int | None = None
    ask_lots: int = 0
    last_ticks: int | None = None


class Trade(NamedTuple):
    """A public trade; `taker` is the side that came second, None in an auction."""

    price_ticks: int
    quantity_lots: int
    taker: Side | None


class OwnOrder(NamedTuple):
    """A resting order of the bot's own account."""

    order_id: int
    side: Side
    price_ticks: int
    remaining_lots: int
    label: int


NO_QUOTE: Final = Quote()


@dataclass(slots=True)
class MarketView:
    """The market as one account sees it at the start of a turn. `net_lots` is bought positive, contracts included, units owned."""

    now_ns: int
    contracts: Mapping[str, Contract]
    quotes: Mapping[str, Quote] = field(default_factory=dict)
    net_lots: Mapping[str, int] = field(default_factory=dict)
    orders: Mapping[str, list[OwnOrder]] = field(default_factory=dict)
    trades: Mapping[str, list[Trade]] = field(default_factory=dict)  # since the last turn
    sellable_lots: Mapping[str, int] = field(default_factory=dict)  # units owned at the start and not sold since
    open_units: frozenset[str] = frozenset()  # symbols of certificates and credits in session

    def quote(self, symbol: str) -> Quote:
        return self.quotes.get(symbol, NO_QUOTE)

    def net(self, symbol: str) -> int:
        return self.net_lots.get(symbol, 0)

    def own_orders(self, symbol: str, label: int | None = None) -> list[OwnOrder]:
        """Own resting orders of an instrument, of one label or of all."""
        orders = self.orders.get(symbol, [])
        return orders if label is None else [order for order in orders if order.label == label]

    def open_lots(self, symbol: str, side: Side) -> int:
        """Own resting quantity on one side."""
        return sum(order.remaining_lots for order in self.orders.get(symbol, []) if order.side == side)

    def is_open(self, contract: Contract) -> bool:
        """Whether orders are accepted now: power by its calendar, units by their session."""
        if contract.is_power:
            return contract.open_ns <= self.now_ns < contract.close_ns
        return contract.symbol in self.open_units

    def gathers(self, contract: Contract) -> bool:
        """Whether orders gather for the opening auction of a contract."""
        return contract.open_ns <= self.now_ns < contract.call_end_ns

    def open_power(self) -> list[Contract]:
        """Power contracts open now, the next gate first."""
        return sorted((c for c in self.contracts.values() if c.is_power and self.is_open(c)), key=lambda c: c.close_ns)


def contracts_by_symbol(instruments: Iterable[InstrumentResult]) -> dict[str, Contract]:
    """All instruments of an exchange, by symbol."""
    return {wire.symbol: Contract.from_wire(wire) for wire in instruments}


def _ceil_div(numerator: int, denominator: int) -> int:
    return -(-numerator // denominator)
