"""Both languages have everything, and every reject code has its words."""

import re

import pytest
from rich.console import Console

from clients.cli.shell.parse import ALIASES, COMMANDS
from clients.cli.shell.reject_words import CHINESE, ENGLISH_ADVICE
from clients.cli.shell.show import View, cny, kwh
from clients.cli.shell.words import HELP, TEXTS
from clients.sdk import OrderRejected
from exchange.protocol.reject_codes import MESSAGES, RejectCode

HAN = re.compile(r"[\u4e00-\u9fff]")


def test_every_command_has_its_help() -> None:
    assert set(HELP) == set(COMMANDS)
    assert set(ALIASES.values()) <= set(COMMANDS)
    assert all(HAN.search(chinese) and not HAN.search(english) for _, english, chinese in HELP.values())


@pytest.mark.parametrize("key", TEXTS)
def test_both_languages_say_the_same_values(key: str) -> None:
    english, chinese = TEXTS[key]
    assert sorted(re.findall(r"\{(\w+)\}", english)) == sorted(re.findall(r"\{(\w+)\}", chinese))
    assert not HAN.search(english)


@pytest.mark.parametrize("code", [code for code in RejectCode if code])
def test_every_reject_code_has_its_words(code: RejectCode) -> None:
    assert HAN.search(CHINESE[code]), code
    error = OrderRejected(code, MESSAGES[code], {"sequence": 5, "rule": "some_rule", "leg": 0, "retry_after_ms": 250})
    english, chinese = (View(Console(), language).refusal(error) for language in ("en", "zh"))  # type: ignore[arg-type]
    assert f"refused: {int(code)} {MESSAGES[code]}" in english
    assert f"被拒绝：{int(code)} {CHINESE[code]}" in chinese
    for text in (english, chinese):
        assert "some_rule" in text
        assert "0.25" in text
        assert "1" in text
    assert set(ENGLISH_ADVICE) <= set(CHINESE)


def test_a_code_of_a_newer_exchange_is_shown_as_it_came() -> None:
    assert View(Console(), "zh").refusal(OrderRejected(4999, "something new")) == "被拒绝：4999 something new"


@pytest.mark.parametrize(("micro", "text"), [(0, "0.00"), (5_125_000, "5.125"), (-1_234_567_890_000, "-1,234,567.89"), (1, "0.000001")])
def test_money_is_exact(micro: int, text: str) -> None:
    assert cny(micro) == text


def test_energy_is_exact() -> None:
    assert [kwh(wh) for wh in (0, -1, 1_234_567)] == ["0.000", "-0.001", "1,234.567"]
