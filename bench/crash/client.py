"""A trading client that outlives its server: keeps orders unanswered, connects again, sends again what had no answer, believes what it was told.

What it was told is three things that have to agree: answers, the numbered stream of private executions, and what the exchange says when asked. What
does not agree is noted in `complaints`, which are for nobody to explain away.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import msgspec

from bench.crash.commands import Command, CommandSource, OwnOrder
from bench.crash.market import DEPOSIT_MICRO, QUANTITY_DECIMALS, credentials_of
from clients.sdk.transport import Transport, websocket_connector
from exchange.protocol import messages as m
from exchange.protocol.decimals import format_decimal, parse_decimal
from exchange.protocol.session import Answered, ClientSession, Notified
from exchange.units import POWER_MULTIPLIER_MICRO

WINDOW: Final = 16
# So many of the answered commands are sent again after a reconnection, though nobody needs that: they must be recognised.
SENT_TWICE: Final = 2
ANSWER_TIMEOUT_S: Final = 30.0
_RETRY_S: Final = 0.005

OnAnswer = Callable[[Answered], None]
_order_result: Final = msgspec.json.Decoder(m.OrderResult)
_basket_result: Final = msgspec.json.Decoder(m.BasketResult)
_subscribed: Final = msgspec.json.Decoder(m.SubscribeResult)
_orders: Final = msgspec.json.Decoder(m.OrdersResult)
_positions: Final = msgspec.json.Decoder(m.PositionsResult)
_balances: Final = msgspec.json.Decoder(m.BalancesResult)


class ConnectionEndedError(Exception):
    """The server has gone; the rest happens on the next connection."""


class Trader:
    """One member. `run` goes on until `finish`; `pause` makes it wait with nothing unanswered."""

    def __init__(self, name: str, url: str, seed: int) -> None:
        self.name = name
        self.unanswered: dict[Command, None] = {}  # in the order they were first sent
        self.answered: list[Command] = []
        self.executions: list[m.Execution] = []
        self.open_orders: dict[int, OwnOrder] = {}
        self.complaints: list[str] = []
        self.counts: Counter[str] = Counter()
        self.ready = asyncio.Event()
        self.idle = asyncio.Event()
        self._connector = websocket_connector(url)
        self._credentials = credentials_of(name)
        self._source = CommandSource(name, seed)
        self._random = random.Random(f"{seed}-{name}-again")  # noqa: S311 - a seed is to repeat
        self._session = ClientSession()
        self._transport: Transport | None = None
        self._challenge: asyncio.Future[m.Challenge]
        self._lost: asyncio.Future[None]
        self._waiting: dict[int, OnAnswer] = {}
        self._trading = True
        self._finished = False

    # Life of the client

    async def run(self) -> None:
        """Connect, catch up, trade; again after each lost connection."""
        while not self._finished:
            try:
                await self._trade()
            except (ConnectionEndedError, OSError, TimeoutError):
                await asyncio.sleep(_RETRY_S)

    async def _trade(self) -> None:
        """On one connection, until it is lost. However it ends, as by a refused logon, its transport goes with it."""
        try:
            await self._connect()
            await self._catch_up()
            self.ready.set()
            await self._lost
        finally:
            self.ready.clear()
            await self._close()

    async def _close(self) -> None:
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.close()

    def pause(self) -> None:
        """Send nothing new; `idle` is set when everything has its answer."""
        self._trading = False
        self._settle()

    async def finish(self) -> None:
        self._finished = True
        await self._close()

    async def state(self) -> dict[str, Any]:
        """What the exchange says of this member now: open orders, positions, balances."""
        orders = await self._ask("orders.open", {}, _orders)
        positions = await self._ask("positions", {}, _positions)
        balances = await self._ask("balances", {}, _balances)
        self._compare_state(positions, balances)
        self._compare_orders(orders)
        return {"orders": msgspec.to_builtins(orders), "positions": msgspec.to_builtins(positions), "balances": msgspec.to_builtins(balances)}

    async def sequence(self) -> int:
        """Last command of the exchange; while nobody sends anything it is the end of a group."""
        status: m.StatusResult = await self._ask("system.status", {}, msgspec.json.Decoder(m.StatusResult))
        return status.sequence

    # Connection

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        self._challenge, self._lost = loop.create_future(), loop.create_future()
        self._session, self._waiting = ClientSession(), {}
        lost = self._lost

        def on_lost(_: Exception | None) -> None:
            if not lost.done():
                lost.set_result(None)

        self._transport = await self._connector(self._on_frames, on_lost)
        challenge = await self._or_lost(self._challenge)
        logon, _ = self._credentials.sign(challenge, self._transport.host)
        await self._ask("logon", msgspec.to_builtins(logon), msgspec.json.Decoder(m.LogonResult))

    async def _catch_up(self) -> None:
        """Executions that were missed, then all that had no answer, in its order."""
        expected = len(self.executions) + 1
        joined = await self._ask("subscribe", {"channels": ["executions"], "from_seq": expected}, _subscribed)
        if isinstance(joined.replay_from, int) and expected < joined.replay_from:
            self.complaints.append(f"executions {expected} to {joined.replay_from - 1} cannot be replayed")
        await self._ask("orders.open", {}, _orders, self._compare_orders)
        again = self._random.sample(self.answered, min(SENT_TWICE, len(self.answered)))
        self.counts["resent"] += len(self.unanswered)
        self.counts["sent_twice"] += len(again)
        for command in [*self.unanswered, *again]:
            self._send(command)
        self._refill()

    async def _or_lost(self, awaited: "asyncio.Future[Any]") -> Any:
        """The result, or ConnectionEndedError if the connection ends first."""
        await asyncio.wait([awaited, self._lost], return_when=asyncio.FIRST_COMPLETED, timeout=ANSWER_TIMEOUT_S)
        if awaited.done():
            return awaited.result()
        if not self._lost.done():
            self.complaints.append(f"no answer within {ANSWER_TIMEOUT_S:.0f} s")
        raise ConnectionEndedError

    async def _ask(
        self, method: str, params: dict[str, Any], decoder: "msgspec.json.Decoder[Any]", inspect: Callable[[Any], None] | None = None
    ) -> Any:
        """A question and its typed answer; `inspect` sees it in its place among the executions. Refusals are complaints."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def on_answer(answer: Answered) -> None:
            if answer.error is not None:
                self.complaints.append(f"{method} was refused with {answer.error.code}")
            result = None if answer.error is not None else decoder.decode(answer.result)
            if result is not None and inspect is not None:
                inspect(result)
            if not future.done():
                future.set_result(result)

        self._request(method, params, on_answer)
        result = await self._or_lost(future)
        if result is None:
            raise ConnectionEndedError
        return result

    def _request(self, method: str, params: dict[str, Any], on_answer: OnAnswer) -> None:
        self._waiting[self._session.request(method, params)] = on_answer
        if self._transport is not None:
            self._transport.send(self._session.data_to_send())

    def _on_frames(self, frames: list[bytes]) -> None:
        for frame in frames:
            self._session.receive_data(frame)
        for event in self._session.events_received():
            if isinstance(event, Answered):
                on_answer = self._waiting.pop(event.id, None)
                if on_answer is None:
                    self.complaints.append("an answer to nothing that was asked")
                else:
                    on_answer(event)
            else:
                self._on_notification(event)

    def _on_notification(self, event: Notified) -> None:
        if isinstance(event.params, m.Challenge) and not self._challenge.done():
            self._challenge.set_result(event.params)
        elif isinstance(event.params, m.Execution):
            self._on_execution(event.params)

    # Commands and their answers

    def _refill(self) -> None:
        while self._trading and len(self.unanswered) < WINDOW:
            command = self._source.next(self.open_orders)
            self.unanswered[command] = None
            self._send(command)
        self._settle()

    def _settle(self) -> None:
        if not self._trading and not self.unanswered:
            self.idle.set()

    def _send(self, command: Command) -> None:
        self._request(command.method, command.params, lambda answer: self._on_answer(command, answer))

    def _on_answer(self, command: Command, answer: Answered) -> None:
        told, duplicate = _told(command, answer)
        self.counts["duplicates_told"] += duplicate
        if command.told:
            self._compare_answers(command, told, duplicate)
            return
        if answer.error is not None and "sequence" not in told[0]:
            self.complaints.append(f"{command.keys[0]} was refused with {answer.error.code} before the journal")
        command.told = told
        del self.unanswered[command]
        self.answered.append(command)
        self._take_revision(command, told[0])
        self._refill()

    def _compare_answers(self, command: Command, told: list[dict[str, Any]], duplicate: bool) -> None:
        """A command that had its answer was sent again: but for its place in the journal the answer is the same, and says so."""
        if not duplicate or any(again | {"sequence": 0} != first | {"sequence": 0} for again, first in zip(told, command.told, strict=True)):
            self.complaints.append(f"{command.keys[0]} was answered {command.told}, and sent again {told}, duplicate {duplicate}")

    def _take_revision(self, command: Command, told: dict[str, Any]) -> None:
        order = self.open_orders.get(told.get("order_id", 0))
        if order is not None and command.method in {"order.place", "order.amend"}:
            order.revision = told["revision"]

    # Executions, and what they imply

    def _on_execution(self, execution: m.Execution) -> None:
        expected = len(self.executions) + 1
        if execution.seq != expected or execution.prev_seq != expected - 1:
            self.counts["executions_doubled"] += execution.seq < expected
            self.complaints.append(f"execution {execution.seq} came where {expected} was due")
            return
        self.executions.append(execution)
        if float(execution.remaining) == 0 or execution.kind == "cancelled":
            self.open_orders.pop(execution.order_id, None)
        elif execution.order_id in self.open_orders:
            self.open_orders[execution.order_id].remaining = execution.remaining
        else:
            self.open_orders[execution.order_id] = OwnOrder(execution.instrument, execution.remaining)

    def _compare_orders(self, orders: m.OrdersResult) -> None:
        """The answer stands behind all executions up to its sequence and before those after it."""
        shown = {order.order_id: order.remaining for order in orders.orders}
        implied = {order_id: order.remaining for order_id, order in self.open_orders.items()}
        if orders.execution_seq != len(self.executions) or shown != implied:
            self.complaints.append(f"open orders as of {orders.execution_seq} are {shown}, by {len(self.executions)} executions {implied}")
        for order in orders.orders:
            if order.order_id in self.open_orders:
                self.open_orders[order.order_id].revision = order.revision

    def _compare_state(self, positions: m.PositionsResult, balances: m.BalancesResult) -> None:
        """Positions and money as the trades among the executions make them: each counted once."""
        lots: Counter[str] = Counter()
        money = DEPOSIT_MICRO
        for execution in self.executions:
            if execution.kind != "trade":
                continue
            quantity = parse_decimal(execution.quantity, QUANTITY_DECIMALS)
            bought = execution.side == "buy"
            lots[execution.instrument] += quantity if bought else -quantity
            # A buyer pays at the trade, a seller is paid when delivery is settled.
            price_ticks = int(execution.price.replace(".", ""))
            money -= execution.fee_micro + (price_ticks * quantity * POWER_MULTIPLIER_MICRO if bought else 0)
        shown = {position.instrument: position.net for position in positions.positions if float(position.net) != 0}
        implied = {symbol: format_decimal(net, QUANTITY_DECIMALS) for symbol, net in lots.items() if net}
        if (shown, balances.balance_micro) != (implied, money):
            self.complaints.append(f"positions {shown} and {balances.balance_micro} micro-CNY, by the executions {implied} and {money}")


def _told(command: Command, answer: Answered) -> tuple[list[dict[str, Any]], bool]:
    """What an answer says for each key, without the mark of a duplicate, and the mark."""
    error = answer.error
    if error is not None:
        data = dict(error.data or {})
        duplicate = bool(data.pop("duplicate", False))
        return [{"code": error.code, **data}], duplicate
    results = _basket_result.decode(answer.result).legs if command.method == "basket.place" else [_order_result.decode(answer.result)]
    duplicates = {result.duplicate for result in results}
    return [msgspec.to_builtins(msgspec.structs.replace(result, duplicate=False)) for result in results], duplicates == {True}


