"""Stopping leaves a snapshot; starting uses it, and does without it when it is damaged."""

import asyncio
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from exchange.clock import TurnClock
from exchange.errors import JournalShorterError
from exchange.journal.record import COMMAND, CommandKind
from exchange.journal.segments import SegmentJournal
from exchange.protocol.documents import Admit, Deposit, ListInstruments, encode_document
from exchange.recovery import exchange_at, latest_snapshot
from exchange.replay import replay_directory, state_hash_hex
from exchange.service import SNAPSHOTS_FOLDER, Service, ServiceOptions, start_exchange
from matching.records import Side
from tests.exchange.order_path.park import GENESIS, OPEN_NS, OPERATOR, power_spec


def options(directory: Path) -> ServiceOptions:
    return ServiceOptions(
        journal_directory=directory / "journal",
        clock=TurnClock(OPEN_NS),
        genesis=GENESIS,
        segment_bytes=1 << 16,
        read_model_url=f"sqlite:///{directory}/readmodel.sqlite",
    )


def command(kind: CommandKind, account: int, **fields: int | str) -> np.ndarray:
    record = np.zeros(1, COMMAND)
    record["kind"], record["version"], record["account"] = kind, 1, account
    for name, value in fields.items():
        record[name] = value
    return record


async def trade(service: Service, run: int) -> None:
    """One participant more, one order more."""
    name = f"E{run}"
    documents = [Admit(name=name, role="enterprise", permissions=["power_buy"], max_net_power_lots=100)]
    if run == 0:
        documents.append(ListInstruments(instruments=[power_spec(40)]))  # type: ignore[arg-type]
    answers = [await service.node.submit(command(CommandKind.DOCUMENT, OPERATOR), encode_document(document)) for document in documents]
    assert answers[0].result is not None
    account = answers[0].result["account"]
    deposit = Deposit(account=account, amount_micro=10**9, reference="opening")
    await service.node.submit(command(CommandKind.DOCUMENT, OPERATOR), encode_document(deposit))
    place = {"instrument": 1, "side": int(Side.BUY), "price_ticks": 3_000, "quantity_lots": 5, "client_order_id": f"c{run}"}
    assert (await service.node.submit(command(CommandKind.PLACE, account, **place))).outcome["code"] == 0


def played(directory: Path, runs: int, between: object = None) -> Service:
    async def play() -> Service:
        for run in range(runs):
            service = await start_exchange(options(directory))
            await trade(service, run)
            await service.stop()
            if callable(between):
                between(directory)
        return service

    return asyncio.run(play())


def projected(directory: Path) -> int:
    database = sqlite3.connect(directory / "readmodel.sqlite")
    try:
        return int(database.execute("select last_sequence from meta").fetchone()[0])
    finally:
        database.close()


def damage_snapshots(directory: Path) -> None:
    for path in (directory / "journal" / SNAPSHOTS_FOLDER).iterdir():
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data)


def drop_read_model(directory: Path) -> None:
    (directory / "readmodel.sqlite").unlink()


@pytest.mark.parametrize("between", [None, damage_snapshots, drop_read_model], ids=["snapshot", "damaged snapshot", "read model dropped"])
def test_restarts_come_to_the_state_of_a_whole_replay(tmp_path: Path, between: object) -> None:
    service = played(tmp_path, 3, between)
    replayed, _ = replay_directory(tmp_path / "journal")
    assert state_hash_hex(replayed) == state_hash_hex(service.node.exchange)
    assert [member.name for member in service.node.exchange.participants()] == ["operator", "E0", "E1", "E2"]
    if between is not drop_read_model:
        assert projected(tmp_path) == service.node.exchange.last_sequence


def test_a_journal_shorter_than_its_snapshot_is_refused(tmp_path: Path) -> None:
    played(tmp_path / "long", 2)
    played(tmp_path / "short", 1)
    for name in ("short", "long"):
        (tmp_path / name / "readmodel.sqlite").unlink()
    snapshots = tmp_path / "short" / "journal" / SNAPSHOTS_FOLDER
    for path in (tmp_path / "long" / "journal" / SNAPSHOTS_FOLDER).iterdir():
        path.rename(snapshots / path.name)
    with pytest.raises(JournalShorterError):
        asyncio.run(start_exchange(options(tmp_path / "short")))


def test_a_snapshot_alone_is_the_state_it_was_written_with(tmp_path: Path) -> None:
    service = played(tmp_path, 2)
    snapshot = latest_snapshot(tmp_path / "journal" / SNAPSHOTS_FOLDER)
    assert snapshot is not None
    journal = SegmentJournal.open(tmp_path / "journal")
    restored = exchange_at(journal, snapshot)
    journal.close()
    assert restored.last_sequence == snapshot.sequence == service.node.exchange.last_sequence
    assert state_hash_hex(restored) == state_hash_hex(service.node.exchange)


def test_executions_from_before_a_crash_can_be_replayed_to_clients(tmp_path: Path) -> None:
    """The exchange is not stopped in order, so no snapshot hides what the journal knows."""

    async def play() -> list[int]:
        seen = []
        for run in range(2):
            service = await start_exchange(options(tmp_path))
            seen.append(service.executions.replay_from(33))
            await trade(service, run)
            assert service.alarm is None or not await service.alarm.stop()
            service.node.journal.close()
        return seen

    # Nothing yet, then the account's first execution; a feed that had not seen the replay would begin with the next one.
    assert asyncio.run(play()) == [1, 1]
