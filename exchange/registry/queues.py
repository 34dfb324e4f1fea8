"""Compiled: queues of bundles, splits and changes, and the way to the bundle of a serial number. Functions modify `Tables` in place; callers have
made room for the rows that a split appends.
"""

from typing import Any

import numpy as np

from exchange.protocol.instrument_class import Resale
from exchange.registry.bundles import BLOCK_SHIFT, NO_ROW, Queue
from exchange.registry.lifecycle import UnitState
from matching.compile import kernel

NO_QUEUE = -1
# Rows that `before` of a split row may leave out at once, see note_split.
SKIP_ROWS = 1024
# Answers of the fold beside the number of postings folded.
SHORT = -1  # a queue holds less than the posting moves
FORBIDDEN = -2  # the lifecycle does not allow it


@kernel(internal=True)
def lots_of(t: Any, row: int) -> int:
    bundle = t.rows[row]
    return np.int64(bundle.serial_to - bundle.serial_from + 1)


@kernel(internal=True)
def queue_of(t: Any, row: int) -> int:
    """The queue that a row belongs to by what it is; NO_QUEUE for what is split, ended or not yet issued."""
    bundle = t.rows[row]
    if bundle.state == UnitState.LOCKED:
        return np.int64(Queue.LOCKED)
    if bundle.state == UnitState.FROZEN:
        return np.int64(Queue.FROZEN)
    if bundle.state != UnitState.ISSUED:
        return np.int64(NO_QUEUE)
    resale = t.resale[t.slot_of[bundle.asset]]
    if bundle.transfers > 0 and (resale == Resale.NONE or (resale == Resale.NEXT_DAY and bundle.day == t.counters[0].day)):
        return np.int64(Queue.UNSELLABLE)
    return np.int64(Queue.SELLABLE)


@kernel(internal=True)
def touch(t: Any, row: int) -> None:
    """Its block has to be hashed anew."""
    t.dirty[row >> BLOCK_SHIFT] = 1


@kernel(internal=True)
def insert(t: Any, row: int, kind: int, behind: int) -> None:
    """Put a row into a queue behind another row, or first (NO_ROW)."""
    bundle = t.rows[row]
    queue = t.queues[t.slot_of[bundle.asset], bundle.account, kind]
    following = t.after[behind] if behind != NO_ROW else queue.first
    t.before[row] = behind
    t.after[row] = following
    if behind == NO_ROW:
        queue.first = row
    else:
        t.after[behind] = row
    if following == NO_ROW:
        queue.last = row
    else:
        t.before[following] = row
    queue.lots += lots_of(t, row)


@kernel(internal=True)
def remove(t: Any, row: int, kind: int) -> None:
    """Take a row out of its queue."""
    bundle = t.rows[row]
    queue = t.queues[t.slot_of[bundle.asset], bundle.account, kind]
    if t.before[row] == NO_ROW:
        queue.first = t.after[row]
    else:
        t.after[t.before[row]] = t.after[row]
    if t.after[row] == NO_ROW:
        queue.last = t.before[row]
    else:
        t.before[t.after[row]] = t.before[row]
    t.before[row] = NO_ROW
    t.after[row] = NO_ROW
    queue.lots -= lots_of(t, row)


@kernel(internal=True)
def enqueue(t: Any, row: int) -> None:
    """A row arrives: it is last in the queue it belongs to now."""
    counters = t.counters[0]
    bundle = t.rows[row]
    bundle.place = counters.next_place
    counters.next_place += 1
    kind = queue_of(t, row)
    if kind != NO_QUEUE:
        insert(t, row, kind, np.int64(t.queues[t.slot_of[bundle.asset], bundle.account, kind].last))


@kernel
def enqueue_new(t: Any, first: int, end: int) -> None:
    """Rows just appended enter the totals and the queues."""
    for row in range(first, end):
        t.before[row] = NO_ROW
        t.after[row] = NO_ROW
        t.totals[t.slot_of[t.rows[row].asset], t.rows[row].state] += lots_of(t, row)
        enqueue(t, row)
        touch(t, row)


@kernel
def restore_queues(t: Any, order: Any) -> None:
    """Queues and totals of a restored table: `order` has all rows by (place, serial_from), so that every queue comes back as it was."""
    for i in range(order.shape[0]):
        row = np.int64(order[i])
        bundle = t.rows[row]
        if bundle.state != UnitState.SPLIT:
            t.totals[t.slot_of[bundle.asset], bundle.state] += lots_of(t, row)
            kind = queue_of(t, row)
            if kind != NO_QUEUE:
                insert(t, row, kind, np.int64(t.queues[t.slot_of[bundle.asset], bundle.account, kind].last))
        if bundle.parent >= 0 and (t.after[bundle.parent] == NO_ROW or row < t.after[bundle.parent]):
            t.after[bundle.parent] = row
    for row in range(order.shape[0]):
        if t.rows[row].state == UnitState.SPLIT:
            note_split(t, row)


@kernel(internal=True)
def note_split(t: Any, row: int) -> None:
    """Enter a split row in the way that leads from a root to what is left of it.

    Sales split the rest of a bundle again and again, each rest the second part of the one before. The rows of such a chain that lie within
    SKIP_ROWS of its head have `before` at the head; the first one behind them is a head itself, and the head before it points there. So a search
    passes at most n_rows / SKIP_ROWS heads and then SKIP_ROWS / 2 rows, however long the chain is.
    """
    parent = np.int64(t.rows[row].parent)
    t.before[row] = row
    if parent >= 0 and row == t.after[parent] + 1:
        head = parent if t.before[parent] >= parent else np.int64(t.before[parent])
        if row - head < SKIP_ROWS:
            t.before[row] = head
        else:
            t.before[head] = row


@kernel
def split(t: Any, row: int, lots: int, sequence: int) -> int:
    """Divide a bundle after its first `lots` units; the parts take its place, in its queue too. Returns the first; the second is the next row."""
    kind = queue_of(t, row)
    first = np.int64(t.counters[0].n_rows)
    t.counters[0].n_rows += 2
    for part in range(first, first + 2):
        t.rows[part] = t.rows[row]
        t.rows[part].parent = row
        t.rows[part].sequence = sequence
        t.before[part] = NO_ROW
        t.after[part] = NO_ROW
        touch(t, part)
    t.rows[first].serial_to = t.rows[row].serial_from + lots - 1
    t.rows[first + 1].serial_from = t.rows[row].serial_from + lots
    if kind != NO_QUEUE:
        insert(t, first, kind, np.int64(t.before[row]))
        insert(t, first + 1, kind, first)
        remove(t, row, kind)
    t.rows[row].state = UnitState.SPLIT
    t.after[row] = first
    note_split(t, row)
    touch(t, row)
    return first


@kernel
def change(t: Any, row: int, state: int, account: int, asset: int, is_transfer: bool) -> bool:
    """Give a whole bundle another state, owner or asset; it arrives anew. False, and nothing is done, where the lifecycle does not allow it."""
    bundle = t.rows[row]
    if not t.allowed[bundle.state, state]:
        return False
    kind = queue_of(t, row)
    if kind != NO_QUEUE:
        remove(t, row, kind)
    lots = lots_of(t, row)
    t.totals[t.slot_of[bundle.asset], bundle.state] -= lots
    bundle.state = state
    bundle.account = account
    bundle.asset = asset
    if is_transfer:
        bundle.transfers += 1
        bundle.day = t.counters[0].day
    t.totals[t.slot_of[asset], state] += lots
    enqueue(t, row)
    touch(t, row)
    return True


@kernel
def put_first(t: Any, row: int) -> None:
    """Move a row that is held to the front of its queue."""
    counters = t.counters[0]
    kind = queue_of(t, row)
    remove(t, row, kind)
    counters.first_place -= 1
    t.rows[row].place = counters.first_place
    insert(t, row, kind, np.int64(NO_ROW))
    touch(t, row)


@kernel
def begin_day(t: Any) -> None:
    """Local midnight: what was bought the day before may be sold; it joins the queue at the place of its arrival."""
    t.counters[0].day += 1
    for slot in range(t.resale.shape[0]):
        if t.resale[slot] == Resale.NEXT_DAY:
            for account in range(t.queues.shape[1]):
                _join(t, slot, account)


@kernel(internal=True)
def _join(t: Any, slot: int, account: int) -> None:
    waiting = t.queues[slot, account, Queue.UNSELLABLE]
    sellable = t.queues[slot, account, Queue.SELLABLE]
    behind = np.int64(sellable.last)
    row = np.int64(waiting.last)
    while row != NO_ROW:
        earlier = np.int64(t.before[row])
        remove(t, row, np.int64(Queue.UNSELLABLE))
        while behind != NO_ROW and t.rows[behind].place > t.rows[row].place:
            behind = np.int64(t.before[behind])
        insert(t, row, np.int64(Queue.SELLABLE), behind)
        row = earlier


@kernel
def find_leaf(t: Any, first: int, count: int, serial: int) -> int:
    """The bundle that has a serial number now, below the `count` roots from row `first` on; NO_ROW where none has it."""
    low, high = first, first + count
    while low < high:
        middle = (low + high) // 2
        if t.rows[middle].serial_to < serial:
            low = middle + 1
        else:
            high = middle
    if low == first + count or t.rows[low].serial_from > serial:
        return np.int64(NO_ROW)
    row = low
    while t.rows[row].state == UnitState.SPLIT:
        far = np.int64(t.before[row])
        if far > row and t.rows[far].serial_from <= serial:
            row = far
            continue
        row = np.int64(t.after[row])
        if t.rows[row].serial_to < serial:
            row += 1
    return row
