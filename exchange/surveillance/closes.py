"""What is measured when a book closes: marking the close (尾市操纵), and squeezes before gate closure (逼仓).

docs/rules.md, "Surveillance", rules marking_the_close and squeeze. The close of a power contract is its gate, that of units the end of the day.
"""

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from exchange.surveillance.events import Finding, Owners, Trade
from exchange.surveillance.parameters import MarkingTheClose, Squeeze, named

_EVENTS_MAX: Final = 100


@dataclass(slots=True)
class _Tape:
    """Trades of one instrument: the latest whole, the older ones as sums. Net lots by account since it was listed, or since the last close."""

    recent: deque[Trade] = field(default_factory=deque)
    value: int = 0
    lots: int = 0
    net_lots: Counter[int] = field(default_factory=Counter)

    def add(self, trade: Trade, keep_ns: int) -> None:
        self.recent.append(trade)
        self.net_lots[trade.buyer] += trade.lots
        self.net_lots[trade.seller] -= trade.lots
        self.age(trade.stamp_ns - keep_ns)

    def age(self, until_ns: int) -> None:
        while self.recent and self.recent[0].stamp_ns <= until_ns:
            old = self.recent.popleft()
            self.value, self.lots = self.value + old.price_ticks * old.lots, self.lots + old.lots


class CloseRules:
    """Two rules over one tape an instrument."""

    def __init__(self, marking: MarkingTheClose, squeeze: Squeeze, owners: Owners) -> None:
        self._marking, self._squeeze, self._owners = marking, squeeze, owners
        self._keep_ns = max(marking.window_ns, squeeze.window_ns)
        self._tapes: dict[int, _Tape] = {}

    def on_trade(self, trade: Trade) -> None:
        self._tapes.setdefault(trade.instrument, _Tape()).add(trade, self._keep_ns)

    def on_close(self, instrument: int, at_ns: int, *, is_gate: bool) -> Iterator[Finding]:
        """The book has closed: for good at a gate, for the day otherwise."""
        tape = self._tapes.pop(instrument, None)
        if tape is None:
            return
        yield from self._marked(tape, instrument, at_ns)
        if is_gate:
            yield from self._squeezed(tape, instrument, at_ns)

    def _marked(self, tape: _Tape, instrument: int, at_ns: int) -> Iterator[Finding]:
        rule = self._marking
        late = [trade for trade in tape.recent if trade.stamp_ns > at_ns - rule.window_ns]
        early = [trade for trade in tape.recent if trade.stamp_ns <= at_ns - rule.window_ns]
        if not late or not (early or tape.lots):
            return
        before_ticks = early[-1].price_ticks if early else tape.value // tape.lots
        close_ticks = late[-1].price_ticks
        total_lots = sum(trade.lots for trade in late)
        for is_buy in (True, False):
            moved = (close_ticks - before_ticks) if is_buy else (before_ticks - close_ticks)
            if moved <= 0 or moved * 1_000_000 < before_ticks * rule.move_ppm:
                continue
            by_owner: dict[int, list[Trade]] = {}
            for trade in late:
                by_owner.setdefault(self._owners.of(trade.buyer if is_buy else trade.seller), []).append(trade)
            for owner, trades in sorted(by_owner.items()):
                lots = sum(trade.lots for trade in trades)
                if len(trades) >= rule.min_trades and lots * 1_000_000 >= total_lots * rule.share_ppm:
                    accounts = self._owners.accounts(owner, {trade.buyer if is_buy else trade.seller for trade in trades})
                    evidence = {
                        "lots": lots, "total_lots": total_lots, "before_ticks": before_ticks, "close_ticks": close_ticks, "side": 0 if is_buy else 1,
                    }  # fmt: skip
                    events = [trade.id for trade in trades]
                    yield Finding("marking_the_close", at_ns, instrument, accounts, events, evidence, named(rule))

    def _squeezed(self, tape: _Tape, instrument: int, at_ns: int) -> Iterator[Finding]:
        rule = self._squeeze
        tape.age(at_ns - rule.window_ns)
        late_lots = sum(trade.lots for trade in tape.recent)
        if not late_lots or not tape.lots:
            return
        late_value = sum(trade.price_ticks * trade.lots for trade in tape.recent)
        before_ticks, late_ticks = tape.value // tape.lots, late_value // late_lots
        if late_ticks * 1_000_000 < before_ticks * (1_000_000 + rule.rise_ppm):
            return
        net_by_owner: Counter[int] = Counter()
        for account, lots in tape.net_lots.items():
            net_by_owner[self._owners.of(account)] += lots
        long_lots = sum(lots for lots in net_by_owner.values() if lots > 0)
        for owner, lots in sorted(net_by_owner.items()):
            if lots > 0 and lots * 1_000_000 >= long_lots * rule.share_ppm:
                accounts = self._owners.accounts(owner, {account for account, net in tape.net_lots.items() if net > 0})
                events = [trade.id for trade in tape.recent][-_EVENTS_MAX:]
                evidence = {"net_lots": lots, "long_lots": long_lots, "before_ticks": before_ticks, "late_ticks": late_ticks}
                yield Finding("squeeze", at_ns, instrument, accounts, events, evidence, named(rule))
