"""Exceptions of the exchange. A refused order is data (see protocol.reject_codes), never an exception.

ParkexError
├── InputError                 bad configuration, scenario or file: exit code 2
├── CheckFailedError           an invariant or a comparison failed: exit code 1
├── ClockSteppedError          the wall clock was stepped; commands are refused until it is confirmed
├── CorruptionError            committed data is damaged: exit code 3
│   └── JournalShorterError    the journal ends before a watermark kept elsewhere
├── HistoryUnavailableError    the read model cannot be read at present
├── OrderPathFailedError       commands cannot be applied any more; final for this process: exit code 4
└── JournalError               the journal cannot accept writes
    ├── JournalLockedError     another writer holds the lock
    └── JournalFailedError     an append or flush failed; final for this process: exit code 4, or 5 when there is no room
"""


class ParkexError(Exception):
    """Base of all exceptions raised on purpose."""


class InputError(ParkexError):
    """Bad configuration, scenario or file; the message names the place and what was expected."""


class CheckFailedError(ParkexError):
    """An invariant or a comparison does not hold; the message names it."""


class ClockSteppedError(ParkexError):
    """The wall clock has moved against the monotonic clock. Nothing is accepted until the operator confirms it."""


class HistoryUnavailableError(ParkexError):
    """The read model cannot be read at present, as while its database restarts. Orders go on."""


class CorruptionError(ParkexError):
    """Committed data is damaged; the message says where."""


class JournalShorterError(CorruptionError):
    """The journal ends before a sequence that a snapshot or read model has already seen."""


class OrderPathFailedError(ParkexError):
    """Commands cannot be applied any more. Final: the exchange stops and recovers by restart."""


class JournalError(ParkexError):
    """The journal cannot accept writes."""


class JournalLockedError(JournalError):
    """Another process writes this journal."""


class JournalFailedError(JournalError):
    """An append or flush failed. Final: the node stops and recovers by restart."""
