"""Running counts since the node started, and the last trades: what the page shows while a read model is not there or still behind."""

from collections import Counter, deque
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exchange.gateway.ports import ExchangeView
from exchange.journal.record import CommandKind
from exchange.order_path.path import BatchResult
from exchange.order_path.records import EXECUTION, TRADE_KINDS, OutcomeFlag, trade_mode
from exchange.units import POWER_LOT_WH

_RECENT_TRADES: Final = 1_000
_ROW_BYTES: Final = np.dtype((np.void, EXECUTION.itemsize))
_SHOWN: Final = ["sequence", "instrument", "trade_number", "price_ticks", "quantity_lots", "side", "stamp_ns", "kind", "reason"]
_NEW_ORDERS: Final = (int(CommandKind.PLACE), int(CommandKind.BASKET))


# (command sequence, instrument id, trade number, price_ticks, quantity_lots, taker side, stamp_ns, mode)
RecentTrade = tuple[int, int, int, int, int, int, int, str]


class Statistics:
    """`on_batch` is a listener of the node. `orders` are accepted new orders, `rejects` refused order commands by code."""

    def __init__(self, exchange: ExchangeView) -> None:
        self._exchange = exchange
        self.orders = 0
        self.trades = 0
        self.energy_traded_wh = 0
        self.rejects: Counter[int] = Counter()
        self._recent: deque[NDArray[np.void]] = deque()  # EXECUTION rows of trades, a batch each
        self._n_recent = 0

    @property
    def recent_trades(self) -> list[RecentTrade]:
        """The last of them, oldest first."""
        rows = [row for trades in self._recent for row in trades[_SHOWN].tolist()][-_RECENT_TRADES:]
        return [(*row[:7], trade_mode(row[7], row[8])) for row in rows]

    def on_batch(self, batch: BatchResult) -> None:
        kinds, codes = batch.records["kind"], batch.outcomes["code"]
        fresh = (batch.outcomes["flags"] & int(OutcomeFlag.DUPLICATE)) == 0
        self.orders += int(np.count_nonzero(np.isin(kinds, _NEW_ORDERS) & (codes == 0) & fresh))
        refused = codes[(codes != 0) & fresh & (kinds >= int(CommandKind.PLACE)) & (kinds <= int(CommandKind.BASKET))]
        for code in refused.tolist():
            self.rejects[code] += 1
        executions = batch.executions
        if len(executions):
            is_trade = np.isin(executions["kind"], TRADE_KINDS)
            if np.count_nonzero(is_trade):
                self._count_trades(executions.view(_ROW_BYTES)[is_trade].view(EXECUTION))

    def _count_trades(self, trades: NDArray[np.void]) -> None:
        self.trades += len(trades)
        self._recent.append(trades[-_RECENT_TRADES:])
        self._n_recent += len(self._recent[-1])
        while self._n_recent - len(self._recent[0]) >= _RECENT_TRADES:
            self._n_recent -= len(self._recent.popleft())
        instruments, inverse = np.unique(trades["instrument"], return_inverse=True)
        lots = np.zeros(len(instruments), np.int64)
        np.add.at(lots, inverse, trades["quantity_lots"])
        for instrument_id, quantity in zip(instruments.tolist(), lots.tolist(), strict=True):
            # One lot of a block is one lot in each of its quarter-hours; units have none.
            self.energy_traded_wh += quantity * POWER_LOT_WH * self._exchange.instrument_by_id(instrument_id).periods
