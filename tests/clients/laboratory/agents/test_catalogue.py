"""The catalogue: defaults in their ranges, traits in the ranges of their parameters, errors that name the place."""

import numpy as np
import pytest

from clients.laboratory.agents.catalogue import CATALOGUE, check_choice, trait_of
from clients.laboratory.agents.interface import NOT_COMPILED
from clients.laboratory.scenario.model import AgentChoice
from exchange.errors import InputError


@pytest.mark.parametrize("entry", CATALOGUE.values(), ids=lambda entry: entry.name)
def test_defaults_are_in_range_and_slots_name_parameters(entry) -> None:
    names = {parameter.name for parameter in entry.parameters}
    assert all(parameter.low <= parameter.default <= parameter.high for parameter in entry.parameters)
    assert {slot.low for slot in entry.slots} | {slot.high for slot in entry.slots} <= names
    assert len({slot.index for slot in entry.slots}) == len(entry.slots)


def test_traits_lie_between_their_parameters_and_differ_by_agent_and_seed() -> None:
    choice = AgentChoice(name="zip", parameters={"learning_rate_low_ppm": 300_000, "learning_rate_high_ppm": 400_000})
    rates = np.array([trait_of(choice, seed, row, "test")["p"][0, 0] for seed in range(5) for row in range(20)])
    assert rates.min() >= 0.3
    assert rates.max() <= 0.4
    assert len(np.unique(rates)) == 100


def test_a_changed_parameter_moves_no_other_draw() -> None:
    plain = trait_of(AgentChoice(name="zip"), 3, 4, "test")["p"][0]
    changed = trait_of(AgentChoice(name="zip", parameters={"absolute_ticks": 9}), 3, 4, "test")["p"][0]
    assert np.flatnonzero(plain != changed).tolist() == [4]


@pytest.mark.parametrize("name", ["factory.py:Mine", "compliance"])
def test_agents_that_no_kernel_prices(name: str) -> None:
    assert trait_of(AgentChoice(name=name), 1, 0, "test")["kind"][0] == NOT_COMPILED


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("zic", {}, "row 3: no population is called 'zic'; there are zi_u, zi_c"),
        ("zip", {"beta": 1}, "row 3: zip has no parameter 'beta'; it has learning_rate_low_ppm"),
        ("truthful", {"beta": 1}, "row 3: truthful has no parameter 'beta'; it has none"),
        ("gdx", {"shouts": 129}, "row 3: gdx: shouts is from 1 to 128, not 129"),
        ("gdx", {"shouts": "many"}, "row 3: gdx: shouts is a whole number, not 'many'"),
        ("zip", {"learning_rate_low_ppm": 600_000}, "row 3: zip: learning_rate_low_ppm is above learning_rate_high_ppm"),
    ],
)
def test_what_a_choice_cannot_be(name: str, parameters: dict[str, int | str], message: str) -> None:
    with pytest.raises(InputError, match="^" + message.replace("(", r"\(")):
        check_choice(AgentChoice(name=name, parameters=parameters), "row 3")
