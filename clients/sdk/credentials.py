"""Who the client is: a key id and its Ed25519 private key, which never leaves this object."""

import base64
import binascii
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from exchange.protocol.auth import logon_message
from exchange.protocol.messages import Challenge, LogonParams


def as_private_key(key: Ed25519PrivateKey | bytes | str) -> Ed25519PrivateKey:
    """A private key from its object, its 32 raw bytes or their base64. Raises ValueError."""
    if isinstance(key, Ed25519PrivateKey):
        return key
    try:
        raw = base64.b64decode(key, validate=True) if isinstance(key, str) else key
        return Ed25519PrivateKey.from_private_bytes(raw)
    except (binascii.Error, ValueError):
        raise ValueError("a private key is 32 bytes, or their base64") from None


def public_key_of(key: Ed25519PrivateKey | bytes | str) -> bytes:
    """The 32 raw bytes an operator registers for a private key."""
    return as_private_key(key).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a logon needs."""

    key_id: str
    private_key: Ed25519PrivateKey = field(repr=False)
    cancel_on_disconnect: bool = False
    wall_ns: Callable[[], int] = field(default=time.time_ns, repr=False)

    def sign(self, challenge: Challenge, host: str) -> LogonParams:
        """Logon for one connection to `host`, stamped with this machine's wall time."""
        timestamp_ns = self.wall_ns()
        message = logon_message(challenge.nonce, challenge.epoch, timestamp_ns, self.key_id, host)
        signature = base64.b64encode(self.private_key.sign(message)).decode()
        return LogonParams(key_id=self.key_id, timestamp_ns=timestamp_ns, signature=signature, cancel_on_disconnect=self.cancel_on_disconnect)
