"""Worker processes of this machine: each is started once, keeps what it has loaded, and is given its next task when it answers.

Processes are spawned, so that nothing of the parent's threads comes along. A worker that dies, as one killed for want of memory, costs the task it
was at: that task fails with the reason and another worker takes its place. Workers end with their parent, also when it is killed.
"""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import TracebackType
from typing import Final, Self

from clients.laboratory.sweep.attempt import attempt, load_play
from clients.laboratory.sweep.task import Played, Task, failed

_END_WAIT_S: Final = 2.0
# Libraries of linear algebra and solvers would start as many threads as there are cores in every worker. No NUMBA_* variable: it names the cache of
# compiled kernels, and every worker would compile its own.
_ONE_THREAD: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Worker:
    """A process, our end of its pipe, and the task it is at."""

    def __init__(self, function: str) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process: SpawnProcess = context.Process(target=_serve, args=(function, theirs), daemon=True)
        self.process.start()
        theirs.close()
        self.task: Task | None = None

    def give(self, task: Task) -> bool:
        """Whether the worker took it; False when it is dead."""
        try:
            self.connection.send(task)
        except OSError:
            return False
        self.task = task
        return True

    def answer(self) -> Played:
        """What came of its task: called when it has answered or died."""
        assert self.task is not None
        try:
            played: Played = self.connection.recv()
        except (EOFError, OSError):
            self.process.join()
            played = Played(failed(self.task, _last_words(self.process.exitcode or 0)), 0.0)
        self.task = None
        return played

    def end(self) -> None:
        self.connection.close()
        if self.task is not None:
            self.process.terminate()
        self.process.join(_END_WAIT_S)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


class Processes:
    """A context that plays tasks by `function` (`module:name`, importable by a fresh process) on `n` processes, started when first needed."""

    def __init__(self, function: str, n: int) -> None:
        self._function = function
        self._n = n
        self._workers: list[_Worker] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for worker in self._workers:
            worker.end()
        self._workers.clear()

    def run(self, tasks: Iterable[Task]) -> Iterator[Played]:
        """What came of each task, in the sequence in which they ended."""
        waiting = deque(tasks)
        while len(self._workers) < min(self._n, len(waiting)):
            self._workers.append(_Worker(self._function))
        for index in range(len(self._workers)):
            self._feed(index, waiting)
        while busy := {worker.connection: index for index, worker in enumerate(self._workers) if worker.task is not None}:
            for connection in wait(list(busy)):
                assert isinstance(connection, Connection)
                index = busy[connection]
                played = self._workers[index].answer()
                self._feed(index, waiting)  # before anybody looks at the answer: no worker waits for a disk
                yield played

    def _feed(self, index: int, waiting: deque[Task]) -> None:
        """Give a worker its next task; one that has died is replaced."""
        if waiting and not (self._workers[index].process.is_alive() and self._workers[index].give(waiting[0])):
            self._workers[index].end()
            self._workers[index] = _Worker(self._function)
            self._workers[index].give(waiting[0])
        if waiting:
            waiting.popleft()


def _serve(function: str, connection: Connection) -> None:
    """Body of a worker: tasks in, answers out, until the parent closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    for name in _ONE_THREAD:
        os.environ.setdefault(name, "1")
    threading.Thread(target=_end_with_parent, daemon=True).start()
    load_play(function)
    with contextlib.suppress(EOFError, OSError):
        while True:
            connection.send(attempt(function, connection.recv()))


def _end_with_parent() -> None:
    """A killed parent cannot tell anybody; a run that nobody waits for would keep a core for its whole length."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


def _last_words(exit_code: int) -> str:
    if exit_code >= 0:
        return f"the worker process ended with exit code {exit_code}"
    try:
        name = signal.Signals(-exit_code).name
    except ValueError:
        name = f"signal {-exit_code}"
    hint = " (out of memory?)" if exit_code == -signal.SIGKILL else ""
    return f"the worker process was ended by {name}{hint}"
