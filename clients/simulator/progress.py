"""What a running demo shows: a live panel on a terminal, plain lines elsewhere."""

import datetime
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self
from zoneinfo import ZoneInfo

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from exchange.units import NS_PER_SECOND

_LINE_EVERY_S: Final = 5.0
_REFRESH_PER_S: Final = 4


@dataclass(slots=True)
class DemoState:
    """Counters of a running demo; whoever learns something writes it here."""

    periods: int
    zone: ZoneInfo
    url: str = ""
    now_ns: int = 0
    period: str = "before delivery"
    metered: int = 0
    orders: dict[str, int] = field(default_factory=dict)
    ack_ms_p99: dict[str, float] = field(default_factory=dict)
    trades: int = 0
    power_lots: int = 0
    last_prices: dict[str, str] = field(default_factory=dict)
    began_s: float = field(default_factory=time.monotonic)

    @property
    def order_count(self) -> int:
        return sum(self.orders.values())

    @property
    def worst_ack_ms(self) -> float:
        return max(self.ack_ms_p99.values(), default=0.0)

    @property
    def newest_price(self) -> str:
        """Where and at what price the last trade was; nothing before the first one."""
        newest = next(reversed(self.last_prices.items()), None)
        return f"  last {newest[0]} {newest[1]}" if newest else ""

    @property
    def local_time(self) -> str:
        """Market time in the park's zone."""
        return datetime.datetime.fromtimestamp(self.now_ns // NS_PER_SECOND, self.zone).strftime("%Y-%m-%d %H:%M")


class Progress:
    """Shows a state until it is closed. `say` writes a line above the live panel."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._state: DemoState | None = None
        self._last_line_s = 0.0
        self._last_orders = (0.0, 0)
        self._rate = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.hide()

    def say(self, text: str) -> None:
        """One line that stays."""
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)

    def show(self, state: DemoState) -> None:
        """Begin to show a running market."""
        self._state = state
        if self._console.is_terminal:
            self._live = Live(self._panel(), console=self._console, refresh_per_second=_REFRESH_PER_S, transient=True, get_renderable=self._panel)
            self._live.start()

    def hide(self) -> None:
        """Stop showing; what was said stays."""
        if self._live is not None:
            self._live.stop()
            self._live = None
        self._state = None

    def update(self) -> None:
        """To be called now and then: measures the rate, and writes a plain line every few seconds where there is no terminal."""
        state, now_s = self._state, time.monotonic()
        if state is None:
            return
        before_s, before = self._last_orders
        if now_s - before_s >= 1.0:
            self._rate = (state.order_count - before) / (now_s - before_s) if before_s else 0.0
            self._last_orders = (now_s, state.order_count)
        if self._live is None and now_s - self._last_line_s >= _LINE_EVERY_S:
            self._last_line_s = now_s
            self.say(
                f"{state.local_time}  {state.period}  metered {state.metered}/{state.periods}  orders {state.order_count} "
                f"({self._rate:.0f}/s)  trades {state.trades}{state.newest_price}  p99 order-to-ack {state.worst_ack_ms:.1f} ms"
            )

    def _panel(self) -> RenderableType:
        state = self._state
        if state is None:
            return Text()
        table = Table.grid(padding=(0, 3))
        table.add_row("market time", state.local_time, "orders", f"{state.order_count:,}  {self._rate:,.0f}/s")
        table.add_row("delivering", state.period, "trades", f"{state.trades:,}  {state.power_lots / 10:,.1f} kWh")
        table.add_row("page", state.url, "order-to-ack p99", f"{state.worst_ack_ms:.1f} ms")
        prices = "   ".join(f"{symbol} {price}" for symbol, price in list(state.last_prices.items())[-4:])
        bar = ProgressBar(total=max(1, state.periods), completed=state.metered)
        return Group(table, Text(f"last prices  {prices}", overflow="ellipsis", no_wrap=True), bar)
