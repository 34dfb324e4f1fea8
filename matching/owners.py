"""The log of each owner's orders, so that a mass cancel costs the owner's orders and the hot path one write in sequence.

A log is a list of chunks of 32 order slots, appended when an order first comes to rest. A chunk has a bit for each entry that counts; an
order that ends clears the bit at its place (`log_at`), and a chunk behind the newest without any goes back, so a log throws nothing out
while its orders come and go at random. Only where a few old orders hold many chunks, eightfold since the last time, is it written anew.
"""

import numpy as np

from matching.compile import kernel
from matching.ids import DEAD
from matching.ladder import give_back, take
from matching.state import CHUNK, CHUNK_BITS, NIL


@kernel(inline=True)
def entry_bit(at):
    """The bit of a place in the word of its chunk."""
    return np.uint32(np.uint64(1) << np.uint64(at & (CHUNK - 1)))


@kernel(inline=True)
def is_live(chunks, at):
    """Whether the entry at a place counts."""
    return np.uint32(chunks[at >> CHUNK_BITS].live) & entry_bit(at) != 0


@kernel(inline=True)
def append_to_log(state, pool, owner, slot):
    """Note an order that came to rest for the first time. `pool`: that of the chunks, which has one free. Modifies the state in place."""
    record = state.owners[owner]
    at = np.int64(record.write_at)
    if at & (CHUNK - 1) == 0:
        at = extend_log(pool, record, state.chunks, state.chunk_slots, state.orders)
    state.chunk_slots[at] = slot
    state.chunks[at >> CHUNK_BITS].live |= entry_bit(at)
    state.orders[slot].log_at = at
    record.write_at = at + 1


@kernel(inline=True)
def remove_from_log(state, pool, owner, at):
    """Let the entry at a place count no longer. `pool`: that of the chunks. Modifies the state in place."""
    chunk = at >> CHUNK_BITS
    live = np.uint32(state.chunks[chunk].live) & ~entry_bit(at)
    state.chunks[chunk].live = live
    if live == 0 and chunk != state.owners[owner].newest:
        release_chunk(pool, state.owners[owner], state.chunks, chunk)


@kernel(internal=True)
def release_chunk(pool, record, chunks, chunk):
    """Give back a chunk that is not the newest of its log. Modifies all in place."""
    older = np.int64(chunks[chunk].older)
    newer = np.int64(chunks[chunk].next)
    chunks[newer].older = older
    if older >= 0:
        chunks[older].next = newer
    else:
        record.oldest = newer
    record.chunks -= 1
    give_back(pool, chunks, chunk)


@kernel(internal=True)
def extend_log(pool, record, chunks, chunk_slots, orders):
    """Where the next entry of a log without room goes. Modifies all in place."""
    if record.newest >= 0 and chunks[record.newest].live == 0:
        return np.int64(record.newest) << CHUNK_BITS
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
        live = np.uint32(chunks[chunk].live)
        chunks[chunk].live = 0
        for at in range(chunk << CHUNK_BITS, (chunk + 1) << CHUNK_BITS):
            if live & entry_bit(at) != 0:
                slot = np.int64(chunk_slots[at])
                if kept > 0 and kept & (CHUNK - 1) == 0:
                    write_chunk = np.int64(chunks[write_chunk].next)
                write_at = (write_chunk << CHUNK_BITS) + (kept & (CHUNK - 1))
                chunk_slots[write_at] = slot
                chunks[write_chunk].live |= entry_bit(write_at)
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


@kernel(internal=True)
def sort_last_in_log(record, chunks, chunk_slots, orders):
    """Move the last entry of a log down to its place by order id; for orders restored out of sequence. Modifies all in place.

    Only entries that count move, among their places: those of the dead stay dead.
    """
    at = np.int64(record.write_at) - 1
    slot = np.int64(chunk_slots[at])
    order_id = orders[slot].order_id
    gap = at
    while True:
        if at & (CHUNK - 1) != 0:
            at -= 1
        else:
            chunk = np.int64(chunks[at >> CHUNK_BITS].older)
            if chunk < 0:
                break
            at = (chunk << CHUNK_BITS) + CHUNK - 1
        if is_live(chunks, at):
            other = np.int64(chunk_slots[at])
            if orders[other].order_id < order_id:
                break
            orders[other].log_at = gap
            chunk_slots[gap] = other
            gap = at
    chunk_slots[gap] = slot
    orders[slot].log_at = gap


@kernel
def count_owner_entries(state, owner):
    """Upper bound of an owner's orders: the places in its chunks, each of which but the newest holds one at least."""
    return np.int64(state.owners[owner].chunks) * CHUNK if owner < state.owners.shape[0] else np.int64(0)


@kernel(inline=True)
def is_dead(order):
    """Whether a slot is on the free list."""
    return order.log_at == DEAD
