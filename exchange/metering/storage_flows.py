"""What went into a storage and came out of it in one period: what bounds its records."""

from exchange.metering.devices import Device, Devices
from exchange.metering.table import MeterTable


def storage_charge_wh(devices: Devices, meters: MeterTable, device: Device, period_start_ns: int) -> int:
    """What a storage took in, in one period: its account's consumption where it is the only device there."""
    if len(devices.of_account(device.account)) != 1:
        return 0
    return int(meters.read([device.account], [period_start_ns]).consumption_wh[0, 0])


def storage_discharge_wh(devices: Devices, meters: MeterTable, device: Device, period_start_ns: int) -> int:
    """What came out of a storage in one period: its account's generation where it is the only device there."""
    if len(devices.of_account(device.account)) != 1:
        return 0
    return int(meters.read([device.account], [period_start_ns]).generation_wh[0, 0])
