"""The claim register against a dictionary of claims, and what it costs a park-year."""

import tracemalloc

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.errors import InputError
from exchange.registry.claims import ClaimRegister, ClaimRows, ClaimScheme
from exchange.units import NS_PER_DAY, PERIOD_NS

GENERATION_WH = 1_000
DEVICES = (3, 7, 4_000_000)
# Two days, with the last quarter-hour of the first and the first of the second.
PERIODS = [0, 95 * PERIOD_NS, 96 * PERIOD_NS, 97 * PERIOD_NS]

cells = st.tuples(st.sampled_from(DEVICES), st.sampled_from(PERIODS))
acts = st.tuples(st.sampled_from(["claim", "release"]), st.sampled_from(ClaimScheme), st.dictionaries(cells, st.integers(0, 1_100), max_size=5))


def rows(claims: dict[tuple[int, int], int], generation_wh: int = GENERATION_WH) -> ClaimRows:
    devices, starts = np.array([cell[0] for cell in claims], np.int64), np.array([cell[1] for cell in claims], np.int64)
    return ClaimRows(devices, starts, np.array(list(claims.values()), np.int64), np.full(len(claims), generation_wh, np.int64))


def one(wh: int, device: int = 3, start_ns: int = 0, generation_wh: int = GENERATION_WH) -> ClaimRows:
    return rows({(device, start_ns): wh}, generation_wh)


class PlainRegister:
    """By dictionary: the sum over schemes stays within the meter, a scheme gives up no more than it has, all or nothing."""

    def __init__(self) -> None:
        self.wh: dict[tuple[ClaimScheme, int, int], int] = {}

    def act(self, kind: str, scheme: ClaimScheme, claims: dict[tuple[int, int], int]) -> bool:
        sign = 1 if kind == "claim" else -1
        after = dict(self.wh)
        for cell, wh in claims.items():
            after[scheme, *cell] = after.get((scheme, *cell), 0) + sign * wh
        over = any(sum(after.get((s, *cell), 0) for s in ClaimScheme) > GENERATION_WH for cell in claims)
        if over or any(wh < 0 for wh in after.values()):
            return False
        self.wh = after
        return True


@given(st.lists(acts, max_size=12))
def test_the_register_is_a_dictionary_of_claims(stream: list) -> None:
    register, plain = ClaimRegister(), PlainRegister()
    for kind, scheme, claims in stream:
        before = register.to_canonical()
        taken = True
        try:
            (register.claim if kind == "claim" else register.release)(scheme, rows(claims))
        except InputError:
            taken = False
            assert register.to_canonical() == before
        assert taken == plain.act(kind, scheme, claims)
        kept = {
            (found, device, start_ns + i * PERIOD_NS): wh for found, device, start_ns, day in register for i, wh in enumerate(day.tolist()) if wh
        }
        assert kept == {key: wh for key, wh in plain.wh.items() if wh}
        for scheme_of in ClaimScheme:
            assert register.total_wh(scheme_of) == sum(wh for (s, *_), wh in plain.wh.items() if s is scheme_of)
    again = ClaimRegister()
    again.restore(*msgspec.msgpack.decode(msgspec.msgpack.encode([register.to_canonical(), register.to_snapshot()])))
    assert again.to_canonical() == register.to_canonical()


@given(st.dictionaries(cells, st.integers(1, 100), min_size=1), st.randoms())
def test_the_digest_does_not_know_the_order_of_claims(claims: dict, random: object) -> None:
    """Nor claims that were given up: equal claims are equal states."""
    shuffled = list(claims.items())
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    first, second = ClaimRegister(), ClaimRegister()
    first.claim(ClaimScheme.GEC, rows(claims))
    second.claim(ClaimScheme.GEC, one(5, device=99))
    second.release(ClaimScheme.GEC, one(5, device=99))
    for cell, wh in shuffled:
        second.claim(ClaimScheme.GEC, rows({cell: wh}))
    assert first.to_canonical() == second.to_canonical()


PROBLEMS = {
    "beyond the meter": (one(1_001), "claim_beyond_generation"),
    "beyond the meter with its own": (one(401), "claim_beyond_generation"),
    "another scheme has it": (one(300), "claimed_by_another_scheme"),
    "off the grid of periods": (one(1, start_ns=1), "claim_period_off_grid"),
    "negative": (one(-1), "claim_out_of_range"),
    "too large": (one(2**31, generation_wh=2**40), "claim_out_of_range"),
    "twice in one document": (ClaimRows(*(np.repeat(column, 2) for column in one(1))), "claim_row_twice"),
    "nothing metered": (one(1, device=8, generation_wh=0), "claim_beyond_generation"),
}


@pytest.mark.parametrize("case", PROBLEMS)
def test_a_refused_claim_has_a_name_and_changes_nothing(case: str) -> None:
    register = ClaimRegister()
    register.claim(ClaimScheme.GEC, one(600))
    register.claim(ClaimScheme.PARK_CREDIT, one(200))
    before = register.to_canonical()
    claims, rule = PROBLEMS[case]
    assert register.problem(ClaimScheme.GEC, claims) == rule
    with pytest.raises(InputError, match=rule):
        register.claim(ClaimScheme.GEC, claims)
    assert register.to_canonical() == before


def test_what_is_released_can_be_claimed_by_another_scheme() -> None:
    register = ClaimRegister()
    register.claim(ClaimScheme.GEC, one(GENERATION_WH))
    assert register.problem(ClaimScheme.CCER, one(1)) == "claimed_by_another_scheme"
    assert register.release_problem(ClaimScheme.CCER, one(1)) == "claim_not_held"
    register.release(ClaimScheme.GEC, one(400))
    register.claim(ClaimScheme.CCER, one(400))
    assert register.problem(ClaimScheme.PARK_CREDIT, one(1)) == "claimed_by_another_scheme"


def test_claims_that_are_not_those_of_the_state_are_not_restored() -> None:
    register, other = ClaimRegister(), ClaimRegister()
    register.claim(ClaimScheme.GEC, one(5))
    other.claim(ClaimScheme.GEC, one(6))
    with pytest.raises(InputError):
        ClaimRegister().restore(register.to_canonical(), other.to_snapshot())


def test_a_park_year_of_claims_stays_small() -> None:
    """50 devices and 365 days below 60 MB, and its part of the state hash a row a day."""
    tracemalloc.start()
    register = ClaimRegister()
    devices, quarters = np.repeat(np.arange(1, 51), 96), np.tile(np.arange(96) * PERIOD_NS, 50)
    energy = np.full(len(devices), 777, np.int64)
    for day in range(365):
        register.claim(ClaimScheme.GRANULAR, ClaimRows(devices, quarters + day * NS_PER_DAY, energy, energy))
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used < 60_000_000
    assert len(register.to_canonical()) == 365
