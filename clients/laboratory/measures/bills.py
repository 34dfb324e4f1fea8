"""Bills and savings: each alone at retail, in the pool without a market, and in the market (docs/rules.md, "Comparison").

A saving is the pool's bill less the market's, energy left in storage priced by the scenario: netting behind one grid interface happens without any
trade, so the market is not credited with it. Money is micro-CNY, paid positive.
"""

import numpy as np

from clients.laboratory.measures.figures import Figure, Integers, cny, percent, total
from clients.laboratory.run.record import RunRecord
from exchange.units import WH_PER_KWH, divide_half_even


def bill_measures(record: RunRecord) -> dict[str, Figure]:
    retail, pool, market = (total(bill) for bill in (record.bill_retail_micro, record.bill_pool_micro, record.bill_market_micro))
    savings = saving_micro(record)
    return {
        "bill_retail_cny": cny(retail),
        "bill_pool_cny": cny(pool),
        "bill_market_cny": cny(market),
        "storage_value_change_cny": cny(total(storage_value_change_micro(record))),
        "saving_against_pool_cny": cny(total(savings)),
        "saving_against_pool_percent": percent(total(savings), pool),
        "saving_against_retail_cny": cny(total(savings) + retail - pool),
        "saving_lowest_cny": cny(min(savings.tolist(), default=0)),
        "saving_highest_cny": cny(max(savings.tolist(), default=0)),
        "participants_losing": int((savings < 0).sum()),
        "fees_cny": cny(total(record.fee_micro)),
        "imbalance_netting_cny": cny(total(record.netting_micro)),
    }


def storage_value_change_micro(record: RunRecord) -> Integers:
    """Value of what storages hold more at the end of the run than at its beginning, int64[n], rounded half-even once each."""
    value = record.scenario.soc_value_micro_per_kwh
    change = [0] * record.n_participants
    for row, entry in enumerate(record.scenario.participants):
        if entry.storage is not None and record.n_periods:
            change[row] = divide_half_even((int(record.soc_wh[row, -1]) - entry.storage.soc_initial_wh) * value, WH_PER_KWH)
    return np.array(change, np.int64)


def net_bill_micro(record: RunRecord) -> Integers:
    """The market's bill less the value of what is left in storage, int64[n]."""
    bill: Integers = record.bill_market_micro.sum(axis=1) - storage_value_change_micro(record)
    return bill


def saving_micro(record: RunRecord) -> Integers:
    """What each participant pays less than in the pool, int64[n]."""
    saving: Integers = record.bill_pool_micro.sum(axis=1) - net_bill_micro(record)
    return saving
