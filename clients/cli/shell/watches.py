"""What the person wants to see as it comes: own executions, public trades, books, phases, auctions."""

import asyncio
from typing import Final

from clients.cli.shell.show import View
from clients.sdk import ParkClient
from exchange.protocol import messages as m

# A busy book is shown this often, not at every change.
_BOOK_EVERY_S: Final = 0.5


class Watches:
    """`is_busy`: an order command is being carried out, whose answer tells what its own events would."""

    def __init__(self, park: ParkClient, view: View) -> None:
        self.is_busy = False
        self.books: dict[str, str] = {}  # symbol -> top as last shown
        self._park = park
        self._view = view
        self._others: set[str] = set()
        self._trades: set[str] = set()
        self._changed: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None
        park.on("execution", self._execution)
        park.on("trade", self._public_trades)
        park.on("phase", self._phase)
        park.on("indication", self._indications)
        for method in ("book.snapshot", "book.delta"):
            park.on(method, self._book_changed)

    def names(self) -> list[str]:
        """What is watched, as one would type it."""
        trades = sorted(f"trades {symbol}".removesuffix(" *") for symbol in self._trades)
        return [*sorted(self._others), *trades, *(f"book {symbol}" for symbol in sorted(self.books))]

    async def add(self, what: str, symbol: str = "") -> None:
        if what == "book":
            await self._park.subscribe_book(symbol)
            self.books[symbol] = ""
            self._book_changed(m.BookDelta(instrument=symbol, seq=0, prev_seq=0, bids=[], asks=[]))
        elif what == "trades":
            await self._park.subscribe_trades(symbol or "*")
            self._trades.add(symbol or "*")
        else:
            if what == "phases":
                await self._park.subscribe_phases()
            elif what == "auctions":
                await self._park.subscribe_auctions()
            self._others.add(what)

    async def remove(self, what: str, symbol: str = "") -> None:
        if what == "book":
            if self.books.pop(symbol, None) is not None:
                await self._park.unsubscribe(f"book:{symbol}")
        elif what == "trades":
            for watched in [symbol] if symbol else list(self._trades):
                if watched in self._trades:
                    self._trades.discard(watched)
                    await self._park.unsubscribe(f"trades:{watched}")
        elif what in self._others:
            self._others.discard(what)
            if what != "executions":  # the client itself needs those
                await self._park.unsubscribe(what)

    def _execution(self, event: m.Execution) -> None:
        if "executions" in self._others and not (self.is_busy and event.kind in {"rested", "waiting", "cancelled", "reduced", "repriced"}):
            self._view.execution(event)

    def _public_trades(self, trades: m.Trades) -> None:
        for trade in trades.trades:
            if not self._trades.isdisjoint({"*", trade.instrument}):
                self._view.public_trade(trade)

    def _phase(self, change: m.PhaseChange) -> None:
        if "phases" in self._others:
            self._view.text(f"{change.instrument} {change.phase}", "dim")

    def _indications(self, indications: m.Indications) -> None:
        if "auctions" in self._others:
            for auction in indications.indications:
                self._view.text(f"{auction.instrument} {auction.phase} {auction.volume} @ {auction.price or '-'}", "dim")

    def _book_changed(self, change: m.BookSnapshot | m.BookDelta) -> None:
        if change.instrument in self.books:
            self._changed.add(change.instrument)
            if self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(_BOOK_EVERY_S, self._show_books)

    def _show_books(self) -> None:
        self._timer = None
        changed, self._changed = self._changed, set()
        for symbol in sorted(changed & self.books.keys()):
            depth = self._park.book(symbol).depth(1)
            if repr(depth[1:]) != self.books[symbol]:
                self.books[symbol] = repr(depth[1:])
                self._view.top(symbol, depth)
