"""Frames that wait for one transport. Bounded: public data is left out when the transport lags, a private backlog ends the session.

One slow or dead transport fills its own outbox and nobody else's; publishing never waits.
"""

from collections import deque
from collections.abc import Callable

from exchange.gateway.limits import Limits


class Outbox:
    """Queue of encoded frames. `wake` is called when there is something to send, or when the session has to end."""

    __slots__ = ("_bytes", "_frames", "_limits", "_wake", "overflowed", "sent_bytes")

    def __init__(self, limits: Limits, wake: Callable[[], None]) -> None:
        self._frames: deque[bytes] = deque()
        self._bytes = 0
        self._limits = limits
        self._wake = wake
        self.overflowed = False
        self.sent_bytes = 0  # taken to be sent

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def lags(self) -> bool:
        """Whether public data is to be left out now."""
        return len(self._frames) >= self._limits.public_backlog_frames

    def put_private(self, frame: bytes) -> None:
        """An answer or a private notification: never dropped while the session lives."""
        if self.overflowed:
            return
        self._frames.append(frame)
        self._bytes += len(frame)
        self._check()
        self._wake()

    def put_answers(self, frames: list[bytes]) -> None:
        """Several private frames at once."""
        if self.overflowed or not frames:
            return
        self._frames.extend(frames)
        self._bytes += sum(map(len, frames))
        self._check()
        self._wake()

    def put_public(self, frame: bytes) -> bool:
        """Market data; False when it was left out because the transport lags. The publisher then owes a snapshot."""
        if self.overflowed or self.lags:
            return False
        self._frames.append(frame)
        self._bytes += len(frame)
        self._wake()
        return True

    def _check(self) -> None:
        if len(self._frames) > self._limits.outbox_frames or self._bytes > self._limits.outbox_bytes:
            self.overflowed = True
            self._frames.clear()
            self._bytes = 0

    def take(self, count: int) -> list[bytes]:
        """The next frames to send, at most `count`."""
        frames = [self._frames.popleft() for _ in range(min(count, len(self._frames)))]
        n_bytes = sum(map(len, frames))
        self._bytes -= n_bytes
        self.sent_bytes += n_bytes
        return frames
