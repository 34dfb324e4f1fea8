"""Certificates, allowances and credits: programmes of participants are worked off in steps over the days of a run, in the books of the exchange.

Steps lie within the sessions of the national carbon market; books around the clock are traded at the same times. Who acts first in a step is drawn.
"""

import datetime
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.agents.compliance import slice_lots, slice_price_ticks
from clients.laboratory.draws import EVERYBODY, Purpose, bits, more
from clients.laboratory.run.record import UNIT_TRADE
from clients.laboratory.run.virtual_exchange import VirtualExchange
from clients.laboratory.scenario.model import Scenario
from clients.scenarios.model import UnitProgramme
from clients.scenarios.periods import local_time_ns
from clients.simulator.listing import unit_instrument
from exchange.journal.record import COMMAND, RECORD_VERSION, CommandFlag, CommandKind
from exchange.order_path.records import ExecutionKind
from exchange.protocol.documents import IssueUnits, ListInstruments
from matching.records import Side, TimeInForce

TIMES: Final = tuple(datetime.time(hour, minute) for hour in (9, 10, 13, 14) for minute in (40, 50))


@dataclass(slots=True)
class _Desk:
    """One programme at work. `owned_lots` when the run began."""

    row: int
    account: int
    symbol: str
    programme: UnitProgramme
    owned_lots: int


@dataclass(slots=True, eq=False)
class UnitMarket:
    """All unit books of a run. Nothing happens where no participant has a programme."""

    link: VirtualExchange
    scenario: Scenario
    accounts: list[int]
    seed: int
    trades: list[NDArray[np.void]] = field(default_factory=list)
    _desks: list[_Desk] = field(default_factory=list)
    _ids: dict[str, int] = field(default_factory=dict)
    _orders: int = 0

    def open(self) -> None:
        """List the instruments and book the holdings that participants begin with."""
        if not self.scenario.instruments:
            return
        specs = [unit_instrument(entry) for entry in self.scenario.instruments]
        self._ids = self.link.submit(ListInstruments(instruments=specs))["instruments"]
        for row, (account, participant) in enumerate(zip(self.accounts, self.scenario.participants, strict=True)):
            for symbol, lots in participant.holdings_lots.items():
                if lots:
                    self.link.submit(IssueUnits(account=account, symbol=symbol, quantity_lots=lots, reference=f"opening-{participant.id}"))
            self._desks += [
                _Desk(row, account, programme.symbol, programme, participant.holdings_lots.get(programme.symbol, 0))
                for programme in participant.programmes
            ]

    def steps_of(self, day: datetime.date) -> list[int]:
        """Times of a day at which desks act, ns."""
        return [local_time_ns(day, time, self.scenario.zone) for time in TIMES] if self._desks else []

    def act(self, day: int, step: int) -> None:
        """Let every desk withdraw what it has open and order its next slice."""
        now_ns = self.link.now_ns
        self.link.tick()  # sessions open and close by then
        n_steps, at = self.scenario.days * len(TIMES), day * len(TIMES) + step
        commands: list[NDArray[np.void]] = []
        for desk in self._in_turn(at):
            commands += self._commands(desk, at, n_steps, now_ns)
        if not commands:
            return
        records = np.concatenate(commands)
        self._note_trades(self.link.trade(records).executions)

    def _in_turn(self, at: int) -> list[_Desk]:
        raw = bits(np.uint64(self.seed), EVERYBODY, Purpose.SEQUENCE, at, 2**31)
        keys = [int(more(np.uint64(raw), index)) for index in range(len(self._desks))]
        return [self._desks[index] for index in sorted(range(len(keys)), key=keys.__getitem__)]

    def _commands(self, desk: _Desk, at: int, n_steps: int, now_ns: int) -> list[NDArray[np.void]]:
        """Of one desk: first everything that is open in its book leaves."""
        position = next(iter(self.link.exchange.positions(desk.account, desk.symbol)), None)
        owned = position.net_lots if position is not None else 0
        buys = desk.programme.quantity_lots > 0
        done = owned - desk.owned_lots if buys else desk.owned_lots - owned
        lots = slice_lots(desk.programme, done, at, n_steps)
        if not buys and position is not None:
            lots = min(lots, max(owned - position.locked_lots, 0))
        found = []
        if position is not None and (position.open_buy_lots or position.open_sell_lots):
            found.append(self._command(desk, CommandKind.MASS_CANCEL, now_ns))
            found[-1]["flags"] = CommandFlag.ALL_SIDES | CommandFlag.ALL_LABELS
        if lots:
            order = self._command(desk, CommandKind.PLACE, now_ns)
            order["side"] = Side.BUY if buys else Side.SELL
            order["price_ticks"], order["quantity_lots"] = slice_price_ticks(desk.programme, at, n_steps), lots
            order["time_in_force"] = TimeInForce.GTC
            found.append(order)
        return found

    def _command(self, desk: _Desk, kind: CommandKind, now_ns: int) -> NDArray[np.void]:
        self._orders += 1
        record = np.zeros(1, COMMAND)
        record["kind"], record["version"], record["account"], record["stamp_ns"] = kind, RECORD_VERSION, desk.account, now_ns
        record["instrument"] = self._ids[desk.symbol]
        record["client_order_id"] = f"unit-{self._orders}".encode()
        return record

    def _note_trades(self, executions: NDArray[Any]) -> None:
        trades = executions[executions["kind"] == int(ExecutionKind.TRADE)]
        if not len(trades):
            return
        symbols = [entry.symbol for entry in self.scenario.instruments]
        index_of = {self._ids[symbol]: index for index, symbol in enumerate(symbols)}
        rows = np.zeros(len(trades), UNIT_TRADE)
        buys = trades["side"] == Side.BUY
        takers, makers = (np.searchsorted(self.accounts, trades[name].astype(np.int64)) for name in ("account", "counter_account"))
        rows["stamp_ns"], rows["price_ticks"], rows["quantity_lots"] = trades["stamp_ns"], trades["price_ticks"], trades["quantity_lots"]
        rows["instrument"] = [index_of[instrument] for instrument in trades["instrument"].tolist()]
        rows["buyer"], rows["seller"] = np.where(buys, takers, makers), np.where(buys, makers, takers)
        self.trades.append(rows)
