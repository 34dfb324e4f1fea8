"""All books of the oracle, fed with entries."""

from collections.abc import Collection, Iterator, Sequence
from itertools import count, takewhile

from matching.records import ORDER_ID_STEP_MAX, BookPhase, EntryKind, EventKind, MassCancel, Reason, SelfTrade, UncrossFlag
from matching.reference.auction import Clearing
from matching.reference.book import Book
from matching.reference.checks import LEGS_MAX, why_refused
from matching.reference.values import Order, QueuePosition, ReferenceEntry, ReferenceEvent, ReferenceOrder


class ReferenceBooks:
    """Books by number. `callers_ids`: takes any id that no living order has; otherwise ids ascend from 0."""

    def __init__(self, n_books: int = 0, *, callers_ids: bool = False) -> None:
        self.open_books: dict[int, Book] = {}
        self._callers_ids = callers_ids
        self._last_id = -1
        self._events: list[ReferenceEvent] = []
        self._counter: Iterator[int] = count(1)
        for _ in range(n_books):
            self.open_book()

    def open_book(self) -> int:
        """Number of a new empty book: the lowest that is free."""
        number = next(number for number in count() if number not in self.open_books)
        self.open_books[number] = Book(number, self._events, self._counter)
        return number

    def close_book(self, book: int) -> None:
        """ValueError if it is not open or not empty."""
        if book not in self.open_books or any(self.open_books[book].orders()):
            raise ValueError(f"book {book} is not open or not empty")
        del self.open_books[book]

    # Views

    def orders(self, book: int) -> list[ReferenceOrder]:
        """All orders of a book in canonical order."""
        return [order.view() for order in self.open_books[book].orders()]

    def phase(self, book: int) -> BookPhase:
        return self.open_books[book].phase

    def band(self, book: int) -> tuple[int, int] | None:
        """Lowest and highest price without interruption."""
        return self.open_books[book].band

    def last_trade(self, book: int) -> int | None:
        return self.open_books[book].last_trade

    def indicative(self, book: int, reference_ticks: int, k_ppm: int | None = None) -> Clearing:
        """Price and volume that UNCROSS would find now."""
        return self.open_books[book].indicative(reference_ticks, k_ppm)

    def queue_position(self, order_id: int) -> QueuePosition | None:
        """What stands before an order in the queue of its price; None if it is not in a ladder."""
        found = self.find(order_id)
        return found[0].queue_position(found[1]) if found and found[1].shown_lots else None

    def find(self, order_id: int) -> tuple[Book, Order] | None:
        """The living order of that id, and its book."""
        pairs = ((book, order) for book in self.open_books.values() for order in book.orders())
        return next((pair for pair in pairs if pair[1].order_id == order_id), None)

    @property
    def callers_ids(self) -> bool:
        return self._callers_ids

    def is_out_of_sequence(self, order_id: int, just_taken: Collection[int] = ()) -> bool:
        """Whether a new order may not take that id, if some were just taken."""
        if self._callers_ids:
            return order_id in just_taken or self.find(order_id) is not None
        last = max([self._last_id, *just_taken])
        return not last < order_id <= last + ORDER_ID_STEP_MAX

    # Entries

    def apply(self, entry: ReferenceEntry) -> list[ReferenceEvent]:
        """Apply one entry as a batch of its own; what happened, in sequence."""
        return self.apply_batch([entry])

    def apply_batch(self, entries: Sequence[ReferenceEntry]) -> list[ReferenceEvent]:
        """Apply entries in sequence; what happened, in sequence."""
        self._events.clear()
        index = 0
        while index < len(entries):
            n_legs = self._count_legs(entries[index:])
            if n_legs:
                self._apply_basket(entries[index : index + n_legs])
            else:
                self._apply_single(entries[index])
            index += n_legs or 1
        return list(self._events)

    def _apply_single(self, entry: ReferenceEntry) -> None:
        reason = why_refused(self, entry)
        if reason:
            self._reject(entry, reason)
        elif entry.kind == EntryKind.PLACE:
            self._last_id = max(self._last_id, entry.order_id)
            self.open_books[entry.book].place(Order.of(entry))
        elif entry.kind in (EntryKind.CANCEL, EntryKind.EXPIRE, EntryKind.AMEND):
            self._change_order(entry)
        elif entry.kind == EntryKind.MASS_CANCEL:
            self._mass_cancel(entry)
        elif entry.kind == EntryKind.SET_PHASE:
            self.open_books[entry.book].set_phase(entry.quantity_lots)
        elif entry.kind == EntryKind.UNCROSS:
            by_k = bool(entry.flags & UncrossFlag.K_PRICE)
            self.open_books[entry.book].uncross(entry.price_ticks, entry.quantity_lots if by_k else None)
        else:
            self.open_books[entry.book].set_band(entry.price_ticks, entry.stop_ticks)

    def _change_order(self, entry: ReferenceEntry) -> None:
        found = self.find(entry.order_id)
        assert found is not None
        book, order = found
        if entry.kind == EntryKind.AMEND:
            book.amend(order, entry)
        else:
            book.cancel(order, Reason.REQUESTED if entry.kind == EntryKind.CANCEL else Reason.EXPIRED)

    def _mass_cancel(self, entry: ReferenceEntry) -> None:
        fitting = [
            (order.arrival, book, order)
            for book in self.open_books.values()
            for order in book.orders()
            if order.owner == entry.owner
            and (not entry.flags & MassCancel.BY_BOOK or book.number == entry.book)
            and (not entry.flags & MassCancel.BY_SIDE or order.side == entry.side)
            and (not entry.flags & MassCancel.BY_LABEL or order.label == entry.label)
        ]
        for _, book, order in sorted(fitting, key=lambda each: each[0]):
            book.cancel(order, Reason.REQUESTED)

    # Baskets

    @staticmethod
    def _count_legs(entries: Sequence[ReferenceEntry]) -> int:
        """Number of legs of the whole basket that begins here; 0 if none does."""
        header = entries[0]
        if header.kind != EntryKind.BASKET or not 1 <= header.legs <= LEGS_MAX:
            return 0
        followers = takewhile(lambda entry: entry.kind == EntryKind.BASKET and entry.legs == 0, entries[1 : header.legs])
        return header.legs if 1 + sum(1 for _ in followers) == header.legs else 0

    def _apply_basket(self, legs: Sequence[ReferenceEntry]) -> None:
        for index, leg in enumerate(legs):
            reason = why_refused(self, leg, legs[:index], announced=True)
            if reason:
                for place, each in enumerate(legs):
                    self._reject(each, reason if place == index else Reason.INVALID_BASKET)
                return
        self._last_id = max(self._last_id, *(leg.order_id for leg in legs))
        if all(self._fills_without_own(leg) for leg in legs):
            for leg in legs:
                self.open_books[leg.book].place(Order.of(leg))
        else:
            for leg in legs:
                self._tell(EventKind.CANCELLED, leg, Reason.BASKET_UNFILLABLE)

    def _fills_without_own(self, leg: ReferenceEntry) -> bool:
        """Whether the leg would trade whole, none of it with its owner: to end at the first own order says both."""
        return self.open_books[leg.book].would_trade(Order.of(leg._replace(self_trade=SelfTrade.CANCEL_NEWEST))) == leg.quantity_lots

    # Events

    def _reject(self, entry: ReferenceEntry, reason: Reason) -> None:
        self._tell(EventKind.REJECTED, entry, reason)

    def _tell(self, kind: EventKind, entry: ReferenceEntry, reason: Reason) -> None:
        self._events.append(
            ReferenceEvent(kind, entry.order_id, 0, entry.quantity_lots, 0, 0, entry.price_ticks, entry.book, entry.owner, 0, entry.side, reason)
        )
