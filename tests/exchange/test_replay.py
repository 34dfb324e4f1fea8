"""Replay folds the same commands however their groups are merged."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from exchange.journal.interface import Group
from exchange.journal.record import COMMAND
from exchange.replay import merged


def groups_of(sizes: list[tuple[int, bool]]) -> list[Group]:
    groups, first = [], 1
    for number, (size, has_documents) in enumerate(sizes):
        records = np.zeros(size, COMMAND)
        records["order_id"] = np.arange(first, first + size)
        groups.append(Group(first, 1, records, b"document" if has_documents else b"", f"hash {number}"))
        first += size
    return groups


@given(st.lists(st.tuples(st.integers(1, 9), st.booleans()), max_size=12), st.integers(1, 20), st.booleans())
def test_merged_groups_hold_the_same_commands(sizes: list[tuple[int, bool]], at_most: int, are_views: bool) -> None:
    groups = groups_of(sizes)
    for group in groups:
        group.records.flags.writeable = not are_views  # as those that lie in a segment
    found = list(merged(iter(groups), at_most))
    assert [n for group in found for n in group.records["order_id"].tolist()] == [n for group in groups for n in group.records["order_id"].tolist()]
    assert [group.first_sequence for group in found] == [1 + sum(len(g.records) for g in found[:i]) for i in range(len(found))]
    assert [group.records.tobytes() for group in found if group.documents] == [group.records.tobytes() for group in groups if group.documents]
    assert all(len(group.records) <= max(at_most, *(len(g.records) for g in groups)) for group in found)
    assert all(group.records.flags.writeable for group in found)
    # None stands alone that would have fitted with the one before.
    size_of = {group.first_sequence: len(group.records) for group in groups}
    for before, after in pairwise(found):
        assert before.documents or after.documents or len(before.records) + size_of[after.first_sequence] > at_most
    assert not groups or found[-1].chain_hash == groups[-1].chain_hash
