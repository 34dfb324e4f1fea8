"""What the shell shows: tables and lines from the structs of the SDK. Decimals are shown as they came."""

import datetime
from collections.abc import Iterable
from typing import Final
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

from clients.cli.shell.reject_words import CHINESE, ENGLISH_ADVICE
from clients.cli.shell.words import Language, say
from clients.sdk import Depth, Order, RequestRefused, Statement
from exchange.protocol import messages as m

ZONE: Final = ZoneInfo("Asia/Shanghai")
_LEFT: Final = frozenset({"symbol", "phase", "unit", "side", "status", "item", "until", "closes", "time"})


def clock_time(at_ns: int) -> str:
    """Wall time of the park, to the second."""
    return datetime.datetime.fromtimestamp(at_ns // 10**9, ZONE).strftime("%m-%d %H:%M:%S") if at_ns else ""


def cny(amount_micro: int) -> str:
    """Micro-CNY as yuan, exact, at least to the fen."""
    whole, rest = divmod(abs(amount_micro), 10**6)
    decimals = f"{rest:06}".rstrip("0").ljust(2, "0")
    return f"{'-' if amount_micro < 0 else ''}{whole:,}.{decimals}"


def kwh(energy_wh: int) -> str:
    """Wh as kWh, exact."""
    whole, rest = divmod(abs(energy_wh), 1000)
    return f"{'-' if energy_wh < 0 else ''}{whole:,}.{rest:03}"


class View:
    """Writes to a console in a language."""

    def __init__(self, console: Console, language: Language) -> None:
        self.console = console
        self.language: Language = language

    def say(self, key: str, **values: object) -> str:
        return say(self.language, key, **values)

    def line(self, key: str, *, style: str = "", **values: object) -> None:
        """One line of text; symbols in it are not markup."""
        self.text(self.say(key, **values), style)

    def text(self, text: str, style: str = "") -> None:
        self.console.print(text, style=style or None, markup=False, highlight=False, soft_wrap=True)

    def refusal(self, error: RequestRefused) -> str:
        """Code, message, and what to do."""
        code = int(error.code)
        message = CHINESE.get(code, error.message) if self.language == "zh" else error.message
        if self.language == "en" and code in ENGLISH_ADVICE:
            message = f"{message}; {ENGLISH_ADVICE[code]}"
        text = self.say("refused", code=code, message=message)
        data = error.data if isinstance(error.data, dict) else {}
        text += self.say("rule", rule=data["rule"]) if "rule" in data else ""
        text += self.say("leg", leg=int(data["leg"]) + 1) if "leg" in data else ""
        if error.retry_after_s is not None:
            text += self.say("retry", seconds=f"{error.retry_after_s:g}")
        return text

    def table(self, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
        """Rows under the words of the columns; a line that says so when there are none."""
        table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 3, 0, 0))
        for column in columns:
            table.add_column(self.say(column), justify="left" if column in _LEFT else "right", no_wrap=True)
        for row in rows:
            table.add_row(*row)
        if table.row_count:
            self.console.print(table, markup=False, highlight=False)
        else:
            self.line("none")

    def instruments(self, instruments: list[m.InstrumentResult]) -> None:
        columns = ("symbol", "phase", "unit", "price", "quantity", "band", "closes")
        rows = (
            (i.symbol, i.phase, i.unit, _step(i.price_decimals), _step(i.quantity_decimals), f"{i.band_low}..{i.band_high}", clock_time(i.close_ns))
            for i in instruments
        )
        self.table(columns, rows)

    def quotes(self, quotes: Iterable[m.Quote]) -> None:
        columns = ("symbol", "bid_quantity", "bid", "ask", "ask_quantity", "last")
        self.table(columns, ((q.instrument, *(v or "-" for v in (q.bid_quantity, q.bid, q.ask, q.ask_quantity, q.last))) for q in quotes))

    def book(self, depth: Depth) -> None:
        blank = ("", "", "")
        length = max(len(depth.bids), len(depth.asks))
        bids = [(str(b.orders), b.quantity, b.price) for b in depth.bids] + [blank] * (length - len(depth.bids))
        asks = [(a.price, a.quantity, str(a.orders)) for a in depth.asks] + [blank] * (length - len(depth.asks))
        columns = ("orders_column", "bid_quantity", "bid", "ask", "ask_quantity", "orders_column")
        self.table(columns, ((*b, *a) for b, a in zip(bids, asks, strict=True)))

    def orders(self, orders: Iterable[Order]) -> None:
        columns = ("order_id", "symbol", "side", "remaining", "price", "filled_column", "status", "label")
        rows = (
            (str(o.order_id), o.instrument, self.say(o.side), o.remaining, o.price or "-", o.filled, self.say(o.status), str(o.label))
            for o in sorted(orders, key=lambda o: o.order_id)
        )
        self.table(columns, rows)

    def balances(self, money: m.BalancesResult) -> None:
        self.table(("balance", "held", "available"), [(cny(money.balance_micro), cny(money.held_micro), cny(money.available_micro))])

    def positions(self, positions: Iterable[m.PositionResult]) -> None:
        columns = ("symbol", "net", "contract", "open_buy", "open_sell", "locked", "held")
        rows = ((p.instrument, p.net, p.contract, p.open_buy, p.open_sell, p.locked, cny(p.held_micro)) for p in positions)
        self.table(columns, rows)

    def auctions(self, auctions: Iterable[m.Indication]) -> None:
        rows = ((a.instrument, a.phase, clock_time(a.end_ns), a.price or "-", a.volume) for a in auctions)
        self.table(("symbol", "phase", "until", "price", "volume"), rows)

    def statement(self, statement: Statement) -> None:
        rows = [(line.item, kwh(line.energy_wh) if line.energy_wh else "", cny(line.amount_micro), line.status) for line in statement.lines]
        self.table(("item", "energy", "amount", "status"), [*rows, (self.say("total"), "", cny(statement.total_micro), "")])

    def status(self, status: m.StatusResult, clock_offset_ns: int) -> None:
        columns = ("time", "epoch", "sequence", "sessions", "accepting", "clock")
        values = (clock_time(status.now_ns), status.epoch, status.sequence, status.sessions, status.accepting, f"{clock_offset_ns / 1e9:.3f}")
        self.table(columns, [tuple(str(value) for value in values)])

    def placed(self, order: Order) -> None:
        text = self.say("order", id=order.order_id, status=self.say(order.status), filled=order.filled, remaining=order.remaining)
        if order.average_price is not None:
            text += self.say("order_average", price=order.average_price)
        self.text(text)

    def execution(self, event: m.Execution) -> None:
        """One own event on one line."""
        what = f"{self.say(event.kind)} · {self.say(event.side)} {event.quantity if event.kind == 'trade' else event.remaining}"
        about = f" · {event.reason}" if event.reason else ""
        self.text(f"{clock_time(event.at_ns)} {event.instrument} {event.order_id or ''} {what} @ {event.price}{about}", "cyan")

    def public_trade(self, trade: m.PublicTrade) -> None:
        self.text(f"{clock_time(trade.at_ns)} {trade.instrument} {self.say(trade.side)} {trade.quantity} @ {trade.price} {trade.mode}", "dim")

    def top(self, symbol: str, depth: Depth) -> None:
        self.text(f"{symbol}  {top_of(depth)}", "dim")


def top_of(depth: Depth) -> str:
    """Best bid and ask on one line."""
    bid = f"{depth.bids[0].quantity} × {depth.bids[0].price}" if depth.bids else "-"
    ask = f"{depth.asks[0].price} × {depth.asks[0].quantity}" if depth.asks else "-"
    return f"{bid} | {ask}"


def _step(decimals: int) -> str:
    return "1" if decimals == 0 else f"0.{'1'.rjust(decimals, '0')}"
