"""What is written: trades, events and resting orders as CSV, in the names and decimals of the order file."""

import csv
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Final, NamedTuple

import numpy as np

from clients.offline.columns import TYPE_WORDS
from clients.offline.decode import Decoder, Piece
from clients.offline.order_ids import OrderIds
from clients.offline.sequence import Happened
from clients.offline.texts import Scale
from matching.core import MatchingCore
from matching.records import BookPhase, EntryFlag, EntryKind, EventKind, Reason, SelfTrade, Side, TimeInForce

TRADE_COLUMNS: Final = (
    "time", "instrument", "price", "quantity", "buyer", "seller", "buy_order_id", "sell_order_id", "aggressor_side", "auction",
)  # fmt: skip
EVENT_COLUMNS: Final = (
    "line", "time", "event", "reason", "instrument", "order_id", "owner", "side", "price", "quantity", "remaining", "counter_order_id",
    "counter_owner", "counter_remaining", "phase",
)  # fmt: skip
BOOK_COLUMNS: Final = (
    "instrument", "side", "state", "price", "quantity", "shown_quantity", "order_id", "owner", "type", "time_in_force", "self_trade_prevention",
    "display_quantity", "stop_price", "minimum_quantity", "label",
)  # fmt: skip

SIDE_NAMES: Final = [side.name.lower() for side in Side]
EVENT_NAMES: Final = {int(kind): kind.name.lower() for kind in EventKind}
REASON_NAMES: Final = {int(reason): reason.name.lower() if reason else "" for reason in Reason}
PHASE_NAMES: Final = [phase.name.lower() for phase in BookPhase]
_EVENT_FIELDS: Final = (
    "kind", "reason", "book", "order_id", "owner", "side", "price_ticks", "quantity_lots", "remaining_lots", "counter_id", "counter_owner",
    "counter_remaining_lots",
)  # fmt: skip
# Plain numbers: an enum's comparison costs a call.
_OF_BOOK: Final = (int(EventKind.PHASE_CHANGED), int(EventKind.UNCROSSED))
_HAS_PRICE: Final = (int(EntryKind.PLACE), int(EntryKind.BASKET), int(EntryKind.AMEND))
_NAMES_ORDER: Final = (*_HAS_PRICE, int(EntryKind.CANCEL), int(EntryKind.EXPIRE))
_FLAG_WORDS: Final = {word: bits for word, bits in TYPE_WORDS.items() if word not in ("limit", "market", "stop", "stop_limit")}


class Decimals(dict[int, str]):
    """Texts of prices or quantities, each made once."""

    def __init__(self, scale: Scale) -> None:
        super().__init__()
        self._scale = scale

    def __missing__(self, steps: int) -> str:
        text = self[steps] = self._scale.text_of(steps)
        return text


class Vocabulary(NamedTuple):
    """How numbers of the core are written."""

    instruments: list[str]
    owners: list[str]
    labels: list[str]
    price: Decimals
    quantity: Decimals
    ids: OrderIds


def vocabulary(decoder: Decoder, ids: OrderIds, tick: Scale, lot: Scale) -> Vocabulary:
    """The names of a file; the lists grow with it."""
    return Vocabulary(decoder.instruments.names, decoder.owners.names, decoder.labels.names, Decimals(tick), Decimals(lot), ids)


class Table:
    """A CSV file with a header."""

    def __init__(self, file: IO[str], columns: Iterable[str]) -> None:
        self._writer = csv.writer(file, lineterminator="\n")
        self._writer.writerow(columns)

    def write(self, *columns: Iterable[object]) -> None:
        """Rows from columns of one length."""
        self._writer.writerows(zip(*columns, strict=True))

    def write_rows(self, rows: Iterable[tuple[object, ...]]) -> None:
        """Rows as they are."""
        self._writer.writerows(rows)


class TradeTable:
    """The trades, one row a fill."""

    def __init__(self, file: IO[str], words: Vocabulary) -> None:
        self._table = Table(file, TRADE_COLUMNS)
        self._words = words

    def add(self, piece: Piece, happened: Happened) -> None:
        """The fills among what happened."""
        is_fill = happened.events["kind"] == EventKind.FILLED
        if not is_fill.any():
            return
        fills, rows = happened.events[is_fill], happened.rows[is_fill]
        words, is_buy = self._words, fills["side"] == Side.BUY
        in_auction = fills["reason"] == Reason.AUCTION

        def of(buy: str, sell: str, text: Callable[[int], str]) -> Iterator[str]:
            return map(text, np.where(is_buy, fills[buy], fills[sell]).tolist())

        self._table.write(
            map(piece.times.__getitem__, rows.tolist()),
            map(words.instruments.__getitem__, fills["book"].tolist()),
            map(words.price.__getitem__, fills["price_ticks"].tolist()),
            map(words.quantity.__getitem__, fills["quantity_lots"].tolist()),
            of("owner", "counter_owner", words.owners.__getitem__),
            of("counter_owner", "owner", words.owners.__getitem__),
            of("order_id", "counter_id", words.ids.text_of),
            of("counter_id", "order_id", words.ids.text_of),
            map(["sell", "buy", ""].__getitem__, np.where(in_auction, 2, is_buy).tolist()),
            map(["no", "yes"].__getitem__, in_auction.tolist()),
        )


class EventTable:
    """All events, with the line that each came from: that of the first leg for a basket."""

    def __init__(self, file: IO[str], words: Vocabulary) -> None:
        self._table = Table(file, EVENT_COLUMNS)
        self._words = words

    def add(self, piece: Piece, happened: Happened) -> None:
        """All that happened."""
        self._table.write_rows(self._rows(piece, happened))

    def _rows(self, piece: Piece, happened: Happened) -> Iterator[tuple[object, ...]]:
        words = self._words
        rows = happened.rows.tolist()
        entry_kinds = piece.entries["kind"][happened.rows].tolist()
        # Fields of records one by one would cost several times as much.
        fields = (happened.events[name].tolist() for name in _EVENT_FIELDS)
        for row, entry_kind, kind, reason, book, order, owner, side, price, lots, remaining, counter, counter_owner, counter_remaining in zip(
            rows, entry_kinds, *fields, strict=True
        ):
            of_order = kind not in _OF_BOOK and (kind != EventKind.REJECTED or entry_kind in _NAMES_ORDER)
            has_price = kind != EventKind.PHASE_CHANGED and (kind != EventKind.REJECTED or entry_kind in _HAS_PRICE)
            has_counter = kind == EventKind.FILLED
            volume = lots + (remaining << 32) if kind == EventKind.UNCROSSED else lots
            yield (
                int(piece.lines[row]),
                piece.times[row],
                EVENT_NAMES[kind],
                REASON_NAMES[reason],
                words.instruments[book] if book >= 0 else "",
                words.ids.text_of(order) if of_order else "",
                words.owners[owner] if owner >= 0 and kind not in _OF_BOOK else "",
                SIDE_NAMES[side] if of_order and side < len(SIDE_NAMES) else "",
                words.price[price] if has_price else "",
                words.quantity[volume] if has_price else "",
                words.quantity[remaining] if of_order else "",
                words.ids.text_of(counter) if has_counter else "",
                words.owners[counter_owner] if has_counter else "",
                words.quantity[counter_remaining] if has_counter else "",
                PHASE_NAMES[lots] if kind == EventKind.PHASE_CHANGED else "",
            )


def write_book(file: IO[str], core: MatchingCore, words: Vocabulary) -> None:
    """The resting orders of all instruments, by instrument in the order of their first mention, in canonical order."""
    table = Table(file, BOOK_COLUMNS)
    for book, instrument in enumerate(words.instruments[: len(core.open_books)]):
        table.write_rows(_book_row(instrument, order, words) for order in core.dump_orders(book))


def _book_row(instrument: str, order: np.void, words: Vocabulary) -> tuple[str, ...]:
    flags, time_in_force, rests = int(order["flags"]), int(order["time_in_force"]), bool(order["shown_lots"])

    def quantity(name: str, flag: EntryFlag) -> str:
        return words.quantity[int(order[name])] if flags & flag else ""

    return (
        instrument,
        SIDE_NAMES[order["side"]],
        "resting" if rests else "stop" if flags & EntryFlag.STOP else "waiting",
        words.price[int(order["price_ticks"])],
        words.quantity[int(order["remaining_lots"])],
        words.quantity[int(order["shown_lots"])],
        words.ids.text_of(int(order["order_id"])),
        words.owners[int(order["owner"])],
        _type_of(flags, time_in_force),
        "" if rests else TimeInForce(time_in_force).name.lower(),
        "" if rests else SelfTrade(int(order["self_trade"])).name.lower(),
        quantity("display_lots", EntryFlag.ICEBERG),
        words.price[int(order["stop_ticks"])] if flags & EntryFlag.STOP else "",
        quantity("min_lots", EntryFlag.MINIMUM),
        words.labels[int(order["label"]) - 1] if order["label"] else "",
    )


def _type_of(flags: int, time_in_force: int) -> str:
    stop = "stop" if time_in_force in (TimeInForce.IOC, TimeInForce.FOK) else "stop_limit"
    words = [stop] if flags & EntryFlag.STOP else []
    words += [word for word, bits in _FLAG_WORDS.items() if flags & bits]
    return "+".join(words) or "limit"
