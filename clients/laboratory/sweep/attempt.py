"""Playing one task so that whatever goes wrong in it becomes a result: what a worker process does, on this machine or another."""

import importlib
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Final, cast

from clients.laboratory.sweep.task import Played, Result, Task, failed
from clients.laboratory.sweep.version import code_version
from exchange.errors import ParkexError

Play = Callable[[Task], Result]

# A process plays one run at a time, however many threads a cluster gives it: a run is one thread's work and takes the memory of one.
_ONE_AT_A_TIME: Final = threading.Lock()
_SOURCES: Final = Path(__file__).resolve().parents[3]


def load_play(function: str) -> Play:
    """The function named `module:name`."""
    module, _, name = function.partition(":")
    return cast(Play, getattr(importlib.import_module(module), name))


def attempt(function: str, task: Task) -> Played:
    """Play a task; an exception of the scenario, a strategy or the simulator is the reason of a failed result."""
    began_s = time.monotonic()
    with _ONE_AT_A_TIME:
        try:
            result = failed(task, task.refused) if task.refused else _play(function, task)
        except ParkexError as error:
            result = failed(task, str(error))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a strategy of the user may raise anything, and the sweep goes on
            result = failed(task, describe(error))
    return Played(result, time.monotonic() - began_s)


def _play(function: str, task: Task) -> Result:
    own = code_version()
    if task.version != own:
        return failed(task, f"the worker has parkex {own}, the sweep was planned with {task.version}")
    return load_play(function)(task)


def describe(error: BaseException) -> str:
    """File, line, type and message of what was raised. Files of parkex are named from its root: the same text on every machine."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{_short(frames[-1].filename)}:{frames[-1].lineno}: " if frames else ""
    return f"{where}{type(error).__name__}: {error}"


def _short(filename: str) -> str:
    path = Path(filename)
    return path.relative_to(_SOURCES).as_posix() if path.is_relative_to(_SOURCES) else path.name
