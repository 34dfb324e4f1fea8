"""What all charts are made of: colours by meaning, texts in two languages, axes, views to choose from.

A colour is a name that the page resolves for light and dark; the same thing has the same colour in every chart. Blue and amber for demand and supply,
green for generation, as on the page of the exchange; no pair that must be told apart differs in red against green alone.
"""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clients.laboratory.report.markup import Text
from clients.laboratory.report.wording import say

Trace = dict[str, Any]
Layout = dict[str, Any]
Floats = NDArray[np.float64]

# One for each set of rules that is compared, in this sequence; dashes and markers differ with them.
RUN_COLOURS: Final = ("run1", "run2", "run3", "run4", "run5", "run6")
RUN_DASHES: Final = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
RUN_SYMBOLS: Final = ("circle", "square", "diamond", "triangle-up", "cross", "x")
# Characters in English and Chinese.
LABEL_MAX: Final = (20, 11)
TICKS_PER_CNY: Final = 10_000
LOTS_PER_KWH: Final = 10
WH_PER_KWH: Final = 1_000
MICRO_PER_CNY: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Control:
    """Something to choose: a list, or a slider where `is_slider`."""

    label: Text
    options: Sequence[Text]
    is_slider: bool = False
    first: int = 0


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart. `views` by the chosen options ("0,12"): parts that are merged over `traces` and `layout`, and what is said below."""

    id: str
    title: Text
    note: Text
    traces: list[Trace]
    layout: Layout
    height: int = 380
    controls: tuple[Control, ...] = ()
    views: Mapping[str, dict[str, Any]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "height": self.height,
            "traces": self.traces,
            "layout": self.layout,
            "controls": [
                {"label": words(c.label), "options": [words(o) for o in c.options], "slider": c.is_slider, "first": c.first} for c in self.controls
            ],
            "views": self.views,
            "title": words(self.title),
        }


def colour(name: str, opacity: float = 1.0) -> dict[str, Any]:
    return {"c": name, "a": opacity}


def words(text: Text) -> dict[str, str]:
    """A text for a chart. Charts read a part of HTML, so what could be markup is made text."""
    return {"en": html.escape(text.en, quote=False), "zh": html.escape(text.zh, quote=False)}


def short(text: Text) -> Text:
    """As much of a name as has room beside a chart on a telephone."""
    return Text(*(name if len(name) <= most else f"{name[: most - 1].rstrip()}…" for name, most in zip(text, LABEL_MAX, strict=True)))


def name_axis(names: Sequence[Text]) -> Layout:
    """A vertical axis of names at 0, 1, ...: two participants may have the same one."""
    n = len(names)
    return {
        "automargin": True, "tickvals": list(range(n)), "ticktext": [words(short(name)) for name in names], "range": [-0.6, n - 0.4],
        "zeroline": False,
    }  # fmt: skip


def axis(title: str, **more: Any) -> Layout:
    """An axis with its name and unit."""
    return {"title": {"text": words(say(title)), "standoff": 8}, "automargin": True, **more}


def clock_axis(**more: Any) -> Layout:
    return axis("axis_delivery", type="date", tickformat="%H:%M", **more)


def numbers(table: pa.Table, name: str) -> Floats:
    """A column as doubles, NaN where a cell is empty: charts are for eyes, no amount is computed from them."""
    return np.asarray(table.column(name).to_numpy(zero_copy_only=False), dtype=np.float64)


def plain(values: Sequence[float] | Floats, digits: int = 6) -> list[float | None]:
    """Numbers for JSON, rounded to what an eye can tell; None where there is none."""
    return [None if not np.isfinite(value) else _short(float(value), digits) for value in values]


def _short(value: float, digits: int) -> float:
    rounded = float(f"{value:.{digits}g}")
    return int(rounded) if rounded == int(rounded) and abs(rounded) < 2**53 else rounded


def run_style(index: int) -> tuple[str, str, str]:
    """Colour, dash and marker of the `index`-th set of rules."""
    at = index % len(RUN_COLOURS)
    return RUN_COLOURS[at], RUN_DASHES[at], RUN_SYMBOLS[at]
