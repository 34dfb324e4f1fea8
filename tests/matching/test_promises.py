"""What the rules promise, checked from commands and events alone by an auditor that keeps its own books."""

import pytest

from tests.differential.streams import PROFILES, draw_stream
from tests.matching.audit import Auditor
from tests.matching.books import ENGINES

N_BOOKS = 3


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
def test_promises_hold(engine, profile, seed):
    auditor = Auditor()
    books = engine(N_BOOKS)
    for command in draw_stream(seed, 400, PROFILES[profile], N_BOOKS):
        auditor.read(command, books.submit(command))
        for book in range(N_BOOKS):
            auditor.check_orders(book, books.orders(book))
