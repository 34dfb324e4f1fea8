"""Exit codes of every command: 0 done and all checks hold, 1 a check failed, 2 bad usage or input, 3 corruption, 4 the order path of a server has
failed and a start recovers it, 5 the same for want of room, which a start does not mend, 130 interrupted.

What went wrong is the last line of stderr. Bad usage and interruption are typer's to tell, with these codes.
"""

import errno
import sys
from collections.abc import Callable
from enum import IntEnum
from typing import Final

from exchange.errors import CorruptionError, InputError, JournalFailedError, OrderPathFailedError, ParkexError


class Exit(IntEnum):
    DONE = 0
    CHECK_FAILED = 1
    BAD_INPUT = 2
    CORRUPTION = 3
    FAILED = 4
    NO_ROOM = 5
    INTERRUPTED = 130

# Nobody makes room by starting again, and a file system that the system has made read-only stays that until somebody looks at its medium.
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


def exit_of(error: ParkexError) -> Exit:
    """The exit code that tells about an error."""
    if isinstance(error, CorruptionError):
        return Exit.CORRUPTION
    if isinstance(error, JournalFailedError | OrderPathFailedError):
        return Exit.NO_ROOM if isinstance(error.__cause__, OSError) and error.__cause__.errno in _NO_ROOM else Exit.FAILED
    return Exit.BAD_INPUT if isinstance(error, InputError) else Exit.CHECK_FAILED


def run(command: Callable[[], object]) -> int:
    """Run a command and turn what it raises on purpose into a line on stderr and an exit code."""
    try:
        command()
    except ParkexError as error:
        if isinstance(error, CorruptionError):
            say("nothing was changed; see docs/guides/storage.md: what holds tells parkex verify, a backup comes back with parkex restore")
        say(str(error))
        return exit_of(error)
    except OSError as error:
        say(f"{error.strerror}: {error.filename}" if error.filename else str(error))
        return Exit.BAD_INPUT
    except KeyboardInterrupt:
        say("interrupted")
        return Exit.INTERRUPTED
    return Exit.DONE


def say(line: str) -> None:
    """One line on stderr."""
    print(f"parkex: {line}", file=sys.stderr, flush=True)
