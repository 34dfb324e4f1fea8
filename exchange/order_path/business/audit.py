"""What the audit log says of each administrative document: the values that it is about, before and after (docs/rules.md, "Audit log")."""

import contextlib
import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import msgspec

from exchange.accounts.audit import CONTENT_LIMIT_BYTES
from exchange.errors import InputError
from exchange.order_path.business.corrections import is_correctable
from exchange.order_path.business.rule_changes import terms_of
from exchange.order_path.business.rules import Caller
from exchange.protocol.documents import (
    Admit,
    ChangeKey,
    ChangeParticipant,
    ChangeTerms,
    CorrectLedger,
    Deposit,
    Document,
    IssueUnits,
    ListInstruments,
    RegisterKey,
    RegisterStorage,
    RevokeKey,
    RotateKey,
    SetApprovalRules,
    SetOwnerRules,
    SetPhase,
    SettleDay,
    decode_document,
)
from exchange.protocol.reject_codes import RejectCode

if TYPE_CHECKING:
    from exchange.accounts.approvals import Proposal
    from exchange.order_path.path import Exchange

View = dict[str, Any] | None


def write(
    exchange: "Exchange",
    document: Document | None,
    data: bytes,
    caller: Caller,
    before: View,
    code: RejectCode,
    rule: str,
    approved: "Proposal | None",
) -> None:
    """Append one act; `document` is None where its bytes are none. Of an approved proposal the document is the one that was carried out."""
    entry = exchange.rooms.audit.append(
        sequence=exchange.last_sequence,
        stamp_ns=caller.stamp_ns,
        account=caller.account,
        key_id="" if caller.key is None else caller.key.key_id,
        person=caller.person,
        action="" if document is None else document.SCHEMA,
        content=None if document is None or len(data) > CONTENT_LIMIT_BYTES else content_of(document),
        digest=hashlib.sha256(data).hexdigest(),
        before=before,
        after=None if document is None or code else view(exchange, document),
        code=int(code),
        rule=rule,
        proposal=0 if approved is None else approved.id,
        proposer="" if approved is None else approved.person,
    )
    exchange.notify("audit", {"entry": entry})


def content_of(document: Document) -> Any:
    """The body of a document as JSON values; a proposed one is shown, not its bytes."""
    body: dict[str, Any] = msgspec.to_builtins(document)
    inner = getattr(document, "document", None)
    if isinstance(inner, bytes):
        with contextlib.suppress(InputError):  # what is no document is refused, and shown as it is
            proposed = decode_document(inner)
            body["document"] = [proposed.SCHEMA, msgspec.to_builtins(proposed)]
    return body


def view(exchange: "Exchange", document: Document) -> View:
    """The values that a document is about, as they are now; None where there are none."""
    look = _VIEWS.get(type(document))
    return None if look is None else look(exchange, document)


def _participant(exchange: "Exchange", account: int) -> View:
    found = exchange.rooms.participants.by_id.get(account)
    if found is None:
        return None
    return {
        "account": found.id, "name": found.name, "role": str(found.role), "permissions": int(found.permissions),
        "min_net_power_lots": found.min_net_power_lots, "max_net_power_lots": found.max_net_power_lots, "beneficial_owner": found.beneficial_owner,
    }  # fmt: skip


def _admitted(exchange: "Exchange", document: Admit) -> View:
    found = next((p.id for p in exchange.rooms.participants.by_id.values() if p.name == document.name), 0)
    return _participant(exchange, found)


def _key(exchange: "Exchange", key_id: str) -> View:
    key = exchange.rooms.participants.keys.get(key_id)
    if key is None:
        return None
    return {"key_id": key.key_id, "account": key.account, "person": key.person, "scopes": sorted(key.scopes), "not_after_ns": key.not_after_ns}


def _rotated(exchange: "Exchange", document: RotateKey) -> View:
    return {"old": _key(exchange, document.key_id), "new": _key(exchange, document.new_key_id)}


def _balance(exchange: "Exchange", document: Deposit) -> View:
    if document.account not in exchange.rooms.participants.by_id:
        return None
    return {"balance_micro": exchange.balances(document.account).balance_micro}


def _corrected(exchange: "Exchange", document: CorrectLedger) -> View:
    sides = {"debit": document.debit, "credit": document.credit}
    if not all(is_correctable(exchange, account) for account in sides.values()):
        return None
    return {f"{side}_balance_micro": exchange.balances(account).balance_micro for side, account in sides.items()}


def _owned(exchange: "Exchange", document: IssueUnits) -> View:
    instrument = exchange.rooms.instruments.by_symbol.get(document.symbol)
    if instrument is None or instrument.slot < 0 or document.account not in exchange.rooms.participants.by_id:
        return None
    return {"owned_lots": int(exchange.state.positions[instrument.slot, document.account].net_lots)}


def _phase(exchange: "Exchange", document: SetPhase) -> View:
    instrument = exchange.rooms.instruments.by_symbol.get(document.symbol)
    return None if instrument is None else {"phase": instrument.phase.name.lower()}


def _terms(exchange: "Exchange", document: ChangeTerms) -> View:
    instrument = exchange.rooms.instruments.by_symbol.get(document.symbol)
    return None if instrument is None else terms_of(instrument)


def _listed(exchange: "Exchange", document: ListInstruments) -> View:
    known = exchange.rooms.instruments.by_symbol
    return {"instruments": {spec.symbol: known[spec.symbol].id for spec in document.instruments if spec.symbol in known}}


def _storage(exchange: "Exchange", document: RegisterStorage) -> View:
    if document.account not in exchange.rooms.participants.by_id:
        return None
    return {"has_storage": bool(exchange.state.accounts[document.account].storage >= 0)}


def _approval_rules(exchange: "Exchange", _document: SetApprovalRules) -> View:
    mode, window_ns, money_micro, issue_lots = exchange.rooms.approvals.rules.to_canonical()
    return {"mode": mode, "window_ns": window_ns, "money_micro": money_micro, "issue_lots": issue_lots}


_VIEWS: Final[dict[type[Document], Callable[["Exchange", Any], View]]] = {
    Admit: _admitted,
    RegisterKey: lambda exchange, document: _key(exchange, document.key.key_id),
    ChangeKey: lambda exchange, document: _key(exchange, document.key_id),
    RotateKey: _rotated,
    RevokeKey: lambda exchange, document: _key(exchange, document.key_id),
    ChangeParticipant: lambda exchange, document: _participant(exchange, document.account),
    ChangeTerms: _terms,
    SetApprovalRules: _approval_rules,
    Deposit: _balance,
    CorrectLedger: _corrected,
    IssueUnits: _owned,
    SetPhase: _phase,
    ListInstruments: _listed,
    RegisterStorage: _storage,
    SetOwnerRules: lambda exchange, _document: {"rules": exchange.rooms.participants.owner_rules_to_canonical()},
    SettleDay: lambda exchange, document: {"settled": document.day in exchange.rooms.settlements},
}
