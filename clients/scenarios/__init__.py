"""Real input of the demo and of users: parks, tariffs, profiles, meters (docs/rules.md, "Tariffs" and "Profiles").

park = load_park("park", datetime.date(2026, 7, 15), seed=7)
park = load_park("park", meters=Path("meters.csv"), tariff=Path("tariff.toml"))
print(check_meters(Path("meters.csv")).describe())
"""

from clients.scenarios.layers import SHIPPED
from clients.scenarios.loader import DEFAULT_DATE, check_meters, load_park, meters_template, tariff_template
from clients.scenarios.meters import ImportResult, import_meters
from clients.scenarios.model import Contract, Member, Park, PowerRules, Storage, StrategyChoice, UnitInstrument, UnitProgramme
from clients.scenarios.tariff import Tariff
from clients.scenarios.tariff_files import read_tariff

__all__ = [
    "DEFAULT_DATE",
    "SHIPPED",
    "Contract",
    "ImportResult",
    "Member",
    "Park",
    "PowerRules",
    "Storage",
    "StrategyChoice",
    "Tariff",
    "UnitInstrument",
    "UnitProgramme",
    "check_meters",
    "import_meters",
    "load_park",
    "meters_template",
    "read_tariff",
    "tariff_template",
]
