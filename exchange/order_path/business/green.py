"""What the settlement of a day reads beside positions and meters: renewable devices, green contracts, the rules that hold on the day."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from exchange.metering.device_store import read_devices
from exchange.metering.devices import DeviceKind
from exchange.metering.table import DayReadings
from exchange.registry.months import month_at
from exchange.settlement.day_input import DayRules, GreenInput

if TYPE_CHECKING:
    from exchange.metering.devices import Device
    from exchange.order_path.path import Exchange

Int64Array = NDArray[np.int64]


def rules_of(exchange: "Exchange", at_ns: int) -> DayRules:
    """The settlement rules of a day that begins at a time."""
    return exchange.rooms.terms.rules_at(at_ns)


def green_input(exchange: "Exchange", day: str, accounts: Int64Array, starts_ns: Int64Array, readings: DayReadings) -> GreenInput:
    """Renewable devices with their generation, and the green contracts of the day's month with what they have left."""
    devices = [device for device in exchange.rooms.devices.by_id.values() if device.is_renewable and device.account in accounts]
    terms = exchange.rooms.terms
    contracts = terms.contracts_of(month_at(int(starts_ns[0])))

    def column(values: list[int]) -> Int64Array:
        return np.array(values, np.int64)

    rows = np.searchsorted(accounts, column([device.account for device in devices]))
    return GreenInput(
        devices=column([device.id for device in devices]),
        account_row=rows,
        generation_wh=_generation_wh(exchange, devices, readings.generation_wh[rows], starts_ns),
        contracts=column([contract.id for contract in contracts]),
        contract_buyer_row=np.searchsorted(accounts, column([contract.buyer for contract in contracts])),
        contract_generator_row=np.searchsorted(accounts, column([contract.generator for contract in contracts])),
        contract_left_wh=column([terms.remaining_wh(contract, day) for contract in contracts]),
        contract_price_ticks=column([contract.energy_price_ticks for contract in contracts]),
    )


def _generation_wh(exchange: "Exchange", devices: list["Device"], of_account_wh: Int64Array, starts_ns: Int64Array) -> Int64Array:
    """int64[devices, T]: by their own meters where they have one, else by their account's, as exchange.metering.generation has it for one device."""
    if not devices:
        return of_account_wh
    own = read_devices(exchange.rooms.meters.devices, [device.id for device in devices], starts_ns)
    told_apart = np.array([_is_told_apart(exchange, device) for device in devices])[:, np.newaxis]
    generation_wh: Int64Array = np.where(own.document > 0, own.export_wh, of_account_wh * told_apart).astype(np.int64)
    return generation_wh


def _is_told_apart(exchange: "Exchange", device: "Device") -> bool:
    """An account's generation is that of its one device that generates; where there are several, or a storage, nobody can say whose it is."""
    others = [other for other in exchange.rooms.devices.of_account(device.account) if other.is_renewable or other.kind is DeviceKind.STORAGE]
    return len(others) == 1 and exchange.state.accounts[device.account].storage < 0
