"""Loads and plants of a scenario on the derived year: what a day would be without noise. The arithmetic of `clients.scenarios.profiles`, all
participants at once.
"""

import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.scenario.model import Scenario
from clients.scenarios.profiles import derived_year
from clients.scenarios.whole import half_even
from exchange.errors import InputError

Integers = NDArray[np.int64]

_PERMILLE: Final = 1000
_KWH_PER_MWH: Final = 1000


class Profiles:
    """Profiles of all participants, by day of the year."""

    def __init__(self, scenario: Scenario) -> None:
        """Raises InputError for a shape or series that the derived year does not have."""
        year = derived_year()
        self._year = year
        self._shapes = [year.load[name] for name in year.load]
        self._series = [year.generation[name] for name in year.generation]
        shapes, series = list(year.load), list(year.generation)
        count = len(scenario.participants)
        self._shares_permille = np.zeros((count, len(shapes)), dtype=np.int64)
        self._annual_mwh = np.zeros(count, dtype=np.int64)
        self._series_of = np.zeros(count, dtype=np.int64)
        self._peak_kw = np.zeros(count, dtype=np.int64)
        for row, participant in enumerate(scenario.participants):
            if participant.load is not None:
                self._annual_mwh[row] = participant.load.annual_mwh
                for name, permille in participant.load.shapes_permille.items():
                    self._shares_permille[row, _place(name, shapes, participant.id, "load shape")] = permille
            if participant.generation is not None:
                self._peak_kw[row] = participant.generation.peak_kw
                self._series_of[row] = _place(participant.generation.series, series, participant.id, "generation series")

    def load_wh(self, day: datetime.date, quarters: Integers) -> Integers:
        """Load of a date in the quarter-hours of its local clock (`quarter_of_day`), int64[n, T], Wh; zero where there is none."""
        row = self._year.day_index(day)
        shapes = np.stack([shape[row] for shape in self._shapes])
        return half_even((self._shares_permille @ shapes) * self._annual_mwh[:, None], _PERMILLE * _KWH_PER_MWH)[:, quarters]

    def generation_wh(self, day: datetime.date, quarters: Integers) -> Integers:
        """Generation of a date, int64[n, T], Wh; zero where there is none."""
        row = self._year.day_index(day)
        series = np.stack([one[row] for one in self._series])
        return half_even(series[self._series_of] * self._peak_kw[:, None], _KWH_PER_MWH)[:, quarters]


def _place(name: str, known: list[str], participant: str, what: str) -> int:
    if name not in known:
        raise InputError(f"participant {participant}: unknown {what} {name!r}; expected one of {', '.join(sorted(known))}")
    return known.index(name)
