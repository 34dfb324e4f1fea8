"""kill -9 of the server with orders in flight: what was acknowledged is there exactly once, and clients resume by themselves."""

import asyncio
import random
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from clients.sdk.client import ParkClient, connect
from clients.sdk.credentials import public_key_of
from clients.sdk.errors import OrderRejected
from exchange.journal.record import CommandKind
from exchange.journal.segments import JournalReader
from exchange.order_path.check import check_exchange
from exchange.order_path.path import Exchange
from exchange.order_path.records import OutcomeFlag
from exchange.protocol.documents import Admit, Deposit, Key, ListInstruments
from tests.exchange.order_path.park import power_spec

KILLS = 20
IN_FLIGHT = 12
OPERATOR_KEY = Ed25519PrivateKey.from_private_bytes(bytes([9]) * 32)
MEMBERS = {"E01": "enterprise", "E02": "enterprise", "PV01": "generator", "PV02": "generator"}
SYMBOLS = ("GP-20260715-1000", "GP-20260715-1015")


def key_of(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(name.encode().ljust(32, b"."))


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class Server:
    """The process under test."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> str:
        arguments = [sys.executable, "-m", "tests.crash.exchange_server", str(self.directory), str(self.port), public_key_of(OPERATOR_KEY).hex()]
        self.process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        url = self.process.stdout.readline().strip()
        assert url, "the server did not start"
        return url.replace("http", "ws")

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self._wait()

    def stop(self) -> None:
        assert self.process is not None
        self.process.terminate()
        self._wait()

    def _wait(self) -> None:
        assert self.process is not None
        self.process.wait(60)
        if self.process.stdout is not None:
            self.process.stdout.close()


async def open_market(url: str) -> None:
    """Participants with keys and cash, two quarter-hours."""
    async with connect(url, key_id="operator", private_key=OPERATOR_KEY) as operator:
        for name, role in MEMBERS.items():
            key = Key(key_id=name, public_key=public_key_of(key_of(name)), scopes=["read", "trade"])
            low, high = (0, 10**8) if role == "enterprise" else (-(10**8), 0)
            answer = await operator.submit(
                Admit(name=name, role=role, permissions=["power_buy", "power_sell"], min_net_power_lots=low, max_net_power_lots=high, keys=[key])
            )
            await operator.submit(Deposit(account=answer["account"], amount_micro=10**15, reference="opening"))
        await operator.submit(ListInstruments(instruments=[power_spec(40), power_spec(41)]))


class Trader:
    """Keeps IN_FLIGHT orders unanswered until told to stop, and remembers what it was told."""

    def __init__(self, park: ParkClient, side: str, seed: int) -> None:
        self.park = park
        self.side = side
        self.random = random.Random(seed)
        self.acknowledged: dict[str, int] = {}
        self.refused: set[str] = set()
        self.baskets: list[tuple[str, str]] = []
        self.unanswered = 0
        self.stopping = False

    async def trade(self) -> None:
        await asyncio.gather(*(self._place_in_turn() for _ in range(IN_FLIGHT)))

    async def _place_in_turn(self) -> None:
        while not self.stopping:
            client_order_id = self.park.new_client_order_id()
            price = f"0.{self.random.randint(3900, 4100)}"
            self.unanswered += 1
            try:
                if self.random.random() < 0.3:
                    await self._place_basket(client_order_id, price)
                    continue
                order = await self.park.place(
                    self.random.choice(SYMBOLS), self.side, price=price, quantity="5.0", client_order_id=client_order_id  # type: ignore[arg-type]
                )
                self.acknowledged[client_order_id] = order.order_id
            except OrderRejected:
                self.refused.add(client_order_id)
            finally:
                self.unanswered -= 1


    async def _place_basket(self, client_order_id: str, price: str) -> None:
        """Both quarter-hours or none."""
        ids = client_order_id, f"{client_order_id}-b"
        legs = [
            self.park.basket_leg(symbol, self.side, price=price, quantity="5.0", client_order_id=leg_id)  # type: ignore[arg-type]
            for symbol, leg_id in zip(SYMBOLS, ids, strict=True)
        ]
        try:
            orders = await self.park.place_basket(legs)
        except OrderRejected:
            self.refused.update(ids)
            raise
        self.baskets.append(ids)
        self.acknowledged |= {order.client_order_id: order.order_id for order in orders}


async def trade_through_kills(server: Server, url: str) -> tuple[dict[str, Trader], int]:
    """Trade while the server is killed and started KILLS times. Returns the traders and how many kills met unanswered orders."""
    traders: dict[str, Trader] = {}
    rng = random.Random(7)
    with_unanswered = 0
    async with asyncio.TaskGroup() as group:
        clients = [connect(url, key_id=name, private_key=key_of(name), resume_for_s=120) for name in MEMBERS]
        parks = [await client.__aenter__() for client in clients]
        for seed, (name, park) in enumerate(zip(MEMBERS, parks, strict=True)):
            traders[name] = Trader(park, "buy" if name.startswith("E") else "sell", seed)
        running = [group.create_task(trader.trade()) for trader in traders.values()]
        for _ in range(KILLS):
            before = {name: len(trader.acknowledged) for name, trader in traders.items()}
            while any(len(trader.acknowledged) <= before[name] + 5 for name, trader in traders.items()):  # noqa: ASYNC110 - no one event
                await asyncio.sleep(0.01)
            await asyncio.sleep(rng.random() * 0.05)
            with_unanswered += any(trader.unanswered for trader in traders.values())
            server.kill()
            await asyncio.to_thread(server.start)
        for trader in traders.values():
            trader.stopping = True
        await asyncio.gather(*running)
        for client in clients:
            await client.__aexit__(None, None, None)
    return traders, with_unanswered


def recorded_orders(journal: Path) -> tuple[Exchange, dict[tuple[str, str], list[int]]]:
    """Order ids of the accepted, first-time placements in the journal, by member and client order id."""
    reader = JournalReader.open(journal)
    exchange = Exchange(reader.genesis)
    found: dict[tuple[str, str], list[int]] = {}
    for group in reader.groups():
        batch = exchange.apply(group.records, group.documents, group.first_sequence)
        for record, outcome in zip(batch.records, batch.outcomes, strict=True):
            if record["kind"] in {CommandKind.PLACE, CommandKind.BASKET} and outcome["code"] == 0 and not outcome["flags"] & OutcomeFlag.DUPLICATE:
                member = exchange.account(int(record["account"]))
                assert member is not None
                found.setdefault((member.name, record["client_order_id"].decode()), []).append(int(outcome["order_id"]))
    reader.close()
    return exchange, found


async def test_no_acknowledged_order_is_lost_or_doubled(tmp_path: Path) -> None:
    server = Server(tmp_path)
    url = server.start()
    try:
        await open_market(url)
        traders, with_unanswered = await trade_through_kills(server, url)
    finally:
        server.stop()
    exchange, found = recorded_orders(tmp_path / "journal")
    check_exchange(exchange)
    told = {(name, client_id): [order_id] for name, trader in traders.items() for client_id, order_id in trader.acknowledged.items()}
    assert found == told
    assert sum(len(trader.baskets) for trader in traders.values()) > 0
    assert with_unanswered >= KILLS * 3 // 4
    with sqlite3.connect(tmp_path / "readmodel.sqlite") as database:
        assert database.execute("select last_sequence from meta").fetchone()[0] == exchange.last_sequence
        assert database.execute("select count(*) from trades").fetchone()[0] == sum(
            int(exchange.state.instruments[instrument.slot].trade_number) for instrument in exchange.instruments()
        )
    database.close()
