"""Clients on the real SDK that trade at random, and a record of everything they were told.

A member has two sessions with the same key: the main one trades, the shadow sends some of the same commands again, with the same
`client_order_id`. Whichever comes first is carried out, the other gets the recorded outcome.
"""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from bench.chaos.market import UNITS, Member
from bench.chaos.network import Network
from bench.chaos.virtual_time import Process
from clients.sdk.client import ParkClient
from clients.sdk.credentials import Credentials
from clients.sdk.errors import ClientError, OrderRejected
from clients.sdk.orders import Order
from exchange.protocol.messages import Execution, PlaceParams
from exchange.protocol.reject_codes import RejectCode

FOREVER_S: Final = 1e12  # resuming is never given up, however long the simulated outage
_NEAR: Final = 14  # quarter-hours ahead that are traded


@dataclass
class Told:
    """What one account was told, by whichever of its sessions."""

    accepted: dict[str, int] = field(default_factory=dict)  # client_order_id -> order id
    refused: dict[str, int] = field(default_factory=dict)  # client_order_id -> code of a journaled refusal
    turned_away: dict[str, int] = field(default_factory=dict)  # client_order_id -> code of a refusal before the journal
    cancelled: dict[str, int] = field(default_factory=dict)  # client_order_id of a mass cancel -> orders
    executions: dict[int, Execution] = field(default_factory=dict)  # by private seq
    contradictions: list[str] = field(default_factory=list)
    answers: int = 0

    def accept(self, client_order_id: str, order_id: int) -> None:
        """The same command may be answered twice, never with two outcomes."""
        self.answers += 1
        known = self.accepted.setdefault(client_order_id, order_id)
        if known != order_id or client_order_id in self.refused:
            self.contradictions.append(f"{client_order_id} was accepted as order {order_id} after another outcome")

    def refuse(self, client_order_id: str, code: int) -> None:
        self.answers += 1
        if code < 3_000 or code >= 5_000:
            self.turned_away[client_order_id] = code
            return
        known = self.refused.setdefault(client_order_id, code)
        if known != code or client_order_id in self.accepted:
            self.contradictions.append(f"{client_order_id} was refused with {code} after another outcome")

    def execution(self, event: Execution) -> None:
        known = self.executions.setdefault(event.seq, event)
        if known != event:
            self.contradictions.append(f"execution {event.seq} was told in two ways")


class Trader:
    """Two sessions of one member. `trade` runs until `stopping`; then every command that was begun is answered, however long it takes."""

    def __init__(
        self, network: Network, member: Member, wall_ns: Callable[[], int], rng: random.Random, pause_s: float, symbols: Callable[[], list[str]]
    ) -> None:
        self.member = member
        self.told = Told()
        self.stopping = False
        self.in_flight = 0
        self._rng = rng
        self._pause_s = pause_s
        self._symbols = symbols
        self._numbers = 0
        self.process = Process(member.name)
        self._connector = network.connector(self.process)
        self._credentials = Credentials(member.name, member.private_key, cancel_on_disconnect=rng.random() < 0.4, wall_ns=wall_ns)
        self.main, self.shadow = self._new_client(), self._new_client()

    def _new_client(self) -> ParkClient:
        client = ParkClient(self._connector, self._credentials, resume_for_s=FOREVER_S)
        client.on("execution", self.told.execution)
        return client

    async def open(self) -> None:
        """Both sessions, as soon as the exchange lets them in."""
        self.main, self.shadow = await self._opened(self.main), await self._opened(self.shadow)

    async def _opened(self, client: ParkClient) -> ParkClient:
        """A link that never worked is not resumed: begin with a new one."""
        while True:
            try:
                await client.open()
            except (OSError, ClientError):
                await asyncio.sleep(1.0)
                client = self._new_client()
            else:
                return client

    async def trade(self) -> None:
        """Act, wait, act. What an action waits for does not hold up the next one."""
        actions: set[asyncio.Task[None]] = set()
        while not self.stopping:
            await asyncio.sleep(self._rng.expovariate(1.0 / self._pause_s))
            for _ in range(self._rng.choice((1, 1, 1, 2, 6))):
                action = asyncio.create_task(self._act(), name="action")
                actions.add(action)
                action.add_done_callback(actions.discard)
        if actions:
            await asyncio.wait(actions)

    async def _act(self) -> None:
        self.in_flight += 1
        try:
            await self._rng.choices(self._ACTIONS, self._WEIGHTS)[0](self)
        finally:
            self.in_flight -= 1

    def _next_id(self) -> str:
        self._numbers += 1
        return f"{self.member.name}-{self._numbers}"

    def _side(self) -> str:
        if self.member.role == "enterprise":
            return "buy"
        if self.member.role == "generator":
            return "sell"
        return self._rng.choice(("buy", "sell"))

    def _terms(self) -> PlaceParams:
        """A new order of any kind that the protocol knows."""
        rng = self._rng
        if rng.random() < 0.15:
            price: str | None = f"{rng.randint(5_900, 6_100) / 100:.2f}"
            terms: dict[str, Any] = {"instrument": UNITS, "quantity": str(rng.randint(1, 20)), "side": rng.choice(("buy", "sell"))}
        else:
            price = f"0.{rng.randint(4_300, 4_700)}"
            near = self._symbols()[:_NEAR]
            terms = {"instrument": near[min(int(rng.expovariate(0.4)), len(near) - 1)], "quantity": f"{rng.randint(10, 400)}.0", "side": self._side()}
        kind = rng.random()
        if kind < 0.10:
            price = None
            terms |= {"type": "market"}
        elif kind < 0.20:
            terms |= {"time_in_force": rng.choice(("ioc", "fok"))}
        elif kind < 0.28:
            terms |= {"post_only": True, "reprice": rng.random() < 0.5}
        elif kind < 0.36:
            terms |= {"display": terms["quantity"] if rng.random() < 0.2 else str(max(1, int(float(terms["quantity"])) // 4))}
        elif kind < 0.42:
            terms |= {"stop_price": price}
        elif kind < 0.48:
            terms |= {"time_in_force": "gtd", "expires_at_ns": self.main.now_ns + rng.randint(1, 1_800) * 10**9}
        elif kind < 0.52:
            terms |= {"all_or_none": True}
        elif kind < 0.56:
            terms |= {"deadline_ns": self.main.now_ns + rng.randint(0, 60) * 10**9}
        terms["self_trade"] = rng.choice(("cancel_newest", "cancel_oldest", "decrement"))
        return PlaceParams(client_order_id=self._next_id(), price=price, **terms)

    async def _place(self) -> None:
        terms = self._terms()
        twice = self._rng.random() < 0.15
        sends = [self._send(self.main, terms)]
        if twice:
            await asyncio.sleep(self._rng.choice((0.0, 0.001, 2.0)))
            sends.append(self._send(self.shadow, terms))
        await asyncio.gather(*sends)

    async def _send(self, client: ParkClient, terms: PlaceParams) -> None:
        def took(order: Order) -> None:
            self.told.accept(terms.client_order_id, order.order_id)

        async def place() -> None:
            (answer,) = await client.place_many([terms])
            if isinstance(answer, OrderRejected):
                raise answer
            took(answer)

        await self._tell(terms.client_order_id, place)

    async def _tell(self, client_order_id: str, command: Callable[[], Awaitable[None]]) -> None:
        """Carry out one command until it is answered by more than "send again"."""
        while True:
            try:
                await command()
            except OrderRejected as refusal:
                if refusal.code in _SEND_AGAIN:
                    await asyncio.sleep(self._rng.uniform(0.5, 2.0))
                    continue
                self.told.refuse(client_order_id, int(refusal.code))
            return

    async def _basket(self) -> None:
        near = self._symbols()[:_NEAR]
        symbols = self._rng.sample(near, 2)
        legs = [
            self.main.basket_leg(
                symbol, self._side(), price=f"0.{self._rng.randint(4_300, 4_700)}", quantity="5.0", client_order_id=self._next_id()  # type: ignore[arg-type]
            )
            for symbol in symbols
        ]
        try:
            orders = await self.main.place_basket(legs)
        except OrderRejected as refusal:
            if refusal.code in _SEND_AGAIN:
                return  # none of its legs was recorded
            leg = refusal.data.get("leg", 0)
            self.told.refuse(legs[leg].client_order_id, int(refusal.code))
            return
        for order in orders:
            self.told.accept(order.client_order_id, order.order_id)

    def _some_open(self) -> Order | None:
        orders = list(self.main.open_orders.values())
        return self._rng.choice(orders) if orders else None

    async def _amend(self) -> None:
        order = self._some_open()
        if order is None:
            return
        new_price = "60.00" if order.instrument == UNITS else f"0.{self._rng.randint(4_300, 4_700)}"
        less = "3.0" if "." in order.remaining else "3"
        price, quantity = self._rng.choice(((new_price, None), (None, order.remaining), (None, less)))
        with contextlib.suppress(OrderRejected):
            await order.amend(price=price, quantity=quantity)
        self.told.answers += 1

    async def _cancel(self) -> None:
        order = self._some_open()
        if order is not None:
            with contextlib.suppress(OrderRejected):
                await order.cancel()
            self.told.answers += 1

    async def _mass_cancel(self) -> None:
        with contextlib.suppress(OrderRejected):
            await self.main.mass_cancel(instrument=self._rng.choice(self._symbols()[:_NEAR]))
        self.told.answers += 1

    async def _ask(self) -> None:
        await self.main.balances()
        await self.main.positions()

    _ACTIONS: Final = (_place, _cancel, _amend, _basket, _mass_cancel, _ask)
    _WEIGHTS: Final = (60, 18, 12, 5, 1, 4)


# Refusals that say that nothing was recorded and that the same command may be sent again.
_SEND_AGAIN: Final = frozenset({RejectCode.QUEUE_FULL, RejectCode.NOT_ACCEPTING, RejectCode.JOURNAL_FAILED, RejectCode.RATE_LIMITED})
