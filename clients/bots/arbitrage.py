"""Charging in one quarter-hour and discharging in a later one as one basket: worth it only if both happen.

The pair is taken at the prices that stand in the books, so what it earns is known before it is sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from clients.bots.battery import Battery, Exposure, worst_case_holds
from clients.bots.market import Contract, MarketView
from exchange.units import PPM

# Each costs a walk through the day for every step of a search.
LOOKED_AT: Final = 6


@dataclass(frozen=True, slots=True)
class Pair:
    """Buy `buy_lots` of `charge` at its best ask, sell `sell_lots` of `discharge` at its best bid; `gain` in ticks x lots."""

    charge: Contract
    discharge: Contract
    buy_ticks: int
    sell_ticks: int
    buy_lots: int
    sell_lots: int
    gain: int


def best_pair(
    view: MarketView, contracts: Sequence[Contract], battery: Battery, soc_wh: int, exposures: Sequence[Exposure], cycle_cost_ticks: int
) -> Pair | None:
    """The pair with the greatest gain, None without one. `contracts` in time order with the worst case of each, open ones and closed ones.

    Looks at the `LOOKED_AT` pairs that would gain most if the battery were no limit. An own order on the side that a leg would take refuses the
    basket, so such contracts are left out; so are those whose orders gather for an auction, where nothing fills at once.
    """
    best: Pair | None = None
    for _, i, j in _candidates(view, contracts, battery, exposures, cycle_cost_ticks)[:LOOKED_AT]:
        charge, discharge = contracts[i], contracts[j]
        ask, bid = view.quote(charge.symbol), view.quote(discharge.symbol)
        if ask.ask_ticks is None or bid.bid_ticks is None:
            continue
        buy_lots = _most_that_holds(battery, soc_wh, exposures, i, j, _most(ask.ask_lots, bid.bid_lots, battery, charge), charge.lot_wh)
        gain = _gain(battery, charge, discharge, ask.ask_ticks, bid.bid_ticks, buy_lots, cycle_cost_ticks)
        if gain > (best.gain if best else 0):
            best = Pair(charge, discharge, ask.ask_ticks, bid.bid_ticks, buy_lots, _lots_back(buy_lots, battery), gain)
    return best


def _candidates(
    view: MarketView, contracts: Sequence[Contract], battery: Battery, exposures: Sequence[Exposure], cycle_cost_ticks: int
) -> list[tuple[int, int, int]]:
    """(- gain without the limits of the battery, place of the purchase, place of the sale), the greatest gain first."""
    asks, bids = [], []
    for i, (contract, exposure) in enumerate(zip(contracts, exposures, strict=True)):
        if view.is_open(contract) and not view.gathers(contract):
            quote = view.quote(contract.symbol)
            if quote.ask_ticks is not None and not exposure.open_sell_wh:
                asks.append((i, contract, quote.ask_ticks, quote.ask_lots))
            if quote.bid_ticks is not None and not exposure.open_buy_wh:
                bids.append((i, contract, quote.bid_ticks, quote.bid_lots))
    found = []
    for i, charge, ask_ticks, ask_lots in asks:
        for j, discharge, bid_ticks, bid_lots in bids:
            if j > i and bid_ticks > ask_ticks:
                gain = _gain(battery, charge, discharge, ask_ticks, bid_ticks, _most(ask_lots, bid_lots, battery, charge), cycle_cost_ticks)
                if gain > 0:
                    found.append((-gain, i, j))
    return sorted(found)


def _most(ask_lots: int, bid_lots: int, battery: Battery, charge: Contract) -> int:
    """Lots to buy that the books and the size of an order allow."""
    return min(ask_lots, _lots_to_charge(bid_lots, battery), charge.max_order_lots)


def _lots_back(lots: int, battery: Battery) -> int:
    """What comes back at the meter of so much bought, rounded down."""
    return lots * battery.charge_ppm * battery.discharge_ppm // PPM**2


def _lots_to_charge(lots: int, battery: Battery) -> int:
    """The most to buy for so much sold."""
    return lots * PPM**2 // (battery.charge_ppm * battery.discharge_ppm)


def _gain(battery: Battery, charge: Contract, discharge: Contract, ask_ticks: int, bid_ticks: int, lots: int, cycle_cost_ticks: int) -> int:
    """After fees, park fee and wear."""
    cost = lots * (ask_ticks + charge.trade_fee_ticks + charge.park_fee_ticks)
    return _lots_back(lots, battery) * (bid_ticks - discharge.trade_fee_ticks - cycle_cost_ticks) - cost


def _most_that_holds(battery: Battery, soc_wh: int, exposures: Sequence[Exposure], i: int, j: int, wanted_lots: int, lot_wh: int) -> int:
    """Largest purchase up to `wanted_lots` with which, both legs filled, the worst case of all that is open still holds."""

    def holds(lots: int) -> bool:
        changed = list(exposures)
        changed[i] = changed[i]._replace(net_wh=changed[i].net_wh + lots * lot_wh)
        changed[j] = changed[j]._replace(net_wh=changed[j].net_wh - _lots_back(lots, battery) * lot_wh)
        return worst_case_holds(battery, soc_wh, changed)

    good, bad = 0, wanted_lots + 1
    while bad - good > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if holds(middle) else (good, middle)
    return good
