"""`session.cancel_after`: arms, renews and disarms the dead man's switch of an account or of one of its labels.

A renewal that would move the deadline by less than a tenth of the timeout, and by less than a second, is answered with the deadline that stands: a
client may renew as often as it likes, and the journal hears of it once a second, or ten times a timeout. Only where nothing else of the session is
on its way, since that may be another setting of the same switch.
"""

from functools import partial
from typing import TYPE_CHECKING, Final

from exchange.gateway.submit import identity_of
from exchange.gateway.validate import pack_command
from exchange.journal.record import CommandKind
from exchange.protocol import messages as m
from exchange.protocol.documents import CancelAfter, encode_document
from exchange.protocol.limits import CANCEL_AFTER_MAX_NS, CANCEL_AFTER_MIN_NS
from exchange.protocol.reject_codes import RejectCode
from exchange.units import NS_PER_SECOND

if TYPE_CHECKING:
    from exchange.gateway.connection import Connection
    from exchange.gateway.ports import CommandAnswer

NS_PER_MS: Final = 1_000_000
_STEPS: Final = 10
_STEP_MAX_NS: Final = NS_PER_SECOND


def cancel_after(connection: "Connection", request: m.CancelAfter) -> None:
    timeout_ns, label = request.params.timeout_ms * NS_PER_MS, request.params.label
    if timeout_ns != 0 and not CANCEL_AFTER_MIN_NS <= timeout_ns <= CANCEL_AFTER_MAX_NS:
        connection.session.refuse(request, RejectCode.TIMEOUT_OUT_OF_RANGE)
        return
    limited = connection.throttle_problem(type(request))
    if limited is not None:
        connection.session.refuse(request, RejectCode.RATE_LIMITED, limited)
        return
    stands_ns = _deadline_that_stands(connection, timeout_ns, label)
    if stands_ns:
        connection.session.answer(request, m.CancelAfterResult(fires_at_ns=stands_ns))
        return
    if not connection.has_room(1):
        connection.session.refuse(request, RejectCode.QUEUE_FULL, {"in_flight": connection.hub.in_flight})
        return
    identity = identity_of(connection)
    record = pack_command(CommandKind.DOCUMENT, identity.account, identity.session)
    document = encode_document(CancelAfter(timeout_ns=timeout_ns, label=label))
    connection.submit(request, record, document, partial(_answer, connection, request))


def _deadline_that_stands(connection: "Connection", timeout_ns: int, label: int | None) -> int:
    """When the switch fires without this renewal, if that is near enough to what it asks for; 0: it has to be recorded."""
    found = connection.hub.exchange.switch(identity_of(connection).account, label)
    if timeout_ns == 0 or found is None or found[0] != timeout_ns or connection.session.unanswered > 1:
        return 0
    later_ns = connection.hub.node.clock.now_ns() + timeout_ns - found[1]
    return found[1] if later_ns < min(timeout_ns // _STEPS, _STEP_MAX_NS) else 0


def _answer(connection: "Connection", request: m.CancelAfter, answer: "CommandAnswer") -> None:
    code, sequence = int(answer.outcome["code"]), int(answer.outcome["sequence"])
    if code:
        connection.session.refuse(request, RejectCode(code), {"sequence": sequence, **(answer.result or {})})
    else:
        connection.session.answer(request, m.CancelAfterResult(fires_at_ns=(answer.result or {})["fires_at_ns"], sequence=sequence))
