"""Outages: what they take from the truth, and from when on forecasts know.

An outage is known from the start of its first window on, for all of its later windows too; before, forecasts believe its `forecast_ppm`. Outages of
the same participant multiply. The scale of forecast errors applies to them as well: with 0 they are known beforehand.
"""

import datetime

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.scenario.model import Outage, Scenario
from clients.scenarios.periods import QUARTERS_A_DAY, local_time_ns
from exchange.errors import InputError
from exchange.units import PPM

Integers = NDArray[np.int64]


class Outages:
    """The outages of a scenario for one kind of energy, `load` or `generation`."""

    def __init__(self, scenario: Scenario, what: str) -> None:
        """Raises InputError for a participant that does not exist."""
        self._error_ppm = scenario.forecast.error_ppm
        self._outages = []
        for outage in scenario.outages:
            if outage.what == what:
                began = local_time_ns(scenario.first_date + datetime.timedelta(days=outage.first_day), outage.begins, scenario.zone)
                self._outages.append((outage, _rows(scenario, outage), began))

    def apply(self, day: int, quarters: Integers, round_ns: Integers, truth_wh: Integers, forecast_wh: Integers) -> None:
        """Reduce truth, int64[n, T], and forecasts, int64[R, n, T], of a day in place; `quarters` of the local clock int64[T]."""
        for outage, rows, began_ns in self._outages:
            window = _window(outage, quarters)
            if not outage.first_day <= day <= outage.last_day or not window.any():
                continue
            factor_ppm = np.where(window, outage.available_ppm, PPM)
            # As far as errors count: the outage itself where it is known, what was believed before.
            wrong_ppm = (outage.forecast_ppm - outage.available_ppm) * self._error_ppm // PPM
            believed_ppm = np.where(window, max(0, outage.available_ppm + wrong_ppm), PPM)
            known_ppm = np.where(round_ns >= began_ns, factor_ppm, believed_ppm)
            for row in rows:
                truth_wh[row] = truth_wh[row] * factor_ppm // PPM
                forecast_wh[:, row] = forecast_wh[:, row] * known_ppm // PPM


def _rows(scenario: Scenario, outage: Outage) -> list[int]:
    kinds = {"pv", "wind"}
    rows = [
        row
        for row, one in enumerate(scenario.participants)
        if one.id == outage.participant or (outage.participant in kinds and one.generation is not None and one.generation.kind == outage.participant)
    ]
    if not rows and outage.participant not in kinds:
        raise InputError(f"outage: no participant {outage.participant!r}")
    return rows


def _window(outage: Outage, quarters: Integers) -> NDArray[np.bool_]:
    """Quarter-hours that begin within the outage; an end at 00:00 is the end of the day, one before its beginning passes midnight."""
    begins = _quarter(outage.begins)
    ends = _quarter(outage.ends) or QUARTERS_A_DAY
    if begins < ends:
        return (quarters >= begins) & (quarters < ends)
    return (quarters >= begins) | (quarters < ends)


def _quarter(time: datetime.time) -> int:
    return 4 * time.hour + time.minute // 15
