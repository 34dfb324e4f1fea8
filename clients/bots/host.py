"""A process that runs the bots of several members, each on a session of its own: `python -m clients.bots.host FILE`.

The file names the exchange and the members' private files; nothing else of the park enters this process. It speaks to its parent in JSON lines on
standard output: `ready`, `pulse` every second, `schedule` (a storage tells its battery), `report` at the end, `failed`. It ends after the last turn
or when its standard input closes.
"""

import asyncio
import base64
import gc
import json
import sys
from array import array
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from clients.bots.account import OwnAccount
from clients.bots.actions import Schedule
from clients.bots.catalogue import build_strategies
from clients.bots.private import MemberFile
from clients.bots.public_feed import PublicFeed
from clients.bots.retirement import Retirement
from clients.bots.session import BotSession, Pace
from clients.sdk import ParkClient, connect

PULSE_S: Final = 1.0
_RECENT: Final = 2_000
# Orders come and go without cycles; a full collection would be in the way of every bot of the process.
_GC_THRESHOLDS: Final = (50_000, 50, 1_000)


class HostFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a host is started with. `batches`: see `clients.bots.session.Pace`."""

    name: str
    url: str
    members: list[str]
    batches: int = 3


class BotHost:
    """Connects, plays and reports for its members."""

    def __init__(self, file: HostFile) -> None:
        self._file = file
        self._members = [msgspec.json.decode(Path(path).read_bytes(), type=MemberFile) for path in file.members]
        self._sessions: list[BotSession] = []
        self._clients: list[ParkClient] = []
        self._retirements: dict[str, Retirement] = {}

    async def run(self) -> None:
        """Play the whole day. Raises ClientError or OSError when the exchange is gone."""
        members = self._members
        pace = Pace(self._file.batches)
        async with AsyncExitStack() as stack:
            feed = await PublicFeed.subscribe(await stack.enter_async_context(connect(self._file.url)))
            for member in members:
                park = await stack.enter_async_context(connect(self._file.url, key_id=member.key_id, private_key=member.private_key))
                account = await OwnAccount.load(park, feed.contracts, member.contract_lots)
                self._clients.append(park)
                session = BotSession(park, feed, account, build_strategies(member), pace, _reporter(member.name))
                self._sessions.append(session)
                if member.retirement is not None:
                    self._retirements[member.name] = Retirement(park, member.retirement, session.count_refusal)
                    await self._retirements[member.name].watch()
            _tell("ready", members=[member.name for member in members])
            pulse = asyncio.create_task(self._pulse(), name="pulse")
            try:
                async with asyncio.TaskGroup() as group:
                    for member, session in zip(members, self._sessions, strict=True):
                        group.create_task(_play(session, self._retirements.get(member.name)))
            finally:
                pulse.cancel()
        self._report(members)

    async def _pulse(self) -> None:
        while True:
            await asyncio.sleep(PULSE_S)
            recent = np.concatenate([np.array(client.ack_latency_ns[-_RECENT // len(self._clients) :]) for client in self._clients])
            p99_ms = float(np.percentile(recent, 99)) / 1e6 if len(recent) else 0.0
            _tell("pulse", host=self._file.name, orders=sum(session.tally.orders for session in self._sessions), ack_ms_p99=round(p99_ms, 3))

    def _report(self, members: Sequence[MemberFile]) -> None:
        rejects: Counter[str] = Counter()
        latencies = array("q")
        for session, client in zip(self._sessions, self._clients, strict=True):
            rejects.update(session.tally.rejects)
            latencies.extend(client.ack_latency_ns)
        _tell(
            "report",
            members=[member.name for member in members],
            orders=sum(session.tally.orders for session in self._sessions),
            withdrawals=sum(session.tally.withdrawals for session in self._sessions),
            turns=[session.tally.turns for session in self._sessions],
            rejects=dict(rejects),
            retirements=sum(retirement.retired for retirement in self._retirements.values()),
            ack_ns=base64.b64encode(np.array(latencies, "<i8").tobytes()).decode(),
        )


async def _play(session: BotSession, retirement: Retirement | None) -> None:
    await session.run()
    if retirement is not None:
        await retirement.run()


def _reporter(member: str) -> Any:
    def report(schedule: Schedule) -> None:
        _tell("schedule", member=member, delivery_start_ns=schedule.delivery_start_ns, injection_wh=schedule.injection_wh)

    return report


def _tell(event: str, **data: object) -> None:
    sys.stdout.write(json.dumps({"event": event, **data}) + "\n")
    sys.stdout.flush()


async def _until_parent_is_gone() -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.read(4096):
        pass


async def _main(file: HostFile) -> int:
    playing = asyncio.create_task(BotHost(file).run(), name="bots")
    watching = asyncio.create_task(_until_parent_is_gone(), name="parent")
    await asyncio.wait({playing, watching}, return_when=asyncio.FIRST_COMPLETED)
    watching.cancel()
    if not playing.done():
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)
        return 0
    error = playing.exception()
    if error is None:
        return 0
    _tell("failed", error="; ".join(_causes(error)))
    return 1


def _causes(error: BaseException) -> list[str]:
    if isinstance(error, BaseExceptionGroup):
        return [text for part in error.exceptions for text in _causes(part)]
    return [f"{type(error).__name__}: {error}"]


def main() -> int:
    """Entry point of the process."""
    gc.set_threshold(*_GC_THRESHOLDS)
    file = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=HostFile)
    try:
        import uvloop
    except ImportError:
        return asyncio.run(_main(file))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_main(file))


if __name__ == "__main__":
    sys.exit(main())
