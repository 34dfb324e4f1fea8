"""A park day, end to end: exchange, operator and bots in processes of their own, then settlement, comparison, replay and checks.

The parent places no order. It starts the server, acts as the operator, hands each bot process the private files of its members, is the physical
world behind the meters, and at the end checks what was said against the journal.
"""

import asyncio
import base64
import dataclasses
import datetime
import time
from collections import Counter
from collections.abc import Awaitable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.console import Console

from clients.bots.host import HostFile
from clients.scenarios.loader import DEFAULT_DATE, load_park
from clients.scenarios.model import Park
from clients.sdk import ParkClient, connect, public_key_of
from clients.simulator import checks
from clients.simulator.carbon_figures import carbon_figures
from clients.simulator.certificate_figures import certificate_figures
from clients.simulator.children import Child, ChildEndedError, Event
from clients.simulator.comparison import Comparison
from clients.simulator.figures import DayMeters, ack_figures, bill_figures, compare_day, energy_figures
from clients.simulator.member_files import member_file
from clients.simulator.operator_desk import OPERATOR_KEY_ID, OperatorDesk
from clients.simulator.output import OutputDirectory, check_empty, open_output
from clients.simulator.progress import DemoState, Progress
from clients.simulator.server_file import ServerFile
from exchange.errors import CheckFailedError, InputError
from exchange.protocol import messages
from exchange.settlement.statement import DaySettlement
from exchange.units import NS_PER_DAY, NS_PER_MINUTE, PERIOD_NS

TURN_NS: Final = 5 * NS_PER_MINUTE
# Market time goes on this long behind the last delivery: its readings and the settlement.
AFTER_NS: Final = 10 * NS_PER_MINUTE
# A played day of 32 hours takes about a minute and a half.
DEFAULT_SPEED: Final = 1300.0
_SCHEDULE_TIMEOUT_S: Final = 10.0
# Longer than the gateway's interval between flushes of public data.
_QUIET_S: Final = 0.5

_Result = TypeVar("_Result")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """What `parkex demo` was asked for. `speed`: market seconds a wall second, None: as fast as all are done. `periods`: only the first n.

    `read_model`: URL of an empty database; none means a file beside the journal.
    """

    scenario: str = "park"
    date: datetime.date = DEFAULT_DATE
    meters: Path | None = None
    tariff: Path | None = None
    seed: int = 7
    speed: float | None = DEFAULT_SPEED
    port: int | None = None
    out: Path | None = None
    keep_serving: bool = False
    bot_processes: int = 2
    periods: int | None = None
    read_model: str = ""


@dataclasses.dataclass(slots=True)
class Played:
    """What a day left behind, for the summary."""

    park: Park
    desk: OperatorDesk
    report: Any
    units_traded: Counter[str]
    trades: int
    auction_trades: int
    reports: list[Event]
    final: Event
    compile_s: float
    wall_s: float


def run_demo(options: DemoOptions, console: Console) -> dict[str, Any]:
    """Play the day and return the summary.

    Raises InputError before anything starts, CheckFailedError when a check fails (after the summary was written), KeyboardInterrupt.
    """
    if options.out is not None:
        check_empty(options.out)
    park = load_park(options.scenario, options.date, options.seed, options.meters, options.tariff)
    return play_park(park if options.periods is None else first_periods(park, options.periods), options, console)


def play_park(park: Park, options: DemoOptions, console: Console) -> dict[str, Any]:
    """As `run_demo`, with a park that is loaded already."""
    with open_output(options.out) as output, Progress(console) as progress:
        return asyncio.run(Demo(options, park, output, progress).run())


def first_periods(park: Park, count: int) -> Park:
    """The park with only the first `count` periods of the day. Raises InputError when it has fewer."""
    if not 0 < count <= len(park.symbols):
        raise InputError(f"periods: expected 1 to {len(park.symbols)}")
    cut = slice(0, count)
    arrays = (
        "load_wh", "generation_wh", "forecast_load_wh", "forecast_generation_wh", "updated_load_wh", "updated_generation_wh", "contract_lots",
    )  # fmt: skip
    members = tuple(dataclasses.replace(member, **{name: getattr(member, name)[cut] for name in arrays}) for member in park.members)
    contracts = tuple(dataclasses.replace(contract, lots=contract.lots[cut]) for contract in park.contracts)
    return dataclasses.replace(
        park,
        members=members,
        contracts=contracts,
        symbols=park.symbols[cut],
        start_ns=park.start_ns[cut],
        deficit_price_ticks=park.deficit_price_ticks[cut],
        surplus_price_ticks=park.surplus_price_ticks[cut],
        gate_ns=park.gate_ns[cut],
    )


class Demo:
    """One demo: children, operator, state."""

    def __init__(self, options: DemoOptions, park: Park, output: OutputDirectory, progress: Progress) -> None:
        self._options = options
        self._park = park
        self._output = output
        self._progress = progress
        self._keys = {member.id: Ed25519PrivateKey.generate() for member in park.members}
        self._operator_key = Ed25519PrivateKey.generate()
        self._state = DemoState(len(park.symbols), park.zone)
        self._server: Child | None = None
        self._bots: list[Child] = []
        self._watched: list[asyncio.Task[None]] = []
        self._server_events: dict[str, asyncio.Future[Event]] = {}
        self._schedules: dict[tuple[str, int], int] = {}
        self._news = asyncio.Event()
        self._reports: list[Event] = []
        self._ready_bots = 0
        self._units_traded: Counter[str] = Counter()
        self._auction_trades = 0

    async def run(self) -> dict[str, Any]:
        """Play, settle, check, write. See `run_demo`."""
        try:
            return await self._run()
        finally:
            for task in self._watched:
                task.cancel()
            for child in [*self._bots, self._server]:
                if child is not None:
                    await child.stop()

    async def _run(self) -> dict[str, Any]:
        compile_s = await self._start_server()
        began_s = time.perf_counter()
        async with connect(self._state.url.replace("http", "ws", 1), key_id=OPERATOR_KEY_ID, private_key=self._operator_key) as client:
            desk = OperatorDesk(client, self._park)
            await self._unless_a_child_ends(desk.open_day({name: public_key_of(key) for name, key in self._keys.items()}))
            client.on("trade", self._count_trades)
            await client.subscribe_trades()
            await self._start_bots()
            report = await self._unless_a_child_ends(self._play(client, desk))
            await self._unless_a_child_ends(self._until(lambda: len(self._reports) == len(self._bots)))
            await self._until_trades_are_published()
        final = await self._final_status()
        wall_s = time.perf_counter() - began_s
        self._progress.hide()
        played = Played(
            self._park, desk, report, self._units_traded, self._state.trades, self._auction_trades, self._reports, final, compile_s, wall_s
        )
        return await self._conclude(played)

    # Children

    async def _start_server(self) -> float:
        start_ns = self._park.opens_ns - TURN_NS
        end_ns = int(self._park.start_ns[-1]) + PERIOD_NS + AFTER_NS
        file = ServerFile(
            park_id=self._park.name,
            journal_directory=str(self._output.journal),
            read_model_url=self._options.read_model or self._output.read_model_url,
            operator_public_key=public_key_of(self._operator_key),
            start_ns=start_ns,
            end_ns=end_ns,
            turn_ns=TURN_NS,
            port=self._options.port,
        )
        path = self._output.write_private("server.json", msgspec.json.encode(file))
        loop = asyncio.get_running_loop()
        self._server_events = {name: loop.create_future() for name in ("compiled", "ready", "status", "stopped")}
        self._server = await Child.start("server", ["-m", "clients.simulator.server_process", str(path)], self._on_server_event)
        self._watch(self._server)
        self._progress.say("Starting the exchange. A first run compiles the order path (up to a minute); later runs take it from a cache.")
        compiled = await self._unless_a_child_ends(self._server_events["compiled"])
        ready = await self._unless_a_child_ends(self._server_events["ready"])
        self._state.url = ready["url"]
        self._progress.say(f"The exchange is open at {ready['url']} (page and API) after {compiled['seconds']:.1f} s.")
        return float(compiled["seconds"])

    async def _start_bots(self) -> None:
        paths = [
            str(self._output.write_private(f"{m.id}.json", msgspec.json.encode(member_file(self._park, m, self._keys[m.id].private_bytes_raw()))))
            for m in self._park.members
        ]
        url = self._state.url.replace("http", "ws", 1)
        for index in range(min(self._options.bot_processes, len(paths))):
            host = HostFile(name=f"bots {index + 1}", url=url, members=paths[index :: self._options.bot_processes])
            path = self._output.write_private(f"bots-{index + 1}.json", msgspec.json.encode(host))
            child = await Child.start(f"bots {index + 1}", ["-m", "clients.bots.host", str(path)], self._on_bot_event)
            self._bots.append(child)
            self._watch(child)
        await self._unless_a_child_ends(self._until(lambda: self._ready_bots == len(self._bots)))
        self._progress.say(f"{len(paths)} participants are connected, each with its own session and key, in {len(self._bots)} processes.")

    def _watch(self, child: Child) -> None:
        async def watch() -> None:
            code = await child.wait()
            # A bot process that has reported is done; a server is never done by itself.
            if child is self._server or code != 0:
                for line in child.last_lines():
                    self._progress.say(f"{child.name}: {line}")
                raise ChildEndedError(f"{child.name} ended with code {code}: {child.last_words()}")

        self._watched.append(asyncio.create_task(watch(), name=f"watch {child.name}"))

    async def _unless_a_child_ends(self, work: Awaitable[_Result]) -> _Result:
        """Wait for `work`; a child that ends before its time ends the demo instead. Raises InputError for a taken port, CheckFailedError."""
        task = asyncio.ensure_future(work)
        waiting: set[asyncio.Future[Any]] = {task, *(watch for watch in self._watched if not watch.done())}
        try:
            while not task.done():
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for watch in done - {task}:
                    error = watch.exception()
                    if error is not None:
                        raise _as_told(error)
            return task.result()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _on_server_event(self, event: Event) -> None:
        future = self._server_events.get(event["event"])
        if future is not None and not future.done():
            future.set_result(event)

    def _on_bot_event(self, event: Event) -> None:
        match event["event"]:
            case "ready":
                self._ready_bots += 1
            case "pulse":
                self._state.orders[event["host"]] = event["orders"]
                self._state.ack_ms_p99[event["host"]] = event["ack_ms_p99"]
            case "schedule":
                self._schedules[event["member"], event["delivery_start_ns"]] = event["injection_wh"]
            case "report":
                self._reports.append(event)
            case "failed":
                self._progress.say(f"bots failed: {event['error']}")
        self._news.set()

    async def _until(self, condition: Any) -> None:
        while not condition():
            self._news.clear()
            await self._news.wait()

    # The day

    async def _play(self, client: ParkClient, desk: OperatorDesk) -> Any:
        """Every turn up to the last: meter what was delivered; settle on the last one."""
        self._progress.show(self._state)
        await client.run_clock(self._options.speed)
        report = None
        async for turn in client.turns():
            self._state.now_ns = turn.now_ns
            while desk.is_due(turn.now_ns):
                await self._meter(desk)
            self._progress.update()
            if turn.last:
                report = await desk.settle()
            await turn.done()
        return report

    async def _until_trades_are_published(self) -> None:
        """Public data comes in flushes: wait until one has passed without a trade."""
        seen = -1
        while seen != self._state.trades:
            seen = self._state.trades
            await asyncio.sleep(_QUIET_S)

    async def _meter(self, desk: OperatorDesk) -> None:
        period = len(desk.readings)
        start_ns = int(self._park.start_ns[period])
        wanted = [m.id for m in self._park.members if m.storage is not None and any(s.name == "storage" for s in m.strategies)]
        try:
            async with asyncio.timeout(_SCHEDULE_TIMEOUT_S):
                await self._until(lambda: all((member, start_ns) in self._schedules for member in wanted))
        except TimeoutError:
            raise CheckFailedError(f"no schedule of the storage for {self._park.symbols[period]} within {_SCHEDULE_TIMEOUT_S:.0f} s") from None
        await desk.meter_next({member: self._schedules[member, start_ns] for member in wanted})
        self._state.metered = len(desk.readings)
        self._state.period = self._park.symbols[period]

    def _count_trades(self, params: messages.Trades) -> None:
        self._state.trades += len(params.trades)
        self._auction_trades += sum(trade.mode == "auction" for trade in params.trades)
        for trade in params.trades:
            self._state.last_prices.pop(trade.instrument, None)
            self._state.last_prices[trade.instrument] = trade.price
            if trade.instrument.startswith("GP-"):
                self._state.power_lots += round(float(trade.quantity) * 10)
            else:
                self._units_traded[trade.instrument] += int(trade.quantity)

    # The end

    async def _final_status(self) -> Event:
        """State and hashes of the exchange when all have gone: of the stopped server, or of the running one with --keep-serving."""
        assert self._server is not None
        for child in self._bots:
            await child.stop()
        if self._options.keep_serving:
            self._server.ask("status")
            return await self._unless_a_child_ends(self._server_events["status"])
        for task in self._watched:
            task.cancel()
        await self._server.stop()
        stopped = self._server_events["stopped"]
        if not stopped.done():
            raise CheckFailedError(f"the server did not stop cleanly: {self._server.last_words()}")
        return stopped.result()

    async def _conclude(self, played: Played) -> dict[str, Any]:
        settlement = msgspec.convert(played.report, DaySettlement)
        meters = DayMeters.of(played.desk.readings)
        comparison = compare_day(self._park, meters, played.report, played.desk.accounts)
        replayed = await checks.replay(self._output.journal, played.final["sequence"], self._park.date.year)
        summary = self._summary(played, meters, comparison, replayed)
        failed = checks.failed_checks(summary, played.final, replayed)
        self._output.write_summary(summary)
        self._output.write_statements(settlement, str(played.final["chain_hash"]))
        for line in checks.describe(summary, comparison, self._park):
            self._progress.say(line)
        if failed:
            raise CheckFailedError("; ".join(failed))
        if self._options.keep_serving:
            self._progress.say(f"Serving at {self._state.url} until interrupted (Ctrl-C).")
            await self._unless_a_child_ends(asyncio.get_running_loop().create_future())
        return summary

    def _summary(self, played: Played, meters: DayMeters, comparison: Comparison, replayed: Mapping[str, Any]) -> dict[str, Any]:
        rejects: Counter[str] = Counter()
        for report in played.reports:
            rejects.update(report["rejects"])
        return {
            "scenario": self._park.name,
            "date": self._park.date.isoformat(),
            "seed": self._park.seed,
            "participants": len(self._park.members),
            "periods": len(self._park.symbols),
            "periods_settled": played.report["periods"],
            "orders": sum(report["orders"] for report in played.reports),
            "trades": played.trades,
            "auction_trades": played.auction_trades,
            **energy_figures(self._park, meters, played.report),
            **certificate_figures(replayed["certificates"]),
            "retirements": sum(report["retirements"] for report in played.reports),
            **carbon_figures(replayed["carbon"], self._park.emission_factor),
            "units_traded": dict(sorted(played.units_traded.items())),
            "rejects": dict(sorted(rejects.items())),
            **bill_figures(comparison),
            "money_sum_micro": played.final["money_sum_micro"],
            "state_hash": played.final["state_hash"],
            "replay_hash": replayed["state_hash"],
            "journal_head": played.final["chain_hash"],
            "order_ack_ms": ack_figures(_ack_ns(played.reports)),
            "wall_s": round(played.wall_s, 3),
            "compile_s": round(played.compile_s, 3),
        }


def _ack_ns(reports: Sequence[Event]) -> "np.ndarray[Any, np.dtype[np.int64]]":
    return np.concatenate([np.frombuffer(base64.b64decode(report["ack_ns"]), "<i8") for report in reports])


def _as_told(error: BaseException) -> BaseException:
    """The end of a child as the error that the user should see."""
    text = str(error)
    if "InputError" in text:
        return InputError(text.split("InputError: ", 1)[-1])
    return CheckFailedError(text)


assert NS_PER_DAY % TURN_NS == 0
