"""All seeds of a suite, on one process or several; results do not depend on how many."""

import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

from clients.laboratory.gaming.play import Outcome, Task, play
from exchange.errors import CheckFailedError


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def play_all(tasks: Sequence[Task], workers: int) -> Iterator[list[Outcome]]:
    """The outcomes of each task as they come. Raises what a task raises, those that have not begun are then left; CheckFailedError where a process
    was killed.
    """
    if workers <= 1 or len(tasks) <= 1:
        yield from map(play, tasks)
        return
    # An interrupt of the terminal reaches every process; workers end by it without a word.
    interrupted = (signal.SIGINT, signal.SIG_DFL)
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(workers, len(tasks)), mp_context=context, initializer=signal.signal, initargs=interrupted)
    try:
        pending: set[Future[list[Outcome]]] = {pool.submit(play, task) for task in tasks}
        while pending:
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
    except BrokenProcessPool as error:
        raise CheckFailedError("a process ended before its seed was played, killed or for want of memory; try fewer --workers") from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
