"""Invariants 7 and 8, energy: every settled day balances at the grid, and for every member traded + imbalance = metered."""

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from exchange.maintenance.invariants.interface import Finding, breach
from exchange.market.instruments import Instrument
from exchange.order_path.path import BatchResult, Exchange
from exchange.order_path.records import TRADE_KINDS
from exchange.protocol.documents import SettleDay
from exchange.readmodel.rows import accepted_documents
from exchange.settlement.statement import DaySettlement, LineItem, Statement
from exchange.units import PERIOD_NS, POWER_LOT_WH
from matching.records import Side

Energies = defaultdict[int, defaultdict[int, int]]  # Wh by period start and account


class EnergyWatch:
    """Energy bought and sold from the trades, by quarter-hour and account, against the statements of the day."""

    def __init__(self) -> None:
        self._bought_wh: Energies = defaultdict(lambda: defaultdict(int))
        self._sold_wh: Energies = defaultdict(lambda: defaultdict(int))
        self._is_whole = True
        self._days: set[str] = set()
        self._statements = 0

    def begin(self, exchange: Exchange) -> None:
        # Trades before a snapshot are not told again; the balance of the meters is looked at all the same.
        self._is_whole = exchange.last_sequence == 0

    def see(self, batch: BatchResult, exchange: Exchange) -> None:
        trades = batch.executions[np.isin(batch.executions["kind"], TRADE_KINDS)]
        if len(trades) and self._is_whole:
            self._count(trades, exchange)
        for notice in batch.notices:
            if notice.kind == "settled":
                self._days.add(notice.data["day"])
                self._check_day(notice.data["day"], exchange, batch, notice.sequence)

    def conclude(self, _exchange: Exchange) -> Finding:
        checked = f"{len(self._days)} settled days balance at the grid; {self._statements:,} statements: traded + imbalance = metered"
        return Finding("7, 8", "energy", checked)

    def _count(self, trades: NDArray[np.void], exchange: Exchange) -> None:
        taker_buys = trades["side"] == int(Side.BUY)
        taker, maker = trades["account"].astype(np.int64), trades["counter_account"].astype(np.int64)
        n_accounts = int(max(taker.max(), maker.max())) + 1
        ids, place = np.unique(trades["instrument"], return_inverse=True)
        starts_ns = [_starts_ns(exchange.instrument_by_id(instrument_id)) for instrument_id in ids.tolist()]
        for table, account in ((self._bought_wh, np.where(taker_buys, taker, maker)), (self._sold_wh, np.where(taker_buys, maker, taker))):
            # Instrument and account in one number, so that they are sorted as one.
            keys, inverse = np.unique(place * n_accounts + account, return_inverse=True)
            lots = np.bincount(inverse, trades["quantity_lots"]).astype(np.int64)  # a batch's lots are far below 2^53
            for key, of_lots in zip(keys.tolist(), lots.tolist(), strict=True):
                at, of_account = divmod(key, n_accounts)
                for start_ns in starts_ns[at]:
                    table[start_ns][of_account] += of_lots * POWER_LOT_WH

    def _check_day(self, day: str, exchange: Exchange, batch: BatchResult, sequence: int) -> None:
        settlement = exchange.settlement(day)
        if settlement is None:
            raise breach("8", f"day {day} is settled and has no settlement", sequence)
        supply_wh = settlement.generation_wh + settlement.grid_import_wh
        use_wh = settlement.consumption_wh + settlement.grid_export_wh + settlement.losses_wh
        if supply_wh != use_wh or settlement.max_balance_error_wh:
            raise breach("7", f"energy of {day} does not balance: {supply_wh} Wh in, {use_wh} Wh out", sequence)
        for statement in settlement.statements:
            self._statements += 1
            _check_statement(statement, sequence)
        documents = {number: document for number, document, _ in accepted_documents(batch)}
        document = documents.get(sequence)
        if self._is_whole and isinstance(document, SettleDay) and document.run == 1:
            self._compare_trades(settlement, document, sequence)

    def _compare_trades(self, settlement: DaySettlement, document: SettleDay, sequence: int) -> None:
        """The statements' energies are those of the trades of the periods that this command settled."""
        for item, table in ((LineItem.ENERGY_BOUGHT, self._bought_wh), (LineItem.ENERGY_SOLD, self._sold_wh)):
            traded: defaultdict[int, int] = defaultdict(int)
            for start_ns in [start for start in table if document.day_start_ns <= start < document.day_end_ns]:
                for account, energy_wh in table.pop(start_ns).items():
                    traded[account] += energy_wh
            for statement in settlement.statements:
                if statement.energy_wh(item) != traded.get(statement.account, 0):
                    raise breach("8", f"energy of account {statement.account} on {settlement.day} is not that of its trades", sequence)


def _starts_ns(instrument: Instrument) -> range:
    """Of the quarter-hours that an instrument delivers power in."""
    spec = instrument.spec
    return range(spec.delivery_start_ns, spec.delivery_end_ns, PERIOD_NS) if instrument.is_power else range(0)


def _check_statement(statement: Statement, sequence: int) -> None:
    wh = statement.energy_wh
    metered_wh = statement.generation_wh - statement.consumption_wh
    imbalance_wh = metered_wh + wh(LineItem.ENERGY_BOUGHT) - wh(LineItem.ENERGY_SOLD) + wh(LineItem.CONTRACT_ENERGY) + wh(LineItem.GREEN_CONTRACT)
    if wh(LineItem.SURPLUS) - wh(LineItem.DEFICIT) != imbalance_wh:
        raise breach("8", f"traded and imbalance of account {statement.account} on {statement.day} are not what was metered", sequence)
