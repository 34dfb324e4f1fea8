"""A user's meter file: read whole or refused whole, with the line and what was expected."""

import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.scenarios.meters import ImportResult, import_meters, parse_period_start, template_csv
from clients.scenarios.periods import day_periods, time_zone
from exchange.errors import InputError

SHANGHAI, BERLIN = time_zone("Asia/Shanghai"), time_zone("Europe/Berlin")
DAY = datetime.date(2026, 7, 15)
CAPACITIES = {"E01": (1000, 0), "E02": (400, 200), "PV01": (0, 5000), "MM1": (0, 0)}
HEADER = "period_start,member,kind,kwh"


def day_rows(member: str = "E01", kind: str = "load", kwh: str = "12.5", day: str = "2026-07-15") -> list[str]:
    return [f"{day} {quarter // 4:02d}:{quarter % 4 * 15:02d},{member},{kind},{kwh}" for quarter in range(96)]


def read(folder: Path, rows: list[str] | bytes, day: datetime.date | None = DAY, header: str = HEADER) -> ImportResult:
    path = folder / "meters.csv"
    path.write_bytes(rows if isinstance(rows, bytes) else "\n".join([header, *rows]).encode())
    return import_meters(path, CAPACITIES, SHANGHAI, day)


def refusal(folder: Path, rows: list[str] | bytes, day: datetime.date | None = DAY, header: str = HEADER) -> str:
    with pytest.raises(InputError) as caught:
        read(folder, rows, day, header)
    return str(caught.value)


def test_a_day(tmp_path: Path) -> None:
    rows = day_rows()
    rows[40] = "2026-07-15 10:00,E01,load,0.001"
    result = read(tmp_path, rows + day_rows("E02", "generation", "3"))
    meters = result.of_day(DAY)
    assert set(meters) == {"E01", "E02"}
    load = meters["E01"].load_wh
    assert load is not None
    assert load.dtype == np.int64
    assert load.tolist() == [12_500] * 40 + [1] + [12_500] * 55
    assert meters["E01"].generation_wh is None
    assert meters["E02"].load_wh is None
    assert result.rows == 192


def test_description(tmp_path: Path) -> None:
    text = read(tmp_path, day_rows() + day_rows("PV01", "generation", "100")).describe()
    assert "192 readings of 2026-07-15 (Asia/Shanghai)" in text
    assert "1,200.000 kWh" in text
    assert "9,600.000 kWh" in text
    assert "读入" in text


@pytest.mark.parametrize(
    "transform",
    [
        pytest.param(lambda text: text.encode("utf-8-sig"), id="Excel mark"),
        pytest.param(lambda text: text.replace("\n", "\r\n").encode(), id="CRLF"),
        pytest.param(lambda text: text.replace("\n", "\n\n").encode(), id="blank lines"),
        pytest.param(lambda text: (text + "\n,,,\n").encode(), id="Excel's empty last row"),
        pytest.param(lambda text: text.replace(",", " , ").encode(), id="blanks around cells"),
        pytest.param(lambda text: text.replace("2026-07-15 0", "2026/7/15 ").replace("2026-07-15", "2026/7/15").encode(), id="Excel dates"),
        pytest.param(lambda text: text.replace("period_start,member,kind,kwh", "Period_Start,Member,Kind,kWh").encode(), id="capitals"),
        pytest.param(lambda text: text.replace("E01", '"E01"').encode(), id="quotes"),
        pytest.param(lambda text: text.replace("2026-07-15 ", "2026-07-15T").replace(",E01", ":00+08:00,E01").encode(), id="offset"),
        pytest.param(lambda text: text.replace("12.5", "12.500").encode(), id="zeros"),
    ],
)
def test_as_spreadsheets_write_it(tmp_path: Path, transform: object) -> None:
    data = transform("\n".join([HEADER, *day_rows()]))  # type: ignore[operator]
    load = read(tmp_path, data).of_day(DAY)["E01"].load_wh
    assert load is not None
    assert load.tolist() == [12_500] * 96


def test_utc_and_column_order(tmp_path: Path) -> None:
    start = datetime.datetime(2026, 7, 14, 16, tzinfo=datetime.UTC)
    rows = [f"{number}.25,load,{(start + datetime.timedelta(minutes=15 * number)):%Y-%m-%dT%H:%MZ},E01" for number in range(96)]
    load = read(tmp_path, rows, header="kwh,kind,period_start,member").of_day(DAY)["E01"].load_wh
    assert load is not None
    assert load.tolist() == [1000 * number + 250 for number in range(96)]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("2026-07-15 10:00,E99,load,1", "line 42: member: 'E99' is not in the scenario; expected one of E01, E02, MM1, PV01"),
        ("2026-07-15 10:00,E01,Load,1", "line 42: kind: 'Load'; expected load or generation"),
        ("2026-07-15 10:00,PV01,load,1", "line 42: kind: PV01 has no load"),
        ("2026-07-15 10:00,E01,generation,1", "line 42: kind: E01 has no generation"),
        ("2026-07-15 10:00,MM1,load,1", "line 42: kind: MM1 has no load"),
        ("2026-07-15 10:00,E01,load,-1", "line 42: kwh: '-1' is negative"),
        ("2026-07-15 10:00,E01,load,nan", "line 42: kwh: 'nan' is not a plain decimal"),
        ("2026-07-15 10:00,E01,load,inf", "line 42: kwh: 'inf'"),
        ("2026-07-15 10:00,E01,load,", "line 42: kwh: '' is not a plain decimal"),
        ("2026-07-15 10:00,E01,load,1e2", "line 42: kwh: '1e2'"),
        ("2026-07-15 10:00,E01,load,12.3456", "line 42: kwh: '12.3456' has 4 decimals; at most 3"),
        ("2026-07-15 10:00,E01,load,0.30000000000000004", "line 42: kwh: '0.30000000000000004' has 17 decimals"),
        ('2026-07-15 10:00,E01,load,"1,234"', "line 42: kwh: '1,234' is not a plain decimal"),
        ("2026-07-15 10:00,E01,load,250.001", "line 42: kwh: 250.001 is more than E01 can carry in a quarter-hour (1000 kW, 250 kWh)"),
        ("2026-07-15 10:00,E01,load,99999999999999999999999999", "line 42: kwh: '99999999999999999999999999' is not"),
        ("2026-07-15 10:05,E01,load,1", "line 42: period_start: '2026-07-15 10:05' is not the start of a quarter-hour"),
        ("2026-07-15 10:00:30,E01,load,1", "line 42: period_start: '2026-07-15 10:00:30' is not the start"),
        ("2026-02-30 10:00,E01,load,1", "line 42: period_start: '2026-02-30 10:00' is not a date and time of the calendar"),
        ("0001-01-01 00:00+08:00,E01,load,1", "line 42: period_start: '0001-01-01 00:00+08:00' is not of this century (2000 to 2099)"),
        ("9999-12-31 23:45,E01,load,1", "line 42: period_start: '9999-12-31 23:45' is not of this century"),
        ("15.07.2026 10:00,E01,load,1", "line 42: period_start: '15.07.2026 10:00' is not a time such as"),
        ("2026-07-15 24:00,E01,load,1", "line 42: period_start: '2026-07-15 24:00' is not a date and time"),
        ("46218.4166666667,E01,load,1", "line 42: period_start: '46218.4166666667' is not a time"),
        ("2026-07-15 09:45,E01,load,1", "line 42: E01 load already has a reading of 2026-07-15 09:45"),
        ("2026-07-15 10:00,E01,load", "line 42: 3 columns; expected 4"),
        ("2026-07-15 10:00,E01,load,1,x", "line 42: 5 columns; expected 4"),
        ('2026-07-15 10:00,"E01,load,1', "not CSV"),
        ("", "E01 load: 1 of 96 quarter-hours of 2026-07-15 are missing, the first at 10:00"),
    ],
)
def test_a_bad_line(tmp_path: Path, bad: str, reason: str) -> None:
    rows = day_rows()
    rows[40] = bad
    text = refusal(tmp_path, rows)
    assert reason in text
    assert "nothing was imported" in text


def test_the_same_instant_twice_in_two_notations(tmp_path: Path) -> None:
    assert "line 98: E01 load already has a reading" in refusal(tmp_path, [*day_rows(), "2026-07-15T08:00Z,E01,load,1"])


def test_every_problem_is_counted_and_twenty_are_worded(tmp_path: Path) -> None:
    text = refusal(tmp_path, day_rows("E99"))
    assert text.startswith("meters.csv: 96 problems, nothing was imported")
    assert text.count("line ") == 20
    assert text.endswith("... and 76 more in lines 22 to 97")


def test_a_quotation_mark_that_is_not_closed_hides_no_line_behind_it(tmp_path: Path) -> None:
    rows = day_rows()
    rows[40], rows[50] = '2026-07-15 10:00,"E01,load,1', "2026-07-15 12:30,E01,load,-1"
    text = refusal(tmp_path, rows)
    assert "2 problems" in text
    assert "line 42: not CSV: unexpected end of data" in text
    assert "line 52: kwh: '-1' is negative" in text


def test_a_row_with_several_problems_names_all(tmp_path: Path) -> None:
    text = refusal(tmp_path, ["now,E99,load,lots"])
    assert [part in text for part in ("period_start:", "member:", "kwh:")] == [True] * 3


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file; expected the header"),
        (HEADER.encode(), "no readings; expected rows such as"),
        (b"time,member,kind,kwh\n", "line 1: expected the header"),
        (b"period_start,member,kind\n", "line 1: expected the header"),
        (b"period_start,member,kind,kwh,kwh\n", "line 1: expected the header"),
        (b"period_start;member;kind;kwh\n", "separated by commas"),
        (b"period_start\tmember\tkind\tkwh\n", "separated by commas"),
        (HEADER.encode("utf-16"), "UTF-16"),
        ((HEADER + "\n# 电表").encode("gbk"), "line 2: not UTF-8"),
        (HEADER.encode() + b"\n\x00", "line 2: holds a zero byte"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not UTF-8"),
    ],
)
def test_not_a_meter_file(tmp_path: Path, data: bytes, reason: str) -> None:
    assert reason in refusal(tmp_path, data)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        import_meters(tmp_path / "none.csv", CAPACITIES, SHANGHAI)


def test_another_day_than_the_file_has(tmp_path: Path) -> None:
    text = refusal(tmp_path, day_rows(day="2026-07-14"))
    assert "no readings of 2026-07-15; the file covers 2026-07-14 to 2026-07-14" in text


def test_only_the_played_day_must_be_complete(tmp_path: Path) -> None:
    rows = day_rows() + day_rows(day="2026-07-16")[:50]
    assert read(tmp_path, rows).days == (DAY, DAY + datetime.timedelta(1))
    text = refusal(tmp_path, rows, day=None)
    assert "46 of 96 quarter-hours of 2026-07-16 are missing, the first at 12:30" in text


def test_a_member_of_another_day_is_missing_on_this_one(tmp_path: Path) -> None:
    assert "E02 load: 96 of 96" in refusal(tmp_path, day_rows() + day_rows("E02", "load", "1", "2026-07-14"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2026-03-29 02:15", "does not exist in Europe/Berlin"),
        ("2026-10-25 02:15", "comes twice in Europe/Berlin: give the offset"),
        ("2026-07-15 10:00+05:20", "not the start of a quarter-hour in UTC"),
    ],
)
def test_wall_clock_times_without_one_meaning(text: str, reason: str) -> None:
    answer = parse_period_start(text, BERLIN)
    assert isinstance(answer, str)
    assert reason in answer


@pytest.mark.parametrize("text", ["2026-07-15 00:00", "2026-07-14T16:00Z", "2026-07-14T11:00-05:00", "2026-07-14T21:45+0545", "2026/7/15 0:00"])
def test_ways_to_write_one_instant(text: str) -> None:
    assert parse_period_start(text, SHANGHAI) == day_periods(DAY, SHANGHAI)[0]


@pytest.mark.parametrize("day", [datetime.date(2026, 3, 29), datetime.date(2026, 10, 25)])
def test_template_of_a_day_with_a_clock_change_reads_back(tmp_path: Path, day: datetime.date) -> None:
    starts = day_periods(day, BERLIN)
    energies = np.arange(len(starts), dtype=np.int64) * 1001
    path = tmp_path / "template.csv"
    path.write_text(template_csv({("E01", "load"): energies}, starts, BERLIN), "utf-8")
    load = import_meters(path, CAPACITIES, BERLIN, day).of_day(day)["E01"].load_wh
    assert load is not None
    assert np.array_equal(load, energies)


@settings(max_examples=60)
@given(data=st.binary(max_size=300), inside=st.integers(0, 200))
def test_no_bytes_break_it(tmp_path_factory: pytest.TempPathFactory, data: bytes, inside: int) -> None:
    whole = "\n".join([HEADER, *day_rows()]).encode()
    path = tmp_path_factory.mktemp("fuzz") / "meters.csv"
    path.write_bytes(whole[:inside] + data + whole[inside:])
    try:
        import_meters(path, CAPACITIES, SHANGHAI, DAY)
    except InputError:
        return
