"""Step 2 of an order, validate: typed params to a COMMAND record, or the lowest reject code that applies.

Stateless: reads the published list of instruments and nothing of the market. What a later step would have to repeat for a journal
written by another gateway (lot sizes, bands, limits) is the admission's business.
"""

import re
import struct
from typing import Final, Protocol

from exchange.gateway.conditions import ICEBERG, MINIMUM, REDUCE_ONLY, REPRICE, STOP, Conditions, contradict, is_display, may_reduce, read_conditions
from exchange.journal.record import COMMAND, RECORD_VERSION, CommandFlag, CommandKind, OrderType
from exchange.protocol.decimals import MALFORMED, TOO_LARGE, TOO_MANY_DECIMALS, parse_decimal
from exchange.protocol.documents import InstrumentSpec
from exchange.protocol.messages import AmendParams, CancelParams, MassCancelParams, PlaceParams
from exchange.protocol.reject_codes import RejectCode
from exchange.units import INT64_MAX
from matching.records import SelfTrade, Side, TimeInForce

SIDES: Final = {"buy": int(Side.BUY), "sell": int(Side.SELL)}
TIMES_IN_FORCE: Final = {member.name.lower(): int(member) for member in TimeInForce}
# Trading with oneself is for measurements of the core: no message can ask for it.
SELF_TRADES: Final = {member.name.lower(): int(member) for member in SelfTrade if member is not SelfTrade.ALLOW}

# The layout of exchange.journal.record.COMMAND: packing is an order of magnitude faster than assigning fields of a numpy record.
_LAYOUT: Final = struct.Struct("<BBHHBBIIQqqqqqqqqqIIBBHII36s40x")
assert _LAYOUT.size == COMMAND.itemsize

assert COMMAND.fields is not None
_QUANTITY_AT: Final = COMMAND.fields["quantity_lots"][1]

_valid_client_order_id: Final = re.compile(r"[A-Za-z0-9_-]{1,36}", re.ASCII).fullmatch

_GTC: Final = int(TimeInForce.GTC)
_GTD: Final = int(TimeInForce.GTD)
_IOC: Final = int(TimeInForce.IOC)


class Listed(Protocol):
    """What validation reads of a listed instrument."""

    @property
    def id(self) -> int: ...

    @property
    def spec(self) -> InstrumentSpec: ...


def pack_command(
    kind: int,
    account: int,
    session: int,
    *,
    flags: int = 0,
    side: int = 0,
    order_type: int = 0,
    instrument: int = 0,
    order_id: int = 0,
    price_ticks: int = 0,
    quantity_lots: int = 0,
    deadline_ns: int = 0,
    expiry_ns: int = 0,
    revision: int = 0,
    label: int = 0,
    time_in_force: int = 0,
    self_trade: int = 0,
    client_order_id: str = "",
) -> bytes:
    """The bytes of one COMMAND record; the node adds the stamp and the place of the document."""
    return _LAYOUT.pack(
        kind, RECORD_VERSION, flags, 0, side, order_type, account, session, instrument, 0, order_id, price_ticks, quantity_lots, 0, 0, 0,
        deadline_ns, expiry_ns, revision, label, time_in_force, self_trade, 0, 0, 0, client_order_id.encode(),
    )  # fmt: skip


def place_record(params: PlaceParams, account: int, session: int, listed: Listed | None, flags: int = 0) -> bytes | RejectCode:
    """Record of a new order. `listed` is the instrument that `params` names, None when there is none; so in the functions below.

    `flags` are those every order of the session carries.
    """
    spec = listed.spec if listed is not None else None
    price = 0 if params.price is None else parse_decimal(params.price, spec.price_decimals if spec is not None else 0)
    quantity = parse_decimal(params.quantity, spec.quantity_decimals if spec is not None else 0)
    conditions = read_conditions(params, spec)
    if MALFORMED in (price, quantity) or conditions.is_malformed:
        return RejectCode.INVALID_DECIMAL
    if _valid_client_order_id(params.client_order_id) is None:
        return RejectCode.INVALID_CLIENT_ORDER_ID
    if listed is None or spec is None:
        return RejectCode.UNKNOWN_INSTRUMENT
    is_market = params.type == "market"
    is_stop = bool(conditions.flags & STOP)
    default = _IOC if is_market and not is_stop else _GTC
    time_in_force = default if params.time_in_force is None else TIMES_IN_FORCE[params.time_in_force]
    if contradict(conditions.flags, time_in_force, is_market=is_market, has_gate=spec.close_ns > 0):
        return RejectCode.INVALID_COMBINATION
    if conditions.flags & REDUCE_ONLY and not may_reduce(spec):
        return RejectCode.INVALID_COMBINATION
    if params.price is None and not is_market:
        return RejectCode.PRICE_REQUIRED
    if params.price is not None and is_market:
        return RejectCode.PRICE_NOT_ALLOWED
    code = _numbers_problem(conditions, None if is_market else price, quantity, spec)
    if code is not None:
        return code
    expiry_ns = params.expires_at_ns
    if (expiry_ns is None) is (time_in_force == _GTD):
        return RejectCode.EXPIRY_REQUIRED if expiry_ns is None else RejectCode.EXPIRY_NOT_ALLOWED
    if not _valid_times(params.deadline_ns, expiry_ns):
        return RejectCode.INVALID_TIMESTAMP
    if conditions.flags & ICEBERG and not is_display(conditions.display_lots, quantity):
        return RejectCode.DISPLAY_OUT_OF_RANGE
    if conditions.flags & MINIMUM and not 0 < conditions.min_lots <= quantity:
        return RejectCode.MINIMUM_OUT_OF_RANGE
    return _LAYOUT.pack(
        CommandKind.PLACE, RECORD_VERSION, flags | conditions.flags, 0, SIDES[params.side], OrderType.MARKET if is_market else OrderType.LIMIT,
        account, session, listed.id, 0, 0, price, quantity, conditions.display_lots, conditions.min_lots, conditions.stop_ticks,
        params.deadline_ns or 0, expiry_ns or 0, 0, params.label, time_in_force, SELF_TRADES[params.self_trade], 0, 0, 0,
        params.client_order_id.encode(),
    )  # fmt: skip


def _numbers_problem(conditions: Conditions, price: int | None, quantity: int, spec: InstrumentSpec) -> RejectCode | None:
    """The lowest code for prices, quantities and their product. `price` is None for a market order."""
    prices = [_price_problem(price, spec)] if price is not None else []
    quantities = [_quantity_problem(quantity, spec)]
    if conditions.flags & STOP:
        prices.append(_price_problem(conditions.stop_ticks, spec))
    if TOO_MANY_DECIMALS in (conditions.display_lots, conditions.min_lots):
        quantities.append(RejectCode.QUANTITY_OFF_LOT)
    for codes in (prices, quantities):
        found = [code for code in codes if code is not None]
        if found:
            return min(found)
    # The price may become another in the book, so the notional is checked at the highest.
    highest = spec.max_price_ticks if price is None or conditions.flags & REPRICE else price
    return _notional_problem(highest, quantity, spec)


def amend_record(params: AmendParams, account: int, session: int, listed: Listed | None) -> bytes | RejectCode:
    """Record of an amend."""
    spec = listed.spec if listed is not None else None
    price = 0 if params.price is None else parse_decimal(params.price, spec.price_decimals if spec is not None else 0)
    quantity = 0 if params.quantity is None else parse_decimal(params.quantity, spec.quantity_decimals if spec is not None else 0)
    if MALFORMED in (price, quantity):
        return RejectCode.INVALID_DECIMAL
    if _valid_client_order_id(params.client_order_id) is None:
        return RejectCode.INVALID_CLIENT_ORDER_ID
    if listed is None or spec is None:
        return RejectCode.UNKNOWN_INSTRUMENT
    flags = 0
    code = None
    if params.price is not None:
        flags |= int(CommandFlag.AMEND_PRICE)
        code = _price_problem(price, spec)
    if code is None and params.quantity is not None:
        flags |= int(CommandFlag.AMEND_QUANTITY)
        # The price may stay as it is, so the notional is checked at the highest.
        code = _quantity_problem(quantity, spec) or _notional_problem(price if params.price is not None else spec.max_price_ticks, quantity, spec)
    if code is not None:
        return code
    if not _valid_times(params.deadline_ns, None):
        return RejectCode.INVALID_TIMESTAMP
    if not flags:
        return RejectCode.NOTHING_TO_AMEND
    return pack_command(
        CommandKind.AMEND, account, session, flags=flags, instrument=listed.id, order_id=params.order_id, price_ticks=price, quantity_lots=quantity,
        deadline_ns=params.deadline_ns or 0, revision=params.revision, client_order_id=params.client_order_id,
    )  # fmt: skip


def cancel_record(params: CancelParams, account: int, session: int) -> bytes | RejectCode:
    """Record of a cancel."""
    if _valid_client_order_id(params.client_order_id) is None:
        return RejectCode.INVALID_CLIENT_ORDER_ID
    if not _valid_times(params.deadline_ns, None):
        return RejectCode.INVALID_TIMESTAMP
    return pack_command(
        CommandKind.CANCEL, account, session, order_id=params.order_id, deadline_ns=params.deadline_ns or 0, client_order_id=params.client_order_id
    )


def mass_cancel_record(params: MassCancelParams, account: int, session: int, listed: Listed | None) -> bytes | RejectCode:
    """Record of a mass cancel: flags say which filters are not set."""
    if _valid_client_order_id(params.client_order_id) is None:
        return RejectCode.INVALID_CLIENT_ORDER_ID
    if params.instrument is not None and listed is None:
        return RejectCode.UNKNOWN_INSTRUMENT
    if not _valid_times(params.deadline_ns, None):
        return RejectCode.INVALID_TIMESTAMP
    flags = 0
    if listed is None:
        flags |= int(CommandFlag.ALL_INSTRUMENTS)
    if params.side is None:
        flags |= int(CommandFlag.ALL_SIDES)
    if params.label is None:
        flags |= int(CommandFlag.ALL_LABELS)
    return pack_command(
        CommandKind.MASS_CANCEL, account, session, flags=flags, instrument=0 if listed is None else listed.id,
        side=0 if params.side is None else SIDES[params.side], label=params.label or 0, deadline_ns=params.deadline_ns or 0,
        client_order_id=params.client_order_id,
    )  # fmt: skip


def quantity_of(record: bytes) -> int:
    """Lots a packed command asks for."""
    return int.from_bytes(record[_QUANTITY_AT : _QUANTITY_AT + 8], "little", signed=True)


def is_client_order_id(text: str) -> bool:
    """1 to 36 characters of A-Z a-z 0-9 _ -."""
    return _valid_client_order_id(text) is not None


def _price_problem(price: int, spec: InstrumentSpec) -> RejectCode | None:
    if price == TOO_MANY_DECIMALS:
        return RejectCode.PRICE_OFF_TICK
    if price == TOO_LARGE or not spec.min_price_ticks <= price <= spec.max_price_ticks:
        return RejectCode.PRICE_OUT_OF_RANGE
    return None


def _quantity_problem(quantity: int, spec: InstrumentSpec) -> RejectCode | None:
    if quantity == TOO_MANY_DECIMALS:
        return RejectCode.QUANTITY_OFF_LOT
    if not 0 < quantity <= spec.max_order_lots:  # TOO_LARGE is negative
        return RejectCode.QUANTITY_OUT_OF_RANGE
    return None


def _notional_problem(price: int, quantity: int, spec: InstrumentSpec) -> RejectCode | None:
    return RejectCode.NOTIONAL_OVERFLOW if price * quantity * spec.multiplier_micro > INT64_MAX else None


def _valid_times(deadline_ns: int | None, expiry_ns: int | None) -> bool:
    return (deadline_ns is None or 0 < deadline_ns <= INT64_MAX) and (expiry_ns is None or 0 < expiry_ns <= INT64_MAX)
