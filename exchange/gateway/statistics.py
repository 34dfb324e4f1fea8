"""Running counts since the node started, and the last trades: what the page shows while a read model is not there or still behind."""

from collections import Counter, deque
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exchange.gateway.ports import ExchangeView
from exchange.journal.record import CommandKind
from exchange.order_path.path import BatchResult
from exchange.order_path.records import EXECUTION, OUTCOME, TRADE_KINDS, OutcomeFlag, joined, trade_mode
from exchange.units import POWER_LOT_WH

_RECENT_TRADES: Final = 1_000
_COUNTED_TOGETHER: Final = 4_096  # commands
_ROW_BYTES: Final = np.dtype((np.void, EXECUTION.itemsize))
_SHOWN: Final = ["sequence", "instrument", "trade_number", "price_ticks", "quantity_lots", "side", "stamp_ns", "kind", "reason"]
_NEW_ORDERS: Final = (int(CommandKind.PLACE), int(CommandKind.BASKET))


# (command sequence, instrument id, trade number, price_ticks, quantity_lots, taker side, stamp_ns, mode)
RecentTrade = tuple[int, int, int, int, int, int, int, str]


class Statistics:
    """`on_batch` is a listener of the node. `orders` are accepted new orders, `rejects` refused order commands by code.

    Batches are counted when somebody asks, or when they are many.
    """

    def __init__(self, exchange: ExchangeView) -> None:
        self._exchange = exchange
        self._orders = 0
        self._trades = 0
        self._energy_traded_wh = 0
        self._rejects: Counter[int] = Counter()
        self._recent: deque[NDArray[np.void]] = deque()  # EXECUTION rows of trades
        self._n_recent = 0
        self._uncounted: list[BatchResult] = []
        self._n_uncounted = 0

    @property
    def orders(self) -> int:
        self._count()
        return self._orders

    @property
    def trades(self) -> int:
        self._count()
        return self._trades

    @property
    def energy_traded_wh(self) -> int:
        self._count()
        return self._energy_traded_wh

    @property
    def rejects(self) -> Counter[int]:
        self._count()
        return self._rejects

    @property
    def recent_trades(self) -> list[RecentTrade]:
        """The last of them, oldest first."""
        self._count()
        rows = [row for trades in self._recent for row in trades[_SHOWN].tolist()][-_RECENT_TRADES:]
        return [(*row[:7], trade_mode(row[7], row[8])) for row in rows]

    def on_batch(self, batch: BatchResult) -> None:
        self._uncounted.append(batch)
        self._n_uncounted += len(batch.records)
        if self._n_uncounted >= _COUNTED_TOGETHER:
            self._count()

    def _count(self) -> None:
        if not self._uncounted:
            return
        batches, self._uncounted, self._n_uncounted = self._uncounted, [], 0
        kinds = np.concatenate([batch.records["kind"] for batch in batches])
        outcomes = joined([batch.outcomes for batch in batches], OUTCOME)
        codes = outcomes["code"]
        fresh = (outcomes["flags"] & int(OutcomeFlag.DUPLICATE)) == 0
        self._orders += int(np.count_nonzero(np.isin(kinds, _NEW_ORDERS) & (codes == 0) & fresh))
        refused = codes[(codes != 0) & fresh & (kinds >= int(CommandKind.PLACE)) & (kinds <= int(CommandKind.BASKET))]
        self._rejects.update(refused.tolist())
        executions = joined([batch.executions for batch in batches], EXECUTION)
        is_trade = np.isin(executions["kind"], TRADE_KINDS)
        if np.count_nonzero(is_trade):
            self._count_trades(executions.view(_ROW_BYTES)[is_trade].view(EXECUTION))

    def _count_trades(self, trades: NDArray[np.void]) -> None:
        self._trades += len(trades)
        self._recent.append(trades[-_RECENT_TRADES:])
        self._n_recent += len(self._recent[-1])
        while self._n_recent - len(self._recent[0]) >= _RECENT_TRADES:
            self._n_recent -= len(self._recent.popleft())
        instruments, inverse = np.unique(trades["instrument"], return_inverse=True)
        lots = np.zeros(len(instruments), np.int64)
        np.add.at(lots, inverse, trades["quantity_lots"])
        for instrument_id, quantity in zip(instruments.tolist(), lots.tolist(), strict=True):
            # One lot of a block is one lot in each of its quarter-hours; units have none.
            self._energy_traded_wh += quantity * POWER_LOT_WH * self._exchange.instrument_by_id(instrument_id).periods
