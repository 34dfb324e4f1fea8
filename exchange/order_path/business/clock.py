"""The operator believes a wall clock that was stepped. The node takes it as a sign; in the state it is an act of the audit log and nothing else."""

from typing import TYPE_CHECKING, Final

from exchange.order_path.business.rules import Caller, Handler, Result, require
from exchange.protocol.documents import ConfirmClock, Document

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange

_REASON_MAX: Final = 256


def confirm_clock(exchange: "Exchange", document: ConfirmClock, _caller: Caller) -> Result:
    """Say which time is right, and why. Time in the state does not move by it: a stamp is never before the one before it."""
    require(0 < len(document.reason) <= _REASON_MAX, "reason_malformed")
    require(document.wall_ns > 0, "time_out_of_range")
    return {"stamp_ns": exchange.now_ns}


HANDLERS: Final[dict[type[Document], Handler]] = {ConfirmClock: confirm_clock}
