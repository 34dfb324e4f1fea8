"""What a client sends: random orders, changes and withdrawals around one price, from a seed."""

import random
from dataclasses import dataclass, field
from typing import Any, Final

from bench.crash.market import PRICE_DECIMALS, QUANTITY_DECIMALS, SYMBOLS
from exchange.protocol.decimals import format_decimal

MIDDLE_TICKS: Final = 4_000
SPREAD_TICKS: Final = 40
OPEN_MAX: Final = 120  # with more open orders a client mostly withdraws
LABELS: Final = 4
SELF_TRADES: Final = ("cancel_newest", "cancel_oldest")
# Half of the orders are plain ones.
VARIANTS: Final[tuple[dict[str, Any], ...]] = (
    {}, {}, {}, {}, {}, {"time_in_force": "ioc"}, {"time_in_force": "session"}, {"post_only": True}, {"min_quantity": "0.1"},
    {"display": "1.0", "quantity": "9.0"},
)  # fmt: skip


@dataclass(slots=True, eq=False)
class Command:
    """One request and the idempotency keys it uses up: one, or one a leg. `told` is its answer, once there is one."""

    method: str
    params: dict[str, Any]
    keys: tuple[str, ...]
    told: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class OwnOrder:
    """An open order as its owner's executions and answers show it."""

    symbol: str
    remaining: str
    revision: int = 1


class CommandSource:
    """An endless flow for one client; keys are the client's name and a count."""

    def __init__(self, name: str, seed: int) -> None:
        self._name = name
        self._random = random.Random(f"{seed}-{name}")  # noqa: S311 - a seed is to repeat
        self._count = 0

    def next(self, open_orders: dict[int, OwnOrder]) -> Command:
        chance = self._random.random()
        if open_orders and (chance < 0.3 or len(open_orders) > OPEN_MAX):
            order_id = self._random.choice(list(open_orders))
            return self._cancel(order_id) if self._random.random() < 0.6 else self._amend(order_id, open_orders[order_id])
        if chance < 0.32:
            return self._mass_cancel()
        return self._basket() if chance < 0.38 else self._place()

    def _key(self) -> str:
        self._count += 1
        return f"{self._name}-{self._count}"

    def _price(self) -> str:
        return format_decimal(MIDDLE_TICKS + self._random.randint(-SPREAD_TICKS, SPREAD_TICKS), PRICE_DECIMALS)

    def _quantity(self) -> str:
        return format_decimal(self._random.randint(1, 100), QUANTITY_DECIMALS)

    def _side(self) -> str:
        return self._random.choice(("buy", "sell"))

    def _place(self) -> Command:
        params: dict[str, Any] = {
            "client_order_id": self._key(), "instrument": self._random.choice(SYMBOLS), "side": self._side(), "price": self._price(),
            "quantity": self._quantity(), "label": self._random.randrange(LABELS), "self_trade": self._random.choice(SELF_TRADES),
        }  # fmt: skip
        params |= self._random.choice(VARIANTS)
        return Command("order.place", params, (params["client_order_id"],))

    def _basket(self) -> Command:
        side = self._side()
        # Far enough to fill as a rule; where it does not, the whole basket is refused.
        price = format_decimal(MIDDLE_TICKS + (SPREAD_TICKS if side == "buy" else -SPREAD_TICKS), PRICE_DECIMALS)
        legs = [
            {"client_order_id": self._key(), "instrument": symbol, "side": side, "price": price, "quantity": "0.5"}
            for symbol in self._random.sample(SYMBOLS, 2)
        ]
        return Command("basket.place", {"legs": legs}, tuple(leg["client_order_id"] for leg in legs))

    def _amend(self, order_id: int, order: OwnOrder) -> Command:
        params: dict[str, Any] = {"client_order_id": self._key(), "instrument": order.symbol, "order_id": order_id, "revision": order.revision}
        params |= {"price": self._price()} if self._random.random() < 0.5 else {"quantity": self._quantity()}
        return Command("order.amend", params, (params["client_order_id"],))

    def _cancel(self, order_id: int) -> Command:
        key = self._key()
        return Command("order.cancel", {"client_order_id": key, "order_id": order_id}, (key,))

    def _mass_cancel(self) -> Command:
        key = self._key()
        which = self._random.choice(({"label": self._random.randrange(LABELS)}, {"instrument": self._random.choice(SYMBOLS)}, {"side": self._side()}))
        return Command("order.mass_cancel", {"client_order_id": key} | which, (key,))
