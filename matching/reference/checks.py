"""Why an entry is refused: every reason in the order of its number, each asked of every entry."""

from collections.abc import Collection, Mapping
from typing import Protocol

from matching.records import (
    K_ONE,
    OWNER_MAX,
    PEAKS_MAX,
    BookPhase,
    EntryFlag,
    EntryKind,
    MassCancel,
    Reason,
    SelfTrade,
    Side,
    TimeInForce,
    UncrossFlag,
)
from matching.reference.book import Book
from matching.reference.values import Order, ReferenceEntry

LEGS_MAX = 100
NEW = (EntryKind.PLACE, EntryKind.BASKET)
NAMES_ORDER = (EntryKind.CANCEL, EntryKind.EXPIRE, EntryKind.AMEND)
NAMES_BOOK = (*NEW, EntryKind.SET_PHASE, EntryKind.UNCROSS, EntryKind.SET_BAND)
AT_ONCE = (TimeInForce.IOC, TimeInForce.FOK)
POST_ONLY, REPRICE, ICEBERG, MINIMUM, ALL_OR_NONE, STOP = (flag for flag in EntryFlag if flag)

# Two flags, or a flag and a time in force, that say opposite things.
CONTRADICTIONS = (
    *((ICEBERG, other) for other in (MINIMUM, ALL_OR_NONE)),
    (MINIMUM, ALL_OR_NONE),
    *((POST_ONLY, other) for other in (MINIMUM, ALL_OR_NONE, STOP)),
)
CONTRADICTIONS_IN_TIME = (
    *((flag, time) for flag in (ICEBERG, POST_ONLY) for time in AT_ONCE),
    (MINIMUM, TimeInForce.FOK),
    (ALL_OR_NONE, TimeInForce.FOK),
)


class Books(Protocol):
    """What the checks look at."""

    @property
    def open_books(self) -> Mapping[int, Book]:
        """By number."""

    def find(self, order_id: int) -> tuple[Book, Order] | None:
        """The living order of that id."""

    def is_out_of_sequence(self, order_id: int, just_taken: Collection[int]) -> bool:
        """Whether a new order may not take that id, if some were just taken."""


def why_refused(books: Books, entry: ReferenceEntry, legs_before: Collection[ReferenceEntry] = (), announced: bool = False) -> Reason:
    """The lowest reason that applies, or NONE. A leg of a basket is looked at together with the legs before it."""
    kind = entry.kind
    if kind not in list(EntryKind):
        return Reason.UNKNOWN_KIND
    filters_book = kind == EntryKind.MASS_CANCEL and entry.flags & MassCancel.BY_BOOK
    if (kind in NAMES_BOOK or filters_book) and entry.book not in books.open_books:
        return Reason.UNKNOWN_BOOK
    if kind in NAMES_ORDER and books.find(entry.order_id) is None:
        return Reason.UNKNOWN_ORDER
    reason = _of_fields(entry)
    if reason:
        return reason
    if kind == EntryKind.AMEND:
        found = books.find(entry.order_id)
        if found and 0 < found[1].display_lots * PEAKS_MAX < entry.quantity_lots:
            return Reason.DISPLAY_OUT_OF_RANGE
    if kind in NEW and books.is_out_of_sequence(entry.order_id, [leg.order_id for leg in legs_before]):
        return Reason.ORDER_ID_OUT_OF_SEQUENCE
    if _contradicts(books, entry):
        return Reason.FLAGS_CONTRADICT
    if kind == EntryKind.BASKET and not (announced and _may_be_leg(entry, legs_before)):
        return Reason.INVALID_BASKET
    if _is_forbidden(books, entry):
        return Reason.PHASE_FORBIDS
    if kind == EntryKind.SET_PHASE and entry.quantity_lots == BookPhase.CONTINUOUS and books.open_books[entry.book].is_crossed():
        return Reason.BOOK_IS_CROSSED
    return Reason.NONE


def _of_fields(entry: ReferenceEntry) -> Reason:
    """The reasons that show in the entry alone, from the side to the minimum."""
    kind, flags = entry.kind, entry.flags
    new, amend, mass_cancel = kind in NEW, kind == EntryKind.AMEND, kind == EntryKind.MASS_CANCEL
    uncross = kind == EntryKind.UNCROSS
    known = sum(EntryFlag) if new else POST_ONLY | REPRICE if amend else sum(UncrossFlag) if uncross else sum(MassCancel)
    if (new or (mass_cancel and flags & MassCancel.BY_SIDE)) and entry.side not in list(Side):
        return Reason.UNKNOWN_SIDE
    if new and entry.time_in_force not in list(TimeInForce):
        return Reason.UNKNOWN_TIME_IN_FORCE
    if (new or amend) and entry.self_trade not in list(SelfTrade):
        return Reason.UNKNOWN_SELF_TRADE
    if (new or amend or mass_cancel or uncross) and flags & ~known:
        return Reason.UNKNOWN_FLAGS
    if (new or amend) and entry.quantity_lots < 1:
        return Reason.QUANTITY_OUT_OF_RANGE
    if kind == EntryKind.SET_PHASE and entry.quantity_lots not in list(BookPhase):
        return Reason.QUANTITY_OUT_OF_RANGE
    if uncross and flags & UncrossFlag.K_PRICE and entry.quantity_lots > K_ONE:
        return Reason.QUANTITY_OUT_OF_RANGE
    if (new or mass_cancel) and not 0 <= entry.owner <= OWNER_MAX:
        return Reason.OWNER_OUT_OF_RANGE
    if new and flags & ICEBERG and not max(1, -(-entry.quantity_lots // PEAKS_MAX)) <= entry.display_lots <= entry.quantity_lots:
        return Reason.DISPLAY_OUT_OF_RANGE
    if new and flags & MINIMUM and not 1 <= entry.min_lots <= entry.quantity_lots:
        return Reason.MINIMUM_OUT_OF_RANGE
    return Reason.NONE


def _contradicts(books: Books, entry: ReferenceEntry) -> bool:
    flags = entry.flags
    if entry.kind not in (*NEW, EntryKind.AMEND):
        return False
    if flags & REPRICE and not flags & POST_ONLY:
        return True
    if entry.kind == EntryKind.AMEND:
        found = books.find(entry.order_id)
        return bool(flags & POST_ONLY) and found is not None and found[1].shown_lots == 0
    return any(flags & one and flags & other for one, other in CONTRADICTIONS) or any(
        flags & flag and entry.time_in_force == time for flag, time in CONTRADICTIONS_IN_TIME
    )


def _may_be_leg(entry: ReferenceEntry, legs_before: Collection[ReferenceEntry]) -> bool:
    one_a_book = all(entry.book != leg.book for leg in legs_before)
    return entry.flags == EntryFlag.NONE and entry.time_in_force == TimeInForce.FOK and one_a_book


def _is_forbidden(books: Books, entry: ReferenceEntry) -> bool:
    """Whether the phase of the book, or of the order's book, does not allow the entry."""
    if entry.kind == EntryKind.AMEND:
        found = books.find(entry.order_id)
        assert found is not None
        book, order = found
        if book.phase == BookPhase.AUCTION:
            return bool(entry.flags & POST_ONLY)
        return book.phase == BookPhase.HALTED and not book.keeps_priority(order, entry)
    if entry.kind not in (*NEW, EntryKind.SET_PHASE, EntryKind.UNCROSS):
        return False
    phase = books.open_books[entry.book].phase
    if entry.kind == EntryKind.SET_PHASE:
        return phase == entry.quantity_lots
    if entry.kind == EntryKind.UNCROSS:
        return phase != BookPhase.AUCTION
    may_not_rest = entry.kind == EntryKind.BASKET or entry.time_in_force in AT_ONCE or entry.flags & POST_ONLY
    return phase == BookPhase.HALTED or (phase == BookPhase.AUCTION and bool(may_not_rest))
