"""Turns of a stepped market clock, from the side of who takes part."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class MarketTurn:
    """The market clock stands at `now_ns` until it moves to `next_ns`; after the last turn it moves no more."""

    turn: int
    now_ns: int
    next_ns: int
    last: bool
    _report: Callable[[int], Awaitable[None]] = field(repr=False)

    async def done(self) -> None:
        """Report that this client needs the turn no longer."""
        await self._report(self.turn)
