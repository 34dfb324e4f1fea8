"""Playing the park-year through one exchange with a journal on disk, and timing the parts."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bench.value_chain.park_year import FIRST_DAY_NS, OPERATOR, PERIODS, Int64Array, ParkYear, genesis, opening_documents
from exchange.journal.record import COMMAND, CommandKind
from exchange.journal.segments import SegmentJournal
from exchange.order_path.path import BatchResult, Exchange
from exchange.order_path.records import ExecutionKind
from exchange.protocol.documents import Document, encode_document
from exchange.units import NS_PER_DAY, NS_PER_HOUR

GROUP = 4096


@dataclass(slots=True)
class Times:
    """Seconds by part of the year; trades counted."""

    seconds: dict[str, float] = field(default_factory=dict)
    trades: int = 0

    def add(self, name: str, seconds: float) -> None:
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds


class YearRun:
    """One exchange and its journal in `directory`. `on_batch` sees what each group did, such as a projector of the read model."""

    def __init__(self, directory: Path, on_batch: Callable[[BatchResult, str], None] | None = None) -> None:
        self.exchange = Exchange(genesis())
        self._journal = SegmentJournal.open(directory, genesis())
        self._on_batch = on_batch
        self._now_ns = FIRST_DAY_NS - NS_PER_DAY
        self.times = Times()
        self.generated_wh = 0

    def play(self, days: int, say: Callable[[int], None]) -> None:
        """Admit everybody, then trade, meter and settle day after day."""
        year = ParkYear()
        for document in opening_documents():
            self._submit("open", document)
        expected = {0: self._trade(year, 0)}
        for day in range(days):
            if day + 1 < days:
                expected[day + 1] = self._trade(year, day + 1)  # the afternoon before
            self._finish(year, day, *expected.pop(day))
            say(day + 1)

    def close(self) -> None:
        self._journal.close()

    def _trade(self, year: ParkYear, day: int) -> tuple[Int64Array, Int64Array]:
        """List and trade the contracts of a day; returns its energies, (consumption, generation)."""
        start_ns = FIRST_DAY_NS + day * NS_PER_DAY
        self._now_ns = start_ns - 9 * NS_PER_HOUR
        listed = self._submit("list", year.listing(day))
        consumption, generation = year.energies(day)
        self._now_ns = start_ns - 7 * NS_PER_HOUR
        orders = year.orders(list(listed["instruments"].values()), generation - consumption, self._now_ns)
        for first in range(0, len(orders), GROUP):
            result = self._send("trade", orders[first : first + GROUP], b"")
            self.times.trades += int(np.count_nonzero(result.executions["kind"] == int(ExecutionKind.TRADE)))
        return consumption, generation

    def _finish(self, year: ParkYear, day: int, consumption: Int64Array, generation: Int64Array) -> None:
        """Deliver, meter and settle."""
        self.generated_wh += int(generation.sum())
        self._now_ns = FIRST_DAY_NS + (day + 1) * NS_PER_DAY
        self._send("deliver", self._record(CommandKind.TICK), b"")
        self._submit("meter", year.readings(day, consumption, generation))
        answer = self._submit("settle", year.settlement(day))
        if answer["periods"] != PERIODS:
            raise RuntimeError(f"day {day}: {answer}")

    def _submit(self, name: str, document: Document) -> dict[str, Any]:
        data = encode_document(document)
        record = self._record(CommandKind.DOCUMENT)
        record["document_length"] = len(data)
        result = self._send(name, record, data)
        code = int(result.outcomes[0]["code"])
        if code:
            raise RuntimeError(f"{document.SCHEMA} was refused: {code} {result.results[0]}")
        return result.results[0]

    def _record(self, kind: CommandKind) -> np.ndarray:
        record = np.zeros(1, COMMAND)
        record["kind"], record["version"], record["account"], record["stamp_ns"] = kind, 1, OPERATOR, self._now_ns
        return record

    def _send(self, name: str, records: np.ndarray, documents: bytes) -> BatchResult:
        group = self._journal.append(records, documents)
        began = time.perf_counter()
        result = self.exchange.apply(records, documents, group.first_sequence)
        self.times.add(name, time.perf_counter() - began)
        if self._on_batch is not None:
            self._on_batch(result, group.chain_hash)
        return result
