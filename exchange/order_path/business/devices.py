"""Registration of metered devices."""

from typing import TYPE_CHECKING, Final

from exchange.metering.devices import device_problem
from exchange.order_path.business.rules import Caller, Handler, Result, member, require
from exchange.protocol.document import Document
from exchange.protocol.value_chain.metering import RegisterDevice

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange


def register_device(exchange: "Exchange", document: RegisterDevice, _caller: Caller) -> Result:
    """A device behind the metering point of an account; its name is unique there."""
    problem = device_problem(document)
    require(problem is None, str(problem))
    member(exchange, document.account)
    devices = exchange.rooms.devices
    require(devices.by_name(document.account, document.name) is None, "name_taken")
    device = devices.add(document)
    exchange.notify("device", {"device": device.id, "account": device.account, "name": device.name, "kind": str(device.kind)})
    return {"device": device.id}


HANDLERS: Final[dict[type[Document], Handler]] = {RegisterDevice: register_device}
