"""What a sweep varies: axes of values from the command line, and the cells they make."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from typing import Final

from clients.laboratory.scenario.model import CONTINUOUS, MarketRules
from exchange.errors import InputError
from exchange.units import POWER_LOT_WH, POWER_TICK_MICRO_PER_KWH

BASELINE: Final = "baseline"
CELLS_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class Axis:
    """A key of the scenario and its values as texts; the first belongs to the baseline."""

    key: str
    values: tuple[str, ...]


def default_axes(market: MarketRules) -> tuple[Axis, ...]:
    """What a designer is asked about first: mechanism, gate closure, tick and lot, from the rules as written.

    Tick and lot look like details of an exchange and are not: they decide how fine a spread and how small a surplus can be traded.
    """
    alternatives = {
        "market.mechanism": (market.mechanism, CONTINUOUS, "uniform"),
        "market.gate_closure_minutes": tuple(map(str, (market.gate_closure_minutes, 5, 15, 60))),
        "market.tick_cny_per_kwh": tuple(_decimal(step * POWER_TICK_MICRO_PER_KWH, 6) for step in (market.tick_step, 1, 50)),
        "market.lot_kwh": tuple(_decimal(step * POWER_LOT_WH, 3) for step in (market.lot_step, 1, 100)),
    }
    return tuple(Axis(key, tuple(dict.fromkeys(values))) for key, values in alternatives.items())


def _decimal(value: int, decimals: int) -> str:
    return f"{Decimal(value).scaleb(-decimals).normalize():f}"


@dataclass(frozen=True, slots=True)
class Cell:
    """One set of rules. `name` says what differs from the baseline."""

    name: str
    overrides: Mapping[str, str]


def parse_axes(assignments: Iterable[str]) -> tuple[Axis, ...]:
    """Axes of texts such as `market.gate_closure_minutes=5,15,60`; a value in brackets keeps its commas. Raises InputError."""
    axes: dict[str, Axis] = {}
    for text in assignments:
        key, equals, values = text.partition("=")
        axis = Axis(key.strip(), tuple(value.strip() for value in _split(values)))
        if not equals or not axis.key or not all(axis.values):
            raise InputError(f"--set {text}: expected KEY=VALUE[,VALUE...], such as market.gate_closure_minutes=5,15,60")
        if len(set(axis.values)) < len(axis.values):
            raise InputError(f"--set {text}: the same value twice")
        if axis.key in axes:
            raise InputError(f"--set {text}: {axis.key} is set twice; give all its values at once")
        axes[axis.key] = axis
    return tuple(axes.values())


def _split(text: str) -> list[str]:
    """Split at commas outside of brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += (character == "[") - (character == "]")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def grid(axes: Sequence[Axis]) -> tuple[Cell, ...]:
    """Every combination of values, the baseline first, the last axis fastest. Raises InputError where there are too many."""
    count = 1
    for axis in axes:
        count *= len(axis.values)
    if count > CELLS_MAX:
        raise InputError(f"{count} combinations of values are too many (at most {CELLS_MAX}); --one-at-a-time or --sensitivity need fewer runs")
    return tuple(_cell(axes, values) for values in product(*(axis.values for axis in axes)))


def star(axes: Sequence[Axis]) -> tuple[Cell, ...]:
    """The baseline, and every further value of every axis alone."""
    baseline = [axis.values[0] for axis in axes]
    cells = [_cell(axes, baseline)]
    for index, axis in enumerate(axes):
        cells.extend(_cell(axes, [*baseline[:index], value, *baseline[index + 1 :]]) for value in axis.values[1:])
    return tuple(cells)


def _cell(axes: Sequence[Axis], values: Sequence[str]) -> Cell:
    changed = [f"{axis.key}={value}" for axis, value in zip(axes, values, strict=True) if value != axis.values[0]]
    return Cell(", ".join(changed) or BASELINE, {axis.key: value for axis, value in zip(axes, values, strict=True)})
