"""Notifications: what the exchange sends without being asked."""

from typing import Any

from msgspec import UNSET, Struct, UnsetType, field

from exchange.protocol.messages.results import Bar, Indication, Level, PositionResult
from exchange.protocol.messages.wire import DEFAULT_DEPTH, Params, SideName


class Challenge(Params, frozen=True):
    """First frame of every connection. `server_time_ns` is wall time, `host` the name the server answers to."""

    nonce: str
    epoch: int
    server_time_ns: int
    host: str


class BookSnapshot(Params, frozen=True):
    """The best levels of both sides, best first. A symbol of an unknown epoch starts anew.

    `depth` is how many levels the channel shows, 0: all. `checksum` (exchange.protocol.checksum) is there for who asked for it.
    """

    instrument: str
    seq: int
    epoch: int
    bids: list[Level]
    asks: list[Level]
    depth: int = DEFAULT_DEPTH
    checksum: int | UnsetType = UNSET


class BookDelta(Params, frozen=True):
    """Levels that changed between `prev_seq` and `seq`, with absolute quantities. `checksum` is that of the book after it."""

    instrument: str
    seq: int
    prev_seq: int
    bids: list[Level]
    asks: list[Level]
    depth: int = DEFAULT_DEPTH
    checksum: int | UnsetType = UNSET


class ShownOrder(Struct, array_like=True, frozen=True, gc=False):
    """An order as everybody sees it, on the wire [id, price, quantity].

    The id is made for this channel and says nothing of who or what is behind it.
    """

    id: int
    price: str
    quantity: str


class SidedOrder(Struct, array_like=True, frozen=True, gc=False):
    """On the wire [id, side, price, quantity]."""

    id: int
    side: SideName
    price: str
    quantity: str


class OrdersSnapshot(Params, frozen=True):
    """Every order that is shown in the book, best price first and by priority within it."""

    instrument: str
    seq: int
    epoch: int
    bids: list[ShownOrder]
    asks: list[ShownOrder]


class OrdersDelta(Params, frozen=True):
    """Changes of the orders between `prev_seq` and `seq`, to be applied in this order: `removed` ids, `changed` as [id, quantity] in their place, and
    `added` behind what is at their price already.
    """

    instrument: str
    seq: int
    prev_seq: int
    removed: list[int] = field(default_factory=list)
    changed: list[tuple[int, str]] = field(default_factory=list)
    added: list[SidedOrder] = field(default_factory=list)


class BarsSnapshot(Params, frozen=True):
    """The last bars of an instrument, oldest first, the current one last.

    They have been kept since `since_ns`: ask `bars` for what was before.
    """

    instrument: str
    interval: str
    seq: int
    epoch: int
    since_ns: int
    bars: list[Bar]


class BarsDelta(Params, frozen=True):
    """Bars that are new or changed, whole."""

    instrument: str
    interval: str
    seq: int
    prev_seq: int
    bars: list[Bar]


class BalancesChange(Params, frozen=True):
    """Money of the account as of command `as_of_seq`. `prev_seq` is that of the frame before; the first of a subscription has `epoch` instead."""

    seq: int
    as_of_seq: int
    balance_micro: int
    held_micro: int
    available_micro: int
    prev_seq: int | UnsetType = UNSET
    epoch: int | UnsetType = UNSET


class LedgerCorrected(Params, frozen=True):
    """Money of the account was moved by hand by the command `sequence`: what came in (negative: went out), why, and the operator's reference."""

    sequence: int
    at_ns: int
    amount_micro: int
    reason: str
    reference: str


class PositionsChange(Params, frozen=True):
    """Positions as of command `as_of_seq`, absolute: with `epoch` all that there are, with `prev_seq` those that changed, also to nothing."""

    seq: int
    as_of_seq: int
    positions: list[PositionResult]
    prev_seq: int | UnsetType = UNSET
    epoch: int | UnsetType = UNSET


class StatementReady(Params, frozen=True):
    """A day of the account has been settled by the command `sequence`: its statement, as `statement` answers it."""

    day: str
    sequence: int
    statement: Any


class PhaseRow(Struct, array_like=True, frozen=True, gc=False):
    """On the wire [symbol, phase, end_ns]; `end_ns` is 0 outside call phases."""

    instrument: str
    phase: str
    end_ns: int


class PhasesSnapshot(Params, frozen=True):
    """The phase of every instrument that is not settled."""

    seq: int
    epoch: int
    phases: list[PhaseRow]


class PublicTrade(Params, frozen=True):
    """`number` counts the trades of the instrument; `side` is the taker's, empty in an auction, where there is none.

    `mode`: listed, auction, block, one_way.
    """

    instrument: str
    number: int
    price: str
    quantity: str
    side: str
    at_ns: int
    mode: str = "listed"


class Trades(Params, frozen=True):
    """Trades since the last flush, oldest first."""

    trades: list[PublicTrade]


class Quote(Struct, array_like=True, frozen=True, gc=False):
    """On the wire [symbol, bid, bid_quantity, ask, ask_quantity, last]; null where there is none."""

    instrument: str
    bid: str | None
    bid_quantity: str | None
    ask: str | None
    ask_quantity: str | None
    last: str | None


class Ticker(Params, frozen=True):
    """Quotes that changed since the frame with `prev_seq`; one with an `epoch` instead holds all."""

    quotes: list[Quote]
    seq: int
    prev_seq: int | UnsetType = UNSET
    epoch: int | UnsetType = UNSET


class Execution(Params, frozen=True):
    """One event of an own order. (`sequence`, `index`) is its permanent id, `seq` counts the account's events without gaps.

    kind: rested, trade, cancelled, reduced, repriced, waiting, refilled, triggered. `remaining` is what the order has open after the event.
    `liquidity` (maker, taker, auction), `fee_micro` and `trade_number` belong to trades, `reason` to the others. Trades without an order:
    block_trade (`client_order_id` is the proposer's id) and allotted (the bidder's id of its bid); their `order_id` is 0.
    """

    seq: int
    prev_seq: int
    sequence: int
    index: int
    kind: str
    instrument: str
    side: str
    order_id: int
    client_order_id: str
    price: str
    quantity: str
    remaining: str
    at_ns: int
    reason: str = ""
    liquidity: str = ""
    fee_micro: int = 0
    trade_number: int = 0


class PhaseChange(Params, frozen=True):
    """`end_ns`: when a call phase ends. `seq` counts what the channel tells, closes too; it begins anew with each epoch."""

    instrument: str
    phase: str
    at_ns: int
    seq: int
    prev_seq: int
    end_ns: int = 0


class Indications(Params, frozen=True):
    """Indications that changed since the frame with `prev_seq`; one with an `epoch` instead holds all."""

    indications: list[Indication]
    seq: int
    prev_seq: int | UnsetType = UNSET
    epoch: int | UnsetType = UNSET


class AuctionHeld(Params, frozen=True):
    """The auction that ended a call phase. Without a price nothing traded."""

    instrument: str
    phase: str
    at_ns: int
    volume: str
    price: str | None = None


class DailyClose(Params, frozen=True):
    """A trading day has ended: its close, its listed volume, and the price band of the next day. `seq` as of PhaseChange."""

    instrument: str
    close: str
    volume: str
    band_low: str
    band_high: str
    at_ns: int
    seq: int
    prev_seq: int


class Turn(Params, frozen=True):
    """The market clock stands at `now_ns` until it moves to `next_ns`. After the `last` turn it moves no more."""

    turn: int
    now_ns: int
    next_ns: int
    last: bool = False


class Heartbeat(Params, frozen=True):
    """Last `seq` of every sequenced channel this connection has subscribed to, so that a silent gap is seen."""

    now_ns: int
    seqs: dict[str, int]


class ExecutionsResult(Params, frozen=True):
    """Executions in the order of their `seq`, as far as recorded history reaches: go on behind the last, until the channel's replay takes over.

    `execution_seq` is the account's last.
    """

    executions: list[Execution]
    execution_seq: int
