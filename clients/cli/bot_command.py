"""`parkex bot`: one member's bot against a running exchange."""

import asyncio
import inspect
from pathlib import Path

import msgspec
import typer

from clients.bots.account import OwnAccount
from clients.bots.catalogue import STRATEGIES, build_strategies
from clients.bots.private import MemberFile
from clients.bots.public_feed import PublicFeed
from clients.bots.session import BotSession, Pace
from clients.sdk import ClientError, connect
from exchange.errors import InputError


def run_bot_command(strategy: str, url: str, key: Path | None, every_s: float, ca: Path | None = None, *, list_strategies: bool) -> None:
    """Play `strategy` with the private data of the member file `key`. Raises InputError for an unknown strategy, a bad file or a refused logon."""
    if list_strategies:
        typer.echo(describe_strategies())
        return
    member = read_member(strategy, key)
    try:
        asyncio.run(_play(url, member, every_s, ca))
    except ClientError as error:
        raise InputError(f"{url}: {error}") from None


def describe_strategies() -> str:
    """Name, what it does and the fields of its private data, for every strategy."""
    lines = []
    for name, (data, strategy) in STRATEGIES.items():
        module = inspect.getmodule(strategy)
        lines.append(f"{name}\n  {inspect.getdoc(module)}")
        fields = [f"{field.encode_name}{'' if field.required else '?'}" for field in msgspec.structs.fields(data)]
        lines.append(f"  private data: {', '.join(fields)}")
    return "\n".join(lines)


def read_member(strategy: str, key: Path | None) -> MemberFile:
    """The member file with only the strategy asked for. Raises InputError."""
    if strategy not in STRATEGIES:
        raise InputError(f"unknown strategy {strategy[:30]!r}; expected one of {', '.join(STRATEGIES)} (parkex bot --list tells about them)")
    if key is None:
        raise InputError("--key FILE: expected the private file of the member (key_id, private_key in base64, seed, strategies)")
    try:
        member = msgspec.json.decode(key.read_bytes(), type=MemberFile)
    except msgspec.MsgspecError as error:
        raise InputError(f"{key.name}: {error}") from None
    chosen = [data for data in member.strategies if type(data) is STRATEGIES[strategy][0]]
    if not chosen:
        raise InputError(f"{key.name}: has no private data for strategy {strategy}")
    return msgspec.structs.replace(member, strategies=chosen)


async def _play(url: str, member: MemberFile, every_s: float, ca: Path | None) -> None:
    async with (
        connect(url, ca_file=ca) as public,
        connect(url, key_id=member.key_id, private_key=member.private_key, ca_file=ca) as park,
    ):
        feed = await PublicFeed.subscribe(public)
        account = await OwnAccount.load(park, feed.contracts, member.contract_lots)
        session = BotSession(park, feed, account, build_strategies(member), Pace(1))
        typer.echo(f"{member.name} is connected to {url} as account {park.account}")
        await (session.run_every(every_s) if every_s else session.run())
    tally = session.tally
    typer.echo(f"{tally.turns} turns, {tally.orders} orders accepted, {sum(tally.rejects.values())} refused {dict(tally.rejects)}")
