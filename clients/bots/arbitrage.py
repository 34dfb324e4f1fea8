"""Charging in one quarter-hour and discharging in a later one as one basket: worth it only if both happen.

The pair is taken at the prices that stand in the books, so what it earns is known before it is sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from clients.bots.battery import Battery, Exposure, worst_case_holds
from clients.bots.market import Contract, MarketView
from exchange.units import PPM


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

    An own order on the side that a leg would take refuses the basket, so such contracts are left out.
    """
    best: Pair | None = None
    for i, charge in enumerate(contracts):
        quote = view.quote(charge.symbol)
        if quote.ask_ticks is None or exposures[i].open_sell_wh or not view.is_open(charge):
            continue
        for j in range(i + 1, len(contracts)):
            bid = view.quote(contracts[j].symbol)
            if bid.bid_ticks is None or exposures[j].open_buy_wh or not view.is_open(contracts[j]):
                continue
            most = min(quote.ask_lots, _lots_to_charge(bid.bid_lots, battery), charge.max_order_lots)
            if _gain(battery, charge, contracts[j], quote.ask_ticks, bid.bid_ticks, most, cycle_cost_ticks) <= (best.gain if best else 0):
                continue
            buy_lots = _most_that_holds(battery, soc_wh, exposures, i, j, most, charge.lot_wh)
            gain = _gain(battery, charge, contracts[j], quote.ask_ticks, bid.bid_ticks, buy_lots, cycle_cost_ticks)
            if gain > (best.gain if best else 0):
                best = Pair(charge, contracts[j], quote.ask_ticks, bid.bid_ticks, buy_lots, _lots_back(buy_lots, battery), gain)
    return best


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
