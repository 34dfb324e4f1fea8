"""A business document from its bytes to its answer: who speaks, whether that person is enough, the handler, the audit log.

Checks in order: the document, the account, the key that the record names, a second person where one is needed, then the handler's own rules.
"""

from typing import TYPE_CHECKING, Any

from exchange.accounts.approvals import Proposal, Status
from exchange.accounts.permissions import Role
from exchange.errors import InputError
from exchange.order_path.business import approvals, audit
from exchange.order_path.business.handlers import HANDLERS, TRADING
from exchange.order_path.business.rules import BusinessRuleError, Caller, CodedRefusalError, Result, require_code
from exchange.order_path.business.senders import SENDERS
from exchange.protocol.documents import ApproveProposal, CancelAfter, Document, Nominate, decode_document
from exchange.protocol.reject_codes import RejectCode

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange


class _ApprovalRequiredError(CodedRefusalError):
    """A second person has to approve; `ground` says why."""

    def __init__(self, ground: str) -> None:
        super().__init__(RejectCode.APPROVAL_REQUIRED)
        self.ground = ground


def carry_out(exchange: "Exchange", account: int, key_number: int, data: bytes) -> tuple[RejectCode, dict[str, Any]]:
    """(code, answer) of one journaled document. `key_number` names the key that speaks, 0: the record names none."""
    key = exchange.rooms.participants.ring.speaking(key_number)
    caller = Caller(account, exchange.now_ns, key)
    try:
        document = decode_document(data)
    except InputError:
        if key_number:
            audit.write(exchange, None, data, caller, None, RejectCode.INVALID_DOCUMENT, "", None)
        return RejectCode.INVALID_DOCUMENT, {}
    approved = _approved_by(exchange, document)
    effective = document if approved is None else decode_document(approved.document)
    is_audited = key_number != 0 and not _is_a_participants_own(exchange, document, account)
    before = audit.view(exchange, effective) if is_audited else None
    code, answer = RejectCode.ACCEPTED, {}
    try:
        _require_speaker(exchange, document, caller, key_number)
        answer = approve(exchange, document, caller) if isinstance(document, ApproveProposal) else _carry_out_alone(exchange, document, caller)
    except BusinessRuleError as refusal:
        code, answer = refusal.code, {"rule": str(refusal)} if refusal.code is RejectCode.BUSINESS_RULE else {}
        if isinstance(refusal, _ApprovalRequiredError):
            answer = {"ground": refusal.ground}
    if is_audited:
        carried_out = approved if approved is not None and code is RejectCode.ACCEPTED else None
        shown, shown_data = (effective, approved.document) if carried_out is not None and approved is not None else (document, data)
        audit.write(exchange, shown, shown_data, caller, before, code, str(answer.get("rule", "")), carried_out)
    return code, answer


def _approved_by(exchange: "Exchange", document: Document) -> Proposal | None:
    """The proposal that an approval is about, if it is there."""
    return exchange.rooms.approvals.by_id.get(document.proposal) if isinstance(document, ApproveProposal) else None


def _require_speaker(exchange: "Exchange", document: Document, caller: Caller, key_number: int) -> None:
    """Account and key may send this document. Raises CodedRefusalError."""
    require_code(type(document) in HANDLERS or isinstance(document, ApproveProposal), RejectCode.UNKNOWN_DOCUMENT)
    require_code(may_send(exchange, document, caller.account), RejectCode.NO_PERMISSION)
    if key_number:
        require_code(caller.key is not None and caller.key.account == caller.account, RejectCode.KEY_ENDED)
        assert caller.key is not None
        require_code(_scope_of(exchange, document, caller.account) in caller.key.scopes, RejectCode.NO_PERMISSION)


def _is_a_participants_own(exchange: "Exchange", document: Document, account: int) -> bool:
    """Whether a document is no act of administration: trades, a storage's own nominations, a dead man's switch, what members do with their units."""
    return _scope_of(exchange, document, account) == "trade"


def _scope_of(exchange: "Exchange", document: Document, account: int) -> str:
    """The scope that a key needs to send a document."""
    senders = SENDERS.get(type(document))
    participant = exchange.rooms.participants.by_id.get(account)
    if senders is not None and participant is not None and participant.role in senders.roles:
        return senders.scope_of(participant.role)
    operates = participant is not None and participant.role is Role.OPERATOR
    return "trade" if type(document) in TRADING or (isinstance(document, Nominate | CancelAfter) and not operates) else "operate"


def may_send(exchange: "Exchange", document: Document, account: int) -> bool:
    """Operators send business commands; a participant its own nominations, its switch, and what trades, which no operator sends.

    What other roles send is in senders.py; the operator sends that too only where it is named there.
    """
    participant = exchange.rooms.participants.by_id.get(account)
    if participant is None:
        return False
    if type(document) in SENDERS:
        return participant.role in SENDERS[type(document)].roles
    if type(document) in TRADING:
        return participant.role is not Role.OPERATOR
    return participant.role is Role.OPERATOR or isinstance(document, Nominate | CancelAfter)


def _carry_out_alone(exchange: "Exchange", document: Document, caller: Caller) -> Result:
    ground = approvals.required_approval(exchange, document, caller)
    if ground is not None:
        raise _ApprovalRequiredError(ground)
    answer = HANDLERS[type(document)](exchange, document, caller)
    approvals.note_alone(exchange, document, caller.stamp_ns)
    return answer


def approve(exchange: "Exchange", document: ApproveProposal, caller: Caller) -> Result:
    """Another person approves: the document is carried out as who proposed it. If a rule refuses it, it goes on waiting and nothing has changed."""
    proposal = approvals.asked(exchange, document.proposal)
    approvals.require_another(proposal, caller)
    require_code(document.digest.hex() == approvals.digest_of(proposal), RejectCode.PROPOSAL_DIFFERS)
    proposed = approvals.require_proposable(proposal.document)
    proposer = exchange.rooms.participants.keys.get(proposal.key_id)
    require_code(may_send(exchange, proposed, proposal.account), RejectCode.NO_PERMISSION)
    result = HANDLERS[type(proposed)](exchange, proposed, Caller(proposal.account, caller.stamp_ns, proposer or caller.key))
    return {**approvals.end(exchange, proposal, Status.APPROVED, caller), "result": result}
