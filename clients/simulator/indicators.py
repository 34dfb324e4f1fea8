"""Indicators of a park day from its meters. Energies are Wh by quarter-hour (int64[T]) or sums; shares are 0 to 1.

Emissions are those of exchange.carbon.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from exchange.units import WH_PER_MWH

Int64Array = NDArray[np.int64]

PERIODS_PER_HOUR: Final = 4


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


def churn(traded_wh: int, delivered_wh: int) -> float:
    """How often a kWh that was delivered had been traded; 0 when nothing was delivered."""
    return traded_wh / delivered_wh if delivered_wh else 0.0


def _share(part_wh: int, whole_wh: int) -> float:
    """Storage losses and the grid's own netting can pass the ends, a share does not."""
    return min(max(part_wh / whole_wh, 0.0), 1.0) if whole_wh > 0 else 0.0
