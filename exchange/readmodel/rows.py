"""Rows of the tables from what the fold did: arrays, notices and documents of one batch in, tuples in column order out. No SQL."""

import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Table

from exchange.errors import CheckFailedError
from exchange.journal.record import CommandKind
from exchange.order_path.path import BatchResult
from exchange.order_path.records import TRADE_KINDS, OutcomeFlag, trade_mode
from exchange.order_path.tables import Notice
from exchange.protocol.documents import Document, ListInstruments, MeterReadings, decode_document
from exchange.protocol.value_chain.metering import CorrectReadings
from exchange.readmodel import tables
from exchange.readmodel.columns import values_of
from exchange.settlement.statement import DaySettlement
from matching.records import Side

Row = tuple[Any, ...]
Rows = dict[Table, list[Row]]
FindSettlement = Callable[[str, int], DaySettlement | None]  # of a day or month, by a run

FLOW_VALUES_MAX: Final = 1_000_000  # of one notice, so that the index of a value is unique among those of its command

_SETTLED: Final = {"settled": "day", "settled_month": "month"}  # what a notice of this kind names
_EXECUTION_COLUMNS: Final = [column.name for column in tables.executions.columns]
_POSTING_COLUMNS: Final = [column.name for column in tables.postings.columns if column.name != "stamp_ns"]


def rows_of(batch: BatchResult, find_settlement: FindSettlement) -> Rows:
    """New rows of all tables that only grow. Raises CheckFailedError when a settled day is not to be found."""
    rows = rows_of_documents(batch, find_settlement)
    for table, of_table in rows_of_arrays(batch):
        rows[table] += of_table
    return rows


def rows_of_arrays(batch: BatchResult, at_most: int = sys.maxsize) -> Iterator[tuple[Table, list[Row]]]:
    """New rows of executions, trades and postings, each in the order of its keys and `at_most` of them at once."""
    executions = batch.executions
    for piece in _pieces(executions, at_most):
        yield tables.executions, _columns(piece, _EXECUTION_COLUMNS)
    for piece in _pieces(executions[np.isin(executions["kind"], TRADE_KINDS)], at_most):
        yield tables.trades, _trade_rows(piece)
    stamps = batch.records["stamp_ns"]
    for piece in _pieces(batch.postings, at_most):
        of_command = stamps[piece["sequence"] - batch.first_sequence].tolist()
        yield tables.postings, [(*row, stamp) for row, stamp in zip(_columns(piece, _POSTING_COLUMNS), of_command, strict=True)]


def rows_of_documents(batch: BatchResult, find_settlement: FindSettlement) -> Rows:
    """New rows of the other tables that only grow. Raises CheckFailedError when a settled day is not to be found."""
    rows: Rows = defaultdict(list)
    for notice, index in _numbered(batch.notices):
        _add_notice(rows, notice, index, find_settlement)
    for sequence, document, result in accepted_documents(batch):
        if isinstance(document, ListInstruments):
            rows[tables.instruments] += _instrument_rows(document, result["instruments"], sequence)
        elif isinstance(document, MeterReadings | CorrectReadings):
            rows[tables.readings] += _reading_rows(document, sequence)
            rows[tables.grid_readings] += _grid_rows(document, sequence)
    return rows


def settlements_of(batch: BatchResult, find_settlement: FindSettlement) -> dict[tuple[str, int], DaySettlement | None]:
    """What `rows_of` asks `find_settlement` for, by day or month and run."""
    return {found: find_settlement(*found) for found in (_settled(notice) for notice in batch.notices if notice.kind in _SETTLED)}


def last_phases(batch: BatchResult) -> dict[str, str]:
    """The phase that each instrument with a change has after the batch."""
    return {notice.data["symbol"]: notice.data["phase"] for notice in batch.notices if notice.kind == "phase"}


def accepted_documents(batch: BatchResult) -> Iterator[tuple[int, Document, dict[str, Any]]]:
    """(sequence, document, answer) of the business commands that were carried out."""
    carried_out = (batch.outcomes["code"] == 0) & ((batch.outcomes["flags"] & int(OutcomeFlag.DUPLICATE)) == 0)
    for index in np.flatnonzero((batch.records["kind"] == int(CommandKind.DOCUMENT)) & carried_out).tolist():
        start, length = int(batch.records["document_offset"][index]), int(batch.records["document_length"][index])
        yield batch.first_sequence + index, decode_document(batch.documents[start : start + length]), batch.results[index]


def _pieces(array: NDArray[np.void], at_most: int) -> Iterator[NDArray[np.void]]:
    return (array[start : start + at_most] for start in range(0, len(array), at_most))


def _columns(array: NDArray[np.void], names: list[str]) -> list[Row]:
    """The named fields of each record, bytes as text."""
    return list(zip(*(values_of(array[name]) for name in names), strict=True))


def _trade_rows(trades: NDArray[np.void]) -> list[Row]:
    taker_buys = trades["side"] == int(Side.BUY)

    def by_side(taker: str, maker: str) -> tuple[NDArray[Any], NDArray[Any]]:
        """(of the buyer, of the seller)."""
        return np.where(taker_buys, trades[taker], trades[maker]), np.where(taker_buys, trades[maker], trades[taker])

    names = ("sequence", "index", "stamp_ns", "instrument", "trade_number", "price_ticks", "quantity_lots", "side")
    parties = by_side("account", "counter_account") + by_side("order_id", "counter_order_id") + by_side("fee_micro", "counter_fee_micro")
    modes = map(trade_mode, trades["kind"].tolist(), trades["reason"].tolist())
    return list(zip(*(trades[name].tolist() for name in names), *(column.tolist() for column in parties), modes, strict=True))


def _text(value: str) -> str:
    """PostgreSQL stores no NUL; its picture takes the place."""
    return value.replace("\0", "\u2400")


def _numbered(notices: list[Notice]) -> Iterator[tuple[Notice, int]]:
    """Each notice with its number among those of its command."""
    index, sequence = 0, -1
    for notice in notices:
        index = index + 1 if notice.sequence == sequence else 0
        sequence = notice.sequence
        yield notice, index


def _add_notice(rows: Rows, notice: Notice, index: int, find_settlement: FindSettlement) -> None:
    data = notice.data
    if notice.kind == "phase":
        rows[tables.phases].append((notice.sequence, index, notice.stamp_ns, data["symbol"], data["phase"]))
    elif notice.kind == "auction":
        rows[tables.auctions].append(
            (notice.sequence, index, notice.stamp_ns, data["symbol"], data["phase"], data["price_ticks"], data["volume_lots"])
        )
    elif notice.kind == "close":
        rows[tables.closes].append((notice.sequence, index, notice.stamp_ns, data["symbol"], data["close_ticks"], data["traded_lots"]))
    elif notice.kind == "admitted":
        rows[tables.participants].append((data["account"], _text(data["name"]), data["role"], notice.sequence))
    elif notice.kind == "audit":
        rows[tables.audit_entries].append((data["entry"].number, notice.sequence, msgspec.json.encode(data["entry"]).decode()))
    elif notice.kind == "device_metered":
        rows[tables.device_readings] += _device_rows(data, notice.sequence)
        rows[tables.grid_readings] += _grid_rows_of_devices(data, notice.sequence)
    elif notice.kind == "flow":
        rows[tables.flow_values] += [
            (notice.sequence, number, data["flow"], _text(v.subject), _text(v.kind), v.period_start_ns, v.value, _text(v.unit))
            for number, v in enumerate(data["values"], index * FLOW_VALUES_MAX)
        ]
    elif notice.kind in _SETTLED:
        what, (name, run) = _SETTLED[notice.kind], _settled(notice)
        settlement = find_settlement(name, run)
        if settlement is None:
            raise CheckFailedError(f"{what} {name} was settled by command {notice.sequence}, but there is no settlement of it")
        _add_statements(rows, settlement, notice.sequence)


def _settled(notice: Notice) -> tuple[str, int]:
    """(day or month, run) of a notice that it was settled."""
    return notice.data[_SETTLED[notice.kind]], notice.data.get("run", 1)


def _add_statements(rows: Rows, settlement: DaySettlement, sequence: int) -> None:
    for s in settlement.statements:
        rows[tables.statements].append(
            (s.day, s.account, s.run, _text(s.name), s.role, s.total_micro, s.consumption_wh, s.generation_wh, s.park_fee_held_micro,
             s.guarantee_held_micro, s.claim_micro, s.substituted_periods, s.nominated_periods, s.schedule_deviation_wh, sequence)
        )  # fmt: skip
        rows[tables.statement_lines] += [
            (s.day, s.account, s.run, number, str(line.item), str(line.status), line.energy_wh, line.amount_micro)
            for number, line in enumerate(s.lines)
        ]


def _instrument_rows(document: ListInstruments, ids: dict[str, int], sequence: int) -> list[Row]:
    return [
        (
            ids[spec.symbol], spec.symbol, spec.instrument_class, spec.venue, spec.price_decimals, spec.quantity_decimals, spec.delivery_start_ns,
            spec.delivery_end_ns, msgspec.json.encode(spec).decode(), "pre_open", sequence,
        )
        for spec in document.instruments
    ]  # fmt: skip


def _reading_rows(document: MeterReadings | CorrectReadings, sequence: int) -> list[Row]:
    columns = (document.accounts, document.period_starts_ns, document.consumption_wh, document.generation_wh, document.soc_wh)
    return [
        (account, start_ns, document.revision, consumption, generation, soc, sequence)
        for account, start_ns, consumption, generation, soc in zip(*columns, strict=True)
    ]


def _grid_rows(document: MeterReadings | CorrectReadings, sequence: int) -> list[Row]:
    columns = (document.grid_starts_ns, document.grid_import_wh, document.grid_export_wh, document.losses_wh)
    return [(start_ns, document.revision, *values, sequence) for start_ns, *values in zip(*columns, strict=True)]


def _device_rows(data: dict[str, Any], sequence: int) -> list[Row]:
    """Rows that were new or other than before."""
    r = data["rows"]
    columns = (r.device, r.start_ns, data["accounts"], data["electric"], r.quality, r.import_wh, r.export_wh)
    return [
        (sequence, index, device, start_ns, data["revision"], account, int(electric), quality, data["version"], import_wh, export_wh)
        for index, (device, start_ns, account, electric, quality, import_wh, export_wh) in enumerate(
            zip(*(column.tolist() for column in columns), strict=True)
        )
    ]


def _grid_rows_of_devices(data: dict[str, Any], sequence: int) -> list[Row]:
    grid = data["grid"]
    columns = (grid.start_ns, grid.import_wh, grid.export_wh, grid.losses_wh)
    return [(start_ns, data["revision"], *values, sequence) for start_ns, *values in zip(*(column.tolist() for column in columns), strict=True)]
