"""What the bots are told: nothing of the day's truth, nothing of the others, all of the scenario."""

import dataclasses

import msgspec
import numpy as np
import pytest

from clients.bots.catalogue import STRATEGIES, build_strategies
from clients.bots.private import MemberFile
from clients.scenarios.loader import load_park
from clients.scenarios.model import Member, Park, StrategyChoice
from clients.simulator.member_files import member_file
from exchange.errors import InputError

PARK = load_park()


def files(park: Park) -> dict[str, bytes]:
    return {member.id: msgspec.json.encode(member_file(park, member, b"k" * 32)) for member in park.members}


def with_member(park: Park, changed: Member) -> Park:
    return dataclasses.replace(park, members=tuple(changed if m.id == changed.id else m for m in park.members))


def test_the_truth_is_in_no_file() -> None:
    """Two parks that differ in nothing but what will be metered give the same files."""
    members = tuple(dataclasses.replace(m, load_wh=m.load_wh * 3 + 1, generation_wh=m.generation_wh // 2) for m in PARK.members)
    assert files(dataclasses.replace(PARK, members=members)) == files(PARK)


def test_a_member_is_told_nothing_of_another() -> None:
    before = files(PARK)
    for victim in ("E07", "PV01", "S01", "MM1"):
        member = PARK.member(victim)
        changed = dataclasses.replace(
            member,
            forecast_load_wh=member.forecast_load_wh + 500,
            updated_generation_wh=member.updated_generation_wh + 500,
            willingness_ppm=member.willingness_ppm - 1000,
            green_premium_micro_per_kwh=12_300,
            cash_micro=1,
            contract_lots=member.contract_lots + 1,
        )
        after = files(with_member(PARK, changed))
        assert {name for name in after if after[name] != before[name]} <= {victim}


def test_every_member_has_its_strategies_and_its_own_seed() -> None:
    found = [msgspec.json.decode(content, type=MemberFile) for content in files(PARK).values()]
    assert len(found) == 28
    assert len({file.seed for file in found}) == 28
    used = set()
    for file, member in zip(found, PARK.members, strict=True):
        built = build_strategies(file)
        assert len(built) == len(member.strategies) == len({s.label for s in built})
        assert sum(file.contract_lots.values()) == int(member.contract_lots.sum())
        used.update(choice.name for choice in member.strategies)
    assert used == set(STRATEGIES), "the demo park plays every strategy"


def test_same_scenario_and_seed_give_the_same_private_values_and_another_seed_others() -> None:
    assert files(load_park(seed=7)) == files(PARK)
    other = files(load_park(seed=8))
    assert all(other[name] != content for name, content in files(PARK).items())


def test_forecasts_err_and_the_later_one_errs_less() -> None:
    day_ahead = sum(int(np.abs(m.forecast_consumption_wh - m.load_wh + m.generation_wh).sum()) for m in PARK.members)
    intraday = sum(int(np.abs(m.updated_consumption_wh - m.load_wh + m.generation_wh).sum()) for m in PARK.members)
    assert 0 < intraday < day_ahead


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (StrategyChoice("oracle", {}), "unknown strategy 'oracle'"),
        (StrategyChoice("factory", {"greed": 3}), "greed"),
        (StrategyChoice("factory", {"beta": "fast"}), "beta"),
        (StrategyChoice("storage", {}), "needs a storage"),
    ],
)
def test_a_strategy_that_does_not_fit_is_named(choice: StrategyChoice, words: str) -> None:
    member = dataclasses.replace(PARK.member("E03"), strategies=(choice,))
    with pytest.raises(InputError, match=f"member E03.*{words}"):
        member_file(with_member(PARK, member), member, b"")
