"""Idempotency keys, compiled: (account, client_order_id) -> the recorded outcome. Modify PathState in place.

Keys are compared in full. The table is open addressing with backward-shift deletion, hashed with the random key of the genesis record; a
bucket holds half of a hash beside the slot, so that a search reads no key but the one it finds. Keys lie
in a ring in the order of their stamps; a key leaves when the retention is over and its order has ended.
"""

from typing import Any

import numpy as np

from exchange.order_path.mixing import C1, C2, mix_pair
from matching.compile import kernel
from matching.fold import fold
from matching.ids import find_slot
from matching.prefetch import prefetch_item

EMPTY = np.uint64(0)
BUCKETS_PER_KEY = 2
_HALF = np.uint64(32)
_SLOT_MASK = np.uint64(2**32 - 1)

@kernel(inline=True)
def _hash_of(state: Any, account: int, cid: Any) -> int:
    """Hash (uint64) of a key; `cid` is any record with cid0..cid4."""
    key = np.uint64(state.counters[0].hash_key)
    first = fold(np.uint64(cid.cid0) ^ key ^ C1, np.uint64(cid.cid1) ^ key)
    second = fold(np.uint64(cid.cid2) ^ key ^ C2, np.uint64(cid.cid3) ^ key)
    return mix_pair(first ^ key, np.uint64(cid.cid4) ^ (np.uint64(account) << _HALF), second)


@kernel(inline=True)
def _home(buckets: Any, h: int) -> int:
    """Bucket that a hash, or a bucket's content, belongs in: its upper half as a fraction of the table."""
    return np.int64(((np.uint64(h) >> _HALF) * np.uint64(buckets.shape[0])) >> _HALF)


@kernel(inline=True)
def prefetch_key(state: Any, command: Any) -> None:
    """Ask for the bucket of a command that comes later."""
    prefetch_item(state.buckets, _home(state.buckets, _hash_of(state, np.int64(command.account), command)))


@kernel(inline=True)
def content_digest(state: Any, command: Any) -> int:
    """Digest of what a command asks for: everything but its stamp, session and place in the journal."""
    h = np.uint64(state.counters[0].hash_key)
    small = np.uint64(command.kind) | (np.uint64(command.side) << np.uint64(8)) | (np.uint64(command.order_type) << np.uint64(16))
    small |= (np.uint64(command.time_in_force) << np.uint64(24)) | (np.uint64(command.self_trade) << np.uint64(32))
    small |= np.uint64(command["flags"]) << np.uint64(40)
    a = mix_pair(h, small, np.uint64(command.instrument))
    b = mix_pair(h ^ C1, np.uint64(command.order_id), np.uint64(command.price_ticks))
    c = mix_pair(h ^ C2, np.uint64(command.quantity_lots), np.uint64(command.display_lots))
    a = mix_pair(a, np.uint64(command.min_lots), np.uint64(command.stop_ticks))
    b = mix_pair(b, np.uint64(command.deadline_ns), np.uint64(command.expiry_ns))
    c = mix_pair(c, np.uint64(command.revision), np.uint64(command.label))
    return mix_pair(a, b, c)


@kernel(internal=True)
def _same(key: Any, account: int, cid: Any) -> bool:
    if key.account != account or key.cid0 != cid.cid0 or key.cid1 != cid.cid1:
        return False
    return key.cid2 == cid.cid2 and key.cid3 == cid.cid3 and key.cid4 == cid.cid4


@kernel(inline=True)
def find_key(state: Any, account: int, cid: Any) -> tuple[int, int, int]:
    """(slot of the key in `keys` or -1, bucket where it is or would be entered, its hash)."""
    mask = state.buckets.shape[0] - 1
    h = _hash_of(state, account, cid)
    bucket = _home(state.buckets, h)
    while state.buckets[bucket] != EMPTY:
        content = np.uint64(state.buckets[bucket])
        if (content ^ h) >> _HALF == 0:
            slot = np.int64(content & _SLOT_MASK) - 1
            if _same(state.keys[slot], account, cid):
                return slot, bucket, h
        bucket = (bucket + 1) & mask
    return np.int64(-1), bucket, h


@kernel(inline=True)
def _content(h: int, slot: int) -> int:
    """What a bucket holds of a key: the upper half of its hash, and its slot plus one, since 0 is an empty bucket."""
    return (np.uint64(h) & ~_SLOT_MASK) | np.uint64(slot + 1)


@kernel(inline=True)
def _enter(buckets: Any, content: int) -> None:
    """Put a bucket's content where a search for it ends."""
    mask = buckets.shape[0] - 1
    bucket = _home(buckets, content)
    while buckets[bucket] != EMPTY:
        bucket = (bucket + 1) & mask
    buckets[bucket] = content


@kernel
def place_all_in_buckets(state: Any) -> None:
    """Enter every used key slot into an empty hash table."""
    for slot in range(state.keys.shape[0]):
        if state.keys[slot].used:
            key = state.keys[slot]
            _enter(state.buckets, _content(_hash_of(state, np.int64(key.account), key), slot))


@kernel
def move_buckets(old: Any, new: Any) -> None:
    """Enter what a hash table (uint64[]) holds into an empty one of another size. Reads and writes both from end to end, and no key."""
    for bucket in range(old.shape[0]):
        if old[bucket] != EMPTY:
            _enter(new, np.uint64(old[bucket]))


@kernel(internal=True)
def keys_free(state: Any) -> int:
    """How many keys can be inserted without growth."""
    return state.keys.shape[0] - state.counters[0].n_keys


@kernel(inline=True)
def insert_key(state: Any, account: int, command: Any, digest: int, bucket: int, h: int) -> int:
    """Consume a key for a command; returns its slot. The caller has made room and knows from `find_key` that the key is new,
    its bucket and its hash.
    """
    counters = state.counters[0]
    slot = counters.key_free
    counters.key_free = state.keys[slot].sequence
    key = state.keys[slot]
    key.cid0 = command.cid0
    key.cid1 = command.cid1
    key.cid2 = command.cid2
    key.cid3 = command.cid3
    key.cid4 = command.cid4
    key.account = account
    key.digest = digest
    key.stamp_ns = counters.stamp_ns
    key.sequence = counters.sequence
    key.used = 1
    state.buckets[bucket] = _content(h, slot)
    state.fifo[counters.fifo_tail & (state.fifo.shape[0] - 1)] = slot
    counters.fifo_tail += 1
    counters.n_keys += 1
    return slot


@kernel(internal=True)
def remove_key(state: Any, slot: int) -> None:
    """Drop a key."""
    counters = state.counters[0]
    buckets = state.buckets
    mask = buckets.shape[0] - 1
    key = state.keys[slot]
    content = _content(_hash_of(state, np.int64(key.account), key), slot)
    bucket = _home(buckets, content)
    while buckets[bucket] != content:
        bucket = (bucket + 1) & mask
    # Close the gap: move back each follower that would no longer be found.
    hole = bucket
    probe = (bucket + 1) & mask
    while buckets[probe] != EMPTY:
        home = _home(buckets, np.uint64(buckets[probe]))
        if ((probe - home) & mask) >= ((probe - hole) & mask):
            buckets[hole] = buckets[probe]
            hole = probe
        probe = (probe + 1) & mask
    buckets[hole] = EMPTY
    key.used = 0
    key.sequence = counters.key_free
    counters.key_free = slot
    counters.n_keys -= 1


@kernel(internal=True)
def _live_order_of(state: Any, slot: int) -> int:
    """Slot of the open order that the command of a key placed, -1 when there is none."""
    order_slot = find_slot(state.books, np.int64(state.keys[slot].order_id))
    return order_slot if order_slot >= 0 and state.terms[order_slot].key == slot else np.int64(-1)


@kernel(internal=True)
def _retire_due_keys(state: Any) -> None:
    counters = state.counters[0]
    while counters.fifo_head < counters.fifo_tail:
        slot = np.int64(state.fifo[counters.fifo_head & (state.fifo.shape[0] - 1)])
        if state.keys[slot].stamp_ns + counters.retention_ns > counters.stamp_ns:
            counters.next_retirement_ns = state.keys[slot].stamp_ns + counters.retention_ns
            return
        counters.fifo_head += 1
        order_slot = _live_order_of(state, slot)
        if order_slot >= 0:
            state.terms[order_slot].outlives_key = 1
        else:
            remove_key(state, slot)
    counters.next_retirement_ns = 0


@kernel(inline=True)
def retire_keys(state: Any) -> None:
    """Drop keys whose retention is over at the current stamp; a key with a live order stays until the order ends.

    `next_retirement_ns` is never later than the retention of the oldest key: it lies in memory that is at hand anyway.
    """
    if state.counters[0].stamp_ns >= state.counters[0].next_retirement_ns:
        _retire_due_keys(state)
