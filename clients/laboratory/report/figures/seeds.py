"""How results scatter over seeds: every run a point, for a measure that the reader chooses."""

from collections.abc import Sequence
from typing import Any, Final

from clients.laboratory.report.figures.parts import Control, Figure, Trace, colour, plain, run_style, words
from clients.laboratory.report.inputs import Evidence
from clients.laboratory.report.markup import Text
from clients.laboratory.report.measure_names import measure_name, unit
from clients.laboratory.report.wording import say

_ROW_PX: Final = 46
_SPREAD: Final = 0.28


def over_seeds(evidence: Evidence, measures: Sequence[str]) -> Figure:
    """Points of a setting are spread by their seed's rank, so that the same seed stands at the same height under all rules."""
    n = len(evidence.settings)
    traces: list[Trace] = []
    for index, setting in enumerate(evidence.settings):
        shade, _, symbol = run_style(index)
        marker = {"color": colour(shade, 0.75), "size": 8, "symbol": symbol}
        traces.append({"mode": "markers", "name": words(setting.label), "marker": marker, "showlegend": False})
        bar = {"color": colour("text"), "size": 24, "symbol": "line-ns-open", "line": {"width": 3}}
        traces.append({"mode": "markers", "name": words(say("mean")), "marker": bar, "showlegend": False, "hovertemplate": "%{x:,.6~g}"})
    views = {str(at): _view(evidence, name) for at, name in enumerate(measures)}
    layout: dict[str, Any] = {
        "yaxis": {
            "automargin": True, "range": [n - 0.4, -0.6], "tickvals": list(range(n)), "zeroline": False,
            "ticktext": [words(setting.label) for setting in evidence.settings],
        },
        "xaxis": {"automargin": True},
    }  # fmt: skip
    controls = (Control(say("measure"), [measure_name(name) for name in measures]),)
    return Figure("seeds", say("seeds_title"), say("seeds_note"), traces, layout, 130 + _ROW_PX * n, controls, views)


def _view(evidence: Evidence, measure: str) -> dict[str, Any]:
    seeds, traces = evidence.seeds, []
    place = {seed: _SPREAD * (2 * rank / max(len(seeds) - 1, 1) - 1) if len(seeds) > 1 else 0.0 for rank, seed in enumerate(seeds)}
    for index in range(len(evidence.settings)):
        values = evidence.values(measure, index)
        traces.append(
            {
                "x": plain(list(values.values())), "y": plain([index + place[seed] for _, seed in values]),
                "text": [words(_said(population, seed)) for population, seed in values], "hovertemplate": "%{text}: %{x:,.6~g}<extra></extra>",
            }
        )  # fmt: skip
        traces.append({"x": plain([sum(values.values()) / len(values)]), "y": [index]} if values else {"x": [], "y": []})
    title = measure_name(measure)
    own = unit(measure)
    text = Text(f"{title.en}, {own.en}", f"{title.zh}，{own.zh}") if own.en else title
    return {"traces": traces, "layout": {"xaxis": {"title": {"text": words(text), "standoff": 8}}}}


def _said(population: str, seed: int) -> Text:
    own = say("one_seed", seed=seed)
    return Text(f"{own.en}, {population}", f"{own.zh}，{population}") if population else own
