"""`parkex verify` of a journal whose certificates are beyond the meters: every account and quarter-hour is named; corrections are listed and hold."""

from pathlib import Path

import pytest

from exchange.errors import CheckFailedError
from exchange.journal.segments import SegmentJournal
from exchange.maintenance.verify import verify_path
from tests.exchange.order_path.park import GENESIS
from tests.exchange.order_path.settling_park import SettlingPark
from tests.exchange.order_path.test_delivery_check import correct, handed_on, settled_park, settled_wrongly


def verified(park: SettlingPark, directory: Path) -> list[str]:
    """What verify tells of the park's commands."""
    journal = SegmentJournal.open(directory / "journal", GENESIS)
    for records, documents in park.log:
        journal.append(records, documents)
    journal.close()
    told: list[str] = []
    verify_path(directory, told.append)
    return told


def test_a_delivery_beyond_the_meters_is_named_in_every_quarter_hour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settlement of both runs hands over what nobody bought; the state is the journal's, so only the invariant can find it."""
    park = settled_wrongly(handed_on, monkeypatch)
    correct(park, 0, used_kwh=9)
    with pytest.raises(CheckFailedError) as found:
        verified(park, tmp_path)
    assert str(found.value) == (
        f"invariant 9 is broken at command {park.exchange.last_sequence}: "
        "account 34 at 2026-07-15T10:00+08:00: certificates say 12,000 Wh delivered to it, its meters withdrew 9,000 Wh; "
        "account 34 at 2026-07-15T10:15+08:00: certificates say 12,000 Wh delivered to it, its meters withdrew 11,000 Wh"
    )


def test_a_correction_is_listed_and_all_holds(tmp_path: Path) -> None:
    park = settled_park()
    correct(park, 1, used_kwh=7)
    told = verified(park, tmp_path)
    assert any("all invariants hold" in line for line in told)
    expected = (
        "correction  account 34 at 2026-07-15T10:15+08:00: certificates say 10,000 Wh delivered to it, its meters withdrew 7,000 Wh; "
        "the readings were corrected after it was settled: 3,000 Wh wait for the registrar"
    )
    assert [line for line in told if line.startswith("correction")] == [expected]


def test_a_correction_of_the_generator_is_listed_by_device_and_by_account(tmp_path: Path) -> None:
    park = settled_park()
    correct(park, 0, used_kwh=11, made_kwh=12)
    said = [line.split(";")[0] for line in verified(park, tmp_path) if line.startswith("correction")]
    assert said == [
        f"correction  device 1: 15000 Wh are claimed at {park.starts_ns[0]}, which is more than its meter says",
        "correction  account 33 at 2026-07-15T10:00+08:00: certificates say 12,000 Wh delivered or exported from it, its meters fed in 9,000 Wh",
    ]


def test_a_day_that_holds_lists_nothing(tmp_path: Path) -> None:
    assert not [line for line in verified(settled_park(), tmp_path) if line.startswith("correction")]
