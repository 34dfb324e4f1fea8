"""Why serial numbers that a document names cannot be used, as the rule that refuses it; and texts that a certificate shows."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from exchange.order_path.business.rules import BusinessRuleError, require
from exchange.registry.lifecycle import UnitState
from exchange.registry.serials import SerialRange

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange

_REASONS: Final = {
    UnitState.DRAFT: "units_are_not_issued",
    UnitState.VERIFIED: "units_are_not_issued",
    UnitState.LOCKED: "units_are_locked",
    UnitState.FROZEN: "units_are_frozen",
    UnitState.RETIRED: "units_are_retired",
    UnitState.SURRENDERED: "units_are_surrendered",
    UnitState.EXPIRED: "units_have_expired",
    UnitState.WITHDRAWN: "units_are_withdrawn",
}


def is_printable(text: str, limit: int) -> bool:
    """Whether a text has something in it, fits, and is one line that a certificate can show."""
    return len(text.strip()) > 0 and len(text) <= limit and text.isprintable()


def require_live(exchange: "Exchange", account: int, asset: int, ranges: Sequence[SerialRange]) -> None:
    """Raises BusinessRuleError that says why an account cannot use the ranges: never issued, another's, set aside or ended already."""
    exchange.drain_output()
    registry = exchange.rooms.registry
    ordered = sorted(ranges, key=lambda item: (item.issuance, item.serial_from))
    for one, behind in pairwise(ordered):
        require(one.issuance != behind.issuance or one.serial_to < behind.serial_from, "ranges_overlap")
    for item in ranges:
        serial = item.serial_from
        while serial <= item.serial_to:
            row = registry.find(item.issuance, serial)
            if row is None or registry.range_of(row)[:3] != item[:3]:
                raise BusinessRuleError("unknown_serial_number")
            bundle = registry.rows[row]
            state = UnitState(int(bundle["state"]))
            require(int(bundle["account"]) == account, "units_of_another_account")
            require(state is UnitState.ISSUED, _REASONS.get(state, "units_are_not_issued"))
            require(int(bundle["asset"]) == asset, "units_of_another_series")
            serial = int(bundle["serial_to"]) + 1
