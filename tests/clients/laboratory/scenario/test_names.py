"""Names that scenarios know without importing the rooms that own them, against those rooms."""

from typing import get_args

import pytest

from clients.laboratory.agents.catalogue import CATALOGUE
from clients.laboratory.scenario import names
from clients.laboratory.scenario.model import CONTINUOUS
from clients.scenarios.profiles import derived_year
from exchange.metering.devices import Scheme
from exchange.protocol.messages import SelfTradeName
from exchange.settlement.day_input import ImbalanceRule
from matching.mechanisms import MECHANISMS, TieRule


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (names.MECHANISMS, {CONTINUOUS, *MECHANISMS}),
        (names.TIES, {rule.name.lower() for rule in TieRule}),
        (names.SELF_TRADES, set(get_args(SelfTradeName))),
        (names.IMBALANCES, {rule.value for rule in ImbalanceRule}),
        (names.SCHEMES, {scheme.value for scheme in Scheme if scheme is not Scheme.NONE}),
        (names.POPULATIONS, set(CATALOGUE)),
    ],
)
def test_names_are_those_of_their_rooms(ours: tuple[str, ...], theirs: set[str]) -> None:
    assert set(ours) == theirs
    assert len(set(ours)) == len(ours)


def test_kinds_of_plants_are_those_of_the_derived_year() -> None:
    assert {series.split("_")[0] for series in derived_year().generation} == set(names.PLANT_KINDS)
