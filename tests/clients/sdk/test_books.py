"""A book as a fold of a snapshot and deltas."""

from clients.sdk.books import Book, Depth, PriceLevel
from exchange.protocol.messages import BookDelta, BookSnapshot, Level

SNAPSHOT = BookSnapshot(
    instrument="X", seq=7, epoch=1, bids=[Level("9.5", "1", 1), Level("9.0", "5", 2)], asks=[Level("10.0", "3", 1), Level("11.0", "2", 1)]
)


def delta(prev_seq: int, seq: int, bids: list[Level] | None = None, asks: list[Level] | None = None) -> BookDelta:
    return BookDelta(instrument="X", prev_seq=prev_seq, seq=seq, bids=bids or [], asks=asks or [])


def test_levels_are_numbers_not_texts() -> None:
    book = Book("X")
    assert not book.ready
    book.apply_snapshot(SNAPSHOT)
    assert book.apply_delta(delta(7, 9, [Level("10.0", "4", 1)], [Level("10.0", "0", 0), Level("100.0", "1", 1)]))
    assert book.bids == [PriceLevel("10.0", "4", 1), PriceLevel("9.5", "1", 1), PriceLevel("9.0", "5", 2)]
    assert [level.price for level in book.asks] == ["11.0", "100.0"]
    assert book.seq == 9


def test_a_gap_makes_the_book_unready_until_the_next_snapshot() -> None:
    book = Book("X")
    assert book.apply_delta(delta(1, 2))  # before the first snapshot: nothing to apply it to
    book.apply_snapshot(SNAPSHOT)
    assert not book.apply_delta(delta(8, 9))
    assert not book.ready
    assert book.apply_delta(delta(9, 10))  # told once
    book.apply_snapshot(SNAPSHOT)
    assert book.ready


def test_a_delta_that_came_before_changes_nothing() -> None:
    book = Book("X")
    book.apply_snapshot(SNAPSHOT)
    change = delta(7, 9, [Level("9.5", "4", 1)])
    assert book.apply_delta(change)
    before = book.depth()
    assert book.apply_delta(change)
    assert book.apply_delta(delta(5, 7, [Level("9.5", "1", 1)]))
    assert book.depth() == before
    assert book.ready


def test_the_depth_is_one_moment() -> None:
    book = Book("X")
    book.apply_snapshot(SNAPSHOT)
    seen = book.depth(1)
    book.apply_delta(delta(7, 8, [Level("9.5", "0", 0)], [Level("9.9", "1", 1)]))
    assert seen == Depth(7, [PriceLevel("9.5", "1", 1)], [PriceLevel("10.0", "3", 1)])
    assert book.depth(1) == Depth(8, [PriceLevel("9.0", "5", 2)], [PriceLevel("9.9", "1", 1)])
    book.forget()
    assert (book.ready, book.depth(1).bids) == (False, [PriceLevel("9.0", "5", 2)])
