"""Rows of texts to entries of the core, column by column, with every bad line named."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from clients.offline.columns import (
    ACTION_NAMES,
    ACTIONS,
    IMMEDIATE,
    IS_FORBIDDEN,
    IS_NEEDED,
    OF_TYPE,
    PHASES,
    SELF_TRADES,
    SIDES,
    TIMES_IN_FORCE,
    TYPE_WORDS,
)
from clients.offline.rows import Rows
from clients.offline.texts import (
    BAD,
    EMPTY,
    ORDER_ID_CHARACTERS_MAX,
    Integers,
    Names,
    Scale,
    Steps,
    Texts,
    Times,
    Whole,
    Words,
    WordSets,
    shown,
)
from clients.offline.units import unit_starts, whole_units
from clients.scenarios.problems import Problems
from matching.records import ENTRY, OWNER_MAX, QUANTITY_LOTS_MAX, EntryFlag, EntryKind, MassCancel, TimeInForce
from matching.state import make_records

TICKS_MIN, TICKS_MAX = -(2**31), 2**31 - 1
# What goes into a field that the entry does not read: nothing of the file looks like it.
_NOT_READ = {"book": -1, "side": 255, "owner": -1}


# Notes bad places: (rows that are bad, column, what was expected).
Note = Callable[[np.ndarray, str, str], None]


class Piece(NamedTuple):
    """Entries with what the core does not know of them. Shape of all: (entries,).

    `order_id` of the entries is not set yet. `unit_starts`: index of the first entry of the basket that an entry belongs to, its own of any other.
    """

    entries: np.ndarray
    order_ids: tuple[str, ...]
    unit_starts: Integers
    times: tuple[str, ...]
    times_ns: Integers
    lines: Integers


class Decoder:
    """Decodes one file, piece by piece. Names of instruments, owners and labels get their numbers here."""

    def __init__(self, header: list[str], tick: Scale, lot: Scale, problems: Problems) -> None:
        self._header = header
        self._problems = problems
        self._last_ns = EMPTY
        self._kept: Rows = Rows([], [])
        self.instruments = Names(2**31 - 1)
        self.owners = Names(OWNER_MAX + 1)
        self.labels = Names(2**32 - 2)
        prices = Steps(tick, TICKS_MIN, TICKS_MAX)
        lots = Steps(lot, 0, QUANTITY_LOTS_MAX)
        self._texts: dict[str, Texts] = {
            "time": Times(),
            "instrument": self.instruments,
            "action": Words({name: int(kind) for name, kind in ACTIONS.items()}),
            "owner": self.owners,
            "side": Words(SIDES),
            "type": WordSets(TYPE_WORDS),
            "time_in_force": Words(TIMES_IN_FORCE),
            "price": prices,
            "quantity": lots,
            "display_quantity": lots,
            "stop_price": prices,
            "minimum_quantity": lots,
            "label": self.labels,
            "self_trade_prevention": Words(SELF_TRADES),
            "reference_price": prices,
            "phase": Words(PHASES),
            "band_low": prices,
            "band_high": prices,
            "legs": Whole(2**16 - 1),
        }

    def decode(self, rows: Rows, *, is_last: bool) -> Piece | None:
        """The entries of some rows, and of those that were kept back of the rows before; None when a line is bad.

        A basket that the rows end within is kept back for the next ones, unless `is_last`.
        """
        rows = Rows(self._kept.rows + rows.rows, self._kept.lines + rows.lines)
        columns = self._columns(rows)
        kinds, legs = self._numbers("action", columns, len(rows.rows)), self._numbers("legs", columns, len(rows.rows))
        legs[legs == EMPTY] = 0
        n = len(rows.rows) if is_last else whole_units(kinds, legs)
        self._kept = Rows(rows.rows[n:], rows.lines[n:])
        columns = {name: column[:n] for name, column in columns.items()}
        lines = np.array(rows.lines[:n], np.int64)
        before = self._problems.count
        numbers = self._checked(columns, lines)
        if self._problems.count > before:
            return None
        times = columns.get("time", ("",) * n)
        starts = unit_starts(kinds[:n], legs[:n])
        return Piece(_entries(numbers), columns.get("order_id", ("",) * n), starts, times, numbers["time"], lines)

    def _columns(self, rows: Rows) -> dict[str, tuple[str, ...]]:
        columns = zip(*rows.rows, strict=True) if rows.rows else ((),) * len(self._header)
        return dict(zip(self._header, columns, strict=True))

    def _numbers(self, name: str, columns: dict[str, tuple[str, ...]], n: int) -> Integers:
        column = columns.get(name)
        if column is None or not any(column):
            return np.full(n, EMPTY, np.int64)
        return self._texts[name].numbers(column)

    def _checked(self, columns: dict[str, tuple[str, ...]], lines: Integers) -> dict[str, Integers]:
        """Numbers by column. Adds a problem for each bad place, line by line."""
        n = len(lines)
        numbers = {name: self._numbers(name, columns, n) for name in self._texts}
        numbers["order_id"] = _order_id_lengths(columns.get("order_id"), n)
        found: list[tuple[int, str]] = []

        def note(bad: np.ndarray, column: str, expected: str) -> None:
            for row in np.flatnonzero(bad).tolist():
                text = columns[column][row] if column in columns else ""
                found.append((row, f"column {column}: {shown(text) if text else 'empty'}; expected {expected}"))

        kinds = np.where(numbers["action"] > 0, numbers["action"], 0)
        for name, values in numbers.items():
            if (values == BAD).any():
                note(values == BAD, name, self._texts[name].expected if name in self._texts else f"at most {ORDER_ID_CHARACTERS_MAX} characters")
            for bad, expected in ((IS_NEEDED[name][kinds] & (values == EMPTY), "a"), (IS_FORBIDDEN[name][kinds] & (values > EMPTY), "no")):
                for kind in np.unique(kinds[bad]).tolist():
                    note(bad & (kinds == kind), name, f"{expected} value for the action {ACTION_NAMES[kind]}")
        note(numbers["action"] == EMPTY, "action", self._texts["action"].expected)
        self._check_times(numbers["time"], note)
        _check_types(numbers, kinds, note)
        for row, reason in sorted(found, key=lambda place: place[0]):
            self._problems.add(reason, int(lines[row]))
        return numbers

    def _check_times(self, times_ns: Integers, note: Note) -> None:
        if "time" not in self._header or not len(times_ns):
            return
        note(times_ns == EMPTY, "time", "a time in every line of a file with this column")
        known = np.where(times_ns > EMPTY, times_ns, EMPTY)
        before = np.maximum.accumulate(np.concatenate((np.array([self._last_ns]), known[:-1])))
        note((times_ns > EMPTY) & (times_ns < before), "time", "no time before that of an earlier line")
        self._last_ns = max(self._last_ns, int(known.max()))


def _order_id_lengths(column: tuple[str, ...] | None, n: int) -> Integers:
    if column is None:
        return np.full(n, EMPTY, np.int64)
    lengths = np.fromiter(map(len, column), np.int64, n)
    lengths[lengths > ORDER_ID_CHARACTERS_MAX] = BAD
    lengths[lengths == 0] = EMPTY
    return lengths


def _check_types(numbers: dict[str, Integers], kinds: Integers, note: Note) -> None:
    """What depends on the words of the type, and the pair of a band."""
    types = np.where(numbers["type"] > EMPTY, numbers["type"], 0)
    known = ((kinds == EntryKind.PLACE) | (kinds == EntryKind.BASKET)) & (numbers["type"] != BAD)
    for column, word in OF_TYPE.items():
        has_word = types & TYPE_WORDS[word] & ~IMMEDIATE != 0
        given = numbers[column] != EMPTY
        note(known & has_word & ~given, column, f"a value for the type {word}")
        note(known & ~has_word & given, column, f"no value without the type {word}")
    times = numbers["time_in_force"]
    stays = (times > EMPTY) & (times != TimeInForce.IOC) & (times != TimeInForce.FOK)
    note(known & (types & IMMEDIATE != 0) & stays, "time_in_force", "ioc, fok or nothing for the types market and stop (stop_limit may rest)")
    low, high = numbers["band_low"], numbers["band_high"]
    is_band = kinds == EntryKind.SET_BAND
    note(is_band & (low == EMPTY) & (high != EMPTY), "band_low", "a value with band_high; both empty for no band")
    note(is_band & (high == EMPTY) & (low != EMPTY), "band_high", "a value with band_low; both empty for no band")
    note(is_band & (low > EMPTY) & (high > EMPTY) & (low > high), "band_high", "band_low or more; both empty for no band")


def _entries(numbers: dict[str, Integers]) -> np.ndarray:
    """Entries of good lines, without order ids. ENTRY."""
    kinds = numbers["action"]
    entries = make_records(ENTRY, len(kinds))
    given = {name: values > EMPTY for name, values in numbers.items()}

    def value(name: str, empty: int | np.ndarray = 0) -> np.ndarray:
        return np.where(given[name], numbers[name], empty)

    types = value("type")
    default_time = np.where(kinds == EntryKind.BASKET, TimeInForce.FOK, np.where(types & IMMEDIATE != 0, TimeInForce.IOC, TimeInForce.GTC))
    entries["kind"] = kinds
    entries["book"] = value("instrument", _NOT_READ["book"])
    entries["owner"] = value("owner", _NOT_READ["owner"])
    entries["side"] = value("side", _NOT_READ["side"])
    entries["time_in_force"] = value("time_in_force", default_time)
    entries["self_trade"] = value("self_trade_prevention")
    entries["label"] = value("label", -1) + 1
    entries["legs"] = value("legs")
    entries["display_lots"] = value("display_quantity")
    entries["min_lots"] = value("minimum_quantity")
    entries["quantity_lots"] = np.where(kinds == EntryKind.SET_PHASE, value("phase"), value("quantity"))
    price = np.where(kinds == EntryKind.UNCROSS, value("reference_price"), value("price"))
    # An interval without a price in it stands for no band.
    entries["price_ticks"] = np.where(kinds == EntryKind.SET_BAND, value("band_low", 1), price)
    entries["stop_ticks"] = np.where(kinds == EntryKind.SET_BAND, value("band_high", 0), value("stop_price"))
    filters = given["instrument"] * int(MassCancel.BY_BOOK) + given["side"] * int(MassCancel.BY_SIDE) + given["label"] * int(MassCancel.BY_LABEL)
    entries["flags"] = np.where(kinds == EntryKind.MASS_CANCEL, filters, types & ~IMMEDIATE)
    assert int(EntryFlag.STOP) < IMMEDIATE
    return entries
