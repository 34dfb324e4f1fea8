"""A line between client and exchange that fails at chosen frames. Frames of both directions are counted together, from 0, over all connections."""

import asyncio
from collections.abc import Sequence
from enum import StrEnum

from clients.sdk.transport import ConnectionLost as OnLost
from clients.sdk.transport import Connector, FramesReceived, Transport

HOLD_S = 0.002


class Fault(StrEnum):
    """What happens at a frame. The first two end the connection without it and with it."""

    CUT_BEFORE = "cut before"
    CUT_AFTER = "cut after"
    TWICE = "twice"
    SILENCE = "silence"  # it and all later frames of both directions vanish, and nobody says that the connection is gone
    LATE = "late"  # it and the later frames of its direction come a little later


class FlakyLine:
    """A connector with a plan: number of a frame -> fault."""

    def __init__(self, connector: Connector, plan: dict[int, Fault]) -> None:
        self.connector = connector
        self.plan = plan
        self.frames = 0
        self.met: list[Fault] = []
        self.connections = 0

    async def __call__(self, on_frames: FramesReceived, on_lost: OnLost) -> Transport:
        self.connections += 1
        end = _End(self, on_frames)
        end.transport = await self.connector(end.incoming.take, on_lost)
        end.outgoing.deliver = end.transport.send
        return end

    def next_fault(self) -> Fault | None:
        fault = self.plan.get(self.frames)
        self.frames += 1
        if fault is not None:
            self.met.append(fault)
        return fault


class _End:
    """The client's end of one connection."""

    def __init__(self, line: FlakyLine, on_frames: FramesReceived) -> None:
        self.line = line
        self.host = "loopback"
        self.transport: Transport | None = None
        self.is_dead = False
        self.incoming = _Direction(self, on_frames)
        self.outgoing = _Direction(self, lambda frames: None)

    def send(self, frames: Sequence[bytes]) -> None:
        self.outgoing.take(list(frames))

    async def drained(self) -> None:
        await asyncio.sleep(0)

    async def close(self) -> None:
        assert self.transport is not None
        await self.transport.close()

    def abort(self) -> None:
        self.is_dead = True
        assert self.transport is not None
        self.transport.abort()


class _Direction:
    def __init__(self, end: _End, deliver: FramesReceived) -> None:
        self.end = end
        self.deliver = deliver
        self.held: list[bytes] | None = None

    def take(self, frames: list[bytes]) -> None:
        """Pass frames on, one by one, until a fault says otherwise."""
        for frame in frames:
            if self.end.is_dead:
                return
            fault = self.end.line.next_fault()
            if fault is Fault.SILENCE:
                self.end.is_dead = True
                return
            if fault is Fault.CUT_BEFORE:
                self.end.abort()
                return
            if fault is Fault.LATE and self.held is None:
                self.held = []
                asyncio.get_running_loop().call_later(HOLD_S, self._release)
            copies = [frame, frame] if fault is Fault.TWICE else [frame]
            if self.held is not None:
                self.held += copies
            else:
                self.deliver(copies)
            if fault is Fault.CUT_AFTER:
                self.end.abort()

    def _release(self) -> None:
        held, self.held = self.held or [], None
        if held and not self.end.is_dead:
            self.deliver(held)
