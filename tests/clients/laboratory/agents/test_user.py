"""A user's class is called with what the interface says, and every fault of it is named with file, line and reason."""

from pathlib import Path

import pytest

from clients.laboratory.agents.interface import NO_QUOTE
from clients.laboratory.agents.user import UserStrategy
from exchange.errors import InputError
from matching.records import Side
from tests.clients.laboratory.agents.states import shouts_of, view_of

GOOD = """
from dataclasses import dataclass

@dataclass
class Heard:
    price: int

class Patient:
    def __init__(self, parameters, participant):
        self.markup = parameters["markup_ticks"]
        self.heard = []
        self.begun = []

    def begin(self, period, side, limit_ticks):
        self.begun.append((period, side, limit_ticks))

    def quote(self, view, side, limit_ticks, rng_bits):
        if view.ask_ticks is None:
            return None
        sign = 1 if side == "sell" else -1
        return limit_ticks + sign * self.markup + rng_bits % 2

    def hear(self, shout, side, limit_ticks):
        self.heard.append((Heard(shout.price_ticks), shout.side, shout.traded, side, limit_ticks))
"""


def strategy(tmp_path: Path, source: str, name: str = "Mine", parameters: dict[str, int] | None = None) -> UserStrategy:
    (tmp_path / "mine.py").write_text(source, "utf-8")
    return UserStrategy(f"mine.py:{name}", parameters or {}, "E01", tmp_path)


def quote(found: UserStrategy, bits: int = 2**63, **fields: int) -> int:
    return found.quote(view_of(**fields)[0], 7, int(Side.BUY), 900, bits)


def test_a_strategy_sees_hears_and_quotes(tmp_path: Path) -> None:
    found = strategy(tmp_path, GOOD, "Patient", {"markup_ticks": 40})
    found.begin(7, int(Side.BUY), 900)
    assert quote(found) == NO_QUOTE
    assert quote(found, ask_ticks=800) == 860
    assert found.quote(view_of(ask_ticks=800)[0], 7, int(Side.SELL), 900, 1) == 941
    found.hear(shouts_of((500, 1, 1))[0], 7, int(Side.BUY), NO_QUOTE)
    inner = found._object
    assert [(heard.price, *rest) for heard, *rest in inner.heard] == [(500, "sell", True, "buy", None)]
    assert inner.begun == [(7, "buy", 900)]


def test_a_numpy_integer_is_a_price_and_a_class_may_be_bare(tmp_path: Path) -> None:
    found = strategy(tmp_path, "import numpy\nclass Mine:\n    def quote(self, *rest):\n        return numpy.int64(300)\n")
    assert quote(found) == 300
    found.begin(0, 0, 1)
    found.hear(shouts_of((500, 1, 1))[0], 7, 0, 5)


def test_the_module_may_be_edited_between_two_loads(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    body = "class Mine:\n    def quote(self, *rest):\n        return {}\n"
    assert [quote(strategy(folder, body.format(price))) for folder, price in ((one, 300), (two, 400), (one, 500))] == [300, 400, 500]


QUOTE = "class Mine:\n    def quote(self, view, side, limit_ticks, rng_bits):\n        return "


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (QUOTE + "4.5", r"mine.py:2: Mine.quote returned 4.5: a price is a whole number of ticks, or None \(period 7\) \(participant E01\)"),
        (QUOTE + "True", "mine.py:2: Mine.quote returned True: a price is a whole number"),
        (QUOTE + "'x' * 100", r"mine.py:2: Mine.quote returned 'x{56}\.\.\.: a price"),
        (QUOTE + "99", "mine.py:2: Mine.quote returned 99: the band is 100 to 2000 ticks"),
        (QUOTE + "2001", "mine.py:2: Mine.quote returned 2001: the band"),
        (QUOTE + "105", "mine.py:2: Mine.quote returned 105: prices are multiples of 10 ticks"),
        (QUOTE + "1 // 0", "mine.py:3: Mine.quote raised ZeroDivisionError: .* by zero"),
        (QUOTE + "view.nothing", "mine.py:3: Mine.quote raised AttributeError: .*'nothing'"),
        (QUOTE + "exit(3)", "mine.py:3: Mine.quote raised SystemExit: 3"),
        ("class Mine:\n    def quote(self):\n        return 1\n", r"mine.py:2: Mine.quote raised TypeError: .*positional argument"),
    ],
)
def test_a_faulty_quote_is_named(tmp_path: Path, source: str, message: str) -> None:
    found = strategy(tmp_path, source)
    with pytest.raises(InputError, match=message):
        quote(found, tick_step=10)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("class Mine:\n    def quote(self:\n", r"mine.py:2: .*"),
        ("x = 1\ny = x.z\n", "mine.py:2: AttributeError"),
        ("class Yours:\n    pass\n", "mine.py:1: there is no class 'Mine' here; classes: Yours"),
        ("Mine = 3\n", "mine.py:1: there is no class 'Mine' here; classes: none"),
        ("\nclass Mine:\n    pass\n", r"mine.py:2: Mine has no method quote\(self, view, side, limit_ticks, rng_bits\)"),
        (GOOD.replace("Patient", "Mine"), "mine.py:10: Mine.__init__ raised KeyError: 'markup_ticks'"),
        (QUOTE.replace("class Mine:", "class Mine:\n    def __init__(self): pass"), "mine.py:.*"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, source: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        strategy(tmp_path, source)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere.py: no such Python file"):
        UserStrategy("nowhere.py:Mine", {}, "E01", tmp_path)


@pytest.mark.parametrize("method", ["begin", "hear"])
def test_the_other_methods_are_named_too(tmp_path: Path, method: str) -> None:
    found = strategy(tmp_path, f"{QUOTE}None\n    def {method}(self, *rest):\n        raise ValueError('no')\n")
    with pytest.raises(InputError, match=rf"mine.py:5: Mine.{method} raised ValueError: no \(participant E01\)"):
        found.begin(0, 0, 1) if method == "begin" else found.hear(shouts_of((500, 1, 1))[0], 7, 0, 5)
