"""Market quality: spread, depth, fill rate, volatility, concentration, price impact."""

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.measures.figures import LOTS_PER_KWH, Figure, Integers, cny_per_kwh, kwh_of_lots, percent, quotient, total
from clients.laboratory.measures.positions import positions_of
from clients.laboratory.run.record import RunRecord
from matching.records import Side

_HHI_OF_ONE = 10_000
_KWH_PER_MWH = 1_000


def quality_measures(record: RunRecord) -> dict[str, Figure]:
    trades, quotes = record.trades, record.quotes
    lots = total(trades["quantity_lots"])
    positions = positions_of(record)
    filled = total(positions.used_lots) + total(positions.given_lots)
    wanted = total(record.want_buy_lots) + total(record.want_sell_lots)
    mean_ticks = quotient(total(trades["price_ticks"] * trades["quantity_lots"]), lots)
    return {
        "orders": record.orders,
        "trades": len(trades),
        "traded_kwh": kwh_of_lots(lots),
        "churn": quotient(lots, total(np.maximum(positions.net_lots, 0))),
        "price_mean_cny_per_kwh": None if mean_ticks is None else cny_per_kwh(mean_ticks),
        "spread_cny_per_kwh": spread(quotes),
        "depth_bid_kwh": quotient(total(quotes["bid_lots"]), len(quotes) * LOTS_PER_KWH),
        "depth_ask_kwh": quotient(total(quotes["ask_lots"]), len(quotes) * LOTS_PER_KWH),
        "two_sided_percent": percent(int(_two_sided(quotes).sum()), len(quotes)),
        "fill_rate_percent": percent(filled, wanted),
        "price_deviation_cny_per_kwh": price_deviation(trades),
        "price_change_cny_per_kwh": price_change(trades),
        "price_change_autocorrelation": price_change_autocorrelation(trades),
        "hhi_buyers": concentration(record.bought_lots.sum(axis=1)),
        "hhi_sellers": concentration(record.sold_lots.sum(axis=1)),
        "price_impact_cny_per_kwh_per_mwh": price_impact(trades, quotes),
    }


def spread(quotes: NDArray[np.void]) -> float | None:
    """Mean of best ask less best bid over the rounds after which both sides stood."""
    chosen = quotes[_two_sided(quotes)]
    return cny_per_kwh(float((chosen["ask_ticks"] - chosen["bid_ticks"]).mean())) if len(chosen) else None


def _two_sided(quotes: NDArray[np.void]) -> NDArray[np.bool_]:
    both: NDArray[np.bool_] = (quotes["bid_lots"] > 0) & (quotes["ask_lots"] > 0)
    return both


def price_deviation(trades: NDArray[np.void]) -> float | None:
    """Standard deviation of trade prices around their mean, weighted by lots."""
    lots = trades["quantity_lots"]
    if not lots.sum():
        return None
    price = trades["price_ticks"].astype(np.float64)
    mean = (price * lots).sum() / lots.sum()
    return cny_per_kwh(sqrt(float((lots * (price - mean) ** 2).sum() / lots.sum())))


def _changes(trades: NDArray[np.void]) -> tuple[Integers, Integers]:
    """Changes of price from trade to trade of one book in their sequence, and the period of each."""
    order = np.lexsort((trades["stamp_ns"], trades["period"]))
    period, price = trades["period"][order], trades["price_ticks"][order]
    same = period[1:] == period[:-1]
    return np.diff(price)[same], period[1:][same].astype(np.int64)


def price_change(trades: NDArray[np.void]) -> float | None:
    """Root mean square change of price from trade to trade of a book, the volatility that a trader meets."""
    changes, _ = _changes(trades)
    return cny_per_kwh(sqrt(float((changes.astype(np.float64) ** 2).mean()))) if len(changes) else None


def price_change_autocorrelation(trades: NDArray[np.void]) -> float | None:
    """First-order autocorrelation of price changes, pooled over books, around zero: -0.5 for a bounce between two quotes, 0 for a fair price."""
    changes, period = _changes(trades)
    together = period[1:] == period[:-1]
    now, before = changes[1:][together].astype(np.float64), changes[:-1][together].astype(np.float64)
    scale = sqrt(float((now**2).sum()) * float((before**2).sum()))
    return quotient(float((now * before).sum()), scale)


def concentration(lots: Integers) -> float | None:
    """Herfindahl-Hirschman index of shares in lots: 10,000 for a single participant."""
    whole = total(lots)
    return _HHI_OF_ONE * float(((lots / whole) ** 2).sum()) if whole else None


def price_impact(trades: NDArray[np.void], quotes: NDArray[np.void]) -> float | None:
    """Kyle's lambda (1985): slope of the change of the mid price over a round on what takers bought less sold in it, least squares through zero.

    Over pairs of consecutive quotes of a book that both have two sides; trades of auctions have no taker. None where nobody took.
    """
    ordered = quotes[np.lexsort((quotes["round"], quotes["period"]))]
    before, after = ordered[:-1], ordered[1:]
    chosen = (before["period"] == after["period"]) & _two_sided(before) & _two_sided(after)
    rise = ((after["bid_ticks"] + after["ask_ticks"]) - (before["bid_ticks"] + before["ask_ticks"]))[chosen] / 2
    flow = _signed_flow(trades, after)[chosen].astype(np.float64)
    slope = quotient(float((rise * flow).sum()), float((flow**2).sum()))
    return None if slope is None else cny_per_kwh(slope) * LOTS_PER_KWH * _KWH_PER_MWH


def _signed_flow(trades: NDArray[np.void], quotes: NDArray[np.void]) -> Integers:
    """Lots that takers bought less sold in the round of each quote, int64[quotes]; quotes in order of period and round."""
    sign = (trades["taker_side"] == Side.BUY).astype(np.int64) - (trades["taker_side"] == Side.SELL).astype(np.int64)
    rounds = int(max(quotes["round"].max(initial=0), trades["round"].max(initial=0))) + 1
    place_of_quote = quotes["period"].astype(np.int64) * rounds + quotes["round"]
    place_of_trade = trades["period"].astype(np.int64) * rounds + trades["round"]
    flow = np.zeros(len(quotes), np.int64)
    place = np.searchsorted(place_of_quote, place_of_trade)
    found = place < len(quotes)
    found[found] = place_of_quote[place[found]] == place_of_trade[found]
    np.add.at(flow, place[found], (sign * trades["quantity_lots"])[found])
    return flow
