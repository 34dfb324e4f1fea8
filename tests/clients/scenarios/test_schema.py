"""Scenario files with an error: file, line, what was expected. A misspelt key is never ignored."""

from pathlib import Path

import pytest

from clients.scenarios import load_park
from clients.scenarios.toml_lines import parse_toml
from exchange.errors import InputError

PARK = Path(__file__).parents[3].joinpath("clients", "scenarios", "data", "park.toml").read_text("utf-8")


def refusal(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError) as caught:
        load_park(path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('time_zone = "Asia/Shanghai"', 'time_zone = "Zhengzhou"', "unknown time zone"),
        ('tariff = "henan-283-2024.toml"', 'tariff = "hebei.toml"', "no file 'hebei.toml'"),
        ('tariff = "henan-283-2024.toml"', 'tariff = "../park.toml"', "no file"),
        ('opens = "16:00" ', 'opens = "4 pm" ', "not a local time"),
        ("opening_auction_minutes = 15", "opening_auction_minutes = 121", "expected 0 to 120"),
        ("gate_closure_minutes = 5", "gate_closure_minutes = 90", "expected 0 to 60"),
        ("gate_closure_minutes = 5", "gate_closure_mins = 5", "unknown key gate_closure_mins"),
        ('max_price_cny_per_kwh = "2.0000"', 'max_price_cny_per_kwh = "2.00001"', "5 decimals"),
        ('park_fee_cny_per_kwh = "0.04" ', 'park_fee_cny_per_kwh = "four" ', "not a plain decimal"),
        ('kind = "average" ', 'kind = "average"\nkg_per_kwh = true', "Expected `int | str | null`, got `bool`"),
        ("year = 2023", "year = 2019", "no such factor is shipped"),
        ('instrument_class = "cea"', 'instrument_class = "eua"', "expected one of ccer, cea, gec, pcc"),
        ('venue = "internal"', 'venue = "park"', "expected one of national_simulated, internal"),
        ('previous_close_cny = "62.00"', 'previous_close_cny = "62.001"', "3 decimals"),
        ('id = "E05"\n', 'id = "E04"\n', "member E04 is there twice"),
        (
            'name = "Machine tools"\nname_zh = "数控机床"\nrole = "enterprise"',
            'name = "M"\nname_zh = "数"\nrole = "factory"',
            "role 'factory'; expected one of",
        ),
        ('name = "Wind, 4 MW"', "name = 4", "Expected `str`, got `int`"),
        ("peak_kw = 3000", 'peak_kw = "3000"', "Expected `int`, got `str`"),
        ("peak_kw = 3000", "peak_kw = 0", "0 is outside 1 to 10000000"),
        ('seller = "PV02"\nshare_permille = 120', 'seller = "PV02"\nshare_permille = 720', "member E13: contracts need"),
        ('series = "wind"', 'series = "sea"', "unknown generation series 'sea'; expected one of pv_east_west, pv_south, wind"),
        ('noise = "wind"', 'noise = "storm"', "noise 'storm'; expected one of"),
        ("shapes_permille = { one_shift = 300, two_shift = 700 }", "shapes_permille = { one_shift = 300 }", "sum to 1000"),
        ("shapes_permille = { one_shift = 300, two_shift = 700 }", "shapes_permille = { no_shift = 1000 }", "unknown load shape"),
        ("shapes_permille = { one_shift = 300, two_shift = 700 }", "shapes_permille = { one_shift = 1300, two_shift = -300 }", "sum to 1000"),
        ("annual_mwh = 1500", "annual_mwh = -1", "-1 is outside"),
        ('voltage_kv = "110"', 'voltage_kv = "220"', "expected one of 110, 35, 10, 0.4"),
        ("soc_initial_kwh = 4000", "soc_initial_kwh = 400", "soc_min <= soc_initial"),
        ('discharge_efficiency = "0.938083"', 'discharge_efficiency = "1.1"', "1.1 is outside 0.000001 to 1"),
        ("willingness_permille = 920\nprogramme", "willingness_permille = 1920\nprogramme", "1920 is outside 0 to 1000"),
        ('permissions = ["power_buy", "power_sell"]', 'permissions = ["power_buy", "gec_sell"]', "more than the role storage may have"),
        ('permissions = ["power_buy", "power_sell"]', 'permissions = ["fly"]', "names such as power_buy"),
        ('holdings = { "GEC-{month-3}-WIND" = 120 }', 'holdings = { "GEC-WIND" = 120 }', "not a listed instrument"),
        ("quantity = -46", "quantity = -47", "sells more GEC-202605-PV than it holds"),
        ('quantity = -46, start_cny = "6.20"', 'quantity = -46, start_cny = "4.20"', "a negative one to sell and a limit below"),
        ('strategy = [{ name = "storage", cycle', "strategy = [{ cycle", "a strategy needs a name"),
        ('buyer = "E04"', 'buyer = "E40"', "buyer 'E40' is not another member"),
        ('seller = "W01"\nshare_permille = 150', 'seller = "S01"\nshare_permille = 150', "seller 'S01' is not a member with generation"),
        ('seller = "W01"\nshare_permille = 150', 'seller = "W01"\nshare_permille = 1500', "expected 1 to 1000"),
    ],
)
def test_bad_values_are_refused_with_their_line(tmp_path: Path, old: str, new: str, reason: str) -> None:
    assert old in PARK
    at = PARK.index(old)
    text = PARK[:at] + new + PARK[at + len(old) :]
    answer = refusal(tmp_path, text)
    assert reason in answer
    if "time zone" in reason or "contracts need" in reason:
        return  # a name of the file is all that is needed, or the line is the member's
    first = PARK[:at].count("\n") + 1
    table = max(PARK[:at].count("\n", 0, PARK.rfind("\n[", 0, at)) + 2, 1)
    # The line itself, or a table around it when the problem is one of several values together.
    assert any(f"line {line}: " in answer for line in range(table, first + new.count("\n") + 4)), answer


def test_all_bad_members_are_named(tmp_path: Path) -> None:
    answer = refusal(tmp_path, PARK.replace("connection_kw = 350\n", 'connection_kw = "350"\n'))
    assert answer.count("Expected `int`, got `str`") == 3


def test_syntax_error(tmp_path: Path) -> None:
    assert "line 7" in refusal(tmp_path, PARK.replace('time_zone = "Asia', 'time_zone = "Asia\n', 1))


def test_laid_over_another_scenario(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('base = "park"\nname = "Mine"\n[[member]]\nid = "E01"\nconnection_kw = 1200\n', "utf-8")
    park = load_park(path)
    assert (park.name, park.name_en, park.member("E01").connection_kw, len(park.members)) == ("mine", "Mine", 1200, 28)


def test_an_error_in_the_upper_layer_names_the_upper_file(tmp_path: Path) -> None:
    answer = refusal(tmp_path, 'base = "park"\n[[member]]\nid = "E03"\n\nconnection_kw = "x"\n')
    assert "mine.toml: line 5: member[2]: connection_kw: Expected `int`" in answer


def test_the_example_of_the_guide_loads(tmp_path: Path) -> None:
    guide = Path(__file__).parents[3].joinpath("docs", "guides", "your-own-park.md").read_text("utf-8")
    example = guide[guide.index('    base = "park"') : guide.index("Members and instruments are laid over")]
    path = tmp_path / "mine.toml"
    path.write_text("\n".join(line.removeprefix("    ") for line in example.splitlines()), "utf-8")
    park = load_park(path)
    assert park.member("E01").annual_mwh == 5200
    assert park.member("E21").name_zh == "玻璃"


def test_a_base_in_the_same_folder_and_its_tariff(tmp_path: Path) -> None:
    (tmp_path / "lower.toml").write_text('base = "park"\ntariff = "flat.csv"\n', "utf-8")
    (tmp_path / "flat.csv").write_text("months,from,to,price_cny_per_kwh,feed_in_cny_per_kwh\n1-12,00:00,24:00,0.5,0.3\n", "utf-8")
    (tmp_path / "upper.toml").write_text('base = "lower.toml"\n', "utf-8")
    assert set(load_park(tmp_path / "upper.toml").deficit_price_ticks.tolist()) == {5000}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('base = "none.toml"\n', "cannot read"),
        ("base = 3\n", "base: expected"),
        ('base = "mine.toml"\n', "four deep"),
        ('base = "park"\nmember = 3\n', "member"),
    ],
)
def test_bad_bases(tmp_path: Path, text: str, reason: str) -> None:
    assert reason in refusal(tmp_path, text)


@pytest.mark.parametrize("name", ["parkk", "missing.toml", "park.json"])
def test_no_such_scenario(name: str) -> None:
    with pytest.raises(InputError):
        load_park(name)


def test_lines_of_keys() -> None:
    file = parse_toml('a = 1\n[t]\nb = 2 # c = 3\n[[m]]\nid = "x"\n[[m]]\nid = "y"\n[m.deep]\nc = 3\n[[m.list]]\nd = 4\n', "f")
    expected = {
        ("a",): 1, ("t", "b"): 3, ("m", 0, "id"): 5, ("m", 1, "id"): 7, ("m", 1, "deep", "c"): 9, ("m", 1, "list", 0, "d"): 11, ("m", 1, "none"): 6,
        ("t", "none", 3): 2, ("none",): None,
    }  # fmt: skip
    assert {path: file.line_of(path) for path in expected} == expected
