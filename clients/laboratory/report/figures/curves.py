"""Supply and demand of a quarter-hour that the reader chooses, with their crossing and what was traded."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clients.laboratory.benchmark.equilibrium import crossing
from clients.laboratory.report.figures.day import RunDay
from clients.laboratory.report.figures.parts import (
    LOTS_PER_KWH,
    TICKS_PER_CNY,
    Control,
    Figure,
    Trace,
    axis,
    colour,
    plain,
    words,
)
from clients.laboratory.report.figures.prices import average_price
from clients.laboratory.report.markup import Text, same
from clients.laboratory.report.wording import say

_COLUMNS: Final = ["period", "value_ticks", "cost_ticks", "want_buy_lots", "want_sell_lots"]
_NOTHING: Final[Trace] = {"x": [], "y": []}


def supply_and_demand(runs: Sequence[tuple[Text, list[RunDay]]], days: Sequence[Text], *, is_coupled: bool) -> Figure:
    """`is_coupled`: storage, vehicles or shifted load tie quarter-hours together, so that a crossing is no benchmark."""
    step = {"mode": "lines", "hovertemplate": "%{x:,.1f} kWh, %{y:.4f} CNY/kWh"}
    traces: list[Trace] = [
        {**step, "name": words(say("demand")), "line": {"shape": "vh", "color": colour("demand"), "width": 2.2}},
        {**step, "name": words(say("supply")), "line": {"shape": "vh", "color": colour("supply"), "width": 2.2, "dash": "dash"}},
        {
            "mode": "markers", "name": words(say("crossing")),
            "marker": {"symbol": "diamond-open", "size": 13, "color": colour("text"), "line": {"width": 2}},
        },
        {"mode": "markers", "name": words(say("traded")), "marker": {"symbol": "circle", "size": 10, "color": colour("run1")}},
    ]  # fmt: skip
    for trace in traces[2:]:
        trace["hovertemplate"] = step["hovertemplate"]
    n_periods = min(day.n_periods for _, run_days in runs for day in run_days)
    views = {}
    for at_run, (_, run_days) in enumerate(runs):
        for at_day, day in enumerate(run_days):
            views.update({f"{at_run},{at_day},{period}": view for period, view in enumerate(_views(day)[:n_periods])})
    first_day = runs[0][1][0]
    busiest = int(np.argmax(first_day.column("traded_lots")[:n_periods]))
    controls = (
        Control(say("run"), [label for label, _ in runs]),
        Control(say("day"), list(days)),
        Control(say("period"), [same(_span(start)) for start in first_day.starts[:n_periods]], is_slider=True, first=busiest),
    )
    layout = {"xaxis": axis("axis_quantity", rangemode="tozero"), "yaxis": axis("axis_price")}
    note = say("curves_note_coupled" if is_coupled else "curves_note")
    return Figure("curves", say("curves_title"), note, traces, layout, 420, controls, views)


def _views(day: RunDay) -> list[dict[str, Any]]:
    table = day.rows("participant_periods", _COLUMNS)
    n = len(table) // day.n_periods
    value, cost, buy, sell = (_by_period(table, name, n) for name in _COLUMNS[1:])
    found = crossing(value, buy, cost, sell)
    lots = day.column("traded_lots")
    average = average_price(day.column("traded_micro"), lots)
    views = []
    for t in range(day.n_periods):
        meet = (int(found.volume_lots[t]), int(found.low_ticks[t]), int(found.high_ticks[t])) if found.volume_lots[t] else None
        low, high = _range(cost[:, t][sell[:, t] > 0], value[:, t][buy[:, t] > 0])
        demand, supply = _curve(value[:, t], buy[:, t], low, descending=True), _curve(cost[:, t], sell[:, t], high, descending=False)
        traces = [demand, supply, _meeting(meet)]
        traces.append(_point(float(lots[t]), float(average[t])) if lots[t] else _NOTHING)
        views.append({"traces": traces, "say": words(_sentence(meet, float(lots[t]), float(average[t])))})
    return views


def _range(cost_ticks: NDArray[np.int64], value_ticks: NDArray[np.int64]) -> tuple[int, int]:
    """The lowest and the highest price that anybody has in mind."""
    either = np.concatenate((cost_ticks, value_ticks, np.zeros(0, np.int64)))
    return (int(either.min()), int(either.max())) if len(either) else (0, 0)


def _by_period(table: pa.Table, name: str, n: int) -> NDArray[np.int64]:
    """[n, T] of a column that is sorted by quarter-hour."""
    return np.ascontiguousarray(np.asarray(table.column(name).to_numpy(), dtype=np.int64).reshape(-1, n).T)


def _meeting(meet: tuple[int, int, int] | None) -> Trace:
    return _point(meet[0], (meet[1] + meet[2]) / 2 / TICKS_PER_CNY) if meet else _NOTHING


def _point(lots: float, price_cny: float) -> Trace:
    return {"x": plain([lots / LOTS_PER_KWH]), "y": plain([price_cny])}


def _sentence(meet: tuple[int, int, int] | None, traded_lots: float, average_cny: float) -> Text:
    traded = say("curves_traded", kwh=f"{traded_lots / LOTS_PER_KWH:,.1f}", price=f"{average_cny:.4f}") if traded_lots else say("curves_no_trade")
    if meet is None:
        return say("curves_apart", traded=traded)
    low, high = (f"{ticks / TICKS_PER_CNY:.4f}" for ticks in meet[1:])
    price = low if low == high else say("range", low=low, high=high)
    return say("curves_cross", kwh=f"{meet[0] / LOTS_PER_KWH:,.1f}", price=price, traded=traded)


def _curve(prices: NDArray[np.int64], lots: NDArray[np.int64], far_ticks: int, *, descending: bool) -> Trace:
    """Steps from the first kWh on, the best price first; at the end nothing more is wanted at any price, so the line goes on to `far_ticks`."""
    rows = np.argsort(-prices if descending else prices, kind="stable")
    rows = rows[lots[rows] > 0]
    if not len(rows):
        return _NOTHING
    reached = np.cumsum(lots[rows])
    ends = [far_ticks] if (far_ticks < prices[rows[-1]]) == descending else []
    quantity = np.concatenate(([0], reached, reached[-1:] if ends else reached[:0]))
    return {"x": plain(quantity / LOTS_PER_KWH), "y": plain(np.concatenate((prices[rows[:1]], prices[rows], ends)) / TICKS_PER_CNY)}


def _span(start: str) -> str:
    hour, minute = int(start[11:13]), int(start[14:16])
    end = (60 * hour + minute + 15) % (24 * 60)
    return f"{hour:02}:{minute:02}–{end // 60:02}:{end % 60:02}"
