"""Invariants of the table of bundles, from its rows alone: serial numbers without gap or overlap, the chain of hashes, queues and totals.

Reads every row and hashes it: about two seconds a million rows.
"""

import hashlib
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exchange.errors import CheckFailedError
from exchange.protocol.instrument_class import Resale
from exchange.registry.bundles import DIGEST_BYTES, FACTS_BYTES, NO_ROW, Queue, facts_of
from exchange.registry.lifecycle import TERMINAL, UnitState
from exchange.registry.registry import Registry

Numbers = NDArray[np.int64]
_NOT_HELD: Final = [int(state) for state in (*TERMINAL, UnitState.DRAFT, UnitState.VERIFIED)]


def check_registry(registry: Registry) -> None:
    """Raises CheckFailedError naming the first invariant that does not hold."""
    rows = np.asarray(registry.rows)
    require(int(registry.table.tables.counters[0].n_stated) == 0, "no rows wait for a posting")
    require(not (rows["state"] == int(UnitState.RESERVED)).any(), "reserved is a count of orders, no state of a row")
    _check_ranges(registry, rows)
    _check_chain(registry, rows)
    _check_queues(registry, rows)


def require(condition: bool, invariant: str) -> None:
    """Raises CheckFailedError unless the invariant holds."""
    if not condition:
        raise CheckFailedError(f"not so: {invariant}")


def lots_of(rows: NDArray[np.void]) -> Numbers:
    """Units of each bundle."""
    lots: Numbers = rows["serial_to"] - rows["serial_from"] + 1
    return lots


def _check_ranges(registry: Registry, rows: NDArray[np.void]) -> None:
    issuance, start, end, parent = (np.ascontiguousarray(rows[name]) for name in ("issuance", "serial_from", "serial_to", "parent"))
    split = rows["state"] == int(UnitState.SPLIT)
    require(bool((end >= start).all()), "a bundle has units")
    # Issuances are made one after the other, so their roots stand in order; only what was split has to be sorted.
    roots, leaves = np.flatnonzero(parent == NO_ROW), np.flatnonzero(~split)
    leaves = leaves[np.lexsort((start[leaves], issuance[leaves]))]
    numbers, ends = _require_contiguous(issuance[roots], start[roots], end[roots], "roots of an issuance follow each other from 1 on")
    require(numbers == list(range(1, registry.table.n_issuances + 1)), "issuances are numbered without a gap")
    left = _require_contiguous(issuance[leaves], start[leaves], end[leaves], "bundles of an issuance are disjoint and leave no gap")
    require(left == (numbers, ends), "what was issued is all there")
    parts = np.bincount(parent[parent != NO_ROW], minlength=len(rows))
    require(bool((parts == 2 * split).all()), "a split bundle has two parts, and no other has any")


def _require_contiguous(issuance: Numbers, start: Numbers, end: Numbers, invariant: str) -> tuple[list[int], list[int]]:
    """Ranges follow each other within every issuance, from 1 on. Returns the issuances and where each ends."""
    begins = np.ones(len(issuance), np.bool_)
    begins[1:] = issuance[1:] != issuance[:-1]
    expected = np.ones(len(issuance), np.int64)
    expected[1:][~begins[1:]] = end[:-1][~begins[1:]] + 1
    require(bool((start == expected).all()), invariant)
    ends = end[np.append(begins[1:], np.True_)] if len(end) else end
    return issuance[begins].tolist(), ends.tolist()


def _check_chain(registry: Registry, rows: NDArray[np.void]) -> None:
    parents = rows["parent"]
    require(bool((parents < np.arange(len(rows))).all()), "a part comes after what was split")
    facts, digests, sha256 = facts_of(rows), np.ascontiguousarray(rows["digest"]).tobytes(), hashlib.sha256
    roots = [registry.table.issuance_digest(number) for number in range(1, registry.table.n_issuances + 1)]
    priors = [roots[issuance - 1] for issuance in rows["issuance"].tolist()]
    for row in np.flatnonzero(parents != NO_ROW).tolist():
        parent = int(parents[row])
        priors[row] = digests[parent * DIGEST_BYTES : (parent + 1) * DIGEST_BYTES]
    places = range(0, len(facts), FACTS_BYTES)
    hashed = b"".join([sha256(prior + facts[at : at + FACTS_BYTES]).digest() for prior, at in zip(priors, places, strict=True)])
    if hashed != digests:
        places = range(0, len(digests), DIGEST_BYTES)
        wrong = next(row for row, at in enumerate(places) if hashed[at : at + DIGEST_BYTES] != digests[at : at + DIGEST_BYTES])
        raise CheckFailedError(f"not so: row {wrong} is the one that was hashed")


def _check_queues(registry: Registry, rows: NDArray[np.void]) -> None:
    tables = registry.table.tables
    lots, slots = lots_of(rows), tables.slot_of[rows["asset"]].astype(np.int64)
    totals = np.zeros_like(tables.totals)
    live = rows["state"] != int(UnitState.SPLIT)
    np.add.at(totals, (slots[live], rows["state"][live]), lots[live])
    require(bool((totals == tables.totals).all()), "totals by state are those of the rows")
    kinds = _kinds(registry, rows, slots)
    held = np.flatnonzero(kinds >= 0)
    order = held[np.lexsort([column[held] for column in (rows["serial_from"], rows["place"], kinds, rows["account"], slots)])]
    walked: list[int] = []
    for slot, account, kind in np.argwhere(np.asarray(tables.queues)["first"] != NO_ROW).tolist():
        queue = tables.queues[slot, account, kind]
        found = _walk(tables, queue)
        first = found[0]
        belongs = (int(slots[first]), int(rows["account"][first]), int(kinds[first])) == (slot, account, kind)
        require(belongs and int(queue.lots) == int(lots[found].sum()), "a queue counts the units of its account")
        walked += found
    require(walked == order.tolist(), "queues hold what is held, in the order of its arrival")


def _kinds(registry: Registry, rows: NDArray[np.void], slots: Numbers) -> Numbers:
    """The queue each bundle belongs to by what it is, -1 for none."""
    tables = registry.table.tables
    resale = tables.resale[slots]
    today = (resale == int(Resale.NEXT_DAY)) & (rows["day"] == int(tables.counters[0].day))
    stuck = (rows["transfers"] > 0) & ((resale == int(Resale.NONE)) | today)
    kinds = np.where(stuck, int(Queue.UNSELLABLE), int(Queue.SELLABLE))
    for state, queue in ((UnitState.LOCKED, Queue.LOCKED), (UnitState.FROZEN, Queue.FROZEN)):
        kinds[rows["state"] == int(state)] = int(queue)
    kinds[np.isin(rows["state"], _NOT_HELD)] = -1
    return kinds


def _walk(tables: Any, queue: Any) -> list[int]:
    """Rows of a queue from its first to its last, by the links of both directions."""
    befores, afters = memoryview(tables.before), memoryview(tables.after)
    rows, row, before = [], int(queue.first), NO_ROW
    while row != NO_ROW:
        if befores[row] != before:
            raise CheckFailedError("not so: links of a queue go both ways")
        rows.append(row)
        before, row = row, afters[row]
    require(before == int(queue.last), "a queue ends with its last row")
    return rows
