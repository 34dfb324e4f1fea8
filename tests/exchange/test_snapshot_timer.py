"""Snapshots of a running exchange: when one is due, that it is the state, and that it waits for the read model."""

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from exchange.recovery import exchange_at, latest_snapshot
from exchange.replay import state_hash_hex
from exchange.service import SNAPSHOTS_FOLDER, start_exchange
from exchange.snapshot_timer import SnapshotTimer
from tests.exchange.test_service import options, trade


def written(directory: Path) -> list[int]:
    folder = directory / "journal" / SNAPSHOTS_FOLDER
    return sorted(int(path.name.rpartition("-")[2]) for path in folder.iterdir()) if folder.is_dir() else []


async def test_a_snapshot_is_due_after_its_interval_and_restores_to_the_state(tmp_path: Path) -> None:
    service = await start_exchange(options(tmp_path))
    now_s = [0.0]
    timer = SnapshotTimer(service.node, service.snapshots, 10, monotonic_s=lambda: now_s[0])
    await trade(service, 0)
    assert written(tmp_path) == [], "not due"
    now_s[0] = 10.0
    await trade(service, 1)
    await timer.stop()
    assert len(written(tmp_path)) == 1, "the commands behind it were not due"
    snapshot = latest_snapshot(service.snapshots)
    assert snapshot is not None
    restored = exchange_at(service.node.journal, snapshot)
    assert snapshot.sequence < service.node.exchange.last_sequence
    assert service.node.journal.chain_hash_at(snapshot.sequence) == snapshot.chain_hash
    for group in service.node.journal.groups(snapshot.sequence + 1):
        restored.apply(group.records, group.documents, group.first_sequence)
    assert state_hash_hex(restored) == state_hash_hex(service.node.exchange)
    await service.stop()


async def test_it_is_written_once_the_read_model_has_it(tmp_path: Path) -> None:
    service = await start_exchange(options(tmp_path))
    has = [0]
    timer = SnapshotTimer(service.node, service.snapshots, 0, lambda sequence: sequence > has[0])
    await trade(service, 0)
    await asyncio.sleep(0.1)
    assert written(tmp_path) == []
    has[0] = service.node.exchange.last_sequence
    await timer.stop()
    assert len(written(tmp_path)) == 1
    await service.stop()


async def test_a_disk_that_refuses_is_told_and_the_exchange_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    service = await start_exchange(options(tmp_path))
    (tmp_path / "file").write_text("")
    timer = SnapshotTimer(service.node, tmp_path / "file" / "snapshots", 0)
    with caplog.at_level(logging.ERROR):
        await trade(service, 0)
        await timer.stop()
    assert "snapshot failed" in [record.getMessage() for record in caplog.records]
    assert service.node.accepting
    await service.stop()


async def test_a_service_takes_them_by_option(tmp_path: Path) -> None:
    assert (await _stopped(replace(options(tmp_path / "off")))).snapshot_timer is None
    assert (await _stopped(replace(options(tmp_path / "on"), snapshot_interval_s=3600))).snapshot_timer is not None


async def _stopped(chosen):
    service = await start_exchange(chosen)
    await service.stop()
    return service
