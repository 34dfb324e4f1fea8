"""`parkex keys`, `parkex proposals` and `parkex clock`: what operators do about keys, approvals and the clock of a running exchange."""

from pathlib import Path
from typing import Annotated

import typer

keys = typer.Typer(help="Keys of a running exchange; acts of the operator.", no_args_is_help=True, rich_markup_mode=None)
proposals = typer.Typer(help="What waits for a second person on a running exchange.", no_args_is_help=True, rich_markup_mode=None)
clock = typer.Typer(help="The wall clock of a running exchange.", no_args_is_help=True, rich_markup_mode=None)

Url = Annotated[str, typer.Option(help="The exchange.")]
KeyFile = Annotated[Path, typer.Option(help="File with your private key in base64, as operator.key and parkex keys new have it.")]
KeyId = Annotated[str, typer.Option(help="Id of your key.")]
Propose = Annotated[str, typer.Option(help="Propose it to another operator with this reason, instead of doing it.")]
LOCAL = "ws://127.0.0.1:8765"
OPERATOR_FILE = Path("parkex-data/operator.key")


@keys.command("new")
def keys_new(file: Annotated[Path, typer.Argument(help="Where to write the private key; it never leaves this machine.")]) -> None:
    """Make a key: the private one into a file that only you read, the public one printed for the operator."""
    from clients.cli.keys_commands import new_key

    new_key(file)


@keys.command("list")
def keys_list(
    account: Annotated[int | None, typer.Option(help="Of one account only.")] = None,
    url: Url = LOCAL,
    key: KeyFile = OPERATOR_FILE,
    key_id: KeyId = "operator",
) -> None:
    """Keys with person, scopes, status and last use."""
    from clients.cli.keys_commands import Desk, list_keys

    list_keys(Desk(url, key_id, key), account)


@keys.command("register")
def keys_register(
    account: Annotated[int, typer.Argument(help="Account that the key is for.")],
    new_key_id: Annotated[str, typer.Argument(help="Id of the new key.")],
    public_key: Annotated[str, typer.Option(help="As parkex keys new has printed it.")],
    scope: Annotated[list[str], typer.Option(help="read, trade, operate, verify or audit; repeatable.")],
    person: Annotated[str, typer.Option(help="Who holds the private key; the same name for all keys of one person.")] = "",
    expires: Annotated[str, typer.Option(help="When it ends, as 2026-12-31T18:00+08:00; default: not at all.")] = "",
    propose: Propose = "",
    url: Url = LOCAL,
    key: KeyFile = OPERATOR_FILE,
    key_id: KeyId = "operator",
) -> None:
    """Register one more key for an account."""
    from clients.cli.keys_commands import Desk, register

    register(Desk(url, key_id, key, propose), account, new_key_id, public_key, scope, person, expires)


@keys.command("scopes")
def keys_scopes(
    changed_key_id: Annotated[str, typer.Argument(help="Id of the key.")],
    scope: Annotated[list[str] | None, typer.Option(help="All scopes that it has from now on; repeatable.")] = None,
    expires: Annotated[str, typer.Option(help="When it ends, as 2026-12-31T18:00+08:00.")] = "",
    propose: Propose = "",
    url: Url = LOCAL,
    key: KeyFile = OPERATOR_FILE,
    key_id: KeyId = "operator",
) -> None:
    """Change the scopes of a key, which ends its sessions, or when it expires."""
    from clients.cli.keys_commands import Desk, change_scopes

    change_scopes(Desk(url, key_id, key, propose), changed_key_id, scope or [], expires)


@keys.command("rotate")
def keys_rotate(
    old_key_id: Annotated[str, typer.Argument(help="Id of the key that is replaced.")],
    new_key_id: Annotated[str, typer.Argument(help="Id of the new key.")],
    public_key: Annotated[str, typer.Option(help="As parkex keys new has printed it.")],
    until: Annotated[str, typer.Option(help="When the old key ends, as 2026-12-31T18:00+08:00.")],
    propose: Propose = "",
    url: Url = LOCAL,
    key: KeyFile = OPERATOR_FILE,
    key_id: KeyId = "operator",
) -> None:
    """Put a new key beside an old one: the new one is good at once, the old one until a time."""
    from clients.cli.keys_commands import Desk, rotate

    rotate(Desk(url, key_id, key, propose), old_key_id, new_key_id, public_key, until)


@keys.command("revoke")
def keys_revoke(
    revoked_key_id: Annotated[str, typer.Argument(help="Id of the key.")],
    reason: Annotated[str, typer.Option(help="Why, for the audit log.")] = "",
    url: Url = LOCAL,
    key: KeyFile = OPERATOR_FILE,
    key_id: KeyId = "operator",
) -> None:
    """End a key and its sessions at once."""
    from clients.cli.keys_commands import Desk, revoke

    revoke(Desk(url, key_id, key), revoked_key_id, reason)


@proposals.command("list")
def proposals_list(url: Url = LOCAL, key: KeyFile = OPERATOR_FILE, key_id: KeyId = "operator") -> None:
    """Rules of approval and proposals with their digests."""
    from clients.cli.keys_commands import Desk, list_proposals

    list_proposals(Desk(url, key_id, key))


@proposals.command("approve")
def proposals_approve(
    proposal: Annotated[int, typer.Argument(help="Number of the proposal.")],
    digest: Annotated[str, typer.Option(help="Of the document that you have read, as parkex proposals list shows it.")],
    url: Url = LOCAL,
    key: KeyFile = OPERATOR_FILE,
    key_id: KeyId = "operator",
) -> None:
    """Approve what another person proposed; it is carried out at once."""
    from clients.cli.keys_commands import Desk, decide

    decide(Desk(url, key_id, key), proposal, digest, is_approved=True)


@proposals.command("reject")
def proposals_reject(
    proposal: Annotated[int, typer.Argument(help="Number of the proposal.")],
    reason: Annotated[str, typer.Option(help="Why not.")],
    url: Url = LOCAL,
    key: KeyFile = OPERATOR_FILE,
    key_id: KeyId = "operator",
) -> None:
    """Say no to what another person proposed."""
    from clients.cli.keys_commands import Desk, decide

    decide(Desk(url, key_id, key, reason), proposal, "", is_approved=False)


@clock.command("status")
def clock_status(url: Url = LOCAL, key: KeyFile = OPERATOR_FILE, key_id: KeyId = "operator") -> None:
    """Market time, the wall clock, and whether commands wait because it was stepped."""
    from clients.cli.clock_commands import show_clock
    from clients.cli.keys_commands import Desk

    show_clock(Desk(url, key_id, key))


@clock.command("confirm")
def clock_confirm(
    reason: Annotated[str, typer.Option(help="What happened to the clock and how you know the time, for the audit log.")],
    time: Annotated[str, typer.Option(help="The time as you know it, as 2026-12-31T18:00:00+08:00; default: this machine's.")] = "",
    url: Url = LOCAL,
    key: KeyFile = OPERATOR_FILE,
    key_id: KeyId = "operator",
) -> None:
    """Say that a wall clock that was stepped is right now: commands are taken again.

    Refused (5014) when the exchange's clock does not show that time, give or take five seconds. On the exchange's own machine give --time from a
    source that you trust: the machine's clock always agrees with itself.
    """
    from clients.cli.clock_commands import confirm_clock
    from clients.cli.keys_commands import Desk

    confirm_clock(Desk(url, key_id, key), reason, time)
