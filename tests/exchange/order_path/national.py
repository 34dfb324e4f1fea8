"""A national carbon market to test with: allowances with daily limits and trading days, three members who know each other."""

import datetime
from typing import Any

from exchange.journal.record import CommandKind
from exchange.market.calendar import TIME_ZONE
from exchange.order_path.path import Exchange
from exchange.protocol.documents import InstrumentSpec
from exchange.units import NS_PER_SECOND
from matching.records import Side
from tests.exchange.order_path.park import Park, units_spec

BUY, SELL = int(Side.BUY), int(Side.SELL)
PERMISSIONS = ["cea_buy", "cea_sell", "ccer_buy", "ccer_sell", "pcc_buy", "pcc_sell"]


def at(time: str, day: str = "2026-07-15") -> int:
    """A local time of Shanghai in ns; the default day is a Wednesday."""
    return int(datetime.datetime.combine(datetime.date.fromisoformat(day), datetime.time.fromisoformat(time), TIME_ZONE).timestamp()) * NS_PER_SECOND


def allowance(symbol: str = "CEA25", **changes: Any) -> InstrumentSpec:
    """Story 7: previous close 62.00, listed limit 10 %, block limit 30 % from 100,000 t on."""
    terms: dict[str, Any] = {
        "calendar": "cea", "limit_ppm": 100_000, "previous_close_ticks": 6_200, "block_limit_ppm": 300_000, "block_min_lots": 100_000,
        "max_order_lots": 99_999, "maker_fee_tick_lot_micro": 3,
    }  # fmt: skip
    return units_spec(symbol, **(terms | changes))


class National(Park):
    """Wednesday 09:00 before the first session: `seller` owns 500,000 t, `buyer` and `third` have cash."""

    def __init__(self, exchange: Exchange | None = None, *specs: InstrumentSpec) -> None:
        super().__init__(exchange)
        self.now_ns = at("09:00")
        self.seller = self.admit("CO1", "enterprise", PERMISSIONS, cash_cny=1_000_000)
        self.buyer = self.admit("CO2", "enterprise", PERMISSIONS, cash_cny=50_000_000)
        self.third = self.admit("CO3", "enterprise", PERMISSIONS, cash_cny=1_000_000)
        self.instruments = self.list(*(specs or (allowance(),)))
        self.cea = self.instruments[0]
        self.symbol = self.exchange.instrument_by_id(self.cea).symbol
        self.issue(self.seller, self.symbol, 500_000)
        self.prepared = len(self.log)

    def go(self, time: str, day: str = "2026-07-15") -> Any:
        """Let the clock run up to a local time."""
        return self.tick(at(time, day))

    def trade(self, price_ticks: int, lots: int) -> Any:
        """A listed trade from `seller` to `buyer`; the outcome of the buyer's order."""
        assert self.place(self.seller, self.cea, SELL, price_ticks, lots)["code"] == 0
        outcome = self.place(self.buyer, self.cea, BUY, price_ticks, lots)
        assert (outcome["code"], outcome["filled_lots"]) == (0, lots)
        return outcome

    def band(self) -> tuple[int, int]:
        """The band that admission reads."""
        instrument = self.exchange.instrument_by_id(self.cea)
        row = self.exchange.state.instruments[instrument.slot]
        return int(row.band_low_ticks), int(row.band_high_ticks)

    def void(self) -> Any:
        """A command that moves nothing but time."""
        return self.send(self.record(CommandKind.TICK, 0))
