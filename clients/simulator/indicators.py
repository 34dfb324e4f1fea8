"""Indicators of a park day from its meters. Energies are Wh by quarter-hour (int64[T]) or sums; shares are 0 to 1.

Emissions are location-based (GHG Protocol Scope 2): grid import times an average factor, own and direct-line green at zero.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exchange.units import WH_PER_MWH, divide_half_even

Int64Array = NDArray[np.int64]

PERIODS_PER_HOUR: Final = 4
GRAM_PER_TONNE: Final = 1_000_000
MICROGRAM_PER_GRAM: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class EmissionFactor:
    """A published grid factor, named by publisher, year, region and kind. One milligram a kWh is one microgram a Wh."""

    publisher: str
    year: int
    region: str
    kind: str
    mg_per_kwh: int

    @property
    def name(self) -> str:
        return f"{self.publisher} {self.year} {self.region} {self.kind} {self.mg_per_kwh / 1e6:.4f} kgCO2/kWh"


# Ministry of Ecology and Environment, factors of 2023 (docs/rules.md, "Emissions"). Henan belongs to the Central grid.
CENTRAL_CHINA_2023: Final = EmissionFactor("MEE", 2023, "Central", "average", 527_100)
NATIONAL_2023: Final = EmissionFactor("MEE", 2023, "China", "average", 530_600)


def self_consumption(generation_wh: int, grid_export_wh: int) -> float:
    """Share of the park's own generation (without discharge) that stays in the park; 0 without generation."""
    return _share(generation_wh - grid_export_wh, generation_wh)


def self_sufficiency(load_wh: int, grid_import_wh: int) -> float:
    """Share of the park's load (without charging) that does not come from the grid; 0 without load."""
    return _share(load_wh - grid_import_wh, load_wh)


def peak_import_kw(grid_import_wh: Int64Array) -> float:
    """Highest quarter-hour mean of the import, the basis of a demand charge (需量电费)."""
    return int(grid_import_wh.max(initial=0)) * PERIODS_PER_HOUR / 1000


def import_mwh(grid_import_wh: Int64Array) -> float:
    """Energy bought from the grid."""
    return int(grid_import_wh.sum()) / WH_PER_MWH


def emissions_location_g(grid_import_wh: int, factor: EmissionFactor) -> int:
    """Grams of CO2, rounded half-even once."""
    return divide_half_even(grid_import_wh * factor.mg_per_kwh, MICROGRAM_PER_GRAM)


def emissions_location_t(grid_import_wh: int, factor: EmissionFactor) -> float:
    """Tonnes of CO2, exact to the gram."""
    return emissions_location_g(grid_import_wh, factor) / GRAM_PER_TONNE


def churn(traded_wh: int, delivered_wh: int) -> float:
    """How often a kWh that was delivered had been traded; 0 when nothing was delivered."""
    return traded_wh / delivered_wh if delivered_wh else 0.0


def _share(part_wh: int, whole_wh: int) -> float:
    """Storage losses and the grid's own netting can pass the ends, a share does not."""
    return min(max(part_wh / whole_wh, 0.0), 1.0) if whole_wh > 0 else 0.0
