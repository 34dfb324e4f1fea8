"""The registry of units with a park-year of granular certificates in it: issuance, transfers by the fold of trade postings, queries by serial number.

    python -m bench.registry [--rows N] [--transfers N] [--results DIR]

Timed: `issue_many` of a day's certificates a call with its hash chain; `fold` of UNITS_TRADED postings in batches of 1,000, nearly all of which split
a bundle and hash both parts; `find` of random serial numbers, in the park-year and in a bundle that the transfers have split; digests of all blocks,
and of those that the last 1,000 transfers have touched; the way into a snapshot and back. Not timed: matching, cash and the copy of postings.
Checks that balances by range are those of the postings and that the restored registry has the same digests; prints one JSON line as the last.
"""

import argparse
import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from bench.record import RESULTS, append_result
from exchange.ledger.records import POSTING, PostingReason
from exchange.protocol.instrument_class import Resale
from exchange.registry.bundles import BUNDLE
from exchange.registry.lifecycle import UnitState
from exchange.registry.registry import Registry, UnitFacts
from exchange.registry.serials import UnitScheme

ROWS_A_DAY = 9_600  # 100 devices, 96 quarter-hours
ASSET, SELLER, FIRST_BUYER, BUYERS = 7, 40, 41, 100
QUERIES = 2_000
BATCH = 1_000


def timed(action: Callable[[], Any]) -> tuple[float, Any]:
    """(seconds, what it returned)."""
    start = time.perf_counter()
    answer = action()
    return time.perf_counter() - start, answer


def issue_year(registry: Registry, rows: int, rng: np.random.Generator) -> None:
    """As many bundles as a park-year has, a day a call."""
    for day, first in enumerate(range(0, rows, ROWS_A_DAY)):
        k = min(ROWS_A_DAY, rows - first)
        device = np.arange(k) % 100 + 1
        registry.issue_many(
            FIRST_BUYER + device % BUYERS, rng.integers(1, 500_000, k), day + 1, scheme=int(UnitScheme.GC), source=device, vintage=202607,
            period_start_ns=np.arange(k), period_end_ns=np.arange(k) + 1,
        )  # fmt: skip


def trades(transfers: int, rng: np.random.Generator) -> np.ndarray:
    """POSTING records of sales of one to five units."""
    rows = np.zeros(transfers, POSTING)
    rows["asset"], rows["debit"], rows["reason"] = ASSET, SELLER, int(PostingReason.UNITS_TRADED)
    rows["credit"], rows["amount"] = rng.integers(FIRST_BUYER, FIRST_BUYER + BUYERS, transfers), rng.integers(1, 6, transfers)
    rows["sequence"] = np.arange(transfers) + 1_000
    return rows


def query_us(registry: Registry, issuances: np.ndarray, rng: np.random.Generator) -> dict[str, float]:
    """Percentiles of finding a random serial number of random issuances."""
    took_ns = np.empty(len(issuances), np.int64)
    for i, issuance in enumerate(issuances.tolist()):
        entry = registry.table.issuances[issuance - 1]
        serial = int(rng.integers(1, int(registry.rows[int(entry["first_row"]) + int(entry["rows"]) - 1].serial_to) + 1))
        start = time.perf_counter_ns()
        row = registry.find(issuance, serial)
        took_ns[i] = time.perf_counter_ns() - start
        assert row is not None
        assert registry.rows[row].serial_from <= serial <= registry.rows[row].serial_to
    p50, p99, highest = np.percentile(took_ns, (50, 99, 100)) / 1e3
    return {"p50": round(float(p50), 1), "p99": round(float(p99), 1), "max": round(float(highest), 1)}


def run(rows: int, transfers: int, seed: int = 1) -> dict[str, Any]:
    """Fill a registry, move units in it, ask it, save it and bring it back."""
    rng, registry = np.random.default_rng(seed), Registry()
    registry.issue_many([SELLER], [1], 0, scheme=int(UnitScheme.GC))  # compiles
    issue_s, _ = timed(lambda: issue_year(registry, rows, rng))
    registry.add_asset(ASSET, Resale.NONE)
    postings = trades(transfers, rng)
    total = int(postings["amount"].sum())
    registry.issue(UnitFacts(scheme=UnitScheme.GEC, vintage=202605), SELLER, total + 1, 1, asset=ASSET)
    registry.fold(postings[:1])
    digest_s, _ = timed(registry.table.digests)
    fold_s, _ = timed(lambda: [registry.fold(postings[at : at + BATCH]) for at in range(1, transfers, BATCH)])
    registry.table.digests()
    registry.issue(UnitFacts(scheme=UnitScheme.GEC, vintage=202605), SELLER, 10 * BATCH, 2, asset=ASSET)
    later = trades(BATCH, rng)
    registry.fold(later)
    redigest_s, digests = timed(registry.table.digests)
    split = registry.table.n_issuances - 1
    save_s, content = timed(registry.to_canonical)
    restore_s, restored = timed(lambda: Registry.from_canonical(content, {ASSET: Resale.NONE}))
    sold = np.concatenate([postings, later])
    bought = np.bincount(sold["credit"], sold["amount"], FIRST_BUYER + BUYERS).astype(np.int64)
    held = restored.rows[(restored.rows["asset"] == ASSET) & (restored.rows["state"] == int(UnitState.ISSUED))]
    found = np.bincount(held["account"], held["serial_to"] - held["serial_from"] + 1, FIRST_BUYER + BUYERS).astype(np.int64)
    return {
        "rows": len(registry),
        "transfers": transfers,
        "issue_rows_per_s": round(rows / issue_s),
        "transfers_per_s": round((transfers - 1) / fold_s),
        "query_us": query_us(registry, rng.integers(2, max(3, split), QUERIES), rng),
        "query_split_us": query_us(registry, np.full(QUERIES, split), rng),
        "digest_all_s": round(digest_s, 4),
        "digest_touched_s": round(redigest_s, 5),
        "save_s": round(save_s, 3),
        "restore_s": round(restore_s, 3),
        "bytes_a_row": BUNDLE.itemsize + 8,
        "checked": bool((bought[FIRST_BUYER:] == found[FIRST_BUYER:]).all()) and restored.table.digests() == digests,
        "hash": hashlib.sha256(msgspec.msgpack.encode(registry.to_hash())).hexdigest(),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=3_500_000, help="bundles of granular certificates")
    parser.add_argument("--transfers", type=int, default=200_000, help="trades of another instrument")
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory of the results")
    options = parser.parse_args()
    result = run(options.rows, options.transfers)
    append_result("registry", result, options.results)
    print(json.dumps(result))
    return 0 if result["checked"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
