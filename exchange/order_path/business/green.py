"""What the settlement of a day reads beside positions and meters: renewable devices, green contracts, the rules that hold on the day."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from exchange.metering.devices import DeviceKind
from exchange.order_path.level import Level
from exchange.settlement.day_input import DayRules, GreenInput

if TYPE_CHECKING:
    from exchange.metering.devices import Device
    from exchange.order_path.path import Exchange

Int64Array = NDArray[np.int64]


def rules_of(exchange: "Exchange", at_ns: int) -> DayRules:
    """The settlement rules that held at a time."""
    del at_ns
    return DayRules(guards_paper=exchange.level >= Level.VALUE_CHAIN)


def remaining_wh(exchange: "Exchange", at_ns: int) -> dict[int, int]:
    """What each green contract in force has left of its month."""
    del exchange, at_ns
    return {}


def green_input(exchange: "Exchange", accounts: Int64Array, starts_ns: Int64Array, contract_left_wh: dict[int, int]) -> GreenInput:
    """Renewable devices with their generation, and the green contracts in `contract_left_wh`."""
    del contract_left_wh
    devices = [device for device in exchange.rooms.devices.by_id.values() if device.is_renewable and device.account in accounts]
    none = np.zeros(0, np.int64)
    return GreenInput(
        devices=np.array([device.id for device in devices], np.int64),
        account_row=np.searchsorted(accounts, np.array([device.account for device in devices], np.int64)),
        generation_wh=np.array([_generation_wh(exchange, device, starts_ns) for device in devices], np.int64).reshape(len(devices), len(starts_ns)),
        contracts=none,
        contract_buyer_row=none,
        contract_generator_row=none,
        contract_left_wh=none,
        contract_price_ticks=none,
    )


def _generation_wh(exchange: "Exchange", device: "Device", starts_ns: Int64Array) -> Int64Array:
    """An account's generation is that of its one device that generates; where there are several, or a storage, it cannot be told apart."""
    others = [other for other in exchange.rooms.devices.of_account(device.account) if other.is_renewable or other.kind is DeviceKind.STORAGE]
    if len(others) != 1 or exchange.state.accounts[device.account].storage >= 0:
        return np.zeros(len(starts_ns), np.int64)
    return exchange.rooms.meters.read([device.account], starts_ns.tolist()).generation_wh[0]
