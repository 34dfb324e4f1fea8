"""Days to settle: from meters and a list of trades to a DayInput whose grid meter agrees with the members, and balances after it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from exchange.ledger.chart import House
from exchange.metering.table import DayReadings
from exchange.settlement.day import DayResult
from exchange.settlement.day_input import NO_NOMINATION, DayInput
from exchange.settlement.statement import DaySettlement, day_settlement
from exchange.units import PERIOD_NS, POWER_MULTIPLIER_MICRO

FIRST_ACCOUNT = 32
RICH_MICRO = 10**15


class Trade(NamedTuple):
    seller: int  # row
    buyer: int
    period: int
    lots: int
    price_ticks: int


def readings_of(consumption_wh: Any, generation_wh: Any, losses_wh: Any) -> DayReadings:
    """Member meters with the grid meter that the physical balance asks for."""
    consumption, generation, losses = (np.array(values, dtype=np.int64) for values in (consumption_wh, generation_wh, losses_wh))
    net_import = (consumption - generation).sum(axis=0) + losses
    shape = consumption.shape
    return DayReadings(
        consumption_wh=consumption,
        generation_wh=generation,
        soc_wh=np.full(shape, -1, np.int64),
        metered=np.ones(shape, np.bool_),
        replaced=np.zeros(shape, np.bool_),
        grid_import_wh=np.maximum(net_import, 0),
        grid_export_wh=np.maximum(-net_import, 0),
        losses_wh=losses,
        grid_metered=np.ones(shape[1], np.bool_),
    )


def make_day(
    consumption_wh: Any,
    generation_wh: Any,
    trades: Iterable[Trade] = (),
    *,
    losses_wh: Any = None,
    deficit_ticks: Any = 6500,
    surplus_ticks: Any = 2800,
    fee_lot_micro: int = 4000,
    contract_lots: Any = 0,
    adders: Any = 0,
    available_micro: Any = RICH_MICRO,
) -> DayInput:
    """A day of n accounts and T periods. Scalars are broadcast; the trading fee is nothing, holds are what the order path makes."""
    readings = readings_of(consumption_wh, generation_wh, np.zeros(np.array(consumption_wh).shape[1]) if losses_wh is None else losses_wh)
    n, t = readings.consumption_wh.shape
    deficit = np.full(t, deficit_ticks, np.int64)
    bought, sold, paid, received, fee_held, guarantee = (np.zeros((n, t), np.int64) for _ in range(6))
    for trade in trades:
        value = trade.lots * trade.price_ticks * POWER_MULTIPLIER_MICRO
        bought[trade.buyer, trade.period] += trade.lots
        sold[trade.seller, trade.period] += trade.lots
        paid[trade.buyer, trade.period] += value
        received[trade.seller, trade.period] += value
        fee_held[trade.buyer, trade.period] += trade.lots * fee_lot_micro
        guarantee[trade.seller, trade.period] += trade.lots * max(0, int(deficit[trade.period]) - trade.price_ticks) * POWER_MULTIPLIER_MICRO
    return DayInput(
        day="2026-07-15",
        accounts=np.arange(FIRST_ACCOUNT, FIRST_ACCOUNT + n),
        names=tuple(f"E{row + 1:02}" for row in range(n)),
        roles=("prosumer",) * n,
        symbols=tuple(f"GP-20260715-{column // 4:02}{column % 4 * 15:02}" for column in range(t)),
        period_starts_ns=np.arange(t) * PERIOD_NS,
        deficit_price_ticks=deficit,
        surplus_price_ticks=np.full(t, surplus_ticks, np.int64),
        park_fee_lot_micro=np.full(t, fee_lot_micro, np.int64),
        contract_price_ticks=np.zeros(t, np.int64),
        net_lots=bought - sold,
        contract_lots=np.broadcast_to(np.array(contract_lots, dtype=np.int64), (n, t)),
        bought_lots=bought,
        sold_lots=sold,
        bought_value_micro=paid,
        sold_value_micro=received,
        trading_fee_micro=np.zeros((n, t), np.int64),
        held_park_fee_micro=fee_held,
        held_guarantee_micro=guarantee,
        nomination_wh=np.full((n, t), NO_NOMINATION, np.int64),
        voltage_adder_micro_per_kwh=np.broadcast_to(np.array(adders, dtype=np.int64), (n,)),
        available_micro=np.broadcast_to(np.array(available_micro, dtype=np.int64), (n,)),
        must_be_metered=np.ones(n, np.bool_),
        readings=readings,
    )


def alter_reading(day: DayInput, field: str, index: tuple[int, ...], change_wh: int) -> DayInput:
    values = getattr(day.readings, field).copy()
    values[index] += change_wh
    return replace(day, readings=replace(day.readings, **{field: values}))


def balances_before(day: DayInput) -> Counter[int]:
    """Of members: free cash and the holds of the day. CLEARING holds what buyers paid at trade."""
    members = day.available_micro + day.held_park_fee_micro.sum(axis=1) + day.held_guarantee_micro.sum(axis=1)
    balances = Counter(dict(zip(day.accounts.tolist(), members.tolist(), strict=True)))
    balances[House.CLEARING] = int(day.bought_value_micro.sum())
    return balances


def post_all(day: DayInput, result: DayResult) -> Counter[int]:
    """Balances after the run; no member goes below zero at any posting."""
    balances = balances_before(day)
    for debit, credit, amount_micro, reason in entries(result):
        assert amount_micro > 0
        assert debit != credit
        balances[debit] -= amount_micro
        balances[credit] += amount_micro
        assert debit < FIRST_ACCOUNT or balances[debit] >= 0, (debit, credit, amount_micro, reason)
    return balances


def entries(result: DayResult) -> list[tuple[int, int, int, int]]:
    """(debit, credit, micro-CNY, reason) of every posting, in order."""
    return list(zip(*(result.postings[name].tolist() for name in ("debit", "credit", "amount", "reason")), strict=True))


def total_of(result: DayResult, rows: Sequence[int]) -> int:
    """What a set of accounts receives for the day, trades included."""
    return sum(report(result).statements[row].total_micro for row in rows)


def report(result: DayResult) -> DaySettlement:
    """The day's report, statements included."""
    return day_settlement(result.settlement)


@st.composite
def trades_among(draw: st.DrawFn, rows: Sequence[int], periods: int, max_size: int = 12) -> list[Trade]:
    """Any trades among `rows` at any price, churn included."""
    pairs = st.tuples(st.sampled_from(rows), st.sampled_from(rows)).filter(lambda pair: pair[0] != pair[1])
    trade = st.tuples(pairs, st.integers(0, periods - 1), st.integers(1, 500), st.integers(0, 15_000))
    return [Trade(seller, buyer, period, lots, price) for (seller, buyer), period, lots, price in draw(st.lists(trade, max_size=max_size))]


@st.composite
def prices(draw: st.DrawFn, periods: int, whole: bool = False) -> dict[str, Any]:
    """Deficit at least surplus in every period; `whole`: multiples of ten ticks, so that no line rounds."""
    step = 10 if whole else 1
    surplus = draw(st.lists(st.integers(-400, 700), min_size=periods, max_size=periods))
    spread = draw(st.lists(st.integers(0, 300) | st.integers(0, 900), min_size=periods, max_size=periods))
    return {
        "surplus_ticks": np.array(surplus) * step,
        "deficit_ticks": (np.array(surplus) + np.array(spread)) * step,
    }


@st.composite
def meters(draw: st.DrawFn, n: int, periods: int) -> dict[str, Any]:
    energy = st.lists(st.lists(st.integers(0, 50_000), min_size=periods, max_size=periods), min_size=n, max_size=n)
    losses = draw(st.lists(st.integers(0, 3_000), min_size=periods, max_size=periods))
    return {"consumption_wh": draw(energy), "generation_wh": draw(energy), "losses_wh": losses}


@st.composite
def contracts(draw: st.DrawFn, n: int, periods: int) -> Any:
    """Contract lots that sum to zero in every period."""
    lots = np.array(draw(st.lists(st.lists(st.integers(-300, 300), min_size=periods, max_size=periods), min_size=n, max_size=n)))
    lots[-1] = -lots[:-1].sum(axis=0)
    return lots


@st.composite
def days(draw: st.DrawFn, whole: bool = False) -> DayInput:
    n, periods = draw(st.integers(2, 5)), draw(st.integers(1, 3))
    trades = draw(trades_among(range(n), periods))
    cash = st.one_of(st.just(RICH_MICRO), st.integers(0, 30_000_000))
    return make_day(
        **draw(meters(n, periods)),
        trades=trades,
        **draw(prices(periods, whole)),
        contract_lots=draw(contracts(n, periods)),
        fee_lot_micro=draw(st.integers(0, 8_001)),
        adders=draw(st.lists(st.integers(0, 120_001), min_size=n, max_size=n)),
        available_micro=draw(st.lists(cash, min_size=n, max_size=n)),
    )
