"""What an operator does about an error of the system under the journal. The journal never tries again by itself: docs/guides/storage.md has the
whole table.
"""

import errno
from typing import Final

KEPT: Final = "everything that was acknowledged is in the journal"

_BY_ERRNO: Final = {
    errno.ENOSPC: "the disk is full: make room (parkex archive moves old segments away) and start again",
    errno.EDQUOT: "the quota is used up: make room (parkex archive moves old segments away) and start again",
    errno.EIO: "the medium failed: start again, from a copy on a sound disk (parkex backup) if it fails again, and check with parkex verify",
    errno.EROFS: "the file system is read-only, as the system makes it when a medium fails: check the medium and start again",
    errno.EMFILE: "the limit of open files is reached: raise it (ulimit -n) and start again",
    errno.ENFILE: "the system has no files left to open: close other programs and start again",
    errno.EACCES: "the folder belongs to somebody else: give it to the account that runs the exchange and start again",
    errno.EPERM: "the folder may not be written: give it to the account that runs the exchange and start again",
}
_OTHERWISE: Final = "mend it and start again"


def described(error: OSError) -> str:
    """The error in the system's words, with what to do."""
    number = error.errno if error.errno is not None else 0
    return f"{error.strerror or error} ({errno.errorcode.get(number, number)}); {_BY_ERRNO.get(number, _OTHERWISE)}; {KEPT}"

