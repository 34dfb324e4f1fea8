"""The channel of phases: all of them at first, then each change, and the close of each trading day. Few, so they are never left out."""

from collections.abc import Callable
from typing import Protocol

from exchange.gateway.outbox import Outbox
from exchange.gateway.ports import ExchangeView
from exchange.market.phases import Phase
from exchange.protocol.encoding import SharedNotification
from exchange.protocol.messages import Params, PhaseRow, PhasesSnapshot


class Numbered(Protocol):
    """Makes the params of a notification that has a place in the channel."""

    def __call__(self, *, seq: int, prev_seq: int) -> Params: ...


class StatusChannel:
    """`seq` counts what was told in this epoch."""

    def __init__(self, exchange: ExchangeView, epoch: Callable[[], int]) -> None:
        self._exchange = exchange
        self._epoch = epoch
        self._subscribers: set[Outbox] = set()
        self.seq = 0

    def subscribe(self, outbox: Outbox) -> None:
        rows = [
            PhaseRow(instrument.symbol, instrument.phase.name.lower(), self._exchange.phase_end_ns(instrument.symbol))
            for instrument in self._exchange.instruments()
            if instrument.phase is not Phase.SETTLED
        ]
        snapshot = PhasesSnapshot(seq=self.seq, epoch=self._epoch(), phases=rows)
        outbox.put_private(outbox.encoding.encode_notification("phases.snapshot", snapshot))
        self._subscribers.add(outbox)

    def unsubscribe(self, outbox: Outbox) -> None:
        self._subscribers.discard(outbox)

    def publish(self, method: str, params: Numbered) -> None:
        self.seq += 1
        frame = SharedNotification(method, params(seq=self.seq, prev_seq=self.seq - 1))
        for outbox in self._subscribers:
            outbox.put_private(frame.encoded(outbox.encoding))
