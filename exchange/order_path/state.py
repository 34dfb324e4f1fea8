"""State of the compiled order path: a handful of structured arrays in one NamedTuple, passed to kernels as one argument.

Only compiled functions of this room write these arrays. They say record["flags"], since without the JIT a record has `flags` of its own.
Dense slots (instrument slots, order slots, key slots) never leave the process.
"""

from enum import IntEnum
from typing import Any, Final, NamedTuple

import numpy as np

from exchange.journal.record import COMMAND
from exchange.order_path.records import EXECUTION, OUTCOME, POSTING
from matching.basket import LEGS_MAX
from matching.records import ENTRY, EVENT
from matching.state_block import StateBlock

# Client order ids are 36 bytes; kernels read and compare them as words.
_CID_WORDS: Final = [("cid0", "<u8"), ("cid1", "<u8"), ("cid2", "<u8"), ("cid3", "<u8"), ("cid4", "<u4")]
CID_NAMES: Final = tuple(name for name, _ in _CID_WORDS)


def _with_words(dtype: np.dtype[Any], fields: dict[str, str]) -> np.dtype[Any]:
    """The same layout with each S36 field replaced by five words named prefix0..prefix4."""
    columns: list[tuple[str, np.dtype[Any], int]] = []
    for name, (kind, offset, *_) in (dtype.fields or {}).items():
        if name in fields:
            columns.extend((f"{fields[name]}{i}", np.dtype(word), offset + 8 * i) for i, (_, word) in enumerate(_CID_WORDS))
        elif kind.kind != "V":
            columns.append((name, kind, offset))
    names, formats, offsets = zip(*columns, strict=True)
    return np.dtype({"names": list(names), "formats": list(formats), "offsets": list(offsets), "itemsize": dtype.itemsize})


COMMAND_WORDS: Final = _with_words(COMMAND, {"client_order_id": "cid"})
EXECUTION_WORDS: Final = _with_words(EXECUTION, {"client_order_id": "cid", "counter_client_order_id": "counter_cid"})

ACCOUNT: Final = np.dtype(
    [
        ("balance_micro", "i8"),
        ("held_micro", "i8"),
        ("min_net_lots", "i8"),
        ("max_net_lots", "i8"),
        ("execution_seq", "i8"),
        ("permissions", "u4"),
        ("storage", "i4"),  # index into `storages`, -1: none
        ("open_orders", "i4"),
        ("owner", "i4"),  # beneficial owner, where rules of owners look at this account; else 0
        ("exists", "u1"),
        ("suspended", "u1"),
        ("may_reduce", "u1"),  # 0: no reduce-only order is open
    ],
    align=True,
)

INSTRUMENT: Final = np.dtype(
    [
        ("id", "i8"),
        ("min_price_ticks", "i8"),
        ("max_price_ticks", "i8"),
        ("band_low_ticks", "i8"),
        ("band_high_ticks", "i8"),
        ("max_order_lots", "i8"),
        ("multiplier_micro", "i8"),
        ("maker_fee_lot_micro", "i8"),
        ("taker_fee_lot_micro", "i8"),
        ("maker_fee_tick_lot_micro", "i8"),
        ("taker_fee_tick_lot_micro", "i8"),
        ("park_fee_lot_micro", "i8"),
        ("deficit_price_ticks", "i8"),
        ("delivery_start_ns", "i8"),
        ("trade_number", "i8"),
        ("book_seq", "i8"),
        ("last_price_ticks", "i8"),
        ("open_orders", "i8"),
        ("interruption_ns", "i8"),
        ("continuous_end_ns", "i8"),
        ("phase_end_ns", "i8"),  # of a call phase, also while it is halted or paused; else 0
        ("auction_ticks", "i8"),  # price of the last auction, -1: none
        ("book", "i4"),
        ("periods", "i4"),  # quarter-hours of delivery: 1, of a block 2 to 96, of units 0
        ("first_period", "i4"),  # of a block: where its quarter-hours begin in `covered`
        ("phase", "u1"),
        ("instrument_class", "u1"),
        ("resale", "u1"),
        ("used", "u1"),
    ],
    align=True,
)

# One (instrument slot, account). Bought positive. For power `contract_lots` are monthly contracts; for units `net_lots` is what is owned.
# Open lots of a quarter-hour count the orders of every block that covers it. Of a block itself there are its own open lots, and what was bought
# and sold in it as information: its trades are positions of its quarter-hours.
POSITION: Final = np.dtype(
    [
        ("net_lots", "i8"),
        ("contract_lots", "i8"),
        ("open_buy_lots", "i8"),
        ("open_sell_lots", "i8"),
        ("unsellable_lots", "i8"),  # bought today, or at the end of their transfers
        ("bought_lots", "i8"),
        ("sold_lots", "i8"),
        ("bought_micro", "i8"),
        ("sold_micro", "i8"),
        ("fees_micro", "i8"),
        ("held_park_fee_micro", "i8"),
        ("held_guarantee_micro", "i8"),
    ],
    align=True,
)

STORAGE: Final = np.dtype(
    [
        ("account", "i8"),
        ("soc_wh", "i8"),
        ("soc_min_wh", "i8"),
        ("soc_max_wh", "i8"),
        ("period_limit_wh", "i8"),
        ("charge_ppm", "i8"),
        ("discharge_ppm", "i8"),
        ("as_of_ns", "i8"),  # `soc_wh` holds at the start of the periods from here on
    ],
    align=True,
)

# What the exchange knows of an open order beyond the book: the twin of the matching pool, by order slot. `limit_ticks` and `display_lots` are
# the book's too; here they are at hand when the order has left it. So is the client order id, so that an order can trade and end without its
# key, which may lie anywhere in memory. `post_only`: EntryFlag.POST_ONLY, REPRICE. `outlives_key`: the retention of its key is over.
TERMS: Final = np.dtype(
    [
        *_CID_WORDS,
        ("limit_ticks", "i4"),
        ("expiry_ns", "i8"),
        ("original_lots", "i8"),
        ("filled_lots", "i8"),
        ("display_lots", "u4"),  # of an iceberg, else 0
        ("key", "i4"),
        ("instrument_slot", "i4"),
        ("session", "u4"),
        ("label", "u4"),
        ("revision", "u4"),
        ("side", "u1"),
        ("time_in_force", "u1"),
        ("cancel_on_disconnect", "u1"),
        ("self_trade", "u1"),
        ("post_only", "u1"),
        ("outlives_key", "u1"),
        ("reduce_only", "u1"),
    ],
    align=True,
)
assert TERMS.itemsize == 96, TERMS.itemsize

# An idempotency key with the recorded outcome. It lives until its order has ended and the retention is over.
KEY: Final = np.dtype(
    [
        *_CID_WORDS,
        ("account", "u4"),
        ("digest", "u8"),
        ("stamp_ns", "i8"),
        ("sequence", "i8"),
        ("order_id", "i8"),
        ("filled_lots", "i8"),
        ("remaining_lots", "i8"),
        ("notional_micro", "i8"),
        ("cancelled_orders", "i4"),
        ("revision", "u4"),
        ("code", "u2"),
        ("flags", "u2"),
        ("used", "u1"),
    ],
    align=True,
)


class DeadlineKind(IntEnum):
    """ORDER_EXPIRY fires inside the compiled loop; the others hand over to Python."""

    ORDER_EXPIRY = 1
    OPEN = 2
    CLOSE = 3
    DELIVER = 4
    SESSION = 5  # next calendar transition of a unit instrument
    MIDNIGHT = 6  # units bought today become sellable
    CALL_END = 7  # an opening auction or an interruption ends
    CLOSING_CALL = 8  # orders gather for the closing auction
    BLOCK_EXPIRY = 16  # the window of a proposed block trade ends
    AUCTION_END = 17  # the window of a one-way auction ends
    CANCEL_AFTER = 18  # a dead man's switch was not renewed
    PROPOSAL_EXPIRY = 32  # nobody approved in time
    KEY_EXPIRY = 33  # a key has reached its end
    UNIT_EXPIRY = 34  # the validity of certificates ends
    SETTLEMENT_RUN = 35
    CREDIT_PERIOD = 36  # a compliance or crediting period ends


DEADLINE: Final = np.dtype([("at_ns", "i8"), ("id", "i8"), ("ref", "i8"), ("kind", "i8")], align=True)

COUNTERS: Final = np.dtype(
    [
        ("sequence", "i8"),  # last command applied
        ("stamp_ns", "i8"),
        ("event_index", "i8"),  # next event index within `event_sequence`
        ("event_sequence", "i8"),
        ("posting_index", "i8"),
        ("next_order_id", "i8"),
        ("next_deadline_id", "i8"),
        ("cancel_only_until_ns", "i8"),
        ("retention_ns", "i8"),
        ("event_hash", "u8"),
        ("hash_key", "u8"),
        ("epoch", "i8"),
        # Not logical state: fill levels of the arrays.
        ("n_executions", "i8"),
        ("n_postings", "i8"),
        ("n_deadlines", "i8"),
        ("n_keys", "i8"),
        ("key_free", "i8"),  # head of the free list through KEY.sequence, -1: none
        ("fifo_head", "i8"),
        ("fifo_tail", "i8"),
        ("next_retirement_ns", "i8"),  # no key retires before it
        ("n_schedule", "i8"),
        ("filled_lots", "i8"),  # of the command at work
        ("notional_micro", "i8"),
        ("cancelled_orders", "i8"),
        ("open_lots", "i8"),
        ("waits", "i8"),  # 1: they are beside the ladder
        ("interrupted", "i8"),  # 1: the command at work has interrupted instruments
        ("owner_self_trade", "i8"),  # 1: self-trade prevention looks at the beneficial owner
        ("owner_limit_lots", "i8"),  # net lots of one beneficial owner in a quarter-hour, 0: no limit
    ],
    align=True,
)


# Where a counter stands in `counter_words`.
COUNTER_AT: Final = {name: index for index, name in enumerate(COUNTERS.names or ())}


class PathState(StateBlock):
    """Everything the compiled loop reads and writes. `books` is the BookState of matching."""

    books: Any
    events: Any  # EVENT[], of the command at work
    entry: Any  # ENTRY[LEGS_MAX], scratch: an order is the first, a basket as many as it has legs
    counters: Any  # COUNTERS[1]
    counter_words: Any  # the same memory as int64[]: what Python reads for every batch, since fields of records cost it microseconds
    accounts: Any  # ACCOUNT[], by account id
    instruments: Any  # INSTRUMENT[], by slot
    slot_of_instrument: Any  # int32[], by instrument id, -1: not open
    positions: Any  # POSITION[instrument slot, account id]
    storages: Any  # STORAGE[]
    schedule: Any  # int32[], slots of open quarter-hours by delivery start
    covered: Any  # int32[], slots of the quarter-hours of each open block, see INSTRUMENT.first_period
    terms: Any  # TERMS[], by order slot
    own_terms: Any  # TERMS[1], of the order that is entering; its key is -1 when there is none, or when the order has terms by slot
    order_slots: Any  # int32[], scratch: the orders of one account, as many as `terms`
    keys: Any  # KEY[]
    buckets: Any  # uint64[], hash table of `keys`: half a hash and a slot plus one, 0: empty
    fifo: Any  # int32[], ring of key slots in order of their stamp
    deadlines: Any  # DEADLINE[], binary heap by (at_ns, id)
    outcomes: Any  # OUTCOME[], by index in the batch
    outcome_words: Any  # the same memory as u8[n, 8]
    executions: Any  # EXECUTION_WORDS[]
    execution_words: Any  # the same memory as u8[n, 25]
    postings: Any  # POSTING[]
    posting_words: Any  # the same memory as u8[n, 5]


def _records(n: int, dtype: np.dtype[Any]) -> Any:
    return np.zeros(n, dtype).view(np.recarray)


_OUTPUTS: Final = {"outcomes": (OUTCOME, OUTCOME), "executions": (EXECUTION, EXECUTION_WORDS), "postings": (POSTING, POSTING)}


def output_arrays(name: str, size: int) -> dict[str, Any]:
    """Fresh memory for `size` outcomes, executions or postings, as the parts of a PathState that show it: as records and as words."""
    dtype, in_words = _OUTPUTS[name]
    rows = np.zeros(size, dtype)
    return {name: rows.view(in_words).view(np.recarray), f"{name.removesuffix('s')}_words": rows.view("<u8").reshape(-1, dtype.itemsize // 8)}


def new_state(books: Any, order_capacity: int, sizes: "Sizes") -> PathState:
    """Empty state with the given initial sizes. Sizes never decide an outcome: arrays grow before a command needs them."""
    counters = _records(1, COUNTERS)
    counters[0].next_order_id = 1
    counters[0].next_deadline_id = 1
    counters[0].key_free = -1
    accounts = _records(sizes.accounts, ACCOUNT)
    accounts.storage = -1
    own_terms = _records(1, TERMS)
    own_terms[0].key = -1
    return PathState(
        books=books,
        events=_records(sizes.events, EVENT),
        entry=_records(LEGS_MAX, ENTRY),
        counters=counters,
        counter_words=np.asarray(counters).view(np.int64),
        accounts=accounts,
        instruments=_records(sizes.instruments, INSTRUMENT),
        slot_of_instrument=np.full(sizes.instruments, -1, np.int32),
        positions=np.zeros((sizes.instruments, sizes.accounts), POSITION).view(np.recarray),
        storages=_records(4, STORAGE),
        schedule=np.zeros(sizes.instruments, np.int32),
        covered=np.zeros(1, np.int32),
        terms=_records(order_capacity, TERMS),
        own_terms=own_terms,
        order_slots=np.zeros(order_capacity, np.int32),
        keys=_records(sizes.keys, KEY),
        buckets=np.zeros(2 * sizes.keys, np.uint64),
        fifo=np.zeros(sizes.keys, np.int32),
        deadlines=_records(sizes.deadlines, DEADLINE),
        **output_arrays("outcomes", sizes.outcomes),
        **output_arrays("executions", sizes.executions),
        **output_arrays("postings", sizes.postings),
    )


class Sizes(NamedTuple):
    """Initial array sizes; powers of two where they are rings or hash tables."""

    accounts: int = 128
    instruments: int = 128
    events: int = 4096
    executions: int = 1 << 14
    postings: int = 1 << 16
    outcomes: int = 4096
    keys: int = 1 << 16
    deadlines: int = 1024
