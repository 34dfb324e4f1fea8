"""The alarm of an exchange on wall time: where nobody sends anything, deadlines fire all the same.

State moves by commands alone, and a deadline fires before the first command behind it, as if at its own time. So a quiet market would close no gate,
hold no auction and publish no close until somebody speaks. The alarm sends a tick then. What comes of it is the same whenever the tick comes.
"""

import asyncio
import logging
from typing import Final

from exchange.errors import ParkexError
from exchange.journal.record import CommandKind
from exchange.node import Node, new_command

logger = logging.getLogger("parkex.alarm")

LOOK_EVERY_S: Final = 0.2


class Alarm:
    """Looks at the earliest deadline of `node` every `look_every_s` of wall time. For clocks that nobody else drives. Use inside a running loop."""

    def __init__(self, node: Node, look_every_s: float = LOOK_EVERY_S) -> None:
        self._node = node
        self._look_every_s = look_every_s
        self._task = asyncio.create_task(self._watch(), name="alarm")

    async def stop(self) -> None:
        """Before the node stops."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._look_every_s)
            try:
                if self._is_due():
                    # Shielded: the node answers what it has taken, also when the alarm is stopped meanwhile.
                    await asyncio.shield(asyncio.ensure_future(self._node.submit(new_command(CommandKind.TICK))))
            except ParkexError as error:
                # A stepped clock, a full queue, a journal that failed: whoever sends a command is told the same.
                logger.warning("a deadline waits: %s", error)

    def _is_due(self) -> bool:
        deadline_ns = self._node.exchange.next_deadline_ns()
        return deadline_ns is not None and self._node.accepting and deadline_ns <= self._node.clock.now_ns()
