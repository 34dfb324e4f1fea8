"""Results of the requests, and the rows in them."""

from typing import Any

from msgspec import UNSET, Struct, UnsetType, field

from exchange.protocol.messages.wire import Params


class Level(Struct, array_like=True, frozen=True, gc=False):
    """On the wire [price, quantity, orders]; a quantity of zero removes the level."""

    price: str
    quantity: str
    orders: int


class LogonResult(Params, frozen=True):
    session: int
    account: int
    name: str
    role: str
    scopes: list[str]
    epoch: int
    now_ns: int


class OrderResult(Params, frozen=True):
    """Outcome of place, amend, cancel and mass cancel. `sequence` is the command's place in the journal."""

    sequence: int
    order_id: int
    status: str
    filled: str
    remaining: str
    revision: int
    average_price: str | None = None
    cancelled_orders: int = 0
    duplicate: bool = False


class BasketResult(Params, frozen=True):
    """Every leg has filled; their outcomes in the order of the legs."""

    legs: list[OrderResult]


class ExpectedFill(Struct, array_like=True, frozen=True, gc=False):
    """On the wire [price, quantity]."""

    price: str
    quantity: str


class DryRunResult(Params, frozen=True):
    """What a command would come to as the next one after `as_of_seq`. `code` 0: accepted; else the reject code it would get, and nothing more.

    `hold_micro` is what the account needs for the whole order, `fee_micro` the fees of `fills`. `keeps_priority`: an amend would leave the order in
    its place. `interrupts`: it would meet a price at which trading is interrupted. `duplicate`: its id was used for the same command.
    """

    as_of_seq: int
    code: int
    message: str = ""
    status: str = ""
    price: str = ""
    fills: list[ExpectedFill] = field(default_factory=list)
    filled: str = ""
    remaining: str = ""
    average_price: str | None = None
    hold_micro: int = 0
    fee_micro: int = 0
    keeps_priority: bool = False
    interrupts: bool = False
    duplicate: bool = False


class BasketDryRunResult(Params, frozen=True):
    """`code` is that of the first leg that says why, `leg` its number; 0: all legs would fill."""

    as_of_seq: int
    code: int
    legs: list[DryRunResult]
    message: str = ""
    leg: int | None = None


class CancelAfterResult(Params, frozen=True):
    """When the switch fires, 0: it is off. `sequence` is left out where an earlier renewal stands."""

    fires_at_ns: int
    sequence: int = 0


class OpenOrderResult(Params, frozen=True):
    """An open order; conditions as they still hold. `waiting`: beside the book, for its minimum or its stop price."""

    order_id: int
    client_order_id: str
    instrument: str
    side: str
    price: str
    quantity: str
    filled: str
    remaining: str
    time_in_force: str
    revision: int
    label: int = 0
    expires_at_ns: int = 0
    waiting: bool = False
    display: str | None = None
    min_quantity: str | None = None
    all_or_none: bool = False
    stop_price: str | None = None
    reduce_only: bool = False


class OrdersResult(Params, frozen=True):
    orders: list[OpenOrderResult]
    execution_seq: int = 0


class BalancesResult(Params, frozen=True):
    """Money in micro-CNY."""

    balance_micro: int
    held_micro: int
    available_micro: int


class PositionResult(Params, frozen=True):
    """Bought is positive. `net` is what was traded here, `contract` the monthly contract of the period. `locked` units may not be sold now."""

    instrument: str
    net: str
    contract: str
    open_buy: str
    open_sell: str
    locked: str
    held_micro: int


class PositionsResult(Params, frozen=True):
    positions: list[PositionResult]


class InstrumentResult(Params, frozen=True):
    """One tick is 10**-price_decimals, one lot 10**-quantity_decimals of `unit`.

    `phase_end_ns` is there in a call phase; the terms of auctions where the instrument has any. `band_low` and `band_high` are those of now;
    `previous_close`, `limit_ppm` belong to an instrument with a daily limit, `block_low`, `block_high`, `min_block` to one that takes block trades.
    """

    symbol: str
    instrument_class: str
    venue: str
    calendar: str
    phase: str
    unit: str
    price_decimals: int
    quantity_decimals: int
    min_price: str
    max_price: str
    band_low: str
    band_high: str
    max_order: str
    multiplier_micro: int
    resale: str
    delivery_start_ns: int = 0
    delivery_end_ns: int = 0
    open_ns: int = 0
    close_ns: int = 0
    maker_fee_lot_micro: int = 0
    taker_fee_lot_micro: int = 0
    maker_fee_tick_lot_micro: int = 0
    taker_fee_tick_lot_micro: int = 0
    park_fee_lot_micro: int = 0
    deficit_price: str = ""
    surplus_price: str = ""
    environment_price: str = ""
    phase_end_ns: int = 0
    opening_auction_ns: int = 0
    closing_auction_ns: int = 0
    interruption_ns: int = 0
    interruption_ppm: int = 0
    reference_price: str = ""
    auction_price_rule: str = ""
    k_ppm: int = 0
    previous_close: str = ""
    limit_ppm: int = 0
    block_low: str = ""
    block_high: str = ""
    min_block: str = ""


class Indication(Params, frozen=True):
    """What the auction of a call phase would come to now; it is held at `end_ns`. No price while nothing crosses."""

    instrument: str
    phase: str
    end_ns: int
    volume: str
    price: str | None = None


class AuctionsResult(Params, frozen=True):
    """The instruments in a call phase."""

    auctions: list[Indication]


class InstrumentsResult(Params, frozen=True):
    instruments: list[InstrumentResult]


class SubmitResult(Params, frozen=True):
    sequence: int
    result: Any = None


class StatementResult(Params, frozen=True):
    """Lines of the account's statement of a settled day; null while the day is not settled."""

    day: str
    statement: Any


class SettlementResult(Params, frozen=True):
    """The settlement of a day over all accounts; null while it has not run."""

    day: str
    settlement: Any


class TurnResult(Params, frozen=True):
    """The market clock's current turn; 0 before the first."""

    turn: int


class DepthResult(Params, frozen=True):
    """The best levels of a book, best first, as of its revision `seq`."""

    instrument: str
    seq: int
    epoch: int
    bids: list[Level]
    asks: list[Level]
    checksum: int


class QueuePositionResult(Params, frozen=True):
    """What is shown before an own order at its price; an order that waits beside the book has no place."""

    order_id: int
    waiting: bool = False
    orders_ahead: int = 0
    quantity_ahead: str = ""


class Bar(Params, frozen=True):
    """Trades of the book and its auctions in [`start_ns`, `start_ns` + interval). `vwap` has two decimals more than a price, rounded half-even.

    `partial`: the exchange began to keep bars within it, so earlier trades may be missing.
    """

    start_ns: int
    open: str
    high: str
    low: str
    close: str
    volume: str
    vwap: str
    trades: int
    partial: bool = False


class BarsResult(Params, frozen=True):
    """Bars with trades, oldest first, as of command `as_of_seq`. `next_ns`: where to go on when there are more."""

    instrument: str
    interval: str
    as_of_seq: int
    bars: list[Bar]
    next_ns: int | None = None


class SubscribeResult(Params, frozen=True):
    """`execution_seq`: last private seq; `replay_from`: oldest private seq that could still be replayed (only when executions were asked for)."""

    channels: list[str]
    execution_seq: int | UnsetType = UNSET
    replay_from: int | UnsetType = UNSET


class StatusResult(Params, frozen=True):
    """`now_ns` is market time. `clock_in_doubt`: the wall clock was stepped, and commands wait for the operator."""

    epoch: int
    sequence: int
    now_ns: int
    sessions: int
    accepting: bool
    clock_in_doubt: bool
