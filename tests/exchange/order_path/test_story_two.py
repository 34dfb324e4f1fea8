"""A continuous session to gate closure, as the second story of the demo park tells it: fill-or-kill, an iceberg in clips, an all-or-none block.

Connections of 10 MW: 2,500 kWh, 25,000 lots a quarter-hour. Park fee 0.04 CNY/kWh, taker fee 0.0005 and maker fee 0.0002 CNY/kWh.
"""

import numpy as np

from exchange.journal.record import CommandFlag
from exchange.order_path.check import check_exchange
from exchange.order_path.records import ExecutionKind
from exchange.protocol.reject_codes import RejectCode
from exchange.units import MICRO_PER_CNY, NS_PER_MINUTE, PERIOD_NS
from matching.records import Reason, Side, TimeInForce
from tests.exchange.order_path.park import DAY_NS, OPEN_NS, Park, block_spec, power_spec

BUY, SELL = int(Side.BUY), int(Side.SELL)
KWH = 10  # lots
GATE_NS = DAY_NS + 40 * PERIOD_NS - 5 * NS_PER_MINUTE


class Session(Park):
    """Three enterprises and two generators in four quarter-hours from 10:00 and the block over them."""

    def __init__(self) -> None:
        super().__init__()
        power = ["power_buy", "power_sell"]
        self.e05, self.e06, self.e07 = (self.admit(name, "enterprise", power, 0, 2_500 * KWH, cash_cny=20_000) for name in ("E05", "E06", "E07"))
        self.pv01, self.pv02 = (self.admit(name, "generator", power, -2_500 * KWH, 0, cash_cny=20_000) for name in ("PV01", "PV02"))
        *self.quarters, self.block = self.list(*(power_spec(40 + i) for i in range(4)), block_spec("MORNING"))
        self.tick(OPEN_NS)

    def held_cny(self, account: int) -> float:
        return self.exchange.balances(account).held_micro / MICRO_PER_CNY

    def net_kwh(self, account: int) -> list[int]:
        return [int(self.exchange.state.positions[slot, account].net_lots) // KWH for slot in range(4)]


def test_fill_or_kill_of_200_kwh_fills_or_dies() -> None:
    session = Session()
    session.place(session.pv01, session.quarters[0], SELL, 4_800, 150 * KWH)
    dies = session.place(session.e05, session.quarters[0], BUY, 5_000, 200 * KWH, time_in_force=TimeInForce.FOK)
    assert dies["code"] == RejectCode.FILL_OR_KILL_UNFILLABLE
    assert (session.net_kwh(session.e05), session.held_cny(session.e05)) == ([0, 0, 0, 0], 0)
    session.place(session.pv02, session.quarters[0], SELL, 5_000, 100 * KWH)
    fills = session.place(session.e05, session.quarters[0], BUY, 5_000, 200 * KWH, time_in_force=TimeInForce.FOK)
    assert (fills["code"], fills["filled_lots"], fills["notional_micro"]) == (0, 200 * KWH, (150 * 48 + 50 * 50) * 10_000)
    assert session.held_cny(session.e05) == 8.0  # the park fee of 200 kWh


def test_an_iceberg_of_2_000_kwh_in_clips_of_250() -> None:
    session = Session()
    iceberg = {"flags": CommandFlag.ICEBERG, "display_lots": 250 * KWH}
    session.place(session.e06, session.quarters[1], BUY, 4_500, 2_000 * KWH, **iceberg)
    assert session.held_cny(session.e06) == 2_000 * (0.45 + 0.04 + 0.0005)
    (level,) = session.exchange.depth("GP-20260715-1015", BUY, 5)
    assert level["quantity_lots"] == 250 * KWH
    session.place(session.e07, session.quarters[1], BUY, 4_500, 100 * KWH)
    result = session.send(
        session.record(16, session.pv01, instrument=session.quarters[1], side=SELL, price_ticks=4_500, quantity_lots=600 * KWH)
    )
    kinds = [ExecutionKind(int(row["kind"])).name for row in result.executions]
    assert kinds == ["TRADE", "REFILLED", "TRADE", "TRADE", "REFILLED"]
    trades = result.executions[result.executions["kind"] == ExecutionKind.TRADE]
    assert (trades["quantity_lots"] // KWH).tolist() == [250, 100, 250]  # a new clip stands behind what came meanwhile
    assert trades["counter_account"].tolist() == [session.e06, session.e07, session.e06]
    assert session.net_kwh(session.e06)[1] == 500
    (order,) = session.exchange.open_orders(session.e06)
    assert (order.remaining_lots, order.display_lots) == (1_500 * KWH, 250 * KWH)
    check_exchange(session.exchange)


def test_an_all_or_none_block_fills_in_all_four_or_rests() -> None:
    session = Session()
    session.place(session.e05, session.block, BUY, 5_000, 500 * KWH, flags=CommandFlag.ALL_OR_NONE)
    assert session.held_cny(session.e05) == 4 * 500 * (0.50 + 0.04 + 0.0005)
    session.place(session.pv01, session.block, SELL, 4_900, 400 * KWH)
    assert (session.net_kwh(session.e05), session.net_kwh(session.pv01)) == ([0] * 4, [0] * 4)
    filled = session.place(session.pv02, session.block, SELL, 5_000, 100 * KWH)
    assert filled["filled_lots"] == 100 * KWH
    assert session.net_kwh(session.e05) == [500] * 4
    assert (session.net_kwh(session.pv01), session.net_kwh(session.pv02)) == ([-400] * 4, [-100] * 4)
    assert session.held_cny(session.e05) == 4 * 500 * 0.04
    check_exchange(session.exchange)


def test_at_closure_everything_expires_and_is_released() -> None:
    session = Session()
    quarter = session.quarters[0]
    session.place(session.e06, quarter, BUY, 4_500, 2_000 * KWH, flags=CommandFlag.ICEBERG, display_lots=250 * KWH)
    session.place(session.pv01, quarter, SELL, 4_500, 300 * KWH)
    session.place(session.e05, session.block, BUY, 5_000, 500 * KWH, flags=CommandFlag.ALL_OR_NONE)
    session.place(session.pv02, session.block, SELL, 5_500, 400 * KWH)
    session.place(session.e07, quarter, BUY, 4_400, 50 * KWH, flags=CommandFlag.STOP, stop_ticks=4_600)
    result = session.tick(GATE_NS)
    expired = result.executions
    assert set(expired["reason"].tolist()) == {Reason.EXPIRED}
    assert np.unique(expired["order_id"]).size == len(expired) == 4
    assert [session.exchange.open_orders(account) for account in (session.e05, session.e06, session.e07, session.pv01, session.pv02)] == [[]] * 5
    assert [session.held_cny(account) for account in (session.e05, session.e07, session.pv02)] == [0, 0, 0]
    assert session.held_cny(session.e06) == 300 * 0.04
    assert session.held_cny(session.pv01) == 300 * (0.65 - 0.45)
    check_exchange(session.exchange)
