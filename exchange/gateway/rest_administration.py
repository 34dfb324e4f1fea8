"""REST for those who operate or audit: keys, proposals, audit log, alerts. Reads only; acts go over the socket.

A request is signed like a logon: `Authorization: Parkex key=K, timestamp=T, signature=S` with the key id percent-encoded, wall time in ns and the
base64 Ed25519 signature of `exchange.protocol.auth.request_message`. Nothing is stored for it, and no cookie is set or read.
"""

import re
from functools import partial
from typing import Annotated, Any, Final
from urllib.parse import unquote

import msgspec
from fastapi import APIRouter, Header, HTTPException, Query, Request
from pydantic import BaseModel

from exchange.accounts.keys import RegisteredKey
from exchange.gateway.access import OVERSEERS
from exchange.gateway.administration_results import audit_page, audit_result, is_behind_tail, key_rows, proposals_result
from exchange.gateway.auth import request_problem, told
from exchange.gateway.hub import Hub
from exchange.gateway.rest_records import read_records
from exchange.gateway.schemas import Refused
from exchange.protocol import messages as m
from exchange.protocol.reject_codes import MESSAGES, RejectCode

_SCHEME: Final = re.compile(r"Parkex key=([^ ,]{1,256}), timestamp=(\d{1,19}), signature=([A-Za-z0-9+/=]{1,128})", re.ASCII).fullmatch
_AUDIT: Final = frozenset({"audit"})

SIGNED_REFUSALS: Final[dict[int | str, dict[str, Any]]] = {
    401: {"model": Refused, "description": "Not signed by a good key"},
    403: {"model": Refused, "description": "The key lacks the scope"},
    429: {"model": Refused, "description": "The address waits after failed requests"},
}
_AUDIT_REFUSALS: Final[dict[int | str, dict[str, Any]]] = {503: {"model": Refused, "description": "Older entries cannot be read now"}}

Authorization = Annotated[str, Header(max_length=512)]


class KeyOut(BaseModel):
    """As the wire's `keys.list` (docs/protocol.md)."""

    key_id: str
    account: int
    person: str
    public_key: str
    scopes: list[str]
    status: str
    not_after_ns: int
    last_used_ns: int
    ended_ns: int
    sessions: int


class KeyList(BaseModel):
    as_of_seq: int
    keys: list[KeyOut]


class ProposalList(BaseModel):
    """As the wire's `operator.proposals`."""

    as_of_seq: int
    mode: str
    window_ns: int
    money_micro: int
    issue_lots: int
    proposals: list[dict[str, Any]]


class AuditPage(BaseModel):
    """As the wire's `audit.log`: `count` entries end with the hash `head`."""

    as_of_seq: int
    count: int
    head: str
    entries: list[dict[str, Any]]


class AlertList(BaseModel):
    """As the wire's `surveillance.alerts`."""

    as_of_seq: int
    count: int
    alerts: list[dict[str, Any]]


def require_scope(hub: Hub, request: Request, authorization: str, scopes: frozenset[str]) -> RegisteredKey:
    """The key that signed. Raises HTTPException: 401 for a request that nobody signed, 403 without the scope, 429 while the address waits."""
    address = request.client.host if request.client is not None else ""
    parts = _SCHEME(authorization)
    if parts is None:
        raise _refusal(401, RejectCode.NOT_LOGGED_ON)
    key_id = unquote(parts[1])
    wait_s = hub.guard.wait_s(address, key_id, hub.monotonic_s())
    if wait_s:
        raise _refusal(429, RejectCode.LOGON_LOCKED, {"Retry-After": str(int(wait_s) + 1)})
    host = hub.host_for(request.headers.get("host", ""))
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    key = hub.exchange.key(key_id)
    problem = request_problem(
        key, key_id, int(parts[2]), parts[3], method=request.method, target=target, host=host or "", wall_ns=hub.wall_ns(),
        window_ns=hub.limits.logon_window_ns,
    )  # fmt: skip
    if problem is not None or key is None:
        hub.guard.failed(address, hub.monotonic_s())
        hub.note_security("request_refused", key_id=key_id[:64], address=address, code=int(problem or RejectCode.UNKNOWN_KEY))
        raise _refusal(401, told(problem or RejectCode.UNKNOWN_KEY))
    hub.guard.succeeded(address, key_id)
    if scopes.isdisjoint(key.scopes):
        raise scope_missing()
    return key


def scope_missing() -> HTTPException:
    """The key is good and may not see this."""
    return _refusal(403, RejectCode.SCOPE_MISSING)


def _refusal(status: int, code: RejectCode, headers: dict[str, str] | None = None) -> HTTPException:
    return HTTPException(status, {"code": int(code), "message": MESSAGES[code]}, headers)


async def _audit_page(hub: Hub, from_number: int | None, limit: int) -> m.AuditResult:
    """What is at hand, or older entries of the records. Raises HTTPException 503 while those cannot be read."""
    if from_number is None or hub.history is None or not is_behind_tail(hub.exchange, from_number):
        return audit_result(hub.exchange, from_number, limit)
    recorded = await read_records(hub, partial(hub.history.audit_entries, from_number, limit))
    return audit_page(hub.exchange, from_number, limit, recorded)


def administration_router(hub: Hub) -> APIRouter:
    """All routes under /v1 that need a signed request."""
    router = APIRouter(prefix="/v1", responses=SIGNED_REFUSALS)
    exchange = hub.exchange

    @router.get("/keys", summary="Keys with their last use; scope operate or audit")
    async def keys(request: Request, authorization: Authorization = "") -> KeyList:
        require_scope(hub, request, authorization, OVERSEERS)
        rows = key_rows(exchange.rooms.participants.ring, hub.node.epoch, None)
        return KeyList(as_of_seq=exchange.last_sequence, keys=[KeyOut(**msgspec.to_builtins(row)) for row in rows])

    @router.get("/proposals", summary="Rules of approval and proposals; scope operate or audit")
    async def proposals(request: Request, authorization: Authorization = "") -> ProposalList:
        require_scope(hub, request, authorization, OVERSEERS)
        found = proposals_result(exchange)
        return ProposalList(
            as_of_seq=exchange.last_sequence, mode=found.mode, window_ns=found.window_ns, money_micro=found.money_micro,
            issue_lots=found.issue_lots, proposals=[msgspec.to_builtins(row) for row in found.proposals],
        )  # fmt: skip

    @router.get("/audit", summary="Entries of the audit log; scope audit", responses=_AUDIT_REFUSALS)
    async def audit(
        request: Request,
        authorization: Authorization = "",
        from_number: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> AuditPage:
        require_scope(hub, request, authorization, _AUDIT)
        found = await _audit_page(hub, from_number, limit)
        entries = [msgspec.to_builtins(entry) for entry in found.entries]
        return AuditPage(as_of_seq=exchange.last_sequence, count=found.count, head=found.head, entries=entries)

    @router.get("/alerts", summary="Alerts of surveillance, newest first; scope operate or audit")
    async def alerts(
        request: Request,
        authorization: Authorization = "",
        rule: Annotated[str | None, Query(max_length=64)] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> AlertList:
        require_scope(hub, request, authorization, OVERSEERS)
        found = hub.surveillance.result(rule, limit)
        return AlertList(as_of_seq=exchange.last_sequence, count=found.count, alerts=[msgspec.to_builtins(row) for row in found.alerts])

    return router
