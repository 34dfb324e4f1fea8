"""A typical weather year, moved to the park by clearness index and true solar time, never by copying its clock.

Source: the TMY3 file of Greensboro, North Carolina (36.1 N 79.95 W) that pvlib ships; it is labelled Greensboro wherever its figures appear.
The sky is described by two numbers that do not depend on the place: the clearness index kt (global over extraterrestrial irradiance on the
horizontal) and the diffuse fraction kd. Both are read at the true solar time of the source and used at the same true solar time of the park
(Liu and Jordan 1960, Solar Energy 4(3), for kt as the measure of the sky). Temperature and wind follow the sun in the same way.
The source is hourly, so quarter-hours are interpolated: passing clouds shorter than an hour are not in it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clients.scenarios.derive.place import Place, solar_hours

Floats = NDArray[np.float64]

HOURS: Final = 8760
QUARTERS: Final = 35_040
# Below this the sun is too low for the ratio of two small numbers to mean anything.
_LEAST_EXTRATERRESTRIAL_W_M2: Final = 60.0
_HIGHEST_CLEARNESS: Final = 0.85


@dataclass(frozen=True, slots=True)
class SourceYear:
    """Hourly means of a typical year at its own place, float64[8760]; row i covers local standard hour i of the year."""

    place: Place
    extraterrestrial_w_m2: Floats
    global_w_m2: Floats
    diffuse_w_m2: Floats
    temperature_c: Floats
    wind_m_s: Floats
    pressure_pa: Floats


@dataclass(frozen=True, slots=True)
class ParkYear:
    """The same weather at the park, float64[35040]; row i is the middle of local quarter-hour i of the year."""

    clearness: Floats
    diffuse_fraction: Floats
    temperature_c: Floats
    wind_m_s: Floats
    pressure_pa: Floats


def retime(source: SourceYear, park: Place) -> ParkYear:
    """Read the source at the true solar time of each quarter-hour of the park. Shapes: 8760 in, 35040 out."""
    source_solar = solar_hours(np.arange(HOURS, dtype=np.float64) + 0.5, source.place)
    target_solar = solar_hours(np.arange(QUARTERS, dtype=np.float64) / 4.0 + 0.125, park)
    sunny = source.extraterrestrial_w_m2 > _LEAST_EXTRATERRESTRIAL_W_M2
    ratio = source.global_w_m2[sunny] / source.extraterrestrial_w_m2[sunny]
    clearness = np.clip(ratio, 0.0, _HIGHEST_CLEARNESS)
    lit = sunny & (source.global_w_m2 > 0.0)
    diffuse_fraction = np.clip(source.diffuse_w_m2[lit] / source.global_w_m2[lit], 0.0, 1.0)
    return ParkYear(
        clearness=np.interp(target_solar, source_solar[sunny], clearness),
        diffuse_fraction=np.interp(target_solar, source_solar[lit], diffuse_fraction),
        temperature_c=np.interp(target_solar, source_solar, source.temperature_c),
        wind_m_s=np.interp(target_solar, source_solar, source.wind_m_s),
        pressure_pa=np.interp(target_solar, source_solar, source.pressure_pa),
    )
