"""Welfare over all periods: a run against the bounds of the welfare program, and where it lost. Right where storage couples periods, and elsewhere.

The loss against perfect foresight is split exactly: forecast + mechanism + strategy.
"""

import numpy as np

from clients.laboratory.benchmark.bounds import Bounds
from clients.laboratory.measures.figures import Figure, cny_per_kwh, kwh_of_lots, quotient, total
from clients.laboratory.measures.theory import price_above, smith_alpha
from clients.laboratory.run.record import RunRecord

_KEYS = (
    "welfare_perfect_cny", "welfare_rolling_cny", "welfare_pool_cny", "welfare_no_trade_cny", "welfare_realised_cny", "welfare_efficiency_percent",
    "welfare_loss_cny", "forecast_loss_cny", "mechanism_loss_cny", "strategy_loss_cny", "market_loss_cny", "price_competitive_cny_per_kwh",
    "price_above_competitive_cny_per_kwh", "competitive_alpha_percent", "volume_competitive_kwh", "volume_against_competitive_percent",
)  # fmt: skip


def welfare_measures(record: RunRecord, bounds: Bounds | None) -> dict[str, Figure]:
    """Keys of "Welfare over all periods" in docs/measures.md; all None without bounds."""
    if bounds is None:
        return dict.fromkeys(_KEYS)
    traded = kwh_of_lots(total(np.maximum(record.bought_lots - record.sold_lots, 0)))
    volume = float(bounds.volume_kwh.sum())
    mean_ticks = quotient(float((bounds.price_ticks * bounds.volume_kwh).sum()), volume)
    possible, found = bounds.perfect_cny - bounds.no_trade_cny, bounds.realised_cny - bounds.no_trade_cny
    return {
        "welfare_perfect_cny": bounds.perfect_cny,
        "welfare_rolling_cny": bounds.rolling_cny,
        "welfare_pool_cny": bounds.pool_cny,
        "welfare_no_trade_cny": bounds.no_trade_cny,
        "welfare_realised_cny": bounds.realised_cny,
        "welfare_efficiency_percent": 100 * found / possible if possible > _NOTHING_CNY else None,
        "welfare_loss_cny": bounds.perfect_cny - bounds.realised_cny,
        "forecast_loss_cny": _less(bounds.perfect_cny, bounds.rolling_cny),
        "mechanism_loss_cny": _less(bounds.rolling_cny, bounds.truthful_cny),
        "strategy_loss_cny": _less(bounds.truthful_cny, bounds.realised_cny),
        "market_loss_cny": _less(bounds.rolling_cny, bounds.realised_cny),
        "price_competitive_cny_per_kwh": None if mean_ticks is None else cny_per_kwh(mean_ticks),
        "price_above_competitive_cny_per_kwh": price_above(record, bounds.price_ticks),
        "competitive_alpha_percent": smith_alpha(record, bounds.price_ticks),
        "volume_competitive_kwh": volume,
        "volume_against_competitive_percent": 100 * traded / volume if volume > 0 else None,
    }


# A gain below this is the solver's rounding.
_NOTHING_CNY = 1e-6


def _less(better: float | None, worse: float | None) -> float | None:
    return None if better is None or worse is None else better - worse
