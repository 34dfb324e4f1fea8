"""Rules as numbers to be chosen: ranges and choices of a search or a sensitivity analysis."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from clients.laboratory.sweep.axes import parse_axes
from exchange.errors import InputError

_STEPS_MAX: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers `low`, `low + step`, up to `high`, written with as many decimals as their bounds had."""

    key: str
    low: Decimal
    high: Decimal
    step: Decimal

    @property
    def n_values(self) -> int:
        return int((self.high - self.low) // self.step) + 1

    def text(self, index: int) -> str:
        """The value of an index from 0 to `n_values` - 1, as of --set."""
        return f"{self.low + index * self.step:f}"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some texts, in no order."""

    key: str
    values: tuple[str, ...]

    @property
    def n_values(self) -> int:
        return len(self.values)

    def text(self, index: int) -> str:
        """The value of an index from 0 to `n_values` - 1, as of --set."""
        return self.values[index]


ParameterSpace = tuple[Range | Choice, ...]


def parse_parameters(texts: Iterable[str]) -> ParameterSpace:
    """Of texts such as `market.gate_closure_minutes=5..120`, `...=5..120:5` or `market.mechanism=cda,uniform`. Raises InputError."""
    found: dict[str, Range | Choice] = {}
    for text in texts:
        key, _, value = text.partition("=")
        parameter = _parse_range(text, key.strip(), value) if ".." in value else Choice(*_choice(text))
        if parameter.key in found:
            raise InputError(f"--search {text}: {parameter.key} is given twice")
        if parameter.n_values < 2:
            raise InputError(f"--search {text}: there is only one value")
        found[parameter.key] = parameter
    return tuple(found.values())


def _choice(text: str) -> tuple[str, tuple[str, ...]]:
    try:
        (axis,) = parse_axes([text])
    except InputError:
        raise InputError(f"--search {text}: expected KEY=LOW..HIGH, KEY=LOW..HIGH:STEP or KEY=VALUE,VALUE,...") from None
    return axis.key, axis.values


def _parse_range(text: str, key: str, value: str) -> Range:
    bounds, _, step_text = value.partition(":")
    low_text, _, high_text = bounds.partition("..")
    try:
        low, high = Decimal(low_text.strip()), Decimal(high_text.strip())
        step = Decimal(step_text.strip()) if step_text else Decimal(1).scaleb(min(_exponent(low), _exponent(high)))
        sound = bool(key) and low < high and step > 0 and (high - low) / step < _STEPS_MAX
    except (InvalidOperation, ValueError):
        sound = False
    if not sound:
        raise InputError(f"--search {text}: expected KEY=LOW..HIGH or KEY=LOW..HIGH:STEP, such as market.gate_closure_minutes=5..120:5")
    return Range(key, low, high, step)


def _exponent(value: Decimal) -> int:
    """Of the last decimal, 0 for whole numbers. Raises ValueError for what is no number."""
    exponent = value.as_tuple().exponent
    return min(int(exponent), 0)  # that of infinity and NaN is a letter
