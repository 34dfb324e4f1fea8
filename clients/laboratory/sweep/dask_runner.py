"""The same tasks on a Dask cluster (extra `cluster`): workers that have the same parkex installed, told by the version in every task.

A worker plays one task at a time whatever its threads. What a task gives is a result as of a process of this machine, so the files are the same.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from types import TracebackType
from typing import Any, Final, Self

from clients.laboratory.sweep.attempt import attempt, describe
from clients.laboratory.sweep.task import Played, Task, failed
from exchange.errors import InputError

_CONNECT_S: Final = 20
# Tasks handed to the scheduler beyond those that are being played: enough that no worker waits, few enough that Ctrl-C is quick.
_AHEAD: Final = 2


class DaskCluster:
    """A context that plays tasks by `function` on the cluster whose scheduler is at `address`. Raises InputError where there is none."""

    def __init__(self, function: str, address: str) -> None:
        self._function = function
        self._address = address
        self._client: Any = None

    def __enter__(self) -> Self:
        try:
            from distributed import Client
        except ImportError:
            raise InputError("--dask needs Dask: pip install 'parkex[cluster]'") from None
        try:
            self._client = Client(self._address, timeout=_CONNECT_S, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise InputError(f"--dask {self._address}: no Dask scheduler answers there ({error})") from None
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._client is not None:
            self._client.close()  # what was still to be played is cancelled with its futures

    def run(self, tasks: Iterable[Task]) -> Iterator[Played]:
        """What came of each task, in the sequence in which they ended."""
        from distributed import as_completed

        client = self._client
        rest = iter(tasks)
        room = max(1, len(client.scheduler_info(n_workers=-1)["workers"])) * (1 + _AHEAD)
        playing: dict[Any, Task] = {}
        ended = as_completed(loop=client.loop)
        self._hand_over(islice(rest, room), playing, ended)
        while playing:
            future = next(ended)
            task = playing.pop(future.key)
            self._hand_over(islice(rest, 1), playing, ended)
            yield future.result() if future.status == "finished" else Played(failed(task, _reason(future)), 0.0)

    def _hand_over(self, tasks: Iterable[Task], playing: dict[Any, Task], ended: Any) -> None:
        for task in tasks:
            future = self._client.submit(attempt, self._function, task, pure=False)
            playing[future.key] = task
            ended.add(future)


def _reason(future: Any) -> str:
    """Why a task has no answer: its workers died, or the cluster gave it up."""
    error = future.exception() if future.status == "error" else None
    return describe(error) if error is not None else f"the cluster gave the task up ({future.status})"
