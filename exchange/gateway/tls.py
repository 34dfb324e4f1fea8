"""TLS of the gateway: certificate and key of the operator's, TLS 1.2 or newer, read again when their files are replaced."""

import asyncio
import logging
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from exchange.errors import InputError
from exchange.logs import log_event

logger = logging.getLogger("parkex.tls")

LOOK_EVERY_S: Final = 5.0
_Stamp = tuple[tuple[int, int, int], ...]


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


class RenewableTls:
    """The TLS of a server that runs: `context` is for its listener, and each new connection gets the certificate of the last good pair of files.

    A pair is tried in a context of its own before anybody is shown it, so one that is broken or half replaced changes nothing. Connections that
    are there keep what they began with. Use inside the loop's thread.
    """

    def __init__(self, files: TlsFiles) -> None:
        """Raises InputError as `server_context` does."""
        self._files = files
        self._stamp = self._last_look = _stamp_of(files)
        self._current = server_context(files)
        self.context = server_context(files)
        self.context.sni_callback = self._choose

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        """Called in every handshake, also when the client names no server."""
        connection.context = self._current

    def renew(self) -> bool:
        """Read both files now. False, with a word in the log, when they are of no use: the old pair stays."""
        self._stamp = self._last_look = _stamp_of(self._files)
        try:
            self._current = server_context(self._files)
        except (InputError, OSError) as error:
            log_event(logger, logging.ERROR, "certificate refused", reason=str(error))
            return False
        log_event(logger, logging.INFO, "certificate renewed")
        return True

    def look(self) -> None:
        """Read the files if they are not those that were read last. They have to be the same at two looks: somebody may be at work on them."""
        stamp = _stamp_of(self._files)
        is_settled, self._last_look = stamp == self._last_look, stamp
        if is_settled and stamp != self._stamp:
            self.renew()

    async def watch(self, look_every_s: float = LOOK_EVERY_S) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.sleep(look_every_s)
            self.look()


def _stamp_of(files: TlsFiles) -> _Stamp:
    """What changes when a file is written or another one takes its place, behind symbolic links too; zeros for one that is not there."""
    stamps = []
    for path in (files.certificate, files.key):
        try:
            found = path.stat()
        except OSError:
            stamps.append((0, 0, 0))
        else:
            stamps.append((found.st_ino, found.st_mtime_ns, found.st_size))
    return tuple(stamps)
