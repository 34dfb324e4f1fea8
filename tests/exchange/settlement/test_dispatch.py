"""Dispatch at gate closure: limits of feeders and transformers, offers, shares, and what the meter has to show."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from exchange.settlement.dispatch import Curtailment, Dispatch, FeederLimit, Offer, curtail, network_problem, verified_wh

KW = 1_000
# Limits of 4 and 2 kW are 1,000 and 500 Wh a quarter-hour.
TREE = {
    "T1": FeederLimit("T1", 4 * KW, 4 * KW, ""),
    "F1": FeederLimit("F1", 100 * KW, 2 * KW, "T1"),
    "F2": FeederLimit("F2", 100 * KW, 100 * KW, "T1"),
}


def dispatch(connections: dict[int, str]) -> Dispatch:
    return Dispatch(TREE, connections, compensation_micro_per_kwh=300_000)


@pytest.mark.parametrize(
    ("schedules", "offers", "expected"),
    [
        ({40: 300, 41: 200}, [], {}),
        # 600 on F1 against 500: in proportion, the odd Wh to the larger remainder.
        ({40: 400, 41: 200}, [], {40: (67, 400), 41: (33, 200)}),
        # The offer first, though it is not enough.
        ({40: 400, 41: 200}, [Offer(41, 60, 100_000)], {40: (30, 400), 41: (70, 200)}),
        # F1 is cut to 500, with F2 the transformer has 1,300 against 1,000: all three in proportion to what is left.
        ({40: 400, 41: 200, 42: 800}, [], {40: (144, 400), 41: (71, 200), 42: (185, 800)}),
        # Import: loads are cut, and only they.
        ({40: 100, 42: -1500}, [], {42: (400, -1500)}),
    ],
)
def test_worked_cases(schedules: dict[int, int], offers: list[Offer], expected: dict[int, tuple[int, int]]) -> None:
    cuts = curtail(dispatch({40: "F1", 41: "F1", 42: "F2"}), schedules, offers)
    assert {account: cut[:2] for account, cut in cuts.items()} == expected


def test_the_cheapest_offer_is_taken_first_and_paid_its_own_price() -> None:
    cuts = curtail(dispatch({40: "F1", 41: "F1"}), {40: 500, 41: 500}, [Offer(40, 300, 200_000), Offer(41, 300, 100_000)])
    assert cuts == {40: Curtailment(200, 500, 200 * 200_000), 41: Curtailment(300, 500, 300 * 100_000)}


@pytest.mark.parametrize(
    ("schedule_wh", "metered_wh", "verified"),
    [(500, 350, 150), (500, 300, 150), (500, 450, 50), (500, 600, 0), (-500, -350, 150), (-500, -600, 0), (-500, 20, 150)],
)
def test_the_meter_has_to_show_it(schedule_wh: int, metered_wh: int, verified: int) -> None:
    assert verified_wh(Curtailment(150, schedule_wh, 0), metered_wh) == verified


@pytest.mark.parametrize(
    ("feeders", "connections", "problem"),
    [
        ([FeederLimit("A", 1, 1, "")], [(40, "A")], None),
        ([FeederLimit("A", 1, 1, ""), FeederLimit("A", 1, 1, "")], [], "feeder_name_malformed"),
        ([FeederLimit("", 1, 1, "")], [], "feeder_name_malformed"),
        ([FeederLimit("A", -1, 1, "")], [], "feeder_limit_out_of_range"),
        ([FeederLimit("A", 1, 1, "B")], [], "unknown_feeder"),
        ([FeederLimit("A", 1, 1, "B"), FeederLimit("B", 1, 1, "A")], [], "feeders_in_a_circle"),
        ([FeederLimit("A", 1, 1, "")], [(40, "B")], "unknown_feeder"),
        ([FeederLimit("A", 1, 1, "")], [(40, "A"), (40, "A")], "account_connected_twice"),
    ],
)
def test_a_network_that_is_none(feeders: list[FeederLimit], connections: list[tuple[int, str]], problem: str | None) -> None:
    assert network_problem(feeders, connections) == problem


ACCOUNTS = st.dictionaries(st.integers(40, 46), st.tuples(st.sampled_from(["T1", "F1", "F2"]), st.integers(-3_000, 3_000)), max_size=6)


OFFERS = st.lists(st.builds(Offer, st.integers(40, 46), st.integers(1, 2_000), st.integers(0, 10**6)), max_size=3, unique_by=lambda o: o.account)


@settings(max_examples=60)
@given(ACCOUNTS, OFFERS)
@example(accounts={40: ("T1", -2001), 41: ("F1", -2), 42: ("F1", 502)}, offers=[])  # relief of T1 loads F1
def test_no_feeder_is_overloaded_afterwards_and_nobody_is_turned_round(accounts: dict[int, tuple[str, int]], offers: list[Offer]) -> None:
    network = dispatch({account: feeder for account, (feeder, _) in accounts.items()})
    schedules = {account: wh for account, (_, wh) in accounts.items()}
    cuts = curtail(network, schedules, offers)
    after = dict(schedules)
    for account, cut in cuts.items():
        assert 0 < cut.energy_wh <= abs(schedules[account])
        after[account] -= cut.energy_wh if schedules[account] > 0 else -cut.energy_wh
    inside = {"T1": {"T1", "F1", "F2"}, "F1": {"F1"}, "F2": {"F2"}}
    for name, feeder in TREE.items():
        flow = sum(after[account] for account, (own, _) in accounts.items() if own in inside[name])
        assert -feeder.import_limit_w // 4 <= flow <= feeder.export_limit_w // 4
    kept = Dispatch(TREE, network.connections, 1, {9: {offer.account: offer for offer in offers}} if offers else {}, {9: cuts} if cuts else {})
    assert Dispatch.from_canonical(kept.to_canonical()) == kept
