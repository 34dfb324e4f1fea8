"""Four eyes (docs/rules.md, "Four eyes"): what needs a second person, proposals and how they end. Approving is in dispatch.py, since it carries out.

What only stops something (a halt, a revoked key) never waits for a second person.
"""

import hashlib
from typing import TYPE_CHECKING, Final

import msgspec

from exchange.accounts.approvals import WAITING_MAX, WINDOW_MAX_NS, ApprovalMode, ApprovalRules, Proposal, Status
from exchange.errors import InputError
from exchange.market.calendar import next_midnight_ns
from exchange.order_path.business.rules import BusinessRuleError, Caller, CodedRefusalError, Handler, Result, require, require_code
from exchange.order_path.deadlines import add_deadline
from exchange.order_path.state import DeadlineKind
from exchange.protocol.documents import (
    ActivateLevel,
    Admit,
    ApproveProposal,
    ChangeKey,
    ChangeParticipant,
    ChangeTerms,
    ConfirmClock,
    CorrectLedger,
    Deposit,
    Document,
    InstrumentSpec,
    IssueUnits,
    ListInstruments,
    Propose,
    RegisterKey,
    RejectProposal,
    RotateKey,
    SetApprovalRules,
    SetOwnerRules,
    WithdrawProposal,
    decode_document,
)
from exchange.protocol.reject_codes import RejectCode
from exchange.protocol.value_chain.accounting import CloseCarbonYear, RegisterEmissionFactor, RegisterFuelFactor, SetProductNorm
from exchange.protocol.value_chain.allowances import AllocateAllowances, ImposePenalty, SetCarbonRules
from exchange.protocol.value_chain.certificates import SetCertificateRules
from exchange.protocol.value_chain.park_scheme import IssueParkCredits, OpenParkScheme
from exchange.protocol.value_chain.projects import IssueCredits, ReverseCredits
from exchange.protocol.value_chain.settlement import SetNetwork, SetSettlementRules, SetTariff
from exchange.protocol.value_chain.units import DefineEligibility, WithdrawUnits
from exchange.units import INT64_MAX, NS_PER_MINUTE

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange

DOCUMENT_MAX_BYTES: Final = 64 * 1024
# What differs from one delivery period or compliance year to the next without being a rule.
_NOT_RULES: Final = frozenset({
    "symbol", "delivery_start_ns", "delivery_end_ns", "open_ns", "close_ns", "deficit_price_ticks", "surplus_price_ticks", "environment_price_ticks",
    "reference_price_ticks", "previous_close_ticks",
})  # fmt: skip
_RULES: Final = tuple(name for name in InstrumentSpec.__struct_fields__ if name not in _NOT_RULES)
_CHANGES_OF_TERMS: Final = SetApprovalRules | SetOwnerRules | ChangeTerms | ChangeParticipant | ActivateLevel
# What the carbon accounts of all are made with, and settlement.
_CARBON_RULES: Final = RegisterEmissionFactor | RegisterFuelFactor | SetProductNorm | CloseCarbonYear | SetCarbonRules
_SETTLEMENT_RULES: Final = SetSettlementRules | SetNetwork | SetTariff
_RULE_CHANGES: Final = _CHANGES_OF_TERMS | DefineEligibility | SetCertificateRules | OpenParkScheme | _CARBON_RULES | _SETTLEMENT_RULES
# Those about proposals themselves, and what has to be seen on the machine at the moment that it is said.
_NEVER_PROPOSED: Final = (Propose, ApproveProposal, RejectProposal, WithdrawProposal, ConfirmClock)


def required_approval(exchange: "Exchange", document: Document, caller: Caller) -> str | None:
    """Why a document needs a second person now: rules, correction, money, issuance, operate_key; None when its sender is enough."""
    approvals = exchange.rooms.approvals
    if approvals.rules.mode is ApprovalMode.SINGLE:
        return None
    if isinstance(document, _RULE_CHANGES):
        return "rules"
    if isinstance(document, CorrectLedger | WithdrawUnits):
        return "correction"
    if isinstance(document, AllocateAllowances | IssueCredits | ReverseCredits | IssueParkCredits):
        return "issuance"
    if isinstance(document, ImposePenalty):
        return "money"
    if isinstance(document, ListInstruments):
        return None if all(_has_known_rules(exchange, spec) for spec in document.instruments) else "rules"
    same_day = caller.stamp_ns < approvals.day_ends_ns
    if isinstance(document, Deposit):
        moved_micro = approvals.moved_micro if same_day else 0
        return "money" if moved_micro + abs(document.amount_micro) > approvals.rules.money_micro else None
    if isinstance(document, IssueUnits):
        issued_lots = approvals.issued_lots if same_day else 0
        return "issuance" if issued_lots + document.quantity_lots > approvals.rules.issue_lots else None
    return "operate_key" if _grants_operation(exchange, document, caller) else None


def _grants_operation(exchange: "Exchange", document: Document, caller: Caller) -> bool:
    """Whether a document would let somebody operate the market, or for longer, who could not before."""
    keys = exchange.rooms.participants.keys
    if isinstance(document, Admit):
        return any("operate" in key.scopes for key in document.keys)
    if isinstance(document, RegisterKey):
        return "operate" in document.key.scopes
    if isinstance(document, RotateKey | ChangeKey):
        key = keys.get(document.key_id)
        if key is None:
            return False
        if isinstance(document, RotateKey):  # its own new key is nobody's grant
            return "operate" in key.scopes and (not caller.person or caller.person != key.person)
        return "operate" in (key.scopes if document.scopes is None else document.scopes)
    return False


def _has_known_rules(exchange: "Exchange", spec: InstrumentSpec) -> bool:
    """Whether an instrument of the same rules was listed before, so that its rules were approved: the daily listing of the next periods."""
    wanted = _rules_of(spec)
    return any(_rules_of(known.spec) == wanted for known in reversed(exchange.rooms.instruments.by_id.values()))


def _rules_of(spec: InstrumentSpec) -> tuple[object, ...]:
    return (spec.delivery_end_ns - spec.delivery_start_ns, *(getattr(spec, name) for name in _RULES))


def note_alone(exchange: "Exchange", document: Document, now_ns: int) -> None:
    """Count what one person has done without a second one towards the limits of the day."""
    approvals = exchange.rooms.approvals
    if approvals.rules.mode is ApprovalMode.SINGLE or not isinstance(document, Deposit | IssueUnits):
        return
    if now_ns >= approvals.day_ends_ns:
        approvals.day_ends_ns = next_midnight_ns(now_ns)
        approvals.moved_micro = approvals.issued_lots = 0
    if isinstance(document, Deposit):
        approvals.moved_micro += abs(document.amount_micro)
    else:
        approvals.issued_lots += document.quantity_lots


def set_rules(exchange: "Exchange", document: SetApprovalRules, _caller: Caller) -> Result:
    """Other rules of approval, from here on."""
    require(document.mode in {str(mode) for mode in ApprovalMode}, "unknown_approval_mode")
    require(NS_PER_MINUTE <= document.window_ns <= WINDOW_MAX_NS, "window_out_of_range")
    require(0 <= document.money_micro <= INT64_MAX // 2 and 0 <= document.issue_lots <= INT64_MAX // 2, "amount_out_of_range")
    if document.mode == ApprovalMode.FOUR_EYES:
        require(len(_operating_persons(exchange)) >= 2, "four_eyes_need_two_persons")
    rules = ApprovalRules(ApprovalMode(document.mode), document.window_ns, document.money_micro, document.issue_lots)
    exchange.rooms.approvals.rules = rules
    return {}


def _operating_persons(exchange: "Exchange") -> set[str]:
    return {key.person for key in exchange.rooms.participants.keys.values() if "operate" in key.scopes and key.person}


def propose(exchange: "Exchange", document: Propose, caller: Caller) -> Result:
    """Lay a document before another person."""
    approvals = exchange.rooms.approvals
    require(caller.key is not None and caller.person != "", "person_unknown")
    require(0 < len(document.reason) <= 256 and len(document.document) <= DOCUMENT_MAX_BYTES, "proposal_malformed")
    require_proposable(document.document)
    require(len(approvals.waiting()) < WAITING_MAX, "too_many_proposals")
    assert caller.key is not None
    proposal = Proposal(
        approvals.next_id, caller.account, caller.key.key_id, caller.person, document.document, document.reason, caller.stamp_ns,
        caller.stamp_ns + approvals.rules.window_ns, caller.stamp_ns,
    )  # fmt: skip
    approvals.forget_ended_before(caller.stamp_ns - exchange.settings.retention_ns)
    approvals.add(proposal)
    exchange.make_deadline_room()
    add_deadline(exchange.state, proposal.expires_ns, DeadlineKind.PROPOSAL_EXPIRY, proposal.id)
    notify(exchange, proposal)
    return {"proposal": proposal.id, "digest": digest_of(proposal), "expires_ns": proposal.expires_ns}


def require_proposable(data: bytes) -> Document:
    """The document inside a proposal. Raises BusinessRuleError where nobody could approve it."""
    try:
        document = decode_document(data)
    except InputError:
        raise BusinessRuleError("proposal_malformed") from None
    require(not isinstance(document, _NEVER_PROPOSED), "cannot_be_proposed")
    return document


def digest_of(proposal: Proposal) -> str:
    return hashlib.sha256(proposal.document).hexdigest()


def asked(exchange: "Exchange", proposal_id: int) -> Proposal:
    """A proposal that still waits."""
    proposal = exchange.rooms.approvals.by_id.get(proposal_id)
    if proposal is None:
        raise CodedRefusalError(RejectCode.UNKNOWN_PROPOSAL)
    require_code(proposal.status is Status.WAITING, RejectCode.PROPOSAL_ENDED)
    return proposal


def require_another(proposal: Proposal, caller: Caller) -> None:
    """Two keys of one person are one pair of eyes."""
    require(caller.person != "", "person_unknown")
    require_code(caller.person != proposal.person, RejectCode.SAME_PERSON)


def reject(exchange: "Exchange", document: RejectProposal, caller: Caller) -> Result:
    """Another person says no."""
    proposal = asked(exchange, document.proposal)
    require_another(proposal, caller)
    return end(exchange, proposal, Status.REJECTED, caller)


def withdraw(exchange: "Exchange", document: WithdrawProposal, caller: Caller) -> Result:
    """Who proposed takes it back, with any key of that person."""
    proposal = asked(exchange, document.proposal)
    require(caller.person == proposal.person, "not_your_proposal")
    return end(exchange, proposal, Status.WITHDRAWN, caller)


def withdraw_of_key(exchange: "Exchange", key_id: str, caller: Caller) -> None:
    """What a revoked key proposed is not to be trusted."""
    for proposal in exchange.rooms.approvals.waiting():
        if proposal.key_id == key_id:
            end(exchange, proposal, Status.WITHDRAWN, caller)


def expire(exchange: "Exchange", proposal_id: int) -> None:
    """Nobody approved in time; a proposal that ended before is left as it is."""
    proposal = exchange.rooms.approvals.by_id.get(proposal_id)
    if proposal is not None and proposal.status is Status.WAITING:
        end(exchange, proposal, Status.EXPIRED, Caller(0, exchange.now_ns))


def end(exchange: "Exchange", proposal: Proposal, status: Status, caller: Caller) -> Result:
    """Note how a proposal ended, and tell."""
    proposal.status, proposal.changed_ns, proposal.decided_by = status, caller.stamp_ns, caller.person
    notify(exchange, proposal)
    return {"proposal": proposal.id, "status": status.name.lower()}


def notify(exchange: "Exchange", proposal: Proposal) -> None:
    """For those who operate."""
    exchange.notify("proposal", {"proposal": proposal.id, "status": proposal.status.name.lower()})


def content_of(data: bytes) -> tuple[str, object]:
    """(schema, body as JSON values) of an encoded document."""
    document = decode_document(data)
    return document.SCHEMA, msgspec.to_builtins(document)


HANDLERS: Final[dict[type[Document], Handler]] = {
    SetApprovalRules: set_rules,
    Propose: propose,
    RejectProposal: reject,
    WithdrawProposal: withdraw,
}
