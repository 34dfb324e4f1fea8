"""Matching engines from PyPI behind one small interface, so that all of them take the same messages and report the same trades.

Each class imports its engine on construction and needs the extra `peers`. An adapter does what a user of that engine would write: ids of the
engine's own making are translated with a dict, an immediate-or-cancel order is an order whose rest is cancelled, a replace is a cancel and
a new order.
"""

import contextlib
import datetime
from collections.abc import Iterable
from typing import Any, ClassVar, Final

Trade = tuple[int, int, int, int]  # maker, taker, price in ticks, lots


class Peer:
    """One book of one engine. `trades` collects what it traded, in sequence."""

    package: ClassVar[str]

    def __init__(self) -> None:
        self.trades: list[Trade] = []
        self._theirs: dict[int, Any] = {}  # handle of a live order in the engine, by our id
        self._ours: dict[Any, int] = {}  # our id, by the engine's

    def add(self, order_id: int, side: int, price: int, lots: int, immediate: bool) -> None:
        """A limit order (side 0 buys); what does not trade rests, or is cancelled if it is immediate."""
        raise NotImplementedError

    def cancel(self, order_id: int) -> None:
        """A resting order ends."""
        raise NotImplementedError

    def _report(self, taker: int, fills: Iterable[tuple[Any, Any, Any]]) -> int:
        """Note fills (the engine's id of the maker, price, lots) and return their lots."""
        filled = 0
        for maker, price, lots in fills:
            self.trades.append((self._ours[maker], taker, int(price), int(lots)))
            filled += int(lots)
        return filled


class LightMatchingEnginePeer(Peer):
    package = "lightmatchingengine"

    def __init__(self) -> None:
        from lightmatchingengine.lightmatchingengine import LightMatchingEngine

        super().__init__()
        self._engine = LightMatchingEngine()

    def add(self, order_id: int, side: int, price: int, lots: int, immediate: bool) -> None:
        order, trades = self._engine.add_order("", price, lots, 1 + side)
        self._ours[order.order_id] = order_id
        self._theirs[order_id] = order.order_id
        self._report(order_id, ((t.order_id, t.trade_price, t.trade_qty) for t in trades if t.order_id != order.order_id))
        if immediate and order.leaves_qty:
            self.cancel(order_id)

    def cancel(self, order_id: int) -> None:
        self._engine.cancel_order(self._theirs[order_id], "")


class OrderMatchingPeer(Peer):
    package = "order-matching"
    AT: Final = datetime.datetime(2026, 1, 1)  # noqa: DTZ001 - the engine compares naive times

    def __init__(self) -> None:
        from loguru import logger
        from order_matching.enums import Side
        from order_matching.matching_engine import MatchingEngine
        from order_matching.order import LimitOrder
        from order_matching.orders import Orders

        super().__init__()
        logger.remove()
        self._engine = MatchingEngine(seed=1)
        self._sides = (Side.BUY, Side.SELL)
        self._order, self._orders = LimitOrder, Orders

    def add(self, order_id: int, side: int, price: int, lots: int, immediate: bool) -> None:
        at = self.AT + datetime.timedelta(microseconds=len(self._ours))
        name = str(order_id)
        self._ours[name] = order_id
        order = self._order(side=self._sides[side], price=price, size=lots, timestamp=at, order_id=name, trader_id="")
        self._engine.place(orders=self._orders([order]))
        trades = self._engine.match(timestamp=at).trades
        filled = self._report(order_id, ((t.book_order_id, t.price, t.size) for t in trades))
        if immediate and filled < lots:
            self.cancel(order_id)

    def cancel(self, order_id: int) -> None:
        self._engine.cancel_order(str(order_id))


class ObookPeer(Peer):
    package = "obook"

    def __init__(self) -> None:
        import obook

        super().__init__()
        self._book = obook.Book(1_000_000)
        self._gtc, self._ioc, self._trade = obook.GTC, obook.IOC, obook.EventKind.TRADE

    def add(self, order_id: int, side: int, price: int, lots: int, immediate: bool) -> None:
        result = self._book.submit(1 + side, side, price, lots, tif=self._ioc if immediate else self._gtc)
        self._ours[result.order_id] = order_id
        self._theirs[order_id] = (result.order_id, 1 + side)
        self._report(order_id, ((e.maker_id, e.price, e.qty) for e in self._book.events() if e.kind == self._trade))

    def cancel(self, order_id: int) -> None:
        self._book.cancel(*self._theirs[order_id])
        self._book.events()


class OrderlyChaosPeer(Peer):
    package = "orderly-chaos"

    def __init__(self) -> None:
        from orderly_chaos import LimitOrderBook, Side

        super().__init__()
        self._sides = (Side.BUY, Side.SELL)
        self._book = LimitOrderBook(on_trade=self._on_trade)

    def _on_trade(self, trade: Any) -> None:
        self.trades.append((trade.maker_id, trade.taker_id, trade.price, trade.quantity))

    def add(self, order_id: int, side: int, price: int, lots: int, immediate: bool) -> None:
        filled = self._book.limit(self._sides[side], order_id, lots, price)
        if immediate and filled < lots:
            self._book.cancel(order_id)

    def cancel(self, order_id: int) -> None:
        self._book.cancel(order_id)


class PyOrderBookPeer(Peer):
    package = "pyorderbook"

    def __init__(self) -> None:
        from pyorderbook import Book, ask, bid

        super().__init__()
        self._book = Book()
        self._make = (bid, ask)

    def add(self, order_id: int, side: int, price: int, lots: int, immediate: bool) -> None:
        order = self._make[side]("", price, lots)
        self._ours[order.id] = order_id
        self._theirs[order_id] = order
        trades = self._book.match(order).trades
        filled = self._report(order_id, ((t.standing_order_id, t.fill_price, t.fill_quantity) for t in trades))
        if immediate and filled < lots:
            self.cancel(order_id)

    def cancel(self, order_id: int) -> None:
        self._book.cancel(self._theirs[order_id])


class LitebookPeer(Peer):
    package = "litebook"

    def __init__(self) -> None:
        import litebook

        super().__init__()
        self._book = litebook.OrderBook(tick_size=1.0)
        self._sides = (litebook.OrderType.Buy, litebook.OrderType.Sell)

    def add(self, order_id: int, side: int, price: int, lots: int, immediate: bool) -> None:
        order = self._book.create_order(self._sides[side], price=float(price), quantity=float(lots))
        self._ours[order.id] = order_id
        self._theirs[order_id] = order.id
        # It names the resting order as the buyer on either side, so the maker is the one that did not just enter.
        fills = ((f.buy_id if f.buy_id != order.id else f.sell_id, f.price, f.quantity) for f in self._book.add(order))
        filled = self._report(order_id, fills)
        if immediate and filled < lots:
            self.cancel(order_id)

    def cancel(self, order_id: int) -> None:
        self._book.cancel(self._theirs[order_id])


class CythonOrderBookPeer(Peer):
    package = "cython-orderbook"

    def __init__(self) -> None:
        from cython_orderbook.orderbook import Order, OrderBook, OrderSide

        super().__init__()
        self._book = OrderBook()
        self._order = Order
        self._sides = (OrderSide.BID, OrderSide.ASK)

    def add(self, order_id: int, side: int, price: int, lots: int, immediate: bool) -> None:
        order = self._order(self._sides[side], lots, price)
        self._ours[order.order_id] = order_id
        self._theirs[order_id] = order.order_id
        log = self._book.trade_log
        before = len(log)
        self._book.add_limit_order(order)
        filled = self._report(order_id, ((t.filler_id, t.price, t.quantity_filled) for t in log[before:]))
        if immediate and filled < lots:
            self.cancel(order_id)

    def cancel(self, order_id: int) -> None:
        self._book.cancel_order(self._theirs[order_id])


class LiquibookPeer(Peer):
    package = "liquibook"

    def __init__(self) -> None:
        with contextlib.redirect_stdout(None):
            import liquibook

        super().__init__()
        peer = self

        class Listener(liquibook.OrderListener):  # type: ignore[misc]
            """Notes fills; the engine leaves it to the listener to move an order's own quantity."""

            def __init__(self) -> None:
                liquibook.OrderListener.__init__(self)

            def on_accept(self, order: Any) -> None: ...

            def on_cancel(self, order: Any) -> None: ...

            def on_fill(self, order: Any, matched: Any, lots: int, price: int) -> None:
                order.fill(lots, price, 0)
                matched.fill(lots, price, 0)
                peer.on_fill(order.order_id_, matched.order_id_, lots, price)

        self._listener = Listener()
        self._book = liquibook.DepthOrderBook()
        self._book.set_order_listener(self._listener)
        self._order = liquibook.SimpleOrder
        self._conditions = (liquibook.oc_no_conditions, liquibook.oc_immediate_or_cancel)
        self._taker = 0

    def on_fill(self, one: int, other: int, lots: int, price: int) -> None:
        """A fill between two of the engine's orders, the one that enters and one that rests."""
        maker = self._ours[one if self._ours[one] != self._taker else other]
        self.trades.append((maker, self._taker, int(price), int(lots)))

    def add(self, order_id: int, side: int, price: int, lots: int, immediate: bool) -> None:
        order = self._order(side == 0, price, lots)
        self._ours[order.order_id_] = order_id
        self._theirs[order_id] = order
        self._taker = order_id
        self._book.add(order, self._conditions[immediate])

    def cancel(self, order_id: int) -> None:
        self._book.cancel(self._theirs[order_id])


ENGINES: Final[tuple[type[Peer], ...]] = (
    OrderlyChaosPeer,
    ObookPeer,
    LightMatchingEnginePeer,
    CythonOrderBookPeer,
    PyOrderBookPeer,
    LitebookPeer,
    LiquibookPeer,
    OrderMatchingPeer,
)
