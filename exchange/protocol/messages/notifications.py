"""Notifications: what the exchange sends without being asked."""

from msgspec import Struct

from exchange.protocol.messages.results import Indication
from exchange.protocol.messages.wire import Params


class Challenge(Params, frozen=True):
    """First frame of every connection. `server_time_ns` is wall time, `host` the name the server answers to."""

    nonce: str
    epoch: int
    server_time_ns: int
    host: str


class Level(Struct, array_like=True, frozen=True, gc=False):
    """On the wire [price, quantity, orders]; a quantity of zero removes the level."""

    price: str
    quantity: str
    orders: int


class BookSnapshot(Params, frozen=True):
    """The best levels of both sides, best first. A symbol of an unknown epoch starts anew."""

    instrument: str
    seq: int
    epoch: int
    bids: list[Level]
    asks: list[Level]


class BookDelta(Params, frozen=True):
    """Levels that changed between `prev_seq` and `seq`, with absolute quantities."""

    instrument: str
    seq: int
    prev_seq: int
    bids: list[Level]
    asks: list[Level]


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
    """Quotes that changed since the last ticker frame of this connection; the first frame holds all."""

    quotes: list[Quote]


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
    """`end_ns`: when a call phase ends."""

    instrument: str
    phase: str
    at_ns: int
    end_ns: int = 0


class Indications(Params, frozen=True):
    """Indications that changed since the last such frame of this connection; the first frame holds all."""

    indications: list[Indication]


class AuctionHeld(Params, frozen=True):
    """The auction that ended a call phase. Without a price nothing traded."""

    instrument: str
    phase: str
    at_ns: int
    volume: str
    price: str | None = None


class DailyClose(Params, frozen=True):
    """A trading day has ended: its close, its listed volume, and the price band of the next day."""

    instrument: str
    close: str
    volume: str
    band_low: str
    band_high: str
    at_ns: int


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
