"""Simulated hours under faults find nothing, repeat exactly, and would find what is planted."""

import dataclasses
import logging
from collections.abc import Iterator

import pytest

from bench.chaos import world as simulated
from bench.chaos.auditor import Audit
from bench.chaos.disk import SimulatedDisk
from bench.chaos.traders import Told
from bench.chaos.world import Tally, run_world
from exchange.protocol.messages import Execution


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """A world fails on purpose; what it logs of that is not about the test."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def without_text(tally: Tally) -> dict[str, object]:
    return {name: value for name, value in dataclasses.asdict(tally).items() if name != "found"}


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_nothing_is_lost_doubled_or_wrong(seed: int) -> None:
    tally = run_world(seed, hours=2)
    assert tally.found == []
    assert tally.kills + tally.restarts > 5
    assert tally.trades > 100


def test_a_seed_repeats_its_world() -> None:
    first, second = run_world(21, hours=1), run_world(21, hours=1)
    assert without_text(first) == without_text(second)
    assert without_text(run_world(22, hours=1)) != without_text(first)


def test_a_disk_that_lies_about_its_flushes_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Acknowledged and gone: the auditor names it, or the exchange refuses to start on a journal that is too short."""
    monkeypatch.setattr(SimulatedDisk, "fdatasync", lambda self, fd: None)
    monkeypatch.setattr(SimulatedDisk, "fsync", SimulatedDisk.fdatasync)
    assert any(run_world(seed, hours=2).found for seed in (31, 32))


@pytest.fixture(scope="module")
def audited() -> tuple[Audit, dict[int, Told]]:
    """What the auditor knows of a world, and what the clients were told in it."""
    kept: list[tuple[Audit, dict[int, Told]]] = []

    class Keeping(Audit):
        def compare(self, told, live_hash):  # type: ignore[no-untyped-def]
            kept.append((self, told))
            return super().compare(told, live_hash)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulated, "Audit", Keeping)
        logging.disable(logging.CRITICAL)
        run_world(51, hours=1)
    return kept[0]


def _changed(event: Execution) -> Execution:
    fields = {name: getattr(event, name) for name in event.__struct_fields__}
    return Execution(**(fields | {"quantity": event.quantity + "1"}))


TAMPERINGS = {
    "an acknowledgement of nothing": lambda told: told.accepted.update({"never-sent": 1}),
    "another order id": lambda told: told.accepted.update({next(iter(told.accepted)): 10**9}),
    "another code": lambda told: told.refused.update({next(iter(told.accepted)): 3015}),
    "turned away and carried out": lambda told: told.turned_away.update({(found := next(iter(told.accepted))): 2006}) or told.accepted.pop(found),
    "an execution of nothing": lambda told: told.executions.update({10**9: next(iter(told.executions.values()))}),
    "another quantity": lambda told: told.executions.update({(seq := next(iter(told.executions))): _changed(told.executions[seq])}),
    "two outcomes": lambda told: told.accept(next(iter(told.accepted)), 10**9),
}


@pytest.mark.parametrize("tamper", TAMPERINGS.values(), ids=TAMPERINGS)
def test_the_auditor_notices(audited: tuple[Audit, dict[int, Told]], tamper: object) -> None:
    audit, told = audited
    account = min(told)
    copy = Told(*(value.copy() if hasattr(value, "copy") else value for value in vars(told[account]).values()))
    assert list(audit.compare(told | {account: copy}, None)) == []
    tamper(copy)  # type: ignore[operator]
    assert list(audit.compare(told | {account: copy}, None)) != []


def test_another_state_is_noticed(audited: tuple[Audit, dict[int, Told]]) -> None:
    audit, told = audited
    assert "replay" in next(iter(audit.compare(told, bytes(32))))


def test_a_node_that_answers_twice_is_noticed(audited: tuple[Audit, dict[int, Told]], monkeypatch: pytest.MonkeyPatch) -> None:
    audit, told = audited
    key = next(iter(audit._executed))
    monkeypatch.setitem(audit._executed, key, 2)
    assert any("2 times" in line for line in audit.compare(told, None).doubled)



@pytest.mark.soak
def test_a_hundred_hours() -> None:
    for seed in range(20):
        assert run_world(1_000 + seed, hours=5).found == []
