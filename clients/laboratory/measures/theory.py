"""Auction theory: efficiency, its loss by kind, volume and price against the competitive equilibrium, profits.

What is measured against the crossing of single periods is None where storage, vehicles or flexible load couple periods; `welfare` holds the measures
against the program over all periods.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from clients.laboratory.benchmark.equilibrium import Crossing, crossing, gains_at, is_coupled
from clients.laboratory.measures.figures import (
    TICK_LOTS_PER_CNY,
    Figure,
    Integers,
    cny,
    cny_of_tick_lots,
    cny_per_kwh,
    kwh_of_lots,
    percent,
    total,
)
from clients.laboratory.measures.positions import Positions, kept_tick_lots, positions_of
from clients.laboratory.run.record import RunRecord

_AGAINST_EQUILIBRIUM = (
    "surplus_maximal_cny", "allocative_efficiency_percent", "loss_intramarginal_buyers_cny", "loss_intramarginal_sellers_cny",
    "loss_extramarginal_buyers_cny", "loss_extramarginal_sellers_cny", "loss_intramarginal_cny", "loss_extramarginal_cny", "volume_equilibrium_kwh",
    "volume_against_equilibrium_percent", "price_equilibrium_cny_per_kwh", "price_above_equilibrium_cny_per_kwh", "smith_alpha_percent",
    "profit_dispersion_cny",
)  # fmt: skip


def theory_measures(record: RunRecord) -> dict[str, Figure]:
    """Keys of the first table of docs/measures.md."""
    positions = positions_of(record)
    figures = surplus_measures(record, positions)
    figures["is_coupled"] = int(is_coupled(record.scenario))
    if figures["is_coupled"]:
        return figures | dict.fromkeys(_AGAINST_EQUILIBRIUM)
    return figures | equilibrium_measures(record, positions, wanted_crossing(record))


def wanted_crossing(record: RunRecord) -> Crossing:
    """Equilibria of what the participants wanted at their last round, at their private limits."""
    return crossing(record.value_ticks, record.want_buy_lots, record.cost_ticks, record.want_sell_lots)


def surplus_measures(record: RunRecord, positions: Positions) -> dict[str, Figure]:
    """Gains from trade and who has them. Shares add to 100 and are None where nothing was gained."""
    profit, net = positions.profit_tick_lots, positions.net_lots
    realised, kept = total(positions.worth_tick_lots), kept_tick_lots(record)
    return {
        "surplus_realised_cny": cny_of_tick_lots(realised),
        "buyers_surplus_percent": percent(total(profit[net > 0]), realised),
        "sellers_surplus_percent": percent(total(profit[net < 0]), realised),
        "resellers_surplus_percent": percent(total(profit[net == 0]), realised),
        "operator_surplus_percent": percent(kept, realised),
        "operator_budget_surplus_cny": cny(total(record.operator_micro)),
    }


@dataclass(frozen=True, slots=True)
class Losses:
    """Lost gains from trade by kind and side, twice tick x lot; they add to what the equilibrium gains more than the run did."""

    intramarginal_buyers: int
    intramarginal_sellers: int
    extramarginal_buyers: int
    extramarginal_sellers: int


def losses_by_kind(record: RunRecord, positions: Positions, equilibrium: Crossing) -> Losses:
    """After Rust, Miller and Palmer (1993), at the middle of the interval of competitive prices, so that the four add up exactly.

    Intramarginal: lots that trade in equilibrium and did not. Extramarginal: lots that do not trade in equilibrium and did, among them what was
    bought or sold beyond what was wanted.
    """
    price = equilibrium.price_half_ticks
    above, below = 2 * record.value_ticks - price, price - 2 * record.cost_ticks
    missing_buy, missing_sell = record.want_buy_lots - positions.used_lots, record.want_sell_lots - positions.given_lots
    too_much = positions.excess_lots * (price - 2 * record.surplus_price_ticks)
    too_little = positions.short_lots * (2 * record.deficit_price_ticks - price)
    return Losses(
        intramarginal_buyers=total(missing_buy * np.maximum(above, 0)),
        intramarginal_sellers=total(missing_sell * np.maximum(below, 0)),
        extramarginal_buyers=total(positions.used_lots * np.maximum(-above, 0)) + total(too_much),
        extramarginal_sellers=total(positions.given_lots * np.maximum(-below, 0)) + total(too_little),
    )


def equilibrium_measures(record: RunRecord, positions: Positions, equilibrium: Crossing) -> dict[str, Figure]:
    """What is measured against the crossing of each period."""
    losses = losses_by_kind(record, positions, equilibrium)
    maximal, volume = total(equilibrium.gain_tick_lots), total(equilibrium.volume_lots)
    traded = total(np.maximum(positions.net_lots, 0))
    half_cny = 2 * TICK_LOTS_PER_CNY
    return {
        "surplus_maximal_cny": cny_of_tick_lots(maximal),
        "allocative_efficiency_percent": percent(total(positions.worth_tick_lots), maximal),
        "loss_intramarginal_buyers_cny": losses.intramarginal_buyers / half_cny,
        "loss_intramarginal_sellers_cny": losses.intramarginal_sellers / half_cny,
        "loss_extramarginal_buyers_cny": losses.extramarginal_buyers / half_cny,
        "loss_extramarginal_sellers_cny": losses.extramarginal_sellers / half_cny,
        "loss_intramarginal_cny": (losses.intramarginal_buyers + losses.intramarginal_sellers) / half_cny,
        "loss_extramarginal_cny": (losses.extramarginal_buyers + losses.extramarginal_sellers) / half_cny,
        "volume_equilibrium_kwh": kwh_of_lots(volume),
        "volume_against_equilibrium_percent": percent(traded, volume),
        "price_equilibrium_cny_per_kwh": mean_price(equilibrium.price_half_ticks / 2, equilibrium.volume_lots),
        "price_above_equilibrium_cny_per_kwh": price_above(record, equilibrium.price_half_ticks / 2),
        "smith_alpha_percent": smith_alpha(record, equilibrium.price_half_ticks / 2),
        "profit_dispersion_cny": profit_dispersion(record, positions, equilibrium),
    }


def mean_price(price_ticks: np.ndarray, lots: Integers) -> float | None:
    """Mean over periods, weighted by lots; float64[P] and int64[P]."""
    weight = total(lots)
    return cny_per_kwh(float((price_ticks * lots).sum()) / weight) if weight else None


def price_above(record: RunRecord, price_ticks: np.ndarray) -> float | None:
    """Mean of what sellers got less the competitive price of the period (float64[P]), weighted by lots."""
    trades = record.trades
    lots = total(trades["quantity_lots"])
    if not lots:
        return None
    return cny_per_kwh(float(((trades["price_ticks"] - price_ticks[trades["period"]]) * trades["quantity_lots"]).sum()) / lots)


def smith_alpha(record: RunRecord, price_ticks: np.ndarray) -> float | None:
    """Smith (1962): root mean square deviation of trade prices from the competitive price, in percent of it; weighted by lots, over all periods.

    Trades of periods whose competitive price is not positive have no such percentage and are left out.
    """
    reference = price_ticks[record.trades["period"]]
    chosen = reference > 0
    lots = record.trades["quantity_lots"][chosen]
    if not lots.sum():
        return None
    deviation = record.trades["price_ticks"][chosen] / reference[chosen] - 1
    return 100 * sqrt(float((lots * deviation**2).sum()) / int(lots.sum()))


def profit_dispersion(record: RunRecord, positions: Positions, equilibrium: Crossing) -> float:
    """Gode and Sunder (1993): root mean square difference of each participant's profit from its profit in equilibrium."""
    wanted = (2 * record.value_ticks, record.want_buy_lots, 2 * record.cost_ticks, record.want_sell_lots)
    in_equilibrium = gains_at(equilibrium.price_half_ticks, *wanted).sum(axis=1)
    difference = 2 * positions.profit_tick_lots.sum(axis=1) - in_equilibrium
    return sqrt(float((difference / (2 * TICK_LOTS_PER_CNY)).__pow__(2).mean()))
