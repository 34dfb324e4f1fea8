"""Withholding (持留): energy that was there and was neither sold nor offered while prices were high. docs/rules.md, "Surveillance", rule withholding.

The exchange knows no forecast, so what was there is what the meter says was injected. Capacity that was not run at all is not seen here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from exchange.market.calendar import next_midnight_ns
from exchange.surveillance.events import Finding, Trade
from exchange.surveillance.parameters import Withholding, named
from exchange.units import NS_PER_DAY, POWER_LOT_WH

_DAYS_KEPT: Final = 7
_midnight_after: Final = lru_cache(maxsize=1_024)(next_midnight_ns)


@dataclass(slots=True)
class _Offer:
    """What one account offered in one period: sold net (contracts too), open now, and the most of both together at any moment."""

    sold_lots: int = 0
    open_lots: int = 0
    most_lots: int = 0

    def note(self) -> None:
        self.most_lots = max(self.most_lots, self.sold_lots + self.open_lots)


@dataclass(slots=True)
class _Prices:
    """Value and lots of trades, for an average."""

    value: int = 0
    lots: int = 0

    def add(self, trade: Trade) -> None:
        self.value += trade.price_ticks * trade.lots
        self.lots += trade.lots


@dataclass(slots=True)
class _Period:
    offers: dict[int, _Offer] = field(default_factory=dict)
    prices: _Prices = field(default_factory=_Prices)


class WithholdingRule:
    """State: offers and prices of every quarter-hour until it is metered, and the average price of every day, by the midnight that ends it."""

    def __init__(self, parameters: Withholding) -> None:
        self._parameters = parameters
        self._periods: dict[int, _Period] = {}
        self._days: dict[int, _Prices] = {}

    def on_offer(self, instrument: int, account: int, change_lots: int) -> None:
        """What an account offers for a quarter-hour has changed."""
        offer = self._offer(instrument, account)
        offer.open_lots += change_lots
        offer.note()

    def on_sale(self, instrument: int, account: int, lots: int) -> None:
        """An account has sold for a quarter-hour, or bought: negative. The offer that it was is told of after this."""
        offer = self._offer(instrument, account)
        offer.sold_lots += lots
        offer.note()

    def on_price(self, trade: Trade, instrument: int, delivery_start_ns: int) -> None:
        """A trade of a quarter-hour itself, not of a block that covers it. `instrument` stands for the quarter-hour, as in the other events."""
        self._periods.setdefault(instrument, _Period()).prices.add(trade)
        self._days.setdefault(_midnight_after(delivery_start_ns), _Prices()).add(trade)

    def on_metered(
        self, at_ns: int, instruments: Mapping[int, int], accounts: Sequence[int], starts_ns: Sequence[int], injections_wh: Sequence[int]
    ) -> Iterator[Finding]:
        """Readings came in. `instruments`: id of the quarter-hour by its start; row i: account, period and net injection in Wh."""
        rule = self._parameters
        metered = set()
        for account, start_ns, injected_wh in zip(accounts, starts_ns, injections_wh, strict=True):
            instrument = instruments.get(start_ns)
            period = self._periods.get(instrument) if instrument is not None else None
            day = self._days.get(_midnight_after(start_ns))
            if instrument is None or period is None or day is None or not period.prices.lots:
                continue
            metered.add(instrument)
            offered_wh = max(0, period.offers.get(account, _Offer()).most_lots) * POWER_LOT_WH
            withheld_wh = injected_wh - offered_wh
            price_ticks, day_ticks = period.prices.value // period.prices.lots, day.value // day.lots
            is_much = withheld_wh >= rule.min_wh and withheld_wh * 1_000_000 >= injected_wh * rule.share_ppm
            if is_much and price_ticks * 1_000_000 >= day_ticks * rule.price_ppm:
                energy = {"injected_wh": injected_wh, "offered_wh": offered_wh, "withheld_wh": withheld_wh}
                evidence = energy | {"price_ticks": price_ticks, "day_ticks": day_ticks}
                yield Finding("withholding", at_ns, instrument, [account], [], evidence, named(rule))
        for instrument in metered:
            del self._periods[instrument]
        self._forget_days(at_ns)

    def _offer(self, instrument: int, account: int) -> _Offer:
        return self._periods.setdefault(instrument, _Period()).offers.setdefault(account, _Offer())

    def _forget_days(self, at_ns: int) -> None:
        for midnight_ns in [midnight_ns for midnight_ns in self._days if midnight_ns < at_ns - _DAYS_KEPT * NS_PER_DAY]:
            del self._days[midnight_ns]
