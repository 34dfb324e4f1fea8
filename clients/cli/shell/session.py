"""The shell's half of a session: carries commands out over the SDK and shows what comes in meanwhile."""

import asyncio
import difflib
from collections.abc import Awaitable, Callable
from decimal import Decimal
from enum import Enum
from typing import Any, Final, cast

from clients.cli.shell.parse import Command, NewOrder, UsageError, parse
from clients.cli.shell.show import View, clock_time, top_of
from clients.cli.shell.watches import Watches
from clients.cli.shell.words import HELP, TERMS, Language, help_line
from clients.sdk import ClientError, ConnectionChange, ConnectionLost, Missed, NotSent, Order, ParkClient, RequestRefused
from exchange.protocol import messages as m
from exchange.units import PERIOD_NS

_NEEDS_ACCOUNT: Final = frozenset({"orders", "balances", "positions", "statement", "buy", "sell", "basket", "amend", "cancel", "nominate"})


class Outcome(Enum):
    """Of one line."""

    DONE = "done"
    REFUSED = "refused"
    USAGE = "usage"
    QUIT = "quit"


class Shell:
    """`ask` gets a yes or no from the person; None where there is none, and then a large market order is not sent unless `assume_yes`."""

    def __init__(
        self, park: ParkClient, view: View, *, confirm_above_cny: Decimal, assume_yes: bool, ask: Callable[[str], Awaitable[bool]] | None
    ) -> None:
        self.park = park
        self.view = view
        self.instruments: dict[str, m.InstrumentResult] = {}
        self.watches = Watches(park, view)
        self._confirm_above_cny = confirm_above_cny
        self._assume_yes = assume_yes
        self._ask = ask

    async def start(self) -> None:
        """Learn the instruments and their quotes."""
        await self._learn_instruments()
        await self.park.subscribe_ticker()
        await self.park.status()  # the first quotes have come before its answer
        self.park.on("connection", self._connection_changed)
        self.park.on("missed", self._missed)

    async def run(self, line: str) -> Outcome:
        """Carry out a line, and say what became of it. Never raises for what a person can type or an exchange can answer."""
        try:
            command = parse(line)
            if command is None:
                return Outcome.DONE
            if command.name == "quit":
                return Outcome.QUIT
            if command.name in _NEEDS_ACCOUNT and not self.park.account:
                raise UsageError("no_account")
            self.watches.is_busy = True
            return await _COMMANDS[command.name](self, command)
        except UsageError as error:
            self._usage(error)
            return Outcome.USAGE
        except RequestRefused as error:
            self.view.text(self.view.refusal(error), "red")
        except ConnectionLost as error:
            self.view.line("closed" if self.park.closed else "unknown_outcome", style="red", reason=str(error))
        except (ClientError, NotSent) as error:
            self.view.text(str(error), "red")
        finally:
            self.watches.is_busy = False
        return Outcome.REFUSED

    def toolbar(self) -> str:
        """State of the session on one line, with the books that are watched."""
        state = self.view.say("live" if self.park.connected else "offline")
        books = [f"{symbol} {top_of(self.park.book(symbol).depth(1))}" for symbol in self.watches.books]
        return "  ·  ".join([self.park.name or "-", state, clock_time(self.park.now_ns), *books])

    def _usage(self, error: UsageError) -> None:
        values = dict(error.values)
        if "command" in values:
            values["form"] = help_line(self.view.language, values["command"])[0]
        self.view.line(error.key, style="red", **values)

    def _connection_changed(self, change: ConnectionChange) -> None:
        if change.connected:
            self.view.line("back", style="green")
        elif not change.final:
            self.view.line("lost", style="red", reason=change.reason)

    def _missed(self, missed: Missed) -> None:
        self.view.line("missed", style="red", first=missed.first_seq, last=missed.last_seq)

    # Questions

    async def help(self, command: Command) -> Outcome:
        names = command.words or tuple(HELP)
        if names[0] not in HELP:
            raise UsageError("unknown_command", word=names[0][:40])
        for name in names:
            form, meaning = help_line(self.view.language, name)
            self.view.text(f"{form}\n    {meaning}")
        if not command.words or names[0] in {"buy", "sell"}:
            self.view.text(TERMS[1 if self.view.language == "zh" else 0], "dim")
        return Outcome.DONE

    async def lang(self, command: Command) -> Outcome:
        self.view.language = cast("Language", command.words[0])
        return Outcome.DONE

    async def list_instruments(self, command: Command) -> Outcome:
        await self._learn_instruments()
        wanted = command.words[0] if command.words else None
        self.view.instruments([i for i in self.instruments.values() if wanted in {None, i.instrument_class}])
        return Outcome.DONE

    async def quotes(self, command: Command) -> Outcome:
        text = command.words[0].upper() if command.words else ""
        self.view.quotes(quote for symbol, quote in self.park.ticker.items() if text in symbol.upper())
        return Outcome.DONE

    async def book(self, command: Command) -> Outcome:
        symbol = await self._symbol(command.words[0])
        levels = int(command.words[1]) if len(command.words) > 1 else 10
        is_watched = symbol in self.watches.books
        book = self.park.book(symbol) if is_watched else await self.park.subscribe_book(symbol)
        self.view.book(book.depth(levels))
        if not is_watched:
            await self.park.unsubscribe(f"book:{symbol}")
        return Outcome.DONE

    async def orders(self, command: Command) -> Outcome:
        symbol = await self._symbol(command.words[0]) if command.words else None
        orders = await self.park.refresh_orders()
        self.view.orders(order for order in orders.values() if symbol in {None, order.instrument})
        return Outcome.DONE

    async def balances(self, _: Command) -> Outcome:
        self.view.balances(await self.park.balances())
        return Outcome.DONE

    async def positions(self, command: Command) -> Outcome:
        symbol = await self._symbol(command.words[0]) if command.words else None
        self.view.positions(await self.park.positions(symbol))
        return Outcome.DONE

    async def auctions(self, command: Command) -> Outcome:
        symbol = await self._symbol(command.words[0]) if command.words else None
        self.view.auctions(await self.park.auctions(symbol))
        return Outcome.DONE

    async def statement(self, command: Command) -> Outcome:
        statement = await self.park.statement(command.words[0])
        if statement is None:
            self.view.line("no_statement", day=command.words[0])
        else:
            self.view.statement(statement)
        return Outcome.DONE

    async def status(self, _: Command) -> Outcome:
        self.view.status(await self.park.status(), self.park.clock_offset_ns)
        return Outcome.DONE

    # Orders

    async def place(self, command: Command) -> Outcome:
        (order,) = command.orders
        params = await self._params(order)
        if not await self._may_send(command.orders):
            return Outcome.REFUSED
        self.view.placed(await self.park.place(params.pop("instrument"), params.pop("side"), **params))
        return Outcome.DONE

    async def basket(self, command: Command) -> Outcome:
        legs = [self.park.basket_leg(p.pop("instrument"), p.pop("side"), **p) for p in [await self._params(order) for order in command.orders]]
        if not await self._may_send(command.orders):
            return Outcome.REFUSED
        for order in await self.park.place_basket(legs):
            self.view.placed(order)
        return Outcome.DONE

    async def amend(self, command: Command) -> Outcome:
        order = await self._order(command.words[0])
        await self.park.amend(order, price=command.named.get("price"), quantity=command.named.get("quantity"))
        if order.is_open:
            self.view.line("amended", id=order.order_id, remaining=order.remaining, price=order.price)
        else:
            self.view.placed(order)
        return Outcome.DONE

    async def cancel(self, command: Command) -> Outcome:
        if command.words[0].lower() == "all":
            return await self._cancel_all(command)
        orders = [await self._order(word) for word in command.words]
        outcome = Outcome.DONE
        for order, answer in zip(orders, await self.park.cancel_many(orders), strict=True):
            if isinstance(answer, Order):
                self.view.line("cancelled_order", id=order.order_id)
            else:
                self.view.text(f"{order.order_id}: {self.view.refusal(answer)}", "red")
                outcome = Outcome.REFUSED
        return outcome

    async def _cancel_all(self, command: Command) -> Outcome:
        filters: dict[str, Any] = {"label": int(command.named["label"])} if "label" in command.named else {}
        for word in command.words[1:]:
            if word.lower() in {"buy", "sell"}:
                filters["side"] = word.lower()
            else:
                filters["instrument"] = await self._symbol(word)
        self.view.line("cancelled_count", count=await self.park.mass_cancel(**filters))
        return Outcome.DONE

    async def nominate(self, command: Command) -> Outcome:
        sequence = await self.park.nominate(await self._symbol(command.words[0]), command.words[1])
        self.view.line("nominated", sequence=sequence)
        return Outcome.DONE

    async def _params(self, order: NewOrder) -> dict[str, Any]:
        """Terms of an order as the SDK takes them."""
        params: dict[str, Any] = {"instrument": await self._symbol(order.symbol), "side": order.side, "quantity": order.quantity, **order.terms}
        return params | ({"type": "market"} if order.price is None else {"price": order.price})

    async def _may_send(self, orders: tuple[NewOrder, ...]) -> bool:
        """Whether the person wants orders at the market that may cost much; what has a price says itself what it may cost."""
        at_market = [order for order in orders if order.price is None]
        cost_cny = sum((self._cost_cny(order) for order in at_market), Decimal(0))
        if not at_market or cost_cny <= self._confirm_above_cny or self._assume_yes:
            return True
        cost = f"{cost_cny:,.2f}"
        if self._ask is None:
            self.view.line("confirm_script", style="red", cost=cost, limit=f"{self._confirm_above_cny:,}")
            return False
        first = at_market[0]
        question = self.view.say("confirm", side=self.view.say(first.side), quantity=first.quantity, symbol=first.symbol, cost=cost)
        if await self._ask(question):
            return True
        self.view.line("bad_answer")
        return False

    def _cost_cny(self, order: NewOrder) -> Decimal:
        """At the best price of the other side; at the edge of the band where there is none."""
        instrument, quote = self.instruments[order.symbol], self.park.ticker.get(order.symbol)
        best = None if quote is None else quote.ask if order.side == "buy" else quote.bid
        # The quantity of a block is delivered in each of its quarter-hours.
        periods = max(1, (instrument.delivery_end_ns - instrument.delivery_start_ns) // PERIOD_NS)
        return Decimal(order.quantity) * Decimal(best or instrument.band_high) * periods

    async def _order(self, word: str) -> Order:
        order = self.park.open_orders.get(int(word))
        if order is None:
            raise UsageError("unknown_order", word=word)
        return order

    async def _symbol(self, word: str) -> str:
        """The symbol as the exchange writes it. Raises UsageError with symbols that are near."""
        symbol = word.upper()
        if symbol not in self.instruments:
            await self._learn_instruments()
        if symbol not in self.instruments:
            near = difflib.get_close_matches(symbol, self.instruments, n=3)
            raise UsageError("unknown_symbol", word=word[:40], near=self.view.say("near", symbols=", ".join(near)) if near else "")
        return symbol

    async def _learn_instruments(self) -> None:
        self.instruments = {instrument.symbol: instrument for instrument in await self.park.instruments()}

    # Events

    async def watch(self, command: Command) -> Outcome:
        if command.words:
            if command.words[0] == "executions" and not self.park.account:
                raise UsageError("no_account")
            await self.watches.add(command.words[0], await self._symbol(command.words[1]) if len(command.words) > 1 else "")
        self.view.line("watching", what=", ".join(self.watches.names()) or self.view.say("none"))
        return Outcome.DONE

    async def unwatch(self, command: Command) -> Outcome:
        if not command.words:
            raise UsageError("usage", command="unwatch")
        await self.watches.remove(command.words[0], command.words[1].upper() if len(command.words) > 1 else "")
        return Outcome.DONE

    async def wait(self, command: Command) -> Outcome:
        self.watches.is_busy = False
        await asyncio.sleep(float(command.words[0]))
        return Outcome.DONE


_COMMANDS: Final[dict[str, Callable[[Shell, Command], Awaitable[Outcome]]]] = {
    "help": Shell.help, "instruments": Shell.list_instruments, "quotes": Shell.quotes, "book": Shell.book, "orders": Shell.orders,
    "balances": Shell.balances, "positions": Shell.positions, "auctions": Shell.auctions, "statement": Shell.statement, "status": Shell.status,
    "buy": Shell.place, "sell": Shell.place, "basket": Shell.basket, "amend": Shell.amend, "cancel": Shell.cancel, "nominate": Shell.nominate,
    "watch": Shell.watch, "unwatch": Shell.unwatch, "wait": Shell.wait, "lang": Shell.lang,
}  # fmt: skip
