"""An asyncio loop whose clock jumps to the next thing that happens, and processes whose callbacks stop when they are killed.

Nothing here waits: an hour costs what happens in it. Work that a real node gives to a thread takes a time of the simulation's choice and then runs
in the loop, so the order of everything is decided by the seed alone.
"""

import asyncio
import contextvars
import selectors
from collections.abc import Callable, Coroutine
from typing import Any

Delay = Callable[[], float]


class Process:
    """What would be one operating system process. Once it is killed none of its callbacks runs again: kill -9 between any two of them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.alive = True

    def kill(self) -> None:
        self.alive = False


_process: contextvars.ContextVar[Process | None] = contextvars.ContextVar("simulated process", default=None)


class _JumpingSelector(selectors.DefaultSelector):
    """Instead of waiting it moves the clock of its loop."""

    loop: "VirtualTimeLoop"

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if events:
            return events
        if timeout is None:
            raise RuntimeError("the simulation stands still: nothing is left to happen")
        self.loop.jump(timeout)
        return []


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """`executor_delay` draws the seconds that work given to an executor takes."""

    def __init__(self, executor_delay: Delay) -> None:
        selector = _JumpingSelector()
        selector.loop = self
        self._now_s = 0.0
        self._executor_delay = executor_delay
        super().__init__(selector)

    def time(self) -> float:
        """Seconds since the simulation began."""
        return self._now_s

    def jump(self, seconds: float) -> None:
        """Let time pass."""
        self._now_s += max(0.0, seconds)

    def spawn(self, process: Process, coroutine: Coroutine[Any, Any, Any], name: str) -> "asyncio.Task[Any]":
        """Run a coroutine as `process`; what it starts and schedules belongs to that process too."""
        context = contextvars.copy_context()
        context.run(_process.set, process)
        return self.create_task(coroutine, name=name, context=context)

    def call_as(self, process: Process | None, delay_s: float, callback: Callable[..., Any], *args: Any) -> None:
        """Call back later as another process: a message that reaches it."""
        context = contextvars.copy_context()
        context.run(_process.set, process)
        self.call_later(delay_s, callback, *args, context=context)

    # asyncio.AbstractEventLoop

    def call_soon(self, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None) -> asyncio.Handle:
        if context is None:  # an empty one is false
            context = contextvars.copy_context()
        return super().call_soon(_unless_killed, context.get(_process), callback, args, context=context)

    def call_at(self, when: float, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None) -> asyncio.TimerHandle:
        if context is None:  # an empty one is false
            context = contextvars.copy_context()
        return super().call_at(when, _unless_killed, context.get(_process), callback, args, context=context)

    def run_in_executor(self, _executor: Any, func: Callable[..., Any], *args: Any) -> "asyncio.Future[Any]":  # type: ignore[override]
        future = self.create_future()

        def work() -> None:
            if future.cancelled():
                return
            try:
                result = func(*args)
            except BaseException as error:  # noqa: BLE001 - whoever waits for the work gets what it raised, a kill included
                future.set_exception(error)
            else:
                future.set_result(result)

        self.call_later(self._executor_delay(), work)
        return future


def _unless_killed(process: Process | None, callback: Callable[..., Any], args: tuple[Any, ...]) -> None:
    if process is None or process.alive:
        callback(*args)
