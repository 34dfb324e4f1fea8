"""Order streams in the standard layout: a header of 64 bytes, then records of 24 bytes, little-endian; expected results in a JSON file.

Header: magic `LOBSTRM1`, u32 record size (24), u32 symbols, u32 warm-up records, u32 resting orders a symbol, u64 records (warm-up
included), u64 highest order id, 24 zero bytes. Types: 1 limit order, 2 cancel, 3 replace (new price and remaining quantity, priority
lost), 4 immediate-or-cancel. The trade hash folds fills in sequence with unsigned 64-bit wrap-around:
h = (h ^ (maker * 0x100000001B3 + taker * 0x9E3779B1 + price * 0x85EBCA77 + quantity)) * 0x9E3779B97F4A7C15, from 0.
"""

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from matching.compile import kernel
from matching.records import ENTRY, EntryKind, EventKind, TimeInForce
from matching.state import make_records

MAGIC: Final = b"LOBSTRM1"
HEADER: Final = struct.Struct("<8sIIIIQQ24x")
MESSAGE: Final = np.dtype([("type", "u1"), ("side", "u1"), ("symbol", "<u2"), ("qty", "<u4"), ("id", "<u8"), ("price", "<i4"), ("delta", "<i4")])
ADD, CANCEL, REPLACE, IOC = 1, 2, 3, 4
KIND_OF_TYPE: Final = np.array([0, EntryKind.PLACE, EntryKind.CANCEL, EntryKind.AMEND, EntryKind.PLACE], np.uint8)
OWNERS: Final = 128


@dataclass(frozen=True)
class Stream:
    """A stream as entries of the core. The first `n_warm` build the books and are not timed."""

    name: str
    n_books: int
    n_warm: int
    entries: np.ndarray  # ENTRY
    expected: dict[str, Any]  # empty when no JSON file lies beside the stream


def entries_of(messages: np.ndarray) -> np.ndarray:
    """The messages as ENTRY records. Buyers and sellers are different owners, so that no order meets one of its own."""
    entries = make_records(ENTRY, len(messages))
    entries["kind"] = KIND_OF_TYPE[messages["type"]]
    entries["order_id"] = messages["id"]
    entries["quantity_lots"] = messages["qty"]
    entries["price_ticks"] = messages["price"]
    entries["book"] = messages["symbol"]
    entries["side"] = messages["side"]
    entries["owner"] = messages["id"] % (OWNERS // 2) * 2 + messages["side"]
    entries["time_in_force"] = np.where(messages["type"] == IOC, TimeInForce.IOC, TimeInForce.GTC)
    return entries


def load(path: Path) -> Stream:
    """Read a stream and the JSON file of its name. ValueError if it is not one."""
    raw = path.read_bytes()
    if len(raw) < HEADER.size or not raw.startswith(MAGIC):
        raise ValueError(f"{path} is not an order stream")
    _, record_size, n_books, n_warm, _, n_records, _ = HEADER.unpack_from(raw)
    if record_size != MESSAGE.itemsize or len(raw) != HEADER.size + n_records * record_size:
        raise ValueError(f"{path}: {n_records} records of {record_size} bytes announced, {len(raw) - HEADER.size} bytes there")
    results = path.with_suffix(".json")
    expected = json.loads(results.read_text()) if results.exists() else {}
    return Stream(path.name, n_books, n_warm, entries_of(np.frombuffer(raw, MESSAGE, offset=HEADER.size)), expected)


@kernel
def fold_trades(events, n_events, trade_hash, trades, volume):
    """Continue the trade hash (uint64), count and volume over EVENT records; returns the three."""
    folded = np.uint64(trade_hash)
    for i in range(n_events):
        event = events[i]
        if event.kind == EventKind.FILLED:
            mixed = np.uint64(event.counter_id) * np.uint64(0x100000001B3) + np.uint64(event.order_id) * np.uint64(0x9E3779B1)
            mixed += np.uint64(event.price_ticks) * np.uint64(0x85EBCA77) + np.uint64(event.quantity_lots)
            folded = (folded ^ mixed) * np.uint64(0x9E3779B97F4A7C15)
            trades += 1
            volume += event.quantity_lots
    return folded, trades, volume
