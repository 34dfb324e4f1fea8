"""The notation of the scenarios: one line an entry, with the events that it must write, and at the end what must be left.

    A sells 5 @ 10             -> #1 rests 5
    B buys 3 @ 12 ioc          -> #2 trades 3 @ 10 with #1
    left: ask #1 2 @ 10

Owners are letters, orders are numbered from #1 in the sequence of their lines, refused ones too. Every field of every event is compared:
an event's owner, side, book and limit are those of its order, and what remains of an order is followed here by subtraction.

Entries
    A buys|sells LOTS @ PRICE [terms]      cancel #N      expire #N      amend #N to LOTS @ PRICE [terms]
    mass cancel A [terms]                  phase NAME     uncross PRICE [k MILLIONTHS]  band LOW..HIGH     no band
    basket A buys 1 @ 10, B sells 2 @ 9 book 1, ...
Terms
    gtc gtd session ioc fok gate; post-only reprice iceberg=LOTS minimum=LOTS all-or-none stop=PRICE label=N;
    cancel-newest (unless said otherwise) cancel-oldest cancel-both decrement allow; book=N (0); FIELD:=NUMBER for any field of the entry
Events, separated by ";", which may begin a line of its own
    #1 rests LOTS [of ALL] [@ PRICE]       #1 trades LOTS @ PRICE with #2 [in auction]      #1 refilled LOTS
    #1 cancelled LOTS REASON               #1 reduced LOTS REASON                            #1 repriced LOTS
    #1 waits LOTS   #1 triggered LOTS      rejected REASON [, REASON...] (of each entry)     #1 rejected REASON
    phase NAME [volatility]                uncrossed LOTS @ PRICE                            nothing
Left, in canonical order
    bid|ask #1 LOTS [of ALL] @ PRICE       waiting bid|ask #1 LOTS @ PRICE min LOTS          stop bid|ask #1 LOTS @ PRICE at PRICE
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from matching.records import BookPhase, EntryFlag, EntryKind, EventKind, MassCancel, Reason, SelfTrade, Side, TimeInForce, UncrossFlag
from matching.reference import ReferenceEntry, ReferenceEvent, ReferenceOrder

SIDES = {"buys": Side.BUY, "sells": Side.SELL, "buy": Side.BUY, "sell": Side.SELL, "bid": Side.BUY, "ask": Side.SELL}
VERBS = {
    "rests": EventKind.RESTED,
    "refilled": EventKind.REFILLED,
    "cancelled": EventKind.CANCELLED,
    "reduced": EventKind.REDUCED,
    "repriced": EventKind.REPRICED,
    "waits": EventKind.WAITING,
    "triggered": EventKind.TRIGGERED,
}


def _named(names: type) -> dict[str, int]:
    return {member.name.lower().replace("_", "-"): member for member in names}


TERMS = {name: {field: value} for field, enum in (("time_in_force", TimeInForce), ("self_trade", SelfTrade)) for name, value in _named(enum).items()}
TERM_FLAGS = _named(EntryFlag)
TERM_FIELDS = {"iceberg": "display_lots", "minimum": "min_lots", "stop": "stop_ticks", "label": "label", "book": "book"}
REASONS, PHASES = _named(Reason), _named(BookPhase)


class Step(NamedTuple):
    text: str
    entries: list[ReferenceEntry]
    expected: list[str]


class Scenario(NamedTuple):
    steps: list[Step]
    left: dict[int, list[str]]


def parse(text: str) -> Scenario:
    steps: list[Step] = []
    left: dict[int, list[str]] = {}
    next_id = 1
    for line in filter(None, map(str.strip, re.sub(r"\n\s*;", ";", text).splitlines())):
        if found := re.fullmatch(r"left(?: (\d+))?: (.*)", line):
            left[int(found[1] or 0)] = [] if found[2] == "nothing" else found[2].split(", ")
            continue
        command, _, events = line.partition("->")
        entries = list(_entries(command.split(), next_id))
        next_id = max([next_id, *(entry.order_id + 1 for entry in entries if entry.kind in (EntryKind.PLACE, EntryKind.BASKET))])
        steps.append(Step(line, entries, [event.strip() for event in events.split(";")]))
    assert left, "a scenario ends with what is left"
    return Scenario(steps, left)


def _entries(words: list[str], next_id: int) -> Iterator[ReferenceEntry]:
    if words[0] != "basket":
        yield _entry(words, next_id)
        return
    legs = " ".join(words[1:]).split(", ")
    for index, leg in enumerate(legs):
        entry = _entry([*leg.split()[:5], "fok", *leg.split()[5:]], next_id + index)
        yield entry._replace(kind=EntryKind.BASKET, legs=entry.legs or (0 if index else len(legs)))


def _entry(words: list[str], next_id: int) -> ReferenceEntry:
    match words:
        case [owner, ("buys" | "sells") as verb, lots, "@", price, *terms]:
            entry = ReferenceEntry(EntryKind.PLACE, next_id, 0, _owner(owner), SIDES[verb], int(price), int(lots))
        case [("cancel" | "expire") as verb, order, *terms]:
            entry = ReferenceEntry(EntryKind[verb.upper()], int(order[1:]))
        case ["amend", order, "to", lots, "@", price, *terms]:
            entry = ReferenceEntry(EntryKind.AMEND, int(order[1:]), price_ticks=int(price), quantity_lots=int(lots))
        case ["mass", "cancel", owner, *terms]:
            return _mass_cancel(ReferenceEntry(EntryKind.MASS_CANCEL, owner=_owner(owner)), terms)
        case ["phase", name, *terms]:
            entry = ReferenceEntry(EntryKind.SET_PHASE, quantity_lots=PHASES[name])
        case ["uncross", price, "k", k, *terms]:
            entry = ReferenceEntry(EntryKind.UNCROSS, price_ticks=int(price), flags=UncrossFlag.K_PRICE, quantity_lots=int(k))
        case ["uncross", price, *terms]:
            entry = ReferenceEntry(EntryKind.UNCROSS, price_ticks=int(price))
        case ["band", prices, *terms]:
            low, high = prices.split("..")
            entry = ReferenceEntry(EntryKind.SET_BAND, price_ticks=int(low), stop_ticks=int(high))
        case ["no", "band", *terms]:
            entry = ReferenceEntry(EntryKind.SET_BAND, price_ticks=1, stop_ticks=0)
        case _:
            raise ValueError(f"no entry: {' '.join(words)}")
    for term in terms:
        entry = _with_term(entry, term)
    return entry


def _owner(letter: str) -> int:
    return ord(letter) - ord("A") + 1


def _mass_cancel(entry: ReferenceEntry, terms: list[str]) -> ReferenceEntry:
    for term in terms:
        if term in SIDES:
            entry = entry._replace(side=SIDES[term], flags=entry.flags | MassCancel.BY_SIDE)
            continue
        entry = _with_term(entry, term)
        if "=" in term and ":=" not in term:
            entry = entry._replace(flags=entry.flags | (MassCancel.BY_BOOK if term.startswith("book") else MassCancel.BY_LABEL))
    return entry


def _with_term(entry: ReferenceEntry, term: str) -> ReferenceEntry:
    name, _, value = term.partition("=")
    if name.endswith(":"):
        return entry._replace(**{name[:-1]: int(value)})
    if name in TERM_FIELDS:
        entry = entry._replace(**{TERM_FIELDS[name]: int(value)})
    elif name in TERMS:
        return entry._replace(**TERMS[name])
    return entry._replace(flags=entry.flags | TERM_FLAGS.get(name, 0)) if name in TERM_FLAGS or name in TERM_FIELDS else _unknown(term)


def _unknown(term: str) -> ReferenceEntry:
    raise ValueError(f"no term: {term}")


class Ledger:
    """What a scenario says of its orders: owner, side, book, limit, and what remains by subtraction."""

    def __init__(self) -> None:
        self.orders: dict[int, ReferenceEntry] = {}
        self.remaining: dict[int, int] = {}

    def expected_events(self, step: Step) -> list[ReferenceEvent]:
        """The events that the line of a step asks for."""
        amended = None
        for entry in step.entries:
            if entry.kind in (EntryKind.PLACE, EntryKind.BASKET):
                self.orders[entry.order_id] = entry
                self.remaining[entry.order_id] = entry.quantity_lots
            elif entry.kind == EntryKind.AMEND and entry.order_id in self.orders:
                amended = entry
        if step.expected == ["nothing"]:
            return []
        if step.expected[0].startswith("rejected"):
            reasons = step.expected[0].removeprefix("rejected").split(",")
            return [_rejected(entry, REASONS[reason.strip()]) for entry, reason in zip(step.entries, reasons, strict=True)]
        events = []
        for text in step.expected:
            events.append(self._event(text.split(), step.entries[0]))
            if amended is not None and events[-1].kind == EventKind.REPRICED:
                order_id = amended.order_id
                self.orders[order_id] = self.orders[order_id]._replace(price_ticks=amended.price_ticks)
                self.remaining[order_id] = amended.quantity_lots
        return events

    def _event(self, words: list[str], entry: ReferenceEntry) -> ReferenceEvent:
        match words:
            case ["phase", name, *why]:
                reason = Reason.VOLATILITY if why == ["volatility"] else Reason.NONE
                return ReferenceEvent(EventKind.PHASE_CHANGED, 0, 0, PHASES[name], 0, 0, 0, self._book(entry), 0, 0, 0, reason)
            case ["uncrossed", lots, "@", price]:
                more, less = divmod(int(lots), 2**32)
                return ReferenceEvent(EventKind.UNCROSSED, 0, 0, less, more, 0, int(price), entry.book, 0, 0, 0, Reason.NONE)
            case [order, "trades", lots, "@", price, "with", counter, *how]:
                assert how in ([], ["in", "auction"]), words
                return self._fill(_id(order), _id(counter), int(lots), int(price), Reason.AUCTION if how else Reason.NONE)
            case [order, "rejected", reason]:
                return _rejected(self.orders[_id(order)], REASONS[reason])
            case [order, verb, lots, *rest]:
                return self._of_order(_id(order), VERBS[verb], int(lots), rest)
        raise ValueError(f"no event: {' '.join(words)}")

    def _book(self, entry: ReferenceEntry) -> int:
        return self.orders[entry.order_id].book if entry.kind == EntryKind.AMEND else entry.book

    def _fill(self, order_id: int, counter_id: int, lots: int, price: int, reason: Reason) -> ReferenceEvent:
        order, counter = self.orders[order_id], self.orders[counter_id]
        for each in (order_id, counter_id):
            self.remaining[each] -= lots
        left, counter_left = self.remaining[order_id], self.remaining[counter_id]
        owners = (order.owner, counter.owner)
        return ReferenceEvent(EventKind.FILLED, order_id, counter_id, lots, left, counter_left, price, order.book, *owners, order.side, reason)

    def _of_order(self, order_id: int, kind: EventKind, lots: int, rest: list[str]) -> ReferenceEvent:
        order = self.orders[order_id]
        reason = Reason.AMENDED if kind == EventKind.REPRICED else Reason.NONE
        of = 0
        words = iter(rest)
        for word in words:
            if word == "of":
                of = int(next(words))
            elif word == "@":
                order = self.orders[order_id] = order._replace(price_ticks=int(next(words)))
            else:
                reason = Reason(REASONS[word])
        if kind in (EventKind.CANCELLED, EventKind.REDUCED, EventKind.REPRICED):
            self.remaining[order_id] -= lots
        elif kind != EventKind.REFILLED:
            assert (of or lots) == self.remaining[order_id], f"#{order_id}: {of or lots}, not {self.remaining[order_id]}"
        return ReferenceEvent(kind, order_id, 0, lots, self.remaining[order_id], 0, order.price_ticks, order.book, order.owner, 0, order.side, reason)


def _id(text: str) -> int:
    return int(text.removeprefix("#"))


def _rejected(entry: ReferenceEntry, reason: int) -> ReferenceEvent:
    return ReferenceEvent(
        EventKind.REJECTED,
        entry.order_id,
        0,
        entry.quantity_lots,
        0,
        0,
        entry.price_ticks,
        entry.book,
        entry.owner,
        0,
        entry.side,
        Reason(reason),
    )


def describe(order: ReferenceOrder) -> str:
    """An order in the words of `left:`."""
    side = "bid" if order.side == Side.BUY else "ask"
    lots = f"{order.remaining_lots}"
    if 0 < order.shown_lots < order.remaining_lots:
        lots = f"{order.shown_lots} of {order.remaining_lots}"
    text = f"{side} #{order.order_id} {lots} @ {order.price_ticks}"
    if order.flags & EntryFlag.STOP:
        return f"stop {text} at {order.stop_ticks}"
    return text if order.shown_lots else f"waiting {text} min {order.min_lots}"
