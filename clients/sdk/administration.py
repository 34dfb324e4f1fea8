"""What those who operate or audit do: `park.administration`.

    keys = await park.administration.keys()
    proposal = await park.administration.propose(Deposit(account=33, amount_micro=5_000_000, reference="slip 7"), "bank slip 7")
    await other.administration.approve(proposal["proposal"])

Acts are documents (`park.submit`). Methods raise RequestRefused or ConnectionLost.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from clients.sdk.errors import ClientError
from clients.sdk.feeds import Feeds
from clients.sdk.link import Link
from exchange.protocol import messages as m
from exchange.protocol.documents import ApproveProposal, Document, RejectProposal, WithdrawProposal

_decode_submit: Final = msgspec.json.Decoder(m.SubmitResult).decode
_decode_keys: Final = msgspec.json.Decoder(m.KeysResult).decode
_decode_proposals: Final = msgspec.json.Decoder(m.ProposalsResult).decode
_decode_audit: Final = msgspec.json.Decoder(m.AuditResult).decode
_decode_alerts: Final = msgspec.json.Decoder(m.AlertsResult).decode
_encode_sorted: Final = msgspec.json.Encoder(order="sorted").encode
_PAGE: Final = 1_000  # the most that one question gets


class Administration:
    """Keys, four eyes, the audit log and alerts."""

    def __init__(self, link: Link, feeds: Feeds) -> None:
        self._link = link
        self._feeds = feeds

    async def keys(self, account: int | None = None) -> list[m.KeyRow]:
        """Keys with their last use: of the own account, and for who operates or audits of any or all."""
        return (await self._link.call("keys.list", m.KeysParams(account=account), _decode_keys)).keys

    async def proposals(self) -> m.ProposalsResult:
        """Rules of approval and proposals, oldest first."""
        return await self._link.call("operator.proposals", m.NoParams(), _decode_proposals)

    async def propose(self, document: Document, reason: str) -> Any:
        """Lay a document before another person; returns proposal, digest and expires_ns. Not sent again after a lost connection."""
        params = m.ProposeParams(schema=document.SCHEMA, document=document, reason=reason)
        return (await self._link.call("operator.propose", params, _decode_submit, resend=False)).result

    async def approve(self, proposal: int, digest: str | None = None) -> Any:
        """Approve what `digest` (hex) names; without one, what the exchange shows now. Returns the result of what was carried out."""
        if digest is None:
            shown = next((row for row in (await self.proposals()).proposals if row.proposal == proposal), None)
            if shown is None:
                raise ClientError(f"there is no proposal {proposal}")
            digest = shown.digest
        return await self._submit(ApproveProposal(proposal=proposal, digest=bytes.fromhex(digest)))

    async def reject(self, proposal: int, reason: str) -> Any:
        """Say no to what another person proposed."""
        return await self._submit(RejectProposal(proposal=proposal, reason=reason))

    async def withdraw(self, proposal: int) -> Any:
        """Take an own proposal back."""
        return await self._submit(WithdrawProposal(proposal=proposal))

    async def audit_log(self, from_number: int | None = None, limit: int = 100) -> m.AuditResult:
        """A page of the audit log: from a number on, or the last `limit` entries. Scope audit."""
        return await self._link.call("audit.log", m.AuditParams(from_number=from_number, limit=limit), _decode_audit)

    async def whole_audit_log(self) -> list[dict[str, Any]]:
        """Every entry from the first one on, verified up to the head that the exchange names. Raises ClientError where the chain is broken."""
        entries: list[dict[str, Any]] = []
        while True:
            page = await self.audit_log(len(entries) + 1, _PAGE)
            entries += page.entries
            if len(entries) >= page.count or not page.entries:
                _check_chain(entries, page.head)
                return entries

    async def alerts(self, rule: str | None = None, limit: int = 100) -> m.AlertsResult:
        """The last alerts of surveillance, newest first. Scope operate or audit."""
        return await self._link.call("surveillance.alerts", m.AlertsParams(rule=rule, limit=limit), _decode_alerts)

    async def subscribe(self) -> None:
        """Be told of proposals and alerts; see `ParkClient.on("proposal", ...)` and `on("alert", ...)`."""
        await self._feeds.subscribe("operator")

    async def _submit(self, document: Document) -> Any:
        params = m.OperatorSubmitParams(schema=document.SCHEMA, document=document)
        return (await self._link.call("document.submit", params, _decode_submit, resend=False)).result


def _check_chain(entries: Sequence[dict[str, Any]], head: str) -> None:
    """The chain as docs/rules.md, "Audit log", defines it, from what came over the wire alone."""
    previous = "0" * 64
    for number, entry in enumerate(entries, 1):
        chain = hashlib.sha256(_encode_sorted(entry | {"chain": ""})).hexdigest()
        if (entry["number"], entry["previous"], entry["chain"]) != (number, previous, chain):
            raise ClientError(f"the audit log is broken at entry {number}")
        previous = chain
    if previous != head:
        raise ClientError(f"the audit log ends after entry {len(entries)}, which is not its head")
