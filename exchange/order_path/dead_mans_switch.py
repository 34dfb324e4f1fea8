"""Dead man's switches: who does not renew in time has its open orders cancelled. The table, and what it does to the books.

A switch belongs to an account, or to one label of it, so that it outlives sessions and crashes and several programs of an account can have one each.
It is state: armed by a journaled command, and fired by the deadline queue at its own time in (time, id) order.

A renewal does not enter a deadline of its own. Each armed switch has one live entry in the queue, at its time or before it; where that comes up too
early it is entered again. So renewals fill neither the queue nor, by ticks for what is stale, the journal of a quiet market.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from exchange.order_path.deadlines import add_deadline
from exchange.order_path.post import post_events
from exchange.order_path.records import HouseReason
from exchange.order_path.state import DeadlineKind
from matching.commands import cancel_order
from matching.compile import kernel
from matching.orders import order_at
from matching.queries import owner_orders

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange

ALL_LABELS: Final = -1
SWITCHES_MAX: Final = 16  # of one account
# Typed, so that a call with a constant is not compiled apart from one with a variable.
_START = np.int64(0)
_NO_ORDER = np.int64(0)
_ANY_ACCOUNT = np.int64(-1)

Owner = tuple[int, int]  # account, label or ALL_LABELS


@dataclass(slots=True)
class Switch:
    """Fires at `at_ns`. `ref` names it in the deadline queue, `deadline_id` is its live entry there, which lies at `queued_ns`, no later."""

    ref: int
    account: int
    label: int
    timeout_ns: int
    at_ns: int
    queued_ns: int = 0
    deadline_id: int = 0

    def to_canonical(self) -> list[int]:
        return [self.ref, self.account, self.label, self.timeout_ns, self.at_ns, self.queued_ns, self.deadline_id]


@dataclass(slots=True)
class Switches:
    """The armed ones, by owner and by the number that names them in the deadline queue, which is never given again."""

    by_owner: dict[Owner, Switch] = field(default_factory=dict)
    by_ref: dict[int, Switch] = field(default_factory=dict)
    next_ref: int = 1

    def add(self, switch: Switch) -> None:
        self.by_owner[switch.account, switch.label] = switch
        self.by_ref[switch.ref] = switch
        self.next_ref = max(self.next_ref, switch.ref + 1)

    def remove(self, switch: Switch) -> None:
        del self.by_owner[switch.account, switch.label]
        del self.by_ref[switch.ref]

    def count(self, account: int) -> int:
        return sum(switch.account == account for switch in self.by_ref.values())

    def is_live(self, ref: int, deadline_id: int) -> bool:
        """Whether an entry of the deadline queue is the one of its switch."""
        switch = self.by_ref.get(ref)
        return switch is not None and switch.deadline_id == deadline_id

    def to_canonical(self) -> list[Any]:
        """Empty as long as none was ever armed."""
        return [] if self.next_ref == 1 else [self.next_ref, [switch.to_canonical() for _, switch in sorted(self.by_ref.items())]]

    @classmethod
    def from_canonical(cls, content: list[Any]) -> "Switches":
        """Inverse of `to_canonical`."""
        table = cls()
        if content:
            next_ref, rows = content
            for row in rows:
                table.add(Switch(*row))
            table.next_ref = next_ref
        return table


def arm(exchange: "Exchange", account: int, label: int, timeout_ns: int, now_ns: int) -> Switch:
    """Arm or renew: it fires `timeout_ns` from now."""
    switches = exchange.rooms.switches
    switch = switches.by_owner.get((account, label))
    if switch is None:
        switch = Switch(switches.next_ref, account, label, timeout_ns, now_ns + timeout_ns)
        switches.add(switch)
        _queue(exchange, switch)
        return switch
    switch.timeout_ns, switch.at_ns = timeout_ns, now_ns + timeout_ns
    if switch.at_ns < switch.queued_ns:
        _queue(exchange, switch)
    return switch


def fire(exchange: "Exchange", ref: int, deadline_id: int) -> None:
    """A deadline of a switch has come up: a stale one is nothing, an early one is entered again, and one in time cancels the orders."""
    switches = exchange.rooms.switches
    if not switches.is_live(ref, deadline_id):
        return
    switch = switches.by_ref[ref]
    if switch.at_ns > switch.queued_ns:
        _queue(exchange, switch)
        return
    switches.remove(switch)
    exchange.make_output_room(int(exchange.state.accounts[switch.account].open_orders))
    cancel_of_account(exchange.state, switch.account, switch.label)


def _queue(exchange: "Exchange", switch: Switch) -> None:
    exchange.make_deadline_room()
    switch.queued_ns, switch.deadline_id = switch.at_ns, int(exchange.state.counters[0].next_deadline_id)
    add_deadline(exchange.state, switch.at_ns, DeadlineKind.CANCEL_AFTER, switch.ref)


@kernel
def cancel_of_account(state: Any, account: int, label: int) -> None:
    """Cancel the open orders of an account with that label, or all of them (ALL_LABELS), oldest first. The caller has made room."""
    count = owner_orders(state.books, account, -1, state.order_slots)
    for i in range(count):
        order_slot = np.int64(state.order_slots[i])
        terms = state.terms[order_slot]
        if label < 0 or np.int64(terms.label) == label:
            slot = np.int64(terms.instrument_slot)
            n_events = cancel_order(state.books, state.events, _START, order_at(state.books, order_slot).order_id, HouseReason.CANCEL_AFTER)
            post_events(state, slot, n_events, _NO_ORDER, _ANY_ACCOUNT)
