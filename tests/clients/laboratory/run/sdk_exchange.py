"""The exchange of a laboratory run behind its gateway: every command of the run goes as bytes through the SDK, one after the other.

`SdkExchange` has the face of VirtualExchange. `PlainExchange` is that, told of the sessions that the other one had: a log-on is a command of its own.
"""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.run.virtual_exchange import VirtualExchange, genesis_of
from clients.sdk import ParkClient, connect, public_key_of
from clients.sdk.errors import RequestRefused
from clients.sdk.transport import loopback_connector
from exchange.clock import TurnClock
from exchange.gateway.app import create_app
from exchange.gateway.limits import Limits, Rate
from exchange.journal.memory import MemoryJournal
from exchange.journal.record import COMMAND, CommandKind
from exchange.node import Node, new_command
from exchange.order_path.path import BatchResult, Exchange
from exchange.order_path.records import joined
from exchange.protocol.documents import Admit, Document, Key
from exchange.protocol.messages import AmendParams, CancelParams, MassCancelParams, PlaceParams
from matching.records import Side, TimeInForce
from tests.exchange.gateway.parks import private_key

OPERATOR_KEY_ID = "operator"
SESSIONS = (int(CommandKind.NODE_STARTED), int(CommandKind.SESSION_OPENED))
TIMES_IN_FORCE = {TimeInForce.GTC: "gtc", TimeInForce.IOC: "ioc"}
WIDE = Limits(connection=Rate(1e9, 1e9), key=Rate(1e9, 1e9), account=Rate(1e9, 1e9))


def with_key(document: Document) -> Document:
    """Members get a key to log on with."""
    if not isinstance(document, Admit):
        return document
    keys = [Key(key_id=document.name, public_key=public_key_of(private_key(document.name)), scopes=["read", "trade"])]
    return Admit(**{name: getattr(document, name) for name in document.__struct_fields__} | {"keys": keys})


class SdkExchange:
    """Implements what the engine asks of VirtualExchange; the node runs in a thread of its own."""

    def __init__(self, park_id: str, start_ns: int, journal_directory: Path | None = None) -> None:
        assert journal_directory is None
        genesis = genesis_of(park_id, public_key_of(private_key(OPERATOR_KEY_ID)))
        self.exchange = Exchange(genesis)
        self.journal = MemoryJournal(genesis)
        self.now_ns = start_ns
        self.operator = self.exchange.rooms.participants.next_id - 1
        self._clients: dict[int, ParkClient] = {}
        self._batches: list[BatchResult] = []
        self._symbols: dict[int, str] = {}
        self._clock = TurnClock(start_ns)
        self._stack = AsyncExitStack()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="node")
        self._thread.start()
        self._do(self._start())

    def advance(self, now_ns: int) -> None:
        self.now_ns = max(self.now_ns, now_ns)
        self._clock.advance_to(self.now_ns)

    def tick(self) -> BatchResult:
        async def tick() -> None:
            await self._node.submit(new_command(CommandKind.TICK))

        self._batches.clear()
        self._do(tick())
        (batch,) = (batch for batch in self._batches if len(batch.records))
        return batch

    def submit(self, document: Document) -> dict[str, Any]:
        result: dict[str, Any] = self._do(self._clients[self.operator].submit(with_key(document)))
        if isinstance(document, Admit):
            self._do(self._log_on(document.name))
        for symbol, instrument in result.get("instruments", {}).items():
            self._symbols[instrument] = symbol
        return result

    def trade(self, commands: NDArray[np.void]) -> BatchResult:
        self.advance(int(commands["stamp_ns"][0]))
        self._batches.clear()
        self._do(self._send(commands))
        batches = [batch for batch in self._batches if len(batch.records)]
        return BatchResult(
            batches[0].first_sequence, commands, b"", np.concatenate([batch.outcomes for batch in batches]),
            joined([batch.executions for batch in batches], batches[0].executions.dtype),
            joined([batch.postings for batch in batches], batches[0].postings.dtype), [], {},
        )  # fmt: skip

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=60)

    async def _start(self) -> None:
        self._node = Node(self.journal, self.exchange, self._clock)
        self._node.listeners.append(self._batches.append)
        await self._node.start()
        self._app = create_app(self._node, limits=WIDE)
        await self._log_on(OPERATOR_KEY_ID)

    async def _log_on(self, name: str) -> None:
        client = await self._stack.enter_async_context(connect(loopback_connector(self._app), key_id=name, private_key=private_key(name)))
        self._clients[client.account] = client

    async def _send(self, commands: NDArray[np.void]) -> None:
        for command in commands:
            method, params = self._request(command)
            with suppress(RequestRefused):  # what the exchange refuses is an outcome like any other
                await self._clients[int(command["account"])]._link.call(method, params, lambda raw: raw)

    def _request(self, command: np.void) -> tuple[str, Any]:
        name, symbol = command["client_order_id"].decode(), self._symbols[int(command["instrument"])]
        price, quantity = f"{int(command['price_ticks']) / 10_000:.4f}", f"{int(command['quantity_lots']) / 10:.1f}"
        if command["kind"] == CommandKind.MASS_CANCEL:
            return "order.mass_cancel", MassCancelParams(client_order_id=name, instrument=symbol)
        if command["kind"] == CommandKind.CANCEL:
            return "order.cancel", CancelParams(client_order_id=name, order_id=int(command["order_id"]))
        if command["kind"] == CommandKind.AMEND:
            target = {"order_id": int(command["order_id"]), "revision": int(command["revision"])}
            return "order.amend", AmendParams(client_order_id=name, instrument=symbol, price=price, quantity=quantity, **target)
        side = "buy" if command["side"] == Side.BUY else "sell"
        until = TIMES_IN_FORCE[TimeInForce(int(command["time_in_force"]))]
        return "order.place", PlaceParams(
            client_order_id=name, instrument=symbol, side=side, price=price, quantity=quantity, time_in_force=until
        )  # fmt: skip


class PlainExchange(VirtualExchange):
    """The laboratory's own, with the members' keys, and with the sessions of `others`, a journal's records, at their places.

    Before each command those sessions are opened that stood before it there; and it is named by the session and key that spoke it there.
    """

    others: Iterator[np.void] = iter(())

    def __init__(self, park_id: str, start_ns: int, journal_directory: Path | None = None) -> None:
        super().__init__(park_id, start_ns, journal_directory)
        self.exchange = Exchange(genesis_of(park_id, public_key_of(private_key(OPERATOR_KEY_ID))))
        self.differences: list[str] = []

    def submit(self, document: Document, account: int | None = None) -> dict[str, Any]:
        return super().submit(with_key(document), account)

    def _send(self, records: NDArray[np.void], documents: bytes) -> BatchResult:
        named = records.copy()
        for place in range(len(records)):
            other = next(self.others)
            while int(other["kind"]) in SESSIONS:
                self.exchange.apply(np.array([other], COMMAND), b"", self.exchange.last_sequence + 1)
                other = next(self.others)
            self._compare(records[place], other)
            for name in ("session", "order_id") if int(other["kind"]) == CommandKind.DOCUMENT else ("session",):
                named[name][place] = other[name]
        return self.exchange.apply(named, documents, self.exchange.last_sequence + 1)

    def _compare(self, own: np.void, other: np.void) -> None:
        """All fields but who spoke; the document's place in its group is the group's affair."""
        skipped = {"session", "document_offset", "reserved"} | ({"order_id"} if int(own["kind"]) == CommandKind.DOCUMENT else set())
        names = [name for name in COMMAND.names or () if name not in skipped and own[name] != other[name]]
        if names:
            self.differences.append(f"{CommandKind(int(own['kind'])).name}: {', '.join(f'{name} {own[name]} {other[name]}' for name in names)}")
