"""Every scenario against the oracle and the compiled core."""

import importlib
import pkgutil

import pytest

from matching.records import EventKind
from tests.matching import scenarios
from tests.matching.books import ENGINES, Engine
from tests.matching.notation import Ledger, describe, parse

BOOKS = 3
MODULES = [name for _, name, _ in pkgutil.iter_modules(scenarios.__path__)]
CASES = [(module, name) for module in MODULES for name in importlib.import_module(f"tests.matching.scenarios.{module}").SCENARIOS]


@pytest.fixture(params=ENGINES.values(), ids=ENGINES)
def engine(request) -> Engine:
    return request.param(BOOKS)


@pytest.mark.parametrize(("module", "name"), CASES)
def test_scenario(module, name, engine):
    scenario = parse(importlib.import_module(f"tests.matching.scenarios.{module}").SCENARIOS[name])
    ledger = Ledger()
    for step in scenario.steps:
        before = [(engine.phase(book), engine.orders(book)) for book in range(BOOKS)]
        events = engine.submit(step.entries)
        assert events == ledger.expected_events(step), step.text
        if all(event.kind == EventKind.REJECTED for event in events):
            assert [(engine.phase(book), engine.orders(book)) for book in range(BOOKS)] == before or not events, step.text
    for book, left in scenario.left.items():
        assert [describe(order) for order in engine.orders(book)] == left
