"""A business document on its way to the node: encoded, throttled, and answered when it is committed."""

from typing import TYPE_CHECKING, Final

from exchange.gateway.identity import Identity
from exchange.gateway.validate import pack_command
from exchange.journal.record import CommandKind
from exchange.protocol import messages as m
from exchange.protocol.documents import DOCUMENT_LIMIT_BYTES, ConfirmClock, Document, encode_document
from exchange.protocol.reject_codes import RejectCode
from exchange.units import NS_PER_SECOND

if TYPE_CHECKING:
    from exchange.gateway.connection import Connection
    from exchange.gateway.ports import CommandAnswer

# How far the time that an operator confirms may be from what the exchange's clock shows: a person reads it elsewhere and types it.
CLOCK_TOLERANCE_NS: Final = 5 * NS_PER_SECOND


def identity_of(connection: "Connection") -> Identity:
    """The access table lets nobody in who is not logged on."""
    assert connection.identity is not None
    return connection.identity


def submit_document(connection: "Connection", request: m.Request, document: Document, client_order_id: str) -> None:
    """Journal a business command; the answer comes when it has been carried out or refused."""
    identity = identity_of(connection)
    try:
        encoded = encode_document(document)
    except OverflowError:  # an integer beyond 64 bits
        encoded = b""
    if not 0 < len(encoded) <= DOCUMENT_LIMIT_BYTES:
        connection.session.refuse(request, RejectCode.INVALID_DOCUMENT)
        return
    limited = connection.throttle_problem(type(request))
    if limited is not None:
        connection.session.refuse(request, RejectCode.RATE_LIMITED, limited)
        return
    if not connection.has_room(1):
        connection.session.refuse(request, RejectCode.QUEUE_FULL, {"in_flight": connection.hub.in_flight})
        return

    def committed(answer: "CommandAnswer") -> None:
        code, sequence = int(answer.outcome["code"]), int(answer.outcome["sequence"])
        connection.hub.events.document_committed(identity, document.SCHEMA, sequence, code)
        if code:
            connection.session.refuse(request, RejectCode(code), {"sequence": sequence, **(answer.result or {})})
            return
        connection.session.answer(request, m.SubmitResult(sequence=sequence, result=answer.result))

    record = pack_command(CommandKind.DOCUMENT, identity.account, identity.session, order_id=identity.key_number, client_order_id=client_order_id)
    if isinstance(document, ConfirmClock) and "operate" in identity.scopes:
        wall_ns = connection.hub.wall_ns()
        if abs(document.wall_ns - wall_ns) > CLOCK_TOLERANCE_NS:
            connection.session.refuse(request, RejectCode.CLOCK_DIFFERS, {"wall_ns": wall_ns})
            return
        connection.submit(request, record, encoded, committed, connection.hub.node.confirm_clock)
        return
    connection.submit(request, record, encoded, committed)
