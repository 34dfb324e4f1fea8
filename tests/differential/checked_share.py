"""A small share of the differential commands, for interpreters with other NUMBA_* settings: run by test_compilation.py.

    NUMBA_DISABLE_JIT=1 python -m tests.differential.checked_share 100
    NUMBA_BOUNDSCHECK=1 python -m tests.differential.checked_share 200 --plant

With `--plant` an access outside an array is planted after that, and "noticed" is printed if it raises.
"""

import sys

from matching.records import EntryKind, Side
from matching.reference import ReferenceEntry
from tests.differential.campaign import Run, compare
from tests.differential.streams import PROFILES
from tests.differential.test_book_oracle import test_going_on_after_a_restore_changes_nothing
from tests.matching.books import MatchingCore, to_array


def plant_an_overrun() -> None:
    """Orders whose slots lie behind the end of the array that the kernels are then given. It has that memory still, so nothing is hurt."""
    core = MatchingCore()
    core.open_book()
    core.submit(to_array([ReferenceEntry(EntryKind.PLACE, index, side=Side.SELL, price_ticks=10, quantity_lots=5) for index in range(3)]))
    whole = core.state.orders
    core.state = core.state._replace(orders=whole[:1])
    core.submit(to_array([ReferenceEntry(EntryKind.CANCEL, 2)]))


def main(n_commands: int, *, plant: bool) -> None:
    for index, profile in enumerate(PROFILES):
        compare(Run(index, profile, callers_ids=index % 3 == 2, n_commands=n_commands))
    test_going_on_after_a_restore_changes_nothing(0)
    if plant:
        try:
            plant_an_overrun()
        except IndexError:
            print("noticed")


if __name__ == "__main__":
    main(int(sys.argv[1]), plant="--plant" in sys.argv)
