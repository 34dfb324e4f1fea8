"""The derived year that ships with the package: quarter-hours of PV, wind and load shapes (see `derive`, and the provenance beside the file)."""

import datetime
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clients.scenarios.periods import QUARTERS_A_DAY
from clients.scenarios.whole import half_even
from exchange.errors import InputError

Integers = NDArray[np.int64]

_YEAR: Final = 2026
_DAYS: Final = 365
_KWH_PER_MWH: Final = 1000


@dataclass(frozen=True, slots=True)
class DerivedYear:
    """Series of a year of 35,040 local quarter-hours without clock changes.

    generation: series name -> Wh of each quarter-hour for 1 MW (MWp), int64[365, 96]; load: shape name -> Wh for 1 GWh a year, int64[365, 96].
    """

    year: int
    generation: dict[str, Integers]
    load: dict[str, Integers]

    def day_index(self, day: datetime.date) -> int:
        """Row of a date: the same month and day of the derived year; 29 February takes the 28th."""
        if (day.month, day.day) == (2, 29):
            day = day.replace(day=28)
        return day.replace(year=self.year).timetuple().tm_yday - 1

    def month_slice(self, day: datetime.date) -> slice:
        """Rows of the month of a date."""
        first = self.day_index(day.replace(day=1))
        following = datetime.date(self.year + day.month // 12, day.month % 12 + 1, 1)
        return slice(first, first + (following - datetime.date(self.year, day.month, 1)).days)

    def generation_wh(self, series: str, peak_kw: int, rows: slice | int = slice(None)) -> Integers:
        """A plant's year or some of its days (`rows`), Wh, int64[..., 96]. Raises InputError for an unknown series."""
        if series not in self.generation:
            raise InputError(f"unknown generation series {series!r}; expected one of {', '.join(sorted(self.generation))}")
        return half_even(self.generation[series][rows] * peak_kw, _KWH_PER_MWH)

    def load_wh(self, shares_permille: dict[str, int], annual_mwh: int, rows: slice | int = slice(None)) -> Integers:
        """A mix of shapes over the year or some of its days, Wh, int64[..., 96]; the shares sum to 1000. Raises InputError for an unknown shape."""
        total = np.zeros(QUARTERS_A_DAY, dtype=np.int64)
        for shape, permille in shares_permille.items():
            if shape not in self.load:
                raise InputError(f"unknown load shape {shape!r}; expected one of {', '.join(sorted(self.load))}")
            total = total + self.load[shape][rows] * permille
        return half_even(total * annual_mwh, 1000 * _KWH_PER_MWH)


@cache
def derived_year() -> DerivedYear:
    """The shipped year, read once."""
    generation: dict[str, Integers] = {}
    load: dict[str, Integers] = {}
    with files("clients.scenarios").joinpath("data", f"profiles-{_YEAR}.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        for name in arrays.files:
            values = arrays[name].astype(np.int64).reshape(_DAYS, QUARTERS_A_DAY)
            values.flags.writeable = False
            if name.startswith("load_"):
                load[name.removeprefix("load_").removesuffix("_wh_per_gwh")] = values
            else:
                generation[name.removesuffix("p").removesuffix("_wh_per_mw")] = values
    return DerivedYear(_YEAR, generation, load)


def provenance() -> dict[str, Any]:
    """Sources, versions, factors and hashes of the shipped year."""
    text = files("clients.scenarios").joinpath("data", f"profiles-{_YEAR}.json").read_text("utf-8")
    content: dict[str, Any] = json.loads(text)
    return content
