"""A few participants of the demo park with two rounds a book: a day of it is played in a moment."""

from dataclasses import replace
from functools import cache

from clients.laboratory.scenario.model import Scenario
from clients.laboratory.scenario.resolve import load_scenario

_ROUNDS = {"market.day_ahead_rounds": "2", "market.rounds_before_gate_minutes": "[15, 0]"}


@cache
def small_park(*names: str, mechanism: str = "cda") -> Scenario:
    """The named participants, without certificates to trade."""
    park = load_scenario("park", _ROUNDS | {"market.mechanism": mechanism})
    kept = (replace(park.participants[park.index_of(name)], programmes=(), holdings_lots={}) for name in names)
    return replace(park, participants=tuple(kept), instruments=(), days=1)
