"""What imbalance costs each account and the park, by the rule of the day (docs/rules.md, "Imbalance").

P_d is the deficit price (the retail price of the period), P_s <= P_d the surplus price (feed-in); both come from outside. D and S are an account's
deficit and surplus, u = max(0, net sales - metered generation) is undelivered and part of D, v = max(0, net purchases - metered consumption) is
unused and part of S.

dual     D pays P_d (1 + a), S gets P_s (1 - a), 0 <= a <= 10 %.
single   D and S at one price, P_d when the park imports, else P_s; u pays P_d and v gets P_s whatever the park does.
pool     D and S meet in the pool: what meets is settled at mid = (P_d + P_s) / 2, shared by energy, the rest at P_d or P_s; the part of the pool
         that falls on u or v is settled at P_d or P_s too.

So who sells what it does not generate, or buys what it does not use, gains nothing by it at a price between P_s and P_d, whatever the park does.
What that brings in is not returned to members but kept in the guarantee fund: else whoever has a large meter would get back a part of it.
Proof by test: tests/exchange/settlement/test_manipulation.py.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import gcd
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exchange.settlement.day_input import DayInput, ImbalanceRule, Int64Array
from exchange.settlement.netting import TICK_WH_PER_MICRO, ParkTotals
from exchange.settlement.shares import magnitude, rounded_dot, split_columns
from exchange.units import INT64_MAX, PPM


@dataclass(frozen=True, slots=True, eq=False)
class Imbalance:
    """Amounts of the two lines by account ([n], micro-CNY, received positive), their energies ([n], Wh), and the park's totals."""

    deficit: Int64Array
    surplus: Int64Array
    deficit_wh: Int64Array
    surplus_wh: Int64Array
    park: ParkTotals


@dataclass(frozen=True, slots=True, eq=False)
class _Terms:
    """What a rule prices: energies in Wh and prices in ticks, as int64 or, where products could pass int64, as Python integers."""

    deficit_wh: Int64Array  # [n, T]
    surplus_wh: Int64Array  # [n, T]
    undelivered_wh: Int64Array  # [n, T]
    unused_wh: Int64Array  # [n, T]
    high: Int64Array  # [T], the deficit price
    low: Int64Array  # [T], the surplus price
    imports: NDArray[np.bool_]  # [T]: the park imports
    losses_wh: Int64Array  # [T]
    alpha_ppm: int


@dataclass(frozen=True, slots=True, eq=False)
class _Priced:
    """Cost of deficits and value of surpluses in ticks x Wh x `scale`, [n, T]; what is returned and what is kept of the fund in the same unit, [T].

    `losses_low_wh` is what of the losses is served by what members leave over, [T].
    """

    scale: int
    deficit: Int64Array
    surplus: Int64Array
    returned: Int64Array
    paper: Int64Array
    losses_low_wh: Int64Array


def settle_imbalance(day: DayInput) -> Imbalance:
    """Both lines of all accounts and the park's totals, for a day whose physical balance holds (check_day)."""
    terms = _terms(day)
    priced = _RULES[day.rules.imbalance](terms)
    ones = np.ones(len(day.symbols), np.int64)
    deficit_wh, surplus_wh = terms.deficit_wh.sum(axis=0), terms.surplus_wh.sum(axis=0)
    net_import_wh = day.readings.grid_import_wh - day.readings.grid_export_wh
    unit = TICK_WH_PER_MICRO
    park = ParkTotals(
        grid_import_micro=int(rounded_dot(np.maximum(net_import_wh, 0), day.deficit_price_ticks, unit)),
        grid_export_micro=int(rounded_dot(np.maximum(-net_import_wh, 0), day.surplus_price_ticks, unit)),
        fund_micro=int(rounded_dot(priced.returned, ones, priced.scale * unit)),
        paper_micro=int(rounded_dot(priced.paper, ones, priced.scale * unit)),
        losses_micro=int(rounded_dot((terms.losses_wh - priced.losses_low_wh) * terms.high + priced.losses_low_wh * terms.low, ones, unit)),
        deficit_wh=int(deficit_wh.sum()),
        surplus_wh=int(surplus_wh.sum()),
        netted_wh=int(np.minimum(deficit_wh, surplus_wh).sum()),
    )
    return Imbalance(
        deficit=-rounded_dot(priced.deficit, ones, priced.scale * unit),
        surplus=rounded_dot(priced.surplus, ones, priced.scale * unit),
        deficit_wh=terms.deficit_wh.sum(axis=1).astype(np.int64),
        surplus_wh=terms.surplus_wh.sum(axis=1).astype(np.int64),
        park=park,
    )


def _terms(day: DayInput) -> _Terms:
    imbalance_wh = day.imbalance_wh
    energy = int(np.abs(imbalance_wh).sum(axis=0).max()) + magnitude(day.readings.losses_wh)
    price = max(magnitude(day.deficit_price_ticks), magnitude(day.surplus_price_ticks))
    # A product of a period in the finest unit of a rule: twice a price, times a million and a tenth of it.
    wide = 4 * PPM * energy * price > INT64_MAX

    def columns(values: Int64Array) -> Int64Array:
        return values.astype(object) if wide else values

    return _Terms(
        deficit_wh=columns(np.maximum(-imbalance_wh, 0)),
        surplus_wh=columns(np.maximum(imbalance_wh, 0)),
        undelivered_wh=columns(day.undelivered_wh),
        unused_wh=columns(day.unused_wh),
        high=columns(day.deficit_price_ticks),
        low=columns(day.surplus_price_ticks),
        imports=day.readings.grid_import_wh > day.readings.grid_export_wh,
        losses_wh=day.readings.losses_wh,
        alpha_ppm=day.rules.alpha_ppm,
    )


def _dual(terms: _Terms) -> _Priced:
    """Each side at its own price; a price below zero moves by its size too, so that the spread only widens."""
    step = gcd(PPM, terms.alpha_ppm)
    scale, alpha = PPM // step, terms.alpha_ppm // step
    pays: Int64Array = scale * terms.high + alpha * np.abs(terms.high)
    gets: Int64Array = scale * terms.low - alpha * np.abs(terms.low)
    deficit_wh, surplus_wh = terms.deficit_wh.sum(axis=0), terms.surplus_wh.sum(axis=0)
    fund = (
        scale * (terms.high - terms.low) * np.minimum(deficit_wh, surplus_wh)
        + (pays - scale * terms.high) * deficit_wh
        + (scale * terms.low - gets) * surplus_wh
    )
    return _Priced(
        scale=scale,
        deficit=terms.deficit_wh * pays,
        surplus=terms.surplus_wh * gets,
        returned=fund,
        paper=0 * fund,
        losses_low_wh=_losses_low_wh(terms, deficit_wh, surplus_wh),
    )


def _single(terms: _Terms) -> _Priced:
    """One price for what meters explain, and the worse of the two for what they do not."""
    price: Int64Array = np.where(terms.imports, terms.high, terms.low)
    undelivered, unused = terms.undelivered_wh.sum(axis=0), terms.unused_wh.sum(axis=0)
    return _Priced(
        scale=1,
        deficit=terms.deficit_wh * price + terms.undelivered_wh * (terms.high - price),
        surplus=terms.surplus_wh * price - terms.unused_wh * (price - terms.low),
        returned=0 * undelivered,
        paper=undelivered * (terms.high - price) + unused * (price - terms.low),
        losses_low_wh=np.where(terms.imports, 0, terms.losses_wh),
    )


def _pool(terms: _Terms) -> _Priced:
    """What meets in the pool is shared by energy on both sides; prices in half ticks."""
    deficit_wh, surplus_wh = terms.deficit_wh.sum(axis=0), terms.surplus_wh.sum(axis=0)
    met_wh = np.minimum(deficit_wh, surplus_wh)
    short_met = _pool_shares(met_wh, terms.deficit_wh, terms.undelivered_wh)
    long_met = _pool_shares(met_wh, terms.surplus_wh, terms.unused_wh)
    spread = terms.high - terms.low
    return _Priced(
        scale=2,
        deficit=terms.deficit_wh * (2 * terms.high) - short_met * spread,
        surplus=terms.surplus_wh * (2 * terms.low) + long_met * spread,
        returned=0 * met_wh,
        paper=spread * (2 * met_wh - short_met.sum(axis=0) - long_met.sum(axis=0)),
        losses_low_wh=_losses_low_wh(terms, deficit_wh, surplus_wh),
    )


def _pool_shares(met_wh: Int64Array, energy_wh: Int64Array, unexplained_wh: Int64Array) -> Int64Array:
    """Each account's part of what meets, but for the part that falls on what no meter explains. [n, T]."""
    shares = split_columns(met_wh, np.concatenate([energy_wh - unexplained_wh, unexplained_wh]))
    return shares[: len(energy_wh)]


def _losses_low_wh(terms: _Terms, deficit_wh: Int64Array, surplus_wh: Int64Array) -> Int64Array:
    """Losses are served by what surplus members leave over, the rest by import."""
    low_wh: Int64Array = np.minimum(terms.losses_wh, np.maximum(surplus_wh - deficit_wh, 0))
    return low_wh


_RULES: Final[dict[ImbalanceRule, Callable[[_Terms], _Priced]]] = {
    ImbalanceRule.DUAL: _dual,
    ImbalanceRule.SINGLE: _single,
    ImbalanceRule.POOL: _pool,
}
