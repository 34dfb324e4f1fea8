"""Invariants of the table of bundles, from its rows alone: serial numbers without gap or overlap, the chain of hashes, queues and totals.

Reads every row and hashes it: about two seconds a million rows.
"""

import hashlib
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exchange.errors import CheckFailedError
from exchange.registry.bundles import FACTS_BYTES, NO_ROW, facts_of
from exchange.registry.lifecycle import TERMINAL, UnitState
from exchange.registry.registry import Registry

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


def lots_of(rows: NDArray[np.void]) -> NDArray[np.int64]:
    """Units of each bundle."""
    lots: NDArray[np.int64] = rows["serial_to"] - rows["serial_from"] + 1
    return lots


def _check_ranges(registry: Registry, rows: NDArray[np.void]) -> None:
    require(bool((lots_of(rows) > 0).all()), "a bundle has units")
    roots = rows[rows["parent"] == NO_ROW]
    require(sorted(set(roots["issuance"].tolist())) == list(range(1, registry.table.n_issuances + 1)), "issuances are numbered without a gap")
    _require_contiguous(roots, "roots of an issuance follow each other from 1 on")
    leaves = rows[rows["state"] != int(UnitState.SPLIT)]
    ends = _require_contiguous(leaves, "bundles of an issuance are disjoint and leave no gap")
    require(ends == _require_contiguous(roots, ""), "what was issued is all there")
    parents = rows["parent"][rows["parent"] != NO_ROW]
    split, parts = np.unique(parents, return_counts=True)
    require(bool((parts == 2).all()), "a split bundle has two parts")
    require(split.tolist() == np.flatnonzero(rows["state"] == int(UnitState.SPLIT)).tolist(), "a bundle with parts is split, and no other")


def _require_contiguous(rows: NDArray[np.void], invariant: str) -> list[int]:
    """Ranges follow each other within every issuance, from 1 on. Returns where each ends."""
    ordered = rows[np.lexsort((rows["serial_from"], rows["issuance"]))]
    starts = np.concatenate([[True], ordered["issuance"][1:] != ordered["issuance"][:-1]])[: len(ordered)]
    expected = np.concatenate([[1], ordered["serial_to"][:-1] + 1])[: len(ordered)]
    require(bool((ordered["serial_from"] == np.where(starts, 1, expected)).all()), invariant)
    ends: list[int] = ordered["serial_to"][np.flatnonzero(np.append(starts[1:], True))[: len(ordered)]].tolist()
    return ends


def _check_chain(registry: Registry, rows: NDArray[np.void]) -> None:
    facts = facts_of(rows)
    roots = {number: registry.table.issuance_digest(number) for number in range(1, registry.table.n_issuances + 1)}
    for row, (parent, issuance) in enumerate(zip(rows["parent"].tolist(), rows["issuance"].tolist(), strict=True)):
        require(parent < row, "a part comes after what was split")
        prior = roots[issuance] if parent == NO_ROW else rows["digest"][parent].tobytes()
        digest = hashlib.sha256(prior + facts[row * FACTS_BYTES : (row + 1) * FACTS_BYTES]).digest()
        require(rows["digest"][row].tobytes() == digest, f"row {row} is the one that was hashed")


def _check_queues(registry: Registry, rows: NDArray[np.void]) -> None:
    tables = registry.table.tables
    lots = lots_of(rows)
    totals = np.zeros_like(tables.totals)
    live = np.flatnonzero(rows["state"] != int(UnitState.SPLIT))
    np.add.at(totals, (tables.slot_of[rows["asset"][live]], rows["state"][live]), lots[live])
    require(bool((totals == tables.totals).all()), "totals by state are those of the rows")
    held = np.flatnonzero(~np.isin(rows["state"], _NOT_HELD)).tolist()
    expected: dict[tuple[int, int, int], list[int]] = {}
    for row in sorted(held, key=lambda row: (int(rows["place"][row]), int(rows["serial_from"][row]))):
        key = (int(tables.slot_of[rows["asset"][row]]), int(rows["account"][row]), registry.queue_of(row))
        expected.setdefault(key, []).append(row)
    found = {}
    for slot, account, queue in np.argwhere(np.asarray(tables.queues)["first"] != NO_ROW).tolist():
        found[slot, account, queue] = _walk(tables, tables.queues[slot, account, queue])
    require(found == expected, "queues hold what is held, in the order of its arrival")
    for key, queue_rows in found.items():
        require(int(tables.queues[key].lots) == int(lots[queue_rows].sum()), "a queue counts its units")


def _walk(tables: Any, queue: Any) -> list[int]:
    """Rows of a queue from its first to its last, by the links of both directions."""
    rows, row, before = [], int(queue.first), NO_ROW
    while row != NO_ROW:
        require(int(tables.before[row]) == before, "links of a queue go both ways")
        rows.append(row)
        before, row = row, int(tables.after[row])
    require(before == int(queue.last), "a queue ends with its last row")
    return rows
