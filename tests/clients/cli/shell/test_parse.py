"""Lines of the shell to commands: what is typed goes out unchanged, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.cli.shell.parse import ALIASES, COMMANDS, Command, NewOrder, UsageError, parse

GOOD = [
    ("", None),
    ("  # a note", None),
    ("help", Command("help")),
    ("? buy", Command("help", ("buy",))),
    ("buy gp-1 12.50 0.4100", Command("buy", orders=(NewOrder("buy", "GP-1", "12.50", "0.4100"),))),
    ("SELL CEA25 10 market", Command("sell", orders=(NewOrder("sell", "CEA25", "10", None),))),
    ("买 CEA25 10 市价", Command("buy", orders=(NewOrder("buy", "CEA25", "10", None),))),
    ("buy X 1 2 ioc", Command("buy", orders=(NewOrder("buy", "X", "1", "2", {"time_in_force": "ioc"}),))),
    ("buy X 1 2 post", Command("buy", orders=(NewOrder("buy", "X", "1", "2", {"post_only": True}),))),
    ("buy X 1 2 reprice label=7", Command("buy", orders=(NewOrder("buy", "X", "1", "2", {"post_only": True, "reprice": True, "label": 7}),))),
    ("sell X 1 2 display=0.5 reduce", Command("sell", orders=(NewOrder("sell", "X", "1", "2", {"display": "0.5", "reduce_only": True}),))),
    (
        "sell X 1 market stop=3 self=decrement",
        Command("sell", orders=(NewOrder("sell", "X", "1", None, {"stop_price": "3", "self_trade": "decrement"}),)),
    ),
    ("buy X 1 2 min=1 ", Command("buy", orders=(NewOrder("buy", "X", "1", "2", {"min_quantity": "1"}),))),
    ("buy X 1 2 aon", Command("buy", orders=(NewOrder("buy", "X", "1", "2", {"all_or_none": True}),))),
    (
        "basket buy X 1 2 + sell Y 3 4 label=2",
        Command("basket", orders=(NewOrder("buy", "X", "1", "2"), NewOrder("sell", "Y", "3", "4", {"label": 2}))),
    ),
    ("amend 7 price=0.41 quantity=3.0", Command("amend", ("7",), {"price": "0.41", "quantity": "3.0"})),
    ("cancel 7 8", Command("cancel", ("7", "8"))),
    ("cancel all CEA25 sell label=3", Command("cancel", ("all", "CEA25", "sell"), {"label": "3"})),
    ("watch book CEA25", Command("watch", ("book", "CEA25"))),
    ("nominate X -12.5", Command("nominate", ("X", "-12.5"))),
    ("wait 0.5", Command("wait", ("0.5",))),
    ("lang zh", Command("lang", ("zh",))),
    ("exit", Command("quit")),
]  # fmt: skip

BAD = [
    ("by X 1 2", "unknown_command"), ("buy X", "usage"), ("buy X 1", "usage"), ("buy X 1,5 2", "not_a_decimal"), ("buy X -1 2", "not_a_decimal"),
    ("buy X 1 2e3", "not_a_decimal"), ("buy X ١ 2", "not_a_decimal"), ("buy X 01 2", "not_a_decimal"), ("buy X 1 2 gtd", "unknown_term"),
    ("buy X 1 2 label=x", "not_a_number"), ("buy X 1 2 self=me", "unknown_term"), ("buy X 1 2 stop=", "not_a_decimal"), ("basket", "usage"),
    ("basket buy X 1 2 +", "usage"), ("basket buy X 1 2 ioc + sell Y 1 2", "basket_terms"), ("basket hold X 1 2", "usage"), ("amend", "usage"),
    ("amend 7", "usage"), ("amend 7 prize=1", "usage"), ("amend x price=1", "not_a_number"), ("amend 7 price=x", "not_a_decimal"),
    ("cancel", "usage"),
    ("cancel x", "not_a_number"), ("cancel 7 label=1", "usage"), ("cancel all label=x", "not_a_number"), ("cancel " + "9" * 30, "not_a_number"),
    ("watch nothing", "usage"), ("watch book", "usage"), ("statement", "usage"), ("book", "usage"), ("book X 99", "usage"), ("lang de", "usage"),
    ("wait", "usage"), ("wait x", "not_a_decimal"), ("nominate X", "usage"), ("balances X", "usage"), ("orders X Y", "usage"),
    ('buy "X', "open_quote"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "command"), GOOD, ids=[line for line, _ in GOOD])
def test_a_line_that_is_a_command(line: str, command: Command | None) -> None:
    assert parse(line) == command


@pytest.mark.parametrize(("line", "key"), BAD, ids=[line[:30] for line, _ in BAD])
def test_a_line_that_is_none(line: str, key: str) -> None:
    with pytest.raises(UsageError) as error:
        parse(line)
    assert error.value.key == key


WORDS = st.sampled_from([*COMMANDS, *ALIASES, "X", "1", "0.5", "label=", "=", "+", "all", "\0"])


@given(st.text(max_size=80) | st.lists(WORDS, max_size=8).map(" ".join))
def test_whatever_is_typed_is_a_command_or_a_usage_error(line: str) -> None:
    try:
        command = parse(line)
    except UsageError:
        return
    assert command is None or command.name in COMMANDS
