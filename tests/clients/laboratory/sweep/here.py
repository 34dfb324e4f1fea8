"""An executor that plays in the process of the test."""

from collections.abc import Iterable, Iterator
from typing import Self

from clients.laboratory.sweep.attempt import attempt
from clients.laboratory.sweep.task import Played, Task


class Here:
    def __init__(self, function: str) -> None:
        self._function = function

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *details: object) -> None: ...

    def run(self, tasks: Iterable[Task]) -> Iterator[Played]:
        for task in tasks:
            yield attempt(self._function, task)
