"""What a device generated: by its own meter where it has one, else by its account's where the account can only mean that device."""

from collections.abc import Sequence

import numpy as np

from exchange.metering.device_store import read_devices
from exchange.metering.devices import Device, DeviceKind, Devices
from exchange.metering.table import MeterTable
from exchange.metering.validation import BoolArray, Int64Array


def device_generation_wh(
    devices: Devices, meters: MeterTable, device_id: int, starts_ns: Int64Array, as_of_sequence: int | None = None
) -> Int64Array:
    """Generation of a device in each period, in Wh, int64[T]: its export register; zero where it is not known and for what is no generator.

    Where the account is read as a whole, its generation is the device's if that is the only one there that generates, and no storage is: what a
    storage discharged cannot be told from what was generated. As of command `as_of_sequence` if that is given. Raises KeyError for an unknown device.
    """
    generation_wh: Int64Array = generations_wh(devices, meters, [device_id], starts_ns, as_of_sequence)[0]
    return generation_wh


def generations_wh(
    devices: Devices, meters: MeterTable, device_ids: Sequence[int], starts_ns: Int64Array, as_of_sequence: int | None = None
) -> Int64Array:
    """`device_generation_wh` of several devices, int64[n, T]: their accounts are read once."""
    starts_ns = np.asarray(starts_ns, np.int64)
    found = read_devices(meters.devices, list(device_ids), starts_ns, as_of_sequence)
    chosen = [devices.by_id[device_id] for device_id in device_ids]
    is_read = found.document > 0
    rows = [row for row, one in enumerate(chosen) if one.is_renewable and not is_read[row].all() and _speaks_for(devices, one)]
    generation_wh: Int64Array = found.export_wh.astype(np.int64)
    if rows:
        accounts = np.unique([chosen[row].account for row in rows])
        day = meters.read(accounts.tolist(), starts_ns.tolist(), as_of_sequence)
        places = np.searchsorted(accounts, [chosen[row].account for row in rows])
        generation_wh[rows] = np.where(is_read[rows], generation_wh[rows], day.generation_wh[places])
    generation_wh[[not one.is_renewable for one in chosen]] = 0
    return generation_wh


def _speaks_for(devices: Devices, device: Device) -> bool:
    """Whether the generation of its account can only be that of the device."""
    return sum(other.is_renewable or other.kind is DeviceKind.STORAGE for other in devices.of_account(device.account)) == 1


def is_metered(devices: Devices, meters: MeterTable, device_id: int, starts_ns: Int64Array) -> BoolArray:
    """Whether `device_generation_wh` speaks of a reading in each period, bool[T]. Raises KeyError for an unknown device."""
    device = devices.by_id[device_id]
    starts_ns = np.asarray(starts_ns, np.int64)
    own = meters.devices.has_any(device_id, starts_ns)
    if not _speaks_for(devices, device):
        return own
    return own | meters.are_read_by_account(np.full(starts_ns.shape, device.account), starts_ns)


def storage_energies_wh(devices: Devices, meters: MeterTable, device_id: int, period_start_ns: int) -> tuple[int, int]:
    """(charge, discharge) of a storage in one period, in Wh: by its own meter, else by its account's where it is the only device there."""
    device = devices.by_id[device_id]
    found = read_devices(meters.devices, [device_id], np.array([period_start_ns], np.int64))
    if int(found.document[0, 0]) > 0:
        return int(found.import_wh[0, 0]), int(found.export_wh[0, 0])
    if len(devices.of_account(device.account)) != 1:
        return 0, 0
    day = meters.read([device.account], [period_start_ns])
    return int(day.consumption_wh[0, 0]), int(day.generation_wh[0, 0])
