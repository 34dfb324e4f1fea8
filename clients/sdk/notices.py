"""What the client itself has to tell, beside what the exchange does: `park.on("connection", ...)` and `park.on("missed", ...)`."""

from msgspec import Struct


class ConnectionChange(Struct, frozen=True):
    """The link went down, came up again, or (`final`) was given up. `reason` says why, in words."""

    connected: bool
    final: bool
    reason: str


class Missed(Struct, frozen=True):
    """Executions `first_seq` to `last_seq` cannot be had any more; the open orders were taken from the exchange instead.

    Fills among them are not in any `Order.fills`. Positions and balances are to be asked again.
    """

    first_seq: int
    last_seq: int
