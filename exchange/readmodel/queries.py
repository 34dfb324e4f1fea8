"""History for the gateway. Every answer says as of which command it is, and holds nothing that came later."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection, Engine, RowMapping, func, or_, select
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from exchange.accounts.audit import AuditEntry, check_links
from exchange.errors import HistoryUnavailableError
from exchange.protocol.decimals import format_decimal
from exchange.readmodel import tables
from exchange.readmodel.engine import open_engine, reading
from exchange.readmodel.flows import Flow, Resolution, Wanted, series

logger = logging.getLogger("parkex.readmodel")

_decode_entry: Final = msgspec.json.Decoder(AuditEntry).decode


class ReadModel:
    """Read side, from any thread. Rows are dictionaries; quantities are integers of the instrument unless said otherwise.

    Every question raises HistoryUnavailableError while the database is away.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._is_away = False

    @classmethod
    def open(cls, url: str) -> "ReadModel":
        """The read model at a URL that a projector has created."""
        return cls(open_engine(url))

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """Raises HistoryUnavailableError while the database is away. The next question tries again; the log has one line for each change."""
        try:
            with reading(self.engine) as connection:
                yield connection
        except (OperationalError, InterfaceError, PoolTimeoutError) as error:
            if not self._is_away:
                logger.warning("the read model cannot be read: %s", " ".join(str(getattr(error, "orig", error)).split()))
            self._is_away = True
            raise HistoryUnavailableError("the read model cannot be read") from error
        if self._is_away:
            logger.warning("the read model is read again")
        self._is_away = False

    def last_sequence(self) -> int:
        """Last command that is in the read model."""
        with self._reading() as connection:
            return _as_of(connection)

    def trades(self, instrument: str | None = None, limit: int = 100) -> tuple[int, list[dict[str, Any]]]:
        """(as of, public trades newest first): instrument, number, price and quantity as decimal strings, side of the taker, at_ns, mode."""
        t, i = tables.trades.c, tables.instruments.c
        query = (
            select(i.symbol, i.price_decimals, i.quantity_decimals, t.trade_number, t.price_ticks, t.quantity_lots, t.taker_side, t.stamp_ns, t.mode)
            .join_from(tables.trades, tables.instruments, t.instrument == i.id)
            .order_by(t.sequence.desc(), t.index.desc())
            .limit(limit)
        )
        if instrument is not None:
            query = query.where(i.symbol == instrument)
        with self._reading() as connection:
            as_of = _as_of(connection)
            rows = connection.execute(query.where(t.sequence <= as_of)).mappings().all()
        return as_of, [_public_trade(row) for row in rows]

    def candles(
        self, instrument: int, interval_ns: int, offset_ns: int, from_ns: int, to_ns: int, limit: int
    ) -> tuple[int, list[tuple[int, int, int, int, int, int, int, int]]]:
        """(as of, candles of the book's trades and auctions with from_ns <= time < to_ns, oldest first).

        A candle is (bucket, low, high, lots, sum of price times lots, trades, open, close) in ticks and lots; bucket b begins at
        offset_ns + b * interval_ns.
        """
        t = tables.trades.c
        bucket = ((t.stamp_ns - offset_ns) // interval_ns).label("bucket")
        sums = (
            bucket, func.min(t.price_ticks), func.max(t.price_ticks), func.sum(t.quantity_lots), func.sum(t.price_ticks * t.quantity_lots),
            func.count(), func.min(t.trade_number), func.max(t.trade_number),
        )  # fmt: skip
        wanted = (t.instrument == instrument, t.mode.in_(("listed", "auction")), t.stamp_ns >= from_ns, t.stamp_ns < to_ns)
        with self._reading() as connection:
            as_of = _as_of(connection)
            rows = connection.execute(select(*sums).where(*wanted, t.sequence <= as_of).group_by(bucket).order_by(bucket).limit(limit)).all()
            numbers = {int(number) for row in rows for number in row[6:]}
            at_ends = select(t.trade_number, t.price_ticks).where(t.instrument == instrument, t.trade_number.in_(numbers))
            prices = {int(number): int(price) for number, price in connection.execute(at_ends)}
        return as_of, [(*map(int, row[:6]), prices[int(row[6])], prices[int(row[7])]) for row in rows]  # type: ignore[misc] # six and two

    def executions(self, account: int, from_seq: int = 1, limit: int = 1_000) -> tuple[int, list[dict[str, Any]]]:
        """(as of, events of an account's orders from its private sequence `from_seq` on, in order). A trade with itself comes once for each side."""
        e = tables.executions.c
        as_taker = select(tables.executions, e.seq.label("private_seq")).where(e.account == account, e.seq >= from_seq)
        as_maker = select(tables.executions, e.counter_seq.label("private_seq")).where(e.counter_account == account, e.counter_seq >= from_seq)
        both = as_taker.union_all(as_maker).subquery()
        with self._reading() as connection:
            as_of = _as_of(connection)
            query = select(both).where(both.c.sequence <= as_of).order_by(both.c.private_seq).limit(limit)
            return as_of, [dict(row) for row in connection.execute(query).mappings()]

    def orders(self, account: int, limit: int = 1_000) -> tuple[int, list[dict[str, Any]]]:
        """(as of, last known state of an account's orders, newest first)."""
        query = select(tables.orders).where(tables.orders.c.account == account).order_by(tables.orders.c.order_id.desc()).limit(limit)
        with self._reading() as connection:
            as_of = _as_of(connection)
            return as_of, [dict(row) for row in connection.execute(query).mappings()]

    def postings(self, account: int, from_sequence: int = 1, limit: int = 1_000) -> tuple[int, list[dict[str, Any]]]:
        """(as of, movements of money and units from or to an account, in order)."""
        p = tables.postings.c
        query = select(tables.postings).where(or_(p.debit == account, p.credit == account), p.sequence >= from_sequence)
        with self._reading() as connection:
            as_of = _as_of(connection)
            rows = connection.execute(query.where(p.sequence <= as_of).order_by(p.sequence, p.index).limit(limit)).mappings()
            return as_of, [dict(row) for row in rows]

    def statement(self, account: int, day: str, run: int = 0) -> tuple[int, dict[str, Any] | None]:
        """(as of, an account's statement of a day or month with its `lines` in order, or None); of one run, 0: of the last."""
        s, line = tables.statements.c, tables.statement_lines.c
        with self._reading() as connection:
            as_of = _as_of(connection)
            query = select(tables.statements).where(s.account == account, s.day == day).order_by(s.run.desc()).limit(1)
            row = connection.execute(query.where(s.run == run) if run else query).mappings().one_or_none()
            if row is None:
                return as_of, None
            lines = connection.execute(
                select(line.item, line.status, line.energy_wh, line.amount_micro)
                .where(line.account == account, line.day == day, line.run == row["run"])
                .order_by(line.line)
            ).mappings()
            return as_of, dict(row) | {"lines": [dict(entry) for entry in lines]}

    def audit_entries(self, from_number: int, limit: int = 1_000) -> list[AuditEntry]:
        """Entries of the audit log from a number on, in order. Raises CheckFailedError when they are not as they were written."""
        e = tables.audit_entries.c
        with self._reading() as connection:
            as_of = _as_of(connection)
            query = select(e.entry).where(e.number >= from_number, e.sequence <= as_of).order_by(e.number).limit(limit)
            entries = [_decode_entry(text) for text in connection.execute(query).scalars()]
        check_links(entries, from_number)
        return entries

    def instrument(self, symbol: str) -> tuple[int, dict[str, Any] | None]:
        """(as of, an instrument with its published facts, also when it is settled, or None)."""
        with self._reading() as connection:
            as_of = _as_of(connection)
            row = connection.execute(select(tables.instruments).where(tables.instruments.c.symbol == symbol)).mappings().one_or_none()
        return as_of, None if row is None else dict(row) | {"specification": msgspec.json.decode(row["specification"])}

    def flow(
        self, flow: str, subject: str | None, from_ns: int, to_ns: int, resolution: str, time_zone: str
    ) -> tuple[int, list[tuple[int, str, int, str]]]:
        """(as of, (start of the bucket, kind, amount, unit) in order of time); see flows.py. Raises InputError for too many buckets."""
        wanted = Wanted(Flow(flow), subject, from_ns, to_ns, Resolution(resolution), ZoneInfo(time_zone))
        with self._reading() as connection:
            return _as_of(connection), [(point.period_start_ns, point.kind, point.value, point.unit) for point in series(connection, wanted)]

    def close(self) -> None:
        self.engine.dispose()


def _as_of(connection: Connection) -> int:
    return int(connection.execute(select(tables.meta.c.last_sequence)).scalar_one())


def _public_trade(row: RowMapping) -> dict[str, Any]:
    return {
        "instrument": row["symbol"],
        "number": row["trade_number"],
        "price": format_decimal(row["price_ticks"], row["price_decimals"]),
        "quantity": format_decimal(row["quantity_lots"], row["quantity_decimals"]),
        "side": "" if row["mode"] == "auction" else "sell" if row["taker_side"] else "buy",
        "at_ns": row["stamp_ns"],
        "mode": row["mode"],
    }
