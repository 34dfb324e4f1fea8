"""Appending EXECUTION records, compiled: what happened to an order, with its event id and its place in the private sequence of its account.

A record is put together as its words of 64 bits, which go into memory and into the running hash of events at once. Written field by field and
hashed from memory, the words would be loaded while the narrower stores that make them up are still on their way, and each would wait for them.
"""

from typing import Any

import numpy as np

from exchange.order_path.mixing import C1, C2, C3, mix_lanes, mix_rows
from matching.compile import kernel
from matching.fold import fold

_HALF = np.uint64(32)
_LOW = np.uint64(2**32 - 1)
_NONE = np.uint64(0)
_SIDE_AT = np.uint64(40)
_REASON_AT = np.uint64(48)


@kernel(inline=True)
def _word(number: Any) -> int:
    """A field as the word that stands for it in memory."""
    return np.uint64(np.int64(number))


@kernel(inline=True)
def _halves(low: Any, high: Any) -> int:
    """Two fields of 32 bits as the word that they are in memory."""
    return (_word(low) & _LOW) | (_word(high) << _HALF)


@kernel(inline=True)
def _parts(low: int, high: int) -> int:
    """The upper half of one word and the lower of the next: client order ids are 36 bytes long, so the second one lies across words."""
    return (low >> _HALF) | (high << _HALF)


@kernel(inline=True)
def _put(words: Any, row: int, at: int, first: int, second: int, lane: int, constant: int) -> int:
    """Write two words of a record; returns the lane of its hash that takes them."""
    words[row, at] = first
    words[row, at + 1] = second
    return fold(first ^ constant, second ^ lane)


@kernel(inline=True)
def _append(
    state: Any, kind: int, event: Any, slot: int, terms: Any, fees: tuple[int, int], counter: tuple[int, int, int],
    counter_cid: tuple[int, int, int, int, int],
) -> None:  # fmt: skip
    """One execution of the order of `event` that has `terms`. `fees`: of it and of its counterparty. `counter`: the account of that, its private
    sequence and the number of the trade. `counter_cid`: words of its client order id.

    The hash is that of `mix_rows`, a pair at a time as they are stored, so that few of them are alive at once.
    """
    counters = state.counters[0]
    row = counters.n_executions
    counters.n_executions = row + 1
    index = counters.event_index
    counters.event_index = index + 1
    account = state.accounts[event.owner]
    seq = account.execution_seq + 1
    account.execution_seq = seq
    words = state.execution_words
    h = np.uint64(counters.event_hash)
    w1 = (_word(index) & _LOW) | (_word(kind) << _HALF) | (_word(event.side) << _SIDE_AT) | (_word(event.reason) << _REASON_AT)
    a = _put(words, row, 0, _word(counters.sequence), w1, h, C1)
    b = _put(words, row, 2, _word(counters.stamp_ns), _word(state.instruments[slot].id), h ^ C2, C2)
    c = _put(words, row, 4, _word(event.order_id), _word(event.counter_id), h ^ C3, C3)
    a = _put(words, row, 6, _word(event.price_ticks), _word(event.quantity_lots), a, C1)
    b = _put(words, row, 8, _word(event.remaining_lots), _word(event.counter_remaining_lots), b, C2)
    c = _put(words, row, 10, _word(fees[0]), _word(fees[1]), c, C3)
    a = _put(words, row, 12, _word(seq), _word(counter[1]), a, C1)
    b = _put(words, row, 14, _word(counter[2]), _halves(event.owner, counter[0]), b, C2)
    c = _put(words, row, 16, np.uint64(terms.cid0), np.uint64(terms.cid1), c, C3)
    c0, c1, c2, c3, c4 = counter_cid
    a = _put(words, row, 18, np.uint64(terms.cid2), np.uint64(terms.cid3), a, C1)
    b = _put(words, row, 20, np.uint64(terms.cid4) | (c0 << _HALF), _parts(c0, c1), b, C2)
    c = _put(words, row, 22, _parts(c1, c2), _parts(c2, c3), c, C3)
    last = _parts(c3, c4)
    words[row, 24] = last
    counters.event_hash = mix_lanes(a, b, c, last)


@kernel(inline=True)
def record_execution(state: Any, kind: int, event: Any, slot: int, terms: Any) -> None:
    """What happened to one order (EVENT, TERMS) of the instrument in `slot`. Modifies the state in place."""
    nothing = np.int64(0)
    _append(state, kind, event, slot, terms, (nothing, nothing), (nothing, nothing, nothing), (_NONE, _NONE, _NONE, _NONE, _NONE))


@kernel(inline=True)
def record_trade(state: Any, kind: int, event: Any, slot: int, terms: Any, maker_terms: Any, taker_fee_micro: int, maker_fee_micro: int) -> None:
    """A trade of two orders, in the private sequences of both accounts. Modifies the state in place."""
    maker = state.accounts[event.counter_owner]
    # The taker's own sequence comes first where both are the same account.
    maker_seq = maker.execution_seq + (2 if event.counter_owner == event.owner else 1)
    cid = (
        np.uint64(maker_terms.cid0), np.uint64(maker_terms.cid1), np.uint64(maker_terms.cid2), np.uint64(maker_terms.cid3),
        np.uint64(maker_terms.cid4),
    )  # fmt: skip
    trade_number = state.instruments[slot].trade_number
    _append(state, kind, event, slot, terms, (taker_fee_micro, maker_fee_micro), (event.counter_owner, maker_seq, trade_number), cid)
    maker.execution_seq = maker_seq


@kernel(inline=True)
def hash_execution(state: Any, row: int) -> None:
    """Fold an execution that was written in another way into the running hash of events."""
    counters = state.counters[0]
    counters.event_hash = mix_rows(np.uint64(counters.event_hash), state.execution_words, row, row + 1)
