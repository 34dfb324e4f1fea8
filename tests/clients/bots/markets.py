"""Small markets to show a strategy: contracts, views, private data, without an exchange."""

import numpy as np

from clients.bots.market import Contract, MarketView, OwnOrder, Quote
from clients.bots.private import Forecast
from exchange.units import NS_PER_DAY, NS_PER_MINUTE, PERIOD_NS

DAY_NS = 1_784_044_800 * 10**9  # 2026-07-15 00:00 in Zhengzhou
OPENS_NS = DAY_NS - NS_PER_DAY // 3
GATE_NS = 5 * NS_PER_MINUTE


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def contract(
    period: int = 0, deficit: int = 6500, surplus: int = 2800, low: int = 100, high: int = 20_000, park_fee: int = 400, fee: int = 20
) -> Contract:
    start = DAY_NS + period * PERIOD_NS
    return Contract(
        symbol=f"GP-{period:02d}",
        instrument_class="power",
        price_decimals=4,
        quantity_decimals=1,
        band_low_ticks=low,
        band_high_ticks=high,
        max_order_lots=50_000,
        open_ns=OPENS_NS,
        close_ns=start - GATE_NS,
        delivery_start_ns=start,
        deficit_ticks=deficit,
        surplus_ticks=surplus,
        park_fee_ticks=park_fee,
        trade_fee_ticks=fee,
    )


def view(
    now_ns: int,
    *contracts: Contract,
    net: dict[str, int] | None = None,
    quotes: dict[str, Quote] | None = None,
    orders: dict[str, list[OwnOrder]] | None = None,
    **rest: object,
) -> MarketView:
    return MarketView(now_ns, {c.symbol: c for c in contracts}, quotes=quotes or {}, net_lots=net or {}, orders=orders or {}, **rest)


def forecast(day_ahead_wh: list[int], intraday_wh: list[int] | None = None) -> Forecast:
    return Forecast(first_period_ns=DAY_NS, day_ahead_wh=day_ahead_wh, intraday_wh=intraday_wh or day_ahead_wh)
