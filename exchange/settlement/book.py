"""All settled days: every run over each, as packed bytes and their digest.

State: the digests go into the state hash, the bytes into the snapshot. A record is unpacked when somebody reads it; the last one read is kept,
and so is the last report.
Days that were settled before there were levels have the form their hashes were made of, with every statement written out.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

import msgspec
import numpy as np

from exchange.errors import InputError
from exchange.settlement.day_input import Int64Array
from exchange.settlement.lines import LineItem
from exchange.settlement.packed import pack, unpack
from exchange.settlement.record import FACTS, STATEMENT_FACTS, TOTALS, SettledDay
from exchange.settlement.statement import DaySettlement, day_settlement

RECORD_VERSION: Final = 2
_WRITTEN_OUT: Final = 1
_PLAIN: Final = ("day", "run", "sequence", "rules_version", "start_ns", "symbols", "names", "roles", "items", "claims")
_ARRAYS: Final = ("accounts", "energy_wh", "amount_micro", "postings", "facts", "totals")
# Fields of the form before levels, in its order.
_OLD_STATEMENT: Final = ("day", "account", "name", "role", "lines", "total_micro", *STATEMENT_FACTS)
_OLD_TOTALS: Final = TOTALS[: TOTALS.index("max_balance_error_wh") + 1]


@dataclass(frozen=True, slots=True, eq=False)
class Positions:
    """What a later run of a day needs that is gone from the arrays by then. n accounts, T periods.

    `nominations` are (row, column, Wh).
    """

    instruments: Int64Array  # [T], ids
    net_lots: Int64Array  # [n, T]
    contract_lots: Int64Array  # [n, T]
    adders_micro_per_kwh: Int64Array  # [n]
    trades: Int64Array  # [7, n], as TradeTotals
    blocks: Int64Array  # [4, n], as BlockTrades
    nominations: Int64Array  # [k, 3]


@dataclass(frozen=True, slots=True)
class _Run:
    data: bytes
    digest: bytes


@dataclass(slots=True)
class Settlements:
    """Runs by day. `written_out` names days of before levels."""

    runs: dict[str, list[_Run]] = field(default_factory=dict)
    written_out: set[str] = field(default_factory=set)
    _last: tuple[tuple[str, int], SettledDay] | None = None
    _last_report: DaySettlement | None = None

    def add(self, record: SettledDay, positions: Positions | None = None, written_out: bool = False) -> None:
        """Keep the next run of a day."""
        if written_out:
            self.written_out.add(record.day)
        data = _encoder.encode([RECORD_VERSION, _record_fields(record), [] if positions is None else _position_fields(positions)])
        self.runs.setdefault(record.day, []).append(_Run(data, sha256(data).digest()))

    def __len__(self) -> int:
        """Runs over all days."""
        return sum(len(runs) for runs in self.runs.values())

    def __contains__(self, day: str) -> bool:
        return day in self.runs

    def count(self, day: str) -> int:
        """Runs over a day."""
        return len(self.runs.get(day, ()))

    def get(self, day: str, run: int = 0) -> SettledDay | None:
        """The record of a run, 0: of the last one."""
        runs = self.runs.get(day, [])
        number = run or len(runs)
        if not 1 <= number <= len(runs):
            return None
        if self._last is None or self._last[0] != (day, number):
            self._last = ((day, number), _record(msgspec.msgpack.decode(runs[number - 1].data)[1]))
        return self._last[1]

    def last_runs(self) -> Iterator[SettledDay]:
        """The last run over each day, by its name."""
        for day in sorted(self.runs):
            record = self.get(day)
            assert record is not None
            yield record

    def positions(self, day: str) -> Positions | None:
        """What the first run kept for later ones."""
        fields = msgspec.msgpack.decode(self.runs[day][0].data)[2]
        return Positions(*map(unpack, fields)) if fields else None

    def report(self, day: str, run: int = 0) -> DaySettlement | None:
        """The report of a run, with what it changed against the one before."""
        record = self.get(day, run)
        if record is None:
            return None
        last = self._last_report
        if last is None or (last.day, last.run) != (day, record.run):
            last = self._last_report = day_settlement(record, self.get(day, record.run - 1) if record.run > 1 else None)
        return last

    def written_out_to_canonical(self) -> list[Any]:
        """Days of before levels."""
        return [[_WRITTEN_OUT, _old_form(day_settlement(record))] for day in sorted(self.written_out) if (record := self.get(day, 1)) is not None]

    def to_canonical(self, whole: bool) -> list[Any]:
        """The other days by name and run, later runs of old days among them: digests for the state hash, with `whole` the bytes for the snapshot."""
        rows = []
        for day, runs in sorted(self.runs.items()):
            for number, run in enumerate(runs, start=1):
                if number > 1 or day not in self.written_out:
                    rows.append([day, number, run.data if whole else run.digest])
        return rows

    @classmethod
    def from_canonical(cls, written_out: list[Any], rows: list[Any]) -> "Settlements":
        """Inverse of the two. Raises InputError for another version."""
        settlements = cls()
        for version, body in written_out:
            if version != _WRITTEN_OUT:
                raise InputError("settlement record of another version")
            settlements.add(_from_old_form(body), written_out=True)
        for day, _, data in rows:
            if msgspec.msgpack.decode(data)[0] != RECORD_VERSION:
                raise InputError("settlement record of another version")
            settlements.runs.setdefault(day, []).append(_Run(data, sha256(data).digest()))
        return settlements


_encoder: Final = msgspec.msgpack.Encoder(order="deterministic")


def _record_fields(record: SettledDay) -> list[Any]:
    return [*(getattr(record, name) for name in _PLAIN), *(pack(getattr(record, name)) for name in _ARRAYS)]


def _record(fields: list[Any]) -> SettledDay:
    values: dict[str, Any] = dict(zip(_PLAIN, fields, strict=False))
    values |= {name: tuple(values[name]) for name in ("symbols", "names", "roles")}
    values["items"] = tuple(LineItem(item) for item in values["items"])
    values["claims"] = tuple(tuple(claim) for claim in values["claims"])
    values |= zip(_ARRAYS, map(unpack, fields[len(_PLAIN) :]), strict=True)
    return SettledDay(**values)


def _position_fields(positions: Positions) -> list[Any]:
    return [pack(getattr(positions, name)) for name in Positions.__dataclass_fields__]


def _old_form(report: DaySettlement) -> dict[str, Any]:
    plain = msgspec.to_builtins(report)
    statements = [{name: statement[name] for name in _OLD_STATEMENT} for statement in plain["statements"]]
    return {"day": plain["day"], "periods": plain["periods"], "statements": statements, "claims": plain["claims"]} | {
        name: plain[name] for name in _OLD_TOTALS
    }


def _from_old_form(body: dict[str, Any]) -> SettledDay:
    """Columns of a day that was written out. Which posting shows a line was not kept."""
    statements = body["statements"]
    lines: dict[LineItem, list[tuple[int, int]]] = {item: [(0, 0)] * len(statements) for item in LineItem}
    for row, statement in enumerate(statements):
        for line in statement["lines"]:
            lines[LineItem(line["item"])][row] = (line["energy_wh"], line["amount_micro"])
    items = tuple(item for item, values in lines.items() if any(any(value) for value in values))
    columns = np.array([lines[item] for item in items], np.int64).reshape(len(items), len(statements), 2)
    return SettledDay(
        day=body["day"], run=1, sequence=0, rules_version=0, start_ns=0, symbols=("", "", body["periods"]),
        accounts=np.array([statement["account"] for statement in statements], np.int64),
        names=tuple(statement["name"] for statement in statements), roles=tuple(statement["role"] for statement in statements), items=items,
        energy_wh=columns[:, :, 0], amount_micro=columns[:, :, 1], postings=np.full(columns.shape[:2], -1, np.int64),
        facts=np.array([[statement.get(name, 0) for statement in statements] for name in FACTS], np.int64),
        totals=np.array([body.get(name, 0) for name in TOTALS], np.int64),
        claims=tuple(tuple(claim) for claim in body["claims"]),
    )  # fmt: skip
