"""Compiled loops of planning and delivery: storage, vehicles, shifted load. Integers only; rounding is always against whoever stores.

Energy of a storage is at the meter, charged positive; prices are micro-CNY/kWh.
"""

from typing import Any, Final

import numpy as np

from exchange.units import POWER_LOT_WH, PPM, WH_PER_KWH
from matching.compile import kernel

# A storage. `limit_wh`: most at the meter in a quarter-hour, either way; efficiencies one way each.
STORAGE: Final = np.dtype([("min_wh", "i8"), ("max_wh", "i8"), ("limit_wh", "i8"), ("charge_ppm", "i8"), ("discharge_ppm", "i8")])

# Vehicles that are charged from `first` to before `after`, quarters of the local clock.
FLEET: Final = np.dtype([("energy_wh", "i8"), ("limit_wh", "i8"), ("first", "i8"), ("after", "i8")])

# Load that can be moved. `room_wh`: most the meter may show in a quarter-hour.
FLEXIBLE: Final = np.dtype([("share_ppm", "i8"), ("reach", "i8"), ("cost_micro", "i8"), ("room_wh", "i8")])

_UNREACHABLE: Final = -(2**62)


@kernel
def stepped(unit: Any, soc_wh: Any, wanted_wh: Any) -> Any:
    """(energy at the meter, state of charge after) of a quarter-hour in which `wanted_wh` is asked for: rating first, then what fits or is left."""
    if wanted_wh >= 0:
        charge = min(wanted_wh, unit.limit_wh, max(unit.max_wh - soc_wh, 0) * PPM // unit.charge_ppm)
        return charge, soc_wh + charge * unit.charge_ppm // PPM
    discharge = min(-wanted_wh, unit.limit_wh, max(soc_wh - unit.min_wh, 0) * unit.discharge_ppm // PPM)
    return -discharge, soc_wh - -(-discharge * PPM // unit.discharge_ppm)


@kernel
def run_storage(unit: Any, soc_wh: Any, wanted_wh: Any, first: Any, after: Any, meter_wh: Any, soc_by_period_wh: Any) -> Any:
    """Do what is wanted, int64[T], from period `first` to before `after`. Fills energies and states of charge by period, returns the last state."""
    for t in range(first, after):
        meter_wh[t], soc_wh = stepped(unit, soc_wh, wanted_wh[t])
        soc_by_period_wh[t] = soc_wh
    return soc_wh


@kernel
def follow_soc(unit: Any, soc_wh: Any, targets_wh: Any, meter_wh: Any) -> None:
    """Energy at the meter, int64[T], that comes as near as integers allow to states of charge after each period, int64[T]."""
    for t in range(len(targets_wh)):
        change = targets_wh[t] - soc_wh
        wanted = -(-change * PPM // unit.charge_ppm) if change >= 0 else -(-change * unit.discharge_ppm // PPM)
        meter_wh[t], after_wh = stepped(unit, soc_wh, wanted)
        if after_wh == soc_wh:
            # A Wh that rounding stores nothing of is not charged.
            meter_wh[t] = 0
        soc_wh = after_wh


@kernel(internal=True)
def move_cost_micro(meter_wh: Any, net_wh: Any, buy_micro: Any, sell_micro: Any, period: Any) -> Any:
    """Cost of a quarter-hour with `meter_wh` at the storage; each kWh through it also costs the period's number in micro-CNY, which decides ties."""
    total = net_wh + meter_wh
    price = buy_micro if total > 0 else sell_micro
    return (total * price + abs(meter_wh) * (period + 1)) // WH_PER_KWH


@kernel
def value_states(unit: Any, net_wh: Any, buy_micro: Any, sell_micro: Any, final_micro: Any, values: Any, moves: Any) -> None:
    """Backward induction over a grid of states of charge.

    `values`, int64[T + 1, G]: micro-CNY that can still be gained from a state at the start of a period; `moves`, int64[T, G]: the best next state.
    """
    periods, points = moves.shape
    span = unit.max_wh - unit.min_wh
    # No more points than the rating reaches in a quarter-hour are looked at, one to spare for rounding.
    most_up = unit.limit_wh * (points - 1) // max(span, 1) + 1
    most_down = (unit.limit_wh * PPM // unit.discharge_ppm) * (points - 1) // max(span, 1) + 1
    for g in range(points):
        values[periods, g] = span * g // (points - 1) * final_micro // WH_PER_KWH
    for t in range(periods - 1, -1, -1):
        for g in range(points):
            soc = span * g // (points - 1)
            best, best_next = np.int64(_UNREACHABLE), g
            for following in range(max(0, g - most_down), min(points, g + most_up + 1)):
                change = span * following // (points - 1) - soc
                meter = -(-change * PPM // unit.charge_ppm) if change >= 0 else -(-change * unit.discharge_ppm // PPM)
                if abs(meter) > unit.limit_wh:
                    continue
                gain = values[t + 1, following] - move_cost_micro(meter, net_wh[t], buy_micro[t], sell_micro[t], t)
                if gain > best:
                    best, best_next = gain, following
            values[t, g], moves[t, g] = best, best_next


@kernel
def walk_states(unit: Any, soc_wh: Any, moves: Any, targets_wh: Any) -> None:
    """States of charge, int64[T], along the best moves from the grid's point at or below `soc_wh` on."""
    periods, points = moves.shape
    span = unit.max_wh - unit.min_wh
    at = max(soc_wh - unit.min_wh, 0) * (points - 1) // max(span, 1)
    for t in range(periods):
        at = moves[t, at]
        targets_wh[t] = unit.min_wh + span * at // (points - 1)


@kernel
def stored_values(unit: Any, soc_by_period_wh: Any, values: Any, below_micro: Any, above_micro: Any) -> None:
    """What a kWh is worth inside the storage after each period, micro-CNY, int64[T]: the last one it holds, and one more."""
    periods, points = len(soc_by_period_wh), values.shape[1]
    span = unit.max_wh - unit.min_wh
    for t in range(periods):
        at = max(soc_by_period_wh[t] - unit.min_wh, 0) * (points - 1) // max(span, 1)
        lower, upper = max(at - 1, 0), min(at, points - 2)
        below_micro[t] = slope_micro(values, t + 1, lower, span)
        above_micro[t] = slope_micro(values, t + 1, upper, span)


@kernel(internal=True)
def slope_micro(values: Any, period: Any, low: Any, span_wh: Any) -> Any:
    """Value of a kWh between a point of the grid and the next."""
    steps = values.shape[1] - 1
    energy_wh = span_wh * (low + 1) // steps - span_wh * low // steps
    return (values[period, low + 1] - values[period, low]) * WH_PER_KWH // max(energy_wh, 1)


@kernel
def worst_case_holds(unit: Any, soc_wh: Any, first: Any, positions_lots: Any, wants_lots: Any) -> bool:
    """Whether rating and range hold from `first` on with all wanted sales and no wanted purchase, and the reverse (docs/rules.md, "Storage")."""
    low = high = soc_wh
    for t in range(first, len(positions_lots)):
        least = (positions_lots[t] + min(wants_lots[t], 0)) * POWER_LOT_WH
        most = (positions_lots[t] + max(wants_lots[t], 0)) * POWER_LOT_WH
        if least < -unit.limit_wh or most > unit.limit_wh:
            return False
        low = min(soc_after(unit, low, least, False), unit.max_wh)
        high = max(soc_after(unit, high, most, True), unit.min_wh)
        if low < unit.min_wh or high > unit.max_wh:
            return False
    return True


@kernel(internal=True)
def soc_after(unit: Any, soc_wh: Any, bought_wh: Any, rounds_up: Any) -> Any:
    """State of charge after a period with `bought_wh` at the meter, without limits."""
    if bought_wh >= 0:
        gained = bought_wh * unit.charge_ppm
        return soc_wh + (-(-gained // PPM) if rounds_up else gained // PPM)
    drawn = -bought_wh * PPM
    return soc_wh - (drawn // unit.discharge_ppm if rounds_up else -(-drawn // unit.discharge_ppm))


@kernel(internal=True)
def share_out(wants_lots: Any, first: Any, sign: Any, share_ppm: Any, cut_lots: Any) -> None:
    """Fill in the share of what is wanted on one side (`sign`) from period `first` on, rounded towards zero."""
    for t in range(first, len(wants_lots)):
        if wants_lots[t] * sign > 0:
            cut_lots[t] = sign * (abs(wants_lots[t]) * share_ppm // PPM)


@kernel
def cut_to_worst_case(unit: Any, soc_wh: Any, first: Any, positions_lots: Any, wants_lots: Any, cut_lots: Any) -> None:
    """Fill `cut_lots`, int64[T], with as much of `wants_lots`, int64[T], as holds in the worst case.

    First the greatest share that all sales can have alike, and all purchases, so that each period has its chance to trade; then what is left, earlier
    periods first. The two sides do not limit each other: the worst case of one is that nothing of the other fills.
    """
    cut_lots[:] = 0
    if not worst_case_holds(unit, soc_wh, first, positions_lots, cut_lots):
        return
    for sign in (-1, 1):
        share_ppm, too_much_ppm = np.int64(0), np.int64(PPM + 1)
        middle_ppm = np.int64(PPM)
        while too_much_ppm - share_ppm > 1:
            share_out(wants_lots, first, sign, middle_ppm, cut_lots)
            if worst_case_holds(unit, soc_wh, first, positions_lots, cut_lots):
                share_ppm = middle_ppm
            else:
                too_much_ppm = middle_ppm
            middle_ppm = (share_ppm + too_much_ppm) // 2
        share_out(wants_lots, first, sign, share_ppm, cut_lots)
    for t in range(first, len(wants_lots)):
        sign = np.int64(1) if wants_lots[t] > 0 else np.int64(-1)
        good, bad = abs(cut_lots[t]), abs(wants_lots[t]) + 1
        middle = bad - 1
        while bad - good > 1:
            cut_lots[t] = sign * middle
            if worst_case_holds(unit, soc_wh, first, positions_lots, cut_lots):
                good = middle
            else:
                bad = middle
            middle = (good + bad) // 2
        cut_lots[t] = sign * good


@kernel
def fill_targets(
    forecast_load_wh: Any, forecast_generation_wh: Any, rounds: Any, periods: Any, shift_wh: Any, vehicle_wh: Any, storage_wh: Any, low_lots: Any,
    high_lots: Any, targets_lots: Any,
) -> None:  # fmt: skip
    """Fill int64[n, m]: expected net consumption with all plans in lots, rounded towards zero, within position limits, int64[n]."""
    for at in range(len(periods)):
        r, t = rounds[at], periods[at]
        for i in range(len(low_lots)):
            net = forecast_load_wh[r, i, t] - forecast_generation_wh[r, i, t] + shift_wh[i, t] + vehicle_wh[i, t] + storage_wh[i, t]
            lots = net // POWER_LOT_WH if net >= 0 else -(-net // POWER_LOT_WH)
            targets_lots[i, at] = min(max(lots, low_lots[i]), high_lots[i])


@kernel
def charge_fleet(fleet: Any, quarters: Any, first_open: Any, price_micro: Any, vehicle_wh: Any) -> None:
    """Spread what is still missing over the open quarter-hours of the fleet's window, cheapest first, earlier ones at equal prices.

    `vehicle_wh`, int64[T], is modified from period `first_open` on.
    """
    missing = fleet.energy_wh
    for t in range(len(vehicle_wh)):
        if t < first_open:
            missing -= vehicle_wh[t]
        else:
            vehicle_wh[t] = 0
    while missing > 0:
        cheapest = np.int64(-1)
        for t in range(first_open, len(vehicle_wh)):
            is_free = vehicle_wh[t] == 0 and fleet.first <= quarters[t] < fleet.after
            if is_free and (cheapest < 0 or price_micro[t] < price_micro[cheapest]):
                cheapest = t
        if cheapest < 0 or fleet.limit_wh <= 0:
            return
        vehicle_wh[cheapest] = min(missing, fleet.limit_wh)
        missing -= vehicle_wh[cheapest]


@kernel
def move_load(load_wh: Any, share_ppm: Any, moves_wh: Any, served_wh: Any) -> None:
    """Fill `served_wh`, int64[T], with the load where it is used; its sum is that of `load_wh`.

    `moves_wh`, int64[T, 2 reach + 1]: from each period to `reach` before, ..., `reach` after. No more leaves a period than the share of its load.
    """
    reach = moves_wh.shape[1] // 2
    for t in range(len(load_wh)):
        served_wh[t] = load_wh[t]
    for t in range(len(load_wh)):
        left = load_wh[t] * share_ppm // PPM
        for place in range(moves_wh.shape[1]):
            moved = min(moves_wh[t, place], left)
            if moved > 0:
                left -= moved
                served_wh[t] -= moved
                served_wh[t + place - reach] += moved


@kernel
def shift_load(load: Any, first_open: Any, forecast_wh: Any, price_micro: Any, moves_wh: Any, served_wh: Any) -> None:
    """Move load to where it is cheapest by more than its cost, as far as there is room. Modifies the moves between open periods.

    `served_wh`, int64[T], becomes the forecast with all moves.
    """
    periods, reach = len(forecast_wh), moves_wh.shape[1] // 2
    for t in range(first_open, periods):
        for place in range(moves_wh.shape[1]):
            if t + place - reach >= first_open:
                moves_wh[t, place] = 0
    move_load(forecast_wh, load.share_ppm, moves_wh, served_wh)
    for t in range(first_open, periods):
        left = forecast_wh[t] * load.share_ppm // PPM
        for place in range(moves_wh.shape[1]):
            left -= moves_wh[t, place]
        while left > 0:
            best = np.int64(-1)
            best_gain = load.cost_micro
            for target in range(max(first_open, t - load.reach), min(periods, t + load.reach + 1)):
                gain = price_micro[t] - price_micro[target]
                if target != t and gain > best_gain and served_wh[target] < load.room_wh:
                    best, best_gain = np.int64(target), gain
            if best < 0:
                break
            moved = min(left, load.room_wh - served_wh[best])
            moves_wh[t, best - t + reach] += moved
            served_wh[t] -= moved
            served_wh[best] += moved
            left -= moved
