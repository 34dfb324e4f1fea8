"""Reading in a thread of its own while what was read is used: hashing a group lets other threads run."""

import queue
import threading
from collections.abc import Generator, Iterable
from typing import TypeVar

T = TypeVar("T")

AT_ONCE = 16
AHEAD = 8


def read_ahead(items: Iterable[T], at_once: int = AT_ONCE, ahead: int = AHEAD) -> Generator[T]:
    """The same items in the same order. Up to `ahead` times `at_once` of them are read before they are asked for.

    What reading raises is raised here, after the items before it. The thread ends with the iterator, also when that is closed early.
    """
    read: queue.Queue[tuple[tuple[T, ...], BaseException | None]] = queue.Queue(ahead)
    closed = threading.Event()

    def hand_over(part: tuple[T, ...], error: BaseException | None) -> bool:
        while not closed.is_set():
            try:
                read.put((part, error), timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def work() -> None:
        part: list[T] = []
        try:
            for item in items:
                part.append(item)
                if len(part) == at_once:
                    if not hand_over(tuple(part), None):
                        return
                    part = []
        except BaseException as error:  # noqa: BLE001 - it belongs to the one who asked for the items
            hand_over(tuple(part), error)
        else:
            hand_over(tuple(part), StopIteration())

    thread = threading.Thread(target=work, name="journal-read-ahead", daemon=True)
    thread.start()
    try:
        while True:
            part, error = read.get()
            yield from part
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
    finally:
        closed.set()
        thread.join()
