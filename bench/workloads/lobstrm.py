"""Order streams in the standard layout: a header of 64 bytes, then records of 24 bytes, little-endian; expected results in a JSON file.

Header: magic `LOBSTRM1`, u32 record size (24), u32 symbols, u32 warm-up records, u32 resting orders a symbol, u64 records (warm-up
included), u64 highest order id, 24 zero bytes. Types: 1 limit order, 2 cancel, 3 replace (new price and remaining quantity, priority
lost), 4 immediate-or-cancel. Ids ascend from 1 without gaps. The trade hash folds fills in sequence with unsigned 64-bit wrap-around:
h = (h ^ (maker * 0x100000001B3 + taker * 0x9E3779B1 + price * 0x85EBCA77 + quantity)) * 0x9E3779B97F4A7C15, from 0.
"""

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from matching.compile import kernel

MAGIC: Final = b"LOBSTRM1"
HEADER: Final = struct.Struct("<8sIIIIQQ24x")
MESSAGE: Final = np.dtype([("type", "u1"), ("side", "u1"), ("symbol", "<u2"), ("qty", "<u4"), ("id", "<u8"), ("price", "<i4"), ("delta", "<i4")])
ADD, CANCEL, REPLACE, IOC = 1, 2, 3, 4
BUY, SELL = 0, 1


@dataclass(frozen=True)
class Stream:
    """A stream as it stands in its file. The first `n_warm` messages build the books and are not timed.

    `expected` holds at least trades, volume, hash and live_orders of all messages; it is empty when no JSON file lies beside the stream.
    """

    name: str
    n_books: int
    n_warm: int
    resting: int
    messages: np.ndarray  # MESSAGE
    expected: dict[str, Any]

    def prefix(self, n_timed: int) -> "Stream":
        """The stream cut after `n_timed` timed messages, with the results expected there if its JSON file knows them."""
        n_messages = self.n_warm + n_timed
        if n_messages >= len(self.messages):
            return self
        at = self.expected.get("at", {}).get(str(n_messages))
        expected = {"trades": at["trades"], "volume": at["volume"], "hash": at["hash"], "live_orders": at["live"]} if at else {}
        return Stream(f"{self.name}[:{n_timed}]", self.n_books, self.n_warm, self.resting, self.messages[:n_messages], expected)


def write(path: Path, stream: Stream) -> None:
    """Write a stream and its JSON file. Each appears whole or not at all, the stream last."""
    header = HEADER.pack(
        MAGIC, MESSAGE.itemsize, stream.n_books, stream.n_warm, stream.resting, len(stream.messages), int(stream.messages["id"].max(initial=0))
    )
    for target, content in ((path.with_suffix(".json"), json.dumps(stream.expected, indent=1).encode()), (path, header + stream.messages.tobytes())):
        part = target.with_name(target.name + ".part")
        part.write_bytes(content)
        part.replace(target)


def load(path: Path) -> Stream:
    """Read a stream and the JSON file of its name. ValueError if it is not one."""
    raw = path.read_bytes()
    if len(raw) < HEADER.size or not raw.startswith(MAGIC):
        raise ValueError(f"{path} is not an order stream")
    _, record_size, n_books, n_warm, resting, n_records, _ = HEADER.unpack_from(raw)
    if record_size != MESSAGE.itemsize or len(raw) != HEADER.size + n_records * record_size:
        raise ValueError(f"{path}: {n_records} records of {record_size} bytes announced, {len(raw) - HEADER.size} bytes there")
    if n_warm >= n_records:
        raise ValueError(f"{path}: an order stream of {n_records} records with {n_warm} of warm-up leaves nothing to time")
    results = path.with_suffix(".json")
    expected = json.loads(results.read_text()) if results.exists() else {}
    return Stream(path.name, n_books, n_warm, resting, np.frombuffer(raw, MESSAGE, offset=HEADER.size), expected)


@kernel(inline=True)
def fold_trade(trade_hash, maker, taker, price_ticks, quantity_lots):
    """The trade hash (uint64) with one more fill."""
    mixed = np.uint64(maker) * np.uint64(0x100000001B3) + np.uint64(taker) * np.uint64(0x9E3779B1)
    mixed += np.uint64(price_ticks) * np.uint64(0x85EBCA77) + np.uint64(quantity_lots)
    return (np.uint64(trade_hash) ^ mixed) * np.uint64(0x9E3779B97F4A7C15)
