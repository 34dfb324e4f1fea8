"""Step 8 of an order, publish: what the node has committed, to private and public channels.

Executions leave at once; public data is gathered and leaves with the next flush. Nothing here waits for a transport.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exchange.gateway.auctions import AuctionChannel, auction_held
from exchange.gateway.executions import SIDE_NAMES, ExecutionFeed
from exchange.gateway.limits import Limits
from exchange.gateway.market_data import BookChannels, TickerChannel, TradeChannels
from exchange.gateway.national_results import auction_result, proposal_result
from exchange.gateway.outbox import Outbox
from exchange.gateway.ports import ExchangeView
from exchange.order_path.path import BatchResult
from exchange.order_path.records import EXECUTION, TRADE_KINDS, trade_mode
from exchange.order_path.tables import Notice
from exchange.protocol.codec import encode_notification
from exchange.protocol.decimals import format_decimal
from exchange.protocol.documents import InstrumentSpec
from exchange.protocol.messages import DailyClose, PhaseChange, PublicTrade, Turn
from matching.records import Reason

_AUCTION: Final = int(Reason.AUCTION)
_NAMES: Final = EXECUTION.names or ()
_KIND, _INSTRUMENT, _SIDE, _REASON, _PRICE, _QUANTITY, _STAMP, _TRADE_NUMBER = (
    _NAMES.index(name) for name in ("kind", "instrument", "side", "reason", "price_ticks", "quantity_lots", "stamp_ns", "trade_number")
)


class Publisher:
    """All channels. `on_batch` is a listener of the node. `executions`: a feed that has seen the replay of the journal."""

    def __init__(self, exchange: ExchangeView, epoch: Callable[[], int], limits: Limits, executions: ExecutionFeed | None = None) -> None:
        self._exchange = exchange
        self._flush_interval_s = limits.flush_interval_s
        self.executions = executions or ExecutionFeed(limits.execution_ring, exchange.instrument_by_id, exchange.execution_seq)
        self.books = BookChannels(exchange, epoch, limits.book_levels)
        self.ticker = TickerChannel(exchange)
        self.auctions = AuctionChannel(exchange)
        self.trades = TradeChannels()
        self.phases: set[Outbox] = set()
        self.one_way: set[Outbox] = set()
        self.blocks: dict[int, set[Outbox]] = {}  # by account: a proposal is for its two sides alone
        self.clock: set[Outbox] = set()
        self._timer: asyncio.TimerHandle | None = None
        self.ticker.touch_all()

    def on_batch(self, batch: BatchResult) -> None:
        """Publish one applied batch."""
        if len(batch.executions):
            self.executions.publish(batch.executions)
            self._gather_public(batch.executions)
        for notice in batch.notices:
            self._publish_notice(notice)
        self._schedule_flush()

    def flush(self) -> None:
        """Send gathered public data now: before a turn begins, so that all start it with the same picture."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.trades.flush()
        self.books.flush()
        self.ticker.flush()
        self.auctions.flush()
        self._schedule_flush()

    def publish_turn(self, turn: Turn) -> None:
        """Turns are few and participants wait for them, so they are never left out."""
        frame = encode_notification("turn", turn)
        for outbox in self.clock:
            outbox.put_private(frame)

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
        self.ticker.touch(symbol)
        self.auctions.touch(symbol)
        if notice.kind == "auction":
            self.auctions.publish_result(auction_held(instrument, notice.data, notice.stamp_ns))
            return
        if notice.kind == "close":
            frame = encode_notification("close", daily_close(instrument.spec, notice))
        else:
            phase = notice.data.get("phase", instrument.phase.name.lower())
            change = PhaseChange(instrument=symbol, phase=phase, at_ns=notice.stamp_ns, end_ns=notice.data.get("end_ns", 0))
            frame = encode_notification("phase", change)
        for outbox in self.phases:
            outbox.put_private(frame)

    def _publish_proposal(self, proposal_id: int) -> None:
        proposal = self._exchange.block_proposal(proposal_id)
        if proposal is None:
            return
        spec = self._exchange.instrument_by_id(proposal.instrument).spec
        for account in (proposal.proposer, proposal.counterparty):
            outboxes = self.blocks.get(account)
            if outboxes:
                frame = encode_notification("block", proposal_result(proposal, spec, account))
                for outbox in outboxes:
                    outbox.put_private(frame)

    def _publish_auction(self, auction_id: int) -> None:
        auction = self._exchange.one_way_auction(auction_id)
        if auction is None:
            return
        frame = encode_notification("one_way", auction_result(auction, self._exchange.instrument_by_id(auction.instrument).spec))
        for outbox in self.one_way:
            outbox.put_private(frame)

    def _schedule_flush(self) -> None:
        if self._timer is None and (self.trades.pending or self.books.pending or self.ticker.pending or self.auctions.pending):
            self._timer = asyncio.get_running_loop().call_later(self._flush_interval_s, self._flush_from_timer)

    def _flush_from_timer(self) -> None:
        self._timer = None
        self.flush()


def daily_close(spec: InstrumentSpec, notice: Notice) -> DailyClose:
    """The notification of a close notice."""
    close, low, high = (format_decimal(notice.data[name], spec.price_decimals) for name in ("close_ticks", "band_low_ticks", "band_high_ticks"))
    volume = format_decimal(notice.data["traded_lots"], spec.quantity_decimals)
    return DailyClose(instrument=spec.symbol, close=close, volume=volume, band_low=low, band_high=high, at_ns=notice.stamp_ns)
