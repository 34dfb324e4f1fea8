"""Price and volume through the day, and day by day."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from clients.laboratory.report.figures.day import RunDay
from clients.laboratory.report.figures.parts import (
    LOTS_PER_KWH,
    MICRO_PER_CNY,
    TICKS_PER_CNY,
    Control,
    Figure,
    Floats,
    Trace,
    axis,
    clock_axis,
    colour,
    numbers,
    plain,
    run_style,
    words,
)
from clients.laboratory.report.markup import Text
from clients.laboratory.report.wording import say
from clients.laboratory.run.output import RunOutput

_BAR_MS: Final = 780_000
_DAILY_TICKS: Final = {"dtick": 86_400_000}
_TICKED_DAYS_MAX: Final = 14
_PRICE_HOVER: Final = "%{y:.4f} CNY/kWh"
_VOLUME_HOVER: Final = "%{y:,.1f} kWh"


def prices_through_the_day(runs: Sequence[tuple[Text, list[RunDay]]], days: Sequence[Text]) -> Figure:
    """Average price and volume of every quarter-hour of delivery between what the grid charges and pays."""
    traces: list[Trace] = [
        {
            "name": words(say(key)), "mode": "lines", "hovertemplate": _PRICE_HOVER,
            "line": {"shape": "hv", "color": colour("soft"), "width": 1.3, "dash": dash},
        }
        for key, dash in (("grid_charges", "dot"), ("grid_pays", "dash"))
    ]  # fmt: skip
    for index, (label, _) in enumerate(runs):
        shade, dash, _symbol = run_style(index)
        alone = label == say("this_run")
        line = {"color": colour(shade), "width": 2, "dash": dash}
        price = {"name": words(say("average_price") if alone else label), "line": line, "legendgroup": shade}
        volume = say("volume") if alone else say("volume_of", run=label)
        bars = {"name": words(volume), "type": "bar", "yaxis": "y2", "width": _BAR_MS / len(runs), "legendgroup": shade}
        dots = {"mode": "lines+markers", "marker": {"size": 4, "color": colour(shade)}}
        traces.append({**price, **dots, "connectgaps": False, "hovertemplate": _PRICE_HOVER})
        traces.append({**bars, "marker": {"color": colour(shade, 0.55)}, "showlegend": False, "hovertemplate": _VOLUME_HOVER})
    layout = {
        "hovermode": "x unified", "xaxis": clock_axis(anchor="y2"), "barmode": "group",
        "yaxis": axis("axis_price", domain=[0.38, 1], rangemode="tozero"), "yaxis2": axis("axis_volume", domain=[0, 0.3], rangemode="tozero"),
    }  # fmt: skip
    views: dict[str, dict[str, Any]] = {
        str(day): {"traces": _day_traces([run_days[day] for _, run_days in runs]), "layout": {"xaxis": {"range": runs[0][1][day].clock_range}}}
        for day in range(len(days))
    }
    control = (Control(say("day"), list(days)),)
    return Figure("prices", say("prices_title"), say("prices_note"), traces, layout, 460, control, views)


def average_price(traded_micro: Floats, traded_lots: Floats) -> Floats:
    """CNY/kWh, NaN where nothing traded."""
    kwh = traded_lots / LOTS_PER_KWH
    average: Floats = np.divide(traded_micro / MICRO_PER_CNY, kwh, out=np.full(len(kwh), np.nan), where=kwh > 0)
    return average


def _day_traces(days: Sequence[RunDay]) -> list[Trace]:
    first = days[0]
    traces: list[Trace] = [
        {"x": first.starts, "y": plain(first.column(f"{name}_price_ticks") / TICKS_PER_CNY)} for name in ("deficit", "surplus")
    ]
    for day in days:
        lots = day.column("traded_lots")
        traces.append({"x": day.middles, "y": plain(average_price(day.column("traded_micro"), lots))})
        traces.append({"x": day.middles, "y": plain(lots / LOTS_PER_KWH)})
    return traces


def day_by_day(runs: Sequence[tuple[Text, RunOutput]]) -> Figure:
    """Volume, average price and what participants saved, a point a day."""
    traces: list[Trace] = []
    for index, (label, run) in enumerate(runs):
        shade, dash, symbol = run_style(index)
        line = {"color": colour(shade), "width": 1.6, "dash": dash}
        many = len(run.table("days", ["day"])) > 60
        base = {"mode": "lines" if many else "lines+markers", "line": line, "marker": {"symbol": symbol, "size": 6, "color": colour(shade)}}
        for place, (axis_name, values) in enumerate(_daily(run).items()):
            shown = {"name": words(label), "showlegend": place == 0 and len(runs) > 1, "legendgroup": shade, "yaxis": axis_name}
            traces.append({**base, **shown, **values})
    most_days = max(run.facts["days"] for _, run in runs)
    ticks = _DAILY_TICKS if most_days <= _TICKED_DAYS_MAX else {}
    layout: dict[str, Any] = {
        "hovermode": "x unified", "xaxis": axis("axis_date", type="date", anchor="y3", tickformat="%m-%d", **ticks),
        "yaxis": axis("axis_price", domain=[0.7, 1]), "yaxis2": axis("axis_volume_day", domain=[0.36, 0.62], rangemode="tozero"),
        "yaxis3": axis("axis_saving_day", domain=[0, 0.28]),
    }  # fmt: skip
    return Figure("days", say("days_title"), say("days_note"), traces, layout, 520)


def _daily(run: RunOutput) -> dict[str, dict[str, Any]]:
    dates = run.table("days", ["date"]).column("date").to_pylist()
    n = len(dates)
    periods = run.table("periods", ["day", "traded_lots", "traded_micro"])
    of_period = np.asarray(periods.column("day").to_numpy(), dtype=np.int64)
    lots, micro = (np.bincount(of_period, numbers(periods, name), n).astype(np.float64) for name in ("traded_lots", "traded_micro"))
    bills = run.table("participant_days", ["day", "bill_pool_micro", "bill_market_micro"])
    gain = numbers(bills, "bill_pool_micro") - numbers(bills, "bill_market_micro")
    saved = np.bincount(np.asarray(bills.column("day").to_numpy(), dtype=np.int64), gain, n)
    return {
        "y": {"x": dates, "y": plain(average_price(micro, lots)), "hovertemplate": "%{y:.4f} CNY/kWh"},
        "y2": {"x": dates, "y": plain(lots / LOTS_PER_KWH), "hovertemplate": "%{y:,.0f} kWh"},
        "y3": {"x": dates, "y": plain(saved / MICRO_PER_CNY), "hovertemplate": "%{y:,.0f} CNY"},
    }
