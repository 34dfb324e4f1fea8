"""TLS of the gateway: certificate and key of the operator's, TLS 1.2 or newer."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from exchange.errors import InputError


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files: the certificate with the intermediate ones behind it, and its unencrypted private key."""

    certificate: Path
    key: Path


def server_context(files: TlsFiles) -> ssl.SSLContext:
    """The server's end of TLS. Raises InputError naming the file that cannot be used."""
    for path in (files.certificate, files.key):
        if not path.is_file():
            raise InputError(f"{path}: no such file; expected PEM")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2

    def no_password() -> str:
        raise InputError(f"{files.key}: the key is encrypted; expected one without a password, readable by the exchange alone")

    try:
        context.load_cert_chain(files.certificate, files.key, no_password)
    except ssl.SSLError as error:
        reason = error.reason or "unreadable"
        raise InputError(f"{files.certificate} and {files.key}: not a certificate and its private key in PEM ({reason})") from None
    return context
