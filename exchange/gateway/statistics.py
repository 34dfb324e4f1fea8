"""Running counts since the node started, and the last trades: what the page shows while a read model is not there or still behind."""

from collections import Counter, deque
from typing import Final

import numpy as np

from exchange.gateway.ports import ExchangeView
from exchange.journal.record import CommandKind
from exchange.order_path.path import BatchResult
from exchange.order_path.records import TRADE_KINDS, OutcomeFlag, trade_mode
from exchange.units import POWER_LOT_WH

_RECENT_TRADES: Final = 1_000
_NEW_ORDERS: Final = (int(CommandKind.PLACE), int(CommandKind.BASKET))


class Statistics:
    """`on_batch` is a listener of the node. `orders` are accepted new orders, `rejects` refused order commands by code."""

    def __init__(self, exchange: ExchangeView) -> None:
        self._exchange = exchange
        self.orders = 0
        self.trades = 0
        self.energy_traded_wh = 0
        self.rejects: Counter[int] = Counter()
        # (command sequence, instrument id, trade number, price_ticks, quantity_lots, taker side, stamp_ns, mode)
        self.recent_trades: deque[tuple[int, int, int, int, int, int, int, str]] = deque(maxlen=_RECENT_TRADES)

    def on_batch(self, batch: BatchResult) -> None:
        kinds, codes = batch.records["kind"], batch.outcomes["code"]
        fresh = (batch.outcomes["flags"] & int(OutcomeFlag.DUPLICATE)) == 0
        self.orders += int(np.count_nonzero(np.isin(kinds, _NEW_ORDERS) & (codes == 0) & fresh))
        refused = codes[(codes != 0) & fresh & (kinds >= int(CommandKind.PLACE)) & (kinds <= int(CommandKind.BASKET))]
        for code in refused.tolist():
            self.rejects[code] += 1
        executions = batch.executions
        if len(executions):
            self._count_trades(executions[np.isin(executions["kind"], TRADE_KINDS)])

    def _count_trades(self, trades: "np.ndarray[tuple[int], np.dtype[np.void]]") -> None:
        self.trades += len(trades)
        fields = ["sequence", "instrument", "trade_number", "price_ticks", "quantity_lots", "side", "stamp_ns", "kind", "reason"]
        for sequence, instrument_id, number, price, quantity, side, stamp_ns, kind, reason in trades[fields].tolist():
            self.recent_trades.append((sequence, instrument_id, number, price, quantity, side, stamp_ns, trade_mode(kind, reason)))
            # One lot of a block is one lot in each of its quarter-hours; units have none.
            self.energy_traded_wh += quantity * POWER_LOT_WH * self._exchange.instrument_by_id(instrument_id).periods
