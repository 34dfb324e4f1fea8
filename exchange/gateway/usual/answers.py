"""Outcomes of usual orders to their answers, compiled: the bytes that `answers.order_answer` and the codec would make, for a whole batch.

Refused commands, and what needs more than 64 bits, are left to those two: their answers have no length here.
"""

from typing import Any, Final

import numpy as np

from exchange.gateway.answers import AVERAGE_EXTRA_DECIMALS
from exchange.gateway.usual.tokens import POWERS
from exchange.order_path.records import OutcomeFlag
from exchange.protocol.reject_codes import RejectCode
from matching.compile import kernel

ANSWER_BYTES_MAX: Final = 512
_LONG_HEADER: Final = 4  # bytes before a payload of 126 to 65,535
_FINAL_TEXT: Final = 0x81
_SCALE: Final = 10**AVERAGE_EXTRA_DECIMALS
_PRODUCT_MAX: Final = 9.0e18
_NOTIONAL_MAX: Final = 9 * 10**16


def _text(text: str) -> Any:
    return np.frombuffer(text.encode(), np.uint8)


_ID: Final = _text('{"id":')
_SEQUENCE: Final = _text(',"result":{"sequence":')
_ORDER_ID: Final = _text(',"order_id":')
_RESTING_TEXT: Final = _text(',"status":"resting","filled":"')
_WAITING_TEXT: Final = _text(',"status":"waiting","filled":"')
_FILLED_TEXT: Final = _text(',"status":"filled","filled":"')
_CANCELLED_TEXT: Final = _text(',"status":"cancelled","filled":"')
_REMAINING: Final = _text('","remaining":"')
_REVISION: Final = _text('","revision":')
_AVERAGE: Final = _text(',"average_price":"')
_QUOTE: Final = _text('"')
_CANCELLED_ORDERS: Final = _text(',"cancelled_orders":')
_DUPLICATE_TEXT: Final = _text(',"duplicate":true')
_END: Final = _text('},"jsonrpc":"2.0"}')


@kernel(internal=True)
def _put(out: Any, at: int, text: Any) -> int:
    for i in range(text.shape[0]):
        out[at + i] = text[i]
    return at + text.shape[0]


@kernel(internal=True)
def _put_number(out: Any, at: int, value: int) -> int:
    """A number that is not negative."""
    end = at + 1
    rest = value // 10
    while rest > 0:
        end += 1
        rest //= 10
    for place in range(end - 1, at - 1, -1):
        out[place] = np.uint8(48 + value % 10)
        value //= 10
    return end


@kernel(internal=True)
def _put_decimal(out: Any, at: int, value: int, decimals: int) -> int:
    """A number in units of 10**-decimals, not negative, with all its decimals."""
    if decimals == 0:
        return _put_number(out, at, value)
    at = _put_number(out, at, value // POWERS[decimals])
    out[at] = 46
    rest = value % POWERS[decimals]
    for place in range(at + decimals, at, -1):
        out[place] = np.uint8(48 + rest % 10)
        rest //= 10
    return at + decimals + 1


@kernel(internal=True)
def _put_header(out: Any, at: int, payload: int, end: int) -> int:
    """Frame the payload (RFC 6455, 5.2): its header goes to `at`, and a short one draws the payload after it. Returns where the frame ends."""
    length = end - payload
    out[at] = _FINAL_TEXT
    if length < 126:
        out[at + 1] = length
        for i in range(length):
            out[at + 2 + i] = out[payload + i]
        return at + 2 + length
    out[at + 1] = 126
    out[at + 2] = length >> 8
    out[at + 3] = length & 255
    return end


@kernel(internal=True)
def _average(outcome: Any, ticket: Any) -> int:
    """Average price with its extra decimals, rounded half-even; -1 when it does not fit, -2 when there is none."""
    if ticket.multiplier_micro == 0 or outcome.filled_lots <= 0 or outcome.notional_micro <= 0:
        return np.int64(-2)
    if outcome.notional_micro > _NOTIONAL_MAX or np.float64(outcome.filled_lots) * np.float64(ticket.multiplier_micro) > _PRODUCT_MAX / 2:
        return np.int64(-1)
    numerator = outcome.notional_micro * _SCALE
    denominator = outcome.filled_lots * ticket.multiplier_micro
    quotient = numerator // denominator
    twice = 2 * (numerator - quotient * denominator)
    if twice > denominator or (twice == denominator and quotient & 1):
        quotient += 1
    return quotient


@kernel(internal=True)
def _put_answer(out: Any, at: int, outcome: Any, ticket: Any, average: int) -> int:
    flags = np.int64(outcome["flags"])
    at = _put_number(out, _put(out, at, _ID), ticket.id)
    at = _put_number(out, _put(out, at, _SEQUENCE), outcome.sequence)
    at = _put_number(out, _put(out, at, _ORDER_ID), outcome.order_id)
    if flags & OutcomeFlag.RESTING:
        at = _put(out, at, _WAITING_TEXT if flags & OutcomeFlag.WAITING else _RESTING_TEXT)
    elif outcome.filled_lots > 0 and outcome.filled_lots >= ticket.quantity_lots:
        at = _put(out, at, _FILLED_TEXT)
    else:
        at = _put(out, at, _CANCELLED_TEXT)
    at = _put(out, _put_decimal(out, at, outcome.filled_lots, ticket.quantity_decimals), _REMAINING)
    at = _put(out, _put_decimal(out, at, outcome.remaining_lots, ticket.quantity_decimals), _REVISION)
    at = _put_number(out, at, np.int64(outcome.revision))
    if average >= 0:
        at = _put(out, _put_decimal(out, _put(out, at, _AVERAGE), average, ticket.price_decimals + AVERAGE_EXTRA_DECIMALS), _QUOTE)
    if outcome.cancelled_orders != 0:
        at = _put_number(out, _put(out, at, _CANCELLED_ORDERS), np.int64(outcome.cancelled_orders))
    if flags & OutcomeFlag.DUPLICATE:
        at = _put(out, at, _DUPLICATE_TEXT)
    return _put(out, at, _END)


@kernel
def write_answers(outcomes: Any, tickets: Any, out: Any, ends: Any) -> int:
    """Write the answer to each of `outcomes` (OUTCOME) into `out` (uint8) as a WebSocket text frame, one behind the other; `ends` (int64) gets where
    each ends.

    One that is left to others has no length. Returns how many those are. `out` has room for ANSWER_BYTES_MAX bytes a row.
    """
    at = np.int64(0)
    left = 0
    for n in range(outcomes.shape[0]):
        outcome = outcomes[n]
        ticket = tickets[n]
        average = _average(outcome, ticket)
        if outcome.code != RejectCode.ACCEPTED or average == -1:
            left += 1
        else:
            payload = at + _LONG_HEADER
            end = _put_answer(out, payload, outcome, ticket, average)
            at = _put_header(out, at, payload, end)
        ends[n] = at
    return left
