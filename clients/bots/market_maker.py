"""A market maker: two-sided quotes within a limit, flat when the gate closes. Certificates have no market maker: they change hands once.

Source of the inventory skew: M. Avellaneda, S. Stoikov, "High-frequency trading in a limit order book", Quantitative Finance 8 (2008) 217-224:
the reservation price falls with the inventory, so that quotes lean towards getting rid of it.
"""

from typing import Final

import numpy as np

from clients.bots.actions import Action, Place, Withdraw
from clients.bots.market import Contract, MarketView, Side
from clients.bots.private import MarketMakerData
from clients.bots.strategy import Agenda, PowerStrategy
from exchange.units import NS_PER_MINUTE

# The inventory limit shrinks to zero over TAPER_NS before FLATTEN_NS. From there on the maker only closes its position: at what an imbalance
# would cost, and in the last turns at any price of the band.
FLATTEN_NS: Final = 60 * NS_PER_MINUTE
LAST_RESORT_NS: Final = 15 * NS_PER_MINUTE
TAPER_NS: Final = 120 * NS_PER_MINUTE
_SMOOTHING: Final = 0.3
# Excess of the wrong side, as a share of both, above which a market maker takes no position.
_CLEAR_SHARE: Final = 0.05
# Where the fair price stands between surplus and deficit price: below the first no long position is taken, above the second no short one.
_DEAR_SHARES: Final = (0.35, 0.6)


class MarketMaker(PowerStrategy):
    """Quotes power contracts of its agenda, and certificates other than green ones around reference prices while their session is open."""

    def __init__(self, data: MarketMakerData, rng: np.random.Generator, label: int = 0) -> None:
        super().__init__(label, Agenda(data.activity.near, data.activity.far, rng))
        self.data = data
        self._fair: dict[str, float] = {}
        self._others: dict[str, tuple[int, int]] = {}
        self._wanted: dict[str, float] = {}

    def withdrawals(self, view: MarketView) -> list[Withdraw]:
        power = super().withdrawals(view) if self.data.power else []
        self._others = {contract.symbol: _liquidity_of_others(view, contract.symbol) for contract in self._chosen}
        units = [Withdraw(symbol, self.label) for symbol in self.data.unit_reference_ticks if view.own_orders(symbol, self.label)]
        return [*power, *(order for order in units if order.symbol in view.open_units)]

    def choose(self, view: MarketView) -> list[Contract]:
        """Contracts of the agenda far enough from their gate, and every position or order nearer to it."""
        contracts = view.open_power()
        closing = [c for c in contracts if c.close_ns - view.now_ns <= FLATTEN_NS]
        to_flatten = [c for c in closing if view.net(c.symbol) or view.own_orders(c.symbol, self.label)]
        return to_flatten + self._agenda.choose(contracts[len(closing) :])

    def on_turn(self, view: MarketView) -> list[Action]:
        power = super().on_turn(view) if self.data.power else []
        units = [place for symbol in self.data.unit_reference_ticks for place in self._quote_units(view, symbol)]
        return [*power, *units]

    def quote(self, view: MarketView, contract: Contract) -> list[Action]:
        inventory = view.net(contract.symbol)
        remaining_ns = contract.close_ns - view.now_ns
        if remaining_ns <= FLATTEN_NS:
            return self._flatten(contract, inventory, last_resort=remaining_ns <= LAST_RESORT_NS)
        if contract.deficit_ticks - contract.park_fee_ticks <= contract.surplus_ticks:
            return []  # nobody can gain from a trade here
        share = min(1.0, (remaining_ns - FLATTEN_NS) / TAPER_NS)
        most = int(self.data.max_inventory_lots * share)
        fair = self._fair_ticks(view, contract)
        skew = self.data.half_spread_ticks * 2 * inventory / max(1, self.data.max_inventory_lots)
        # What is taken on must be covered by what others would take off it again, and lie on the side that is wanted for good.
        bid_lots, ask_lots = self._others[contract.symbol]
        wanted = self._wanted_share(contract.symbol, bid_lots, ask_lots)
        dear = (fair - contract.surplus_ticks) / max(1, contract.deficit_ticks - contract.surplus_ticks)
        longest = min(most, bid_lots) if wanted >= -_CLEAR_SHARE and dear >= _DEAR_SHARES[0] else 0
        shortest = min(most, ask_lots) if wanted <= _CLEAR_SHARE and dear <= _DEAR_SHARES[1] else 0
        buy_lots = min(self.data.clip_lots, longest - inventory)
        sell_lots = min(self.data.clip_lots, shortest + inventory)
        return [
            *self._levels(contract, "buy", int(fair - skew) - self.data.half_spread_ticks, buy_lots),
            *self._levels(contract, "sell", int(fair - skew) + 1 + self.data.half_spread_ticks, sell_lots),
        ]

    def _wanted_share(self, symbol: str, bid_lots: int, ask_lots: int) -> float:
        """Smoothed excess of others' bids over their asks, -1 to 1: where power is scarce a short position could not be closed, where it abounds a
        long one.
        """
        now = (bid_lots - ask_lots) / max(1, bid_lots + ask_lots)
        before = self._wanted.get(symbol, now)
        self._wanted[symbol] = before + _SMOOTHING * (now - before)
        return self._wanted[symbol]

    def _levels(self, contract: Contract, side: Side, price_ticks: int, lots: int) -> list[Place]:
        """Half of the clip a half spread behind the other half."""
        orders = []
        for level in range(min(self.data.activity.levels, lots)):
            behind = level * max(1, self.data.half_spread_ticks // 2)
            price = price_ticks - behind if side == "buy" else price_ticks + behind
            share = lots // self.data.activity.levels or 1
            if contract.band_low_ticks <= price <= contract.band_high_ticks:
                orders.append(Place(contract.symbol, side, price, min(share, contract.max_order_lots), label=self.label))
        return orders

    def _flatten(self, contract: Contract, inventory: int, *, last_resort: bool) -> list[Action]:
        """Close the position: takes what rests, and what is left rests at the best price there can be."""
        if inventory == 0:
            return []
        side: Side = "sell" if inventory > 0 else "buy"
        if last_resort:
            price = contract.band_low_ticks if inventory > 0 else contract.band_high_ticks
        else:
            price = contract.surplus_ticks if inventory > 0 else contract.deficit_ticks
        return [Place(contract.symbol, side, price, min(abs(inventory), contract.max_order_lots), label=self.label)]

    def _fair_ticks(self, view: MarketView, contract: Contract) -> float:
        """Exponential average of the middle of the quotes, or the last price; to begin with the middle of what power can be worth in the park."""
        fair = self._fair.get(contract.symbol, (contract.surplus_ticks + contract.deficit_ticks - contract.park_fee_ticks) / 2)
        quote = view.quote(contract.symbol)
        if quote.bid_ticks is not None and quote.ask_ticks is not None:
            fair += _SMOOTHING * ((quote.bid_ticks + quote.ask_ticks) / 2 - fair)
        elif quote.last_ticks is not None:
            fair += _SMOOTHING * (quote.last_ticks - fair)
        self._fair[contract.symbol] = fair
        return fair

    def _quote_units(self, view: MarketView, symbol: str) -> list[Place]:
        contract = view.contracts.get(symbol)
        if contract is None or not view.is_open(contract) or contract.instrument_class == "gec":
            return []
        reference = self.data.unit_reference_ticks[symbol]
        spread = self.data.unit_half_spread_ticks
        buy_lots = min(self.data.unit_clip_lots, self.data.unit_max_inventory_lots - view.net(symbol))
        sell_lots = min(self.data.unit_clip_lots, view.sellable_lots.get(symbol, 0))
        return [*self._levels(contract, "buy", reference - spread, buy_lots), *self._levels(contract, "sell", reference + spread, sell_lots)]


def _liquidity_of_others(view: MarketView, symbol: str) -> tuple[int, int]:
    """Quantities at the best bid and ask without the maker's own."""
    quote, own = view.quote(symbol), view.own_orders(symbol)
    own_bid = sum(order.remaining_lots for order in own if order.side == "buy" and order.price_ticks == quote.bid_ticks)
    own_ask = sum(order.remaining_lots for order in own if order.side == "sell" and order.price_ticks == quote.ask_ticks)
    return max(0, quote.bid_lots - own_bid), max(0, quote.ask_lots - own_ask)
