"""Idempotency keys, compiled: (account, client_order_id) -> the recorded outcome. Modify PathState in place.

Keys are compared in full. The table is open addressing with backward-shift deletion, hashed with the random key of the genesis record. Keys lie
in a ring in the order of their stamps; a key leaves when the retention is over and its order has ended.
"""

from typing import Any

import numpy as np

from matching.compile import kernel

_M1 = np.uint64(0x9E3779B97F4A7C15)
_M2 = np.uint64(0xBF58476D1CE4E5B9)
_S1 = np.uint64(32)
_S2 = np.uint64(29)


@kernel(internal=True)
def mix(h: int, word: int) -> int:
    """One step of a 64-bit multiply-xorshift mix; wraps on purpose."""
    h = (h ^ np.uint64(word)) * _M1
    h = (h ^ (h >> _S1)) * _M2
    return h ^ (h >> _S2)


@kernel(internal=True)
def _home(state: Any, account: int, cid: Any) -> int:
    """Bucket a key belongs in; `cid` is any record with cid0..cid4."""
    h = mix(np.uint64(state.counters[0].hash_key), np.uint64(account))
    h = mix(mix(h, cid.cid0), cid.cid1)
    h = mix(mix(mix(h, cid.cid2), cid.cid3), np.uint64(cid.cid4))
    return np.int64(h & np.uint64(state.buckets.shape[0] - 1))


@kernel(internal=True)
def content_digest(state: Any, command: Any) -> int:
    """Digest of what a command asks for: everything but its stamp, session and place in the journal."""
    h = mix(np.uint64(state.counters[0].hash_key), np.uint64(command.kind))
    h = mix(mix(h, np.uint64(command["flags"])), np.uint64(command.side))
    h = mix(mix(h, np.uint64(command.order_type)), np.uint64(command.instrument))
    h = mix(mix(h, np.uint64(command.order_id)), np.uint64(command.price_ticks))
    h = mix(mix(h, np.uint64(command.quantity_lots)), np.uint64(command.display_lots))
    h = mix(mix(h, np.uint64(command.min_lots)), np.uint64(command.stop_ticks))
    h = mix(mix(h, np.uint64(command.deadline_ns)), np.uint64(command.expiry_ns))
    h = mix(mix(h, np.uint64(command.revision)), np.uint64(command.label))
    return mix(mix(h, np.uint64(command.time_in_force)), np.uint64(command.self_trade))


@kernel(internal=True)
def _same(key: Any, account: int, cid: Any) -> bool:
    if key.account != account or key.cid0 != cid.cid0 or key.cid1 != cid.cid1:
        return False
    return key.cid2 == cid.cid2 and key.cid3 == cid.cid3 and key.cid4 == cid.cid4


@kernel(internal=True)
def find_key(state: Any, account: int, cid: Any) -> int:
    """Slot of the key in `keys`, or -1."""
    mask = state.buckets.shape[0] - 1
    bucket = _home(state, account, cid)
    while state.buckets[bucket] >= 0:
        slot = state.buckets[bucket]
        if _same(state.keys[slot], account, cid):
            return slot
        bucket = (bucket + 1) & mask
    return -1


@kernel(internal=True)
def place_in_bucket(state: Any, slot: int) -> None:
    """Enter a key slot into the hash table."""
    mask = state.buckets.shape[0] - 1
    key = state.keys[slot]
    bucket = _home(state, np.int64(key.account), key)
    while state.buckets[bucket] >= 0:
        bucket = (bucket + 1) & mask
    state.buckets[bucket] = slot


@kernel
def place_all_in_buckets(state: Any) -> None:
    """Enter every used key slot into an empty hash table."""
    for slot in range(state.keys.shape[0]):
        if state.keys[slot].used:
            place_in_bucket(state, slot)


@kernel(internal=True)
def keys_free(state: Any) -> int:
    """How many keys can be inserted without growth."""
    return state.keys.shape[0] - state.counters[0].n_keys


@kernel(internal=True)
def insert_key(state: Any, account: int, command: Any, digest: int) -> int:
    """Consume a key for a command; returns its slot. The caller has made room and knows that the key is new."""
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
    key.order_live = 0
    key.retention_over = 0
    place_in_bucket(state, slot)
    state.fifo[counters.fifo_tail % state.fifo.shape[0]] = slot
    counters.fifo_tail += 1
    counters.n_keys += 1
    return slot


@kernel(internal=True)
def _remove_key(state: Any, slot: int) -> None:
    counters = state.counters[0]
    mask = state.buckets.shape[0] - 1
    key = state.keys[slot]
    bucket = _home(state, np.int64(key.account), key)
    while state.buckets[bucket] != slot:
        bucket = (bucket + 1) & mask
    # Close the gap: move back each follower that would no longer be found.
    hole = bucket
    probe = (bucket + 1) & mask
    while state.buckets[probe] >= 0:
        follower = state.keys[state.buckets[probe]]
        home = _home(state, np.int64(follower.account), follower)
        if ((probe - home) & mask) >= ((probe - hole) & mask):
            state.buckets[hole] = state.buckets[probe]
            hole = probe
        probe = (probe + 1) & mask
    state.buckets[hole] = -1
    key.used = 0
    key.sequence = counters.key_free
    counters.key_free = slot
    counters.n_keys -= 1


@kernel(internal=True)
def retire_keys(state: Any) -> None:
    """Drop keys whose retention is over at the current stamp; a key with a live order stays until the order ends."""
    counters = state.counters[0]
    while counters.fifo_head < counters.fifo_tail:
        slot = np.int64(state.fifo[counters.fifo_head % state.fifo.shape[0]])
        key = state.keys[slot]
        if key.stamp_ns + counters.retention_ns > counters.stamp_ns:
            return
        counters.fifo_head += 1
        if key.order_live:
            key.retention_over = 1
        else:
            _remove_key(state, slot)


@kernel(internal=True)
def end_key_order(state: Any, slot: int) -> None:
    """The order of a key has ended."""
    state.keys[slot].order_live = 0
    if state.keys[slot].retention_over:
        _remove_key(state, slot)
