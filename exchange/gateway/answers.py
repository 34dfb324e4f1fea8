"""Outcomes of committed commands to the results of the wire."""

import logging
from typing import Any, Final, NamedTuple, Protocol

import numpy as np

from exchange.errors import HistoryUnavailableError, JournalError, ParkexError
from exchange.order_path.records import OUTCOME, OutcomeFlag
from exchange.protocol.decimals import format_decimal
from exchange.protocol.messages import OrderResult
from exchange.protocol.reject_codes import RejectCode
from exchange.units import divide_half_even

logger = logging.getLogger("parkex.gateway")

# Decimals an average price has beyond those of the instrument; half-even, once.
AVERAGE_EXTRA_DECIMALS: Final = 2

_DUPLICATE: Final = int(OutcomeFlag.DUPLICATE)
_RESTING: Final = int(OutcomeFlag.RESTING)
_WAITING: Final = int(OutcomeFlag.WAITING)
assert OUTCOME.names is not None
assert OUTCOME.names[:10] == (
    "sequence", "stamp_ns", "order_id", "filled_lots", "remaining_lots", "notional_micro", "cancelled_orders", "revision", "code", "flags",
)  # fmt: skip


class Quoted(Protocol):
    """What an answer needs of an instrument."""

    @property
    def price_decimals(self) -> int: ...

    @property
    def quantity_decimals(self) -> int: ...

    @property
    def multiplier_micro(self) -> int: ...


class Decimals(NamedTuple):
    """A Quoted of numbers alone."""

    price_decimals: int
    quantity_decimals: int
    multiplier_micro: int


def order_answer(outcome: np.void, spec: Quoted | None, requested_lots: int) -> OrderResult | tuple[RejectCode, dict[str, Any]]:
    """Result of an accepted order command, or code and data of a refused one.

    `spec` is None for cancels, which fill nothing. `requested_lots` 0: the command named no quantity.
    """
    sequence, _, order_id, filled, remaining, notional, cancelled, revision, code, flags, *_ = outcome.item()
    duplicate = bool(flags & _DUPLICATE)
    if code:
        data: dict[str, Any] = {"sequence": sequence}
        if duplicate:
            data["duplicate"] = True
        return RejectCode(code), data
    quantity_decimals = 0
    average_price = None
    if spec is not None:
        quantity_decimals = spec.quantity_decimals
        if filled > 0 and notional > 0:
            scale = 10**AVERAGE_EXTRA_DECIMALS
            average_price = format_decimal(
                divide_half_even(notional * scale, filled * spec.multiplier_micro), spec.price_decimals + AVERAGE_EXTRA_DECIMALS
            )
    if flags & _RESTING:
        status = "waiting" if flags & _WAITING else "resting"
    else:
        # What an order did not fill and has not resting was withdrawn: immediate-or-cancel, self-trade prevention.
        status = "filled" if filled > 0 and filled >= requested_lots else "cancelled"
    return OrderResult(
        sequence=sequence, order_id=order_id, status=status, filled=format_decimal(filled, quantity_decimals),
        remaining=format_decimal(remaining, quantity_decimals), revision=revision, average_price=average_price,
        cancelled_orders=cancelled, duplicate=duplicate,
    )  # fmt: skip


def failure_code(error: BaseException | None) -> RejectCode:
    """Code of a command that the node did not take or did not keep. What it did not raise on purpose is logged."""
    code = getattr(error, "code", None)
    if isinstance(code, RejectCode):
        return code
    if error is not None and not isinstance(error, ParkexError):
        logger.error("a command failed inside the node", exc_info=error)
    if isinstance(error, HistoryUnavailableError):
        return RejectCode.HISTORY_UNAVAILABLE
    return RejectCode.JOURNAL_FAILED if isinstance(error, JournalError) else RejectCode.NOT_ACCEPTING
