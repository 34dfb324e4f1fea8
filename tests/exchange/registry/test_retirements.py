"""Retirements: their text, the chain of their digests, the way from a serial number, and the page that shows one."""

import dataclasses
import hashlib
from html.parser import HTMLParser
from typing import Any

import msgspec
import numpy as np
import pytest

from exchange.errors import InputError
from exchange.registry.retirement_page import RANGES_SHOWN, retirement_page
from exchange.registry.retirements import Retirement, RetirementKind, Retirements
from exchange.registry.serials import UnitScheme

GEC_ROWS = [[UnitScheme.GEC, 1, 202607, 4, 1, 100], [UnitScheme.GEC, 1, 202607, 4, 201, 210]]


def make(number: int = 1, previous: str = "", **changes: Any) -> Retirement:
    fields: dict[str, Any] = {
        "number": number, "kind": RetirementKind.CLAIM, "retired_ns": 1_785_600_000_000_000_000, "account": 34, "beneficiary": 33,
        "beneficiary_name": "E02", "purpose": "Scope 2, July", "consumed_from_ns": 1_782_835_200_000_000_000,
        "consumed_to_ns": 1_785_513_600_000_000_000, "series": "GEC-202607-PV", "quantity": 110, "serials": np.array(GEC_ROWS, np.int64),
        "previous": previous,
    }  # fmt: skip
    return Retirement(**(fields | changes))


def chain(count: int) -> Retirements:
    retirements = Retirements()
    for number in range(1, count + 1):
        rows = np.array([[UnitScheme.GC, 2, 202607, 9, 10 * number, 10 * number + 4]], np.int64)
        retirements.add(make(number, retirements.head, serials=rows, quantity=5, series="GC"))
    return retirements


def test_the_digest_is_the_sha_256_of_a_text_that_anybody_reads() -> None:
    retirement = make()
    assert retirement.text.splitlines() == [
        "retirement 1",
        "kind claim",
        "retired 2026-08-02T00:00:00+08:00",
        "account 34",
        "beneficiary 33 E02",
        "purpose Scope 2, July",
        "consumption from 2026-07-01T00:00:00+08:00",
        "consumption to 2026-08-01T00:00:00+08:00",
        "series GEC-202607-PV",
        "quantity 110 of 1 MWh",
        f"serial {next(retirement.ranges)}",
        f"serial {list(retirement.ranges)[1]}",
        "previous none",
    ]
    assert retirement.digest == hashlib.sha256(retirement.text.encode()).hexdigest()


OTHER_VALUES = {
    "kind": RetirementKind.STORAGE, "serials": np.array(GEC_ROWS[:1], np.int64), "previous": "ab", "beneficiary_name": "E03", "purpose": "other",
    "series": "GEC-202608-PV", "retired_ns": 10**9, "consumed_from_ns": 10**9, "consumed_to_ns": 10**9,
}  # fmt: skip


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Retirement) if field.init])
def test_every_fact_is_in_the_digest_and_restored(name: str) -> None:
    changed = make(**{name: OTHER_VALUES.get(name, 99)})
    assert changed.digest != make().digest
    assert Retirement.from_canonical(msgspec.msgpack.decode(msgspec.msgpack.encode(changed.to_canonical()))).text == changed.text


def test_each_retirement_follows_from_the_one_before() -> None:
    retirements = chain(2)
    for wrong in (make(4, retirements.head), make(3, ""), make(2, retirements.head)):
        with pytest.raises(InputError):
            retirements.add(wrong)
    assert retirements.by_number[2].previous == retirements.by_number[1].digest
    assert retirements.to_hash() == [2, retirements.by_number[2].digest, []]


def test_a_serial_number_leads_to_its_retirement() -> None:
    retirements = chain(3)
    found = [retirements.of_serial(9, serial) for serial in (9, 10, 14, 15, 20, 34)]
    assert [None if one is None else one.number for one in found] == [None, 1, 1, None, 2, 3]
    assert retirements.of_serial(8, 10) is None


def test_they_are_restored_and_another_past_is_noticed() -> None:
    retirements = chain(3)
    retirements.mandates.add((33, 34))
    rows, mandates = msgspec.msgpack.decode(msgspec.msgpack.encode(retirements.to_canonical()))
    again = Retirements.from_canonical([rows, mandates])
    assert again.to_hash() == retirements.to_hash()
    assert again.of_serial(9, 30) is not None
    assert Retirements.from_canonical([rows[:2], mandates]).to_hash() != retirements.to_hash()
    for wrong in (rows[1:], [[*rows[0][:6], "for somebody else", *rows[0][7:]], *rows[1:]]):
        with pytest.raises(InputError):
            Retirements.from_canonical([wrong, mandates])
    assert not Retirements().to_hash()
    assert Retirements.from_canonical([]).to_hash() == []


def test_mandates() -> None:
    retirements = Retirements(mandates={(33, 34)})
    assert [retirements.may_retire(*pair) for pair in ((34, 33), (33, 34), (33, 33), (35, 33))] == [True, False, True, False]


class Text(HTMLParser):
    """The words of a page and the addresses in it."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"href", "src"}]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def read(page: str) -> Text:
    parser = Text()
    parser.feed(page)
    return parser


WORDS = {"en": ["Retirement certificate", "Beneficiary", "1 MWh"], "zh": ["核销证书", "受益人", "1 兆瓦时"]}


@pytest.mark.parametrize(("language", "words"), WORDS.items())
def test_the_page_says_what_was_retired_in_both_languages(language: Any, words: list[str]) -> None:
    retirement = make()
    page = read(retirement_page(retirement, language))
    text = "\n".join(page.words)
    shown = ("E02 (33)", "110", "GEC-202607-PV", "2026-07\n", "2026-07-01 00:00 (UTC+08:00)")
    for word in (*words, *shown, "Scope 2, July", retirement.digest, *map(str, retirement.ranges)):
        assert word in text
    # Nothing is fetched from elsewhere, and nothing runs.
    assert all(address.startswith(("/v1/retirements/1", "?lang=")) for address in page.addresses)
    assert not {"script", "link", "img"}.intersection(page.tags)


def test_the_page_shows_what_was_written_and_runs_none_of_it() -> None:
    page = retirement_page(make(purpose="<script>alert(1)</script>", beneficiary_name='"><img src=x>'), "en")
    assert not {"script", "img"}.intersection(read(page).tags)
    assert "<script>alert(1)</script>" in "".join(read(page).words)


def test_a_page_of_many_ranges_says_how_many_it_leaves_out() -> None:
    rows = np.array([[UnitScheme.GC, 2, 202607, 9, 10 * n + 1, 10 * n + 5] for n in range(RANGES_SHOWN + 7)], np.int64)
    page = retirement_page(make(serials=rows), "en")
    assert page.count("<li>") == RANGES_SHOWN
    assert "and 7 more ranges" in page


def test_what_was_cancelled_for_storage_covers_no_consumption() -> None:
    assert "They cover no consumption" in retirement_page(make(kind=RetirementKind.STORAGE), "en")
