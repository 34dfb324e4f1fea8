"""Write data/profiles-YEAR.npz and its provenance. Run by `make profiles`; the same inputs give the same bytes."""

import hashlib
import importlib.metadata
import json
import sys
import tomllib
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clients.scenarios.derive import loads, power
from clients.scenarios.derive.place import Place
from clients.scenarios.derive.weather import Floats, retime
from clients.scenarios.whole import whole_parts

_HERE: Final = Path(__file__).parent
_LIBRARIES: Final = ("pvlib", "windpowerlib", "demandlib", "pandas", "numpy")
_WH_PER_GWH: Final = 1_000_000_000


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _whole_wh(watts: Floats) -> NDArray[np.int32]:
    """Wh of each quarter-hour from its mean power, to the nearest Wh."""
    return np.rint(watts / 4.0).astype(np.int32)


def _pv(recipe: dict[str, Any], table: Any, park: Place, provenance: dict[str, Any]) -> dict[str, NDArray[np.int32]]:
    settings = recipe["pv"]
    watts = {series["name"]: power.pv_watts_per_mwp(series["arrays"], settings, table, park) for series in settings["series"]}
    hours = {name: float(values.sum()) / 4.0 / 1e6 for name, values in watts.items()}
    fleet = sum(float(Fraction(series["fleet_share"])) * hours[series["name"]] for series in settings["series"])
    factor = settings["full_load_hours"] / fleet
    provenance["pv"] = {
        "modelled_full_load_hours": {name: round(value, 3) for name, value in hours.items()},
        "modelled_full_load_hours_of_the_fleet": round(fleet, 3),
        "scaled_to_full_load_hours": settings["full_load_hours"],
        "factor": round(factor, 9),
        "factor_note": "one factor on every PV series: soiling, mismatch, availability and the sunnier source year together",
    }
    return {f"{name}_wh_per_mwp": _whole_wh(values * factor) for name, values in watts.items()}


def _loads(recipe: dict[str, Any], folder: Path) -> dict[str, NDArray[np.int32]]:
    tables = loads.BdewTables(folder)
    calendar = loads.WorkingCalendar(tomllib.loads((_HERE / f"calendar-{recipe['year']}.toml").read_text("utf-8")))
    arrays = {}
    for shape in recipe["shape"]:
        weights = np.rint(loads.shape_of_year(shape, tables, calendar, recipe["year"]) * 1e6).astype(np.int64)
        arrays[f"load_{shape['name']}_wh_per_gwh"] = whole_parts(_WH_PER_GWH, weights).astype(np.int32)
    return arrays


def derive() -> tuple[dict[str, NDArray[np.int32]], dict[str, Any]]:
    """All series of the year and where they come from."""
    import demandlib

    recipe = tomllib.loads((_HERE / "recipe.toml").read_text("utf-8"))
    site = recipe["park"]
    park = Place(site["name"], site["latitude_deg"], site["longitude_deg"], site["altitude_m"], recipe["utc_offset_hours"])
    source, weather_file = power.read_greensboro()
    bdew = Path(demandlib.__file__).parent / "bdew" / "bdew_data"
    provenance: dict[str, Any] = {
        "what": f"Derived year {recipe['year']} of a park at {site['name']} {site['name_zh']}: 35040 local quarter-hours "
        "from local midnight of 1 January",
        "utc_offset_hours": recipe["utc_offset_hours"],
        "weather": "TMY3 station 723170, Greensboro, North Carolina, 36.1 N 79.95 W (US), as shipped by pvlib; NOT measured at the park. "
        "Clearness index, diffuse fraction, temperature and wind are read at the same true solar time.",
        "loads": "VDEW/BDEW profiles as shipped by demandlib, on the Chinese working calendar of the recipe",
        "libraries": {name: importlib.metadata.version(name) for name in _LIBRARIES},
        "sources_sha256": {
            "pvlib/data/723170TYA.CSV": _sha256(weather_file),
            **{f"demandlib/bdew/bdew_data/{name}": _sha256(bdew / name) for name in ("selp_series.csv", "g25.csv")},
            **{f"clients/scenarios/derive/{name}": _sha256(_HERE / name) for name in ("recipe.toml", f"calendar-{recipe['year']}.toml")},
        },
        "licences": {"pvlib": "BSD-3-Clause", "windpowerlib": "MIT", "demandlib": "MIT", "TMY3": "public domain (NREL)"},
    }
    weather = retime(source, park)
    table = power.irradiance(weather, park, recipe["year"])
    provenance["irradiation_kwh_m2"] = {
        "source_ghi": round(float(source.global_w_m2.sum()) / 1000.0, 1),
        "park_ghi": round(float(table["ghi"].sum()) / 4000.0, 1),
    }
    arrays = _pv(recipe, table, park, provenance)
    arrays["wind_wh_per_mw"] = _whole_wh(power.wind_watts_per_mw(recipe["wind"], weather, park, recipe["year"]))
    arrays |= _loads(recipe, bdew)
    provenance["series"] = {
        name: {
            "sum_wh": int(values.sum(dtype=np.int64)),
            "max_wh": int(values.max()),
            "sha256": hashlib.sha256(values.astype("<i4").tobytes()).hexdigest(),
        }
        for name, values in arrays.items()
    }
    return arrays, provenance


def main() -> int:
    """Derive, write, say what was written."""
    try:
        arrays, provenance = derive()
    except ImportError as error:
        sys.stderr.write(f"the derivation needs the extra `profiles` (pip install 'parkex[profiles]'): {error}\n")
        return 2
    year = tomllib.loads((_HERE / "recipe.toml").read_text("utf-8"))["year"]
    target = _HERE.parent / "data" / f"profiles-{year}.npz"
    with target.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    provenance["file_sha256"] = _sha256(target)
    target.with_suffix(".json").write_text(json.dumps(provenance, ensure_ascii=False, indent=2, sort_keys=True) + "\n", "utf-8")
    sys.stdout.write(f"{target}: {target.stat().st_size} bytes, {len(arrays)} series of 35040 quarter-hours\n")
    for name, entry in provenance["series"].items():
        sys.stdout.write(f"  {name:32} {entry['sum_wh'] / 1e6:12.1f} MWh  peak {entry['max_wh'] * 4 / 1000:10.1f} kW\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
