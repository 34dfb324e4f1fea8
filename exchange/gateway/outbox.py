"""Frames that wait for one transport. Bounded: public data is left out when the transport lags, a private backlog ends the session.

One slow or dead transport fills its own outbox and nobody else's; publishing never waits.
"""

from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from exchange.gateway.framing import server_frames, split_frames
from exchange.gateway.limits import Limits
from exchange.protocol.encoding import JSON, Encoding

# What an adapter takes for one write, and a message more: the transport, which has no bound, is not to get all that the outbox may hold.
BYTES_A_WRITE: Final = 128 * 1024
_ANY: Final = 1 << 62


class Block(NamedTuple):
    """Text messages that are framed already (framing.server_frames), one behind the other."""

    framed: bytes
    n_messages: int


# Takes framed messages for the transport at once; False when it does not take any now.
Write = Callable[[bytes], bool]


class Outbox:
    """Queue of messages in the connection's encoding. `wake` is called when there is something to send, or when the session has to end.

    `write` lets framed messages go past the queue while nothing waits in it: so a transport that keeps up costs one call a write.
    """

    __slots__ = ("_bytes", "_count", "_frames", "_limits", "_wake", "_write", "encoding", "overflowed", "sent_bytes")

    def __init__(self, limits: Limits, wake: Callable[[], None], encoding: Encoding = JSON, write: Write | None = None) -> None:
        self.encoding = encoding
        self._frames: deque[bytes | Block] = deque()
        self._count = 0  # messages, those in blocks as well
        self._bytes = 0
        self._limits = limits
        self._wake = wake
        self._write = write
        self.overflowed = False
        self.sent_bytes = 0  # taken to be sent

    def __len__(self) -> int:
        return self._count

    @property
    def lags(self) -> bool:
        """Whether public data is to be left out now."""
        return self._count >= self._limits.public_backlog_frames

    def put_private(self, frame: bytes) -> None:
        """An answer or a private notification: never dropped while the session lives."""
        if self.overflowed:
            return
        self._frames.append(frame)
        self._count += 1
        self._bytes += len(frame)
        self._check()
        self._wake()

    def put_answers(self, frames: list[bytes]) -> None:
        """Several private frames at once."""
        if self.overflowed or not frames:
            return
        self._frames.extend(frames)
        self._count += len(frames)
        self._bytes += sum(map(len, frames))
        self._check()
        self._wake()

    def put_framed(self, framed: bytes, n_messages: int) -> None:
        """Several private frames at once, framed already."""
        if self.overflowed:
            return
        if not self._count and self._write is not None and self._write(framed):
            self.sent_bytes += len(framed)
            return
        self._frames.append(Block(framed, n_messages))
        self._count += n_messages
        self._bytes += len(framed)
        self._check()
        self._wake()

    def put_public(self, frame: bytes, framed: bytes = b"") -> bool:
        """Market data; False when it was left out because the transport lags. The publisher then owes a snapshot. `framed`: the same, framed."""
        if self.overflowed or self._count >= self._limits.public_backlog_frames:
            return False
        if framed and not self._count and self._write is not None and self._write(framed):
            self.sent_bytes += len(framed)
            return True
        self._frames.append(frame)
        self._count += 1
        self._bytes += len(frame)
        self._wake()
        return True

    def _check(self) -> None:
        # The newest message does not count: an answer larger than the limit reaches a client that reads.
        newest = self._frames[-1]
        n_bytes = self._bytes if isinstance(newest, Block) else self._bytes - len(newest)
        if self._count > self._limits.outbox_frames or n_bytes > self._limits.outbox_bytes:
            self.overflowed = True
            self._frames.clear()
            self._count = self._bytes = 0

    def take(self, count: int, n_bytes: int = _ANY) -> list[bytes]:
        """The next messages to send, at most `count`, or those of one block; nothing more once `n_bytes` were taken."""
        messages: list[bytes] = []
        enough = self.sent_bytes + n_bytes
        while self._frames and len(messages) < count and self.sent_bytes < enough:
            following = self._frames[0]
            if isinstance(following, Block):
                if messages and len(messages) + following.n_messages > count:
                    break
                messages += split_frames(following.framed)
            else:
                messages.append(following)
            self._drop()
        return messages

    def take_framed(self, count: int, n_bytes: int = _ANY) -> bytes:
        """As `take`, framed for the transport."""
        parts: list[bytes] = []
        messages: list[bytes] = []
        enough = self.sent_bytes + n_bytes
        while self._frames and count > 0 and self.sent_bytes < enough:
            following = self._frames[0]
            if isinstance(following, Block):
                parts += [server_frames(messages, is_binary=self.encoding.is_binary), following.framed]
                messages = []
                count -= following.n_messages
            else:
                messages.append(following)
                count -= 1
            self._drop()
        parts.append(server_frames(messages, is_binary=self.encoding.is_binary))
        return b"".join(parts)

    def _drop(self) -> None:
        """The first entry has been taken."""
        taken = self._frames.popleft()
        n_bytes = len(taken.framed if isinstance(taken, Block) else taken)
        self._count -= taken.n_messages if isinstance(taken, Block) else 1
        self._bytes -= n_bytes
        self.sent_bytes += n_bytes
