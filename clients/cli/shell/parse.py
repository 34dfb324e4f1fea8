"""A line of the shell to a command. Pure: knows no connection, and changes no decimal that was typed.

    buy GP-20260715-1015 12.5 0.4100 post label=7
    sell CEA25 10 market
    basket buy GP-20260715-1200 500.0 0.35 + sell GP-20260715-2000 440.0 0.90
"""

import re
import shlex
from dataclasses import dataclass, field
from typing import Any, Final, get_args

from exchange.protocol.messages import SelfTradeName, TimeInForceName

COMMANDS: Final = (
    "help", "instruments", "quotes", "book", "orders", "balances", "positions", "auctions", "statement", "status", "buy", "sell", "basket", "amend",
    "cancel", "nominate", "watch", "unwatch", "wait", "lang", "quit",
)  # fmt: skip
ALIASES: Final = {
    "?": "help", "exit": "quit", "b": "buy", "s": "sell", "q": "quotes", "o": "orders", "帮助": "help", "品种": "instruments", "行情": "quotes",
    "订单簿": "book", "订单": "orders", "资金": "balances", "持仓": "positions", "集合竞价": "auctions", "结算单": "statement", "状态": "status",
    "买": "buy", "卖": "sell", "组合": "basket", "改单": "amend", "撤单": "cancel", "申报": "nominate", "关注": "watch", "取消关注": "unwatch",
    "等待": "wait", "语言": "lang", "退出": "quit",
}  # fmt: skip
WATCHABLE: Final = ("book", "executions", "trades", "phases", "auctions")

_DECIMAL: Final = re.compile(r"(0|[1-9][0-9]*)(\.[0-9]+)?")
_TIMES: Final = frozenset(get_args(TimeInForceName)) - {"gtd"}
_FLAGS: Final[dict[str, dict[str, Any]]] = {
    "post": {"post_only": True}, "reprice": {"post_only": True, "reprice": True}, "aon": {"all_or_none": True}, "reduce": {"reduce_only": True},
}  # fmt: skip
_DECIMAL_TERMS: Final = {"display": "display", "min": "min_quantity", "stop": "stop_price"}


class UsageError(Exception):
    """The line is no command. `key` names the text that says so, `values` go into it."""

    def __init__(self, key: str, **values: str) -> None:
        super().__init__(key)
        self.key = key
        self.values = values


@dataclass(frozen=True, slots=True)
class NewOrder:
    """`price` None: at the market. `terms` are further fields of PlaceParams."""

    side: str
    symbol: str
    quantity: str
    price: str | None
    terms: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Command:
    """`words` are the arguments as typed, `named` those of the form name=value, `orders` what buy, sell and basket place."""

    name: str
    words: tuple[str, ...] = ()
    named: dict[str, str] = field(default_factory=dict)
    orders: tuple[NewOrder, ...] = ()


def parse(line: str) -> Command | None:
    """The command of a line; None for an empty one or a comment. Raises UsageError."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        raise UsageError("open_quote") from None
    if not words:
        return None
    name = ALIASES.get(words[0].lower(), words[0].lower())
    if name not in COMMANDS:
        raise UsageError("unknown_command", word=words[0][:40])
    rest = words[1:]
    if name in {"buy", "sell"}:
        return Command(name, orders=(_order(name, rest),))
    if name == "basket":
        return Command(name, orders=_legs(rest))
    named = dict(word.split("=", 1) for word in rest if "=" in word)
    command = Command(name, tuple(word for word in rest if "=" not in word), named)
    _CHECKS.get(name, _no_names)(command)
    return command


def _order(side: str, words: list[str]) -> NewOrder:
    if len(words) < 3:
        raise UsageError("usage", command=side)
    symbol, quantity, price, *terms = words
    at_market = price.lower() in {"market", "市价"}
    order = NewOrder(side, symbol.upper(), decimal(quantity), None if at_market else decimal(price))
    for term in terms:
        order.terms.update(_term(term))
    return order


def _term(word: str) -> dict[str, Any]:
    lower = word.lower()
    if lower in _TIMES:
        return {"time_in_force": lower}
    if lower in _FLAGS:
        return _FLAGS[lower]
    name, _, value = word.partition("=")
    if name in _DECIMAL_TERMS:
        return {_DECIMAL_TERMS[name]: decimal(value)}
    if name == "label":
        return {"label": whole(value)}
    if name == "self" and value in get_args(SelfTradeName):
        return {"self_trade": value}
    raise UsageError("unknown_term", word=word[:40])


def _legs(words: list[str]) -> tuple[NewOrder, ...]:
    legs: list[NewOrder] = []
    leg: list[str] = []
    for word in [*words, "+"]:
        if word != "+":
            leg.append(word)
            continue
        side = ALIASES.get(leg[0].lower(), leg[0].lower()) if leg else ""
        if side not in {"buy", "sell"}:
            raise UsageError("usage", command="basket")
        order = _order(side, leg[1:])
        if set(order.terms) - {"label"}:
            raise UsageError("basket_terms")
        legs.append(order)
        leg = []
    return tuple(legs)


def decimal(text: str) -> str:
    """A decimal as the wire takes it, unchanged. Raises UsageError."""
    if not _DECIMAL.fullmatch(text):
        raise UsageError("not_a_decimal", word=text[:40])
    return text


def whole(text: str) -> int:
    """A whole number that fits 64 bits. Raises UsageError."""
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise UsageError("not_a_number", word=text[:40])
    return int(text)


def _counts(low: int, high: int, names: frozenset[str] = frozenset()) -> Any:
    def check(command: Command) -> None:
        if not low <= len(command.words) <= high or set(command.named) - names:
            raise UsageError("usage", command=command.name)

    return check


_no_names = _counts(0, 1)


def _check_amend(command: Command) -> None:
    _counts(1, 1, frozenset({"price", "quantity"}))(command)
    if not command.named:
        raise UsageError("usage", command="amend")
    whole(command.words[0])
    for value in command.named.values():
        decimal(value)


def _check_cancel(command: Command) -> None:
    _counts(1, 100, frozenset({"label"}))(command)
    if command.words[0].lower() == "all":
        _counts(1, 3, frozenset({"label"}))(command)
        whole(command.named.get("label", "0"))
        return
    if command.named:
        raise UsageError("usage", command="cancel")
    for word in command.words:
        whole(word)


def _check_watch(command: Command) -> None:
    _counts(0, 2)(command)
    if command.words and command.words[0] not in WATCHABLE:
        raise UsageError("usage", command=command.name)
    if command.words[:1] == ("book",) and len(command.words) != 2:
        raise UsageError("usage", command=command.name)


def _check_wait(command: Command) -> None:
    _counts(1, 1)(command)
    decimal(command.words[0])


def _check_nominate(command: Command) -> None:
    _counts(2, 2)(command)
    decimal(command.words[1].removeprefix("-"))


def _check_lang(command: Command) -> None:
    if command.words not in {("en",), ("zh",)} or command.named:
        raise UsageError("usage", command="lang")


def _check_book(command: Command) -> None:
    _counts(1, 2)(command)
    if len(command.words) == 2 and not 1 <= whole(command.words[1]) <= 50:
        raise UsageError("usage", command="book")


_CHECKS: Final[dict[str, Any]] = {
    "amend": _check_amend,
    "cancel": _check_cancel,
    "watch": _check_watch,
    "unwatch": _check_watch,
    "wait": _check_wait,
    "nominate": _check_nominate,
    "lang": _check_lang,
    "book": _check_book,
    "statement": _counts(1, 1),
    "balances": _counts(0, 0),
    "status": _counts(0, 0),
    "quit": _counts(0, 0),
}
