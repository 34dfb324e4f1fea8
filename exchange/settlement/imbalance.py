"""What imbalance costs each account and the park, by the rule of the day (docs/rules.md, "Imbalance").

P_d is the deficit price (the retail price of the period), P_s <= P_d the surplus price (feed-in); both come from outside. D and S are an account's
deficit and surplus, u = max(0, net sales - metered generation) is undelivered and part of D, v = max(0, net purchases - metered consumption) is
unused and part of S.

dual     D pays P_d (1 + a), S gets P_s (1 - a), 0 <= a <= 10 %.
single   D and S at one price, P_d when the park imports, else P_s; u pays P_d and v gets P_s whatever the park does.
pool     D - u and S - v meet in the pool: what meets is settled at mid = (P_d + P_s) / 2, shared by energy, the rest at P_d or P_s; u and v as above.

Who sells what it does not generate, or buys what it does not use, so never gains by it at a price between P_s and P_d; and since a price inside
that range may be better than mid, the pool and the single price say so explicitly. What the netting of u against v leaves ("paper volume") is not
returned to members but kept in the guarantee fund: else whoever has a large meter would get back a part of what it causes.
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
    alpha_ppm: int
    guards_paper: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Priced:
    """Cost of deficits and value of surpluses in ticks x Wh x `scale`, [n, T]; what is returned and what is kept of the fund in the same unit, [T].

    `at_high_wh` and `at_low_wh` are X and Y of netting.py, [T].
    """

    scale: int
    deficit: Int64Array
    surplus: Int64Array
    returned: Int64Array
    paper: Int64Array
    at_high_wh: Int64Array
    at_low_wh: Int64Array


def settle_imbalance(day: DayInput) -> Imbalance:
    """Both lines of all accounts and the park's totals, for a day whose physical balance holds (check_day)."""
    terms = _terms(day)
    priced = _RULES[day.rules.imbalance](terms)
    ones = np.ones(len(day.symbols), np.int64)
    deficit_wh, surplus_wh = terms.deficit_wh.sum(axis=0), terms.surplus_wh.sum(axis=0)
    net_import_wh = day.readings.grid_import_wh - day.readings.grid_export_wh
    losses_wh = day.readings.losses_wh
    losses_low_wh = np.minimum(losses_wh, np.maximum(priced.at_low_wh - priced.at_high_wh, 0))
    unit = TICK_WH_PER_MICRO
    park = ParkTotals(
        grid_import_micro=int(rounded_dot(np.maximum(net_import_wh, 0), day.deficit_price_ticks, unit)),
        grid_export_micro=int(rounded_dot(np.maximum(-net_import_wh, 0), day.surplus_price_ticks, unit)),
        fund_micro=int(rounded_dot(priced.returned, ones, priced.scale * unit)),
        paper_micro=int(rounded_dot(priced.paper, ones, priced.scale * unit)),
        losses_micro=int(rounded_dot((losses_wh - losses_low_wh) * terms.high + losses_low_wh * terms.low, ones, unit)),
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
        alpha_ppm=day.rules.alpha_ppm,
        guards_paper=day.rules.guards_paper,
    )


def _dual(terms: _Terms) -> _Priced:
    """Each side at its own price; a price below zero moves by its size too, so that the spread only widens."""
    step = gcd(PPM, terms.alpha_ppm)
    scale, alpha = PPM // step, terms.alpha_ppm // step
    pays: Int64Array = scale * terms.high + alpha * np.abs(terms.high)
    gets: Int64Array = scale * terms.low - alpha * np.abs(terms.low)
    value: Int64Array = terms.surplus_wh * gets
    deficit_wh, surplus_wh = terms.deficit_wh.sum(axis=0), terms.surplus_wh.sum(axis=0)
    fund = (
        scale * (terms.high - terms.low) * np.minimum(deficit_wh, surplus_wh)
        + (pays - scale * terms.high) * deficit_wh
        + (scale * terms.low - gets) * surplus_wh
    )
    paper_wh = np.minimum(terms.undelivered_wh.sum(axis=0), terms.unused_wh.sum(axis=0)) if terms.guards_paper else 0 * deficit_wh
    paper = (pays - gets) * paper_wh
    return _Priced(scale, terms.deficit_wh * pays, value, fund - paper, paper, deficit_wh, surplus_wh)


def _single(terms: _Terms) -> _Priced:
    """One price for what meters explain, and the worse of the two for what they do not."""
    price = np.where(terms.imports, terms.high, terms.low)
    undelivered, unused = terms.undelivered_wh.sum(axis=0), terms.unused_wh.sum(axis=0)
    deficit_wh, surplus_wh = terms.deficit_wh.sum(axis=0), terms.surplus_wh.sum(axis=0)
    at_high = np.where(terms.imports, deficit_wh - surplus_wh + unused, undelivered)
    at_low = np.where(terms.imports, unused, surplus_wh - deficit_wh + undelivered)
    return _Priced(
        scale=1,
        deficit=terms.deficit_wh * price + terms.undelivered_wh * (terms.high - price),
        surplus=terms.surplus_wh * price - terms.unused_wh * (price - terms.low),
        returned=0 * deficit_wh,
        paper=undelivered * (terms.high - price) + unused * (price - terms.low),
        at_high_wh=at_high,
        at_low_wh=at_low,
    )


def _pool(terms: _Terms) -> _Priced:
    """What meets in the pool is shared by energy on both sides; prices in half ticks."""
    short, long = terms.deficit_wh - terms.undelivered_wh, terms.surplus_wh - terms.unused_wh
    met_wh = np.minimum(short.sum(axis=0), long.sum(axis=0))
    short_met, long_met = split_columns(met_wh, short), split_columns(met_wh, long)
    twice_mid = terms.high + terms.low
    at_high = terms.deficit_wh.sum(axis=0) - met_wh
    at_low = terms.surplus_wh.sum(axis=0) - met_wh
    return _Priced(
        scale=2,
        deficit=short_met * twice_mid + (terms.deficit_wh - short_met) * (2 * terms.high),
        surplus=long_met * twice_mid + (terms.surplus_wh - long_met) * (2 * terms.low),
        returned=0 * met_wh,
        paper=2 * (terms.high - terms.low) * np.minimum(at_high, at_low),
        at_high_wh=at_high,
        at_low_wh=at_low,
    )


_RULES: Final[dict[ImbalanceRule, Callable[[_Terms], _Priced]]] = {
    ImbalanceRule.DUAL: _dual,
    ImbalanceRule.SINGLE: _single,
    ImbalanceRule.POOL: _pool,
}
