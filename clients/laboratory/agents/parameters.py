"""What a population may be told in a scenario: whole numbers with a range and a default, and how they become an agent's trait."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from clients.laboratory.draws import Purpose, between, bits
from exchange.errors import InputError
from exchange.units import PPM

ParameterValue = int | str | bool


@dataclass(frozen=True, slots=True)
class Parameter:
    """A whole number from `low` to `high`; the unit ends its name."""

    name: str
    low: int
    high: int
    default: int
    meaning: str


@dataclass(frozen=True, slots=True)
class Slot:
    """One number of a trait: drawn evenly, once an agent, from one parameter to another (or the value of one), divided by `divisor`."""

    index: int
    low: str
    high: str
    divisor: int = 1

    def draw(self, values: Mapping[str, int], seed: int, agent: int) -> float:
        """The number of an agent (a row of the scenario)."""
        low, high = values[self.low], values[self.high]
        raw = bits(np.uint64(seed), agent, int(Purpose.TRAIT), 0, self.index)
        return int(between(np.uint64(raw), low, high)) / self.divisor


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the catalogue. `kind`: the population that is compiled, or NOT_COMPILED; `is_rational`: never quotes beyond its limit."""

    name: str
    kind: int
    paper: str
    rule: str
    is_rational: bool
    parameters: tuple[Parameter, ...] = ()
    slots: tuple[Slot, ...] = ()

    def values(self, given: Mapping[str, ParameterValue], where: str) -> dict[str, int]:
        """All parameters, defaults filled in. Raises InputError, beginning with `where`, for an unknown name or a value out of range."""
        known = {parameter.name: parameter for parameter in self.parameters}
        for name in given:
            if name not in known:
                expected = ", ".join(known) or "none"
                raise InputError(f"{where}: {self.name} has no parameter {name!r}; it has {expected}")
        values = {name: _checked(parameter, given.get(name, parameter.default), f"{where}: {self.name}") for name, parameter in known.items()}
        for slot in self.slots:
            if values[slot.low] > values[slot.high]:
                raise InputError(f"{where}: {self.name}: {slot.low} is above {slot.high}")
        return values


def _checked(parameter: Parameter, value: ParameterValue, where: str) -> int:
    if isinstance(value, str):
        raise InputError(f"{where}: {parameter.name} is a whole number, not {value!r}")
    if not parameter.low <= value <= parameter.high:
        raise InputError(f"{where}: {parameter.name} is from {parameter.low} to {parameter.high}, not {value}")
    return int(value)


def share(name: str, default: int, meaning: str, low: int = 0, high: int = PPM) -> Parameter:
    """A parameter in parts per million."""
    return Parameter(name, low, high, default, meaning)


def drawn(index: int, stem: str, unit: str = "_ppm", divisor: int = PPM) -> Slot:
    """A slot between `stem`_low and `stem`_high."""
    return Slot(index, f"{stem}_low{unit}", f"{stem}_high{unit}", divisor)


def fixed(index: int, name: str, divisor: int = 1) -> Slot:
    """A slot that is the value of one parameter."""
    return Slot(index, name, name, divisor)
