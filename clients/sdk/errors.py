"""Exceptions of the SDK.

ClientError
├── RequestRefused             the exchange answered with an error: code, message, data
│   └── OrderRejected          an order command was refused
├── LogonRefused               the key, the clock or the host does not fit
├── NotSent                    a mass cancel took the order back before it was sent
└── ConnectionLost             the connection ended and could not be resumed; the command may or may not have been carried out
    └── OutcomeUnknown         sent again after a lost connection, and the exchange would not say what became of it
"""

from typing import Any

from clients.sdk.pacing import retry_after_s
from exchange.protocol.reject_codes import RejectCode


class ClientError(Exception):
    """Base of all exceptions of the SDK."""


class RequestRefused(ClientError):  # noqa: N818 - named for what happened, as the events of the exchange are
    """The exchange refused a request. `code` is a RejectCode (a plain int for a code of a newer server), `data` says more.

    The text has the code, the message and what `data` says of the reason: the rule, the leg of a basket.
    """

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        reasons = [f"{name} {data[name]}" for name in ("rule", "leg") if name in data] if isinstance(data, dict) else []
        super().__init__(" · ".join([f"{code} {message}", *reasons]))
        self.code: int = RejectCode(code) if code in RejectCode._value2member_map_ else code
        self.message = message
        self.data = data if data is not None else {}

    @property
    def retry_after_s(self) -> float | None:
        """When a rate limit lets the same command through, in seconds from now; None for every other refusal."""
        return retry_after_s(self.data)


class OrderRejected(RequestRefused):
    """An order command was refused; a journaled one names its `sequence` in `data`."""


class LogonRefused(ClientError):  # noqa: N818 - as above
    """The exchange does not let this key in. `code` is its reject code, 0 when the client itself refused. `final`: trying again is of no use."""

    def __init__(self, message: str, code: int = 0, *, final: bool = True) -> None:
        super().__init__(message)
        self.code = code
        self.final = final


class NotSent(ClientError):  # noqa: N818 - as above
    """The order was waiting to be sent when a mass cancel that covers it was called; it never left."""


class ConnectionLost(ClientError):  # noqa: N818 - as above
    """The connection ended. A command that was on its way may or may not have been carried out."""


class OutcomeUnknown(ConnectionLost):
    """The connection ended with the command on its way; sent again it was turned away before anyone looked up what became of the first one.

    `open_orders` and the executions still tell what the exchange did. `code` is the refusal's.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"sent again after a lost connection and turned away: {code} {message}")
        self.code = code
