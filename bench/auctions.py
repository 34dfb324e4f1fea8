"""One-shot auctions: milliseconds a call, from an array of sealed orders to fills, prices and payments.

    python -m bench.auctions [--orders 10000 --orders 1000000] [--repeat 7] [--mechanism uniform ...] [--json] [--no-record] [--results DIR]

The workload: half of the orders bids, half asks, alternating; limits normally distributed around 5,000 ticks with a standard deviation of
800, so about half of the lots trade and each tick holds a handful of 10,000 orders and hundreds of 1,000,000; quantities uniform from 1 to
1,000 lots; ten orders an owner. A call checks, ranks and clears; making the array is not timed. One thread; the first call of each size,
which compiles, is not counted, but its fills are those that all others must repeat. The last line of stdout is JSON.

What bounds it. A third of a call is sorting one packed int64 an order; nearly all of the rest reads and writes whole columns: orders in, fills
out. Finding the price from the depth takes a fortieth at 10,000 orders and a thousandth at 1,000,000. VCG asks for one pass over the
accepted orders for each owner that trades and is measured up to 10,000.
"""

import argparse
import hashlib
import json
import sys
import time
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.record import RESULTS, append_result
from matching.mechanisms import MECHANISMS, SEALED_ORDER, Clearing, Rules, TieRule

SIZES: Final = (10_000, 1_000_000)
SEED: Final = 20_260_715
VCG_ORDERS_MAX: Final = 10_000
GRID: Final = {"grid_buy_ticks": 6_500, "grid_sell_ticks": 2_800}


class ClearingMismatchError(Exception):
    """Two calls with the same orders and rules gave different fills."""


def draw_orders(n_orders: int, seed: int = SEED) -> np.ndarray:
    """The workload: SEALED_ORDER, shape (n_orders,)."""
    rng = np.random.default_rng(seed)
    orders = np.zeros(n_orders, SEALED_ORDER)
    orders["order_id"] = np.arange(n_orders)
    orders["side"] = np.arange(n_orders) % 2
    orders["quantity_lots"] = rng.integers(1, 1_001, n_orders)
    orders["owner"] = rng.integers(0, max(n_orders // 10, 1), n_orders)
    orders["price_ticks"] = np.rint(rng.normal(5_000, 800, n_orders)).astype(np.int32)
    return orders


def hash_clearing(clearing: Clearing) -> str:
    """Digest of the fills, so that two runs can be seen to have done the same."""
    digest = hashlib.sha256()
    for name in ("order_id", "quantity_lots", "amount_tick_lots"):
        digest.update(np.ascontiguousarray(clearing.fills[name]).tobytes())
    return digest.hexdigest()[:16]


def measure(name: str, orders: np.ndarray, rules: Rules, repeat: int) -> dict[str, Any]:
    """Times of `repeat` calls and what came out of them. Raises ClearingMismatchError where a call gives other fills than the first."""
    clear = MECHANISMS[name].clear
    expected = hash_clearing(clear(orders, rules))
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        clearing = clear(orders, rules)
        times.append((time.perf_counter() - start) * 1e3)
        if hash_clearing(clearing) != expected:
            raise ClearingMismatchError(f"{name}: {len(orders)} orders cleared in two ways")
    return {
        "mechanism": name,
        "orders": len(orders),
        "tie": rules.tie.name.lower(),
        "ms": {"median": round(float(np.median(times)), 3), "min": round(min(times), 3), "max": round(max(times), 3)},
        "fills": len(clearing.fills),
        "volume_lots": clearing.volume_lots,
        "surplus_tick_lots": clearing.surplus_tick_lots,
        "hash": expected,
    }


def benchmark(sizes: tuple[int, ...], names: tuple[str, ...], repeat: int) -> dict[str, Any]:
    """All figures of a run: each mechanism with ties by time, the uniform auction with the other tie rules too."""
    results = []
    for n_orders in sizes:
        orders = draw_orders(n_orders)
        for name in names:
            if name == "vcg" and n_orders > VCG_ORDERS_MAX:
                continue
            ties = TieRule if name == "uniform" else (TieRule.TIME,)
            results += [measure(name, orders, Rules(tie=tie, **GRID), repeat) for tie in ties]
    return {"repeat": repeat, "seed": SEED, "results": results}


def show(result: dict[str, Any]) -> None:
    """Print a result for people."""
    for row in result["results"]:
        times = row["ms"]
        spread = f"{times['median']:10.3f} ms (min {times['min']:.3f}, max {times['max']:.3f})"
        print(f"{row['mechanism']:>10} {row['tie']:>8} {row['orders']:>9} orders {spread}  {row['volume_lots']} lots  {row['hash']}")


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="bench.auctions", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, action="append", help="size of a market; may be given more than once")
    parser.add_argument("--mechanism", action="append", choices=MECHANISMS, help="may be given more than once; all by default")
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--json", action="store_true", help="print the JSON line only")
    parser.add_argument("--no-record", action="store_true", help="do not append to the results")
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory of the results")
    options = parser.parse_args(arguments)
    if options.repeat < 1 or any(size < 1 for size in options.orders or ()):
        parser.error("sizes and repeats are at least 1")
    try:
        result = benchmark(tuple(options.orders or SIZES), tuple(options.mechanism or MECHANISMS), options.repeat)
    except ClearingMismatchError as error:
        print(error, file=sys.stderr)
        return 1
    if not options.json:
        show(result)
    if not options.no_record:
        append_result("auctions", result, options.results)
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
