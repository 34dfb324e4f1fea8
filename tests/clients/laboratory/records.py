"""Small, consistent RunRecords made by hand: meters, wishes and trades in, everything that follows from them (positions, imbalance, bills, grid) out.

    record = record_of(scenario_of(member("F1"), member("S1")), load_kwh=[[10], [0]], generation_kwh=[[0], [8]], trades=[trade(0, 0, 1, 50, 5000)])
"""

import datetime
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from clients.laboratory.run.record import QUOTE, TRADE, RunRecord
from clients.laboratory.scenario.model import (
    CarbonRules,
    ForecastRules,
    ImbalanceRules,
    MarketRules,
    Network,
    Participant,
    Scenario,
    SharingRules,
)
from clients.scenarios.model import Storage
from clients.scenarios.tariff import Tariff
from exchange.protocol.value_chain.accounting import EmissionFactor
from exchange.units import NS_PER_DAY, PERIOD_NS, PPM, divide_half_even
from matching.records import Side
from tests.exchange.settlement.mid_market_oracle import mid_market_bill

KWH = 1000
LOTS_PER_KWH = 10
ZONE = ZoneInfo("Asia/Shanghai")
DEFICIT_TICKS, SURPLUS_TICKS = 6500, 2800
AUCTION = 255
FIRST_NS = 1_783_872_000 * 10**9  # 2026-07-13 00:00 in Shanghai


def member(participant: str, **changes: Any) -> Participant:
    values: dict[str, Any] = {"id": participant, "name_en": participant, "name_zh": participant, "role": "enterprise", "permissions": ("power",)}
    return Participant(**values | changes)


def battery(energy_kwh: int = 10, power_kw: int = 20, initial_kwh: int = 0, efficiency_ppm: int = PPM) -> Storage:
    return Storage(energy_kwh * KWH, power_kw * KWH, 0, energy_kwh * KWH, initial_kwh * KWH, efficiency_ppm, efficiency_ppm)


def scenario_of(*participants: Participant, **changes: Any) -> Scenario:
    factor = EmissionFactor(publisher="MEE", year=2023, region="CN", kind="average", mg_per_kwh=530_600)
    residual = EmissionFactor(publisher="MEE", year=2023, region="CN", kind="residual", mg_per_kwh=609_600)
    values: dict[str, Any] = {
        "name": "small", "name_en": "Small park", "name_zh": "小园区", "zone": ZONE, "first_date": datetime.date(2026, 7, 13), "days": 1, "seed": 1,
        "tariff": Tariff("flat", "Flat", "平价", "a test", ZONE, ()), "market": MarketRules(), "imbalance": ImbalanceRules(),
        "forecast": ForecastRules(), "noises": {}, "network": Network(loss_ppm=0), "carbon": CarbonRules(factor=factor, residual=residual),
        "sharing": SharingRules(), "soc_value_micro_per_kwh": 300_000, "participants": participants,
    }  # fmt: skip
    return Scenario(**values | changes)


def trade(period: int, buyer: int, seller: int, lots: int, price: int, **changes: int) -> dict[str, int]:
    """A trade between two rows; a second price, round, side of the taker and stamp by name."""
    return {"period": period, "buyer": buyer, "seller": seller, "quantity_lots": lots, "price_ticks": price, "buyer_price_ticks": price} | changes


def quote(period: int, round_: int, bid: int, ask: int, bid_lots: int = 10, ask_lots: int = 10) -> dict[str, int]:
    lots = {"bid_lots": bid_lots if bid >= 0 else 0, "ask_lots": ask_lots if ask >= 0 else 0}
    return {"period": period, "round": round_, "bid_ticks": bid, "ask_ticks": ask, **lots}


def table(rows: list[dict[str, int]], dtype: np.dtype[np.void], **defaults: int) -> np.ndarray:
    array = np.zeros(len(rows), dtype)
    for place, row in enumerate(rows):
        for name, value in {"stamp_ns": place, **defaults, **row}.items():
            array[name][place] = value
    return array


def record_of(
    scenario: Scenario,
    *,
    load_kwh: Any,
    generation_kwh: Any,
    charge_kwh: Any = 0,
    discharge_kwh: Any = 0,
    trades: list[dict[str, int]] | None = None,
    quotes: list[dict[str, int]] | None = None,
    value_ticks: Any = 6000,
    cost_ticks: Any = SURPLUS_TICKS,
    days: int = 1,
    **changes: Any,
) -> RunRecord:
    """A record of [n, P] kWh. Participants want what their meters show; imbalance is priced dual; the pool is at the mid-market rate."""
    shape = np.array(load_kwh).shape
    load, generation, charge, discharge = (_wh(energy, shape) for energy in (load_kwh, generation_kwh, charge_kwh, discharge_kwh))
    n, periods = shape
    net = load + charge - generation - discharge
    trade_table = table(trades or [], TRADE, taker_side=Side.BUY)
    bought, sold = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    np.add.at(bought, (trade_table["buyer"], trade_table["period"]), trade_table["quantity_lots"])
    np.add.at(sold, (trade_table["seller"], trade_table["period"]), trade_table["quantity_lots"])
    imbalance = net - (bought - sold) * 100
    day = np.arange(periods) * days // periods
    losses = np.zeros(periods, np.int64)
    park = net.sum(axis=0) + losses
    limits = {
        "deficit_price_ticks": np.full(periods, DEFICIT_TICKS), "surplus_price_ticks": np.full(periods, SURPLUS_TICKS),
        "value_ticks": np.broadcast_to(np.array(value_ticks), shape).astype(np.int64),
        "cost_ticks": np.broadcast_to(np.array(cost_ticks), shape).astype(np.int64),
    }  # fmt: skip
    paid = np.zeros(shape, np.int64)
    np.add.at(paid, (trade_table["buyer"], trade_table["period"]), trade_table["buyer_price_ticks"] * trade_table["quantity_lots"] * 10)
    np.subtract.at(paid, (trade_table["seller"], trade_table["period"]), trade_table["price_ticks"] * trade_table["quantity_lots"] * 10)
    imbalance_micro = (np.maximum(imbalance, 0) * DEFICIT_TICKS - np.maximum(-imbalance, 0) * SURPLUS_TICKS) // 10
    kept = np.array([(trade_table["buyer_price_ticks"] - trade_table["price_ticks"])[_of_day(trade_table, day, d)] @
                     trade_table["quantity_lots"][_of_day(trade_table, day, d)] * 10 for d in range(days)], np.int64)  # fmt: skip
    record = RunRecord(
        scenario=scenario, seed=scenario.seed, start_ns=FIRST_NS + (np.arange(periods) % (-(-periods // days))) * PERIOD_NS + day * NS_PER_DAY,
        day_of_period=day, load_wh=load, generation_wh=generation, charge_wh=charge, discharge_wh=discharge,
        curtailed_wh=np.zeros(shape, np.int64), import_wh=np.maximum(park, 0), export_wh=np.maximum(-park, 0), loss_wh=losses,
        soc_wh=_soc(scenario, charge, discharge), limit_reported_ticks=np.full(shape, -1), want_buy_lots=np.maximum(net, 0) // 100,
        want_sell_lots=np.maximum(-net, 0) // 100, bought_lots=bought, sold_lots=sold, deficit_wh=np.maximum(imbalance, 0),
        surplus_wh=np.maximum(-imbalance, 0), bill_retail_micro=_by_day(_alone(net), day, days), bill_pool_micro=_by_day(_pool(net), day, days),
        bill_market_micro=_by_day(paid + imbalance_micro, day, days), fee_micro=np.zeros((n, days), np.int64),
        imbalance_micro=_by_day(imbalance_micro, day, days), trade_micro=_by_day(paid, day, days), operator_micro=kept,
        netting_micro=np.zeros(days, np.int64), matched_wh=np.minimum(load, generation), issued_wh=generation.sum(axis=1),
        claimed_wh=np.minimum(load, generation).sum(axis=1), expired_wh=np.zeros(n, np.int64), double_claims=0, trades=trade_table,
        quotes=table(quotes or [], QUOTE), orders=2 * len(trade_table), state_hash="", event_hash="", journal_hash="", **limits,
    )  # fmt: skip
    return replace(record, **{name: np.array(value) if isinstance(value, list) else value for name, value in changes.items()})


def _wh(energy_kwh: Any, shape: tuple[int, ...]) -> np.ndarray:
    return np.rint(np.broadcast_to(np.array(energy_kwh, float), shape) * KWH).astype(np.int64)


def _of_day(trades: np.ndarray, day: np.ndarray, wanted: int) -> np.ndarray:
    return day[trades["period"]] == wanted


def _alone(net_wh: np.ndarray) -> np.ndarray:
    return (np.maximum(net_wh, 0) * DEFICIT_TICKS - np.maximum(-net_wh, 0) * SURPLUS_TICKS) // 10


def _pool(net_wh: np.ndarray) -> np.ndarray:
    bills = np.zeros_like(net_wh)
    for period in range(net_wh.shape[1]):
        taken, given = np.maximum(net_wh[:, period], 0).tolist(), np.maximum(-net_wh[:, period], 0).tolist()
        bill = mid_market_bill(DEFICIT_TICKS, SURPLUS_TICKS, taken, given)
        bills[:, period] = np.array(bill.paid_micro) - np.array(bill.received_micro)
    return bills


def _by_day(values: np.ndarray, day: np.ndarray, days: int) -> np.ndarray:
    return np.stack([values[:, day == d].sum(axis=1) for d in range(days)], axis=1)


def _soc(scenario: Scenario, charge_wh: np.ndarray, discharge_wh: np.ndarray) -> np.ndarray:
    soc = np.zeros_like(charge_wh)
    for row, entry in enumerate(scenario.participants):
        if entry.storage is not None:
            stored = charge_wh[row] * entry.storage.charge_efficiency_ppm // PPM
            taken = [divide_half_even(int(wh) * PPM, entry.storage.discharge_efficiency_ppm) for wh in discharge_wh[row]]
            soc[row] = entry.storage.soc_initial_wh + np.cumsum(stored - np.array(taken, np.int64))
    return soc
