"""What every watch of an invariant is, and how a breach is told."""

from typing import NamedTuple, Protocol

from exchange.errors import CheckFailedError
from exchange.order_path.path import BatchResult, Exchange


class Finding(NamedTuple):
    """What was looked at, for the report: the invariants by their numbers, their subject, and how much of it there was.

    `waiting`: what is no breach and yet somebody has to act on, one line each.
    """

    invariants: str
    subject: str
    checked: str
    waiting: tuple[str, ...] = ()


class Watch(Protocol):
    """Sees a replay from its start, batch by batch. Raises CheckFailedError at the first breach, with the command where it is."""

    def begin(self, exchange: Exchange) -> None:
        """The replay starts from this state: the genesis or a snapshot."""

    def see(self, batch: BatchResult, exchange: Exchange) -> None:
        """`exchange` is as of the end of the batch."""

    def conclude(self, exchange: Exchange, /) -> Finding:
        """Nothing more comes."""


def breach(invariant: str, what: str, sequence: int) -> CheckFailedError:
    """The error for a broken invariant."""
    return CheckFailedError(f"invariant {invariant} is broken at command {sequence}: {what}")
