"""Orders as their owner knows them: a fold of answers and private executions, in whichever order the two arrive.

An answer tells the state of an order after its command, an execution one event. Both carry the command sequence, so what is older than what is
known changes no state; fills are taken from executions only, each once, because the feed lets each private `seq` through once and in order.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from exchange.protocol.messages import Execution, OpenOrderResult, OrderResult

if TYPE_CHECKING:
    from clients.sdk.client import ParkClient

OPEN = "resting"
WAITING = "waiting"
PENDING = "pending"
# An answer that comes again may speak of an order that has ended since: so many ends are remembered.
_ENDS_KEPT = 4_096
ENDED = "ended"


@dataclass(slots=True)
class Fill:
    """One trade of an own order."""

    price: str
    quantity: str
    liquidity: str
    fee_micro: int
    trade_number: int
    at_ns: int


@dataclass(slots=True, eq=False)
class Order:
    """One order. `status`: pending, resting, waiting (beside the book, for a minimum or a stop price), filled, cancelled, ended.

    `ended`: the exchange has it open no more, and how it ended is among executions that were lost. Prices and quantities are decimal strings.
    """

    instrument: str
    side: str
    client_order_id: str
    price: str | None = None
    quantity: str = "0"
    order_id: int = 0
    status: str = PENDING
    remaining: str = "0"
    filled: str = "0"
    average_price: str | None = None
    revision: int = 0
    label: int = 0
    fills: list[Fill] = field(default_factory=list)
    client: "ParkClient | None" = field(default=None, repr=False)
    # Command sequence of the last answer applied; executions up to it are in the state already.
    answered_sequence: int = field(default=0, repr=False)
    # Command sequence of the last execution applied; an answer to an earlier command is old news.
    event_sequence: int = field(default=0, repr=False)
    # The exchange's list of open orders was taken while this one was on its way, and did not have it.
    was_not_listed: bool = field(default=False, repr=False)

    @property
    def is_open(self) -> bool:
        return self.status in {OPEN, WAITING}

    async def amend(self, *, price: str | None = None, quantity: str | None = None) -> "Order":
        """Change price or remaining quantity. Less quantity keeps the priority. Raises OrderRejected."""
        assert self.client is not None
        return await self.client.amend(self, price=price, quantity=quantity)

    async def cancel(self) -> "Order":
        """Withdraw what is open. Raises OrderRejected, for instance when it has been filled meanwhile."""
        assert self.client is not None
        return await self.client.cancel(self)


class OrderTable:
    """All open orders of the account by order id, and the orders this client has placed by client_order_id until they end."""

    def __init__(self, client: "ParkClient") -> None:
        self._client = client
        self.open: dict[int, Order] = {}
        self._by_client_id: dict[str, Order] = {}
        self._ended: dict[int, str] = {}  # how the latest ones ended, oldest first

    def add_pending(self, order: Order) -> None:
        """An order that is about to be sent."""
        order.client = self._client
        self._by_client_id[order.client_order_id] = order

    def drop_pending(self, client_order_id: str) -> None:
        """An order that was refused, or taken back before it was sent."""
        self._by_client_id.pop(client_order_id, None)

    def apply_answer(self, order: Order, answer: OrderResult) -> None:
        """The answer to place, amend or cancel of `order`."""
        order.order_id = answer.order_id
        if answer.duplicate:
            if order.status == PENDING:
                self._adopt(order, answer)
            order.revision = max(order.revision, answer.revision)
            return
        order.answered_sequence = max(order.answered_sequence, answer.sequence)
        order.average_price = answer.average_price or order.average_price
        if answer.sequence < order.event_sequence:
            order.revision = max(order.revision, answer.revision)
            return
        self._set(order, answer.status, answer.remaining, answer.revision)
        if not order.is_open and order.event_sequence < answer.sequence:
            # Its executions are still to come (a gap is being mended): they must find it.
            self._by_client_id[order.client_order_id] = order

    def _adopt(self, order: Order, answer: OrderResult) -> None:
        """The first outcome once more, of an order that was placed before, by this session or another: what has happened since is known from the
        executions, which may have come before the answer.
        """
        known = self.open.get(answer.order_id)
        if known is not None and known is not order:
            order.fills, order.filled, order.event_sequence = known.fills, known.filled, known.event_sequence
            self._set(order, known.status, known.remaining, known.revision)
        elif answer.status in {OPEN, WAITING} and (order.was_not_listed or answer.order_id in self._ended):
            self._set(order, self._ended.get(answer.order_id, ENDED), "0", answer.revision)
        else:
            self._set(order, answer.status, answer.remaining, answer.revision)

    def apply_execution(self, event: Execution) -> Order | None:
        """One private execution; returns the order it speaks of, None for a trade without an order."""
        if not event.order_id:
            return None
        order = self.open.get(event.order_id) or self._by_client_id.get(event.client_order_id)
        if order is None:
            if event.kind not in {"rested", "waiting"}:
                return None
            order = Order(
                event.instrument, event.side, event.client_order_id, event.price, event.remaining, order_id=event.order_id, client=self._client
            )
        if event.kind == "trade":
            order.fills.append(Fill(event.price, event.quantity, event.liquidity, event.fee_micro, event.trade_number, event.at_ns))
            order.filled = add_decimals(order.filled, event.quantity)
        order.event_sequence = event.sequence
        if event.kind == "repriced":
            return order  # it left its old price; the events that follow of the same command say where it is now
        if event.kind == "cancelled" or is_zero(event.remaining):
            self._by_client_id.pop(event.client_order_id, None)
            self._remember_end(event.order_id, {"cancelled": "cancelled", "trade": "filled"}.get(event.kind, ENDED))
        if event.sequence <= order.answered_sequence:
            return order
        order.order_id = event.order_id
        if event.kind == "rested":
            order.price = event.price
        self._set(order, _status_after(order, event), event.remaining, order.revision or 1)
        return order

    def _remember_end(self, order_id: int, status: str) -> None:
        self._ended[order_id] = status
        if len(self._ended) > _ENDS_KEPT:
            del self._ended[next(iter(self._ended))]

    def reconcile(self, orders: list[OpenOrderResult]) -> None:
        """Take the exchange's list as the truth: after a gap that could not be replayed."""
        listed = {o.order_id: o for o in orders}
        for order_id in [i for i in self.open if i not in listed]:
            self._set(self.open[order_id], ENDED, "0", self.open[order_id].revision)
        for order_id, known in listed.items():
            order = self.open.get(order_id) or self._by_client_id.get(known.client_order_id)
            if order is None:
                order = Order(known.instrument, known.side, known.client_order_id, order_id=order_id, client=self._client)
            order.order_id, order.price, order.quantity, order.filled, order.label = order_id, known.price, known.quantity, known.filled, known.label
            self._set(order, WAITING if known.waiting else OPEN, known.remaining, known.revision)
        for order in self._by_client_id.values():
            order.was_not_listed = order.status == PENDING

    def _set(self, order: Order, status: str, remaining: str, revision: int) -> None:
        order.status, order.remaining, order.revision = status, remaining, revision
        if order.is_open:
            self.open[order.order_id] = order
        else:
            self.open.pop(order.order_id, None)
            self._by_client_id.pop(order.client_order_id, None)


def _status_after(order: Order, event: Execution) -> str:
    """Status of an order after one of its events."""
    if event.kind == "cancelled":
        return "cancelled"
    if event.kind == "trade" and is_zero(event.remaining):
        return "filled"
    if event.kind == "waiting":
        return WAITING
    return order.status if event.kind != "rested" and order.is_open else OPEN


def is_zero(text: str) -> bool:
    """Whether a decimal string is zero."""
    return not text.strip("0.")


def add_decimals(a: str, b: str) -> str:
    """Exact sum of two decimal strings."""
    return str(Decimal(a) + Decimal(b))
