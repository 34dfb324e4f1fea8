"""Steps 1 and 2 of usual orders, compiled: the frames of one socket read to command records, without an object a frame.

Usual are `order.place` (limit, without conditions but post-only), `order.amend` and `order.cancel` in JSON without escapes, with an integer id, valid
in every respect. Everything else, and whatever would be refused, is left to the decoder and to validate.py: a frame that this module takes becomes
the record that they would make of it, and no frame is refused here. tests/exchange/gateway/usual/test_scanner.py compares both on made-up frames.

Frames lie one behind another, each with a zero byte behind it. No JSON text holds that byte, so every loop ends there.
"""

from typing import Any, Final

import numpy as np

from exchange.gateway.usual.requests import (
    CLIENT_ORDER_ID,
    DEADLINE,
    INSTRUMENT,
    KIND,
    LABEL,
    ORDER_ID,
    PARAMS,
    POST_ONLY,
    PRICE,
    QUANTITY,
    REQUEST_ID,
    REVISION,
    SELF_TRADE,
    SIDE,
    TIME_IN_FORCE,
    TYPE,
    read_request,
)
from exchange.gateway.usual.symbols import SYMBOL_BYTES, find_symbol
from exchange.gateway.usual.tokens import DASH, NINE, TRUE, UNDERSCORE, ZERO, decimal, integer, word, words_of
from exchange.journal.record import RECORD_VERSION, CommandFlag, CommandKind
from matching.compile import kernel
from matching.records import SelfTrade, Side, TimeInForce

# What an answer needs to know of its order. `quantity_lots` is what was asked for; without an instrument (`multiplier_micro` 0) nothing fills.
TICKET: Final = np.dtype(
    [("id", "i8"), ("quantity_lots", "i8"), ("multiplier_micro", "i8"), ("price_decimals", "i8"), ("quantity_decimals", "i8"), ("kind", "i8")]
)

_CLIENT_ORDER_ID_BYTES: Final = 36
_UINT32_MAX: Final = 2**32 - 1
# Products are compared as floats below a bound that no rounding can carry past int64.
_NOTIONAL_MAX: Final = 9.0e18
def _mask(*params: int) -> int:
    return sum(1 << param for param in params)


_PLACE_NEEDS: Final = _mask(CLIENT_ORDER_ID, INSTRUMENT, SIDE, QUANTITY, PRICE)
_PLACE_TAKES: Final = _PLACE_NEEDS | _mask(TYPE, TIME_IN_FORCE, SELF_TRADE, LABEL, DEADLINE, POST_ONLY)
_AMEND_NEEDS: Final = _mask(CLIENT_ORDER_ID, INSTRUMENT, ORDER_ID, REVISION)
_AMEND_TAKES: Final = _AMEND_NEEDS | _mask(PRICE, QUANTITY, DEADLINE)
_AMEND_CHANGES: Final = _mask(PRICE, QUANTITY)
_CANCEL_NEEDS: Final = _mask(CLIENT_ORDER_ID, ORDER_ID)
_CANCEL_TAKES: Final = _CANCEL_NEEDS | _mask(DEADLINE)


_LIMIT, _ = words_of("limit")
_BUY, _ = words_of("buy")
_SELL, _ = words_of("sell")
_GTC, _ = words_of("gtc")
_IOC, _ = words_of("ioc")
_FOK, _ = words_of("fok")
_SESSION, _ = words_of("session")
_NEWEST_0, _NEWEST_1 = words_of("cancel_newest")
_OLDEST_0, _OLDEST_1 = words_of("cancel_oldest")
_BOTH_0, _BOTH_1 = words_of("cancel_both")
_DECREMENT_0, _DECREMENT_1 = words_of("decrement")
@kernel(internal=True)
def _put_client_order_id(data: Any, start: int, end: int, command: Any) -> bool:
    """Write a client order id into its words, if it is one."""
    if end - start < 1 or end - start > _CLIENT_ORDER_ID_BYTES:
        return False
    for i in range(start, end):
        c = data[i]
        is_letter = (c >= 65 and c <= 90) or (c >= 97 and c <= 122)
        if not is_letter and not (c >= ZERO and c <= NINE) and c != UNDERSCORE and c != DASH:
            return False
    command.cid0 = word(data, start, end)
    command.cid1 = word(data, start + 8, end)
    command.cid2 = word(data, start + 16, end)
    command.cid3 = word(data, start + 24, end)
    command.cid4 = np.uint32(word(data, start + 32, end))
    return True


@kernel(internal=True)
def _self_trade(data: Any, start: int, end: int) -> int:
    """The kind of self-trade prevention, -1 for none of them."""
    first = word(data, start, end)
    second = word(data, start + 8, end)
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
    text = word(data, start, end)
    if text == _GTC:
        return np.int64(TimeInForce.GTC)
    if text == _IOC:
        return np.int64(TimeInForce.IOC)
    if text == _FOK:
        return np.int64(TimeInForce.FOK)
    return np.int64(TimeInForce.SESSION) if text == _SESSION else np.int64(-1)


@kernel(internal=True)
def _put_terms(data: Any, fields: Any, params: int, command: Any) -> bool:
    """Side, time in force, self-trade prevention, label and post-only of a new order."""
    start = fields[2 * SIDE]
    end = fields[2 * SIDE + 1]
    side = word(data, start, end)
    if end - start > 4 or (side != _BUY and side != _SELL):
        return False
    command.side = Side.BUY if side == _BUY else Side.SELL
    if params & (1 << TYPE):
        start = fields[2 * TYPE]
        end = fields[2 * TYPE + 1]
        if end - start != 5 or word(data, start, end) != _LIMIT:
            return False
    in_force = np.int64(TimeInForce.GTC)
    if params & (1 << TIME_IN_FORCE):
        in_force = _time_in_force(data, fields[2 * TIME_IN_FORCE], fields[2 * TIME_IN_FORCE + 1])
    prevention = np.int64(SelfTrade.CANCEL_NEWEST)
    if params & (1 << SELF_TRADE):
        prevention = _self_trade(data, fields[2 * SELF_TRADE], fields[2 * SELF_TRADE + 1])
    label = np.int64(0)
    if params & (1 << LABEL):
        label = integer(data, fields[2 * LABEL], fields[2 * LABEL + 1])
    if in_force < 0 or prevention < 0 or label < 0 or label > _UINT32_MAX:
        return False
    if params & (1 << POST_ONLY) and data[fields[2 * POST_ONLY]] == TRUE[0]:
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
    place = find_symbol(symbols, word(data, start, end), word(data, start + 8, end), word(data, start + 16, end), word(data, start + 24, end))
    if place < 0:
        return False
    symbol = symbols[place]
    price_ticks = symbol.max_price_ticks
    if params & (1 << PRICE):
        price_ticks = decimal(data, fields[2 * PRICE], fields[2 * PRICE + 1], symbol.price_decimals)
        if price_ticks < symbol.min_price_ticks or price_ticks > symbol.max_price_ticks or price_ticks < 0:
            return False
        command.price_ticks = price_ticks
    if params & (1 << QUANTITY):
        quantity_lots = decimal(data, fields[2 * QUANTITY], fields[2 * QUANTITY + 1], symbol.quantity_decimals)
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
        order_id = integer(data, fields[2 * ORDER_ID], fields[2 * ORDER_ID + 1])
        if order_id < 1:
            return False
        command.order_id = order_id
        if is_amend:
            revision = integer(data, fields[2 * REVISION], fields[2 * REVISION + 1])
            if params & _AMEND_CHANGES == 0 or revision < 0 or revision > _UINT32_MAX:
                return False
            if not _put_numbers(data, fields, params, symbols, command, ticket):
                return False
            command.revision = revision
            changed = CommandFlag.AMEND_PRICE if params & (1 << PRICE) else np.int64(0)
            command["flags"] = changed | CommandFlag.AMEND_QUANTITY if params & (1 << QUANTITY) else changed
    if params & (1 << DEADLINE):
        deadline_ns = integer(data, fields[2 * DEADLINE], fields[2 * DEADLINE + 1])
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
def scan_frames(data: Any, ends: Any, senders: Any, symbols: Any, fields: Any, found: Any, commands: Any, tickets: Any) -> int:
    """Read the frames of each of `senders` (SENDER) up to one that is not usual; returns how many are usual in all.

    `data` (uint8) holds the frames, `ends` (int64) where the zero byte behind each stands. `commands` (COMMAND_WORDS, zeros) and `tickets` (TICKET,
    zeros) have a record a frame. `fields` (int64[2 * N_PARAMS]) and `found` (int64[N_FOUND]) are memory to work in.
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
            if not read_request(data, start, ends[n], fields, found):
                break
            kind = found[KIND]
            if not _put_command(data, fields, kind, found[PARAMS], symbols, sender.order_flags, commands[n], tickets[n]):
                break
            command = commands[n]
            command.kind = kind
            command.version = RECORD_VERSION
            command.account = sender.account
            command.session = sender.session
            tickets[n].id = found[REQUEST_ID]
            tickets[n].kind = kind
            sender.n_usual += 1
            sender.n_cancels += kind == CommandKind.CANCEL
        n_usual += sender.n_usual
        first += sender.n_frames
    return n_usual
