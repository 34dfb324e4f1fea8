"""How the problems of a file are told: twenty in words, every other line by its number."""

import pytest

from clients.scenarios.problems import RUNS_MAX, SHOWN_MAX, Problems
from exchange.errors import InputError


def told(lines: list[int | None]) -> str:
    problems = Problems("file.csv")
    for line in lines:
        problems.add("wrong", line)
    with pytest.raises(InputError) as caught:
        problems.raise_if_any()
    return str(caught.value)


FIRST = list(range(1, SHOWN_MAX + 1))


@pytest.mark.parametrize(
    ("further", "last_line"),
    [
        ([21], "... and 1 more in line 21"),
        ([30, 21, 22, 23], "... and 4 more in lines 21 to 23, 30"),
        ([40, 40, 41], "... and 3 more in lines 40 to 41"),
        ([None, 50], "... and 2 more in line 50"),
        ([None], "... and 1 more"),
    ],
)
def test_the_lines_behind_the_first_twenty(further: list[int | None], last_line: str) -> None:
    assert told([*FIRST, *further]).splitlines()[-1].strip() == last_line


def test_runs_are_bounded_and_the_last_line_is_named() -> None:
    last_line = told([*FIRST, *range(22, 22 + 4 * RUNS_MAX, 2)]).splitlines()[-1]
    assert last_line.endswith(f", ..., {20 + 4 * RUNS_MAX}")
    assert last_line.count(",") == RUNS_MAX + 1


def test_no_problem_raises_nothing() -> None:
    Problems("file.csv").raise_if_any()
