"""Certificates for development: trusted by who trusts their authority, for their names, and made anew only when they have to be."""

import datetime
import ssl
from pathlib import Path

import pytest
from cryptography import x509

from clients.cli import development_tls as made_by
from clients.cli.development_tls import development_tls
from clients.sdk import connect
from clients.sdk import sync as sync_sdk
from exchange.errors import InputError
from exchange.gateway.server import BACKENDS
from exchange.gateway.tls import TlsFiles, server_context

NAMES = ("127.0.0.1:8765", "localhost:8765", "[::1]:8765", "park.example")


def read(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def handshake(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> str | None:
    """The protocol that both ends agree on, without a network. Raises ssl.SSLError."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (client.wrap_bio(to_client, to_server, server_hostname=name), server.wrap_bio(to_server, to_client, server_side=True))
    done = [False, False]
    for _ in range(8):
        for index, end in enumerate(ends):
            if not done[index]:
                try:
                    end.do_handshake()
                    done[index] = True
                except ssl.SSLWantReadError:
                    continue
    assert all(done)
    return ends[0].version()


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "::1", "park.example"])
def test_who_trusts_the_authority_trusts_the_names(name: str, tmp_path: Path) -> None:
    files = development_tls(tmp_path, NAMES)
    assert handshake(server_context(files.server), ssl.create_default_context(cafile=files.ca), name) == "TLSv1.3"


@pytest.mark.parametrize("name", ["evil.example", "127.0.0.2"])
def test_other_names_are_not_trusted(name: str, tmp_path: Path) -> None:
    files = development_tls(tmp_path, NAMES)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(server_context(files.server), ssl.create_default_context(cafile=files.ca), name)


def test_who_does_not_know_the_authority_trusts_nothing(tmp_path: Path) -> None:
    files, other = development_tls(tmp_path / "a", NAMES), development_tls(tmp_path / "b", NAMES)
    for context in (ssl.create_default_context(), ssl.create_default_context(cafile=other.ca)):
        with pytest.raises(ssl.SSLCertVerificationError):
            handshake(server_context(files.server), context, "localhost")


def test_old_protocols_are_refused(tmp_path: Path) -> None:
    files = development_tls(tmp_path, NAMES)
    client = ssl.create_default_context(cafile=files.ca)
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    assert handshake(server_context(files.server), client, "localhost") == "TLSv1.2"
    assert server_context(files.server).minimum_version is ssl.TLSVersion.TLSv1_2


def test_the_key_is_private_and_the_authority_s_is_nowhere(tmp_path: Path) -> None:
    files = development_tls(tmp_path / "tls", NAMES)
    assert files.server.key.stat().st_mode & 0o077 == 0
    assert set(contents(tmp_path / "tls")) == {"ca.pem", "server.pem", "server.key"}
    assert [name for name, data in contents(tmp_path / "tls").items() if b"PRIVATE" in data] == ["server.key"]
    assert read(files.ca).public_key() != read(files.server.certificate).public_key()


def test_good_files_are_kept(tmp_path: Path) -> None:
    development_tls(tmp_path, NAMES)
    before = contents(tmp_path)
    development_tls(tmp_path, NAMES[:2])
    assert contents(tmp_path) == before


@pytest.mark.parametrize("lost", ["ca.pem", "server.pem", "server.key"])
def test_what_is_missing_is_made_anew(lost: str, tmp_path: Path) -> None:
    development_tls(tmp_path, NAMES)
    (tmp_path / lost).unlink()
    files = development_tls(tmp_path, NAMES)
    assert handshake(server_context(files.server), ssl.create_default_context(cafile=files.ca), "localhost")


def test_another_name_or_a_near_end_makes_them_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    development_tls(tmp_path, NAMES)
    before = contents(tmp_path)
    files = development_tls(tmp_path, [*NAMES, "other.example:443"])
    assert contents(tmp_path)["ca.pem"] != before["ca.pem"]
    assert handshake(server_context(files.server), ssl.create_default_context(cafile=files.ca), "other.example")
    before = contents(tmp_path)
    monkeypatch.setattr(made_by, "_RENEW_BEFORE", datetime.timedelta(days=366))
    development_tls(tmp_path, NAMES)
    assert contents(tmp_path)["ca.pem"] != before["ca.pem"]


@pytest.mark.parametrize(
    ("certificate", "key", "words"),
    [
        ("no-such.pem", "server.key", "no-such.pem: no such file"),
        ("server.pem", "no-such.key", "no-such.key: no such file"),
        ("server.pem", "garbage", "not a certificate and its private key"),
        ("garbage", "server.key", "not a certificate and its private key"),
        ("ca.pem", "server.key", "not a certificate and its private key"),
        ("server.pem", "encrypted.key", "the key is encrypted"),
    ],
)
def test_files_that_are_of_no_use(certificate: str, key: str, words: str, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization

    files = development_tls(tmp_path, NAMES)
    (tmp_path / "garbage").write_text("garbage")
    private = serialization.load_pem_private_key(files.server.key.read_bytes(), None)
    encrypted = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"password")
    )
    (tmp_path / "encrypted.key").write_bytes(encrypted)
    with pytest.raises(InputError) as refused:
        server_context(TlsFiles(tmp_path / certificate, tmp_path / key))
    assert words in str(refused.value)


@pytest.mark.parametrize("backend", BACKENDS)
async def test_trading_over_tls(tmp_path: Path, backend: str) -> None:
    """The SDK with the authority's file trades; without it, and without TLS, nothing gets through."""
    import asyncio

    from tests.exchange.gateway.parks import POWER, private_key
    from tests.exchange.gateway.test_websocket import serving

    files = development_tls(tmp_path, NAMES)
    async with serving(tls=files.server, backend=backend) as (_, url):
        assert url.startswith("wss://")
        async with connect(url, key_id="solar", private_key=private_key("solar"), ca_file=files.ca) as park:
            assert (await park.place(POWER, "sell", price="0.4100", quantity="1.0")).status == "resting"
        for bad in ({}, {"ca_file": files.server.certificate.parent / "no-such.pem"}):
            with pytest.raises(OSError):
                async with connect(url, key_id="solar", private_key=private_key("solar"), **bad):
                    pass
        with pytest.raises(OSError):
            async with connect(url.replace("wss", "ws")):
                pass

        def trade() -> str:
            with sync_sdk.connect(url, key_id="factory", private_key=private_key("factory"), ca_file=files.ca) as park:
                return park.place(POWER, "buy", price="0.4100", quantity="1.0").status

        assert await asyncio.to_thread(trade) == "filled"
