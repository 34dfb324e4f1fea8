"""Fixed random walks through a small market, one of blocks and one of everything; prints hashes: `python -m tests.exchange.order_path.walk STEPS`."""

import sys
from typing import Any

import numpy as np

from exchange.order_path import canonical
from exchange.order_path.check import check_exchange
from matching.records import TimeInForce
from tests.exchange.order_path.block_market import walk_blocks
from tests.exchange.order_path.combined_market import walk_day
from tests.exchange.order_path.test_properties import FLAGS, command, market

CHANGES = ("amend", "amend", "cancel", "closed")


def step(rng: np.random.Generator) -> dict[str, Any]:
    """Seven in ten steps place an order, the others change one or wait a minute."""
    numbers = {
        "who": int(rng.integers(4)), "what": int(rng.integers(4)), "side": int(rng.integers(2)), "price": int(rng.integers(4)),
        "lots": int(rng.integers(1, 40)), "tif": int(rng.integers(len(TimeInForce))), "stp": int(rng.integers(4)),
        "flags": int(FLAGS[int(rng.integers(len(FLAGS)))]), "display": int(rng.integers(1, 10)), "minimum": int(rng.integers(20)),
        "stop": int(rng.integers(4)),
        "order_type": int(rng.random() < 0.2), "order": int(rng.integers(7)), "own": bool(rng.random() < 0.8), "minutes": 5, "revision": 1,
    }  # fmt: skip
    kind = rng.random()
    if kind < 0.7:
        return numbers | {"kind": "place"}
    return numbers | {"kind": CHANGES[int(rng.integers(len(CHANGES)))]} if kind < 0.95 else {"kind": "wait", "minutes": 1}


def walk(steps: int, seed: int = 1) -> str:
    """Both hashes of the markets after `steps` commands each, the last after twice as many; invariants are checked after each."""
    park, accounts, instruments = market()
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        park.send(command(park, accounts, instruments, step(rng)))
        check_exchange(park.exchange)
    others = walk_blocks(steps, seed), walk_day(seed, 2 * steps)
    return " ".join(part for one in (park, *others) for part in (canonical.state_hash(one.exchange).hex(), one.exchange.event_hash))


if __name__ == "__main__":
    with np.errstate(over="ignore"):  # without the JIT numpy reports the wrap-around that hashing means
        print(walk(int(sys.argv[1])))
