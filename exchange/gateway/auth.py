"""Logon: a random challenge a connection, answered by an Ed25519 signature over it. Nothing to store, nothing to replay after a restart."""

import base64
import binascii
import secrets
from collections.abc import Iterable
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from exchange.accounts.keys import KeyEnd
from exchange.protocol.auth import logon_message, request_message
from exchange.protocol.messages import LogonParams
from exchange.protocol.reject_codes import RejectCode

# Why the sessions of a key end, and what a logon with an ended key is told.
KEY_END_CODES: Final = {
    str(KeyEnd.REVOKED): RejectCode.KEY_REVOKED,
    str(KeyEnd.EXPIRED): RejectCode.KEY_EXPIRED,
    str(KeyEnd.CHANGED): RejectCode.KEY_CHANGED,
}


class LiveKey(Protocol):
    """What a logon reads of a registered key."""

    @property
    def account(self) -> int: ...

    @property
    def public_key(self) -> bytes: ...

    @property
    def scopes(self) -> Iterable[str]: ...


def new_nonce() -> str:
    """128 random bits: one a connection, never used twice."""
    return secrets.token_hex(16)


def logon_problem(
    params: LogonParams, key: LiveKey | None, *, nonce: str, epoch: int, host: str, wall_ns: int, window_ns: int
) -> RejectCode | None:
    """The lowest code that refuses a logon, None when it is good.

    The timestamp must lie within `window_ns` of the server's wall time. A logon recorded on another connection fails the signature, because the
    nonce is this connection's own.
    """
    if key is None:
        return RejectCode.UNKNOWN_KEY
    if abs(params.timestamp_ns - wall_ns) > window_ns:
        return RejectCode.LOGON_STALE
    message = logon_message(nonce, epoch, params.timestamp_ns, params.key_id, host)
    return None if is_signed(key.public_key, params.signature, message) else RejectCode.LOGON_SIGNATURE


def is_signed(public_key: bytes, signature: str, message: bytes) -> bool:
    """Whether base64 `signature` is the Ed25519 signature of the message."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(base64.b64decode(signature, validate=True), message)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def request_problem(
    key: LiveKey | None, key_id: str, timestamp_ns: int, signature: str, *, method: str, target: str, host: str, wall_ns: int, window_ns: int
) -> RejectCode | None:
    """The lowest code that refuses a signed request of `target` (path with its query), None when it is good.

    Who records one can send it again for `window_ns`: it reads the same again, or sends the same file again, whose digest is in its query.
    """
    if key is None:
        return RejectCode.UNKNOWN_KEY
    if abs(timestamp_ns - wall_ns) > window_ns:
        return RejectCode.LOGON_STALE
    message = request_message(method, target, timestamp_ns, key_id, host)
    return None if is_signed(key.public_key, signature, message) else RejectCode.LOGON_SIGNATURE
