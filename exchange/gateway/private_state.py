"""Private channels of an account's money, positions and statements. Values are absolute and as of a command, so they can be gathered but not missed.

An account is looked at again after a batch that may have changed it. Its executions name the instruments. All of it is looked at after a document of
its own or of the operator, a settlement, the end of a negotiated trade or an auction, and at midnight, when units unlock.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from msgspec import UNSET

from exchange.accounts.permissions import Role
from exchange.gateway.outbox import Outbox
from exchange.gateway.ports import ExchangeView
from exchange.gateway.queries import balances_result, positions_result
from exchange.journal.record import CommandKind
from exchange.order_path.path import BatchResult
from exchange.order_path.records import EXECUTION
from exchange.order_path.tables import Notice
from exchange.protocol.encoding import SharedNotification
from exchange.protocol.messages import BalancesChange, LedgerCorrected, Params, PositionResult, PositionsChange, StatementReady
from exchange.units import NS_PER_HOUR

BALANCES: Final = "balances"
POSITIONS: Final = "positions"
STATEMENTS: Final = "statements"
_NAMES: Final = EXECUTION.names or ()
_INSTRUMENT, _ACCOUNT, _COUNTER_ACCOUNT = (_NAMES.index(name) for name in ("instrument", "account", "counter_account"))
_SETTLED: Final = "settled"
_FAR_REACHING: Final = frozenset({_SETTLED, "block", "one_way", "compliance", "park_scheme", "credits"})
# Units bought on one day can be sold on the next, a day of China (docs/rules.md, "CEA").
_DAY_BEGINS_NS: Final = -8 * NS_PER_HOUR
_NS_PER_DAY: Final = 24 * NS_PER_HOUR


@dataclass(slots=True)
class _Account:
    """What the subscribers of an account know. `dirty` None: look at every instrument."""

    subscribers: dict[str, set[Outbox]] = field(default_factory=lambda: {BALANCES: set(), POSITIONS: set(), STATEMENTS: set()})
    balances: tuple[int, int] | None = None
    positions: dict[str, PositionResult] = field(default_factory=dict)
    seqs: dict[str, int] = field(default_factory=lambda: {BALANCES: 0, POSITIONS: 0})  # of the last change told
    dirty: set[str] | None = field(default_factory=set)


class PrivateState:
    """Accounts somebody listens for."""

    def __init__(self, exchange: ExchangeView, epoch: Callable[[], int]) -> None:
        self._exchange = exchange
        self._epoch = epoch
        self._accounts: dict[int, _Account] = {}
        self._touched: set[int] = set()
        self._day = 0

    @property
    def pending(self) -> bool:
        return bool(self._touched)

    def on_batch(self, batch: BatchResult) -> None:
        """Note which accounts to look at again."""
        if not self._accounts:
            return
        for row in batch.executions.tolist():
            for account in (row[_ACCOUNT], row[_COUNTER_ACCOUNT]):
                known = self._accounts.get(account)
                if known is not None:
                    self._touch(account, known, row[_INSTRUMENT])
        documents = batch.records["account"][batch.records["kind"] >= CommandKind.DOCUMENT].tolist()
        if self._reaches_everyone(batch, documents):
            documents = list(self._accounts)
        for account in documents:
            known = self._accounts.get(account)
            if known is not None:
                known.dirty = None
                self._touched.add(account)
        for notice in batch.notices:
            if notice.kind == _SETTLED:
                self._publish_statements(notice.data["day"], notice.sequence)
            elif notice.kind == "correction":
                self._publish_correction(notice)

    def _reaches_everyone(self, batch: BatchResult, senders: list[int]) -> bool:
        day = (self._exchange.now_ns - _DAY_BEGINS_NS) // _NS_PER_DAY
        is_new_day, self._day = day != self._day, day
        if is_new_day or any(notice.kind in _FAR_REACHING for notice in batch.notices):
            return True
        participants = (self._exchange.account(sender) for sender in senders)
        return any(participant is not None and participant.role is Role.OPERATOR for participant in participants)

    def subscribe(self, channel: str, account: int, outbox: Outbox) -> None:
        """The first frame tells all."""
        known = self._accounts.get(account)
        if known is None:
            known = self._accounts[account] = _Account(dirty=None)
        self._tell(account, known)
        known.subscribers[channel].add(outbox)
        if channel == BALANCES:
            self._send(BALANCES, self._balances(account, known.seqs[channel], epoch=self._epoch()), [outbox])
        elif channel == POSITIONS:
            positions = list(known.positions.values())
            change = PositionsChange(
                seq=known.seqs[channel], as_of_seq=self._exchange.last_sequence, positions=positions, epoch=self._epoch()
            )
            self._send(POSITIONS, change, [outbox])

    def unsubscribe(self, channel: str, account: int, outbox: Outbox) -> None:
        known = self._accounts.get(account)
        if known is None:
            return
        known.subscribers[channel].discard(outbox)
        if not any(known.subscribers.values()):
            del self._accounts[account]
            self._touched.discard(account)

    def seq(self, channel: str, account: int) -> int:
        """Sequence of the last frame of `balances` or `positions`."""
        return self._accounts[account].seqs[channel]

    def flush(self) -> None:
        touched, self._touched = self._touched, set()
        for account in sorted(touched):
            self._tell(account, self._accounts[account])

    def _touch(self, account: int, known: _Account, instrument_id: int) -> None:
        self._touched.add(account)
        instrument = self._exchange.instrument_by_id(instrument_id)
        if instrument.is_block:
            known.dirty = None  # its quarter-hours too
        elif known.dirty is not None:
            known.dirty.add(instrument.symbol)

    def _tell(self, account: int, known: _Account) -> None:
        """Look again, and tell the subscribers what is different."""
        changed = self._refresh_positions(account, known)
        if changed and known.subscribers[POSITIONS]:
            seq = known.seqs[POSITIONS] = known.seqs[POSITIONS] + 1
            change = PositionsChange(seq=seq, as_of_seq=self._exchange.last_sequence, positions=changed, prev_seq=seq - 1)
            self._send(POSITIONS, change, known.subscribers[POSITIONS])
        balances = self._exchange.balances(account)
        now = balances.balance_micro, balances.held_micro
        if now != known.balances and known.subscribers[BALANCES]:
            seq = known.seqs[BALANCES] = known.seqs[BALANCES] + 1
            self._send(BALANCES, self._balances(account, seq, prev_seq=seq - 1), known.subscribers[BALANCES])
        known.balances = now

    def _refresh_positions(self, account: int, known: _Account) -> list[PositionResult]:
        dirty, known.dirty = known.dirty, set()
        if dirty is None:
            now = {position.instrument: position for position in positions_result(self._exchange, account, None).positions}
            symbols = now.keys() | known.positions.keys()
        else:
            symbols = dirty
            now = {symbol: found for symbol in dirty for found in positions_result(self._exchange, account, symbol).positions}
        changed = []
        for symbol in sorted(symbols):
            position, before = now.get(symbol), known.positions.get(symbol)
            if position == before:
                continue
            if position is not None:
                known.positions[symbol] = position
                changed.append(position)
            elif before is not None:
                del known.positions[symbol]
                changed.append(_nothing(before))
        return changed

    def _balances(self, account: int, seq: int, **place: int) -> BalancesChange:
        found = balances_result(self._exchange, account)
        return BalancesChange(
            seq=seq, as_of_seq=self._exchange.last_sequence, balance_micro=found.balance_micro, held_micro=found.held_micro,
            available_micro=found.available_micro,
            prev_seq=place.get("prev_seq", UNSET), epoch=place.get("epoch", UNSET),
        )  # fmt: skip

    def _publish_statements(self, day: str, sequence: int) -> None:
        for account, known in self._accounts.items():
            if known.subscribers[STATEMENTS]:
                statement = self._exchange.statement(account, day)
                if statement is not None:
                    self._send("statement", StatementReady(day=day, sequence=sequence, statement=statement), known.subscribers[STATEMENTS])

    def _publish_correction(self, notice: Notice) -> None:
        """Each side is told why, and not who the other one is."""
        data = notice.data
        for account, amount_micro in ((data["debit"], -data["amount_micro"]), (data["credit"], data["amount_micro"])):
            known = self._accounts.get(account)
            if known is not None and known.subscribers[BALANCES]:
                corrected = LedgerCorrected(
                    sequence=notice.sequence, at_ns=notice.stamp_ns, amount_micro=amount_micro, reason=data["reason"], reference=data["reference"]
                )
                self._send("correction", corrected, known.subscribers[BALANCES])

    @staticmethod
    def _send(method: str, params: Params, outboxes: Iterable[Outbox]) -> None:
        frame = SharedNotification(method, params)
        for outbox in outboxes:
            outbox.put_private(frame.encoded(outbox.encoding))


def _nothing(position: PositionResult) -> PositionResult:
    """The position when nothing is left of it, in the decimals of its instrument."""
    zero = position.net.lstrip("-").translate(str.maketrans("123456789", "0" * 9))
    zero = "0" + zero[zero.index(".") :] if "." in zero else "0"
    return PositionResult(instrument=position.instrument, net=zero, contract=zero, open_buy=zero, open_sell=zero, locked=zero, held_micro=0)
