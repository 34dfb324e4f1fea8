"""Files of readings: every finding by its line, days on which the clock changes, registers, and the documents that carry a file."""

import datetime
import io
import random as random_module
from collections.abc import Iterable
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.errors import InputError
from exchange.metering.devices import Devices
from exchange.metering.files import csv_file
from exchange.metering.files.load import ReadFile, documents_of, history_of, read_file
from exchange.metering.files.problems import FLAGGING, REFUSING, Finding
from exchange.metering.files.rows import FileRows, Park
from exchange.metering.files.series import check_series
from exchange.metering.table import MeterTable
from exchange.protocol.documents import DOCUMENT_LIMIT_BYTES, encode_document
from exchange.protocol.value_chain.metering import RegisterDevice
from exchange.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_SECOND, PERIOD_NS
from tests.architecture.repository import DOCS, code_names, table_rows
from tests.exchange.metering.device_world import LOAD, PV, START_NS, Reader, pairs, run_of

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
HEADER = "device,period_start,import_kwh,export_kwh"
NOW_NS = START_NS + 400 * NS_PER_DAY
AT = datetime.datetime(2026, 7, 15)  # noqa: DTZ001 - local to the park


def park(zone: ZoneInfo = SHANGHAI) -> Park:
    """Load 1, PV 2, storage 3, heat 4, load 5 of the world, and a second `pv2` of another account."""
    devices = Reader().devices
    devices.add(RegisterDevice(account=35, name="pv2", kind="pv", capacity_w=4_000_000, commissioned_ns=0))
    return Park.of(devices, zone)


def check(text: str | bytes, zone: ZoneInfo = SHANGHAI, now_ns: int = NOW_NS, table: MeterTable | None = None, digits: int = 8) -> ReadFile:
    return check_file(io.BytesIO(text.encode() if isinstance(text, str) else text), zone, now_ns, table, digits)


def check_file(file: io.BytesIO, zone: ZoneInfo = SHANGHAI, now_ns: int = NOW_NS, table: MeterTable | None = None, digits: int = 8) -> ReadFile:
    """Row by row, then as series; with a table its readings are the history."""
    read = read_file(file, "f.csv", park(zone), now_ns, digits)
    if not read.findings.refusals:
        check_series(read.rows, park(zone), read.findings, None if table is None else history_of(table, read.rows))
    return read


def rows_of(checked: ReadFile) -> dict[tuple[int, int], tuple[int, int, int]]:
    r = checked.rows
    columns = (r.device, r.at_ns, r.import_wh, r.export_wh, r.flag)
    return {(d, at): (i, e, f) for d, at, i, e, f in zip(*(column.tolist() for column in columns), strict=True)}


def found(checked: ReadFile) -> set[tuple[Finding, int]]:
    return {(finding, line) for finding, line, _ in checked.findings.shown}


def test_a_good_file() -> None:
    rows = ["1,2026-07-15 00:00,1.5,0,,", "load1,2026-07-15 00:15,2,,measured,", "34/storage3,2026-07-14T16:00Z,0.001,7.1200,estimated,"]
    checked = check("\n".join([f"{HEADER},flag,losses_kwh", *rows, "grid,2026/7/14 23:45,12,0,substituted,0.25\r\n\n"]))
    assert checked.findings.counts == {}
    assert rows_of(checked) == {
        (1, START_NS): (1_500, 0, 0), (1, START_NS + PERIOD_NS): (2_000, 0, 0), (3, START_NS): (1, 7_120, 1),
        (0, START_NS - PERIOD_NS): (12_000, 0, 2),
    }  # fmt: skip
    assert checked.rows.losses_wh.tolist() == [250, 0, 0, 0]
    assert checked.n_devices == 2


GOOD_ROW = "1,2026-07-15 00:00,1,0"
# What is wrong with one of three rows, and the line of it.
BAD_ROWS = [
    ("9,2026-07-15 00:15,1,0", Finding.UNKNOWN_METER),
    ("pv2,2026-07-15 00:15,1,0", Finding.UNKNOWN_METER),  # two accounts have one
    ("33/load9,2026-07-15 00:15,1,0", Finding.UNKNOWN_METER),
    ("1,2026-07-15,1,0", Finding.TIME_MALFORMED),
    ("1,2026-13-15 00:15,1,0", Finding.TIME_MALFORMED),
    ("1,1926-07-15 00:15,1,0", Finding.TIME_MALFORMED),
    ("1,2026-07-15 00:16,1,0", Finding.TIME_MALFORMED),
    ("1,2026-07-15 00:15,1,x", Finding.NUMBER_MALFORMED),
    ("1,2026-07-15 00:15,,0", Finding.NUMBER_MALFORMED),
    ("1,2026-07-15 00:15,1.2345,0", Finding.NUMBER_MALFORMED),
    ("1,2026-07-15 00:15,1.2.3,0", Finding.NUMBER_MALFORMED),
    ("1,2026-07-15 00:15,nan,0", Finding.NUMBER_MALFORMED),
    ("1,2026-07-15 00:15,1e3,0", Finding.NUMBER_MALFORMED),
    ("1,2026-07-15 00:15,1_0,0", Finding.NUMBER_MALFORMED),
    ("1,2026-07-15 00:15,-1,0", Finding.NEGATIVE),
    ("1,2026-07-15 00:00,1,0", Finding.TWICE),
    ("1,2026-07-14T16:00Z,1,0", Finding.TWICE),
    ("1,2027-08-19 00:00,1,0", Finding.IN_THE_FUTURE),
    ("1,2026-07-15 00:15,1100.001,0", Finding.OVER_CAPACITY),
    ("1,2026-07-15 00:15,999999999999,0", Finding.OVER_CAPACITY),
    ("1,2026-07-15 00:15,1,0.001", Finding.LOAD_EXPORTS),
    ("1,2026-07-15 00:15,1", Finding.COLUMNS_DIFFER),
    ("1,2026-07-15 00:15,1,0,0", Finding.COLUMNS_DIFFER),
    ('1,2026-07-15 00:15,"1,0', Finding.COLUMNS_DIFFER),
]


@pytest.mark.parametrize(("row", "finding"), BAD_ROWS)
def test_a_bad_line_in_the_middle_is_named_and_refuses_the_file(row: str, finding: Finding) -> None:
    checked = check(f"{HEADER}\n{GOOD_ROW}\n{row}\n1,2026-07-15 00:30,1,0\n")
    assert (finding, 3) in found(checked)
    assert checked.findings.refusals == 1
    assert checked.findings.texts(REFUSING)[0].startswith(f"f.csv, line 3: {finding}: ")


BAD_FILES = [
    ("", Finding.NO_READINGS, 0),
    (HEADER, Finding.NO_READINGS, 0),
    ("device,when,import_kwh,export_kwh\n" + GOOD_ROW, Finding.HEADER_UNKNOWN, 1),
    (HEADER.replace(",", ";") + "\n", Finding.HEADER_UNKNOWN, 1),
    (f"{HEADER},device\n{GOOD_ROW},1", Finding.HEADER_UNKNOWN, 1),
    (b"device,period_start,import_kwh,export_kwh\n1,2026-07-15 00:00,1,0\n\xff\xfe,x,1,0\n", Finding.NOT_TEXT, 3),
    (b"x" * 5_000_000, Finding.NOT_TEXT, 1),
    (f"{HEADER},flag\n{GOOD_ROW},guessed", Finding.FLAG_UNKNOWN, 2),
    (f"{HEADER},flag\n{GOOD_ROW},removed", Finding.FLAG_UNKNOWN, 2),
    ("device,read_at,import_register_kwh,export_register_kwh\n1,2026-07-15 00:00,1,0", Finding.NO_READINGS, 0),
]


@pytest.mark.parametrize(("text", "finding", "line"), BAD_FILES)
def test_a_file_that_is_none_is_named(text: str | bytes, finding: Finding, line: int) -> None:
    assert found(check(text)) == {(finding, line)}


def test_many_problems_are_counted_and_the_first_twenty_are_told() -> None:
    lines = [HEADER, *(f"9,2026-07-15 00:00,{i},0" for i in range(30))]
    checked = check("\n".join(lines))
    assert checked.findings.counts == {Finding.UNKNOWN_METER: 30}
    assert checked.findings.texts(REFUSING)[-1] == "f.csv: unknown_meter: 10 more"
    assert len(checked.findings.texts(REFUSING)) == 21


@given(st.integers(1, 200), st.randoms(use_true_random=False))
def test_how_the_file_is_cut_into_chunks_leaves_no_trace(size: int, random: random_module.Random) -> None:
    names = {1: "load1", 2: "2", 3: '"34/storage3"', 0: "grid"}
    rows = {(random.choice([0, 1, 2, 3]), START_NS + i * PERIOD_NS): random.randint(0, 999_999) for i in range(12)}
    lines = [HEADER.encode()]
    for (device, at_ns), wh in rows.items():
        at = datetime.datetime.fromtimestamp(at_ns // NS_PER_SECOND, random.choice([SHANGHAI, datetime.UTC]))
        lines.append(f"{names[device]},{at.isoformat()},{wh // 1000}.{wh % 1000:03d},0".encode())
        if random.random() < 0.2:
            lines.append(b"")
    before = csv_file.CHUNK_BYTES
    try:
        csv_file.CHUNK_BYTES = size
        checked = check(random.choice([b"\n", b"\r\n"]).join(lines))
    finally:
        csv_file.CHUNK_BYTES = before
    assert checked.findings.refusals == 0
    assert rows_of(checked) == {key: (wh, 0, 0) for key, wh in rows.items()}


def local_day(day: datetime.date, hours: Iterable[int]) -> list[str]:
    return [f"1,{day} {hour:02d}:{minute:02d},{minute + 1},0" for hour in hours for minute in (0, 15, 30, 45)]


SPRING, AUTUMN = datetime.date(2026, 3, 29), datetime.date(2026, 10, 25)


def test_a_day_of_92_quarter_hours() -> None:
    checked = check("\n".join([HEADER, *local_day(SPRING, [0, 1, *range(3, 24)])]), BERLIN)
    assert checked.findings.refusals == 0
    assert [words for _, _, words in checked.findings.shown if "92" in words] == [
        "2026-03-29 has 92 quarter-hours in Europe/Berlin; 1 of 1 meters have them all"
    ]
    assert Finding.GAP not in checked.findings.counts
    assert len(checked.rows.at_ns) == 92


def test_a_time_that_the_clock_skips_is_no_time() -> None:
    checked = check("\n".join([HEADER, *local_day(SPRING, [1, 2, 3])]), BERLIN)
    assert found(checked) == {(Finding.TIME_SKIPPED, line) for line in (6, 7, 8, 9)}


def test_a_day_of_100_quarter_hours_by_the_order_of_its_rows() -> None:
    checked = check("\n".join([HEADER, *local_day(AUTUMN, [0, 1, 2, 2, *range(3, 24)])]), BERLIN)
    assert checked.findings.refusals == 0
    start_ns = int(datetime.datetime(2026, 10, 25, tzinfo=BERLIN).timestamp()) * NS_PER_SECOND
    assert checked.rows.at_ns.tolist() == [start_ns + i * PERIOD_NS for i in range(100)]
    assert any("100 quarter-hours" in words for _, _, words in checked.findings.shown)
    # Each pass of 02:00 keeps its own values.
    lines = [HEADER, "1,2026-10-25 02:00,7,0", "2,2026-10-25 02:00,0,1", "1,2026-10-25 02:00,8,0", "2,2026-10-25 02:00,0,2"]
    first_ns = start_ns + 2 * NS_PER_HOUR
    assert rows_of(check("\n".join(lines), BERLIN)) == {
        (1, first_ns): (7_000, 0, 0), (1, first_ns + NS_PER_HOUR): (8_000, 0, 0), (2, first_ns): (0, 1_000, 0),
        (2, first_ns + NS_PER_HOUR): (0, 2_000, 0),
    }  # fmt: skip


@pytest.mark.parametrize("passes", [1, 3])
def test_one_pass_of_a_repeated_hour_cannot_be_told(passes: int) -> None:
    checked = check("\n".join([HEADER, *(["1,2026-10-25 02:15,7,0"] * passes)]), BERLIN)
    assert {(Finding.TIME_AMBIGUOUS, 2 + i) for i in range(passes)} <= found(checked)
    assert checked.findings.refusals
    assert check(f"{HEADER}\n1,2026-10-25 02:15+01:00,7,0", BERLIN).findings.refusals == 0


REGISTERS = "device,read_at,import_register_kwh,export_register_kwh,flag"


def states(*rows: str, digits: int = 8) -> ReadFile:
    return check("\n".join([REGISTERS, *(f"2,2026-07-15 {row}" for row in rows)]), digits=digits)


def energies(checked: ReadFile) -> list[tuple[int, int, int, int]]:
    """(quarter-hour, import, export, flag) of a file that nothing refuses."""
    assert checked.findings.refusals == 0, checked.findings.shown
    return [((at - START_NS) // PERIOD_NS, i, e, f) for (_, at), (i, e, f) in rows_of(checked).items()]


def test_registers_are_counted_between_their_states() -> None:
    checked = states("00:00,10,5.5,", "00:15,10.25,6,estimated", "00:30,10.25,7,", "01:00,11,8,", "01:15,11,9,")
    assert energies(checked) == [(0, 250, 500, 1), (1, 0, 1_000, 1), (4, 0, 1_000, 0)]
    assert (Finding.GAP, 6) in found(checked)


def test_a_register_begins_again_behind_its_last_digit() -> None:
    assert energies(states("00:00,9999.5,0,", "00:15,0.25,0,", digits=4)) == [(0, 750, 0, 0)]
    assert found(states("00:00,9999.5,0,", "00:15,0.25,0,", digits=5)) == {(Finding.REGISTER_WENT_BACK, 3)}
    assert found(states("00:00,5,0,", "00:15,4.5,0,", digits=4)) == {(Finding.REGISTER_WENT_BACK, 3)}
    assert found(states("00:00,5,0,", "00:15,5000,0,")) == {(Finding.OVER_CAPACITY, 3)}


def test_an_exchanged_meter_goes_on_from_its_first_state() -> None:
    rows = ("00:00,100,0,", "00:07,101.5,0,removed", "00:07,3,0,installed", "00:15,3.25,0,", "00:30,4,0,removed", "00:30,0,0,installed", "00:45,2,0,")
    assert energies(states(*rows)) == [(0, 1_750, 0, 0), (1, 750, 0, 0), (2, 2_000, 0, 0)]
    assert found(states("00:00,1,0,", "00:15,2,0,", "00:15,2,0,")) == {(Finding.TWICE, 4)}


def series(device: int, values: list[float], start: str = "2026-07-01 00:00", column: int = 0) -> str:
    first = datetime.datetime.fromisoformat(start)
    cells = [(f"{v:g}", "0") if column == 0 else ("0", f"{v:g}") for v in values]
    return "\n".join(
        [HEADER, *(f"{device},{first + datetime.timedelta(minutes=15 * i)},{','.join(cell)}" for i, cell in enumerate(cells))]
    )


def test_gaps_and_disorder_are_told_and_taken() -> None:
    rows = ["1,2026-07-15 00:00,1,0", "1,2026-07-15 01:00,2,0", "1,2026-07-15 00:15,3,0"]
    checked = check("\n".join([HEADER, *rows]))
    assert found(checked) == {(Finding.OUT_OF_ORDER, 4), (Finding.GAP, 3)}
    assert checked.findings.refusals == 0
    assert "device 1 (load1): 2 quarter-hours from 2026-07-15 00:30+08:00 are missing" in checked.findings.texts(FLAGGING)[0]


def test_a_spike_stands_out_of_the_devices_own_days() -> None:
    usual = [20 + (i % 96) // 4 + (i * 7) % 5 for i in range(96 * 10)]
    usual[96 * 5 + 40] = 400
    assert found(check(series(1, usual))) == {(Finding.SPIKE, 2 + 96 * 5 + 40)}
    usual[96 * 5 + 40] = 150  # an eighth of the capacity is 125 kWh above the median of 32
    assert found(check(series(1, usual))) == set()
    # Six days are no history; with what the exchange knows of the days before they are.
    short = usual[: 96 * 6]
    short[96 * 2 + 40] = 400
    assert found(check(series(1, short))) == set()
    reader = Reader()
    first_ns = START_NS - 14 * NS_PER_DAY
    reader.must(run_of(1, first_ns - 3 * NS_PER_DAY, [1_000 * (20 + (i % 96) // 4 + (i * 3) % 5) for i in range(96 * 3)]))
    assert found(check(series(1, short), table=reader.table)) == {(Finding.SPIKE, 2 + 96 * 2 + 40)}


def test_a_frozen_register_is_told() -> None:
    values: list[float] = [5 + i % 3 for i in range(200)]
    values[50:62] = [9] * 12
    assert found(check(series(1, values))) == {(Finding.FROZEN, 52)}
    values[61] = 8
    assert found(check(series(1, values))) == set()
    values[100:196] = [0] * 96
    assert found(check(series(1, values))) == {(Finding.FROZEN, 102)}
    assert found(check(series(2, values, column=1))) == set()  # a plant may rest


def sums(grid_import: str) -> ReadFile:
    lines = [HEADER + ",losses_kwh", "1,2026-07-15 00:00,1000,0,", "2,2026-07-15 00:00,0,300,", f"grid,2026-07-15 00:00,{grid_import},0,5"]
    return check("\n".join([*lines, "grid,2026-07-15 00:15,9999,0,0"]))


@pytest.mark.parametrize(("grid_import", "is_told"), [("705", False), ("715", False), ("695", False), ("715.001", True), ("694.999", True)])
def test_devices_are_compared_with_the_grid_meter(grid_import: str, is_told: bool) -> None:
    assert found(sums(grid_import)) == ({(Finding.SUM_CHECK, 4)} if is_told else set())


def test_the_guide_tells_every_finding_and_what_it_does() -> None:
    told: dict[str, bool] = {}
    for names, refuses, _ in table_rows((DOCS / "guides" / "metering.md").read_text("utf-8"), 3):
        if refuses in {"yes", "no"}:
            told |= dict.fromkeys(code_names(names), refuses == "yes")
    assert told == {str(finding): finding in REFUSING for finding in Finding}


def test_every_finding_has_a_test() -> None:
    refused = {finding for _, finding in BAD_ROWS} | {finding for _, finding, _ in BAD_FILES}
    elsewhere = {Finding.TIME_SKIPPED, Finding.TIME_AMBIGUOUS, Finding.REGISTER_WENT_BACK}
    assert refused | elsewhere == REFUSING


cells = st.tuples(st.integers(1, 3), st.integers(0, 40))


@given(st.dictionaries(cells, st.tuples(st.integers(0, 50), st.integers(0, 2)), min_size=1), st.integers(1, 30))
def test_documents_carry_the_file_and_stay_below_their_limit(rows: dict, rows_max: int) -> None:
    names = ("measured", "estimated", "substituted")
    lines = [f"{device},{AT + datetime.timedelta(minutes=15 * i)},{kwh},0,{names[flag]}" for (device, i), (kwh, flag) in rows.items()]
    checked = check("\n".join([f"{HEADER},flag", *lines]))
    reader = Reader()
    seen: dict = {}
    for document in documents_of(checked.rows, 3, "preliminary", "f.csv", rows_max):
        taken = reader.must(document)
        seen |= pairs(taken.rows)
        assert len(document.import_wh) <= rows_max
    assert seen == {(device, START_NS + i * PERIOD_NS): (kwh * 1_000, 0, flag) for (device, i), (kwh, flag) in rows.items()}


def test_the_largest_document_fits() -> None:
    n = 100_000
    lone = START_NS + np.arange(n) * 2 * PERIOD_NS  # each row a run of its own
    most = np.full(n, 10**9)
    rows = FileRows(np.full(n, 70_000), lone, most, most, np.zeros(n, np.int64), np.full(n, 2, np.int8), np.arange(n))
    (document,) = documents_of(rows, 1, "preliminary", "f.csv")
    assert len(encode_document(document)) < DOCUMENT_LIMIT_BYTES


def parquet(**columns: object) -> io.BytesIO:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    file.seek(0)
    return file


TIMES = {
    "local": pa.array([AT], pa.timestamp("us")),
    "instant": pa.array([START_NS], pa.timestamp("ns", "UTC")),
    "nanoseconds": pa.array([START_NS]),
    "text": pa.array(["2026-07-15 00:00"]),
}
ENERGIES = {
    "wh": {"import_wh": [0], "export_wh": [1_250]},
    "float": {"import_kwh": [0.0], "export_kwh": [1.25]},
    "decimal": {"import_kwh": pa.array(["0", "1.25"]).cast(pa.decimal128(9, 2))[:1], "export_kwh": pa.array(["1.25"]).cast(pa.decimal128(9, 2))},
    "text": {"import_kwh": ["0"], "export_kwh": ["1.25"]},
}


@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize("unit", ENERGIES)
def test_parquet_gives_the_same_rows(times: str, unit: str) -> None:
    file = parquet(device=["2"], period_start=TIMES[times], **ENERGIES[unit], flag=["estimated"])
    checked = check_file(file)
    assert checked.findings.counts == {}
    assert rows_of(checked) == {(PV, START_NS): (0, 1_250, 1)}


BAD_PARQUET = [
    ({"device": ["1", "9"], "period_start": [START_NS, START_NS], "import_wh": [1, 1], "export_wh": [0, 0]}, (Finding.UNKNOWN_METER, 2)),
    ({"device": ["1", "1"], "period_start": [START_NS, START_NS + PERIOD_NS], "import_wh": [1, -1], "export_wh": [0, 0]}, (Finding.NEGATIVE, 2)),
    ({"device": ["1"], "period_start": [START_NS], "import_kwh": [float("nan")], "export_kwh": [0.0]}, (Finding.NUMBER_MALFORMED, 1)),
    ({"device": ["1"], "period_start": [START_NS], "import_kwh": [1.2345], "export_kwh": [0.0]}, (Finding.NUMBER_MALFORMED, 1)),
    ({"device": ["1"], "period_start": ["never"], "import_wh": [1], "export_wh": [0]}, (Finding.TIME_MALFORMED, 1)),
    ({"device": ["1"], "when": [START_NS], "import_wh": [1], "export_wh": [0]}, (Finding.HEADER_UNKNOWN, 0)),
    ({"device": pa.array([], pa.string()), "period_start": pa.array([], pa.int64()), "import_wh": pa.array([], pa.int64()),
      "export_wh": pa.array([], pa.int64())}, (Finding.NO_READINGS, 0)),
]  # fmt: skip


@pytest.mark.parametrize(("columns", "finding"), BAD_PARQUET, ids=[str(finding) for _, (finding, _) in BAD_PARQUET])
def test_a_bad_row_of_parquet_is_named(columns: dict, finding: tuple[Finding, int]) -> None:
    assert finding in found(check_file(parquet(**columns)))


def test_a_file_that_is_no_parquet_is_told() -> None:
    with pytest.raises(InputError, match="no Parquet file"):
        check(b"PAR1 and nothing else")


def test_names_of_devices() -> None:
    devices = Devices()
    for account, name in ((33, "a"), (34, "a"), (34, "b")):
        devices.add(RegisterDevice(account=account, name=name, kind="load", capacity_w=1, commissioned_ns=0))
    assert dict(Park.of(devices, SHANGHAI).ids) == {"grid": 0, "1": 1, "2": 2, "3": 3, "33/a": 1, "34/a": 2, "34/b": 3, "b": 3}
    assert LOAD == 1
