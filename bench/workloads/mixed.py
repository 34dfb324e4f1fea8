"""A day's order flow over many books with everything the core does: all times in force, self-trade prevention, post-only, icebergs, amends, expiries.

Drawn with arrays and no book beside it, so some cancels and amends name orders that have ended; the core passes over those. Prices wander
around a mid of each book, a tenth of the new orders are priced to trade, and owners are few enough to meet themselves.
"""

import numpy as np

from bench.core import EntryFlag, EntryKind, SelfTrade, TimeInForce, Workload, make_entries

SHARES = {EntryKind.PLACE: 0.5, EntryKind.CANCEL: 0.34, EntryKind.AMEND: 0.14, EntryKind.EXPIRE: 0.02}
LOOK_BACK = 2_000  # cancels and amends name one of the last so many new orders


def mixed_day(n: int, n_books: int = 96, n_owners: int = 28, seed: int = 1) -> Workload:
    """`n` entries, the first tenth of them new orders only (warm-up). The same arguments give the same stream."""
    rng = np.random.Generator(np.random.PCG64(seed))
    entries = make_entries(n)
    n_warm = n // 10
    kinds = rng.choice(list(SHARES), n, p=list(SHARES.values()))
    kinds[: max(n_warm, 1)] = EntryKind.PLACE
    entries["kind"] = kinds
    new = np.flatnonzero(kinds == EntryKind.PLACE)
    changes = np.flatnonzero(kinds != EntryKind.PLACE)
    entries["order_id"][new] = np.arange(1, len(new) + 1)
    entries["book"] = rng.integers(0, n_books, n)
    entries["owner"] = rng.integers(0, n_owners, n)
    entries["side"] = rng.integers(0, 2, n)
    placed_before = np.cumsum(kinds == EntryKind.PLACE)[changes]
    target = new[placed_before - 1 - rng.integers(0, np.minimum(placed_before, LOOK_BACK))]
    for name in ("order_id", "book", "owner", "side"):
        entries[name][changes] = entries[name][target]
    mid = 4_000 + np.cumsum(rng.integers(-1, 2, n)) // 8
    away = 1 + rng.gamma(1.5, 8.0, n).astype(np.int64)
    away[rng.random(n) < 0.1] *= -1
    entries["price_ticks"] = mid + np.where(entries["side"] == 0, -away, away)
    entries["quantity_lots"] = rng.integers(1, 101, n)
    entries["time_in_force"] = rng.choice(list(TimeInForce), n, p=(0.78, 0.05, 0.05, 0.07, 0.03, 0.02))
    entries["self_trade"] = rng.choice(list(SelfTrade), n)
    entries["flags"] = rng.choice((EntryFlag.NONE, EntryFlag.POST_ONLY, EntryFlag.ICEBERG), n, p=(0.85, 0.1, 0.05))
    may_not = np.isin(entries["time_in_force"], (TimeInForce.IOC, TimeInForce.FOK))
    entries["flags"][may_not | ((kinds != EntryKind.PLACE) & (entries["flags"] == EntryFlag.ICEBERG))] = EntryFlag.NONE
    entries["display_lots"] = (entries["quantity_lots"] + 3) // 4
    return Workload(f"mixed-day-{seed}", n_books, n_warm, entries, {})
