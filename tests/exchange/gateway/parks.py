"""A running park to test gateways and clients against: a real node on a journal in memory, two members with keys, two instruments."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI

from clients.sdk.credentials import public_key_of
from clients.sdk.transport import Connector, loopback_connector
from exchange.clock import TurnClock
from exchange.gateway.app import create_app
from exchange.gateway.connection import Connection
from exchange.gateway.hub import Hub
from exchange.gateway.limits import Limits
from exchange.gateway.turns import TurnConductor
from exchange.gateway.validate import pack_command
from exchange.journal.interface import Genesis
from exchange.journal.memory import MemoryJournal
from exchange.journal.record import COMMAND, CommandKind
from exchange.node import Answer, Node
from exchange.order_path.path import Exchange
from exchange.order_path.settings import ExchangeSettings, encode_settings
from exchange.protocol.documents import Admit, Deposit, Document, IssueUnits, Key, ListInstruments, encode_document
from exchange.units import MICRO_PER_CNY
from tests.exchange.order_path.park import OPEN_NS, OPERATOR, power_spec, units_spec

POWER = "GP-20260715-1000"
UNITS = "CEA25"
FACTORY, SOLAR = 33, 34


def private_key(name: str) -> Ed25519PrivateKey:
    """The same key for the same name."""
    return Ed25519PrivateKey.from_private_bytes(name.encode().ljust(32, b".")[:32])


def genesis() -> Genesis:
    return Genesis(
        park_id="test", hash_key=bytes(range(16)), engine_version="test", operator_keys=(public_key_of(private_key("operator")),),
        document=encode_settings(ExchangeSettings()),
    )  # fmt: skip


@dataclass
class RunningPark:
    node: Node
    app: FastAPI
    hub: Hub
    connector: Connector
    clock: TurnClock
    published: list[Any] = field(default_factory=list)

    async def document(self, document: Document) -> Answer:
        record = np.frombuffer(bytearray(pack_command(CommandKind.DOCUMENT, OPERATOR, 0)), COMMAND)
        answer = await self.node.submit(record, encode_document(document))
        assert answer.outcome["code"] == 0, answer.result
        return answer

    def raw(self) -> "RawClient":
        """A connection without a transport, for what no SDK would send."""
        return RawClient(self.hub)


class RawClient:
    """Frames in, frames out."""

    def __init__(self, hub: Hub) -> None:
        self.connection = Connection(hub, "test-host", lambda: None)
        self._frames: list[dict[str, Any]] = []
        self.connection.opened()
        self.challenge = self.take()[0]["params"]

    def send(self, *frames: bytes | str) -> None:
        """One batch."""
        for frame in frames:
            self.connection.receive_text(frame if isinstance(frame, bytes) else frame.encode())
        self.connection.process()

    def take(self) -> list[dict[str, Any]]:
        """Frames sent so far and not taken yet, decoded."""
        self._frames += [msgspec.json.decode(frame) for frame in self.connection.outbox.take(1_000_000)]
        frames, self._frames = self._frames, []
        return frames

    async def ask(self, method: str, params: Any = None, request_id: Any = 1) -> dict[str, Any]:
        """Send one request and wait for its answer; other frames stay to be taken."""
        self.send(request(method, params, request_id))
        return await self.answer(request_id)

    async def answer(self, request_id: Any) -> dict[str, Any]:
        for _ in range(1000):
            self._frames = self.take()
            for frame in self._frames:
                if frame.get("id") == request_id and "method" not in frame:
                    self._frames.remove(frame)
                    return frame
            await asyncio.sleep(0.001)
        raise AssertionError(f"no answer to {request_id}")

    async def all_answered(self) -> None:
        for _ in range(2000):
            if self.connection.session.unanswered == 0:
                return
            await asyncio.sleep(0.001)
        raise AssertionError("requests without an answer")

    async def log_on(self, name: str, **changes: Any) -> dict[str, Any]:
        return await self.ask("logon", logon_params(self, name, **changes), "logon")


def logon_params(client: RawClient, name: str, **changes: Any) -> dict[str, Any]:
    """A logon that is right but for `changes`: nonce, epoch, host and timestamp_ns are signed as given, key and signature sent as given."""
    import base64

    from exchange.protocol.auth import logon_message

    stamp = changes.get("timestamp_ns", client.challenge["server_time_ns"])
    key_id = changes.get("key_id", name)
    signed = client.challenge | {"host": "test-host"} | changes
    message = logon_message(signed["nonce"], signed["epoch"], stamp, key_id, signed["host"])
    signature = changes.get("signature") or base64.b64encode(private_key(changes.get("signer", name)).sign(message)).decode()
    return {"key_id": key_id, "timestamp_ns": stamp, "signature": signature, "cancel_on_disconnect": changes.get("cancel_on_disconnect", False)}


def request(method: str, params: Any = None, request_id: Any = 1) -> bytes:
    body: dict[str, Any] = {"jsonrpc": "2.0", "id": request_id, "method": method}
    if params is not None:
        body["params"] = params
    return msgspec.json.encode(body)


@asynccontextmanager
async def running_park(limits: Limits | None = None, *, turns: int = 0, **options: Any) -> AsyncIterator[RunningPark]:
    """Member keys are named after the members: factory (buys power, holds credits), solar (sells power). `turns` of an hour, if any."""
    clock = TurnClock(OPEN_NS - 1_000_000_000)
    node = Node(MemoryJournal(genesis()), Exchange(genesis()), clock)
    await node.start()
    conductor = TurnConductor(clock, end_ns=OPEN_NS + turns * 3_600_000_000_000, turn_ns=3_600_000_000_000, **options) if turns else None
    app = create_app(node, conductor=conductor, limits=limits or Limits(flush_interval_s=0.002))
    park = RunningPark(node, app, app.state.hub, loopback_connector(app), clock)
    node.listeners.append(park.published.append)
    members = {"factory": ("enterprise", 0, 1000), "solar": ("generator", -1000, 0)}
    for name, (role, low, high) in members.items():
        keys = [Key(key_id=name, public_key=public_key_of(private_key(name)), scopes=["read", "trade"])]
        permissions = ["power_buy", "power_sell", "cea_buy", "cea_sell"]
        admitted = await park.document(
            Admit(name=name, role=role, permissions=permissions, min_net_power_lots=low, max_net_power_lots=high, keys=keys)
        )
        assert admitted.result is not None
        await park.document(Deposit(account=admitted.result["account"], amount_micro=100_000 * MICRO_PER_CNY, reference="opening"))
    await park.document(ListInstruments(instruments=[power_spec(40), units_spec(UNITS)]))
    await park.document(IssueUnits(account=FACTORY, symbol=UNITS, quantity_lots=10_000, reference="opening"))
    clock.advance_to(OPEN_NS)
    try:
        yield park
    finally:
        await park.hub.close()
        await node.stop()
