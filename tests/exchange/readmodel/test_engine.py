"""Databases by URL: what cannot be used is told for people, without the password."""

import sys
from pathlib import Path

import pytest

from exchange.errors import InputError
from exchange.readmodel.engine import open_engine
from exchange.readmodel.projector import Projector, drop_read_model
from tests.exchange.readmodel.test_projector import GENESIS_HASH

REFUSED = [
    ("no url", "URL is none"),
    ("", "URL is none"),
    ("mysql://user:s3cret@host/db", "mysql is not supported"),
    ("postgresql+psycopg2://user:s3cret@host/db", r"postgresql\+psycopg2 is not supported"),
    ("sqlite:////dev/null/model.db", "cannot be used: unable to open database file"),
    ("postgresql+psycopg://user:s3cret@/db?host=/dev/null", "cannot be used: connection"),
    ("postgresql://user:s3cret@/db?host=/dev/null", r"postgresql\+psycopg://user:\*\*\*@"),
]


@pytest.mark.parametrize(("url", "words"), REFUSED)
def test_a_database_that_cannot_be_used_is_told_without_its_password(url: str, words: str) -> None:
    for use in (lambda: Projector.open(url, GENESIS_HASH, lambda _day: None), lambda: drop_read_model(url)):
        with pytest.raises(InputError, match=words) as caught:
            use()
        assert "s3cret" not in str(caught.value)


def test_a_missing_driver_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(InputError, match=r"pip install 'parkex\[postgres\]'"):
        open_engine("postgresql://user@host/db")


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "model.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(InputError, match="file is not a database"):
        Projector.open(f"sqlite:///{tmp_path}/model.db", GENESIS_HASH, lambda _day: None)
