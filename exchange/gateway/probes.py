"""What the operator's routes ask of the parts beside the gateway: the read model's follower and the disk under the journal."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LOOPBACK: Final = ("127.0.0.0/8", "::1/128")  # who may read the metrics, unless the operator says otherwise
READ_MODEL_LAG_MAX: Final = 100_000
DISK_FREE_MIN_BYTES: Final = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Probes:
    """`read_model_sequence` is the last command the read model has; `read_model_failed` whether following has stopped for good.

    None where there is no such part, as inside one process. The limits say from where on the exchange is no longer ready.
    """

    read_model_sequence: Callable[[], int] | None = None
    read_model_failed: Callable[[], bool] | None = None
    journal_directory: Path | None = None
    read_model_lag_max: int = READ_MODEL_LAG_MAX
    disk_free_min_bytes: int = DISK_FREE_MIN_BYTES

    def read_model_behind(self, head: int) -> int | None:
        """Commands up to `head` that the read model does not have yet."""
        return None if self.read_model_sequence is None else max(0, head - self.read_model_sequence())

    def disk_free_bytes(self) -> int | None:
        """Room for the journal, as far as this process may use it. 0 when the system cannot say."""
        if self.journal_directory is None:
            return None
        try:
            disk = os.statvfs(self.journal_directory)
        except OSError:
            return 0
        return disk.f_bavail * disk.f_frsize

    def problems(self, head: int) -> dict[str, str]:
        """Part -> why it keeps the exchange from being ready."""
        found = {}
        if self.read_model_failed is not None and self.read_model_failed():
            found["read_model"] = "failed"
        elif (self.read_model_behind(head) or 0) > self.read_model_lag_max:
            found["read_model"] = "behind"
        free_bytes = self.disk_free_bytes()
        if free_bytes is not None and free_bytes < self.disk_free_min_bytes:
            found["disk"] = "full"
        return found
