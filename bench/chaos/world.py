"""One simulated stretch of hours, decided by a seed: trading goes on while connections break, clocks are stepped, disks fail and servers die."""

import asyncio
import errno
import logging
import random
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench.chaos.auditor import Audit, Found
from bench.chaos.clocks import MachineClocks
from bench.chaos.market import MEMBERS, OPERATOR, START_NS, genesis, open_market
from bench.chaos.network import Network
from bench.chaos.server import SimulatedServer
from bench.chaos.traders import FOREVER_S, Trader
from bench.chaos.virtual_time import Process, VirtualTimeLoop
from clients.sdk.client import ParkClient
from clients.sdk.credentials import Credentials
from clients.sdk.errors import ClientError
from exchange.errors import ParkexError
from exchange.order_path import canonical
from exchange.units import NS_PER_SECOND, PERIOD_NS

HOUR_S: Final = 3_600
PAUSE_S: Final = 60.0  # of a member, between two actions
_FAULT_EVERY_S: Final = 180.0
_SETTLE_S: Final = 900.0
_FIRST_GATE_S: Final = 1_500.0  # of the first quarter-hour that is listed


@dataclass
class Tally:
    """What happened, to be added up over worlds."""

    hours: int = 0
    commands: int = 0
    trades: int = 0
    answers: int = 0
    kills: int = 0
    kills_in_flight: int = 0
    power_losses: int = 0
    disk_failures: int = 0
    restarts: int = 0
    cuts: int = 0
    holds: int = 0
    clock_steps: int = 0
    executions_behind_snapshots: int = 0  # missed by a client, and older than what a server that began from a snapshot has in memory
    lost: int = 0
    doubled: int = 0
    wrong: int = 0
    found: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


class World:
    """Use `run_world`."""

    def __init__(self, seed: int, hours: int, pause_s: float, directory: Path) -> None:
        self.tally = Tally(hours=hours)
        self._hours = hours
        self._directory = directory
        # One stream a part, so that more of one kind of event shifts no other kind.
        self._faults, disk = (random.Random(f"{seed} {part}") for part in ("faults", "disk"))
        self.loop = VirtualTimeLoop(lambda: self._flush_delay(disk))
        self._network = Network(self.loop, f"{seed} network")
        self._clocks = MachineClocks(START_NS, self.loop.time, drift_ppm=self._faults.randint(-50, 50))
        (directory / "journal").mkdir()
        self._server = SimulatedServer(
            self.loop, self._network, self._clocks, directory, genesis(self._faults.choice((0, 5 * NS_PER_SECOND))), self._faults
        )
        self._symbols: list[str] = []
        self._snapshot_seqs: dict[int, int] = {}
        self._raised: list[str] = []
        self._traders = [
            Trader(self._network, member, self._client_wall_ns, random.Random(f"{seed} {member.name}"), pause_s, self._tradable) for member in MEMBERS
        ]

    def _client_wall_ns(self) -> int:
        """The clients' clocks are right."""
        return START_NS + int(self.loop.time() * NS_PER_SECOND)

    @staticmethod
    def _flush_delay(rng: random.Random) -> float:
        """Mostly a quick disk, now and then a slow one."""
        return rng.expovariate(1 / 0.0008) if rng.random() > 0.002 else rng.uniform(0.05, 4.0)

    def _tradable(self) -> list[str]:
        """Quarter-hours by their gate, from the next one on."""
        passed = max(0, int((self.loop.time() - _FIRST_GATE_S) * NS_PER_SECOND // PERIOD_NS) + 1)
        return self._symbols[passed:]

    async def run(self) -> Found:
        """Trade for the hours, with everything that can go wrong; then let all of it come to rest and compare."""
        await self._server.start()
        credentials = Credentials(OPERATOR.name, OPERATOR.private_key, wall_ns=self._client_wall_ns)
        operator = ParkClient(self._network.connector(Process("operator")), credentials, resume_for_s=FOREVER_S)
        await operator.open()
        self._symbols = await open_market(operator, self._hours)
        await operator.close()
        trading = [self.loop.spawn(trader.process, self._trade(trader), trader.member.name) for trader in self._traders]
        breaking = asyncio.create_task(self._break_things(), name="faults")
        end_s = self._hours * HOUR_S
        while self.loop.time() < end_s:
            await asyncio.sleep(min(60.0, end_s - self.loop.time() + 0.001))
            for task in trading:
                if task.done():
                    task.result()
            if breaking.done():
                breaking.result()
        for trader in self._traders:
            trader.stopping = True
        breaking.cancel()
        await asyncio.wait([breaking])
        await self._mend()
        await self._come_to_rest(trading)
        told = {trader.main.account: trader.told for trader in self._traders}
        raised = list(dict.fromkeys(self._raised))
        local = {trader.main.account: sorted(trader.main.open_orders) for trader in self._traders}
        await self._server.stop()
        audit = Audit(self._directory / "journal")
        found = audit.compare(told, canonical.state_hash(self._server.exchange))
        for account, known in local.items():
            real = sorted(order.order_id for order in audit.exchange.open_orders(account))
            if known != real:
                found.wrong.append(f"account {account} believes that {known} are open, the exchange says {real}")
            missing = set(range(1, audit.executions_of(account) + 1)) - set(told[account].executions)
            self.tally.executions_behind_snapshots += len(missing)
            if missing and max(missing) > self._snapshot_seqs.get(account, 0):
                found.lost.append(f"account {account} was never told execution {max(missing)}")
        found.wrong += raised
        tally = self.tally
        tally.commands, tally.trades = audit.commands, audit.trades
        tally.answers = sum(record.answers for record in told.values())
        tally.lost, tally.doubled, tally.wrong = len(found.lost), len(found.doubled), len(found.wrong)
        tally.found = list(found)  # type: ignore[call-overload]
        return found

    @staticmethod
    async def _trade(trader: Trader) -> None:
        await trader.open()
        await trader.trade()

    async def _mend(self) -> None:
        """Whatever is broken is put right, and stays so."""
        self._server.disk.budget = None
        self._server.disk.heal()
        if not self._server.process.alive or self._server.has_failed:
            self._server.kill()
            await self._restart()
        if self._server.clock is not None:
            self._server.clock.confirm()

    async def _come_to_rest(self, trading: list[asyncio.Task[Any]]) -> None:
        """Every command is answered, every session is up and has caught up. Raises TimeoutError when that does not happen."""
        async with asyncio.timeout(_SETTLE_S):
            await asyncio.gather(*trading)
            for trader in self._traders:
                for client in (trader.main, trader.shadow):
                    await client.balances()
        await asyncio.sleep(120.0)

    def note_exception(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A callback that raised is a fault of ours. Tasks of killed processes, and those that a failed disk ended, are none."""
        if "never retrieved" not in context["message"] and "was destroyed" not in context["message"]:
            self._raised.append(f"{context['message']}: {context.get('exception')!r}")

    # Faults

    async def _break_things(self) -> None:
        rng = self._faults
        while True:
            await asyncio.sleep(rng.expovariate(1 / _FAULT_EVERY_S))
            if self._server.has_failed:
                raise RuntimeError(f"the node stopped by itself: {self._server.node and self._server.node.failure!r}")
            await rng.choices(
                (self._cut, self._hold, self._kill, self._kill_in_write, self._lose_power, self._fail_disk, self._restart_in_order, self._step_clock),
                (30, 8, 8, 8, 6, 4, 3, 4),
            )[0]()

    async def _cut(self) -> None:
        for _ in range(self._faults.choice((1, 1, 1, 3, 12))):
            self.tally.cuts += self._network.cut_one()

    async def _hold(self) -> None:
        self.tally.holds += 1
        self._network.hold_one()

    def _count_kill(self) -> None:
        self.tally.kills += 1
        self.tally.kills_in_flight += any(trader.in_flight for trader in self._traders)

    async def _kill(self) -> None:
        if await self._wait_for_flight():
            self._count_kill()
            self._server.kill()
            await self._restart()

    async def _kill_in_write(self) -> None:
        """Somewhere in the next few thousand bytes."""
        disk = self._server.disk
        disk.budget = disk.spent + self._faults.randint(0, 3_000)
        while self._server.is_up:
            await asyncio.sleep(0.5)
        self._count_kill()
        self._server.kill()
        disk.budget = None
        await self._restart()

    async def _lose_power(self) -> None:
        if await self._wait_for_flight():
            self.tally.power_losses += 1
            self._count_kill()
            self._server.lose_power()
            await self._restart()

    async def _fail_disk(self) -> None:
        """A write or a flush fails; the node stops and says so, and the operator starts it again on a disk that works."""
        code = self._faults.choice((errno.EIO, errno.ENOSPC))
        self._server.disk.break_down(self._faults.choice(("pwrite", "flush")), OSError(code, "simulated"))
        while self._server.is_up:
            await asyncio.sleep(0.5)
        self.tally.disk_failures += 1
        await asyncio.sleep(self._faults.uniform(0.0, 20.0))
        self._server.disk.heal()
        self._server.kill()
        await self._restart()

    async def _restart_in_order(self) -> None:
        if self._server.is_up:
            self.tally.restarts += 1
            await self._server.stop()
            accounts = self._server.exchange.rooms.participants.by_id
            self._snapshot_seqs = {account: self._server.exchange.execution_seq(account) for account in accounts}
            await self._restart()

    async def _step_clock(self) -> None:
        """A small step goes unnoticed. A large one stops acceptance until the operator has set the clock right and confirmed it."""
        self.tally.clock_steps += 1
        step_s = self._faults.choice((self._faults.uniform(-0.9, 0.9), self._faults.uniform(-20.0, 20.0)))
        self._clocks.step(step_s)
        await asyncio.sleep(self._faults.uniform(1.0, 30.0))
        self._clocks.step(-step_s)
        if self._server.clock is not None:
            self._server.clock.confirm()

    async def _wait_for_flight(self) -> bool:
        """Until a command is on its way, so that the kill has something to lose; False when the server is down meanwhile."""
        for _ in range(2_000):
            if not self._server.is_up:
                return False
            if any(trader.in_flight for trader in self._traders) and self._faults.random() < 0.2:
                return True
            await asyncio.sleep(0.002)
        return self._server.is_up

    async def _restart(self) -> None:
        """Start until it is up; a start can be killed as well."""
        while True:
            await asyncio.sleep(self._faults.uniform(0.1, 15.0))
            try:
                await self._server.start()
            except OSError as error:
                logging.getLogger("parkex.chaos").info("start failed: %s", error)
                self._server.kill()
            else:
                return


def run_world(seed: int, hours: int, pause_s: float = PAUSE_S, directory: Path | None = None) -> Tally:
    """Simulate one stretch. What went wrong is in the tally: also an exchange that does not come back, or a client that is sent away for good."""
    root = Path(tempfile.mkdtemp(prefix="chaos-")) if directory is None else directory
    random.seed(seed)  # the SDK's jitter
    world = World(seed, hours, pause_s, root)
    world.loop.set_exception_handler(world.note_exception)
    try:
        asyncio.set_event_loop(world.loop)
        world.loop.run_until_complete(world.run())
    except (ParkexError, ClientError) as error:
        world.tally.wrong += 1
        world.tally.found.append(f"{type(error).__name__}: {error}")
    except TimeoutError:
        world.tally.lost += 1
        world.tally.found.append("commands were not answered within a quarter of an hour after everything was mended")
    finally:
        asyncio.set_event_loop(None)
        world.loop.close()
        if directory is None:
            shutil.rmtree(root)
    return world.tally
