"""Methods of keys, four eyes, the audit log and alerts. Acts are documents (`operator.submit`); here are the questions, and proposing."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from exchange.errors import InputError
from exchange.gateway.access import OVERSEERS
from exchange.gateway.administration_results import audit_page, audit_result, is_behind_tail, key_rows, proposals_result
from exchange.gateway.history import ask_records
from exchange.gateway.submit import identity_of, submit_document
from exchange.protocol import messages as m
from exchange.protocol.documents import DOCUMENTS, Propose, document_from_wire, encode_document
from exchange.protocol.reject_codes import RejectCode

if TYPE_CHECKING:
    from exchange.accounts.audit import AuditEntry
    from exchange.gateway.connection import Connection


def propose(connection: "Connection", request: m.OperatorPropose) -> None:
    """A document goes into a proposal as the bytes that an approval will carry out."""
    params = request.params
    try:
        encoded = encode_document(document_from_wire(params.schema, params.document))
    except (InputError, OverflowError):
        code = RejectCode.INVALID_DOCUMENT if params.schema in DOCUMENTS else RejectCode.UNKNOWN_DOCUMENT
        connection.session.refuse(request, code)
        return
    submit_document(connection, request, Propose(document=encoded, reason=params.reason), "")


def proposals(connection: "Connection", request: m.OperatorProposals) -> None:
    connection.session.answer(request, proposals_result(connection.hub.exchange))


def keys(connection: "Connection", request: m.KeysList) -> None:
    identity = identity_of(connection)
    account = request.params.account
    if OVERSEERS.isdisjoint(identity.scopes):
        account = identity.account  # of others there is nothing to see, whether they are there or not
    ring = connection.hub.exchange.rooms.participants.ring
    connection.session.answer(request, m.KeysResult(keys=key_rows(ring, connection.hub.node.epoch, account)))


def audit_log(connection: "Connection", request: m.AuditLog) -> None:
    """The last entries from memory, older ones from the records."""
    exchange, history, params = connection.hub.exchange, connection.hub.history, request.params
    from_number, limit = params.from_number, params.limit
    if from_number is None or history is None or not is_behind_tail(exchange, from_number):
        connection.session.answer(request, audit_result(exchange, from_number, limit))
        return
    start = from_number

    def answer(recorded: "list[AuditEntry]") -> None:
        connection.session.answer(request, audit_page(exchange, start, limit, recorded))

    ask_records(connection, request, partial(history.audit_entries, start, limit), answer)


def alerts(connection: "Connection", request: m.Alerts) -> None:
    params = request.params
    connection.session.answer(request, connection.hub.surveillance.result(params.rule, params.limit))


HANDLERS: Final[dict[type[m.Request], Callable[["Connection", Any], None]]] = {
    m.OperatorPropose: propose,
    m.OperatorProposals: proposals,
    m.KeysList: keys,
    m.AuditLog: audit_log,
    m.Alerts: alerts,
}
