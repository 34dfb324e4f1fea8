"""Logon: a random challenge a connection, answered by an Ed25519 signature over it. Nothing to store, nothing to replay after a restart."""

import base64
import binascii
import secrets
from collections.abc import Iterable
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

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

# In the place of a key that is not there, so that a refusal takes as long as one of a key that is. Nobody has its private half.
_NOBODY: Final = Ed25519PrivateKey.generate().public_key().public_bytes_raw()


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
    """Why a logon is refused, for those who run the exchange; None when it is good. What the client is told says `told`.

    The timestamp must lie within `window_ns` of the server's wall time, whatever the key. A logon recorded on another connection fails the
    signature, because the nonce is this connection's own.
    """
    if abs(params.timestamp_ns - wall_ns) > window_ns:
        return RejectCode.LOGON_STALE
    return _signature_problem(key, params.signature, logon_message(nonce, epoch, params.timestamp_ns, params.key_id, host))


def told(problem: RejectCode) -> RejectCode:
    """A stranger does not find out which key ids there are: a key that is not there is refused as one whose signature is wrong."""
    return RejectCode.LOGON_SIGNATURE if problem is RejectCode.UNKNOWN_KEY else problem


def _signature_problem(key: LiveKey | None, signature: str, message: bytes) -> RejectCode | None:
    signed = is_signed(_NOBODY if key is None else key.public_key, signature, message)
    if key is None:
        return RejectCode.UNKNOWN_KEY
    return None if signed else RejectCode.LOGON_SIGNATURE


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
    """Why a signed request of `target` (path with its query) is refused, as in `logon_problem`; None when it is good.

    Who records one can send it again for `window_ns`: it reads the same again, or sends the same file again, whose digest is in its query.
    """
    if abs(timestamp_ns - wall_ns) > window_ns:
        return RejectCode.LOGON_STALE
    return _signature_problem(key, signature, request_message(method, target, timestamp_ns, key_id, host))
