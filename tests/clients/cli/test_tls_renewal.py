"""A renewed certificate: shown to new connections without a restart, never to those that are there, and never a broken one."""

import asyncio
import logging
import os
import shutil
import signal
import ssl
from pathlib import Path

import pytest

from clients.cli.development_tls import DevelopmentTls, development_tls
from clients.sdk import connect
from exchange.errors import InputError
from exchange.gateway.server import BACKENDS
from exchange.gateway.tls import RenewableTls, TlsFiles
from tests.clients.cli.test_development_tls import handshake
from tests.exchange.gateway.parks import POWER, private_key
from tests.exchange.gateway.test_websocket import serving

NAMES = ("127.0.0.1", "localhost")


class Certificates:
    """Two authorities, each with a pair for the server; one of the pairs is in place."""

    def __init__(self, directory: Path) -> None:
        self.old, self.new = (development_tls(directory / name, NAMES) for name in ("old", "new"))
        self.files = TlsFiles(directory / "server.pem", directory / "server.key")
        self.place(self.old)

    def place(self, pair: DevelopmentTls, *, certificate: bool = True, key: bool = True) -> None:
        """Renamed into place, as those who renew certificates do it."""
        for source, target in [(pair.server.certificate, self.files.certificate)] * certificate + [(pair.server.key, self.files.key)] * key:
            beside = target.with_suffix(".next")
            shutil.copyfile(source, beside)
            beside.rename(target)

    def shown(self, context: ssl.SSLContext) -> str:
        """Which authority vouches for what a new connection gets."""
        found = []
        for name in ("old", "new"):
            try:
                handshake(context, ssl.create_default_context(cafile=getattr(self, name).ca), "localhost")
            except ssl.SSLCertVerificationError:
                continue
            found.append(name)
        assert len(found) == 1, found
        return found[0]


def words(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.name == "parkex.tls"]


def test_a_renewed_pair_is_shown_once_it_has_settled(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "parkex.tls")
    certificates = Certificates(tmp_path)
    tls = RenewableTls(certificates.files)
    tls.look()
    assert certificates.shown(tls.context) == "old"
    certificates.place(certificates.new)
    tls.look()
    assert certificates.shown(tls.context) == "old", "somebody may be at work on the files"
    tls.look()
    assert certificates.shown(tls.context) == "new"
    tls.look()
    tls.look()
    assert words(caplog) == ["certificate renewed"]


def test_half_a_pair_is_refused_once_and_the_other_half_makes_it_good(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "parkex.tls")
    certificates = Certificates(tmp_path)
    tls = RenewableTls(certificates.files)
    certificates.place(certificates.new, key=False)
    for _ in range(4):
        tls.look()
    assert (certificates.shown(tls.context), words(caplog)) == ("old", ["certificate refused"])
    certificates.place(certificates.new, certificate=False)
    tls.look()
    tls.look()
    assert (certificates.shown(tls.context), words(caplog)) == ("new", ["certificate refused", "certificate renewed"])


@pytest.mark.parametrize("damage", ["gone", "empty", "garbage", "unreadable name"])
def test_what_is_no_pair_changes_nothing(damage: str, tmp_path: Path) -> None:
    certificates = Certificates(tmp_path)
    tls = RenewableTls(certificates.files)
    certificates.files.key.unlink()
    if damage == "unreadable name":
        certificates.files.key.mkdir()
    elif damage != "gone":
        certificates.files.key.write_text({"empty": "", "garbage": "no key"}[damage])
    assert not tls.renew()
    tls.look()
    assert certificates.shown(tls.context) == "old"


def test_a_server_does_not_begin_with_a_broken_pair(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path)
    certificates.place(certificates.new, key=False)
    with pytest.raises(InputError, match="not a certificate and its private key"):
        RenewableTls(certificates.files)


async def test_it_looks_by_itself(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path)
    tls = RenewableTls(certificates.files)
    watching = asyncio.create_task(tls.watch(0.002))
    certificates.place(certificates.new)
    async with asyncio.timeout(10):
        while certificates.shown(tls.context) == "old":  # noqa: ASYNC110 - it is another task's progress
            await asyncio.sleep(0.005)
    watching.cancel()


@pytest.mark.parametrize("backend", BACKENDS)
async def test_a_hangup_renews_without_dropping_anybody(tmp_path: Path, backend: str) -> None:
    certificates = Certificates(tmp_path)
    async with (
        serving(tls=certificates.files, backend=backend) as (_, url),
        connect(url, key_id="solar", private_key=private_key("solar"), ca_file=certificates.old.ca) as early,
    ):
        gone: list[object] = []
        early.on("connection", gone.append)
        certificates.place(certificates.new)
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.sleep(0)
        async with connect(url, key_id="factory", private_key=private_key("factory"), ca_file=certificates.new.ca) as late:
            assert (await early.place(POWER, "sell", price="0.4100", quantity="1.0")).status == "resting"
            assert (await late.place(POWER, "buy", price="0.4100", quantity="1.0")).status == "filled"
        assert gone == []
        with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
            async with connect(url, ca_file=certificates.old.ca):
                pass


async def test_a_service_without_tls_outlives_a_hangup() -> None:
    async with serving() as (_, url), connect(url, key_id="solar", private_key=private_key("solar")) as park:
        os.kill(os.getpid(), signal.SIGHUP)
        assert (await park.place(POWER, "sell", price="0.4100", quantity="1.0")).status == "resting"
