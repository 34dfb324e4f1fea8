"""What the meters show once a day has been traded: load where it is used, vehicles, storage, the grid. Integer Wh, balanced to the Wh.

    load + charge + export + losses = generation + discharge + import,  in every quarter-hour

Losses and the grid meter are those of `clients.simulator.world`. Where the connection lets less out, generation of those who put in is curtailed, in
proportion to what they put in. What the connection would have to let in is never cut: shedding load is no rule of these markets, so an import above
its limit is for the measures to show.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.planning import kernels
from clients.laboratory.planning.devices import Devices
from clients.laboratory.planning.plan import Planner
from clients.laboratory.planning.state import PlanState
from clients.laboratory.scenario.model import Network
from clients.laboratory.world.day import WorldDay
from clients.scenarios.model import WH_PER_KW_QUARTER
from clients.scenarios.whole import half_even, whole_parts
from exchange.units import INT64_MAX, PPM

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Delivery:
    """A day's meters, int64. [n, T] Wh: `load_wh` with vehicles and moved load, `generation_wh` without what was curtailed; `soc_wh` after each
    period, -1 without storage. [T] Wh: `import_wh`, `export_wh`, `loss_wh` of the park. `soc_end_wh` [n]: where the next day begins.
    """

    load_wh: Integers
    generation_wh: Integers
    charge_wh: Integers
    discharge_wh: Integers
    curtailed_wh: Integers
    soc_wh: Integers
    import_wh: Integers
    export_wh: Integers
    loss_wh: Integers
    soc_end_wh: Integers


def deliver(planner: Planner, day: WorldDay, positions_lots: Integers, state: PlanState) -> Delivery:
    """The day as it happens after its last gate: truth of the world, plans of vehicles, moved load and storage, positions, int64[n, T], of storages
    alone. Modifies `state`, of which all periods are closed.
    """
    planner.close(day, INT64_MAX, positions_lots, state)
    devices, network = planner.devices, planner.scenario.network
    load_wh = day.load_wh + state.vehicle_wh
    for place, load in enumerate(devices.flexible):
        served = np.zeros(day.n_periods, dtype=np.int64)
        kernels.move_load(day.load_wh[load.row], load.record.share_ppm, state.moves_wh[place], served)
        load_wh[load.row] += served - day.load_wh[load.row]
    meter_wh, soc_wh, soc_end_wh = _run_storages(devices, day, state)
    charge_wh, discharge_wh = np.maximum(meter_wh, 0), np.maximum(-meter_wh, 0)
    generation_wh = day.generation_wh.copy()
    curtailed_wh = _curtail(load_wh + charge_wh - discharge_wh, generation_wh, network)
    import_wh, export_wh, loss_wh = park_balance(load_wh + charge_wh - discharge_wh - generation_wh, network.loss_ppm)
    return Delivery(load_wh, generation_wh, charge_wh, discharge_wh, curtailed_wh, soc_wh, import_wh, export_wh, loss_wh, soc_end_wh)


def park_balance(net_wh: Integers, loss_ppm: int) -> tuple[Integers, Integers, Integers]:
    """(import, export, losses) of a park, int64[T], from what each meter takes out net, int64[n, T]; see `clients.simulator.world.close_balance`."""
    taken_out, put_in = np.maximum(net_wh, 0).sum(axis=0), np.maximum(-net_wh, 0).sum(axis=0)
    loss_wh = half_even(np.maximum(taken_out, put_in) * loss_ppm, PPM)
    missing = taken_out + loss_wh - put_in
    return np.maximum(missing, 0), np.maximum(-missing, 0), loss_wh


def _run_storages(devices: Devices, day: WorldDay, state: PlanState) -> tuple[Integers, Integers, Integers]:
    """(energy at the meter, state of charge after each period, at the end)."""
    meter_wh = np.zeros(day.load_wh.shape, dtype=np.int64)
    soc_wh = np.full(day.load_wh.shape, -1, dtype=np.int64)
    end_wh = state.soc_start_wh.copy()
    for unit in devices.storages:
        row = unit.row
        end_wh[row] = kernels.run_storage(unit.record, end_wh[row], state.storage_wh[row], 0, day.n_periods, meter_wh[row], soc_wh[row])
    return meter_wh, soc_wh, end_wh


def _curtail(consumption_wh: Integers, generation_wh: Integers, network: Network) -> Integers:
    """Take from `generation_wh`, int64[n, T], in place what the connection does not let out; returns what was taken."""
    curtailed = np.zeros(generation_wh.shape, dtype=np.int64)
    if not network.export_limit_kw:
        return curtailed
    limit_wh = network.export_limit_kw * WH_PER_KW_QUARTER
    export_wh = park_balance(consumption_wh - generation_wh, network.loss_ppm)[1]
    for t in np.flatnonzero(export_wh > limit_wh).tolist():
        able = np.clip(generation_wh[:, t] - consumption_wh[:, t], 0, generation_wh[:, t])
        # A Wh less put in is not a Wh less let out: it would have lost its share on the way. One more makes up for the rounding of losses.
        excess = -(-(int(export_wh[t]) - limit_wh) * PPM // (PPM - network.loss_ppm)) + 1
        curtailed[:, t] = whole_parts(min(excess, int(able.sum())), able) if able.any() else 0
        generation_wh[:, t] -= curtailed[:, t]
    return curtailed
