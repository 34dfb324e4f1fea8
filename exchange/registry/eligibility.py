"""Eligibility baskets: instruments that take any unit meeting their criteria (docs/rules.md, "Units and serial numbers").

A unit keeps its serial number in a basket, so whoever takes it out again has what was put in, or what others put in.
"""

from dataclasses import dataclass, field
from typing import Any

from exchange.metering.devices import DeviceKind
from exchange.protocol.instrument_class import InstrumentClass
from exchange.registry.serials import UnitScheme


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a unit must be; an empty list asks nothing. Vintages are YYYYMM, both ends included, 0: no end."""

    instrument_classes: tuple[InstrumentClass, ...] = ()
    schemes: tuple[UnitScheme, ...] = ()
    technologies: tuple[DeviceKind, ...] = ()
    sources: tuple[int, ...] = ()
    vintage_from: int = 0
    vintage_to: int = 0

    def problem(self, instrument_class: InstrumentClass, scheme: UnitScheme, technology: DeviceKind | None, source: int, vintage: int) -> str | None:
        """The first criterion that a unit does not meet, as a stable name. `technology`: of its device, None where none is known."""
        if self.instrument_classes and instrument_class not in self.instrument_classes:
            return "class_not_eligible"
        if self.schemes and scheme not in self.schemes:
            return "scheme_not_eligible"
        if self.technologies and technology not in self.technologies:
            return "technology_not_eligible"
        if self.sources and source not in self.sources:
            return "source_not_eligible"
        if (self.vintage_from and vintage < self.vintage_from) or (self.vintage_to and vintage > self.vintage_to):
            return "vintage_not_eligible"
        return None


@dataclass(slots=True)
class Baskets:
    """Criteria by the instrument id of the basket."""

    by_asset: dict[int, Criteria] = field(default_factory=dict)

    def to_canonical(self) -> list[Any]:
        return [
            [
                asset, [int(c) for c in criteria.instrument_classes], [int(s) for s in criteria.schemes], [str(t) for t in criteria.technologies],
                list(criteria.sources), criteria.vintage_from, criteria.vintage_to,
            ]
            for asset, criteria in sorted(self.by_asset.items())
        ]  # fmt: skip

    @classmethod
    def from_canonical(cls, content: list[Any]) -> "Baskets":
        baskets = cls()
        for asset, classes, schemes, technologies, sources, vintage_from, vintage_to in content:
            baskets.by_asset[asset] = Criteria(
                tuple(map(InstrumentClass, classes)), tuple(map(UnitScheme, schemes)), tuple(map(DeviceKind, technologies)), tuple(sources),
                vintage_from, vintage_to,
            )  # fmt: skip
        return baskets
