"""A small running market behind a real server on a loopback port: four contracts of the morning, an allowance, a park credit, two members."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import uvicorn

from clients.web import PAGE_DIRECTORY, static_files
from exchange.clock import TurnClock
from exchange.gateway.app import create_app
from exchange.gateway.hub import Hub
from exchange.gateway.limits import Limits
from exchange.gateway.server import bind
from exchange.gateway.turns import TurnConductor
from exchange.gateway.validate import pack_command
from exchange.journal.memory import MemoryJournal
from exchange.journal.record import COMMAND, CommandKind
from exchange.node import Node
from exchange.order_path.path import Exchange
from exchange.protocol.documents import Admit, Deposit, Document, IssueUnits, Key, ListInstruments, MeterReadings, encode_document
from exchange.units import MICRO_PER_CNY, NS_PER_MINUTE, PERIOD_NS
from matching.records import Side
from tests.exchange.order_path.park import DAY_NS, GENESIS, OPEN_NS, OPERATOR, power_spec, units_spec

TURN_NS = 5 * NS_PER_MINUTE
CASH_MICRO = 1_000_000 * MICRO_PER_CNY


class Market:
    """Drives the node as operator and as two members, without sessions."""

    def __init__(self, node: Node, clock: TurnClock, hub: Hub, url: str) -> None:
        self.node = node
        self.clock = clock
        self.hub = hub
        self.url = url
        self.load = self.plant = 0
        self._keys = itertools.count(1)

    async def document(self, document: Document) -> dict[str, Any]:
        answer = await self.node.submit(_record(pack_command(CommandKind.DOCUMENT, OPERATOR, 0)), encode_document(document))
        assert answer.outcome["code"] == 0, answer.result
        return answer.result or {}

    async def admit(self, name: str, role: str, permissions: list[str], low: int, high: int, key: Key | None = None) -> int:
        """A participant with money; its account."""
        keys = [] if key is None else [key]
        document = Admit(name=name, role=role, permissions=permissions, min_net_power_lots=low, max_net_power_lots=high, keys=keys)
        answer = await self.document(document)
        account = int(answer["account"])
        await self.document(Deposit(account=account, amount_micro=CASH_MICRO, reference="opening"))
        return account

    async def prepare(self) -> None:
        """Four contracts of the morning, an allowance and a park credit; a load and a plant; the market opens."""
        self.load = await self.admit("E01", "enterprise", ["power_buy", "power_sell", "cea_buy", "cea_sell"], 0, 1_000_000)
        self.plant = await self.admit("PV01", "generator", ["power_buy", "power_sell", "cea_buy", "cea_sell"], -1_000_000, 0)
        power = [power_spec(index, band_low_ticks=1) for index in range(40, 44)]
        credit = units_spec("PCC-2026", instrument_class="pcc", venue="internal", resale="free")
        await self.document(ListInstruments(instruments=[*power, units_spec("CEA25"), credit]))
        await self.document(IssueUnits(account=self.plant, symbol="CEA25", quantity_lots=500, reference="opening"))
        await self.tick(OPEN_NS)

    async def place(self, account: int, symbol: str, side: Side, price_ticks: int, quantity_lots: int) -> None:
        instrument = self.node.exchange.instrument(symbol)
        assert instrument is not None
        record = pack_command(
            CommandKind.PLACE, account, 0, side=side, instrument=instrument.id, price_ticks=price_ticks, quantity_lots=quantity_lots,
            client_order_id=f"t{next(self._keys)}",
        )  # fmt: skip
        answer = await self.node.submit(_record(record))
        assert answer.outcome["code"] == 0

    async def tick(self, now_ns: int) -> None:
        self.clock.advance_to(now_ns)
        await self.node.submit(_record(pack_command(CommandKind.TICK, 0, 0)))

    async def meter(self, period: int, generation_wh: int, consumption_wh: int) -> None:
        start_ns = DAY_NS + period * PERIOD_NS
        grid_wh = consumption_wh - generation_wh
        await self.document(
            MeterReadings(
                revision=1, accounts=[self.load, self.plant], period_starts_ns=[start_ns, start_ns], consumption_wh=[consumption_wh, 0],
                generation_wh=[0, generation_wh], soc_wh=[-1, -1], grid_starts_ns=[start_ns], grid_import_wh=[max(grid_wh, 0)],
                grid_export_wh=[max(-grid_wh, 0)], losses_wh=[0],
            )
        )


def _record(packed: bytes) -> "np.ndarray[Any, np.dtype[np.void]]":
    return np.frombuffer(bytearray(packed), COMMAND)


@asynccontextmanager
async def running_market(turns: int = 0, limits: Limits | None = None) -> AsyncIterator[Market]:
    """Node, gateway and server; all of it is down at the end. With `turns` a conductor moves the clock so often, once it is told to run."""
    clock = TurnClock(OPEN_NS - PERIOD_NS)
    conductor = TurnConductor(clock, end_ns=OPEN_NS + turns * TURN_NS, turn_ns=TURN_NS, turn_timeout_s=5.0) if turns else None
    node = Node(MemoryJournal(GENESIS), Exchange(GENESIS), clock)
    await node.start()
    app = create_app(node, PAGE_DIRECTORY, conductor=conductor, limits=limits, static_files=static_files())
    sock = bind(port=0)
    server = uvicorn.Server(uvicorn.Config(app, ws="websockets-sansio", log_level="warning", timeout_graceful_shutdown=2))
    serving = asyncio.create_task(server.serve(sockets=[sock]))
    try:
        market = Market(node, clock, app.state.hub, f"http://127.0.0.1:{sock.getsockname()[1]}/")
        await market.prepare()
        yield market
    finally:
        server.should_exit = True
        await serving
        await node.stop()
        sock.close()
