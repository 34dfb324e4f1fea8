"""A crash in the middle of a settlement run or an issuance leaves no half: wherever the journal is cut the command is there whole or not at all.

The commands of a settled day are written one a group; the group of each is torn at several places, the exchange starts again from what is left, the
command is sent again, and the state is that of a run that was never interrupted.
"""

import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from exchange.journal.segments import SegmentJournal
from exchange.order_path import canonical
from exchange.order_path.check import check_exchange
from exchange.order_path.path import Exchange
from exchange.protocol.documents import DOCUMENTS, Document, decode_document
from exchange.protocol.value_chain.certificates import RetireUnits
from exchange.protocol.value_chain.metering import RegisterDevice
from exchange.replay import replay_into
from exchange.units import NS_PER_DAY
from tests.exchange.order_path.park import DAY_NS, GENESIS
from tests.exchange.readmodel.market import Market, open_market, settle, trade

SEGMENT = "segment-00000001"


class Step(NamedTuple):
    """One command with its journal before it, the segment's bytes with it, and the state hashes around it."""

    records: np.ndarray
    documents: bytes
    before: Path
    after: bytes
    hash_before: bytes
    hash_after: bytes


def played() -> Market:
    """A day with two granular devices that is traded and settled, and a retirement of what one of them certified."""
    market = open_market()
    for account in market.accounts[1:]:
        device = RegisterDevice(account=account, name="pv", kind="pv", capacity_w=10_000, commissioned_ns=0, scheme="granular")
        assert market.park.document(device)[0] == 0
    trade(market, 60, seed=3)
    settle(market)
    end_ns = DAY_NS + NS_PER_DAY
    retirement = RetireUnits(
        symbol="", purpose="test", consumed_from_ns=DAY_NS, consumed_to_ns=end_ns, generated_from_ns=DAY_NS, generated_to_ns=end_ns
    )
    code, answer = market.park.document(retirement, market.accounts[2])
    assert code == 0, answer
    return market


def document_of(records: np.ndarray, documents: bytes) -> Document | None:
    start, length = int(records["document_offset"][0]), int(records["document_length"][0])
    return decode_document(documents[start : start + length]) if length else None


@pytest.fixture(scope="module", name="steps")
def fixture_steps(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Step]:
    """By schema: readings, settlement and retirement of the day, with the journal before each."""
    market, folder = played(), tmp_path_factory.mktemp("steps")
    assert len(market.exchange.rooms.registry) > 0
    journal = SegmentJournal.open(folder / "journal", GENESIS, segment_bytes=1 << 20)
    exchange, steps = Exchange(GENESIS), {}
    for records, documents in market.park.log:
        document = document_of(records, documents)
        name = "" if document is None else document.SCHEMA
        hash_before = canonical.state_hash(exchange)
        if name in {"meter_readings", "settle_day", "retire_units"}:
            shutil.copytree(folder / "journal", folder / name)
        first = journal.append(records, documents).first_sequence
        exchange.apply(records, documents, first)
        if (folder / name).is_dir() and name:
            after = (folder / "journal" / SEGMENT).read_bytes()
            steps[name] = Step(records, documents, folder / name, after, hash_before, canonical.state_hash(exchange))
    journal.close()
    assert steps.keys() <= DOCUMENTS.keys()
    return steps


@pytest.mark.parametrize("share", [0.0, 0.05, 0.3, 0.6, 0.95, 0.999, 1.0])
@pytest.mark.parametrize("name", ["meter_readings", "settle_day", "retire_units"])
def test_a_command_is_there_whole_or_not_at_all(steps: dict[str, Step], name: str, share: float, tmp_path: Path) -> None:
    step, directory = steps[name], tmp_path / "journal"
    shutil.copytree(step.before, directory)
    before = (directory / SEGMENT).read_bytes()
    changed = np.flatnonzero(np.frombuffer(before, np.uint8) != np.frombuffer(step.after, np.uint8))
    first, last = int(changed[0]), int(changed[-1]) + 1
    cut = first + int(share * (last - first))
    (directory / SEGMENT).write_bytes(step.after[:cut] + before[cut:])
    journal = SegmentJournal.open(directory)
    exchange = Exchange(GENESIS)
    replay_into(exchange, journal)
    check_exchange(exchange)
    assert canonical.state_hash(exchange) == (step.hash_after if share == 1.0 else step.hash_before)
    if share < 1.0:  # nobody was told of it: it is sent again
        first_sequence = journal.append(step.records, step.documents).first_sequence
        exchange.apply(step.records, step.documents, first_sequence)
        assert canonical.state_hash(exchange) == step.hash_after
    journal.close()
