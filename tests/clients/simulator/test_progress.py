"""What a running demo shows where there is a terminal, and where there is none."""

import io
from zoneinfo import ZoneInfo

from rich.console import Console

from clients.simulator.progress import DemoState, Progress
from exchange.units import NS_PER_HOUR

NOON_NS = 1_784_088_000_000_000_000  # 2026-07-15 12:00 in Shanghai


def running() -> DemoState:
    return DemoState(
        periods=96, zone=ZoneInfo("Asia/Shanghai"), url="http://127.0.0.1:8765", now_ns=NOON_NS, period="GP-20260715-1145", metered=47,
        orders={"bots 1": 1_000, "bots 2": 234}, ack_ms_p99={"bots 1": 3.25, "bots 2": 7.5}, trades=99, power_lots=12_345,
        last_prices={"CEA25": "62.00", "GP-20260715-1230": "0.4160"},
    )  # fmt: skip


def shown(state: DemoState, *, terminal: bool) -> str:
    out = io.StringIO()
    with Progress(Console(file=out, width=200, force_terminal=terminal)) as progress:
        progress.show(state)
        progress.update()
    return out.getvalue()


def test_a_plain_line_tells_period_orders_trades_price_and_latency() -> None:
    (line,) = shown(running(), terminal=False).splitlines()
    assert line == (
        "2026-07-15 12:00  GP-20260715-1145  metered 47/96  orders 1234 (0/s)  trades 99  last GP-20260715-1230 0.4160  p99 order-to-ack 7.5 ms"
    )


def test_before_the_first_trade_there_is_no_price() -> None:
    state = running()
    state.last_prices, state.trades = {}, 0
    assert "trades 0  p99 order-to-ack" in shown(state, terminal=False)


def test_the_time_is_the_parks() -> None:
    state = running()
    state.now_ns = NOON_NS + 12 * NS_PER_HOUR
    assert shown(state, terminal=False).startswith("2026-07-16 00:00")


def test_the_panel_of_a_terminal_tells_the_same() -> None:
    panel = shown(running(), terminal=True)
    for words in ("2026-07-15 12:00", "GP-20260715-1145", "1,234", "1,234.5 kWh", "http://127.0.0.1:8765", "7.5 ms", "GP-20260715-1230 0.4160"):
        assert words in panel
