"""Logon: a random challenge a connection, answered by an Ed25519 signature over it. Nothing to store, nothing to replay after a restart."""

import base64
import binascii
import secrets
from collections.abc import Iterable
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from exchange.protocol.auth import logon_message
from exchange.protocol.messages import LogonParams
from exchange.protocol.reject_codes import RejectCode


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
    try:
        signature = base64.b64decode(params.signature, validate=True)
        Ed25519PublicKey.from_public_bytes(key.public_key).verify(signature, message)
    except (InvalidSignature, binascii.Error, ValueError):
        return RejectCode.LOGON_SIGNATURE
    return None
