"""Exit codes of every command: 0 done and all checks hold, 1 a check failed, 2 bad usage or input, 3 corruption, 130 interrupted.

What went wrong is the last line of stderr. Bad usage and interruption are typer's to tell, with these codes.
"""

import sys
from collections.abc import Callable
from enum import IntEnum

from exchange.errors import CorruptionError, InputError, ParkexError


class Exit(IntEnum):
    DONE = 0
    CHECK_FAILED = 1
    BAD_INPUT = 2
    CORRUPTION = 3
    INTERRUPTED = 130


def exit_of(error: ParkexError) -> Exit:
    """The exit code that tells about an error."""
    if isinstance(error, CorruptionError):
        return Exit.CORRUPTION
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
