"""Certificates for development: an authority of one's own and a certificate for the names of this exchange.

The authority's key is used once and never written, so whoever is told to trust `ca.pem` trusts this one certificate and nothing that might be made
later. When the certificate ends, or another name is needed, both are made anew.
"""

import datetime
import ipaddress
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from exchange.gateway.tls import TlsFiles

DAYS_VALID: Final = 365
_RENEW_BEFORE: Final = datetime.timedelta(days=7)
_SKEW: Final = datetime.timedelta(hours=1)  # clocks of clients may be behind

CA_FILE: Final = "ca.pem"
CERTIFICATE_FILE: Final = "server.pem"
KEY_FILE: Final = "server.key"


@dataclass(frozen=True, slots=True)
class DevelopmentTls:
    """Files of the server, and the authority's certificate that clients are given (`ca_file` of the SDK, `parkex bot --ca`)."""

    server: TlsFiles
    ca: Path


def development_tls(directory: Path, names: Iterable[str]) -> DevelopmentTls:
    """The files in `directory` if they are good for all `names` (hosts or addresses, a port behind them is left out); else new ones."""
    wanted = tuple(dict.fromkeys(_host(name) for name in names))
    files = DevelopmentTls(TlsFiles(directory / CERTIFICATE_FILE, directory / KEY_FILE), directory / CA_FILE)
    if not _is_good(files, wanted):
        directory.mkdir(parents=True, exist_ok=True)
        _make(files, wanted)
    return files


def _host(name: str) -> str:
    return urlsplit(f"//{name}").hostname or name


def _general_names(hosts: Iterable[str]) -> list[x509.GeneralName]:
    found: list[x509.GeneralName] = []
    for host in hosts:
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(host)))
        except ValueError:
            found.append(x509.DNSName(host))
    return found


def _is_good(files: DevelopmentTls, hosts: Iterable[str]) -> bool:
    if not all(path.is_file() for path in (files.ca, files.server.certificate, files.server.key)):
        return False
    certificate = x509.load_pem_x509_certificate(files.server.certificate.read_bytes())
    named = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    ends_late = certificate.not_valid_after_utc - _RENEW_BEFORE > datetime.datetime.now(datetime.UTC)
    return ends_late and set(_general_names(hosts)) <= set(named)


def _make(files: DevelopmentTls, hosts: tuple[str, ...]) -> None:
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "parkex development authority")])
    ca = (
        _builder(ca_name, ca_name, ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    certificate = (
        _builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "parkex development server")]), ca_name, key.public_key())
        .add_extension(x509.SubjectAlternativeName(_general_names(hosts)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _write(files.server.key, private, 0o600)
    _write(files.server.certificate, certificate.public_bytes(serialization.Encoding.PEM), 0o644)
    _write(files.ca, ca.public_bytes(serialization.Encoding.PEM), 0o644)


def _builder(subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + datetime.timedelta(days=DAYS_VALID))
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates, key_cert_sign=signs_certificates, crl_sign=signs_certificates, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _write(path: Path, data: bytes, mode: int) -> None:
    """A new file with its mode from the start: a key is never readable by others, not even for a moment."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
