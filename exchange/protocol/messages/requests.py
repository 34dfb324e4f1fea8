"""Requests of trading, questions, business commands, channels and the market clock."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from exchange.protocol.messages.wire import (
    DEFAULT_DEPTH,
    IntervalName,
    NoParams,
    OrderId,
    OrderTypeName,
    Params,
    PositiveInt64,
    Request,
    SelfTradeName,
    SideName,
    TimeInForceName,
    UInt32,
)
from exchange.units import INT64_MAX


class LogonParams(Params, frozen=True):
    """`signature` is the base64 Ed25519 signature of `exchange.protocol.auth.logon_message`."""

    key_id: str
    timestamp_ns: int
    signature: str
    cancel_on_disconnect: bool = False


class PlaceParams(Params, frozen=True):
    """A new order. Time in force defaults to ioc for market orders without a stop price and to gtc for all others.

    `reduce_only`: it only ever brings the net position of a power contract nearer to zero.
    `dry_run` asks what would come of it now and sends nothing.
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
    dry_run: bool = False


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
    dry_run: bool = False


class AmendParams(Params, frozen=True):
    """Change of an open order. `quantity` is the new remaining quantity. `instrument` gives the decimals of both and must be the order's."""

    client_order_id: str
    instrument: str
    order_id: OrderId
    revision: UInt32
    price: str | None = None
    quantity: str | None = None
    deadline_ns: int | None = None
    dry_run: bool = False


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


class CancelAfterParams(Params, frozen=True):
    """Cancel the account's open orders, or those with `label`, unless this is sent again within `timeout_ms`. 0: off."""

    timeout_ms: UInt32
    label: UInt32 | None = None


class NominateParams(Params, frozen=True):
    """Storage schedule of a delivery period in kWh, injection positive; may start with a minus."""

    instrument: str
    injection: str
    client_order_id: str | None = None


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


class DepthParams(Params, frozen=True):
    """The best `levels` of each side."""

    instrument: str
    levels: Annotated[int, Meta(ge=1, le=1000)] = DEFAULT_DEPTH


class QueuePositionParams(Params, frozen=True):
    order_id: OrderId


class BarsParams(Params, frozen=True):
    """Bars that begin in [`from_ns`, `to_ns`), at most `limit`, oldest first."""

    instrument: str
    interval: IntervalName
    from_ns: PositiveInt64 = 0
    to_ns: PositiveInt64 = INT64_MAX
    limit: Annotated[int, Meta(ge=1, le=1000)] = 500


class ExecutionsParams(Params, frozen=True):
    """The account's executions from the private `from_seq` on, at most `limit`."""

    from_seq: PositiveInt64
    limit: Annotated[int, Meta(ge=1, le=1000)] = 500


class SubscribeParams(Params, frozen=True):
    """`from_seq`: replay private executions from this seq on. `turns`: take part in the market clock's turns.

    `checksum`: books come with the CRC-32 of their best ten levels.
    """

    channels: Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(max_length=1024)]
    from_seq: PositiveInt64 | None = None
    turns: bool = False
    checksum: bool = False


class UnsubscribeParams(Params, frozen=True):
    channels: Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(max_length=1024)]


class TurnDoneParams(Params, frozen=True):
    turn: PositiveInt64


class ClockRunParams(Params, frozen=True):
    """Market seconds a wall second; absent: as fast as the participants are done."""

    speed: Annotated[float, Meta(gt=0, le=1e9)] | None = None


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


class CancelAfter(Request, tag="session.cancel_after"):
    params: CancelAfterParams


class OrdersOpen(Request, tag="orders.open"):
    params: InstrumentFilter = InstrumentFilter()


class QueuePosition(Request, tag="order.queue_position"):
    params: QueuePositionParams


class Executions(Request, tag="executions"):
    params: ExecutionsParams


class Depth(Request, tag="depth"):
    params: DepthParams


class Bars(Request, tag="bars"):
    params: BarsParams


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


class DocumentSubmit(Request, tag="document.submit"):
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
