"""The audit log in the read model: every entry, by pages, noticed when one is altered."""

from collections.abc import Iterator

import msgspec
import pytest
from sqlalchemy import delete, update

from exchange.accounts.audit import check_chain
from exchange.errors import CheckFailedError
from exchange.readmodel import tables
from exchange.readmodel.projector import Projector
from exchange.readmodel.queries import ReadModel
from tests.exchange.order_path.business.test_audit import busy_desk
from tests.exchange.readmodel.test_projector import GENESIS_HASH


@pytest.fixture
def model(database_url: str) -> Iterator[ReadModel]:
    """The nine acts of a busy desk, one batch a command."""
    desk = busy_desk()
    replayed = type(desk)()
    projector = Projector.open(database_url, GENESIS_HASH, lambda _day: None)
    for records, documents in desk.log:
        projector.apply(replayed.send(records, documents))
    projector.close()
    assert replayed.log_of_acts == desk.log_of_acts
    found = ReadModel.open(database_url)
    yield found
    found.close()


def test_pages_are_the_log(model: ReadModel) -> None:
    whole = model.audit_entries(1)
    assert whole == busy_desk().log_of_acts
    assert check_chain(whole, busy_desk().exchange.rooms.audit.head) == 9
    assert [entry.number for entry in model.audit_entries(3, 4)] == [3, 4, 5, 6]
    assert [entry.number for entry in model.audit_entries(9)] == [9]
    assert model.audit_entries(10) == []


def test_what_is_behind_the_last_command_is_not_shown(model: ReadModel) -> None:
    with model.engine.begin() as connection:
        connection.execute(update(tables.meta).values(last_sequence=model.audit_entries(5, 1)[0].sequence))
    assert [entry.number for entry in model.audit_entries(1)] == [1, 2, 3, 4, 5]


def test_an_altered_entry_is_noticed(model: ReadModel) -> None:
    entry = model.audit_entries(4, 1)[0]
    altered = msgspec.json.encode(msgspec.structs.replace(entry, person="nobody")).decode()
    with model.engine.begin() as connection:
        connection.execute(update(tables.audit_entries).where(tables.audit_entries.c.number == 4).values(entry=altered))
    with pytest.raises(CheckFailedError, match="broken at entry 4"):
        model.audit_entries(1)
    assert [entry.number for entry in model.audit_entries(5)] == [5, 6, 7, 8, 9]


@pytest.mark.parametrize("number", [1, 4])
def test_a_missing_entry_is_noticed(model: ReadModel, number: int) -> None:
    with model.engine.begin() as connection:
        connection.execute(delete(tables.audit_entries).where(tables.audit_entries.c.number == number))
    with pytest.raises(CheckFailedError, match=f"broken at entry {number}"):
        model.audit_entries(1)
