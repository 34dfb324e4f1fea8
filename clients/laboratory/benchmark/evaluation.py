"""What a run, or a plan that met the truth, came to in the terms of the welfare program."""

import numpy as np

from clients.laboratory.benchmark.horizon import PERIODS_PER_HOUR, TICKS_PER_CNY, Decisions, Floats, Horizon
from clients.laboratory.benchmark.welfare_program import OVERLOAD
from clients.laboratory.run.record import RunRecord
from exchange.units import MICRO_PER_CNY, POWER_LOT_WH, PPM, WH_PER_KWH


def welfare_of(horizon: Horizon, net: Floats, position: Floats, comfort_cny: float, soc_end: Floats) -> float:
    """CNY. [n, T] kWh: `net` taken out at the meter, `position` bought less sold inside; `soc_end` [n] kWh.

    Bought lots gain their limit as far as the meter takes them; the rest goes to the grid. Sold lots that the meter does not give are fetched from
    there. Both are priced at least as badly as any member would, so that no position gains more than the program's best.
    """
    withdrawal, injection = np.maximum(net, 0), np.maximum(-net, 0)
    used, given = np.clip(position, 0, withdrawal), np.clip(-position, 0, injection)
    excess, short = np.maximum(position, 0) - used, np.maximum(-position, 0) - given
    worst_sale = np.minimum(horizon.surplus, horizon.cost.min(axis=0))
    worst_purchase = np.maximum(horizon.deficit, horizon.value.max(axis=0))
    grid = horizon.surplus * injection - (horizon.deficit + horizon.adder[:, None]) * withdrawal
    traded = horizon.value * used + worst_sale * excess - horizon.cost * given - worst_purchase * short
    stored = horizon.soc_value * float((soc_end - horizon.soc).sum())
    return float((grid + traded).sum()) - network_cost(horizon, withdrawal, injection) - comfort_cny + stored


def network_cost(horizon: Horizon, withdrawal: Floats, injection: Floats) -> float:
    """Line losses at the grid's price, imports beyond the connection, and exports that it did not let out, which earn nothing."""
    network = horizon.scenario.network
    taken, given = withdrawal.sum(axis=0), injection.sum(axis=0)
    losses = horizon.loss_share * np.maximum(taken, given)
    cost = float((horizon.deficit * losses).sum())
    if network.import_limit_kw:
        cost += OVERLOAD * float(np.maximum(taken - given + losses - network.import_limit_kw / PERIODS_PER_HOUR, 0).sum())
    if network.export_limit_kw:
        cost += float((horizon.surplus * np.maximum(given - taken - losses - network.export_limit_kw / PERIODS_PER_HOUR, 0)).sum())
    return cost


def realised_welfare(horizon: Horizon, record: RunRecord) -> float:
    """Welfare of a run in CNY; `horizon` is the truth of its days."""
    net = (record.load_wh + record.charge_wh - record.generation_wh - record.discharge_wh) / WH_PER_KWH
    position = (record.bought_lots - record.sold_lots) * POWER_LOT_WH / WH_PER_KWH
    soc_end = np.where([entry.storage is not None for entry in record.scenario.participants], record.soc_wh[:, -1] / WH_PER_KWH, 0.0)
    moved = np.maximum(horizon.load - record.load_wh / WH_PER_KWH, 0)  # what is missing where it belongs
    return welfare_of(horizon, net, position, comfort_of(horizon, moved), soc_end)


def comfort_of(horizon: Horizon, moved: Floats) -> float:
    """What it costs in comfort, CNY, that so much of the load is used at another time, [n, T] kWh."""
    cost = 0.0
    for row, entry in enumerate(horizon.scenario.participants):
        if entry.flexible is not None:
            cost += float(moved[row].sum()) * entry.flexible.cost_micro_per_kwh / MICRO_PER_CNY
    return cost


def planned_welfare(horizon: Horizon, decisions: Decisions) -> float:
    """Welfare in CNY of decisions that met the truth of `horizon`: meters follow load and generation as they were, trades and schedules stand."""
    curtailed = np.minimum(decisions.curtailed, horizon.generation)
    shifted_out = np.minimum(decisions.shift_out, horizon.load)
    net = (
        horizon.load - shifted_out + decisions.shift_in + decisions.vehicle + decisions.charge - decisions.discharge
        - horizon.generation + curtailed
    )  # fmt: skip
    comfort = comfort_of(horizon, decisions.shift_out)
    soc_end = stored_after(horizon.soc, horizon, decisions)
    return welfare_of(horizon, net, decisions.bought - decisions.sold, comfort, soc_end)


def stored_after(soc: Floats, horizon: Horizon, decisions: Decisions) -> Floats:
    """What is in storage after all periods of the decisions, [n] kWh."""
    end = soc.copy()
    for row, entry in enumerate(horizon.scenario.participants):
        if entry.storage is not None:
            stored = decisions.charge[row].sum() * entry.storage.charge_efficiency_ppm / PPM
            end[row] += stored - decisions.discharge[row].sum() * PPM / entry.storage.discharge_efficiency_ppm
    return end


def price_in_ticks(price: Floats) -> Floats:
    """CNY/kWh as ticks, not rounded."""
    return price * TICKS_PER_CNY
