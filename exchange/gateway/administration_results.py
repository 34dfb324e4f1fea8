"""Rows of keys, proposals, the audit log and alerts as messages."""

import base64
import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from exchange.accounts.approvals import Proposal
from exchange.accounts.audit import AuditEntry
from exchange.accounts.keys import KeyRing, RegisteredKey
from exchange.gateway.ports import ExchangeView
from exchange.protocol import messages as m
from exchange.protocol.documents import decode_document


def key_rows(ring: KeyRing, epoch: int, account: int | None) -> list[m.KeyRow]:
    """Live and ended keys of an account, or of all, by id."""
    rows = [_key_row(ring, key, "live", 0, len(ring.sessions_of(key.key_id, epoch))) for key in ring.live.values()]
    rows += [_key_row(ring, ended.key, str(ended.reason), ended.ended_ns, 0) for ended in ring.ended.values()]
    return sorted((row for row in rows if account is None or row.account == account), key=lambda row: row.key_id)


def _key_row(ring: KeyRing, key: RegisteredKey, status: str, ended_ns: int, sessions: int) -> m.KeyRow:
    return m.KeyRow(
        key_id=key.key_id, account=key.account, person=key.person, public_key=base64.b64encode(key.public_key).decode(),
        scopes=sorted(key.scopes), status=status, not_after_ns=key.not_after_ns, last_used_ns=ring.last_used_ns.get(key.key_id, 0),
        ended_ns=ended_ns, sessions=sessions,
    )  # fmt: skip


def proposal_row(proposal: Proposal) -> m.ProposalRow:
    """One proposal with the document that it would carry out."""
    document = decode_document(proposal.document)
    return m.ProposalRow(
        proposal=proposal.id, schema=document.SCHEMA, document=msgspec.to_builtins(document), digest=hashlib.sha256(proposal.document).hexdigest(),
        reason=proposal.reason, account=proposal.account, key_id=proposal.key_id, person=proposal.person, proposed_ns=proposal.proposed_ns,
        expires_ns=proposal.expires_ns, status=proposal.status.name.lower(), decided_by=proposal.decided_by,
    )  # fmt: skip


def proposals_result(exchange: ExchangeView) -> m.ProposalsResult:
    """Rules and proposals."""
    approvals = exchange.rooms.approvals
    rules = approvals.rules
    return m.ProposalsResult(
        mode=str(rules.mode), window_ns=rules.window_ns, money_micro=rules.money_micro, issue_lots=rules.issue_lots,
        proposals=[proposal_row(proposal) for _, proposal in sorted(approvals.by_id.items())],
    )  # fmt: skip


def audit_result(exchange: ExchangeView, from_number: int | None, limit: int) -> m.AuditResult:
    """Entries that are at hand: those from a number on, or the last ones."""
    log = exchange.rooms.audit
    entries: list[Any] = [entry for entry in log.tail if from_number is None or entry.number >= from_number]
    return m.AuditResult(count=log.count, head=log.head, entries=entries[-limit:] if from_number is None else entries[:limit])


def is_behind_tail(exchange: ExchangeView, from_number: int) -> bool:
    """Whether a page begins before the entries that are at hand."""
    log = exchange.rooms.audit
    return from_number <= log.count - len(log.tail)


def audit_page(exchange: ExchangeView, from_number: int, limit: int, recorded: Sequence[AuditEntry]) -> m.AuditResult:
    """Recorded entries from a number on, and behind them those at hand: the records may be a little behind."""
    log = exchange.rooms.audit
    following = from_number + len(recorded)
    at_hand = [] if is_behind_tail(exchange, following) else [entry for entry in log.tail if entry.number >= following]
    return m.AuditResult(count=log.count, head=log.head, entries=[*recorded, *at_hand][:limit])
