"""Words are mixed the same with and without the compiler, and every word counts in its place."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.order_path.mixing import mix_pair, mix_rows
from matching.compile import kernel
from matching.fold import fold, fold_without_jit

WORDS = st.integers(0, 2**64 - 1)
N_WORDS = 25


@kernel
def fold_two(a, b):
    return fold(a, b)


@kernel
def pair(h, first, second):
    return mix_pair(h, first, second)


@kernel
def rows_of(h, rows, start, end):
    return mix_rows(h, rows, start, end)


@given(WORDS, WORDS)
def test_fold_is_the_product_of_all_128_bits(a: int, b: int) -> None:
    product = a * b
    expected = (product & 2**64 - 1) ^ (product >> 64)
    assert int(fold_two(np.uint64(a), np.uint64(b))) == expected
    assert int(fold_without_jit(np.uint64(a), np.uint64(b))) == expected


@given(WORDS, WORDS, WORDS)
def test_a_pair_has_a_sequence(h: int, first: int, second: int) -> None:
    one, other = (int(pair(np.uint64(h), np.uint64(x), np.uint64(y))) for x, y in ((first, second), (second, first)))
    assert (one == other) == (first == second)


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    return np.random.default_rng(7).integers(0, 2**64 - 1, (3, N_WORDS), np.uint64, endpoint=True)


@pytest.mark.parametrize("word", range(N_WORDS))
def test_every_bit_of_a_row_moves_the_hash(rows: np.ndarray, word: int) -> None:
    seen = {int(rows_of(np.uint64(1), rows, 0, 3))}
    for bit in range(64):
        changed = rows.copy()
        changed[1, word] ^= np.uint64(1 << bit)
        seen.add(int(rows_of(np.uint64(1), changed, 0, 3)))
    assert len(seen) == 65


def test_words_that_change_places_move_the_hash(rows: np.ndarray) -> None:
    seen = {int(rows_of(np.uint64(1), rows, 0, 1))}
    for i in range(N_WORDS):
        for j in range(i):
            changed = rows.copy()
            changed[0, [i, j]] = changed[0, [j, i]]
            seen.add(int(rows_of(np.uint64(1), changed, 0, 1)))
    assert len(seen) == 1 + N_WORDS * (N_WORDS - 1) // 2


def test_rows_may_be_cut(rows: np.ndarray) -> None:
    whole = rows_of(np.uint64(9), rows, 0, 3)
    assert whole == rows_of(np.uint64(rows_of(np.uint64(9), rows, 0, 1)), rows, 1, 3)
    assert whole != rows_of(np.uint64(9), rows[::-1].copy(), 0, 3)
