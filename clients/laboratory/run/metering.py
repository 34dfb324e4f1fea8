"""Meters of a day: what flows through the grid connection and the park's lines, and the readings as a document. Integers, the balance closes
exactly.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.run.membership import has_meter
from clients.laboratory.scenario.model import Network, Scenario
from exchange.protocol.documents import MeterReadings
from exchange.units import NS_PER_HOUR, PERIOD_NS, PPM, split_by_largest_remainder

Integers = NDArray[np.int64]
_W_PER_KW = 1000


@dataclass(frozen=True, slots=True, eq=False)
class MeteredDay:
    """Wh: [n, T] by participant, discharge and charge included; [T] of the park. `curtailed_wh` is generation that the grid connection did not
    take.
    """

    consumption_wh: Integers
    generation_wh: Integers
    curtailed_wh: Integers
    import_wh: Integers
    export_wh: Integers
    loss_wh: Integers


def meter_day(consumption_wh: Integers, generation_wh: Integers, curtailable: NDArray[np.bool_], network: Network) -> MeteredDay:
    """Close the balance of every quarter-hour. `curtailable` [n]: plants that give way, in proportion, where the export would pass its limit."""
    curtailed_wh = np.zeros_like(generation_wh)
    import_wh, export_wh, loss_wh = _balance(consumption_wh, generation_wh, network.loss_ppm)
    limit_wh = network.export_limit_kw * _W_PER_KW * PERIOD_NS // NS_PER_HOUR
    if network.export_limit_kw:
        for period in np.flatnonzero(export_wh > limit_wh).tolist():
            injected = np.where(curtailable, np.maximum(generation_wh[:, period] - consumption_wh[:, period], 0), 0)
            excess = min(int(export_wh[period]) - limit_wh, int(injected.sum()))
            if excess:
                curtailed_wh[:, period] = split_by_largest_remainder(excess, injected.tolist())
        generation_wh = generation_wh - curtailed_wh
        import_wh, export_wh, loss_wh = _balance(consumption_wh, generation_wh, network.loss_ppm)
    return MeteredDay(consumption_wh, generation_wh, curtailed_wh, import_wh, export_wh, loss_wh)


def _balance(consumption_wh: Integers, generation_wh: Integers, loss_ppm: int) -> tuple[Integers, Integers, Integers]:
    """(import, export, losses) of each period; losses are a share of the larger of what is put in and what is taken out, rounded half-even."""
    net_wh = generation_wh - consumption_wh
    put_in_wh, taken_out_wh = np.maximum(net_wh, 0).sum(axis=0), np.maximum(-net_wh, 0).sum(axis=0)
    exact = np.maximum(put_in_wh, taken_out_wh) * loss_ppm
    floor, rest = exact // PPM, exact % PPM
    loss_wh = floor + ((2 * rest > PPM) | ((2 * rest == PPM) & (floor % 2 == 1)))
    missing_wh = taken_out_wh + loss_wh - put_in_wh
    return np.maximum(missing_wh, 0), np.maximum(-missing_wh, 0), loss_wh


def readings_document(scenario: Scenario, accounts: list[int], start_ns: Integers, metered: MeteredDay, soc_wh: Integers) -> MeterReadings:
    """The readings of a day, period by period; `soc_wh` [n, T] at the end of each period, -1 without storage."""
    rows = np.array([row for row, participant in enumerate(scenario.participants) if has_meter(participant)], np.int64)
    starts = start_ns.tolist()
    return MeterReadings(
        revision=1,
        accounts=np.tile(np.array(accounts, np.int64)[rows], len(starts)).tolist(),
        period_starts_ns=np.repeat(start_ns, len(rows)).tolist(),
        consumption_wh=metered.consumption_wh[rows].T.reshape(-1).tolist(),
        generation_wh=metered.generation_wh[rows].T.reshape(-1).tolist(),
        soc_wh=soc_wh[rows].T.reshape(-1).tolist(),
        grid_starts_ns=starts,
        grid_import_wh=metered.import_wh.tolist(),
        grid_export_wh=metered.export_wh.tolist(),
        losses_wh=metered.loss_wh.tolist(),
    )
