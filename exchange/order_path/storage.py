"""Worst-case check of storage, compiled (DESIGN "Storage", docs/rules.md): reads PathState only.

For every period in time order: with all open sells filled and no open buys the state of charge stays above its minimum; with all open buys
filled and no open sells below its maximum; and the net power of the worst case is within the rating. Rounding is against the storage.
"""

from typing import Any

import numpy as np

from exchange.ledger.periods import period_slot
from exchange.protocol.reject_codes import RejectCode
from exchange.units import POWER_LOT_WH, PPM
from matching.compile import kernel
from matching.records import Side


@kernel(internal=True)
def _after(soc_wh: int, net_bought_wh: int, storage: Any, round_up: bool) -> int:
    """State of charge after a period: charge by what is bought, discharge by what is sold, losses one way each."""
    if net_bought_wh >= 0:
        gained = net_bought_wh * storage.charge_ppm
        return soc_wh + ((gained + PPM - 1) // PPM if round_up else gained // PPM)
    drawn = -net_bought_wh * PPM
    return soc_wh - (drawn // storage.discharge_ppm if round_up else (drawn + storage.discharge_ppm - 1) // storage.discharge_ppm)


@kernel(internal=True)
def check_rating(state: Any, account_id: int, slot: int) -> bool:
    """Whether the worst cases of one quarter-hour are within the rating."""
    storage = state.storages[state.accounts[account_id].storage]
    position = state.positions[slot, account_id]
    net_lots = position.net_lots + position.contract_lots
    least_wh = (net_lots - position.open_sell_lots) * POWER_LOT_WH
    most_wh = (net_lots + position.open_buy_lots) * POWER_LOT_WH
    return least_wh >= -storage.period_limit_wh and most_wh <= storage.period_limit_wh


@kernel(internal=True)
def check_periods(state: Any, account_id: int, slot: int) -> bool:
    """`check_rating` of every quarter-hour of the power instrument in `slot`."""
    holds = True
    for i in range(state.instruments[slot].periods):
        holds = holds and check_rating(state, account_id, period_slot(state, slot, i))
    return holds


@kernel(internal=True)
def check_storage(state: Any, account_id: int, order_slot: int, side: int, quantity_lots: int) -> int:
    """STORAGE_RATING, STORAGE_ENERGY or ACCEPTED for `quantity_lots` more on `side` of the quarter-hour in `order_slot` (-1: none).

    O(open periods).
    """
    storage = state.storages[state.accounts[account_id].storage]
    low_wh = storage.soc_wh
    high_wh = storage.soc_wh
    code = np.int64(RejectCode.ACCEPTED)
    for i in range(state.counters[0].n_schedule):
        slot = state.schedule[i]
        if state.instruments[slot].delivery_start_ns < storage.as_of_ns:
            continue
        position = state.positions[slot, account_id]
        net_lots = position.net_lots + position.contract_lots
        sell_lots = position.open_sell_lots
        buy_lots = position.open_buy_lots
        if slot == order_slot:
            if side == Side.BUY:
                buy_lots += quantity_lots
            else:
                sell_lots += quantity_lots
        least_wh = (net_lots - sell_lots) * POWER_LOT_WH
        most_wh = (net_lots + buy_lots) * POWER_LOT_WH
        if slot == order_slot and (least_wh < -storage.period_limit_wh or most_wh > storage.period_limit_wh):
            return np.int64(RejectCode.STORAGE_RATING)
        low_wh = min(_after(low_wh, least_wh, storage, False), storage.soc_max_wh)
        high_wh = max(_after(high_wh, most_wh, storage, True), storage.soc_min_wh)
        if low_wh < storage.soc_min_wh or high_wh > storage.soc_max_wh:
            code = np.int64(RejectCode.STORAGE_ENERGY)
    return code
