"""[[group]]: many members alike, from one table by a rule without chance, so that a large park needs no hundred tables.

A value of the group's member may be

    { from = 800, to = 60000, power = 3 }     a whole number, from + (to - from) * u ** power, to a multiple of `step` where that is given
    { one_of = ["10", "35"] }                 one of these, each for an equal part of the members
    { of = "load.annual_mwh", permille = 400 } a share of another number of the same member, to a multiple of `step`

with u of member n the radical inverse of n in the prime base of the value's place among those of the first two kinds: 2, 3, 5, 7 ... (J. H. Halton,
"On the efficiency of certain quasi-random sequences of points in evaluating multi-dimensional integrals", Numerische Mathematik 2 (1960)). So sizes
are spread evenly and one value says nothing about another.
"""

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, Final

import msgspec

from clients.scenarios.toml_lines import describe_validation
from exchange.errors import InputError

_PRIMES: Final = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)
_COUNT_MAX: Final = 5000


class _Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    id: str
    count: int
    name: str
    name_zh: str
    member: dict[str, Any]


class _Range(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    first: int = msgspec.field(name="from")
    last: int = msgspec.field(name="to")
    power: int = 1
    step: int = 1


class _Share(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    of: str
    permille: int
    step: int = 1


class _Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    one_of: list[Any]


def group_members(entries: Any, note: Callable[[str, int], None]) -> dict[str, list[dict[str, Any]]]:
    """Group id -> its members as tables of a file. What is wrong with a group is noted with its index, and the group is left out."""
    members: dict[str, list[dict[str, Any]]] = {}
    if not isinstance(entries, list):
        note("group: expected [[group]] tables", 0)
        return members
    for position, entry in enumerate(entries):
        name = str(entry.get("id", position)) if isinstance(entry, dict) else str(position)
        try:
            group = msgspec.convert(entry, _Group)
            if not 1 <= group.count <= _COUNT_MAX:
                raise InputError(f"count: expected 1 to {_COUNT_MAX}")
            members[group.id] = [_member(group, number) for number in range(1, group.count + 1)]
        except msgspec.ValidationError as error:
            note(f"group {name}: {describe_validation(error)[0]}", position)
        except InputError as error:
            note(f"group {name}: {error}", position)
    return members


def _member(group: _Group, number: int) -> dict[str, Any]:
    label = f"{number:0{len(str(group.count))}d}"
    spread = _Spread(number)
    drawn = spread.drawn(group.member)
    return {"id": group.id + label, "name": f"{group.name} {label}", "name_zh": group.name_zh + label, **spread.shared(drawn, drawn)}


class _Spread:
    """The values of one member, in the order in which the file writes them."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._place = 0

    def drawn(self, value: Any) -> Any:
        """`value` with ranges and choices settled."""
        if not isinstance(value, dict):
            return [self.drawn(entry) for entry in value] if isinstance(value, list) else value
        if "one_of" in value:
            choices = msgspec.convert(value, _Choice).one_of
            if not choices:
                raise InputError("one_of: expected one value at least")
            return choices[int(self._unit() * len(choices))]
        if "from" in value:
            bounds = msgspec.convert(value, _Range)
            if bounds.first > bounds.last or not 1 <= bounds.power <= 9 or bounds.step < 1:
                raise InputError(f"from {bounds.first} to {bounds.last}: expected from <= to, power 1 to 9, step at least 1")
            return _stepped(bounds.first + (bounds.last - bounds.first) * self._unit() ** bounds.power, bounds.step)
        return {key: self.drawn(below) for key, below in value.items()}

    def shared(self, value: Any, member: Mapping[str, Any]) -> Any:
        """`value` with shares of other numbers of the member settled."""
        if not isinstance(value, dict):
            return value
        if "of" in value:
            share = msgspec.convert(value, _Share)
            other: Any = member
            for key in share.of.split("."):
                other = other.get(key) if isinstance(other, dict) else None
            if not isinstance(other, int) or isinstance(other, bool) or share.step < 1:
                raise InputError(f"of = {share.of!r}: the member has no such whole number")
            return _stepped(Fraction(other * share.permille, 1000), share.step)
        return {key: self.shared(below, member) for key, below in value.items()}

    def _unit(self) -> Fraction:
        """The radical inverse of the member's number in the next base."""
        if self._place == len(_PRIMES):
            raise InputError(f"at most {len(_PRIMES)} values of a group may differ by range or choice")
        base, number = _PRIMES[self._place], self._number
        self._place += 1
        inverse, weight = Fraction(0), Fraction(1, base)
        while number:
            number, digit = divmod(number, base)
            inverse += digit * weight
            weight /= base
        return inverse


def _stepped(value: Fraction, step: int) -> int:
    return round(value / step) * step
