"""Step 8 of an order, publish: what the node has committed, to private and public channels.

Executions leave at once; public data is gathered and leaves with the next flush. Nothing here waits for a transport.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from exchange.gateway.administration_results import proposal_row
from exchange.gateway.auctions import AuctionChannel, auction_held
from exchange.gateway.bars import BarChannels
from exchange.gateway.executions import SIDE_NAMES, ExecutionFeed
from exchange.gateway.limits import Limits
from exchange.gateway.market_data import BookChannels, TickerChannel, TradeChannels
from exchange.gateway.national_results import auction_result, proposal_result
from exchange.gateway.order_channels import OrderChannels
from exchange.gateway.outbox import Outbox
from exchange.gateway.ports import ExchangeView
from exchange.gateway.private_state import PrivateState
from exchange.gateway.status import StatusChannel
from exchange.order_path.path import BatchResult
from exchange.order_path.records import EXECUTION, TRADE_KINDS, ExecutionKind, trade_mode
from exchange.order_path.tables import Notice
from exchange.protocol.decimals import format_decimal
from exchange.protocol.documents import InstrumentSpec
from exchange.protocol.encoding import SharedNotification
from exchange.protocol.messages import DailyClose, Params, PhaseChange, PublicTrade, Turn
from matching.records import Reason

_AUCTION: Final = int(Reason.AUCTION)
_TRADE: Final = int(ExecutionKind.TRADE)
_NAMES: Final = EXECUTION.names or ()
_KIND, _INSTRUMENT, _SIDE, _REASON, _PRICE, _QUANTITY, _STAMP, _TRADE_NUMBER, _ORDER_ID = (
    _NAMES.index(name)
    for name in ("kind", "instrument", "side", "reason", "price_ticks", "quantity_lots", "stamp_ns", "trade_number", "order_id")
)


class Gathered(Protocol):
    """A channel whose changes are gathered until the next flush."""

    @property
    def pending(self) -> bool: ...

    def flush(self) -> None: ...


class Publisher:
    """All channels. `on_batch` is a listener of the node. `executions`: a feed that has seen the replay of the journal."""

    def __init__(self, exchange: ExchangeView, epoch: Callable[[], int], limits: Limits, executions: ExecutionFeed | None = None) -> None:
        self._exchange = exchange
        self._flush_interval_s = limits.flush_interval_s
        self.executions = executions or ExecutionFeed(limits.execution_ring, exchange.instrument_by_id, exchange.execution_seq)
        self.books = BookChannels(exchange, epoch, limits.book_levels, self._flush_late)
        self.orders = OrderChannels(exchange, epoch)
        self.ticker = TickerChannel(exchange, epoch)
        self.auctions = AuctionChannel(exchange, epoch)
        self.trades = TradeChannels()
        self.bars = BarChannels(exchange, epoch, exchange.now_ns)
        self.private = PrivateState(exchange, epoch)
        self.status = StatusChannel(exchange, epoch)
        self.one_way: set[Outbox] = set()
        self.operator: set[Outbox] = set()
        self.blocks: dict[int, set[Outbox]] = {}  # by account: a proposal is for its two sides alone
        self.clock: set[Outbox] = set()
        self._gathered: tuple[Gathered, ...] = (
            self.trades, self.books, self.orders, self.ticker, self.auctions, self.bars, self.private,
        )  # fmt: skip
        self._timer: asyncio.TimerHandle | None = None
        self._is_late = False  # a flush waits for the one before to reach everybody
        self.ticker.touch_all()

    def on_batch(self, batch: BatchResult) -> None:
        """Publish one applied batch."""
        if len(batch.executions):
            self.executions.publish(batch.executions)
            self._gather_public(batch.executions)
        self.private.on_batch(batch)
        for notice in batch.notices:
            self._publish_notice(notice)
        self._schedule_flush()

    def flush(self) -> None:
        """Send gathered public data now: before a turn begins, so that all start it with the same picture."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._is_late = False
        for channel in self._gathered:
            channel.flush()
        self._schedule_flush()

    def publish_to_operator(self, method: str, params: Params) -> None:
        """For those who operate or audit: few, and never left out."""
        if self.operator:
            frame = SharedNotification(method, params)
            for outbox in self.operator:
                outbox.put_private(frame.encoded(outbox.encoding))

    def publish_turn(self, turn: Turn) -> None:
        """Turns are few and participants wait for them, so they are never left out."""
        frame = SharedNotification("turn", turn)
        for outbox in self.clock:
            outbox.put_private(frame.encoded(outbox.encoding))

    def close(self) -> None:
        """Stop the flush timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _gather_public(self, executions: NDArray[np.void]) -> None:
        specs = {instrument: self._exchange.instrument_by_id(instrument).spec for instrument in set(executions["instrument"].tolist())}
        for spec in specs.values():
            self.books.touch(spec.symbol)
            self.ticker.touch(spec.symbol)
            self.auctions.touch(spec.symbol)
        self.orders.note(executions)
        self.bars.note(executions)
        if not self.trades.is_followed:
            return
        for row in executions[np.isin(executions["kind"], TRADE_KINDS)].tolist():
            spec = specs[row[_INSTRUMENT]]
            self.trades.add(
                PublicTrade(
                    instrument=spec.symbol,
                    number=row[_TRADE_NUMBER],
                    price=format_decimal(row[_PRICE], spec.price_decimals),
                    quantity=format_decimal(row[_QUANTITY], spec.quantity_decimals),
                    side="" if row[_REASON] == _AUCTION else SIDE_NAMES[row[_SIDE]],
                    at_ns=row[_STAMP],
                    mode=trade_mode(row[_KIND], row[_REASON]),
                )
            )

    def _publish_notice(self, notice: Notice) -> None:
        """Phases, new instruments with the phase they were listed in, daily closes, proposals and results of auctions: few, and never left out."""
        if notice.kind == "block":
            self._publish_proposal(notice.data["proposal"])
            return
        if notice.kind == "proposal":
            proposal = self._exchange.approval_proposal(notice.data["proposal"])
            if proposal is not None:
                self.publish_to_operator("proposal", proposal_row(proposal))
            return
        if notice.kind == "one_way":
            self._publish_auction(notice.data["auction"])
            return
        if notice.kind not in {"phase", "listed", "auction", "close"}:
            return
        symbol = notice.data["symbol"]
        instrument = self._exchange.instrument(symbol)
        if instrument is None:
            return
        self.books.touch(symbol)
        self.orders.touch(symbol)
        self.ticker.touch(symbol)
        self.auctions.touch(symbol)
        if notice.kind == "auction":
            self.auctions.publish_result(auction_held(instrument, notice.data, notice.stamp_ns))
            return
        if notice.kind == "close":
            self.status.publish("close", partial(daily_close, instrument.spec, notice))
        else:
            phase = notice.data.get("phase", instrument.phase.name.lower())
            end_ns = notice.data.get("end_ns", 0)
            self.status.publish("phase", partial(PhaseChange, instrument=symbol, phase=phase, at_ns=notice.stamp_ns, end_ns=end_ns))

    def _publish_proposal(self, proposal_id: int) -> None:
        proposal = self._exchange.block_proposal(proposal_id)
        if proposal is None:
            return
        spec = self._exchange.instrument_by_id(proposal.instrument).spec
        for account in (proposal.proposer, proposal.counterparty):
            outboxes = self.blocks.get(account)
            if outboxes:
                frame = SharedNotification("block", proposal_result(proposal, spec, account))
                for outbox in outboxes:
                    outbox.put_private(frame.encoded(outbox.encoding))

    def _publish_auction(self, auction_id: int) -> None:
        auction = self._exchange.one_way_auction(auction_id)
        if auction is None:
            return
        frame = SharedNotification("one_way", auction_result(auction, self._exchange.instrument_by_id(auction.instrument).spec))
        for outbox in self.one_way:
            outbox.put_private(frame.encoded(outbox.encoding))

    def _schedule_flush(self) -> None:
        if self._timer is None and not self._is_late and any(channel.pending for channel in self._gathered):
            self._timer = asyncio.get_running_loop().call_later(self._flush_interval_s, self._flush_from_timer)

    def _flush_from_timer(self) -> None:
        self._timer = None
        self._is_late = self.books.is_sending
        if not self._is_late:
            self.flush()

    def _flush_late(self) -> None:
        if self._is_late:
            self.flush()


def daily_close(spec: InstrumentSpec, notice: Notice, *, seq: int, prev_seq: int) -> DailyClose:
    """The notification of a close notice."""
    close, low, high = (format_decimal(notice.data[name], spec.price_decimals) for name in ("close_ticks", "band_low_ticks", "band_high_ticks"))
    volume = format_decimal(notice.data["traded_lots"], spec.quantity_decimals)
    return DailyClose(
        instrument=spec.symbol, close=close, volume=volume, band_low=low, band_high=high, at_ns=notice.stamp_ns, seq=seq, prev_seq=prev_seq
    )
