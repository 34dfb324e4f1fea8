"""Green energy through the day, and what became of the certificates."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from clients.laboratory.report.figures.day import RunDay
from clients.laboratory.report.figures.parts import WH_PER_KWH, Control, Figure, Trace, axis, clock_axis, colour, name_axis, numbers, plain, words
from clients.laboratory.report.markup import Text
from clients.laboratory.report.wording import say
from clients.laboratory.run.output import RunOutput

_WH_PER_QUARTER_KW: Final = 250
_ROWS_MAX: Final = 20
_BAR_PX: Final = 20


def green_energy(runs: Sequence[tuple[Text, list[RunDay]]], days: Sequence[Text]) -> Figure:
    """Use of the park and what its storage takes, by quarter-hour in two parts, with its generation as a line; mean power."""
    area: Trace = {"mode": "lines", "stackgroup": "use", "hovertemplate": "%{y:,.0f} kW"}
    traces: list[Trace] = [
        {
            **area, "name": words(say(name)), "fillcolor": colour(shade, opacity), "line": {"shape": "hv", "width": 0.6, "color": colour(shade)},
        }
        for name, shade, opacity in (("matched", "generation", 0.75), ("unmatched", "grid", 0.4))
    ]
    traces.append(
        {
            "mode": "lines", "name": words(say("generated")), "line": {"shape": "hv", "color": colour("text"), "width": 1.8, "dash": "dot"},
            "hovertemplate": "%{y:,.0f} kW",
        }
    )  # fmt: skip
    views = {f"{at_run},{at_day}": _view(day) for at_run, (_, run_days) in enumerate(runs) for at_day, day in enumerate(run_days)}
    layout = {"hovermode": "x unified", "xaxis": clock_axis(), "yaxis": axis("axis_kw", rangemode="tozero")}
    controls = (Control(say("run"), [label for label, _ in runs]), Control(say("day"), list(days)))
    return Figure("carbon", say("carbon_title"), say("carbon_note"), traces, layout, 380, controls, views)


def _view(day: RunDay) -> dict[str, Any]:
    load, charge, matched, generation = (day.column(f"{name}_wh") / _WH_PER_QUARTER_KW for name in ("load", "charge", "matched", "generation"))
    values = (matched, np.maximum(load + charge - matched, 0), generation)
    return {"traces": [{"x": day.starts, "y": plain(value)} for value in values], "layout": {"xaxis": {"range": day.clock_range}}}


def certificates(runs: Sequence[tuple[Text, RunOutput]]) -> Figure | None:
    """Issued, claimed and expired by participant; None where no run has certificates."""
    with_some = [(label, run) for label, run in runs if run.has("certificates")]
    if not with_some:
        return None
    names = ("issued", "claimed", "expired")
    shades = {"issued": "generation", "claimed": "demand", "expired": "soft"}
    bar = {"type": "bar", "orientation": "h", "hovertemplate": "%{customdata}: %{x:,.0f} kWh"}
    traces: list[Trace] = [
        {**bar, "name": words(say(name)), "marker": {"color": colour(shades[name])}}
        for name in reversed(names)  # plotly draws the first at the bottom
    ]
    views: dict[str, dict[str, Any]] = {}
    rows = 0
    for at, (_, run) in enumerate(with_some):
        kept, people = run.table("certificates"), run.table("participants", ["name_en", "name_zh"])
        amounts = {name: numbers(kept, f"{name}_wh") / WH_PER_KWH for name in names}
        largest = np.argsort(-sum(amounts.values()), kind="stable")[:_ROWS_MAX][::-1]
        chosen = [int(row) for row in largest if any(amounts[name][row] for name in names)]
        names_of_rows = [Text(people.column("name_en")[row].as_py(), people.column("name_zh")[row].as_py()) for row in chosen]
        where = {"y": list(range(len(chosen))), "customdata": [words(name) for name in names_of_rows]}
        rows = max(rows, len(chosen))
        bars = [{**where, "x": plain(amounts[name][chosen])} for name in reversed(names)]
        views[str(at)] = {"traces": bars, "layout": {"yaxis": name_axis(names_of_rows)}}
    layout = {"barmode": "group", "legend": {"traceorder": "reversed"}, "xaxis": axis("axis_kwh", rangemode="tozero"), "yaxis": {}}
    controls = (Control(say("run"), [label for label, _ in with_some]),)
    return Figure("certificates", say("certificates_title"), say("certificates_note"), traces, layout, 110 + _BAR_PX * rows * 2, controls, views)
