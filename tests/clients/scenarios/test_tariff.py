"""Tariffs: Henan hour by hour against the text of the rule, and files that are refused with the line."""

import dataclasses
import datetime
from pathlib import Path

import pytest

from clients.scenarios.periods import day_periods, time_zone
from clients.scenarios.tariff import Tariff, describe_tariff, to_ticks
from clients.scenarios.tariff_files import read_tariff
from exchange.errors import InputError

ZONE = time_zone("Asia/Shanghai")
DATA = Path(__file__).parents[3] / "clients" / "scenarios" / "data"
HENAN = DATA / "henan-283-2024.toml"
PRICES = {"valley": 320_000, "flat": 650_000, "peak": 1_082_000, "sharp": 1_288_400}


@pytest.fixture(scope="module")
def henan() -> Tariff:
    return read_tariff(HENAN, ZONE)


def band_by_the_rule(month: int, hour: int) -> str:
    """docs/rules.md, "Tariffs", written a second time as conditions."""
    if (month in {1, 12} and 17 <= hour < 19) or (month in {7, 8} and 20 <= hour < 23):
        return "sharp"
    if hour >= 16:
        return "peak"
    if month in {1, 2, 12, 6, 7, 8}:
        return "valley" if hour < 7 else "flat"
    return "valley" if hour < 6 or 11 <= hour < 14 else "flat"


@pytest.mark.parametrize("month", range(1, 13))
def test_every_quarter_hour_of_every_month(henan: Tariff, month: int) -> None:
    for position, start in enumerate(day_periods(datetime.date(2026, month, 9), ZONE).tolist()):
        band = band_by_the_rule(month, position // 4)
        assert henan.retail_price_micro_per_kwh(start) == PRICES[band], (month, position)
        assert henan.band(start) == band[0].upper()
        assert henan.feed_in_price_micro_per_kwh(start) == 280_000


def test_the_prices_of_the_rule_to_three_decimals(henan: Tariff) -> None:
    # valley 0.320, flat 0.650, peak 1.082, sharp 1.288; the sharp one is 1.2884 exactly, 0.60 x 1.72 x 1.2 + 0.05.
    assert [f"{price / 1e6:.3f}" for price in PRICES.values()] == ["0.320", "0.650", "1.082", "1.288"]
    assert [to_ticks(price) for price in PRICES.values()] == [3200, 6500, 10820, 12884]


def test_summary_of_a_day(henan: Tariff) -> None:
    assert describe_tariff(henan, day_periods(datetime.date(2026, 7, 15), ZONE)) == [
        ("00:00", 320_000, 280_000), ("07:00", 650_000, 280_000), ("16:00", 1_082_000, 280_000),
        ("20:00", 1_288_400, 280_000), ("23:00", 1_082_000, 280_000),
    ]  # fmt: skip


def test_before_the_first_version(henan: Tariff) -> None:
    with pytest.raises(InputError, match="starts on 2024-06-01"):
        henan.retail_price_micro_per_kwh(int(day_periods(datetime.date(2024, 5, 31), ZONE)[95]))
    assert henan.retail_price_micro_per_kwh(int(day_periods(datetime.date(2024, 6, 1), ZONE)[0])) == 320_000


def write(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def test_a_later_version_takes_over_on_its_day(tmp_path: Path) -> None:
    text = HENAN.read_text("utf-8")
    later = text[text.index("[[version]]") :].replace("2024-06-01", "2026-07-15").replace('"0.60"', '"0.70"')
    tariff = read_tariff(write(tmp_path, "two.toml", text + "\n" + later), ZONE)
    eve, day = (day_periods(datetime.date(2026, 7, number), ZONE) for number in (14, 15))
    assert tariff.retail_price_micro_per_kwh(int(eve[95])) == 1_082_000
    assert tariff.retail_price_micro_per_kwh(int(day[0])) == 365_000
    with pytest.raises(InputError, match="order of effective_from"):
        read_tariff(write(tmp_path, "turned.toml", text[: text.index("[[version]]")] + later + "\n" + text[text.index("[[version]]") :]), ZONE)


JULY = '7 = "VVVVVVVFFFFFFFFFPPPPSSSP"'


@pytest.mark.parametrize(
    ("old", "new", "at", "reason"),
    [
        ('"0.60"', '"0,60"', "floating", "not a plain decimal"),
        ('"0.60"', '"0.6000001"', "floating", "7 decimals"),
        ('"0.60"', '"-0.60"', "floating", "negative"),
        ('"0.60"', "[1]", "floating", "Expected"),
        ('"0.60"', "nan", "floating", "not a plain decimal"),
        ('"0.60"', "6e-1", "floating", "not a plain decimal"),
        ('"0.60"', '"1000"', "feed_in", "above 100 CNY/kWh"),
        ("floating_cny", "flaoting_cny", "flaoting_cny", "version.0: unknown key flaoting_cny_per_kwh"),
        ('V = "0.45"', 'V = "0.38"', "feed_in", "month 1, 00:00: the feed-in (surplus) price 0.2800 is above the retail (deficit) price 0.2780"),
        ('V = "0.45"', 'W = "0.45"', "1 = ", "letter 'V' has no ratio"),
        ('V = "0.45"', 'vv = "0.45"', "vv", "capital letter"),
        (JULY, JULY.replace('P"', '"'), "7 = ", "23 letters; expected 24"),
        (JULY, "1" + JULY, "17 = ", "number of a month"),
        (JULY, "", "[version.hours]", "month 7 is missing"),
        ("2024-06-01", '"1 June"', "effective_from", "effective_from"),
    ],
)
def test_bad_toml_is_refused_with_its_line(tmp_path: Path, old: str, new: str, at: str, reason: str) -> None:
    text = HENAN.read_text("utf-8")
    assert text.count(old) == 1
    text = text.replace(old, new)
    line = next(number for number, content in enumerate(text.splitlines(), start=1) if content.startswith(at))
    with pytest.raises(InputError) as caught:
        read_tariff(write(tmp_path, "mine.toml", text), ZONE)
    assert reason in str(caught.value)
    assert f"line {line}:" in str(caught.value)


def test_ninety_six_letters(tmp_path: Path) -> None:
    text = HENAN.read_text("utf-8").replace('7 = "VVVVVVVFFFFFFFFFPPPPSSSP"', f'7 = "{"V" * 29 + "F" * 67}"')
    tariff = read_tariff(write(tmp_path, "fine.toml", text), ZONE)
    starts = day_periods(datetime.date(2026, 7, 15), ZONE).tolist()
    assert [tariff.retail_price_micro_per_kwh(starts[position]) for position in (28, 29)] == [320_000, 650_000]


def test_syntax_error_names_the_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="line 2"):
        read_tariff(write(tmp_path, "broken.toml", 'id = "x"\nname = \n'), ZONE)


HEADER = "months,from,to,price_cny_per_kwh,feed_in_cny_per_kwh\n"


def test_csv_template_reads(tmp_path: Path) -> None:
    tariff = read_tariff(DATA / "tariff-template.csv", ZONE)
    starts = day_periods(datetime.date(2031, 2, 3), ZONE).tolist()
    assert [tariff.retail_price_micro_per_kwh(starts[position]) for position in (0, 27, 28, 64, 95)] == [
        320_000,
        320_000,
        650_000,
        1_082_000,
        1_082_000,
    ]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("1-12,00:00,24:00,0.5,0.3\n", None),
        ("\n1-12,00:00,24:00,0.5,0.3\r\n\r\n", None),
        ("1-6,00:00,24:00,0.5,0.3\n7-12,00:00,24:00,0.6,0.3\n", None),
        ("1-12,00:00,24:00,0.5\n", "line 2: 4 columns; expected 5"),
        ("1-13,00:00,24:00,0.5,0.3\n", "line 2: months: '1-13'"),
        ("0,00:00,24:00,0.5,0.3\n", "line 2: months: '0'"),
        ("July,00:00,24:00,0.5,0.3\n", "line 2: months: 'July'"),
        ("1-12,00:05,24:00,0.5,0.3\n", "line 2: from, to: '00:05', '24:00'"),
        ("1-12,08:00,08:00,0.5,0.3\n", "line 2: from, to"),
        ("1-12,22:00,06:00,0.5,0.3\n", "line 2: from, to"),
        ("1-12,00:00,24:15,0.5,0.3\n", "line 2: from, to"),
        ("1-12,00:00,24:00,abc,0.3\n", "line 2: price_cny_per_kwh: 'abc'"),
        ("1-12,00:00,24:00,0.5,-0.3\n", "line 2: feed_in_cny_per_kwh: '-0.3' is negative"),
        ("1-12,00:00,24:00,0.5,0.1234567\n", "7 decimals"),
        ("1-12,00:00,24:00,0.5,0.3\n6,12:00,13:00,0.4,0.3\n", "line 3: a quarter-hour of this row already has a price"),
        ("1-12,00:00,12:00,0.5,0.3\n", "month 1 has no price from 12:00 (48 quarter-hours missing)"),
        ("1-12,00:00,24:00,0.29,0.3\n", "the feed-in (surplus) price 0.3000 is above the retail (deficit) price 0.2900"),
        ("1-12,00:00,24:00,101,0.3\n", "above 100 CNY/kWh"),
        ("", "month 1 has no price"),
    ],
)
def test_csv_rows(tmp_path: Path, body: str, reason: str | None) -> None:
    path = write(tmp_path, "t.csv", HEADER + body)
    if reason is None:
        read_tariff(path, ZONE)
        return
    with pytest.raises(InputError) as caught:
        read_tariff(path, ZONE)
    assert reason in str(caught.value)


def test_every_bad_row_is_named_twenty_in_words_the_others_by_their_lines(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_tariff(write(tmp_path, "t.csv", HEADER + "13,00:00,24:00,0.5,0.3\n" * 25), ZONE)
    text = str(caught.value)
    assert text.startswith("t.csv: 25 problems, nothing was imported")
    assert text.count("line ") == 20
    assert text.endswith("... and 5 more in lines 22 to 26")


@pytest.mark.parametrize(("name", "reason"), [("t.csv", "expected the header"), ("t.xlsx", r"\.toml or \.csv"), ("missing.toml", "cannot read")])
def test_not_a_tariff(tmp_path: Path, name: str, reason: str) -> None:
    if not name.startswith("missing"):
        write(tmp_path, name, "a,b\n1,2\n")
    with pytest.raises(InputError, match=reason):
        read_tariff(tmp_path / name, ZONE)


@pytest.mark.parametrize("encoding", ["utf-16", "gbk"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(InputError, match="UTF-8"):
        read_tariff(write(tmp_path, "t.csv", HEADER + "# 电价\n", encoding), ZONE)


def test_excel_mark(tmp_path: Path) -> None:
    read_tariff(write(tmp_path, "t.csv", HEADER + "1-12,00:00,24:00,0.5,0.3\n", "utf-8-sig"), ZONE)


def test_the_digest_tells_tariffs_apart(henan: Tariff) -> None:
    version = henan.versions[0]
    dearer = version.retail_micro_per_kwh.copy()
    dearer[6, 40] += 1
    others = [
        dataclasses.replace(version, effective_from=datetime.date(2024, 6, 2)),
        dataclasses.replace(version, retail_micro_per_kwh=dearer),
        dataclasses.replace(version, feed_in_micro_per_kwh=version.feed_in_micro_per_kwh - 1),
        dataclasses.replace(version, bands=version.bands[::-1]),
    ]
    tariffs = [henan, *(dataclasses.replace(henan, versions=(other,)) for other in others)]
    assert len({tariff.sha256() for tariff in tariffs}) == len(set(tariffs)) == 5
    same = dataclasses.replace(henan, versions=(dataclasses.replace(version, retail_micro_per_kwh=version.retail_micro_per_kwh.copy()),))
    assert (same, same.sha256(), hash(same)) == (henan, henan.sha256(), hash(henan))
    assert henan != "henan"
