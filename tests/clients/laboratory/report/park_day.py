"""A record of days of a small park that a person can follow: eight participants, buyers and sellers meet in merit order, all amounts consistent.

It is no run of the exchange: it is what a report is shown, with a shape that a reader knows (sun at noon, dear evenings) and numbers that add up.
"""

import hashlib
from dataclasses import replace
from typing import Final

import numpy as np

from clients.laboratory.run.record import QUOTE, TRADE, RunRecord
from clients.laboratory.scenario.model import Scenario
from clients.laboratory.scenario.resolve import load_scenario
from clients.scenarios.periods import local_midnight_ns
from exchange.units import NS_PER_MINUTE, PERIOD_NS, POWER_LOT_WH, POWER_MULTIPLIER_MICRO

PERIODS: Final = 96
FEES_TICKS: Final = 420
TICK_LOT: Final = POWER_MULTIPLIER_MICRO
# Of the demo park: id, mean load, PV peak and wind, kW.
_MEMBERS: Final = (
    ("E01", 480, 0, 0), ("E02", 380, 0, 0), ("E03", 220, 0, 0), ("E13", 310, 120, 0), ("E17", 180, 0, 0), ("PV01", 0, 1400, 0), ("W01", 0, 0, 700),
    ("S01", 0, 0, 0),
)  # fmt: skip
_STORAGE: Final = 7


def park_scenario(days: int = 1, overrides: dict[str, str] | None = None) -> Scenario:
    """Eight participants of the demo park."""
    whole = load_scenario("park", {"experiment.days": str(days), **(overrides or {})})
    return replace(whole, participants=tuple(whole.participants[whole.index_of(row[0])] for row in _MEMBERS))


def park_record(days: int = 1, seed: int = 1, price_shift_ticks: int = 0, overrides: dict[str, str] | None = None) -> RunRecord:
    """`price_shift_ticks` moves every trade's price (for buyers and sellers alike), so that two rules differ by a known amount of money."""
    scenario = replace(park_scenario(days, overrides), seed=seed)
    rng = np.random.Generator(np.random.PCG64(seed))
    n, n_periods = len(_MEMBERS), PERIODS * days
    hour = np.arange(n_periods) % PERIODS / 4
    sun = np.clip(np.sin((hour - 6) / 13 * np.pi), 0, None) * (hour > 6) * (hour < 19)
    gusts = 0.5 + 0.4 * np.sin(hour / 24 * 2 * np.pi + 1.3 + seed)
    shift = 0.75 + 0.25 * np.cos((hour - 14) / 24 * 2 * np.pi)
    load, generation = (np.zeros((n, n_periods), dtype=np.int64) for _ in range(2))
    for row, (_, load_kw, pv_kw, wind_kw) in enumerate(_MEMBERS):
        noise = 1 + 0.05 * rng.standard_normal(n_periods)
        load[row] = (load_kw * shift * noise * 2.5).astype(np.int64) * POWER_LOT_WH
        clouds = 1 - 0.3 * rng.random(n_periods)
        generation[row] = ((pv_kw * sun * clouds + wind_kw * gusts) * 2.5).astype(np.int64) * POWER_LOT_WH
    charge, discharge = np.zeros_like(load), np.zeros_like(load)
    charge[_STORAGE], discharge[_STORAGE] = np.where((hour >= 10) & (hour < 13), 62_500, 0), np.where((hour >= 18) & (hour < 20.5), 62_500, 0)
    soc = np.cumsum(charge - discharge, axis=1)
    net = generation + discharge - load - charge
    sell, buy = np.clip(net, 0, None) // POWER_LOT_WH, np.clip(-net, 0, None) // POWER_LOT_WH
    start_ns = local_midnight_ns(scenario.first_date, scenario.zone) + np.arange(n_periods) * PERIOD_NS
    deficit = np.array([scenario.tariff.retail_price_micro_per_kwh(int(start)) // 100 for start in start_ns])
    surplus = np.array([scenario.tariff.feed_in_price_micro_per_kwh(int(start)) // 100 for start in start_ns])
    value = np.maximum(deficit - FEES_TICKS - rng.integers(0, 400, (n, n_periods)), surplus)
    cost = surplus + rng.integers(0, 500, (n, n_periods))
    trades, quotes, bought, sold = _meet(rng, start_ns, buy, sell, value, cost, price_shift_ticks)
    imported, exported = np.clip(-net.sum(axis=0), 0, None), np.clip(net.sum(axis=0), 0, None)
    day_of_period = np.arange(n_periods) // PERIODS

    def by_day(micro: np.ndarray) -> np.ndarray:
        return micro.reshape(n, days, PERIODS).sum(axis=2)

    short, long = buy - bought, sell - sold
    imbalance = by_day((short * deficit - long * surplus) * TICK_LOT)
    traded = np.zeros_like(load)
    for sign, who in ((1, "buyer"), (-1, "seller")):
        np.add.at(traded, (trades[who], trades["period"]), sign * trades["price_ticks"] * trades["quantity_lots"] * TICK_LOT)
    fee = by_day(bought * FEES_TICKS * TICK_LOT)
    trade = by_day(traded)
    retail = by_day((buy * deficit - sell * surplus) * TICK_LOT)
    middle = (deficit + surplus) // 2
    shared = np.minimum(buy.sum(axis=0), sell.sum(axis=0))
    inside_buy = buy * shared // np.maximum(buy.sum(axis=0), 1)
    inside_sell = sell * shared // np.maximum(sell.sum(axis=0), 1)
    pool = by_day(((buy - inside_buy) * deficit + inside_buy * middle - (sell - inside_sell) * surplus - inside_sell * middle) * TICK_LOT)
    matched = bought * POWER_LOT_WH
    issued = generation.sum(axis=1)
    claimed = matched.sum(axis=1)
    digest = hashlib.sha256(repr((seed, price_shift_ticks, overrides)).encode()).hexdigest()
    return RunRecord(
        scenario=scenario, seed=seed, start_ns=start_ns, day_of_period=day_of_period, deficit_price_ticks=deficit,
        surplus_price_ticks=surplus, load_wh=load, generation_wh=generation, charge_wh=charge, discharge_wh=discharge,
        curtailed_wh=np.zeros_like(load), import_wh=imported, export_wh=exported, loss_wh=np.zeros(n_periods, dtype=np.int64), soc_wh=soc,
        value_ticks=value, cost_ticks=cost, limit_reported_ticks=np.where(buy > 0, value, np.where(sell > 0, cost, -1)), want_buy_lots=buy,
        want_sell_lots=sell, bought_lots=bought, sold_lots=sold, deficit_wh=short * POWER_LOT_WH, surplus_wh=long * POWER_LOT_WH,
        bill_retail_micro=retail, bill_pool_micro=pool, bill_market_micro=imbalance + fee + trade, fee_micro=fee, imbalance_micro=imbalance,
        trade_micro=trade, operator_micro=np.zeros(days, dtype=np.int64), netting_micro=np.zeros(days, dtype=np.int64), matched_wh=matched,
        issued_wh=issued, claimed_wh=claimed, expired_wh=np.maximum(issued - issued * 9 // 10, 0), double_claims=0, trades=trades,
        quotes=quotes, orders=3 * len(trades), state_hash=digest, event_hash=digest[::-1], journal_hash=digest[:32] * 2,
        seconds={"world": 0.01, "market": 0.2, "settlement": 0.05},
    )  # fmt: skip


def _meet(
    rng: np.random.Generator, start_ns: np.ndarray, buy: np.ndarray, sell: np.ndarray, value: np.ndarray, cost: np.ndarray, shift_ticks: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Best buyer with best seller while both gain, in each quarter-hour; prices half way, and a book after each of ten rounds."""
    trades, quotes = [], []
    bought, sold = np.zeros_like(buy), np.zeros_like(sell)
    for period, start in enumerate(start_ns):
        buyers = [row for row in np.argsort(-value[:, period], kind="stable") if buy[row, period]]
        sellers = [row for row in np.argsort(cost[:, period], kind="stable") if sell[row, period]]
        at = start - 60 * NS_PER_MINUTE
        while buyers and sellers and value[buyers[0], period] >= cost[sellers[0], period]:
            buyer, seller = buyers[0], sellers[0]
            lots = min(buy[buyer, period] - bought[buyer, period], sell[seller, period] - sold[seller, period], 400)
            price = (value[buyer, period] + cost[seller, period]) // 2 + shift_ticks
            side = (0, 1, 255)[len(trades) % 3]
            trades.append((at, period, len(trades) % 10, side, 0, buyer, seller, price, price, lots))
            bought[buyer, period] += lots
            sold[seller, period] += lots
            at += NS_PER_MINUTE
            if bought[buyer, period] == buy[buyer, period]:
                buyers.pop(0)
            if sold[seller, period] == sell[seller, period]:
                sellers.pop(0)
        middle = int(value[:, period].mean() + cost[:, period].mean()) // 2
        for turn in range(10):
            half = int(60 + 400 / (turn + 1) + rng.integers(0, 40))
            bid, ask = (middle - half, middle + half) if turn else (middle - half, -1)
            depth = int(rng.integers(20, 400)) * (turn + 1)
            quotes.append((period, turn, start - (600 - 60 * turn) * NS_PER_MINUTE, bid, ask, depth, depth if ask > 0 else 0, turn + 2, 0))
    return np.array(trades, dtype=TRADE), np.array(quotes, dtype=QUOTE), bought, sold
