"""Messages of the wire: JSON-RPC 2.0 text frames. One struct a method; docs/protocol.md is checked against this file.

Prices and quantities are decimal strings of the instrument's quoted unit, times int nanoseconds since the epoch (UTC), ids int64.
Unknown fields are refused everywhere. A repeated member of a JSON object is legal and the last one counts, except that a repeated
`method` must repeat the same value.
"""

from typing import Annotated, Any, ClassVar, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from exchange.units import INT64_MAX

PROTOCOL_VERSION: Final = 1
WEBSOCKET_PATH: Final = "/ws/v1"

RequestId = Annotated[int, Meta(ge=-INT64_MAX - 1, le=INT64_MAX)] | Annotated[str, Meta(max_length=64)]
OrderId = Annotated[int, Meta(ge=1, le=INT64_MAX)]
UInt32 = Annotated[int, Meta(ge=0, le=2**32 - 1)]
PositiveInt64 = Annotated[int, Meta(ge=0, le=INT64_MAX)]

SideName = Literal["buy", "sell"]
OrderTypeName = Literal["limit", "market"]
TimeInForceName = Literal["gtc", "gtd", "session", "ioc", "fok", "gate"]
SelfTradeName = Literal["cancel_newest", "cancel_oldest", "cancel_both", "decrement"]


class Params(Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True, frozen=True, gc=False):
    """Base of all params and results."""


# Requests


class NoParams(Params, frozen=True):
    """For methods without parameters."""


class LogonParams(Params, frozen=True):
    """`signature` is the base64 Ed25519 signature of `exchange.protocol.auth.logon_message`."""

    key_id: str
    timestamp_ns: int
    signature: str
    cancel_on_disconnect: bool = False


class PlaceParams(Params, frozen=True):
    """A new order. Time in force defaults to ioc for market orders without a stop price and to gtc for all others.

    `reduce_only`: it only ever brings the net position of a power contract nearer to zero.
    `display` makes it an iceberg; `stop_price` a stop order, or with a price a stop-limit order; `reprice` goes with `post_only`.
    """

    client_order_id: str
    instrument: str
    side: SideName
    quantity: str
    type: OrderTypeName = "limit"
    price: str | None = None
    time_in_force: TimeInForceName | None = None
    post_only: bool = False
    reprice: bool = False
    display: str | None = None
    min_quantity: str | None = None
    all_or_none: bool = False
    stop_price: str | None = None
    reduce_only: bool = False
    self_trade: SelfTradeName = "cancel_newest"
    expires_at_ns: int | None = None
    label: UInt32 = 0
    deadline_ns: int | None = None


class BasketLeg(Params, frozen=True):
    """One fill-or-kill order of a basket, as in PlaceParams. Each leg has an instrument and a client_order_id of its own."""

    client_order_id: str
    instrument: str
    side: SideName
    quantity: str
    type: OrderTypeName = "limit"
    price: str | None = None
    label: UInt32 = 0


class BasketParams(Params, frozen=True):
    """1 to 100 legs that fill whole together, or not at all."""

    legs: list[BasketLeg]
    deadline_ns: int | None = None


class AmendParams(Params, frozen=True):
    """Change of an open order. `quantity` is the new remaining quantity. `instrument` gives the decimals of both and must be the order's."""

    client_order_id: str
    instrument: str
    order_id: OrderId
    revision: UInt32
    price: str | None = None
    quantity: str | None = None
    deadline_ns: int | None = None


class CancelParams(Params, frozen=True):
    client_order_id: str
    order_id: OrderId
    deadline_ns: int | None = None


class MassCancelParams(Params, frozen=True):
    """Cancel the account's open orders that match every filter given."""

    client_order_id: str
    instrument: str | None = None
    side: SideName | None = None
    label: UInt32 | None = None
    deadline_ns: int | None = None


class NominateParams(Params, frozen=True):
    """Storage schedule of a delivery period in kWh, injection positive; may start with a minus."""

    instrument: str
    injection: str
    client_order_id: str | None = None


class BlockProposeParams(Params, frozen=True):
    """A block trade with the account `counterparty`; `side` is the proposer's, `client_id` its own id of the proposal."""

    client_id: str
    instrument: str
    side: SideName
    counterparty: UInt32
    price: str
    quantity: str


class BlockParams(Params, frozen=True):
    proposal: PositiveInt64


class OneWayBidParams(Params, frozen=True):
    """A sealed bid in a one-way auction, `client_id` being the bidder's own id of it within the auction."""

    auction: PositiveInt64
    client_id: str
    price: str
    quantity: str


class OneWayAmendParams(Params, frozen=True):
    """Another price and quantity for a sealed bid; `revision` is the one last told."""

    auction: PositiveInt64
    client_id: str
    revision: UInt32
    price: str
    quantity: str


class OneWayWithdrawParams(Params, frozen=True):
    auction: PositiveInt64
    client_id: str


class InstrumentFilter(Params, frozen=True):
    instrument: str | None = None


class InstrumentsParams(Params, frozen=True):
    """`class`: power, gec, cea, ccer or pcc."""

    class_: str | None = msgspec.field(default=None, name="class")


class DayParams(Params, frozen=True):
    """A delivery day, as 2026-07-15."""

    day: str


class OperatorSubmitParams(Params, frozen=True):
    """A business document (`exchange.protocol.documents`): integers in the units of the exchange, bytes as base64."""

    schema: str
    document: Any
    client_order_id: str | None = None


class SubscribeParams(Params, frozen=True):
    """`from_seq`: replay private executions from this seq on. `turns`: take part in the market clock's turns."""

    channels: Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(max_length=1024)]
    from_seq: PositiveInt64 | None = None
    turns: bool = False


class UnsubscribeParams(Params, frozen=True):
    channels: Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(max_length=1024)]


class TurnDoneParams(Params, frozen=True):
    turn: PositiveInt64


class ClockRunParams(Params, frozen=True):
    """Market seconds a wall second; absent: as fast as the participants are done."""

    speed: Annotated[float, Meta(gt=0)] | None = None


class Request(Struct, tag_field="method", forbid_unknown_fields=True, kw_only=True, gc=False):
    """A JSON-RPC request. The tag is the method."""

    METHOD: ClassVar[str]
    jsonrpc: Literal["2.0"]
    id: RequestId


class Logon(Request, tag="logon"):
    params: LogonParams


class Place(Request, tag="order.place"):
    params: PlaceParams


class PlaceBasket(Request, tag="basket.place"):
    params: BasketParams


class Amend(Request, tag="order.amend"):
    params: AmendParams


class Cancel(Request, tag="order.cancel"):
    params: CancelParams


class MassCancel(Request, tag="order.mass_cancel"):
    params: MassCancelParams


class OrdersOpen(Request, tag="orders.open"):
    params: InstrumentFilter = InstrumentFilter()


class Balances(Request, tag="balances"):
    params: NoParams = NoParams()


class Positions(Request, tag="positions"):
    params: InstrumentFilter = InstrumentFilter()


class Auctions(Request, tag="auctions"):
    params: InstrumentFilter = InstrumentFilter()


class Instruments(Request, tag="instruments"):
    params: InstrumentsParams = InstrumentsParams()


class Statement(Request, tag="statement"):
    params: DayParams


class Nominate(Request, tag="nominate"):
    params: NominateParams


class OperatorSubmit(Request, tag="operator.submit"):
    params: OperatorSubmitParams


class SettlementReport(Request, tag="settlement.report"):
    params: DayParams


class SystemStatus(Request, tag="system.status"):
    params: NoParams = NoParams()


class Subscribe(Request, tag="subscribe"):
    params: SubscribeParams


class Unsubscribe(Request, tag="unsubscribe"):
    params: UnsubscribeParams


class TurnDone(Request, tag="turn.done"):
    params: TurnDoneParams


class ClockRun(Request, tag="clock.run"):
    params: ClockRunParams = ClockRunParams()


class ClockPause(Request, tag="clock.pause"):
    params: NoParams = NoParams()


class BlockPropose(Request, tag="block.propose"):
    params: BlockProposeParams


class BlockConfirm(Request, tag="block.confirm"):
    params: BlockParams


class BlockDecline(Request, tag="block.decline"):
    params: BlockParams


class BlockWithdraw(Request, tag="block.withdraw"):
    params: BlockParams


class BlockProposals(Request, tag="block.proposals"):
    params: NoParams = NoParams()


class OneWayBid(Request, tag="one_way.bid"):
    params: OneWayBidParams


class OneWayAmend(Request, tag="one_way.amend"):
    params: OneWayAmendParams


class OneWayWithdraw(Request, tag="one_way.withdraw"):
    params: OneWayWithdrawParams


class OneWayBids(Request, tag="one_way.bids"):
    params: NoParams = NoParams()


class OneWayAuctions(Request, tag="one_way.auctions"):
    params: NoParams = NoParams()


AnyRequest = (
    Place | Cancel | Amend | MassCancel | PlaceBasket | Logon | OrdersOpen | Balances | Positions | Instruments | Auctions | Statement | Nominate
    | OperatorSubmit | SettlementReport | SystemStatus | Subscribe | Unsubscribe | TurnDone | ClockRun | ClockPause
    | BlockPropose | BlockConfirm | BlockDecline | BlockWithdraw | BlockProposals
    | OneWayBid | OneWayAmend | OneWayWithdraw | OneWayBids | OneWayAuctions
)  # fmt: skip

REQUESTS: Final[dict[str, type[Request]]] = {str(cls.__struct_config__.tag): cls for cls in Request.__subclasses__()}


# Results


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


class BlockProposalResult(Params, frozen=True):
    """A proposed block trade. `status`: open, traded, declined, withdrawn, expired. `client_id` is told to its proposer alone."""

    proposal: int
    instrument: str
    side: str
    proposer: int
    counterparty: int
    price: str
    quantity: str
    status: str
    expires_at_ns: int
    client_id: str = ""


class BlockProposalsResult(Params, frozen=True):
    proposals: list[BlockProposalResult]


class OneWayBidResult(Params, frozen=True):
    """An own bid. `status`: sealed, ended, withdrawn. `allotted` is what it got."""

    auction: int
    bid: int
    client_id: str
    price: str
    quantity: str
    revision: int
    status: str
    allotted: str


class OneWayBidsResult(Params, frozen=True):
    bids: list[OneWayBidResult]


class OneWayAuctionResult(Params, frozen=True):
    """A one-way auction. `status`: open, cleared, failed, cancelled. `price` is null until it has cleared; `seed`, a text, draws ties by lot."""

    auction: int
    reference: str
    instrument: str
    applicant: int
    side: str
    quantity: str
    reserve_price: str
    tie: str
    seed: str
    fails_if_undersubscribed: bool
    opens_at_ns: int
    closes_at_ns: int
    status: str
    traded: str
    price: str | None = None


class OneWayAuctionsResult(Params, frozen=True):
    auctions: list[OneWayAuctionResult]


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


class SubscribeResult(Params, frozen=True):
    """`execution_seq`: last private seq; `replay_from`: oldest private seq that could still be replayed (only when executions were asked for)."""

    channels: list[str]
    execution_seq: int | UnsetType = UNSET
    replay_from: int | UnsetType = UNSET


class StatusResult(Params, frozen=True):
    epoch: int
    sequence: int
    now_ns: int
    sessions: int
    accepting: bool


# Notifications


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


NOTIFICATIONS: Final[dict[str, type[Params]]] = {
    "challenge": Challenge,
    "book.snapshot": BookSnapshot,
    "book.delta": BookDelta,
    "trade": Trades,
    "ticker": Ticker,
    "execution": Execution,
    "phase": PhaseChange,
    "indication": Indications,
    "auction": AuctionHeld,
    "close": DailyClose,
    "block": BlockProposalResult,
    "one_way": OneWayAuctionResult,
    "turn": Turn,
    "heartbeat": Heartbeat,
}
