"""`parkex keys` and `parkex proposals`: administration of a running exchange. Private keys are made and stay on the machine of who holds them."""

import asyncio
import base64
import binascii
import datetime
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from clients.sdk import ClientError, ParkClient, connect
from clients.sdk.credentials import public_key_of
from exchange.errors import InputError
from exchange.protocol.documents import ChangeKey, Document, Key, RegisterKey, RevokeKey, RotateKey

PUBLIC_KEY_BYTES: Final = 32
NS_PER_SECOND: Final = 1_000_000_000


class Desk(NamedTuple):
    """Where to go, and as whom. With a reason acts are proposed to another person instead of carried out."""

    url: str
    key_id: str
    key_file: Path
    reason: str = ""


def new_key(file: Path) -> None:
    """Write a new private key to a file that only its owner reads, and print the public one. Raises InputError when the file is there."""
    key = Ed25519PrivateKey.generate()
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(base64.b64encode(key.private_bytes_raw()).decode() + "\n")
    except FileExistsError:
        raise InputError(f"{file} is there; a key is never overwritten") from None
    typer.echo(base64.b64encode(public_key_of(key)).decode())


def list_keys(desk: Desk, account: int | None) -> None:
    """One line a key."""

    async def show(park: ParkClient) -> None:
        for row in await park.administration.keys(account):
            used = _shown(row.last_used_ns) or "never used"
            until = f", until {_shown(row.not_after_ns)}" if row.not_after_ns else ""
            ended = f" {_shown(row.ended_ns)}" if row.ended_ns else ""
            sessions = f", {row.sessions} sessions" if row.sessions else ""
            who = f"{row.key_id}  account {row.account}  {row.person or '-'}  {','.join(row.scopes)}"
            typer.echo(f"{who}  {row.status}{ended}{until}, {used}{sessions}")

    ask(desk, show)


def register(desk: Desk, account: int, key_id: str, public_key: str, scopes: list[str], person: str, expires: str) -> None:
    """One more key for an account."""
    key = Key(key_id=key_id, public_key=parse_public_key(public_key), scopes=scopes, person=person, not_after_ns=parse_time(expires))
    act(desk, RegisterKey(account=account, key=key))


def change_scopes(desk: Desk, key_id: str, scopes: list[str], expires: str) -> None:
    """Other scopes, another expiry, or both."""
    if not scopes and not expires:
        raise InputError("give --scope, --expires or both")
    act(desk, ChangeKey(key_id=key_id, scopes=scopes or None, not_after_ns=parse_time(expires) if expires else None))


def rotate(desk: Desk, key_id: str, new_key_id: str, public_key: str, until: str) -> None:
    """A new key beside the old one, which is good until `until`."""
    document = RotateKey(key_id=key_id, new_key_id=new_key_id, new_public_key=parse_public_key(public_key), old_until_ns=parse_time(until))
    act(desk, document)


def revoke(desk: Desk, key_id: str, why: str) -> None:
    """A key may do nothing more."""
    act(desk, RevokeKey(key_id=key_id, reason=why))


def list_proposals(desk: Desk) -> None:
    """Rules of approval, then one line a proposal."""

    async def show(park: ParkClient) -> None:
        found = await park.administration.proposals()
        typer.echo(f"{found.mode}: without approval {found.money_micro} micro-CNY and {found.issue_lots} lots a day")
        for row in found.proposals:
            typer.echo(f"{row.proposal}  {row.status}  {row.schema} by {row.person}: {row.reason}  until {_shown(row.expires_ns)}  {row.digest}")
            typer.echo(f"    {row.document}")

    ask(desk, show)


def decide(desk: Desk, proposal: int, digest: str, *, is_approved: bool) -> None:
    """Approve what was read, named by its digest, or reject it."""

    async def say(park: ParkClient) -> None:
        administration = park.administration
        answer = await (administration.approve(proposal, digest) if is_approved else administration.reject(proposal, desk.reason))
        typer.echo(answer)

    if is_approved and (len(digest) != 64 or set(digest) - set("0123456789abcdef")):
        raise InputError("--digest: expected 64 hex digits, as parkex proposals list shows them")
    ask(desk, say)


def parse_public_key(text: str) -> bytes:
    """32 bytes in base64. Raises InputError."""
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != PUBLIC_KEY_BYTES:
        raise InputError("--public-key: expected 32 bytes in base64, as parkex keys new prints them")
    return key


def parse_time(text: str) -> int:
    """A time as 2026-12-31T18:00+08:00 in ns, 0 for none. Raises InputError."""
    if not text:
        return 0
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InputError(f"{text[:40]!r}: expected a time with its zone, as 2026-12-31T18:00+08:00")
    return int(moment.timestamp()) * NS_PER_SECOND


def _shown(time_ns: int) -> str:
    return datetime.datetime.fromtimestamp(time_ns // NS_PER_SECOND, datetime.UTC).isoformat() if time_ns else ""


def act(desk: Desk, document: Document) -> None:
    """Submit a document, or propose it where there is a reason, and print the answer. Raises InputError."""
    async def submit(park: ParkClient) -> None:
        if desk.reason:
            typer.echo(await park.administration.propose(document, desk.reason))
        else:
            typer.echo(await park.submit(document) or "done")

    ask(desk, submit)


def ask(desk: Desk, work: Callable[[ParkClient], Awaitable[Any]]) -> None:
    """Log on, do the work, leave. Raises InputError with what went wrong."""
    try:
        private_key = desk.key_file.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{desk.key_file}: cannot be read as a private key") from error

    async def run() -> None:
        async with connect(desk.url, key_id=desk.key_id, private_key=private_key) as park:
            await work(park)

    try:
        asyncio.run(run())
    except (ClientError, ValueError, OSError) as error:
        raise InputError(f"{desk.url}: {error}") from None
