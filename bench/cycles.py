"""The processor's cycle counter inside kernels, what reading it costs, and latencies in nanoseconds from it.

The counter is read without serialisation: the processor may move a few instructions across it, a message costs far more than that. It runs
at a constant rate of its own, which is calibrated against the clock.
"""

import platform
import time
from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils, config
from numba.extending import intrinsic

from matching.compile import kernel

HAS_CYCLE_COUNTER: Final = platform.machine() in {"x86_64", "AMD64"} and not config.DISABLE_JIT
CALIBRATION_S: Final = 0.05
BINS_PER_OCTAVE: Final = 4
BINS: Final = 25 * BINS_PER_OCTAVE  # from 1 ns to 33 ms


@intrinsic
def cycle_counter(typing_context):  # noqa: ARG001 - the signature is numba's
    """The time stamp counter, int64. Only inside kernels."""

    def generate(context, builder, signature, arguments):  # noqa: ARG001
        function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(ir.IntType(64), []), "llvm.readcyclecounter")
        return builder.call(function, [])

    return types.int64(), generate


@kernel
def read_cycles():
    """The counter, for calibration from Python."""
    return cycle_counter()


@kernel
def read_repeatedly(cycles):
    """Fill `cycles` with what lies between two readings that follow each other."""
    before = cycle_counter()
    for i in range(cycles.shape[0]):
        after = cycle_counter()
        cycles[i] = after - before
        before = after


def ns_per_cycle() -> float:
    """Nanoseconds of one step of the counter, from a busy wait beside the clock."""
    read_cycles()
    start_ns, start = time.perf_counter_ns(), read_cycles()
    while time.perf_counter_ns() - start_ns < CALIBRATION_S * 1e9:
        pass
    end_ns, end = time.perf_counter_ns(), read_cycles()
    return (end_ns - start_ns) / (end - start)


def counter_cost_ns() -> float:
    """Median cost of one reading; every latency holds it once."""
    cycles = np.zeros(100_000, np.int64)
    read_repeatedly(cycles)
    read_repeatedly(cycles)
    return round(float(np.median(cycles)) * ns_per_cycle(), 1)


def bin_edges_ns(n_bins: int) -> list[float]:
    """Lower edges of the first `n_bins` bins of a latency histogram."""
    return [float(2 ** (place / BINS_PER_OCTAVE)) for place in range(n_bins)]


def latencies(cycles: np.ndarray) -> dict[str, Any]:
    """Percentiles in ns and a histogram (counts by quarter octave from 1 ns) of the cycles of messages; negative ones were not measured."""
    nanoseconds = cycles[cycles >= 0] * ns_per_cycle()
    p50, p99, p999, highest = (round(float(value), 1) for value in np.percentile(nanoseconds, (50, 99, 99.9, 100)))
    place = np.clip((BINS_PER_OCTAVE * np.log2(np.maximum(nanoseconds, 1))).astype(np.int64), 0, BINS - 1)
    counts = np.bincount(place, minlength=BINS)
    return {
        "latency_ns": {"p50": p50, "p99": p99, "p999": p999},
        "latency_max_ns": highest,
        "counter_cost_ns": counter_cost_ns(),
        "latency_histogram": np.trim_zeros(counts, "b").tolist(),
    }
