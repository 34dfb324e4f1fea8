"""The order book as a map: how wide and how deep each quarter-hour's book was after each round."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from clients.laboratory.report.figures.day import RunDay
from clients.laboratory.report.figures.parts import LOTS_PER_KWH, TICKS_PER_CNY, Control, Figure, Floats, axis, clock_axis, numbers, plain, words
from clients.laboratory.report.markup import Text
from clients.laboratory.report.wording import say
from exchange.units import NS_PER_MINUTE

_COLUMNS: Final = ["period", "round", "stamp_ns", "bid_ticks", "ask_ticks", "bid_lots", "ask_lots"]
_MINUTES_PER_DAY: Final = 24 * 60
SHOWN: Final = ("spread", "bid_depth", "ask_depth", "bid_price", "ask_price")


def book_heatmap(runs: Sequence[tuple[Text, list[RunDay]]], days: Sequence[Text]) -> Figure:
    """Colours run from dark to bright with the number, in a scale that stays ordered without colour vision and in print."""
    views: dict[str, dict[str, Any]] = {}
    for at_run, (_, run_days) in enumerate(runs):
        for at_day, day in enumerate(run_days):
            maps, labels = _maps(day)
            for at_shown, name in enumerate(SHOWN):
                unit = words(say("axis_kwh" if "depth" in name else "axis_price"))
                trace = {
                    "x": day.middles, "y": [words(label) for label in labels], "z": [plain(row, 4) for row in maps[name]],
                    **_scale(maps[name]),
                    "colorbar": {"title": {"text": unit}},
                }  # fmt: skip
                views[f"{at_run},{at_day},{at_shown}"] = {"traces": [trace]}
    bar = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "thickness": 12, "len": 0.9, "outlinewidth": 0}
    heatmap = {"type": "heatmap", "colorscale": "Cividis", "hoverongaps": False, "colorbar": bar, "xgap": 0, "ygap": 1}
    traces = [{**heatmap, "hovertemplate": "%{x|%H:%M}, %{y}: %{z}<extra></extra>"}]
    controls = (
        Control(say("run"), [label for label, _ in runs]), Control(say("day"), list(days)), Control(say("shown"), [say(name) for name in SHOWN]),
    )  # fmt: skip
    layout = {"xaxis": clock_axis(), "yaxis": axis("axis_round", type="category")}
    return Figure("book", say("book_title"), say("book_note"), traces, layout, 400, controls, views)


def _maps(day: RunDay) -> tuple[dict[str, Floats], list[Text]]:
    """[rounds, periods] of every quantity, and what to call the rounds."""
    table = day.rows("quotes", _COLUMNS)
    period = np.asarray(table.column("period").to_numpy(), dtype=np.int64) - day.first
    turn = np.asarray(table.column("round").to_numpy(), dtype=np.int64)
    n_rounds = int(turn.max()) + 1 if len(turn) else 0
    kept = {name: _grid(turn, period, numbers(table, name), (n_rounds, day.n_periods)) for name in _COLUMNS[2:]}
    bid, ask = kept["bid_ticks"] / TICKS_PER_CNY, kept["ask_ticks"] / TICKS_PER_CNY
    maps = {
        "spread": np.where(ask >= bid, ask - bid, np.nan),
        "bid_depth": kept["bid_lots"] / LOTS_PER_KWH,
        "ask_depth": kept["ask_lots"] / LOTS_PER_KWH,
        "bid_price": bid,
        "ask_price": ask,
    }
    before = (day.column("start_ns") - kept["stamp_ns"]) / NS_PER_MINUTE
    return maps, [_round_name(number, row) for number, row in enumerate(before)]


def _scale(values: Floats) -> dict[str, float]:
    """Colours end at the 98th percentile, so that a few wide books do not hide how the others differ."""
    known = values[np.isfinite(values)]
    return {"zmin": float(known.min()), "zmax": float(np.percentile(known, 98))} if len(known) else {}


def _grid(rows: Any, columns: Any, values: Floats, shape: tuple[int, int]) -> Floats:
    filled = np.full(shape, np.nan)
    filled[rows, columns] = values
    return filled


def _round_name(number: int, minutes_before: Floats) -> Text:
    """By the time before delivery where that is the same for all quarter-hours, else as a round of the day before."""
    known = minutes_before[np.isfinite(minutes_before)]
    if not len(known) or known.max() - known.min() >= 15:
        return say("round_day_ahead", number=number + 1)
    hours, minutes = divmod(round(float(np.median(known))), 60)
    key = "round_minutes" if not hours else "round_hours" if not minutes else "round_both"
    return say(key, number=number + 1, hours=hours, minutes=minutes)
