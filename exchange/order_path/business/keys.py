"""The life of keys (docs/rules.md, "Keys"): documents, sessions and deadlines. Private keys never come here.

A key that ends takes its sessions along in the same command: their orders are cancelled where cancel on disconnect says so, and a notice tells the
gateways to close them.
"""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from exchange.accounts.keys import KeyEnd, RegisteredKey
from exchange.accounts.permissions import ROLE_SCOPES, Role
from exchange.order_path.business import approvals
from exchange.order_path.business.rules import Caller, Handler, Result, member, require
from exchange.order_path.deadlines import add_deadline
from exchange.order_path.level import Level
from exchange.order_path.orders import end_sessions
from exchange.order_path.state import DeadlineKind
from exchange.protocol.documents import ChangeKey, Document, Key, RegisterKey, RevokeKey, RotateKey
from exchange.protocol.reject_codes import RejectCode
from matching.compile import kernel

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange

PUBLIC_KEY_BYTES: Final = 32


@kernel
def cancel_on_disconnect(state: Any, account: int, session: int) -> None:
    """Cancel what one session of an account wanted cancelled with it. Modifies the state in place; the caller has made room."""
    end_sessions(state, np.int64(account), np.int64(session))


def check_key(exchange: "Exchange", key: Key, role: Role) -> None:
    """Raises BusinessRuleError for a key that this role cannot have, or that cannot be told from another."""
    require(0 < len(key.key_id) <= 64 and len(key.public_key) == PUBLIC_KEY_BYTES and len(key.person) <= 64, "key_malformed")
    require(not exchange.rooms.participants.ring.is_taken(key.key_id, key.public_key), "key_id_taken")
    require(set(key.scopes) <= _scopes(exchange, role), "scope_not_allowed_for_role")
    require(key.not_after_ns == 0 or key.not_after_ns > exchange.now_ns, "expiry_has_passed")


def _scopes(exchange: "Exchange", role: Role) -> frozenset[str]:
    """Scopes that a key of the role may carry. Before there were pledges a bank had nothing to send."""
    had_none = role is Role.BANK and exchange.level < Level.VALUE_CHAIN
    return ROLE_SCOPES[role] - {"trade"} if had_none else ROLE_SCOPES[role]


def keep_key(exchange: "Exchange", key: Key, account: int) -> None:
    """Take over a key that was checked."""
    registered = RegisteredKey(key.key_id, account, key.public_key, frozenset(key.scopes), key.person, key.not_after_ns)
    exchange.rooms.participants.ring.add(registered)
    _schedule_expiry(exchange, registered)


def register_key(exchange: "Exchange", document: RegisterKey, _caller: Caller) -> Result:
    """One more key for an account."""
    check_key(exchange, document.key, member(exchange, document.account).role)
    keep_key(exchange, document.key, document.account)
    return {}


def change_key(exchange: "Exchange", document: ChangeKey, caller: Caller) -> Result:
    """Other scopes or another expiry. Sessions with the old scopes end."""
    key = _live(exchange, document.key_id)
    scopes = key.scopes if document.scopes is None else frozenset(document.scopes)
    not_after_ns = key.not_after_ns if document.not_after_ns is None else document.not_after_ns
    require(scopes <= _scopes(exchange, member(exchange, key.account).role), "scope_not_allowed_for_role")
    require(not_after_ns == 0 or not_after_ns > caller.stamp_ns, "expiry_has_passed")
    if "operate" not in scopes:
        _require_operator_left(exchange, key)
    exchange.rooms.participants.ring.change(key.key_id, scopes, not_after_ns)
    if not_after_ns != key.not_after_ns:
        _schedule_expiry(exchange, exchange.rooms.participants.keys[key.key_id])
    if scopes != key.scopes:
        _end_sessions(exchange, key, KeyEnd.CHANGED)
    return {"scopes": sorted(scopes), "not_after_ns": not_after_ns}


def rotate_key(exchange: "Exchange", document: RotateKey, caller: Caller) -> Result:
    """A new key beside the old one, which from now on has an end."""
    old = _live(exchange, document.key_id)
    new = Key(
        key_id=document.new_key_id, public_key=document.new_public_key, scopes=sorted(old.scopes), person=old.person,
        not_after_ns=document.new_not_after_ns,
    )  # fmt: skip
    check_key(exchange, new, member(exchange, old.account).role)
    require(document.old_until_ns > caller.stamp_ns, "expiry_has_passed")
    old_until_ns = min(document.old_until_ns, old.not_after_ns or document.old_until_ns)
    keep_key(exchange, new, old.account)
    exchange.rooms.participants.ring.change(old.key_id, old.scopes, old_until_ns)
    if old_until_ns != old.not_after_ns:
        _schedule_expiry(exchange, exchange.rooms.participants.keys[old.key_id])
    return {"old_until_ns": old_until_ns}


def revoke_key(exchange: "Exchange", document: RevokeKey, caller: Caller) -> Result:
    """A key may do nothing more: its sessions end, and what it proposed and nobody approved yet is withdrawn."""
    key = _live(exchange, document.key_id)
    if caller.key is not None:
        _require_operator_left(exchange, key)
    approvals.withdraw_of_key(exchange, key.key_id, caller)
    _end_key(exchange, key, KeyEnd.REVOKED, is_kept=caller.key is not None)
    return {}


def expire_key(exchange: "Exchange", number: int) -> None:
    """A key has reached its end; one that ended before, or was given more time, is left as it is."""
    key = exchange.rooms.participants.ring.speaking(number)
    if key is not None and key.not_after_ns and key.not_after_ns <= exchange.now_ns:
        _end_key(exchange, key, KeyEnd.EXPIRED, is_kept=True)


def open_session(exchange: "Exchange", account: int, session: int, number: int) -> RejectCode:
    """A logon that the gateway has checked; the key may have ended on the way."""
    participants = exchange.rooms.participants
    key = participants.ring.speaking(number)
    if key is None or key.account != account:
        return RejectCode.KEY_ENDED
    participants.ring.open_session(key.key_id, session, exchange.epoch, exchange.now_ns)
    return RejectCode.ACCEPTED


def close_session(exchange: "Exchange", account: int, session: int) -> None:
    """The end of a session whose key is named."""
    exchange.rooms.participants.ring.close_session(session)
    if account in exchange.rooms.participants.by_id:
        exchange.make_output_room(int(exchange.state.accounts[account].open_orders))
        cancel_on_disconnect(exchange.state, account, session)


def _live(exchange: "Exchange", key_id: str) -> RegisteredKey:
    require(key_id in exchange.rooms.participants.keys, "unknown_key")
    return exchange.rooms.participants.keys[key_id]


def _require_operator_left(exchange: "Exchange", key: RegisteredKey) -> None:
    """A market without a key that may operate could never be given one again."""
    others = (other for other in exchange.rooms.participants.keys.values() if other.key_id != key.key_id)
    require("operate" not in key.scopes or any("operate" in other.scopes for other in others), "last_operator_key")


def _schedule_expiry(exchange: "Exchange", key: RegisteredKey) -> None:
    if key.not_after_ns:
        exchange.make_deadline_room()
        add_deadline(exchange.state, key.not_after_ns, DeadlineKind.KEY_EXPIRY, key.number)


def _end_key(exchange: "Exchange", key: RegisteredKey, reason: KeyEnd, *, is_kept: bool) -> None:
    _end_sessions(exchange, key, reason)
    exchange.rooms.participants.ring.end(key.key_id, reason, exchange.now_ns, is_kept=is_kept)


def _end_sessions(exchange: "Exchange", key: RegisteredKey, reason: KeyEnd) -> None:
    for session in exchange.rooms.participants.ring.sessions_of(key.key_id, exchange.epoch):
        close_session(exchange, key.account, session)
    exchange.notify("key_ended", {"key_id": key.key_id, "reason": str(reason)})


HANDLERS: Final[dict[type[Document], Handler]] = {
    RegisterKey: register_key,
    ChangeKey: change_key,
    RotateKey: rotate_key,
    RevokeKey: revoke_key,
}
