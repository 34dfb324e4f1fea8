"""Energy of the park: self-sufficiency, self-consumption, peaks, imbalance, curtailment. Wh inside, kWh and kW out."""

from dataclasses import dataclass

import numpy as np

from clients.laboratory.measures.figures import PERIODS_PER_HOUR, Figure, Integers, cny, kwh, percent, total
from clients.laboratory.run.record import RunRecord
from exchange.units import WH_PER_KWH


def energy_measures(record: RunRecord) -> dict[str, Figure]:
    use = own_use(record)
    load, generation, curtailed = total(record.load_wh), total(record.generation_wh), total(record.curtailed_wh)
    return {
        "load_kwh": kwh(load),
        "generation_kwh": kwh(generation),
        "import_kwh": kwh(total(record.import_wh)),
        "export_kwh": kwh(total(record.export_wh)),
        "loss_kwh": kwh(total(record.loss_wh)),
        "discharge_kwh": kwh(total(record.discharge_wh)),
        "self_sufficiency_percent": percent(total(use.direct_wh) + total(use.green_discharge_wh), load),
        "self_consumption_percent": percent(total(use.direct_wh) + total(use.green_charge_wh), generation),
        "peak_import_kw": peak_kw(record.import_wh),
        "peak_export_kw": peak_kw(record.export_wh),
        "import_over_limit_kwh": kwh(over_limit_wh(record.import_wh, record.scenario.network.import_limit_kw)),
        "deficit_kwh": kwh(total(record.deficit_wh)),
        "surplus_kwh": kwh(total(record.surplus_wh)),
        "imbalance_kwh": kwh(total(record.deficit_wh) + total(record.surplus_wh)),
        "imbalance_cost_cny": cny(total(record.imbalance_micro)),
        "curtailed_kwh": kwh(curtailed),
        "curtailed_percent": percent(curtailed, generation + curtailed),
    }


def peak_kw(energy_wh: Integers) -> float:
    """Highest mean power of a quarter-hour, the basis of a demand charge."""
    return int(energy_wh.max(initial=0)) * PERIODS_PER_HOUR / WH_PER_KWH


def over_limit_wh(energy_wh: Integers, limit_kw: int) -> int:
    """What passes a limit of the connection; nothing where there is none."""
    return total(np.maximum(energy_wh - limit_kw * WH_PER_KWH // PERIODS_PER_HOUR, 0)) if limit_kw else 0


@dataclass(frozen=True, slots=True, eq=False)
class OwnUse:
    """What becomes of the park's generation, int64[P], Wh: used at once, charged, and given back to load later (rounded down)."""

    direct_wh: Integers
    green_charge_wh: Integers
    green_discharge_wh: Integers


def own_use(record: RunRecord) -> OwnUse:
    """Load is served first; what is left of the generation of a period is what storages can have charged from it, shared by what each charged.

    What was charged from the grid stays grid energy when it comes back: each storage holds a mixture (weighted average), grey in the beginning, and a
    discharge is green in the proportion of the mixture. Discharge serves load that generation leaves over.
    """
    load, generation, charge = (array.sum(axis=0) for array in (record.load_wh, record.generation_wh, record.charge_wh))
    direct = np.minimum(load, generation)
    green_charge = np.minimum(charge, generation - direct)
    rows = [row for row, entry in enumerate(record.scenario.participants) if entry.storage is not None]
    discharged = _green_discharge(record, rows, charge, green_charge) if rows else np.zeros_like(direct)
    return OwnUse(direct, green_charge, np.minimum(discharged, load - direct))


def _green_discharge(record: RunRecord, rows: list[int], charge_wh: Integers, green_charge_wh: Integers) -> Integers:
    """Green part of the discharge of all storages by period, int64[P]."""
    storages = [storage for entry in record.scenario.participants if (storage := entry.storage) is not None]
    before = np.array([storage.soc_initial_wh for storage in storages], np.float64)
    share = np.zeros(len(rows))
    charged, discharged, after = (array[rows].astype(np.float64) for array in (record.charge_wh, record.discharge_wh, record.soc_wh))
    green_of_charge = green_charge_wh / np.maximum(charge_wh, 1)
    green = np.zeros(record.n_periods)
    for period in range(record.n_periods):
        green[period] = (share * discharged[:, period]).sum()
        stored = np.where(charged[:, period] > 0, np.maximum(after[:, period] - before, 0), 0)
        held = np.maximum(after[:, period], 1)
        share = np.where(stored > 0, (share * (held - stored) + green_of_charge[period] * stored) / held, share)
        before = after[:, period]
    return np.floor(green).astype(np.int64)
