"""The log of each owner's orders, so that a mass cancel costs the owner's orders and the hot path one write in sequence.

A log is a list of chunks of 32 order slots, appended when an order first comes to rest. An entry counts while the order in its slot names
that place (`log_at`); an order that ends leaves its entry behind. When a log has grown eightfold since the last time, the dead are thrown out.
"""

import numpy as np

from matching.compile import kernel
from matching.ids import DEAD
from matching.ladder import give_back, take
from matching.state import CHUNK, CHUNK_BITS, NIL


@kernel(inline=True)
def append_to_log(state, pool, owner, slot):
    """Note an order that came to rest for the first time. `pool`: that of the chunks, which has one free. Modifies the state in place."""
    record = state.owners[owner]
    at = np.int64(record.write_at)
    if at & (CHUNK - 1) == 0:
        at = extend_log(pool, record, state.chunks, state.chunk_slots, state.orders)
    state.chunk_slots[at] = slot
    state.orders[slot].log_at = at
    record.write_at = at + 1


@kernel(internal=True)
def extend_log(pool, record, chunks, chunk_slots, orders):
    """Where the next entry of a log without room goes. Modifies all in place."""
    if record.chunks >= record.compact_at:
        compact_log(pool, record, chunks, chunk_slots, orders)
        if record.write_at & (CHUNK - 1) != 0:
            return np.int64(record.write_at)
    chunk = take(pool, chunks)
    chunks[chunk].next = NIL
    chunks[chunk].older = record.newest
    if record.newest >= 0:
        chunks[record.newest].next = chunk
    else:
        record.oldest = chunk
    record.newest = chunk
    record.chunks += 1
    return chunk << CHUNK_BITS


@kernel(internal=True)
def compact_log(pool, record, chunks, chunk_slots, orders):
    """Keep only the entries that count and give back the chunks left over. Modifies all in place."""
    chunk = np.int64(record.oldest)
    write_chunk = chunk
    kept = 0
    while chunk >= 0:
        end = log_end(record, chunk)
        for at in range(chunk << CHUNK_BITS, end):
            slot = np.int64(chunk_slots[at])
            if orders[slot].log_at == at:
                if kept > 0 and kept & (CHUNK - 1) == 0:
                    write_chunk = np.int64(chunks[write_chunk].next)
                write_at = (write_chunk << CHUNK_BITS) + (kept & (CHUNK - 1))
                chunk_slots[write_at] = slot
                orders[slot].log_at = write_at
                kept += 1
        chunk = np.int64(chunks[chunk].next)
    spare = np.int64(chunks[write_chunk].next) if kept > 0 else np.int64(record.oldest)
    while spare >= 0:
        following = np.int64(chunks[spare].next)
        give_back(pool, chunks, spare)
        record.chunks -= 1
        spare = following
    if kept > 0:
        chunks[write_chunk].next = NIL
        record.newest = write_chunk
        record.write_at = (write_chunk << CHUNK_BITS) + ((kept - 1) & (CHUNK - 1)) + 1
    else:
        record.oldest = NIL
        record.newest = NIL
        record.write_at = 0
    record.compact_at = max(8 * np.int64(record.chunks), 2)


@kernel(inline=True)
def log_end(record, chunk):
    """Place behind the last entry of a chunk of a log."""
    if chunk != record.newest:
        return (chunk + 1) << CHUNK_BITS
    return np.int64(record.write_at)


@kernel(inline=True)
def first_place(record):
    """Place of the oldest entry of a log, NIL when it is empty."""
    return np.int64(record.oldest) << CHUNK_BITS if record.oldest >= 0 else np.int64(NIL)


@kernel(inline=True)
def place_after(record, chunks, at):
    """The place behind `at` in a log, NIL at its end. Reads only."""
    following = at + 1
    if following == record.write_at:
        return np.int64(NIL)
    if following & (CHUNK - 1) == 0:
        return np.int64(chunks[at >> CHUNK_BITS].next) << CHUNK_BITS
    return following


@kernel(internal=True)
def sort_last_in_log(record, chunks, chunk_slots, orders):
    """Move the last entry of a log down to its place by order id; for orders restored out of sequence. Modifies all in place."""
    at = np.int64(record.write_at) - 1
    slot = np.int64(chunk_slots[at])
    order_id = orders[slot].order_id
    while True:
        below = at - 1
        if at & (CHUNK - 1) == 0:
            chunk = np.int64(chunks[at >> CHUNK_BITS].older)
            if chunk < 0:
                break
            below = (chunk << CHUNK_BITS) + CHUNK - 1
        other = np.int64(chunk_slots[below])
        if orders[other].log_at == below:
            if orders[other].order_id < order_id:
                break
            orders[other].log_at = at
        chunk_slots[at] = other
        at = below
    chunk_slots[at] = slot
    orders[slot].log_at = at


@kernel
def count_owner_entries(state, owner):
    """Upper bound of an owner's orders: at most eight times as many as there were when the log was last compacted, and 64."""
    return np.int64(state.owners[owner].chunks) * CHUNK if owner < state.owners.shape[0] else np.int64(0)


@kernel(inline=True)
def is_dead(order):
    """Whether a slot is on the free list."""
    return order.log_at == DEAD
