"""How long the steps of a group of commands take, counted in buckets whose bounds double. Costs one addition a step and group, nothing an order."""

from enum import IntEnum
from typing import Final

# Upper bounds are 1024 ns times a power of two: the bucket of a duration is the length of its bits, and needs no search.
_SHIFT: Final = 10
FINITE_BUCKETS: Final = 24  # that are published; the last one ends at 8.6 s
_BUCKETS: Final = 64 - _SHIFT


class Stage(IntEnum):
    """Steps of an order's way (docs/architecture.md) as the gateway and the node go through them."""

    # Decode, validate, throttle: from the first frame of a socket read, or of the reads whose usual orders go together, to their submission.
    DECODE = 0
    QUEUE = 1  # what the oldest command of a group waited for the group before
    JOURNAL = 2  # write and flush of a group, with the way to the journal's thread and back
    APPLY = 3  # admit, reserve, match, post
    PUBLISH = 4  # answers handed over, listeners called


def upper_bound_ns(bucket: int) -> int:
    """Durations below it fall into this bucket or one before."""
    return 1 << (_SHIFT + bucket)


class Stages:
    """Counts by stage and bucket, and the sum of all durations of a stage. Written by one thread; a reader may be one observation behind."""

    __slots__ = ("counts", "sums_ns")

    def __init__(self) -> None:
        self.counts = [[0] * _BUCKETS for _ in Stage]
        self.sums_ns = [0] * len(Stage)

    def observe(self, stage: Stage, elapsed_ns: int) -> None:
        """Count one duration of at most 2**63 ns."""
        self.counts[stage][(elapsed_ns >> _SHIFT).bit_length()] += 1
        self.sums_ns[stage] += elapsed_ns
