"""A small exchange on disk, in many segments, for tests of what an operator does with its files."""

import asyncio
from pathlib import Path

from exchange.clock import TurnClock
from exchange.journal.segments import SegmentJournal
from exchange.maintenance.places import JOURNAL_FOLDER, READ_MODEL_FILE
from exchange.replay import state_hash_hex
from exchange.service import Service, ServiceOptions, start_exchange
from tests.exchange.order_path.park import GENESIS, OPEN_NS
from tests.exchange.test_service import trade

SEGMENT_BYTES = 3_000


def options(directory: Path, read_model: bool = True) -> ServiceOptions:
    return ServiceOptions(
        journal_directory=directory / JOURNAL_FOLDER,
        clock=TurnClock(OPEN_NS),
        genesis=GENESIS,
        segment_bytes=SEGMENT_BYTES,
        read_model_url=f"sqlite:///{directory / READ_MODEL_FILE}" if read_model else None,
    )


def run(directory: Path, runs: int = 1, first: int = 0, read_model: bool = True) -> str:
    """Starts, a trade each, and clean stops, each of which leaves a snapshot. The state hash at the end."""

    async def play() -> Service:
        for number in range(first, first + runs):
            service = await start_exchange(options(directory, read_model))
            await trade(service, number)
            await service.stop()
        return service

    directory.mkdir(parents=True, exist_ok=True)
    return state_hash_hex(asyncio.run(play()).node.exchange)


def segments(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir() if path.name.startswith("segment-"))


def reopened(directory: Path) -> SegmentJournal:
    return SegmentJournal.open(directory / JOURNAL_FOLDER, segment_bytes=SEGMENT_BYTES)
