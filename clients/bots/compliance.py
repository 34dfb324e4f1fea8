"""Compliance desk: works off obligations in certificates and credits (CEA, CCER, GEC, park credits) over the day, and sells what is left over.

Source: a time-sliced execution schedule (D. Bertsimas, A. W. Lo, "Optimal control of execution costs", Journal of Financial Markets 1 (1998):
equal slices are optimal without price impact), priced by giving way from a start to a limit.
"""

import numpy as np

from clients.bots.actions import Action, Place, Withdraw
from clients.bots.market import MarketView
from clients.bots.pricing import conceding_price
from clients.bots.private import ComplianceData, UnitProgramme
from clients.bots.strategy import Strategy


class Compliance(Strategy):
    """Buys at most what its programmes say, at most at their limits; sells only units it owned at the start of the day."""

    def __init__(self, data: ComplianceData, rng: np.random.Generator, label: int = 0) -> None:
        super().__init__(label)
        self.data = data
        self._haste = float(rng.uniform(0.5, 1.5))
        self._owned_before: dict[str, int] = {}

    def withdrawals(self, view: MarketView) -> list[Withdraw]:
        symbols = {programme.symbol for programme in self.data.programmes} & view.open_units
        return [Withdraw(symbol, self.label) for symbol in sorted(symbols) if view.own_orders(symbol, self.label)]

    def on_turn(self, view: MarketView) -> list[Action]:
        return [order for programme in self.data.programmes for order in self._orders(view, programme)]

    def _orders(self, view: MarketView, programme: UnitProgramme) -> list[Place]:
        contract = view.contracts.get(programme.symbol)
        if contract is None:
            return []
        before = self._owned_before.setdefault(programme.symbol, view.net(programme.symbol))
        if not view.is_open(contract):
            return []
        elapsed = min(max((view.now_ns - programme.first_ns) / (programme.last_ns - programme.first_ns), 0.0), 1.0)
        done = view.net(programme.symbol) - before
        wanted = abs(programme.quantity_lots)
        left = wanted - abs(done)
        due = int(wanted * min(1.0, elapsed + 1 / self.data.clips)) - abs(done)
        lots = min(left, due, contract.max_order_lots)
        if programme.quantity_lots < 0:
            lots = min(lots, view.sellable_lots.get(programme.symbol, 0))
        price = conceding_price(programme.start_ticks, programme.limit_ticks, elapsed**self._haste)
        price = min(max(price, contract.band_low_ticks), contract.band_high_ticks)
        beyond = price > programme.limit_ticks if programme.quantity_lots > 0 else price < programme.limit_ticks
        if lots <= 0 or beyond:
            return []
        return [Place(programme.symbol, "buy" if programme.quantity_lots > 0 else "sell", price, lots, label=self.label)]
