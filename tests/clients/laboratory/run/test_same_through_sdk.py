"""A run whose agents write arrays into the order path ends in the same state as the same run through gateway and SDK, as bytes."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from clients.laboratory.run import engine
from clients.laboratory.scenario.model import Scenario
from clients.laboratory.scenario.resolve import load_scenario
from tests.clients.laboratory.run.sdk_exchange import PlainExchange, SdkExchange

MEMBERS = ("E01", "E08", "PV01", "W01")


def small(mechanism: str) -> Scenario:
    """Four members and two rounds a quarter-hour."""
    park = load_scenario("park", {"market.mechanism": mechanism, "market.day_ahead_rounds": "1", "market.rounds_before_gate_minutes": "30"})
    chosen = tuple(dataclasses.replace(entry, flexible=None, programmes=()) for entry in park.participants if entry.id in MEMBERS)
    return dataclasses.replace(park, participants=chosen, instruments=())


@pytest.mark.parametrize("mechanism", ["cda", "mcafee"])
def test_the_state_is_the_same(mechanism: str, monkeypatch: pytest.MonkeyPatch) -> None:
    links: list[Any] = []

    def remembered(kind: type[Any]) -> Any:
        def make(*arguments: Any) -> Any:
            links.append(kind(*arguments))
            return links[-1]

        return make

    monkeypatch.setattr(engine, "VirtualExchange", remembered(SdkExchange))
    through_sdk = engine.simulate(small(mechanism), 7)
    assert len(through_sdk.trades)
    spoken = np.concatenate([group.records for group in links[0].journal.groups()])
    monkeypatch.setattr(PlainExchange, "others", iter(spoken))
    monkeypatch.setattr(engine, "VirtualExchange", remembered(PlainExchange))
    in_arrays = engine.simulate(small(mechanism), 7)
    assert links[1].differences == []
    assert next(links[1].others, None) is None
    assert in_arrays.state_hash == through_sdk.state_hash
    assert in_arrays.event_hash == through_sdk.event_hash
