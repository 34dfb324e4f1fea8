"""A usual request in its bytes, compiled: which command it asks for, its id, and where the value of each param stands. Members come in any order."""

from typing import Any, Final

import numpy as np

from exchange.gateway.usual.tokens import (
    CLOSE,
    COLON,
    COMMA,
    FALSE,
    OPEN,
    TRUE,
    digits_end,
    integer,
    literal_end,
    skip_blanks,
    string_end,
    word,
    words_of,
)
from exchange.journal.record import CommandKind
from matching.compile import kernel

# What `read_request` finds.
KIND, REQUEST_ID, PARAMS = range(3)
N_FOUND: Final = 3

# Params by number: strings, integers, then booleans. `fields` holds start and end of each.
CLIENT_ORDER_ID, INSTRUMENT, SIDE, QUANTITY, PRICE, TYPE, TIME_IN_FORCE, SELF_TRADE, ORDER_ID, REVISION, LABEL, DEADLINE, POST_ONLY = range(13)
N_PARAMS: Final = 13
_LAST_STRING: Final = SELF_TRADE
_LAST_INTEGER: Final = DEADLINE

_LONGEST_MEMBER: Final = 8  # characters of jsonrpc and a quote
_ALL_MEMBERS: Final = 15

_ID, _ = words_of("id")
_JSONRPC, _ = words_of("jsonrpc")
_METHOD, _ = words_of("method")
_PARAMS, _ = words_of("params")
_VERSION_2, _ = words_of("2.0")
_PLACE_0, _PLACE_1 = words_of("order.place")
_AMEND_0, _AMEND_1 = words_of("order.amend")
_CANCEL_0, _CANCEL_1 = words_of("order.cancel")
_CID_0, _CID_1 = words_of("client_order_id")
_INSTRUMENT_0, _INSTRUMENT_1 = words_of("instrument")
_SIDE_0, _ = words_of("side")
_QUANTITY_0, _ = words_of("quantity")
_PRICE_0, _ = words_of("price")
_TYPE_0, _ = words_of("type")
_TIF_0, _TIF_1 = words_of("time_in_force")
_SELF_TRADE_0, _SELF_TRADE_1 = words_of("self_trade")
_ORDER_ID_0, _ = words_of("order_id")
_REVISION_0, _ = words_of("revision")
_LABEL_0, _ = words_of("label")
_DEADLINE_0, _DEADLINE_1 = words_of("deadline_ns")
_POST_ONLY_0, _POST_ONLY_1 = words_of("post_only")


@kernel(internal=True)
def _param_of(first: int, second: int, length: int) -> int:
    """Number of the param with this name, as words; -1 for one that is not usual."""
    if length == 4:
        return SIDE if first == _SIDE_0 else TYPE if first == _TYPE_0 else -1
    if length == 5:
        return PRICE if first == _PRICE_0 else LABEL if first == _LABEL_0 else -1
    if length == 8:
        return QUANTITY if first == _QUANTITY_0 else ORDER_ID if first == _ORDER_ID_0 else REVISION if first == _REVISION_0 else -1
    if length == 9:
        return POST_ONLY if first == _POST_ONLY_0 and second == _POST_ONLY_1 else -1
    if length == 10:
        if first == _INSTRUMENT_0 and second == _INSTRUMENT_1:
            return INSTRUMENT
        return SELF_TRADE if first == _SELF_TRADE_0 and second == _SELF_TRADE_1 else -1
    if length == 11:
        return DEADLINE if first == _DEADLINE_0 and second == _DEADLINE_1 else -1
    if length == 13:
        return TIME_IN_FORCE if first == _TIF_0 and second == _TIF_1 else -1
    return CLIENT_ORDER_ID if length == 15 and first == _CID_0 and second == _CID_1 else -1


@kernel(internal=True)
def _read_params(data: Any, at: int, fields: Any) -> tuple[int, int]:
    """(behind the object at `at`, which params it has as bits), or (-1, 0). Start and end of each value are in `fields`."""
    seen = np.int64(0)
    if data[at] != OPEN:
        return -1, seen
    at = skip_blanks(data, at + 1)
    while True:
        end = string_end(data, at)
        if end < 0:
            return -1, seen
        param = _param_of(word(data, at + 1, end), word(data, at + 9, end), end - at - 1)
        if param < 0 or seen & (1 << param):
            return -1, seen
        seen |= 1 << param
        at = skip_blanks(data, end + 1)
        if data[at] != COLON:
            return -1, seen
        at = skip_blanks(data, at + 1)
        fields[2 * param] = at
        if param <= _LAST_STRING:
            end = string_end(data, at)
            fields[2 * param] = at + 1
            fields[2 * param + 1] = end
            at = end + 1
        elif param <= _LAST_INTEGER:
            end = digits_end(data, at)
            fields[2 * param + 1] = end
            at = end
        else:
            end = literal_end(data, at, TRUE if data[at] == TRUE[0] else FALSE)
            fields[2 * param + 1] = end
            at = end
        if end < 0:
            return -1, seen
        at = skip_blanks(data, at)
        if data[at] == CLOSE:
            return at + 1, seen
        if data[at] != COMMA:
            return -1, seen
        at = skip_blanks(data, at + 1)


@kernel(internal=True)
def _kind_of(data: Any, start: int, end: int) -> int:
    """Kind of the command that a method asks for; 0 for a method that is not usual."""
    first = word(data, start, end)
    second = word(data, start + 8, end)
    if end - start == 11 and first == _PLACE_0 and second == _PLACE_1:
        return np.int64(CommandKind.PLACE)
    if end - start == 12 and first == _CANCEL_0 and second == _CANCEL_1:
        return np.int64(CommandKind.CANCEL)
    if end - start == 11 and first == _AMEND_0 and second == _AMEND_1:
        return np.int64(CommandKind.AMEND)
    return np.int64(0)


@kernel(internal=True)
def _read_member(data: Any, name: int, at: int, fields: Any, found: Any) -> tuple[int, int]:
    """(which member of a request this is as a bit, where its value ends) of the value at `at`, or (0, -1)."""
    if name == _PARAMS:
        end, found[PARAMS] = _read_params(data, at, fields)
        return 2, end
    if name == _ID:
        end = digits_end(data, at)
        found[REQUEST_ID] = integer(data, at, end)
        return 1, end if found[REQUEST_ID] >= 0 else -1
    end = string_end(data, at)
    if end < 0:
        return 0, -1
    if name == _METHOD:
        found[KIND] = _kind_of(data, at + 1, end)
        return 4, end + 1 if found[KIND] else -1
    is_version = name == _JSONRPC and end - at == 4 and word(data, at + 1, end) == _VERSION_2
    return 8, end + 1 if is_version else -1


@kernel(internal=True)
def read_request(data: Any, at: int, end: int, fields: Any, found: Any) -> bool:
    """Whether the frame from `at` to its zero byte at `end` is a usual request. Then KIND, REQUEST_ID and PARAMS (as bits) are in `found`."""
    members = np.int64(0)
    at = skip_blanks(data, at)
    if data[at] != OPEN:
        return False
    while True:
        at = skip_blanks(data, at + 1)
        stop = string_end(data, at)
        if stop < 0 or stop - at > _LONGEST_MEMBER:
            return False
        name = word(data, at + 1, stop)
        at = skip_blanks(data, stop + 1)
        if data[at] != COLON:
            return False
        member, at = _read_member(data, name, skip_blanks(data, at + 1), fields, found)
        if at < 0 or members & member:
            return False
        members |= member
        at = skip_blanks(data, at)
        if data[at] == CLOSE:
            return members == _ALL_MEMBERS and skip_blanks(data, at + 1) == end
        if data[at] != COMMA:
            return False
