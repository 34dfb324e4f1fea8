"""An exchange comes to a new level of behaviour (exchange.order_path.level)."""

from typing import TYPE_CHECKING, Final

from exchange.order_path.business import units
from exchange.order_path.business.rules import Caller, Handler, Result, require
from exchange.order_path.level import LEVEL_NOW, Level
from exchange.protocol.documents import ActivateLevel, Document

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange


def activate_level(exchange: "Exchange", document: ActivateLevel, _caller: Caller) -> Result:
    """One level at a time, and never back."""
    require(document.level == exchange.level + 1, "level_is_not_the_next")
    require(document.level <= LEVEL_NOW, "level_is_unknown")
    exchange.drain_output()  # what was done until here was done at the level before
    exchange.rooms.level = document.level
    if document.level == Level.VALUE_CHAIN:
        units.begin_registry(exchange)
    exchange.notify("level", {"level": document.level})
    return {"level": document.level}


HANDLERS: Final[dict[type[Document], Handler]] = {ActivateLevel: activate_level}
