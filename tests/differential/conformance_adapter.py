"""The core as an engine of tracebook-conformance: its lifecycle of orders in our entries.

What a gateway does is done here: decimals become ticks and lots, ids of several symbols and any owners become numbers of ours. A replace
is a cancel and a new order of the same id, which always loses its priority; a reduce is an amend in place.
"""

from decimal import Decimal

from tracebook.conformance import (
    BookSnapshot,
    BookState,
    ConformanceConfig,
    EngineMetadata,
    Observation,
    Outcome,
    RestingOrder,
    TradeFill,
    canonical_decimal,
)
from tracebook.core.order import OrderSide, OrderType, SelfTradePolicy
from tracebook.events import MarketEvent

from matching.core import MatchingCore
from matching.records import EntryKind, EventKind, Reason, SelfTrade, Side, TimeInForce
from matching.reference import ReferenceEntry, ReferenceEvent, ReferenceOrder
from tests.matching.books import to_array, to_events, to_orders

LOT = Decimal("0.000001")
SELF_TRADES = {
    SelfTradePolicy.NONE: SelfTrade.ALLOW,
    SelfTradePolicy.CANCEL_RESTING: SelfTrade.CANCEL_OLDEST,
    SelfTradePolicy.CANCEL_INCOMING: SelfTrade.CANCEL_NEWEST,
}
TIMES = {
    OrderType.LIMIT: TimeInForce.GTC,
    OrderType.MARKET: TimeInForce.IOC,
    OrderType.IOC: TimeInForce.IOC,
    OrderType.FOK: TimeInForce.FOK,
}
REASONS = {Reason.UNKNOWN_ORDER: "ORDER_NOT_ACTIVE", Reason.ORDER_ID_OUT_OF_SEQUENCE: "DUPLICATE_ORDER_ID"}
SYMBOL_SHIFT = 40  # ids are below 2^40; the book's number stands above them


class CoreAdapter:
    """`EngineAdapter` over a MatchingCore for the caller's own ids."""

    def __init__(self, config: ConformanceConfig) -> None:
        self.metadata = EngineMetadata("parkex-matching", "0", "Python")
        self._tick = Decimal(str(config.tick_size))
        self._self_trade = SELF_TRADES[config.self_trade_policy]
        self._core = MatchingCore(callers_ids=True)
        self._books: dict[str, int] = {}
        self._owners: list[int] = []

    def apply(self, event: MarketEvent, index: int) -> Observation:
        trades: list[TradeFill] = []
        reason = self._refusal(event)
        if reason is None:
            events = to_events(self._core.submit(to_array(self._entries(event))))
            self._core.check_all()
            refused = [REASONS[each.reason] for each in events if each.kind == EventKind.REJECTED]
            reason = refused[0] if refused else None
            trades = [self._trade(event.symbol, each) for each in events if each.kind == EventKind.FILLED]
        state = self.snapshot()
        outcome = Outcome("applied") if reason is None else Outcome("rejected", reason, reason)
        return Observation(index, outcome, tuple(trades), state.digest(), state.order_count)

    def snapshot(self) -> BookState:
        books = []
        for symbol, book in sorted(self._books.items()):
            orders = to_orders(self._core.dump_orders(book))
            sides = [tuple(self._resting(order) for order in orders if order.side == side) for side in Side]
            books.append(BookSnapshot(symbol, *sides))
        return BookState(tuple(books))

    def close(self) -> None:
        """Nothing is held open."""

    # From events to entries

    def _refusal(self, event: MarketEvent) -> str | None:
        """What the core never sees: unknown symbols, prices below the first tick, lots beyond what rests."""
        if event.symbol not in self._books:
            if event.op in {"cancel", "reduce", "replace"}:
                return "ORDER_NOT_ACTIVE"
            self._books[event.symbol] = self._core.open_book()
        if event.op == "new" and event.order_type != OrderType.MARKET and self._ticks(event.price) < 1:
            return "INVALID_ORDER"
        order = self._find(event)
        if event.op in {"reduce", "replace"} and order is None:
            return "ORDER_NOT_ACTIVE"
        if event.op == "reduce" and _lots(event.quantity) > order.remaining_lots:
            return "INVALID_ORDER"
        return None

    def _entries(self, event: MarketEvent) -> list[ReferenceEntry]:
        book = self._books[event.symbol]
        if event.op == "clear":
            return [ReferenceEntry(EntryKind.CANCEL, int(order_id)) for order_id in self._core.dump_orders(book)["order_id"]]
        order_id = (book << SYMBOL_SHIFT) + event.order_id
        cancel = ReferenceEntry(EntryKind.CANCEL, order_id)
        if event.op == "cancel":
            return [cancel]
        if event.op == "new":
            return [self._new(book, order_id, event)]
        order = self._find(event)
        if event.op == "replace":
            lots = order.remaining_lots if event.quantity is None else _lots(event.quantity)
            price = order.price_ticks if event.price is None else self._ticks(event.price)
            return [cancel, ReferenceEntry(EntryKind.PLACE, order_id, book, order.owner, order.side, price, lots, self_trade=self._self_trade)]
        left = order.remaining_lots - _lots(event.quantity)
        return [ReferenceEntry(EntryKind.AMEND, order_id, price_ticks=order.price_ticks, quantity_lots=left)] if left else [cancel]

    def _new(self, book: int, order_id: int, event: MarketEvent) -> ReferenceEntry:
        side = Side.BUY if event.side == OrderSide.BUY else Side.SELL
        if event.order_type == OrderType.MARKET:
            price = 2**31 - 1 if side == Side.BUY else -(2**31)
        else:
            price = self._ticks(event.price)
        terms = {"time_in_force": TIMES[OrderType(event.order_type)], "self_trade": self._self_trade}
        return ReferenceEntry(EntryKind.PLACE, order_id, book, self._owner(event.owner), side, price, _lots(event.quantity), **terms)

    def _find(self, event: MarketEvent) -> ReferenceOrder | None:
        book = self._books[event.symbol]
        order_id = (book << SYMBOL_SHIFT) + (event.order_id or 0)
        return next((order for order in to_orders(self._core.dump_orders(book)) if order.order_id == order_id), None)

    def _owner(self, owner: int) -> int:
        if owner not in self._owners:
            self._owners.append(owner)
        return self._owners.index(owner)

    def _ticks(self, price: float) -> int:
        return round(Decimal(str(price)) / self._tick)

    # And back

    def _trade(self, symbol: str, event: ReferenceEvent) -> TradeFill:
        ids = [each & (1 << SYMBOL_SHIFT) - 1 for each in (event.order_id, event.counter_id)]
        buyer, seller = ids if event.side == Side.BUY else reversed(ids)
        return TradeFill(symbol, buyer, seller, self._price(event.price_ticks), _quantity(event.quantity_lots))

    def _resting(self, order: ReferenceOrder) -> RestingOrder:
        order_id = order.order_id & (1 << SYMBOL_SHIFT) - 1
        return RestingOrder(order_id, self._price(order.price_ticks), _quantity(order.remaining_lots), self._owners[order.owner])

    def _price(self, ticks: int) -> str:
        return canonical_decimal(ticks * self._tick)


def _lots(quantity: float) -> int:
    lots = Decimal(str(quantity)) / LOT
    assert lots == int(lots), f"{quantity} is no whole number of lots"
    return int(lots)


def _quantity(lots: int) -> str:
    return canonical_decimal(lots * LOT)
