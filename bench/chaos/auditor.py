"""Compares what clients were told with the journal as a second reader folds it, and the fold with a plain model of its own.

The model knows no book, no kernel and no array of the exchange: it adds up executions with Python integers.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Final

from bench.chaos.traders import Told
from exchange.errors import CheckFailedError
from exchange.journal.record import CommandKind
from exchange.journal.segments import JournalReader
from exchange.order_path import canonical
from exchange.order_path.check import check_exchange
from exchange.order_path.path import BatchResult, Exchange
from exchange.order_path.records import TRADE_KINDS, ExecutionKind, OutcomeFlag
from exchange.protocol.messages import Execution
from matching.records import Side

_ORDERS: Final = (CommandKind.PLACE, CommandKind.AMEND, CommandKind.CANCEL, CommandKind.MASS_CANCEL, CommandKind.BASKET)
_ENDED: Final = 0


@dataclass
class Found:
    """What does not agree; empty when all does."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def __iter__(self) -> "Iterable[str]":  # type: ignore[override]
        return iter([*self.lost, *self.doubled, *self.wrong])


@dataclass
class _Order:
    account: int
    remaining_lots: int = 0


class Audit:
    """Folds a journal batch by batch and keeps its own books."""

    def __init__(self, directory: Path) -> None:
        reader = JournalReader.open(directory)
        self.exchange = Exchange(reader.genesis)
        self.commands = 0
        self.trades = 0
        self._outcomes: dict[tuple[int, str], tuple[int, int]] = {}  # (account, client_order_id) -> (code, order id)
        self._executed: dict[tuple[int, str], int] = defaultdict(int)
        self._executions: dict[int, dict[int, tuple[str, str, int, int, int]]] = defaultdict(dict)
        self._positions: dict[tuple[int, int], int] = defaultdict(int)
        self._orders: dict[int, _Order] = {}
        self.problems: list[str] = []
        for group in reader.groups():
            self._take(self.exchange.apply(group.records, group.documents, group.first_sequence))

    def _take(self, batch: BatchResult) -> None:
        self.commands += len(batch.records)
        for record, outcome in zip(batch.records, batch.outcomes, strict=True):
            if record["kind"] not in _ORDERS:
                continue
            key = (int(record["account"]), bytes(record["client_order_id"]).decode())
            if outcome["flags"] & OutcomeFlag.DUPLICATE:
                continue
            self._executed[key] += 1
            self._outcomes.setdefault(key, (int(outcome["code"]), int(outcome["order_id"])))
        for row in batch.executions:
            self._take_execution(row)

    def _take_execution(self, row: object) -> None:
        kind, instrument = int(row["kind"]), int(row["instrument"])  # type: ignore[index]
        sides = [("", int(row["side"]))]  # type: ignore[index]
        if kind in TRADE_KINDS:
            self.trades += 1
            sides.append(("counter_", Side.SELL if row["side"] == Side.BUY else Side.BUY))  # type: ignore[index]
        for prefix, side in sides:
            account = int(row[f"{prefix}account"])  # type: ignore[index]
            seq = int(row[f"{prefix}seq"])  # type: ignore[index]
            lots = int(row["quantity_lots"])  # type: ignore[index]
            if seq != len(self._executions[account]) + 1:
                self.problems.append(f"account {account}: execution {seq} after {len(self._executions[account])}")
            price, left = int(row["price_ticks"]), int(row[f"{prefix}remaining_lots"])  # type: ignore[index]
            self._executions[account][seq] = (ExecutionKind(kind).name.lower(), bytes(row[f"{prefix}client_order_id"]).decode(), price, lots, left)  # type: ignore[index]
            if kind in TRADE_KINDS:
                self._positions[account, instrument] += lots if side == Side.BUY else -lots
            self._follow(kind, int(row[f"{prefix}order_id"]), account, lots, left)  # type: ignore[index]

    def _follow(self, kind: int, order_id: int, account: int, lots: int, remaining_lots: int) -> None:
        """An order's remaining quantity falls by what it trades; nothing trades for an order that has ended or belongs to somebody else."""
        if not order_id:
            return
        order = self._orders.get(order_id)
        if order is None:
            self._orders[order_id] = _Order(account, remaining_lots)
            return
        if order.account != account:
            self.problems.append(f"order {order_id} of account {order.account} has an execution of account {account}")
        if kind in TRADE_KINDS and order.remaining_lots not in {remaining_lots + lots, _ENDED}:
            self.problems.append(f"order {order_id} had {order.remaining_lots} open, traded {lots} and has {remaining_lots}")
        order.remaining_lots = remaining_lots

    def compare(self, told: dict[int, Told], live_hash: bytes | None) -> Found:
        """Everything that clients were told, by account, against the fold; `live_hash` is the state hash of the node that stopped."""
        found = Found()
        found.wrong += self.problems
        try:
            check_exchange(self.exchange)
        except CheckFailedError as error:
            found.wrong.append(f"invariant: {error}")
        if live_hash is not None and canonical.state_hash(self.exchange) != live_hash:
            found.wrong.append("the replay of the journal ends in another state than the node")
        found.doubled += [f"{key[1]} of account {key[0]} was carried out {times} times" for key, times in self._executed.items() if times > 1]
        for account, record in told.items():
            self._compare_account(account, record, found)
        self._compare_positions(found)
        return found

    def _compare_account(self, account: int, told: Told, found: Found) -> None:
        found.wrong += told.contradictions[:5]
        for client_order_id, order_id in told.accepted.items():
            outcome = self._outcomes.get((account, client_order_id))
            if outcome is None or outcome[0] != 0:
                found.lost.append(f"{client_order_id} was acknowledged and the journal says {outcome}")
            elif outcome[1] != order_id:
                found.wrong.append(f"{client_order_id} was told order {order_id}, the journal says {outcome[1]}")
        for client_order_id, code in told.refused.items():
            outcome = self._outcomes.get((account, client_order_id))
            if outcome is None or outcome[0] != code:
                found.wrong.append(f"{client_order_id} was refused with {code}, the journal says {outcome}")
        for client_order_id, code in told.turned_away.items():
            if client_order_id in told.accepted or client_order_id in told.refused:
                continue
            if (account, client_order_id) in self._outcomes:
                found.wrong.append(f"{client_order_id} was turned away with {code}, but the journal has it")
        for seq, event in told.executions.items():
            self._compare_execution(account, seq, event, found)

    def _compare_execution(self, account: int, seq: int, event: Execution, found: Found) -> None:
        folded = self._executions[account].get(seq)
        if folded is None:
            found.lost.append(f"account {account} was told execution {seq}, which the journal does not have")
            return
        instrument = self.exchange.instrument(event.instrument)
        assert instrument is not None
        spec = instrument.spec
        lots = int(Decimal(event.quantity).scaleb(spec.quantity_decimals))
        ticks = int(Decimal(event.price).scaleb(spec.price_decimals)) if event.price else folded[2]
        if (event.kind, event.client_order_id, ticks, lots) != folded[:4]:
            found.wrong.append(f"account {account}, execution {seq}: told {(event.kind, event.client_order_id, ticks, lots)}, folded {folded[:4]}")

    def _compare_positions(self, found: Found) -> None:
        """Net positions of the exchange are the sum of the trades."""
        for account in self.exchange.rooms.participants.by_id:
            for position in self.exchange.positions(account):
                instrument = self.exchange.instrument(position.symbol)
                assert instrument is not None
                if instrument.is_power and position.net_lots != self._positions[account, instrument.id]:
                    traded = self._positions[account, instrument.id]
                    found.wrong.append(f"account {account}, {position.symbol}: {position.net_lots}, the trades say {traded}")

    def executions_of(self, account: int) -> int:
        return len(self._executions[account])
