"""Steps 1 and 2 of usual orders, compiled: the frames of one socket read to command records, without an object a frame.

Usual are `order.place` (limit, without conditions but post-only), `order.amend` and `order.cancel` in JSON without escapes, with an integer id, valid in
every respect. Everything else, and whatever would be refused, is left to the decoder and to validate.py: a frame that this module takes becomes the
record that they would make of it, and no frame is refused here. tests/exchange/gateway/test_scanner.py compares both on made-up frames.

Frames lie one behind another, each with a zero byte behind it. No JSON text holds that byte, so every loop ends there.
"""

from typing import Any, Final

import numpy as np

from exchange.gateway.symbols import SYMBOL_BYTES, find_symbol
from exchange.journal.record import RECORD_VERSION, CommandFlag, CommandKind
from exchange.units import INT64_MAX
from matching.compile import kernel
from matching.records import SelfTrade, Side, TimeInForce

# What an answer needs to know of its order. `quantity_lots` is what was asked for; without an instrument (`multiplier_micro` 0) nothing fills.
TICKET: Final = np.dtype(
    [("id", "i8"), ("quantity_lots", "i8"), ("multiplier_micro", "i8"), ("price_decimals", "i8"), ("quantity_decimals", "i8"), ("kind", "i8")]
)

_QUOTE, _BACKSLASH, _COMMA, _COLON, _OPEN, _CLOSE, _ZERO, _NINE, _POINT = (ord(c) for c in '"\\,:{}09.')
_T, _F, _UNDERSCORE, _DASH = (ord(c) for c in "tf_-")
_CLIENT_ORDER_ID_BYTES: Final = 36
_DIGITS_MAX: Final = 18  # of a decimal, as in protocol.decimals
_LONGEST_INTEGER: Final = 19  # digits of an int64
_UINT32_MAX: Final = 2**32 - 1
# Products are compared as floats below a bound that no rounding can carry past int64.
_NOTIONAL_MAX: Final = 9.0e18
_MISSING: Final = -1

# Params by number: strings, integers, then booleans. `fields` holds start and end of each.
CLIENT_ORDER_ID, INSTRUMENT, SIDE, QUANTITY, PRICE, TYPE, TIME_IN_FORCE, SELF_TRADE, ORDER_ID, REVISION, LABEL, DEADLINE, POST_ONLY = range(13)
N_PARAMS: Final = 13
_LAST_STRING: Final = SELF_TRADE
_LAST_INTEGER: Final = DEADLINE


def _mask(*params: int) -> int:
    return sum(1 << param for param in params)


_PLACE_NEEDS: Final = _mask(CLIENT_ORDER_ID, INSTRUMENT, SIDE, QUANTITY, PRICE)
_PLACE_TAKES: Final = _PLACE_NEEDS | _mask(TYPE, TIME_IN_FORCE, SELF_TRADE, LABEL, DEADLINE, POST_ONLY)
_AMEND_NEEDS: Final = _mask(CLIENT_ORDER_ID, INSTRUMENT, ORDER_ID, REVISION)
_AMEND_TAKES: Final = _AMEND_NEEDS | _mask(PRICE, QUANTITY, DEADLINE)
_AMEND_CHANGES: Final = _mask(PRICE, QUANTITY)
_CANCEL_NEEDS: Final = _mask(CLIENT_ORDER_ID, ORDER_ID)
_CANCEL_TAKES: Final = _CANCEL_NEEDS | _mask(DEADLINE)


def _words(text: str) -> tuple[np.uint64, np.uint64]:
    data = text.encode().ljust(16, b"\0")
    return np.uint64(int.from_bytes(data[:8], "little")), np.uint64(int.from_bytes(data[8:16], "little"))


_ID, _ = _words("id")
_JSONRPC, _ = _words("jsonrpc")
_METHOD, _ = _words("method")
_PARAMS, _ = _words("params")
_VERSION_2, _ = _words("2.0")
_PLACE_0, _PLACE_1 = _words("order.place")
_AMEND_0, _AMEND_1 = _words("order.amend")
_CANCEL_0, _CANCEL_1 = _words("order.cancel")
_CID_0, _CID_1 = _words("client_order_id")
_INSTRUMENT_0, _INSTRUMENT_1 = _words("instrument")
_SIDE_0, _ = _words("side")
_QUANTITY_0, _ = _words("quantity")
_PRICE_0, _ = _words("price")
_TYPE_0, _ = _words("type")
_TIF_0, _TIF_1 = _words("time_in_force")
_SELF_TRADE_0, _SELF_TRADE_1 = _words("self_trade")
_ORDER_ID_0, _ = _words("order_id")
_REVISION_0, _ = _words("revision")
_LABEL_0, _ = _words("label")
_DEADLINE_0, _DEADLINE_1 = _words("deadline_ns")
_POST_ONLY_0, _POST_ONLY_1 = _words("post_only")
_LIMIT, _ = _words("limit")
_BUY, _ = _words("buy")
_SELL, _ = _words("sell")
_GTC, _ = _words("gtc")
_IOC, _ = _words("ioc")
_FOK, _ = _words("fok")
_SESSION, _ = _words("session")
_NEWEST_0, _NEWEST_1 = _words("cancel_newest")
_OLDEST_0, _OLDEST_1 = _words("cancel_oldest")
_BOTH_0, _BOTH_1 = _words("cancel_both")
_DECREMENT_0, _DECREMENT_1 = _words("decrement")
_TRUE: Final = np.frombuffer(b"true", np.uint8)
_FALSE: Final = np.frombuffer(b"false", np.uint8)

POWERS: Final = np.array([10**n for n in range(_DIGITS_MAX + 1)], np.int64)


@kernel(internal=True)
def _word(data: Any, start: int, end: int) -> int:
    """Up to eight bytes as one little-endian word (uint64), zeros behind the end."""
    word = np.uint64(0)
    for i in range(min(end - start, 8)):
        word |= np.uint64(data[start + i]) << np.uint64(8 * i)
    return word


@kernel(internal=True)
def _skip_blanks(data: Any, at: int) -> int:
    while data[at] == 32 or data[at] == 9 or data[at] == 10 or data[at] == 13:
        at += 1
    return at


@kernel(internal=True)
def _string_end(data: Any, at: int) -> int:
    """Where the string that begins at `at` has its closing quote; -1 when it is none, or not plain ASCII."""
    if data[at] != _QUOTE:
        return -1
    at += 1
    while data[at] != _QUOTE:
        if data[at] < 32 or data[at] > 126 or data[at] == _BACKSLASH:
            return -1
        at += 1
    return at


@kernel(internal=True)
def _digits_end(data: Any, at: int) -> int:
    """Where the plain integer at `at` ends; -1 when there is none, or it has a leading zero."""
    start = at
    while data[at] >= _ZERO and data[at] <= _NINE:
        at += 1
    if at == start or at - start > _LONGEST_INTEGER or (data[start] == _ZERO and at - start > 1):
        return -1
    return at


@kernel(internal=True)
def _integer(data: Any, start: int, end: int) -> int:
    """The digits from `start` to `end` as a number; -1 when it is beyond int64."""
    value = np.uint64(0)
    for i in range(start, end):
        value = value * np.uint64(10) + np.uint64(data[i] - _ZERO)
    return np.int64(value) if value <= np.uint64(INT64_MAX) else np.int64(-1)


@kernel(internal=True)
def _decimal(data: Any, start: int, end: int, decimals: int) -> int:
    """A decimal string in units of 10**-decimals; -1 when it is not one of these, or refused for any reason."""
    value = np.int64(0)
    head = np.int64(0)
    at = start
    while at < end and data[at] >= _ZERO and data[at] <= _NINE:
        if head == _DIGITS_MAX:
            return np.int64(-1)
        value = value * 10 + np.int64(data[at]) - _ZERO
        head += 1
        at += 1
    if head == 0 or (data[start] == _ZERO and head > 1) or head + decimals > _DIGITS_MAX:
        return np.int64(-1)
    if at == end:
        return value * POWERS[decimals]
    if data[at] != _POINT:
        return np.int64(-1)
    tail = end - at - 1
    if tail < 1 or tail > decimals:
        return np.int64(-1)
    for i in range(at + 1, end):
        if data[i] < _ZERO or data[i] > _NINE:
            return np.int64(-1)
        value = value * 10 + np.int64(data[i]) - _ZERO
    return value * POWERS[decimals - tail]


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
def _literal_end(data: Any, at: int, text: Any) -> int:
    """Where `text` ends if it stands at `at`; else -1."""
    for i in range(text.shape[0]):
        if data[at + i] != text[i]:
            return -1
    return at + text.shape[0]


@kernel(internal=True)
def _read_params(data: Any, at: int, fields: Any) -> tuple[int, int]:
    """(behind the object at `at`, which params it has as bits), or (-1, 0). Start and end of each value are in `fields`."""
    seen = np.int64(0)
    if data[at] != _OPEN:
        return -1, seen
    at = _skip_blanks(data, at + 1)
    while True:
        end = _string_end(data, at)
        if end < 0:
            return -1, seen
        param = _param_of(_word(data, at + 1, end), _word(data, at + 9, end), end - at - 1)
        if param < 0 or seen & (1 << param):
            return -1, seen
        seen |= 1 << param
        at = _skip_blanks(data, end + 1)
        if data[at] != _COLON:
            return -1, seen
        at = _skip_blanks(data, at + 1)
        fields[2 * param] = at
        if param <= _LAST_STRING:
            end = _string_end(data, at)
            fields[2 * param] = at + 1
            fields[2 * param + 1] = end
            at = end + 1
        elif param <= _LAST_INTEGER:
            end = _digits_end(data, at)
            fields[2 * param + 1] = end
            at = end
        else:
            end = _literal_end(data, at, _TRUE if data[at] == _T else _FALSE)
            fields[2 * param + 1] = end
            at = end
        if end < 0:
            return -1, seen
        at = _skip_blanks(data, at)
        if data[at] == _CLOSE:
            return at + 1, seen
        if data[at] != _COMMA:
            return -1, seen
        at = _skip_blanks(data, at + 1)


@kernel(internal=True)
def _read_frame(data: Any, at: int, end: int, fields: Any) -> tuple[int, int, int]:
    """(kind of command, request id, which params there are) of a frame; kind 0 when it is not a usual one. `end`: where its zero byte stands."""
    nothing = np.int64(0)
    kind = np.int64(0)
    request_id = nothing
    params = nothing
    members = 0
    at = _skip_blanks(data, at)
    if data[at] != _OPEN:
        return nothing, nothing, nothing
    at = _skip_blanks(data, at + 1)
    while True:
        stop = _string_end(data, at)
        if stop < 0 or stop - at > 8:
            return nothing, nothing, nothing
        name = _word(data, at + 1, stop)
        at = _skip_blanks(data, stop + 1)
        if data[at] != _COLON:
            return nothing, nothing, nothing
        at = _skip_blanks(data, at + 1)
        if name == _ID:
            member = 1
            stop = _digits_end(data, at)
            request_id = _integer(data, at, stop)
            if stop < 0 or request_id < 0:
                return nothing, nothing, nothing
        elif name == _PARAMS:
            member = 2
            stop, params = _read_params(data, at, fields)
            if stop < 0:
                return nothing, nothing, nothing
        elif name == _METHOD:
            member = 4
            stop = _string_end(data, at)
            length = stop - at - 1
            first = _word(data, at + 1, stop)
            second = _word(data, at + 9, stop)
            if length == 11 and first == _PLACE_0 and second == _PLACE_1:
                kind = np.int64(CommandKind.PLACE)
            elif length == 12 and first == _CANCEL_0 and second == _CANCEL_1:
                kind = np.int64(CommandKind.CANCEL)
            elif length == 11 and first == _AMEND_0 and second == _AMEND_1:
                kind = np.int64(CommandKind.AMEND)
            else:
                return nothing, nothing, nothing
            stop += 1
        elif name == _JSONRPC:
            member = 8
            stop = _string_end(data, at)
            if stop - at != 4 or _word(data, at + 1, stop) != _VERSION_2:
                return nothing, nothing, nothing
            stop += 1
        else:
            return nothing, nothing, nothing
        if members & member:
            return nothing, nothing, nothing
        members |= member
        at = _skip_blanks(data, stop)
        if data[at] == _CLOSE:
            break
        if data[at] != _COMMA:
            return nothing, nothing, nothing
        at = _skip_blanks(data, at + 1)
    if members != 15 or _skip_blanks(data, at + 1) != end:
        return nothing, nothing, nothing
    return kind, request_id, params


@kernel(internal=True)
def _put_client_order_id(data: Any, start: int, end: int, command: Any) -> bool:
    """Write a client order id into its words, if it is one."""
    if end - start < 1 or end - start > _CLIENT_ORDER_ID_BYTES:
        return False
    for i in range(start, end):
        c = data[i]
        is_letter = (c >= 65 and c <= 90) or (c >= 97 and c <= 122)
        if not is_letter and not (c >= _ZERO and c <= _NINE) and c != _UNDERSCORE and c != _DASH:
            return False
    command.cid0 = _word(data, start, end)
    command.cid1 = _word(data, start + 8, end)
    command.cid2 = _word(data, start + 16, end)
    command.cid3 = _word(data, start + 24, end)
    command.cid4 = np.uint32(_word(data, start + 32, end))
    return True


@kernel(internal=True)
def _self_trade(data: Any, start: int, end: int) -> int:
    """The kind of self-trade prevention, -1 for none of them."""
    first = _word(data, start, end)
    second = _word(data, start + 8, end)
    length = end - start
    if length == 13 and first == _NEWEST_0 and second == _NEWEST_1:
        return np.int64(SelfTrade.CANCEL_NEWEST)
    if length == 13 and first == _OLDEST_0 and second == _OLDEST_1:
        return np.int64(SelfTrade.CANCEL_OLDEST)
    if length == 11 and first == _BOTH_0 and second == _BOTH_1:
        return np.int64(SelfTrade.CANCEL_BOTH)
    if length == 9 and first == _DECREMENT_0 and second == _DECREMENT_1:
        return np.int64(SelfTrade.DECREMENT)
    return np.int64(-1)


@kernel(internal=True)
def _time_in_force(data: Any, start: int, end: int) -> int:
    """Time in force of an order that has no expiry and no gate to wait for; -1 for any other."""
    if end - start > 7:
        return np.int64(-1)
    word = _word(data, start, end)
    if word == _GTC:
        return np.int64(TimeInForce.GTC)
    if word == _IOC:
        return np.int64(TimeInForce.IOC)
    if word == _FOK:
        return np.int64(TimeInForce.FOK)
    return np.int64(TimeInForce.SESSION) if word == _SESSION else np.int64(-1)


@kernel(internal=True)
def _put_terms(data: Any, fields: Any, params: int, command: Any) -> bool:
    """Side, time in force, self-trade prevention, label and post-only of a new order."""
    start = fields[2 * SIDE]
    end = fields[2 * SIDE + 1]
    word = _word(data, start, end)
    if end - start > 4 or (word != _BUY and word != _SELL):
        return False
    command.side = Side.BUY if word == _BUY else Side.SELL
    if params & (1 << TYPE):
        start = fields[2 * TYPE]
        end = fields[2 * TYPE + 1]
        if end - start != 5 or _word(data, start, end) != _LIMIT:
            return False
    in_force = np.int64(TimeInForce.GTC)
    if params & (1 << TIME_IN_FORCE):
        in_force = _time_in_force(data, fields[2 * TIME_IN_FORCE], fields[2 * TIME_IN_FORCE + 1])
    prevention = np.int64(SelfTrade.CANCEL_NEWEST)
    if params & (1 << SELF_TRADE):
        prevention = _self_trade(data, fields[2 * SELF_TRADE], fields[2 * SELF_TRADE + 1])
    label = np.int64(0)
    if params & (1 << LABEL):
        label = _integer(data, fields[2 * LABEL], fields[2 * LABEL + 1])
    if in_force < 0 or prevention < 0 or label < 0 or label > _UINT32_MAX:
        return False
    if params & (1 << POST_ONLY) and data[fields[2 * POST_ONLY]] == _T:
        if in_force == TimeInForce.IOC or in_force == TimeInForce.FOK:
            return False
        command["flags"] = np.int64(command["flags"]) | CommandFlag.POST_ONLY
    command.time_in_force = in_force
    command.self_trade = prevention
    command.label = label
    return True


@kernel(internal=True)
def _put_numbers(data: Any, fields: Any, params: int, symbols: Any, command: Any, ticket: Any) -> bool:
    """Instrument, price and quantity of an order or an amend, with the checks that need nothing else."""
    start = fields[2 * INSTRUMENT]
    end = fields[2 * INSTRUMENT + 1]
    if end - start < 1 or end - start > SYMBOL_BYTES:
        return False
    place = find_symbol(symbols, _word(data, start, end), _word(data, start + 8, end), _word(data, start + 16, end), _word(data, start + 24, end))
    if place < 0:
        return False
    symbol = symbols[place]
    price_ticks = symbol.max_price_ticks
    if params & (1 << PRICE):
        price_ticks = _decimal(data, fields[2 * PRICE], fields[2 * PRICE + 1], symbol.price_decimals)
        if price_ticks < symbol.min_price_ticks or price_ticks > symbol.max_price_ticks or price_ticks < 0:
            return False
        command.price_ticks = price_ticks
    if params & (1 << QUANTITY):
        quantity_lots = _decimal(data, fields[2 * QUANTITY], fields[2 * QUANTITY + 1], symbol.quantity_decimals)
        if quantity_lots <= 0 or quantity_lots > symbol.max_order_lots:
            return False
        if np.float64(price_ticks) * np.float64(quantity_lots) * np.float64(symbol.multiplier_micro) > _NOTIONAL_MAX:
            return False
        command.quantity_lots = quantity_lots
    command.instrument = symbol.id
    ticket.quantity_lots = command.quantity_lots
    ticket.multiplier_micro = symbol.multiplier_micro
    ticket.price_decimals = symbol.price_decimals
    ticket.quantity_decimals = symbol.quantity_decimals
    return True


@kernel(internal=True)
def _has(params: int, needs: int, takes: int) -> bool:
    return params & needs == needs and params & ~takes == 0


@kernel(internal=True)
def _put_command(data: Any, fields: Any, kind: int, params: int, symbols: Any, order_flags: int, command: Any, ticket: Any) -> bool:
    """The record of a frame that has been read, if it is valid. Source of the checks: validate.py."""
    command["flags"] = 0
    if kind == CommandKind.PLACE:
        if not _has(params, _PLACE_NEEDS, _PLACE_TAKES):
            return False
        command["flags"] = order_flags
        if not _put_terms(data, fields, params, command) or not _put_numbers(data, fields, params, symbols, command, ticket):
            return False
    else:
        is_amend = kind == CommandKind.AMEND
        if not (_has(params, _AMEND_NEEDS, _AMEND_TAKES) if is_amend else _has(params, _CANCEL_NEEDS, _CANCEL_TAKES)):
            return False
        order_id = _integer(data, fields[2 * ORDER_ID], fields[2 * ORDER_ID + 1])
        if order_id < 1:
            return False
        command.order_id = order_id
        if is_amend:
            revision = _integer(data, fields[2 * REVISION], fields[2 * REVISION + 1])
            if params & _AMEND_CHANGES == 0 or revision < 0 or revision > _UINT32_MAX:
                return False
            if not _put_numbers(data, fields, params, symbols, command, ticket):
                return False
            command.revision = revision
            changed = CommandFlag.AMEND_PRICE if params & (1 << PRICE) else np.int64(0)
            command["flags"] = changed | CommandFlag.AMEND_QUANTITY if params & (1 << QUANTITY) else changed
    if params & (1 << DEADLINE):
        deadline_ns = _integer(data, fields[2 * DEADLINE], fields[2 * DEADLINE + 1])
        if deadline_ns < 1:
            return False
        command.deadline_ns = deadline_ns
    return _put_client_order_id(data, fields[2 * CLIENT_ORDER_ID], fields[2 * CLIENT_ORDER_ID + 1], command)


# Whose frames lie together in a batch, and what was found in them.
SENDER: Final = np.dtype(
    [
        ("account", "i8"),
        ("session", "i8"),
        ("order_flags", "i8"),
        ("frame_bytes_max", "i8"),
        ("n_frames", "i8"),
        ("n_usual", "i8"),  # written: usual frames from the first on, up to one that is not
        ("n_cancels", "i8"),  # written: cancels among them
    ]
)


@kernel
def scan_frames(data: Any, ends: Any, senders: Any, symbols: Any, fields: Any, commands: Any, tickets: Any) -> int:
    """Read the frames of each of `senders` (SENDER) up to one that is not usual; returns how many are usual in all.

    `data` (uint8) holds the frames, `ends` (int64) where the zero byte behind each stands. `commands` (COMMAND_WORDS, zeros) and `tickets` (TICKET,
    zeros) have a record a frame. `fields` is int64[2 * N_PARAMS] to work with.
    """
    n_usual = 0
    first = 0
    for i in range(senders.shape[0]):
        sender = senders[i]
        sender.n_usual = 0
        sender.n_cancels = 0
        for n in range(first, first + sender.n_frames):
            start = ends[n - 1] + 1 if n > 0 else np.int64(0)
            if ends[n] - start > sender.frame_bytes_max:
                break
            kind, request_id, params = _read_frame(data, start, ends[n], fields)
            if kind == 0 or not _put_command(data, fields, kind, params, symbols, sender.order_flags, commands[n], tickets[n]):
                break
            command = commands[n]
            command.kind = kind
            command.version = RECORD_VERSION
            command.account = sender.account
            command.session = sender.session
            tickets[n].id = request_id
            tickets[n].kind = kind
            sender.n_usual += 1
            sender.n_cancels += kind == CommandKind.CANCEL
        n_usual += sender.n_usual
        first += sender.n_frames
    return n_usual
