"""Where the energy of a run came from and went, as a Sankey diagram that balances to the Wh."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from clients.laboratory.report.figures.parts import WH_PER_KWH, Control, Figure, colour, numbers, plain, short, words
from clients.laboratory.report.markup import Text
from clients.laboratory.report.wording import say
from clients.laboratory.run.output import RunOutput

# More nodes than this are unreadable on a telephone; the smallest share one.
NODES_MAX: Final = 9
_ROW_PX: Final = 40


@dataclass(frozen=True, slots=True)
class Node:
    """A participant on one side: what passed in all, and the part of it that never left its meter."""

    label: Text
    total_wh: int
    own_wh: int


def energy_flows(runs: Sequence[tuple[Text, RunOutput]]) -> Figure:
    views = {str(index): {"traces": [_sankey(run)]} for index, (_, run) in enumerate(runs)}
    trace = {"type": "sankey", "arrangement": "snap", "valueformat": ",.0f", "valuesuffix": " kWh", "domain": {"x": [0.01, 0.99]}}
    rows = max(max(len(side) for side in sides(run)) for _, run in runs) + 2
    controls = (Control(say("run"), [label for label, _ in runs]),)
    layout = {"margin": {"l": 8, "r": 8, "t": 12, "b": 12}}
    return Figure("flows", say("flows_title"), say("flows_note"), [trace], layout, 40 + _ROW_PX * rows, controls, views)


def sides(run: RunOutput) -> tuple[list[Node], list[Node]]:
    """Those who gave energy and those who took it, each with the smallest taken together."""
    table = run.table("participants")
    given = (numbers(table, "generation_wh") + numbers(table, "discharge_wh")).astype(np.int64)
    taken = (numbers(table, "load_wh") + numbers(table, "charge_wh")).astype(np.int64)
    own = numbers(table, "own_use_wh").astype(np.int64)
    names = [Text(en, zh) for en, zh in zip(table.column("name_en").to_pylist(), table.column("name_zh").to_pylist(), strict=True)]
    return _largest(names, given, own), _largest(names, taken, own)


def _largest(names: list[Text], total: Any, own: Any) -> list[Node]:
    nodes = [Node(names[row], int(total[row]), int(own[row])) for row in np.argsort(-total, kind="stable") if total[row] > 0]
    if len(nodes) <= NODES_MAX:
        return nodes
    kept, rest = nodes[: NODES_MAX - 1], nodes[NODES_MAX - 1 :]
    return [*kept, Node(say("others", count=len(rest)), sum(node.total_wh for node in rest), sum(node.own_wh for node in rest))]


def _sankey(run: RunOutput) -> dict[str, Any]:
    """Nodes: givers, grid import | own use, park lines | takers, grid export, losses."""
    givers, takers = sides(run)
    periods = run.table("periods", ["import_wh", "export_wh", "loss_wh"])
    imported, exported, lost = (int(numbers(periods, name).sum()) for name in ("import_wh", "export_wh", "loss_wh"))
    labels = [*(node.label for node in givers), say("grid_import"), say("own_use"), say("park_lines")]
    grid, own, lines = len(givers), len(givers) + 1, len(givers) + 2
    labels += [*(node.label for node in takers), say("grid_export"), say("losses")]
    links = [link for at, node in enumerate(givers) for link in ((at, own, node.own_wh), (at, lines, node.total_wh - node.own_wh))]
    links.append((grid, lines, imported))
    for at, node in enumerate(takers, start=lines + 1):
        links += [(own, at, node.own_wh), (lines, at, node.total_wh - node.own_wh)]
    links += [(lines, len(labels) - 2, exported), (lines, len(labels) - 1, lost)]
    shades = ["generation"] * len(givers) + ["grid", "generation", "soft"] + ["demand"] * len(takers) + ["export", "soft"]
    kept = [link for link in links if link[2] > 0]
    export = len(labels) - 2

    def shade(source: int, target: int) -> str:
        if source == lines:
            return "export" if target == export else "soft"
        return "grid" if source == grid else "generation"

    return {
        "node": {
            "label": [words(short(label)) for label in labels], "customdata": [words(label) for label in labels], "pad": 14, "thickness": 12,
            "color": [colour(name) for name in shades], "line": {"width": 0}, "hovertemplate": "%{customdata}: %{value:,.0f} kWh<extra></extra>",
        },
        "link": {
            "source": [source for source, _, _ in kept], "target": [target for _, target, _ in kept],
            "value": plain([wh / WH_PER_KWH for _, _, wh in kept]), "color": [colour(shade(source, target), 0.35) for source, target, _ in kept],
        },
    }  # fmt: skip
