"""What a day came to in one figure: how much was traded, and where its prices lay. By it one sees whether a population has settled."""

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.run.record import RunRecord
from exchange.units import PPM

Integers = NDArray[np.int64]


def traded_lots(record: RunRecord) -> Integers:
    """Lots traded for delivery on each day, int64[D]."""
    lots = np.zeros(len(record.operator_micro), np.int64)
    np.add.at(lots, record.day_of_period[record.trades["period"]], record.trades["quantity_lots"])
    return lots


def price_position_ppm(record: RunRecord) -> NDArray[np.float64]:
    """Mean place of each day's trade prices between what the grid pays (0) and what it charges (1,000,000), weighted by lots: float64[D].

    Free of the tariff's steps and seasons, so that days can be compared. nan for a day without trades; trades where the grid pays what it charges
    have no place and are left out.
    """
    period = record.trades["period"]
    low, high = record.surplus_price_ticks[period], record.deficit_price_ticks[period]
    lots = np.where(high > low, record.trades["quantity_lots"], 0)
    place = (record.trades["price_ticks"] - low) / np.maximum(high - low, 1)
    day, days = record.day_of_period[period], len(record.operator_micro)
    weight = np.bincount(day, lots, days)
    position: NDArray[np.float64] = PPM * np.bincount(day, lots * place, days) / np.where(weight > 0, weight, np.nan)
    return position
