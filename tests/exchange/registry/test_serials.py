"""Serial numbers as text: the check character, the way back, and what is wrong with a wrong one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.errors import InputError
from exchange.registry.serials import SerialRange, UnitScheme, check_character, parse_serial, vintage_of_symbol

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
GEC = SerialRange(UnitScheme.GEC, 12, 202605, 7, 1, 1_099)
ranges = st.builds(
    lambda scheme, source, year, month, issuance, start, quantity: SerialRange(
        scheme, source, year * 100 + month, issuance, start, start + quantity - 1
    ),
    st.sampled_from(UnitScheme), st.integers(0, 10**6), st.integers(0, 2100), st.integers(0, 12), st.integers(1, 10**6),
    st.integers(1, 10**12), st.integers(1, 10**12),
)  # fmt: skip


def test_the_check_character_of_the_published_example() -> None:
    assert check_character("G123489654321") == "Y"  # the example of ISO/IEC 7064, MOD 37-2 in the documentation of python-stdnum


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (GEC, "PARK-GEC-D12-202605-7-1-1099-"),
        (SerialRange(UnitScheme.CEA, 0, 202500, 1, 5, 5), "PARK-CEA-N0-202500-1-5-5-"),
        (SerialRange(UnitScheme.PCC, 3, 202600, 2, 1, 9), "PARK-PCC-P3-202600-2-1-9-"),
        (SerialRange(UnitScheme.SDGC, 4, 0, 2, 1, 9), "PARK-SDGC-D4-000000-2-1-9-"),
    ],
)
def test_the_parts_stand_where_the_format_has_them(found: SerialRange, text: str) -> None:
    assert str(found)[:-1] == text
    assert found.quantity == found.serial_to - found.serial_from + 1


@given(ranges)
def test_a_text_says_its_range_and_no_other(found: SerialRange) -> None:
    assert parse_serial(str(found)) == found


@given(ranges, st.data())
def test_one_wrong_character_is_found(found: SerialRange, data: st.DataObject) -> None:
    text = str(found)
    at = data.draw(st.sampled_from(range(len(text))))
    other = data.draw(st.sampled_from([c for c in ALPHABET if c != text[at]]))
    with pytest.raises(InputError):
        parse_serial(text[:at] + other + text[at + 1 :])


@given(ranges, st.data())
def test_two_neighbours_that_changed_places_are_found(found: SerialRange, data: st.DataObject) -> None:
    text = str(found)
    at = data.draw(st.integers(0, len(text) - 2))
    if text[at] != text[at + 1]:
        with pytest.raises(InputError):
            parse_serial(text[:at] + text[at + 1] + text[at] + text[at + 2 :])


def checked(body: str) -> str:
    return f"{body}-{check_character(body)}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "eight parts"),
        ("PARK-GEC-D12-202605-7-1-1099", "eight parts"),
        ("PARKS-GEC-D12-202605-7-1-1099-V", "eight parts"),
        ("PARK-GEC-D12-202605-7-1-" + "9" * 120 + "-V", "eight parts"),
        (checked("PARK-ABC-D12-202605-7-1-9"), "unknown unit"),
        (checked("PARK-GEC-X12-202605-7-1-9"), "source"),
        (checked("PARK-GEC-D012-202605-7-1-9"), "source"),
        (checked("PARK-GEC-D12-202613-7-1-9"), "vintage"),
        (checked("PARK-GEC-D12-20260-7-1-9"), "vintage"),
        (checked("PARK-GEC-D12-202605-7-01-9"), "whole numbers"),
        (checked("PARK-GEC-D12-202605-7-0-9"), "begins at 1"),
        (checked("PARK-GEC-D12-202605-7-9-8"), "begins at 1"),
        (checked("PARK-GEC-D12-202605-7-1-9223372036854775808"), "begins at 1"),
        (str(GEC)[:-1] + "?", "check character"),
        (checked("PARK-GEC-P12-202605-7-1-9"), "check character"),  # the same number, spelled as that of a project
    ],
)
def test_what_is_wrong_is_named(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_serial(text)


@pytest.mark.parametrize(
    ("symbol", "vintage"), [("GEC-202605-PV", 202605), ("CEA25", 202500), ("PCC-2026", 202600), ("CCER", 0), ("GEC-202613", 0), ("X123", 0)]
)
def test_the_vintage_that_a_symbol_names(symbol: str, vintage: int) -> None:
    assert vintage_of_symbol(symbol) == vintage
