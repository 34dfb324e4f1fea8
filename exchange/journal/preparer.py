"""Making the next segment file ahead of its need.

Filling 16 MiB with zeros takes a disk up to a tenth of a second, and no order should wait for that.
"""

import os
import threading
from pathlib import Path
from typing import Final

from exchange.journal.files import FileOps, write_all, zeros

SPARE_NAME: Final = "segment.spare"


class SegmentPreparer:
    """Fills one spare file in a thread. What goes wrong there is forgotten: the journal then makes the segment itself and meets the error itself."""

    def __init__(self, files: FileOps, directory: Path, segment_bytes: int) -> None:
        self._files = files
        self._path = directory / SPARE_NAME
        self._segment_bytes = segment_bytes
        self._thread: threading.Thread | None = None
        self._ready = False

    def start(self) -> None:
        """Begin the spare, unless it is begun or there."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._fill, name="journal-preparer", daemon=True)
            self._thread.start()

    def take(self) -> Path | None:
        """The spare, zeros on the medium, now the caller's; None when there is none. Waits for one that is begun."""
        self.wait()
        ready, self._ready = self._ready, False
        return self._path if ready else None

    def wait(self) -> None:
        """Until nothing is being written."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _fill(self) -> None:
        try:
            fd = self._files.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            try:
                offset = 0
                for chunk in zeros(self._segment_bytes):
                    write_all(self._files, fd, chunk, offset)
                    self._files.fdatasync(fd)  # in steps, so that the flush of a group never queues behind the whole file
                    offset += len(chunk)
            finally:
                self._files.close(fd)
        except OSError:
            return
        self._ready = True
