"""Where a series was measured and what its clock says of the sun."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Place:
    """A point on earth and the fixed offset of its clock from UTC in hours (no summer time in a derived year)."""

    name: str
    latitude_deg: float
    longitude_deg: float
    altitude_m: float
    utc_offset_h: float


def equation_of_time_minutes(day_of_year: NDArray[np.float64]) -> NDArray[np.float64]:
    """Apparent minus mean solar time in minutes (Spencer 1971, Search 2(5)); `day_of_year` counts from 1."""
    angle = 2.0 * np.pi * (day_of_year - 1.0) / 365.0
    series = 0.0000075 + 0.001868 * np.cos(angle) - 0.032077 * np.sin(angle) - 0.014615 * np.cos(2.0 * angle) - 0.040849 * np.sin(2.0 * angle)
    return np.asarray(series * 229.18, dtype=np.float64)


def solar_hours(clock_hours: NDArray[np.float64], place: Place) -> NDArray[np.float64]:
    """True solar time, in hours since the start of the year, of local standard clock hours since the start of the year. Same shape."""
    day_of_year = np.floor(clock_hours / 24.0) + 1.0
    longitude_minutes = 4.0 * (place.longitude_deg - 15.0 * place.utc_offset_h)
    return np.asarray(clock_hours + (longitude_minutes + equation_of_time_minutes(day_of_year)) / 60.0, dtype=np.float64)
