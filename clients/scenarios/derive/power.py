"""PV by pvlib, wind by windpowerlib, from the weather of `derive.weather`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from clients.scenarios.derive.place import Place
from clients.scenarios.derive.weather import Floats, ParkYear, SourceYear

_W_PER_MW = 1_000_000.0


def read_greensboro() -> tuple[SourceYear, Path]:
    """The TMY3 year that pvlib ships, and the file it came from."""
    import pvlib

    path = Path(pvlib.__file__).parent / "data" / "723170TYA.CSV"
    table, meta = pvlib.iotools.read_tmy3(path, map_variables=True)
    place = Place("Greensboro, North Carolina", meta["latitude"], meta["longitude"], meta["altitude"], meta["TZ"])
    columns = {name: table[name].to_numpy(dtype=np.float64) for name in ("ghi_extra", "ghi", "dhi", "temp_air", "wind_speed", "pressure")}
    # A row is stamped with the end of its hour, so row i covers hour i of the year. Pressure is in mbar.
    return SourceYear(
        place, columns["ghi_extra"], columns["ghi"], columns["dhi"], columns["temp_air"], columns["wind_speed"], 100.0 * columns["pressure"]
    ), path


def _middles(year: int, park: Place) -> Any:
    import pandas as pd

    return pd.date_range(f"{year}-01-01 00:07:30", periods=35_040, freq="15min", tz=f"Etc/GMT-{park.utc_offset_h:.0f}")


def irradiance(weather: ParkYear, park: Place, year: int) -> Any:
    """Weather table of pvlib for the park: ghi, dhi, dni in W/m2, temp_air, wind_speed; one row a quarter-hour."""
    import pandas as pd
    import pvlib

    middles = _middles(year, park)
    zenith_deg = pvlib.solarposition.get_solarposition(middles, park.latitude_deg, park.longitude_deg, park.altitude_m)["zenith"].to_numpy()
    cosine = np.clip(np.cos(np.radians(zenith_deg)), 0.0, None)
    extraterrestrial = pvlib.irradiance.get_extra_radiation(middles).to_numpy() * cosine
    ghi = weather.clearness * extraterrestrial
    dhi = weather.diffuse_fraction * ghi
    # Within three degrees of the horizon the beam is a small number over a small number.
    low = np.cos(np.radians(87.0))
    dni = np.where(cosine > low, (ghi - dhi) / np.maximum(cosine, low), 0.0)
    return pd.DataFrame({"ghi": ghi, "dhi": dhi, "dni": dni, "temp_air": weather.temperature_c, "wind_speed": weather.wind_m_s}, index=middles)


def pv_watts_per_mwp(arrays: list[Mapping[str, Any]], settings: Mapping[str, Any], weather_table: Any, park: Place) -> Floats:
    """AC power of 1 MWp by the PVWatts chain of pvlib, W, float64[35040]."""
    from pvlib.location import Location
    from pvlib.modelchain import ModelChain
    from pvlib.pvsystem import Array, FixedMount, PVSystem
    from pvlib.temperature import TEMPERATURE_MODEL_PARAMETERS

    parameters = TEMPERATURE_MODEL_PARAMETERS["sapm"][settings["temperature_model"]]
    system = PVSystem(
        arrays=[
            Array(
                FixedMount(array["tilt_deg"], array["azimuth_deg"]),
                module_parameters={"pdc0": _W_PER_MW * array["share"], "gamma_pdc": settings["gamma_per_c"]},
                temperature_model_parameters=parameters,
            )
            for array in arrays
        ],
        # PVWatts rates the inverter by its DC input; 0.96 is its nominal efficiency.
        inverter_parameters={"pdc0": _W_PER_MW * settings["ac_per_dc"] / 0.96},
    )
    chain = ModelChain.with_pvwatts(system, Location(park.latitude_deg, park.longitude_deg, weather_table.index.tz, park.altitude_m))
    chain.run_model(weather_table)
    return np.asarray(np.clip(chain.results.ac.fillna(0.0).to_numpy(dtype=np.float64), 0.0, None), dtype=np.float64)


def wind_watts_per_mw(settings: Mapping[str, Any], weather: ParkYear, park: Place, year: int) -> Floats:
    """Power of 1 MW of the turbine by windpowerlib, W, float64[35040]."""
    import pandas as pd
    from windpowerlib import ModelChain, WindTurbine

    turbine = WindTurbine(turbine_type=settings["turbine_type"], hub_height=settings["hub_height_m"])
    table = pd.DataFrame(
        {
            ("wind_speed", 10): weather.wind_m_s,
            ("temperature", 2): weather.temperature_c + 273.15,
            ("pressure", 0): weather.pressure_pa,
            # windpowerlib asks for the column; the Hellman model with a stated exponent does not use it.
            ("roughness_length", 0): np.full(len(weather.wind_m_s), 0.15),
        },
        index=_middles(year, park),
    )
    chain = ModelChain(turbine, wind_speed_model="hellman", hellman_exp=settings["hellman_exponent"]).run_model(table)
    share = chain.power_output.to_numpy(dtype=np.float64) / turbine.nominal_power
    return np.asarray(np.clip(share, 0.0, 1.0) * _W_PER_MW, dtype=np.float64)
