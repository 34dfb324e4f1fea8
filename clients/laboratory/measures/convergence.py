"""Whether a population that learns has settled: what of a run's days is warm-up. No measure leaves these days out; this one says which they are."""

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.agents.catalogue import is_user_strategy
from clients.laboratory.measures.figures import Figure
from clients.laboratory.measures.positions import positions_of
from clients.laboratory.measures.theory import wanted_crossing
from clients.laboratory.run.record import RunRecord
from clients.laboratory.statistics.warm_up import mser5

# Populations that keep from day to day what they learnt; a strategy of the user may.
LEARNERS = frozenset({"zip", "gdx", "aa"})


def convergence_measures(record: RunRecord) -> dict[str, Figure]:
    """The key `warm_up_days` of docs/measures.md."""
    return {"warm_up_days": warm_up_days(record)}


def warm_up_days(record: RunRecord) -> int | None:
    """Days to drop by MSER-5 on `daily_allocation_percent`. None where nobody learns, where a day had nothing to gain, and where the run is too short
    to tell.
    """
    if not any(entry.agent.name in LEARNERS or is_user_strategy(entry.agent.name) for entry in record.scenario.participants):
        return None
    series = daily_allocation_percent(record)
    return None if np.isnan(series).any() else mser5(series.tolist())


def daily_allocation_percent(record: RunRecord) -> NDArray[np.float64]:
    """Gains from trade of each day as a share of those of the crossing of what was wanted, float64[D]; nan where that has none.

    Where nothing couples quarter-hours it is the day's allocative efficiency. Else wants follow from plans, and it says how well orders met, no more.
    """
    day = record.day_of_period
    realised = np.bincount(day, positions_of(record).worth_tick_lots.sum(axis=0))
    possible = np.bincount(day, wanted_crossing(record).gain_tick_lots)
    share: NDArray[np.float64] = 100 * realised / np.where(possible > 0, possible, np.nan)
    return share
