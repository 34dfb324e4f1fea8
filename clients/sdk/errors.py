"""Exceptions of the SDK.

ClientError
├── RequestRefused             the exchange answered with an error: code, message, data
│   └── OrderRejected          an order command was refused
├── LogonRefused               the key, the clock or the host does not fit
└── ConnectionLost             the connection ended and could not be resumed; the command may or may not have been carried out
"""

from typing import Any

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


class OrderRejected(RequestRefused):
    """An order command was refused; a journaled one names its `sequence` in `data`."""


class LogonRefused(ClientError):  # noqa: N818 - as above
    """The exchange does not let this key in."""


class ConnectionLost(ClientError):  # noqa: N818 - as above
    """The connection ended. A command that was on its way may or may not have been carried out."""
