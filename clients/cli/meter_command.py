"""`parkex meter check` and `load`: into the data folder of an exchange that does not run, or over REST into one that does."""

import asyncio
import base64
import hashlib
import http.client
import json
import ssl
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from clients.sdk.credentials import as_private_key, public_key_of
from exchange.errors import InputError
from exchange.protocol.auth import request_message

INTERVALS_TEMPLATE: Final = """device,period_start,import_kwh,export_kwh,flag,losses_kwh
load1,2026-07-15 00:00,12.500,0,measured,
33/pv2,2026-07-15T00:00+08:00,0.040,0,estimated,
7,2026-07-14T16:00Z,0,3.250,measured,
grid,2026-07-15 00:00,9.340,0,measured,0.050
"""
REGISTERS_TEMPLATE: Final = """device,read_at,import_register_kwh,export_register_kwh,flag
load1,2026-07-15 00:00,104211.25,0,measured
load1,2026-07-15 00:07,104213.00,0,removed
load1,2026-07-15 00:07,0.00,0,installed
load1,2026-07-15 00:15,1.75,0,measured
"""
_CHUNK_BYTES: Final = 1 << 18
_TIMEOUT_S: Final = 600
OFFLINE_ROWS_MAX: Final = 100_000


@dataclass(frozen=True, slots=True)
class MeterFile:
    """What the command was told about the file."""

    path: Path
    revision: int
    version: str
    zone: str
    digits: int


def run_meter_command(file: MeterFile, data: Path | None, url: str, key: Path, key_id: str, ca: Path | None, *, load: bool) -> None:
    """Raises InputError for what keeps the file out, JournalLockedError when an exchange runs on the data folder."""
    if not file.path.is_file():
        raise InputError(f"there is no file {file.path}")
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"), TimeElapsedColumn(), TimeRemainingColumn())
    # The bar is for people: a log of it in a file would help nobody.
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        if data is None:
            report = _over_rest(file, url, key, key_id, ca, progress, load=load)
        else:
            report = asyncio.run(_into_folder(file, data, key, progress, load=load))
    _tell(file, report, load=load)


def _tell(file: MeterFile, report: dict[str, Any], *, load: bool) -> None:
    for text in report["flags"]:
        typer.echo(text)
    if report["refusals"]:
        # Documents before the one that was refused are carried out, and passed over when the file is loaded again.
        outcome = f"{report['loaded']} rows were loaded" if report["documents"] else "nothing was loaded"
        raise InputError("\n".join([f"{file.path.name} is refused, {outcome}", *(f"  {text}" for text in report["refusals"])]))
    flagged = sum(report["counts"].values())
    typer.echo(f"{file.path.name}: {report['rows']:,} readings of {report['devices']} devices, nothing refuses them, {flagged} findings flagged")
    if load:
        typer.echo(
            f"loaded {report['loaded']:,} in {report['documents']} documents, of which {report['replaced']:,} replaced others; "
            f"{report['already_there']:,} were already there and passed over"
        )


def _private_key(file: Path) -> Ed25519PrivateKey:
    try:
        return as_private_key(file.read_text("ascii").strip())
    except OSError as error:
        raise InputError(f"cannot read the key {file}: {error.strerror}") from error
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(f"{file} holds no private key in base64") from error


# Into a folder


async def _into_folder(file: MeterFile, data: Path, key: Path, progress: Progress, *, load: bool) -> dict[str, Any]:
    from exchange.clock import SystemClock
    from exchange.gateway.app import DEFAULT_TIME_ZONE
    from exchange.maintenance.places import journal_in, read_model_beside
    from exchange.service import ServiceOptions, start_exchange

    zone = _zone(file.zone or DEFAULT_TIME_ZONE)
    journal = journal_in(data)
    if not load:
        return await _examine(file, _folded(journal), zone, progress, None, None)
    private_key = _private_key(key)
    options = ServiceOptions(journal_directory=journal, clock=SystemClock(), read_model_url=read_model_beside(journal), surveillance=False)
    service = await start_exchange(options)
    try:
        return await _examine(file, service.node.exchange, zone, progress, service.node, private_key)
    finally:
        await service.stop()


def _folded(journal: Path) -> Any:
    """The state of a journal that stays as it is."""
    from exchange.journal.segments import JournalReader
    from exchange.journal.snapshots import SNAPSHOTS_FOLDER
    from exchange.recovery import recovered
    from exchange.replay import replay_into

    reader = JournalReader.open(journal)
    exchange = recovered(reader, journal / SNAPSHOTS_FOLDER, reader.first_sequence)
    replay_into(exchange, reader)
    return exchange


async def _examine(
    file: MeterFile, exchange: Any, zone: ZoneInfo, progress: Progress, node: Any, private_key: Ed25519PrivateKey | None
) -> dict[str, Any]:
    """Check the file, and load it where there is a node."""
    from exchange.gateway.meter_upload import UploadOptions, check_upload, load_documents
    from exchange.metering.files.rows import Park

    options = UploadOptions(file.path.name[:200], file.revision, file.version, file.digits, OFFLINE_ROWS_MAX)
    checking = progress.add_task(f"checking {file.path.name}", total=file.path.stat().st_size)
    now_ns = max(time.time_ns(), exchange.now_ns)
    with file.path.open("rb") as opened:
        report, documents = await check_upload(
            opened, Park.of(exchange.rooms.devices, zone), exchange.rooms, now_ns, options, lambda n: progress.update(checking, completed=n)
        )
    if not report.refusals and node is not None and private_key is not None:
        speaker = _speaker(exchange, private_key)
        loading = progress.add_task("loading", total=report.rows)
        rule = await load_documents(node, documents, report, speaker.account, speaker.number, lambda n: progress.advance(loading, n))
        report.refusals += [] if rule is None else [f"refused: {rule}"]
    return asdict(report)


def _speaker(exchange: Any, private_key: Ed25519PrivateKey) -> Any:
    public_key = public_key_of(private_key)
    for registered in exchange.rooms.participants.keys.values():
        if registered.public_key == public_key and "operate" in registered.scopes:
            return registered
    raise InputError("the key is none of an operator of this exchange; name another with --key")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InputError(f"unknown time zone {name!r}; expected an IANA name such as Asia/Shanghai") from error


# Over REST


def _over_rest(file: MeterFile, url: str, key: Path, key_id: str, ca: Path | None, progress: Progress, *, load: bool) -> dict[str, Any]:
    private_key = _private_key(key)
    digest = _digest(file.path)
    query: dict[str, Any] = {
        "sha256": digest, "source": file.path.name[:200], "revision": file.revision, "version": file.version, "digits": file.digits,
    }  # fmt: skip
    query |= {"zone": file.zone} if file.zone else {}
    query |= {} if load else {"check": "true"}
    target = "/v1/meters/readings?" + urlencode(query, quote_via=quote)
    parts = urlsplit(url)
    host = parts.netloc.lower()
    stamp = time.time_ns()
    signature = base64.b64encode(private_key.sign(request_message("POST", target, stamp, key_id, host))).decode()
    headers = {
        "Host": host, "Content-Type": "application/octet-stream", "Content-Length": str(file.path.stat().st_size),
        "Authorization": f"Parkex key={quote(key_id, safe='')}, timestamp={stamp}, signature={signature}",
    }  # fmt: skip
    try:
        with closing(_connection(parts.scheme, parts.hostname or "", parts.port, ca)) as connection:
            connection.request("POST", target, body=_chunks(file.path, progress), headers=headers)
            answer = connection.getresponse()
            body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise InputError(f"{url} cannot be reached, or ended the upload: {error}") from error
    return _understood(answer.status, body)


def _connection(scheme: str, host: str, port: int | None, ca: Path | None) -> http.client.HTTPConnection:
    if scheme in {"https", "wss"}:
        return http.client.HTTPSConnection(host, port, timeout=_TIMEOUT_S, context=ssl.create_default_context(cafile=None if ca is None else str(ca)))
    if scheme in {"http", "ws"} and host:
        return http.client.HTTPConnection(host, port, timeout=_TIMEOUT_S)
    raise InputError("expected the exchange's address, as ws://127.0.0.1:8765 or https://park.example")


def _digest(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _chunks(path: Path, progress: Progress) -> Iterator[bytes]:
    sending = progress.add_task(f"sending {path.name}", total=path.stat().st_size)
    with path.open("rb") as opened:
        while chunk := opened.read(_CHUNK_BYTES):
            yield chunk
            progress.advance(sending, len(chunk))
    progress.add_task("the exchange checks and loads", total=None)


def _understood(status: int, body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
        if status == http.HTTPStatus.OK:
            return dict(answer)
        if status == http.HTTPStatus.CONFLICT:
            return dict(answer["detail"])
        detail = answer["detail"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"the exchange answered {status}, and not as an exchange does") from error
    words = detail.get("message") if isinstance(detail, dict) else detail
    raise InputError(f"the exchange refuses the upload ({status}): {words}")
