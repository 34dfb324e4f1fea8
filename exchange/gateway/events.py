"""What happens at the door of the exchange, counted for the metrics and told to the log: sessions, refusals, acts of the operator.

Called once a session or administrative act, never once an order. Of a client nothing is told but what the exchange itself has registered.
"""

import logging
from collections import Counter
from typing import TYPE_CHECKING

from exchange.gateway.identity import Identity
from exchange.logs import log_event
from exchange.protocol.reject_codes import RejectCode

if TYPE_CHECKING:
    from exchange.gateway.connection import Connection

logger = logging.getLogger("parkex.gateway")

BY_CLIENT = "client"  # why a session ended: its transport went away


class GatewayEvents:
    """`refused` counts every refusal that was sent, by code; the sessions of all connections add to it."""

    def __init__(self) -> None:
        self.refused: Counter[int] = Counter()
        self.connections_opened = 0
        self.connections_refused: Counter[str] = Counter()
        self.sessions_opened = 0
        self.sessions_ended: Counter[str] = Counter()
        self.logons_refused: Counter[int] = Counter()
        # Of connections that have ended; those that live count for themselves.
        self.received_bytes = 0
        self.sent_bytes = 0

    def connection_refused(self, reason: str) -> None:
        """`reason` is one of a fixed few: host, origin, limit, draining."""
        self.connections_refused[reason] += 1
        log_event(logger, logging.WARNING, "connection refused", reason=reason)

    def connection_opened(self) -> None:
        self.connections_opened += 1

    def connection_closed(self, connection: "Connection") -> None:
        """A transport has gone; if a session was logged on over it, that has ended too."""
        self.received_bytes += connection.received_bytes
        self.sent_bytes += connection.outbox.sent_bytes
        identity, code = connection.identity, connection.end_code
        if identity is None:
            return
        reason = BY_CLIENT if code is None else str(int(code))
        self.sessions_ended[reason] += 1
        level = logging.INFO if code in {None, RejectCode.SHUTTING_DOWN} else logging.WARNING
        log_event(logger, level, "session ended", **_who(identity), reason=reason)

    def session_opened(self, identity: Identity) -> None:
        self.sessions_opened += 1
        log_event(logger, logging.INFO, "session opened", **_who(identity), scopes=sorted(identity.scopes))

    def logon_refused(self, code: RejectCode, account: int | None, key_id: str | None) -> None:
        """`account` and `key_id` of a registered key, None where the client named none: what it sent instead is not repeated."""
        self.logons_refused[int(code)] += 1
        log_event(logger, logging.WARNING, "logon refused", code=int(code), account=account, key_id=key_id)

    def document_committed(self, identity: Identity, schema: str, sequence: int, code: int) -> None:
        """A business document: an administrative act, or of a member one like a nomination."""
        level = logging.INFO if "operate" in identity.scopes else logging.DEBUG
        log_event(logger, level, "document recorded", **_who(identity), schema=schema, sequence=sequence, code=code)

    def clock_changed(self, identity: Identity, act: str) -> None:
        """The market clock was told to run or to pause."""
        log_event(logger, logging.INFO, "market clock", **_who(identity), act=act)


def _who(identity: Identity) -> dict[str, int | str]:
    return {"session": identity.session, "account": identity.account, "key_id": identity.key_id}
