"""The lifecycle of a unit: every pair of states, and that what has ended stays ended."""

import itertools

import pytest

from exchange.ledger.records import PostingReason
from exchange.registry.lifecycle import ALLOWED, STATE_AFTER, TERMINAL, UnitState, may_become

# Row: from; columns: what it may become. Written out by hand from market-rules.md, section 4.
EXPECTED = {
    "DRAFT": "VERIFIED WITHDRAWN",
    "VERIFIED": "ISSUED WITHDRAWN",
    "ISSUED": "ISSUED RESERVED LOCKED FROZEN RETIRED SURRENDERED EXPIRED WITHDRAWN SPLIT",
    "RESERVED": "ISSUED",
    "LOCKED": "ISSUED EXPIRED WITHDRAWN SPLIT",
    "FROZEN": "ISSUED EXPIRED WITHDRAWN SPLIT",
}


@pytest.mark.parametrize(("before", "after"), [*itertools.product(UnitState, UnitState)], ids=lambda state: state.name)
def test_a_unit_changes_as_the_table_says(before: UnitState, after: UnitState) -> None:
    allowed = after.name in EXPECTED.get(before.name, "").split()
    assert may_become(before, after) == allowed == bool(ALLOWED[before, after])


def test_terminal_states_are_those_without_a_way_out() -> None:
    assert {state for state in UnitState if not ALLOWED[state].any()} == TERMINAL


def test_every_posting_of_units_has_a_state_behind_it() -> None:
    assert {reason for reason in PostingReason if reason.name.startswith("UNITS_")} == set(STATE_AFTER)
