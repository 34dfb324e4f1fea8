"""The campaign: parks of so many kills each. A park is one data directory, one auditor, four clients and the many lives of one server."""

import asyncio
import json
import os
import random
import signal
import socket
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from bench.crash.client import Trader
from bench.crash.market import MEMBERS, open_market

LIFE_MIN_S: Final = 0.02
LIFE_MAX_S: Final = 0.3
# So many of the kills hit a server that is still recovering.
WHILE_STARTING: Final = 0.1
SNAPSHOT_EVERY: Final = 5
_PATIENCE_S: Final = 60.0


@dataclass(slots=True)
class Figures:
    """What came of it. `lost`: told and not in the journal as told. `doubled`: executed more than once, or never sent."""

    kills: int = 0
    kills_in_flight: int = 0
    kills_while_starting: int = 0
    acknowledged: int = 0
    refused: int = 0
    resent: int = 0
    duplicates_told: int = 0
    sent_twice: int = 0
    trades: int = 0
    lost: int = 0
    doubled: int = 0
    hashes_compared: int = 0
    hash_mismatches: int = 0
    recovery_ms: list[float] = field(default_factory=list)
    back_ms: list[float] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        return not (self.lost or self.doubled or self.hash_mismatches or self.complaints)

    def add(self, other: "Figures") -> None:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


class Worker:
    """A process that is told by lines on stdin and answers by JSON lines on stdout."""

    def __init__(self, *command: str) -> None:
        self._command = command
        self._process: asyncio.subprocess.Process | None = None

    async def open(self) -> None:
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(sys.executable, "-m", *self._command, stdin=pipe, stdout=pipe, limit=1 << 24)

    def tell(self, line: str) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")

    async def hear(self) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        async with asyncio.timeout(_PATIENCE_S):
            line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._command[0]} ended")
        return json.loads(line)  # type: ignore[no-any-return]

    async def ask(self, **words: Any) -> dict[str, Any]:
        self.tell(json.dumps(words))
        return await self.hear()

    async def close(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            await self._process.wait()


class Park:
    """One data directory from its genesis through `kills` kills to an end in order."""

    def __init__(self, directory: Path, seed: int, *, read_model: bool = False, cold: bool = False) -> None:
        self._directory = directory
        self._seed = seed
        self._random = random.Random(seed)  # noqa: S311 - a seed is to repeat
        port = free_port()
        self._url = f"ws://127.0.0.1:{port}"
        switches = ["--read-model"] * read_model + ["--cold"] * cold
        self._server = Worker("bench.crash.server", str(directory), str(port), *switches)
        self._auditor = Worker("bench.crash.auditor", str(directory / "journal"))
        self._pid = 0
        self._traders: list[Trader] = []
        self.figures = Figures()

    async def run(self, kills: int) -> Figures:
        await self._server.open()
        await self._server.hear()
        try:
            ready = await self._start()
            accounts = await open_market(self._url, time.time_ns())
            await self._auditor.open()
            self._traders = [Trader(name, self._url, self._seed) for name in MEMBERS]
            async with asyncio.TaskGroup() as group:
                for trader in self._traders:
                    group.create_task(trader.run())
                await self._all_ready()
                await self._kill_and_start(kills, ready)
                told = await self._told_at_last(accounts)
            await self._stop()
            await self._audit(told)
        finally:
            await self._server.close()
            await self._auditor.close()
        return self.figures

    async def _kill_and_start(self, kills: int, ready: dict[str, Any]) -> None:
        while self.figures.kills < kills:
            await asyncio.sleep(self._random.uniform(LIFE_MIN_S, LIFE_MAX_S))
            self._kill()
            began_s = time.perf_counter()
            while self.figures.kills < kills and self._random.random() < WHILE_STARTING:
                await self._fork()
                await asyncio.sleep(self._random.uniform(0, self._recovery_s()))
                self._kill()
                self.figures.kills_while_starting += 1
            ready = await self._start()
            await self._all_ready()
            self.figures.back_ms.append(round(1000 * (time.perf_counter() - began_s), 1))
            # The clients have caught up with what came before this life, so no snapshot is ahead of what they still have to be told.
            await self._compare(ready, snapshot=self.figures.hashes_compared % SNAPSHOT_EVERY == 0)

    async def _fork(self) -> None:
        self._server.tell("start")
        heard = await self._server.hear()
        while "forked" not in heard:  # what a life said that was killed before anybody listened
            heard = await self._server.hear()
        self._pid = heard["forked"]

    async def _start(self) -> dict[str, Any]:
        await self._fork()
        ready = await self._server.hear()
        while ready.get("pid") != self._pid:
            ready = await self._server.hear()
        self.figures.recovery_ms.append(ready["recovery_ms"])
        return ready

    def _recovery_s(self) -> float:
        return self.figures.recovery_ms[-1] / 1000

    def _kill(self) -> None:
        self.figures.kills_in_flight += any(trader.unanswered for trader in self._traders)
        os.kill(self._pid, signal.SIGKILL)
        self.figures.kills += 1

    async def _all_ready(self) -> None:
        async with asyncio.timeout(_PATIENCE_S):
            await asyncio.gather(*(trader.ready.wait() for trader in self._traders))

    async def _compare(self, ready: dict[str, Any], *, snapshot: bool) -> None:
        answer = await self._auditor.ask(fold=ready["sequence"], state_hash=ready["state_hash"], snapshot=snapshot)
        self.figures.hashes_compared += 1
        self.figures.hash_mismatches += not answer["same"]

    async def _told_at_last(self, accounts: dict[str, int]) -> dict[str, Any]:
        """Everything answered, the last questions asked; what each member was told."""
        for trader in self._traders:
            trader.pause()
        async with asyncio.timeout(_PATIENCE_S):
            await asyncio.gather(*(trader.idle.wait() for trader in self._traders))
        told = {
            "sequence": await self._traders[0].sequence(),
            "members": {str(accounts[trader.name]): await told_by(trader) for trader in self._traders},
        }
        for trader in self._traders:
            await trader.finish()
            self._count(trader)
        return told

    def _count(self, trader: Trader) -> None:
        refused = sum("code" in command.told[0] for command in trader.answered)
        figures = self.figures
        figures.acknowledged += len(trader.answered)
        figures.refused += refused
        figures.doubled += trader.counts["executions_doubled"]
        for name in ("resent", "duplicates_told", "sent_twice"):
            setattr(figures, name, getattr(figures, name) + trader.counts[name])
        figures.complaints += [f"{trader.name}: {complaint}" for complaint in trader.complaints[:5]]

    async def _stop(self) -> None:
        os.kill(self._pid, signal.SIGTERM)
        self._server.tell("reap")
        while "ended" not in await self._server.hear():
            pass

    async def _audit(self, told: dict[str, Any]) -> None:
        path = self._directory / "told.msgpack"
        path.write_bytes(msgspec.msgpack.encode(told))
        answer = await self._auditor.ask(audit=str(path))
        self.figures.lost += answer["lost"]
        self.figures.doubled += answer["doubled"]
        self.figures.trades += answer["trades"]
        self.figures.complaints += answer["complaints"]


async def told_by(trader: Trader) -> dict[str, Any]:
    """Commands with the answers to each of their keys, executions, and the state as the exchange shows it at the end."""
    state = await trader.state()
    commands = [(command.keys, command.told) for command in trader.answered]
    return {"commands": commands, "executions": [msgspec.to_builtins(execution) for execution in trader.executions], "state": state}


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
