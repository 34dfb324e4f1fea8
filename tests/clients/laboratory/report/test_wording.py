"""Words of reports: both languages, the same values in both, a name for every measure."""

import re
from pathlib import Path

import pytest

import clients.laboratory.report as room
from clients.laboratory.measures.measures import measure
from clients.laboratory.report.markup import Text
from clients.laboratory.report.measure_names import NAMES, format_value, meaning, measure_name, unit
from clients.laboratory.report.wording import RULES, WORDS, rule_and_value, rule_name, say
from clients.laboratory.scenario.write import scenario_text
from tests.clients.laboratory.report.park_day import park_record, park_scenario

HAN = re.compile(r"[\u4e00-\u9fff]")
SOURCES = "\n".join(path.read_text("utf-8") for path in sorted(Path(room.__path__[0]).rglob("*.py")))


@pytest.mark.parametrize("key", WORDS)
def test_a_text_has_both_languages_with_the_same_values(key: str) -> None:
    english, chinese = WORDS[key]
    assert english
    assert chinese
    assert not HAN.search(english) or key == "language"
    assert set(re.findall(r"{(\w+)}", english)) == set(re.findall(r"{(\w+)}", chinese))


@pytest.mark.parametrize("key", WORDS)
def test_a_text_is_used(key: str) -> None:
    assert re.search(rf"""["']{key}["'](?!: \()""", SOURCES)


def test_every_measure_has_a_name_and_a_meaning() -> None:
    assert set(measure(park_record())) == set(NAMES)
    for key in NAMES:
        assert not HAN.search(measure_name(key).en + meaning(key).en + unit(key).en)
        assert all(HAN.search(text) for text in (measure_name(key).zh, meaning(key).zh))


def test_names_of_measures_are_told_apart() -> None:
    for language in (0, 1):
        assert len({measure_name(key)[language] for key in NAMES}) == len(NAMES)


def test_rules_are_keys_of_a_scenario() -> None:
    text = scenario_text(park_scenario())
    for key in RULES:
        table, _, name = key.partition(".")
        assert re.search(rf"^\[{table}\]\n(?:(?!\[).*\n)*?{name} = ", text, re.MULTILINE), key


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("market.gate_closure_minutes", "15", Text("gate closure 15 min", "关闸提前 15 分钟")),
        ("market.mechanism", "cda", Text("mechanism cda", "机制 cda")),
        ("market.mechanism", "", Text("mechanism not set", "机制 未设")),
        ("noise.pv.plan", "0.1", Text("noise.pv.plan 0.1", "noise.pv.plan 0.1")),
    ],
)
def test_labels_of_rules(key: str, value: str, shown: Text) -> None:
    assert rule_and_value(key, value) == shown


def test_a_name_of_a_rule_has_its_unit() -> None:
    assert rule_name("market.gate_closure_minutes") == Text("gate closure, min", "关闸提前，分钟")


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("bill_market_cny", 1234567.4, "1,234,567"),
        ("bill_market_cny", 12.345, "12.35"),
        ("bill_market_cny", -0.001, "0.00"),
        ("price_mean_cny_per_kwh", 0.43216, "0.4322"),
        ("matched_hourly_percent", 55.555, "55.55"),
        ("trades", 1234, "1,234"),
        ("trades", 15.66, "15.7"),
        ("gini", 0.123456, "0.1235"),
        ("peak_import_kw", 4757.6, "4,758"),
    ],
)
def test_values_are_written_by_their_unit(key: str, value: float, text: str) -> None:
    assert format_value(key, value) == text


def test_a_value_in_both_languages_goes_into_each() -> None:
    assert say("bills_caption", run=Text("night", "夜间")) == Text("Bills of “night”, CNY, paid positive", "“夜间”的账单，元，支出为正")
