"""Parts that tests of the carbon accounts share: activity entries, the demo park's year, and a park account of it."""

from collections.abc import Iterable
from typing import Any

from exchange.carbon.activity import Activities, ActivityEntry
from exchange.carbon.books import CarbonBooks
from exchange.carbon.factors import FactorKind
from exchange.carbon.packaged import rule_of_year
from exchange.carbon.park import ParkAccount, ParkElectricity, park_account, sum_activities
from exchange.protocol.value_chain.accounting import RecordActivity

GWH = 10**9
MWH = 10**6
RULES = rule_of_year("indicators", 2026)
ELECTRICITY_MG = 122_900


def activity(kind: str, quantity_milli: int, **changes: Any) -> RecordActivity:
    units = {"fuel": "m3", "process": "kgCO2", "purchased_heat": "GJ", "product_energy": "kgce", "product_electricity": "kWh"}
    units |= {"solid_waste": "t", "solid_waste_used": "t", "waste_heat_available": "GJ", "waste_heat_used": "GJ", "product_output": "piece"}
    products = ("product_output", "product_energy", "product_electricity")
    subjects = {"fuel": "natural_gas", "process": "lime"} | dict.fromkeys(products, "bearings")
    fields: dict[str, Any] = {
        "account": 33, "month": 202607, "kind": kind, "quantity_milli": quantity_milli, "unit": units.get(kind, "m3"),
        "subject": subjects.get(kind, ""), "use": "combustion" if kind == "fuel" else "",
    }  # fmt: skip
    return RecordActivity(**(fields | changes))


def entries(*documents: RecordActivity) -> list[ActivityEntry]:
    activities = Activities()
    for document in documents:
        activities.add(document, document.account, 0)
    return activities.entries


def demo_year(gec: int = 0, **changes: int) -> ParkElectricity:
    """38.4 GWh used, 13.2 generated of which 1.32 exported: market-rules, story 6."""
    fields = {"import_wh": 38_400 * MWH - 11_880 * MWH, "export_wh": 1_320 * MWH, "generation_wh": 13_200 * MWH, "gec_retired_wh": gec * MWH}
    return ParkElectricity(**(fields | changes))


def account(power: ParkElectricity, documents: Iterable[RecordActivity] = (), kind: str = "average", deduct_export: bool = False) -> ParkAccount:
    factors = CarbonBooks().factors_of(2026)
    fuels = sum_activities(entries(*documents), factors)
    return park_account(power, fuels, factors.electricity(FactorKind(kind)), ELECTRICITY_MG, deduct_export=deduct_export)


GAS = activity("fuel", 300_000_000)
