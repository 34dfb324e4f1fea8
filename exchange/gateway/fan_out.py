"""One frame to many outboxes without holding up orders: encoded and framed once, and sent in slices between which the loop turns to what has come.

Frames go out in the order of `send`, each to all before the next. Whoever changes who gets what calls `finish` first.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from exchange.gateway.framing import server_frames
from exchange.gateway.outbox import Outbox
from exchange.protocol.encoding import SharedNotification

SLICE: Final = 16  # outboxes: about a tenth of a millisecond of system calls


@dataclass(slots=True)
class _Sending:
    notification: SharedNotification
    outboxes: list[Outbox]
    left_out: set[Outbox]
    n_sent: int = 0
    frames: dict[str, tuple[bytes, bytes]] = field(default_factory=dict)  # by encoding: as it is, and framed

    def go_on(self, count: int) -> bool:
        """Send to `count` more; whether that were all."""
        for outbox in self.outboxes[self.n_sent : self.n_sent + count]:
            encoding = outbox.encoding
            pair = self.frames.get(encoding.name)
            if pair is None:
                frame = self.notification.encoded(encoding)
                pair = self.frames[encoding.name] = frame, server_frames([frame], is_binary=encoding.is_binary)
            if not outbox.put_public(*pair):
                self.left_out.add(outbox)
        self.n_sent += count
        return self.n_sent >= len(self.outboxes)


class FanOut:
    """`finished` is called by the loop after frames that went out in slices, when nothing waits any more."""

    def __init__(self, finished: Callable[[], None]) -> None:
        self._finished = finished
        self._sending: deque[_Sending] = deque()

    @property
    def is_busy(self) -> bool:
        return bool(self._sending)

    def send(self, notification: SharedNotification, outboxes: Iterable[Outbox], left_out: set[Outbox]) -> None:
        """Market data; those whose transport lags are added to `left_out`. Needs a running loop when outboxes are more than SLICE."""
        sending = _Sending(notification, list(outboxes), left_out)
        if not self._sending and sending.go_on(SLICE):
            return
        self._sending.append(sending)
        if len(self._sending) == 1:
            asyncio.get_running_loop().call_soon(self._go_on)

    def finish(self) -> None:
        """Send what waits now."""
        while self._sending:
            sending = self._sending.popleft()
            sending.go_on(len(sending.outboxes))

    def _go_on(self) -> None:
        if self._sending and self._sending[0].go_on(SLICE):
            self._sending.popleft()
        if self._sending:
            asyncio.get_running_loop().call_soon(self._go_on)
        else:
            self._finished()
