"""Every field of the carbon tables is content of the state, and comes back from a snapshot."""

from typing import Any

import msgspec
import pytest

from exchange.carbon.compliance import Carried, ComplianceYear, Entity, Stage, Surrendered
from exchange.carbon.credits import CarbonCredits
from exchange.carbon.park_scheme import Benchmark, ParkScheme, Performance
from exchange.carbon.project_states import ProjectState
from exchange.carbon.projects import Buffer, Claimed, Factor, Monitoring, Project
from exchange.carbon.record import from_rows, to_rows
from exchange.carbon.rules import CarbonRules
from exchange.errors import CheckFailedError

ROWS: list[Any] = [
    CarbonRules(from_year=2025),
    Carried(1, 2),
    Entity(33, "steel", ["kiln"], "works", ["P"], 1, 2, [Carried(1, 2)]),
    Surrendered(1, 2, 3, True, "P"),
    ComplianceYear(33, 2025, 1, b"r", 2, 3, 4, 5, Stage.PRE, 6, [Surrendered(1, 2, 3, True, "P")]),
    Factor("MEE", 2023, "CN", "average", 530_600),
    Claimed(1, 2, 3, 4),
    Monitoring(1, 2, 3, b"d", b"m", 4, 5, 6, 7, [Claimed(1, 2, 3, 4)]),
    Project(
        1, "lamps", "retrofit", 33, 34, 34, 3, b"c", b"d", Factor("MEE", 2023, "CN", "average", 530_600), 0, [1], "lamps", "electricity", 5, ["t"],
        [6], monitorings=[Monitoring(1, 2, 3, b"d", b"m", 4, 5, 6, 7, [])],
    ),
    Buffer(3, 5, [7]),
    Benchmark("steel", "t", 5),
    ParkScheme(3, 1, 2, 3, 4, [Benchmark("steel", "t", 5)]),
    Performance(3, 33, 34, b"d", 1, 2, 3, 4, 5),
]  # fmt: skip


def other(value: Any) -> Any:
    """Another value of the same kind."""
    match value:
        case bool():
            return not value
        case Stage() | ProjectState():
            return type(value)((int(value) + 1) % len(type(value)))
        case int():
            return value + 1
        case str():
            return value + "x"
        case bytes():
            return value + b"x"
        case list():
            return value[:-1] if value else [1]
        case Factor():
            return msgspec.structs.replace(value, year=value.year + 1)
    raise AssertionError(value)


@pytest.mark.parametrize(
    ("row", "name"), [pytest.param(row, name, id=f"{type(row).__name__}.{name}") for row in ROWS for name in row.__struct_fields__]
)
def test_every_field_is_content_and_restored(row: Any, name: str) -> None:
    changed = msgspec.structs.replace(row, **{name: other(getattr(row, name))})
    if name == "rows" and isinstance(row, Monitoring):
        changed = msgspec.structs.replace(row, rows=[])
    packed = msgspec.msgpack.encode(to_rows([changed]))
    assert packed != msgspec.msgpack.encode(to_rows([row]))
    if isinstance(getattr(changed, name), list) and getattr(changed, name) == [1] and not getattr(row, name):
        return  # a list of records of which there was none: its own rows are above
    assert from_rows(type(row), msgspec.msgpack.decode(packed)) == [changed]


def test_nothing_is_content_of_nothing() -> None:
    assert CarbonCredits().to_canonical() == []
    assert CarbonCredits.from_canonical([]) == CarbonCredits()


BROKEN_YEARS = [
    ({"surrendered": [Surrendered(1, 2, 6, False, "")]}, "no more is surrendered"),
    ({"verified_g": 100 * 10**6, "surrendered": [Surrendered(1, 2, 6, True, "P")]}, "CCER are at most"),
    ({"shortfall_t": 1}, "a shortfall is what is open"),
    ({"is_closed": True}, "a shortfall is what is open"),
    ({"verified_g": 0, "penalty_micro": 1}, "only a shortfall is fined"),
    ({"paid_micro": 1}, "no more is paid"),
]


@pytest.mark.parametrize(("changes", "what"), BROKEN_YEARS)
def test_a_broken_year_is_found(changes: dict[str, Any], what: str) -> None:
    tables = CarbonCredits()
    tables.compliance.years[33, 2025] = msgspec.structs.replace(ComplianceYear(33, 2025, verified_g=5 * 10**6), **changes)
    with pytest.raises(CheckFailedError, match=what):
        tables.check()


ISSUED = Monitoring(
    1, 0, 1, bytes(32), bytes(32), 0, 0, 0, 0, [], verifier=34, opinion_sha256=bytes(32), verified_wh=0, reductions_ug=5 * 10**12, credits_t=4,
    buffer_t=1, carry_ug=0, buffer_carry_ug=0,
)  # fmt: skip
BROKEN_ISSUANCES = [
    ({"credits_t": 5}, "at most the verified"),
    ({"buffer_t": 2}, "at most the verified"),
    ({"carry_ug": 1}, "at most the verified"),
    ({"carry_in_ug": 1}, "taken once"),
    ({"carry_ug": 10**12, "credits_t": 3}, "below a ton"),
    ({"withheld_t": 5}, "withheld"),
    ({"reversed_t": 6}, "reversed"),
    ({"verifier": 0}, "evidence"),
    ({"digest": b""}, "evidence"),
]


@pytest.mark.parametrize(("changes", "what"), BROKEN_ISSUANCES)
def test_a_broken_issuance_is_found(changes: dict[str, Any], what: str) -> None:
    project = msgspec.structs.replace(ROWS[8], monitorings=[ISSUED])
    tables = CarbonCredits()
    tables.projects.by_id[1] = project
    tables.check()
    broken = msgspec.structs.replace(ISSUED, **changes)
    tables.projects.by_id[1] = msgspec.structs.replace(project, monitorings=[broken], carry_ug=broken.carry_ug)
    with pytest.raises(CheckFailedError, match=what):
        tables.check()


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"surrendered_t": 6}, "no more is surrendered"),
        ({"credits_t": 1}, "earns or owes"),
        ({"shortfall_t": 1}, "a shortfall is what is open"),
        ({"penalty_micro": 1}, "published"),
        ({"paid_micro": 1}, "no more is paid"),
    ],
)
def test_a_broken_performance_is_found(changes: dict[str, Any], what: str) -> None:
    tables = CarbonCredits()
    tables.parks.schemes[3] = ParkScheme(3, 0, 1, 2, 5, [])
    row = Performance(3, 33, 34, b"", 0, 0, 0, 0, 5)
    tables.parks.performances[3, 33] = row
    tables.check()
    tables.parks.performances[3, 33] = msgspec.structs.replace(row, **changes)
    with pytest.raises(CheckFailedError, match=what):
        tables.check()
