"""Random streams written as order files do what the core does with the entries themselves, however the file is cut into pieces."""

from pathlib import Path

import pytest

from clients.offline import rows as reading
from clients.offline.columns import ACTION_NAMES, PHASES, SELF_TRADES, SIDES, TIMES_IN_FORCE
from matching.core import MatchingCore
from matching.records import BookPhase, EntryFlag, EntryKind, EventKind, MassCancel, Reason, Side
from matching.reference import ReferenceEntry
from tests.clients.offline.order_files import Row, match_rows
from tests.differential.streams import PROFILES, draw_stream
from tests.matching.books import to_array, to_events, to_orders

N_BOOKS = 3
FLAG_WORDS = {
    EntryFlag.POST_ONLY: "post_only",
    EntryFlag.REPRICE: "reprice",
    EntryFlag.ICEBERG: "iceberg",
    EntryFlag.MINIMUM: "minimum",
    EntryFlag.ALL_OR_NONE: "all_or_none",
    EntryFlag.STOP: "stop_limit",
}


def word_of(words: dict[str, int], number: int) -> str:
    return next(word for word, value in words.items() if value == number)


def type_of(entry: ReferenceEntry) -> str:
    return "+".join(word for flag, word in FLAG_WORDS.items() if entry.flags & flag) or "limit"


def as_row(entry: ReferenceEntry) -> Row:
    """The line of a file that says what an entry says."""
    kind, book = entry.kind, f"book-{entry.book}"
    values: Row = {"action": ACTION_NAMES[kind]}
    if kind in (EntryKind.PLACE, EntryKind.BASKET, EntryKind.AMEND):
        values |= {"order_id": f"id{entry.order_id}", "price": str(entry.price_ticks), "quantity": str(entry.quantity_lots), "type": type_of(entry)}
        values["self_trade_prevention"] = word_of(SELF_TRADES, entry.self_trade)
    if kind in (EntryKind.PLACE, EntryKind.BASKET):
        values |= {"instrument": book, "owner": f"owner-{entry.owner}", "side": word_of(SIDES, entry.side), "label": f"label-{entry.label}"}
        values["time_in_force"] = word_of(TIMES_IN_FORCE, entry.time_in_force)
        values["display_quantity"] = str(entry.display_lots) if entry.flags & EntryFlag.ICEBERG else ""
        values["minimum_quantity"] = str(entry.min_lots) if entry.flags & EntryFlag.MINIMUM else ""
        values["stop_price"] = str(entry.stop_ticks) if entry.flags & EntryFlag.STOP else ""
        values["legs"] = str(entry.legs) if entry.legs else ""
    elif kind in (EntryKind.CANCEL, EntryKind.EXPIRE):
        values["order_id"] = f"id{entry.order_id}"
    elif kind == EntryKind.MASS_CANCEL:
        values["owner"] = f"owner-{entry.owner}"
        values["instrument"] = book if entry.flags & MassCancel.BY_BOOK else ""
        values["side"] = word_of(SIDES, entry.side) if entry.flags & MassCancel.BY_SIDE else ""
        values["label"] = f"label-{entry.label}" if entry.flags & MassCancel.BY_LABEL else ""
    elif kind == EntryKind.SET_PHASE:
        values |= {"instrument": book, "phase": word_of(PHASES, entry.quantity_lots)}
    elif kind == EntryKind.UNCROSS:
        values |= {"instrument": book, "reference_price": str(entry.price_ticks)}
    elif kind == EntryKind.SET_BAND:
        values["instrument"] = book
        if entry.price_ticks <= entry.stop_ticks:
            values |= {"band_low": str(entry.price_ticks), "band_high": str(entry.stop_ticks)}
    return values


def in_numbers(event: Row) -> tuple[object, ...]:
    kind = EventKind[event["event"].upper()]
    reason = Reason[event["reason"].upper() or "NONE"]
    lots = BookPhase[event["phase"].upper()] if event["phase"] else int(event["quantity"] or 0)
    if kind == EventKind.REJECTED:
        return kind, reason
    return kind, reason, event["instrument"], event["order_id"], event["counter_order_id"], event["side"], int(event["price"] or 0), lots


@pytest.mark.parametrize("profile", [name for name in PROFILES if name != "bad input"])
@pytest.mark.parametrize("rows_per_piece", [7, 100_000])
def test_a_file_does_what_its_entries_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, profile: str, rows_per_piece: int) -> None:
    monkeypatch.setattr(reading, "ROWS_PER_PIECE", rows_per_piece)
    stream = draw_stream(5, 400, PROFILES[profile]._replace(odd=0.0, by_k=0.0), N_BOOKS)
    entries = [entry for command in stream for entry in command]
    core = MatchingCore()
    for _ in range(N_BOOKS):
        core.open_book()
    events = to_events(core.submit(to_array(entries)))

    # Books are numbered by their first mention, so each is mentioned once before; a band takes no part in matching.
    opening = [{"action": "band", "instrument": f"book-{book}"} for book in range(N_BOOKS)]
    results = match_rows(tmp_path, [*opening, *map(as_row, entries)])

    of_book = (EventKind.PHASE_CHANGED, EventKind.UNCROSSED)
    expected = [
        (event.kind, event.reason)
        if event.kind == EventKind.REJECTED
        else (
            event.kind,
            event.reason,
            f"book-{event.book}",
            "" if event.kind in of_book else f"id{event.order_id}",
            f"id{event.counter_id}" if event.kind == EventKind.FILLED else "",
            "" if event.kind in of_book else Side(event.side).name.lower(),
            event.price_ticks,
            event.quantity_lots,
        )
        for event in events
    ]
    assert [in_numbers(event) for event in results.events] == expected
    fills = [event for event in events if event.kind == EventKind.FILLED]
    assert fills
    assert [(trade["instrument"], trade["price"], trade["quantity"], trade["buy_order_id"], trade["sell_order_id"]) for trade in results.trades] == [
        (
            f"book-{fill.book}",
            str(fill.price_ticks),
            str(fill.quantity_lots),
            *(f"id{number}" for number in ((fill.order_id, fill.counter_id) if fill.side == Side.BUY else (fill.counter_id, fill.order_id))),
        )
        for fill in fills
    ]
    orders = [(book, order) for book in range(N_BOOKS) for order in to_orders(core.dump_orders(book))]
    assert [(order["instrument"], order["order_id"], order["quantity"], order["shown_quantity"]) for order in results.book] == [
        (f"book-{book}", f"id{order.order_id}", str(order.remaining_lots), str(order.shown_lots)) for book, order in orders
    ]
