"""The readings of a delivered day as the document that the operator sends."""

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.planning.physical import Delivery
from clients.laboratory.run.membership import has_meter, is_storage_alone
from clients.laboratory.scenario.model import Scenario
from exchange.protocol.documents import MeterReadings

Integers = NDArray[np.int64]


def readings_document(scenario: Scenario, accounts: list[int], start_ns: Integers, delivery: Delivery) -> MeterReadings:
    """Meters show load and charge taken out, generation and discharge put in, period by period."""
    rows = np.array([row for row, participant in enumerate(scenario.participants) if has_meter(participant)], np.int64)
    starts = start_ns.tolist()
    is_alone = np.array([is_storage_alone(participant) for participant in scenario.participants])
    soc_wh = np.where(is_alone[:, np.newaxis], delivery.soc_wh, -1)
    return MeterReadings(
        revision=1,
        accounts=np.tile(np.array(accounts, np.int64)[rows], len(starts)).tolist(),
        period_starts_ns=np.repeat(start_ns, len(rows)).tolist(),
        consumption_wh=(delivery.load_wh + delivery.charge_wh)[rows].T.reshape(-1).tolist(),
        generation_wh=(delivery.generation_wh + delivery.discharge_wh)[rows].T.reshape(-1).tolist(),
        soc_wh=soc_wh[rows].T.reshape(-1).tolist(),
        grid_starts_ns=starts,
        grid_import_wh=delivery.import_wh.tolist(),
        grid_export_wh=delivery.export_wh.tolist(),
        losses_wh=delivery.loss_wh.tolist(),
    )
