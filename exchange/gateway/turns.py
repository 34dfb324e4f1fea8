"""The conductor of a stepped market clock: the clock stands still within a turn and moves when everyone is done, or at a fixed speed.

As fast as possible (`speed` None): the next turn begins when every participant has reported `turn.done`, or after `turn_timeout_s` of wall time.
At a fixed speed: the next turn begins on wall time, and `turn.done` is only information.
"""

import asyncio
import logging
from typing import Any, Final

import numpy as np

from exchange.clock import TurnClock
from exchange.gateway.outbox import Outbox
from exchange.gateway.ports import NodePort
from exchange.gateway.publisher import Publisher
from exchange.gateway.validate import pack_command
from exchange.journal.record import COMMAND, CommandKind
from exchange.protocol.messages import Turn
from exchange.units import NS_PER_SECOND

logger = logging.getLogger("parkex.turns")

FIRST_TURN: Final = 1


class TurnConductor:
    """Moves `clock` from where it stands to `end_ns` in steps of `turn_ns`. Each step is a journaled tick, so replay needs no conductor.

    It waits for `run` (or starts at once with `autostart` when attached inside a running loop). The turn that begins at `end_ns` is the last one.
    """

    def __init__(
        self, clock: TurnClock, *, end_ns: int, turn_ns: int, speed: float | None = None, turn_timeout_s: float = 30.0, autostart: bool = False
    ) -> None:
        self._clock = clock
        self._end_ns = end_ns
        self._turn_ns = turn_ns
        self._speed = speed
        self._turn_timeout_s = turn_timeout_s
        self._autostart = autostart
        self._node: NodePort | None = None
        self._publisher: Publisher | None = None
        self._participants: set[Outbox] = set()
        self._done: set[Outbox] = set()
        self._all_done = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._turn: Turn | None = None
        self._began_s = 0.0
        self.turns_timed_out = 0

    @property
    def turn(self) -> int:
        """Number of the current turn, 0 before the first."""
        return 0 if self._turn is None else self._turn.turn

    @property
    def finished(self) -> bool:
        """Whether the last turn has begun."""
        return self._turn is not None and self._turn.last

    @property
    def running(self) -> bool:
        return self._task is not None and not self._task.done()

    def attach(self, node: NodePort, publisher: Publisher) -> None:
        """Called by the gateway it belongs to."""
        self._node = node
        self._publisher = publisher
        if self._autostart:
            self.run(self._speed)

    def run(self, speed: float | None) -> None:
        """Start, or go on after a pause, or change the speed. `speed` is market seconds a wall second; None: as fast as the participants are done."""
        self.pause()
        self._speed = speed
        if not self.finished:
            self._task = asyncio.get_running_loop().create_task(self._conduct(), name="turn conductor")

    def pause(self) -> None:
        """Stand still. A turn that has begun can still be reported done."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def close(self) -> None:
        """Stop for good."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    def join(self, outbox: Outbox, *, takes_part: bool) -> None:
        """A session is told the current turn when there is one, and is waited for from it on if it takes part."""
        if takes_part:
            self._participants.add(outbox)
        if self._turn is not None:
            outbox.put_private(outbox.encoding.encode_notification("turn", self._turn))

    def leave(self, outbox: Outbox) -> None:
        """A session that has ended is no longer waited for."""
        self._participants.discard(outbox)
        self._done.discard(outbox)
        self._check_done()

    def done(self, outbox: Outbox, turn: int) -> None:
        """A participant has finished `turn`; a report about an earlier turn is void."""
        if turn == self.turn and outbox in self._participants:
            self._done.add(outbox)
            self._check_done()

    def _check_done(self) -> None:
        if self._participants and len(self._done) == len(self._participants):
            self._all_done.set()

    async def _conduct(self) -> None:
        try:
            while not self.finished:
                if self._turn is not None:
                    await self._wait_for_end_of_turn(self._turn)
                await self._begin_turn()
        except asyncio.CancelledError:
            raise
        except Exception:
            # Without a clock the market stands still: nothing is lost, but somebody has to know.
            logger.exception("the market clock stopped at turn %d", self.turn)

    async def _begin_turn(self) -> None:
        assert self._node is not None
        assert self._publisher is not None
        began_s = asyncio.get_running_loop().time()
        if self._turn is not None:
            self._clock.advance_to(self._turn.next_ns)
            # Shielded: a pause must not cancel a tick that the node has taken.
            await asyncio.shield(asyncio.ensure_future(self._node.submit(_tick())))
        now_ns = self._clock.now_ns()
        next_ns = min(now_ns + self._turn_ns, self._end_ns)
        self._began_s = began_s
        self._done.clear()
        self._all_done.clear()
        self._turn = Turn(turn=self.turn + 1, now_ns=now_ns, next_ns=next_ns, last=now_ns >= self._end_ns)
        self._publisher.flush()
        self._publisher.publish_turn(self._turn)

    async def _wait_for_end_of_turn(self, turn: Turn) -> None:
        if self._speed is not None:
            duration_s = (turn.next_ns - turn.now_ns) / NS_PER_SECOND / self._speed
            await asyncio.sleep(self._began_s + duration_s - asyncio.get_running_loop().time())
            return
        try:
            async with asyncio.timeout(self._turn_timeout_s):
                await self._all_done.wait()
        except TimeoutError:
            self.turns_timed_out += 1


def _tick() -> "np.ndarray[Any, np.dtype[np.void]]":
    return np.frombuffer(bytearray(pack_command(CommandKind.TICK, 0, 0)), COMMAND)
