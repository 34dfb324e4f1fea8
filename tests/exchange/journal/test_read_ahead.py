"""Reading ahead gives what reading gives, in order, and its thread ends with it."""

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.errors import CorruptionError
from exchange.journal.read_ahead import read_ahead


def damaged_after(n_items: int) -> Iterator[int]:
    yield from range(n_items)
    raise CorruptionError("byte 7")


@given(st.integers(0, 40), st.integers(1, 7), st.integers(1, 3))
def test_same_items_in_the_same_order(n_items: int, at_once: int, ahead: int) -> None:
    assert list(read_ahead(range(n_items), at_once, ahead)) == list(range(n_items))


@given(st.integers(0, 40), st.integers(1, 7))
def test_an_error_comes_after_the_items_before_it(n_items: int, at_once: int) -> None:
    ahead = read_ahead(damaged_after(n_items), at_once)
    assert [next(ahead) for _ in range(n_items)] == list(range(n_items))
    with pytest.raises(CorruptionError, match="byte 7"):
        next(ahead)


def test_it_reads_no_further_than_it_may() -> None:
    read = []

    def items() -> Iterator[int]:
        for number in range(1000):
            read.append(number)
            yield number

    with closing(read_ahead(items(), at_once=2, ahead=3)) as ahead:
        assert next(ahead) == 0
    # At most: what was taken, three parts in the queue, one waiting for room.
    assert len(read) <= 2 * 5


def test_closing_ends_the_thread() -> None:
    before = threading.active_count()
    with closing(read_ahead(iter(range(10**9)), at_once=1, ahead=1)) as ahead:
        assert next(ahead) == 0
        assert threading.active_count() == before + 1
    assert threading.active_count() == before
