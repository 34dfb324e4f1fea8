"""Groups of members: sizes by the radical inverse, shares of other numbers, overlays, and what is refused."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.scenarios import load_park
from clients.scenarios.groups import group_members
from clients.scenarios.layers import read_scenario
from exchange.errors import InputError

GROUP: dict[str, Any] = {"id": "G", "count": 12, "name": "Works", "name_zh": "厂"}


def made(member: dict[str, Any], count: int = 12) -> list[dict[str, Any]]:
    notes: list[str] = []
    members = group_members([{**GROUP, "count": count, "member": member}], lambda reason, _: notes.append(reason))
    if notes:
        raise InputError(notes[0])
    return members["G"]


def radical_inverse(number: int, base: int) -> Fraction:
    """The digits of the number in the base, mirrored at the point: by text, unlike the code."""
    digits = ""
    while number:
        digits += str(number % base)
        number //= base
    return sum((Fraction(int(digit), base ** (place + 1)) for place, digit in enumerate(digits)), Fraction(0))


def test_names_and_ids() -> None:
    members = made({"role": "enterprise"})
    assert [(entry["id"], entry["name"], entry["name_zh"]) for entry in (members[0], members[11])] == [
        ("G01", "Works 01", "厂01"), ("G12", "Works 12", "厂12"),
    ]  # fmt: skip
    assert all(entry["role"] == "enterprise" for entry in members)


@given(st.integers(0, 1000), st.integers(0, 100_000), st.integers(1, 4), st.sampled_from([1, 10, 50]))
def test_a_range(low: int, width: int, power: int, step: int) -> None:
    members = made({"a": {"from": low, "to": low + width, "power": power, "step": step}, "b": {"from": 0, "to": 1000}}, 20)
    for number, entry in enumerate(members, 1):
        exact = low + width * radical_inverse(number, 2) ** power
        assert abs(entry["a"] - exact) * 2 <= step
        assert entry["a"] % step == 0
        assert abs(entry["b"] - 1000 * radical_inverse(number, 3)) * 2 <= 1


def test_choices_are_alike_in_number() -> None:
    chosen = [entry["v"] for entry in made({"v": {"one_of": ["10", "35", "110"]}}, 300)]
    assert [chosen.count(value) for value in ("10", "35", "110")] == pytest.approx([100, 100, 100], abs=2)


def test_a_share_of_another_number() -> None:
    member = {"load": {"annual_mwh": {"from": 100, "to": 900}}, "connection_kw": {"of": "load.annual_mwh", "permille": 480, "step": 10}}
    for entry in made(member):
        assert abs(entry["connection_kw"] - entry["load"]["annual_mwh"] * 0.48) <= 5
        assert entry["connection_kw"] % 10 == 0


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        ({"a": {"from": 5, "to": 4}}, "expected from <= to"),
        ({"a": {"from": 1, "to": 4, "power": 0}}, "power 1 to 9"),
        ({"a": {"from": 1, "to": 4, "step": 0}}, "step at least 1"),
        ({"a": {"from": 1}}, "to is missing"),
        ({"a": {"from": 1, "to": 2, "too": 3}}, "unknown key too"),
        ({"a": {"one_of": []}}, "one value at least"),
        ({"a": {"of": "b", "permille": 5}}, "no such whole number"),
        ({"a": {"of": "b", "permille": 5}, "b": "x"}, "no such whole number"),
        ({f"k{n}": {"from": 0, "to": 9} for n in range(13)}, "at most 12 values"),
    ],
)
def test_what_is_refused(member: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        made(member)


@pytest.mark.parametrize(("entries", "reason"), [(3, "expected"), ([3], "Expected `object`"), ([{**GROUP, "count": 5001, "member": {}}], "to 5000")])
def test_bad_groups(entries: Any, reason: str) -> None:
    notes: list[str] = []
    group_members(entries, lambda text, _: notes.append(text))
    assert reason in notes[0]


TEXT = """base = "park"
base_members = false

[[group]]
id = "G"
count = 3
name = "Works"
name_zh = "厂"
[group.member]
role = "enterprise"
voltage_kv = "10"
connection_kw = 900
cash_cny = 5
permissions = []
load = { annual_mwh = 1000, shapes_permille = { two_shift = 1000 }, noise = "batch" }
strategy = []

[[member]]
id = "G2"
connection_kw = 1900
"""


def test_a_park_of_a_group_with_one_member_changed(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(TEXT, "utf-8")
    park = load_park(path)
    assert [(member.id, member.connection_kw) for member in park.members] == [("G1", 900), ("G2", 1900), ("G3", 900)]
    assert park.contracts == ()
    assert len(park.instruments) == 5


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [("_mwh = 1000", "_mwh = -1", 15), ('voltage_kv = "10"', 'voltage_kv = "11"', 11), ("= 1900", "= -4", 20), ("count = 3", "count = 0", 4)],
)
def test_a_mistake_is_named_where_it_stands(tmp_path: Path, old: str, new: str, line: int) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(TEXT.replace(old, new), "utf-8")
    with pytest.raises(InputError, match=rf"mine.toml: line {line}: "):
        load_park(path)


def test_a_value_of_a_lower_layer_is_named_there(tmp_path: Path) -> None:
    (tmp_path / "lower.toml").write_text(TEXT, "utf-8")
    (tmp_path / "upper.toml").write_text('base = "lower.toml"\n[[member]]\nid = "G2"\ncash_cny = 7\n', "utf-8")
    scenario = read_scenario(str(tmp_path / "upper.toml"))
    assert scenario.place_of(("member", 1, "cash_cny")) == ("upper.toml", 4)
    assert scenario.place_of(("member", 1, "connection_kw")) == ("lower.toml", 20)
    assert scenario.place_of(("member", 1, "role")) == ("lower.toml", 10)
    assert scenario.place_of(("member", 0, "load", "noise")) == ("lower.toml", 15)
    assert scenario.name_of(("member", 1, "load", "noise")) == "member G2.load.noise"
