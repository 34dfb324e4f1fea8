"""The daily reference price within the fold: listed trades are counted as they are drained, and the day's last close fixes the price.

Block trades and auction allotments are executions of other kinds, so they never enter the close.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from exchange.carbon.calendar import month_at
from exchange.market.instruments import Instrument, Instruments
from exchange.order_path.level import Level
from exchange.order_path.orders import expire_outside_band
from exchange.order_path.records import ExecutionKind
from exchange.order_path.state import PathState
from exchange.protocol.instrument_class import InstrumentClass

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange


def count_listed_trades(instruments: Instruments, executions: NDArray[np.void]) -> None:
    """Add the trades of instruments with a daily limit to their day. `executions`: EXECUTION records in order."""
    trades = executions[executions["kind"] == int(ExecutionKind.TRADE)]
    for instrument_id, reference in instruments.references.items():
        own = trades[trades["instrument"] == instrument_id]
        if len(own):
            prices, lots = own["price_ticks"].tolist(), own["quantity_lots"].tolist()
            reference.add_trades(sum(price * quantity for price, quantity in zip(prices, lots, strict=True)), sum(lots))


def apply_band(state: PathState, instrument: Instrument) -> None:
    """The band that the previous close gives becomes the one that admission reads. Modifies the state in place."""
    band = instrument.band
    row = state.instruments[instrument.slot]
    row.band_low_ticks, row.band_high_ticks = band.low_ticks, band.high_ticks


def fix_close(exchange: "Exchange", instrument: Instrument) -> None:
    """The last session of a day has ended: fix the close, take over the next day's band, withdraw the orders that lie outside it.

    No session lies between this moment and the next opening, so the new band is in force from there on. Does nothing without a daily limit.
    """
    reference = instrument.reference
    if reference is None:
        return
    exchange.drain_output()
    traded_lots = reference.traded_lots
    if instrument.instrument_class is InstrumentClass.CEA and exchange.level >= Level.VALUE_CHAIN:
        turnover_micro = reference.turnover_tick_lots * instrument.spec.multiplier_micro
        exchange.rooms.credits.prices.add(month_at(exchange.now_ns), turnover_micro, traded_lots)
    close_ticks = reference.fix_close()
    apply_band(exchange.state, instrument)
    exchange.make_output_room(int(exchange.state.instruments[instrument.slot].open_orders))
    expire_outside_band(exchange.state, instrument.slot)
    band = instrument.band
    exchange.notify(
        "close",
        {
            "symbol": instrument.symbol, "close_ticks": close_ticks, "traded_lots": traded_lots, "band_low_ticks": band.low_ticks,
            "band_high_ticks": band.high_ticks,
        },
    )  # fmt: skip
