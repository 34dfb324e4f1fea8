"""What a run saw, as figures: HDR histograms and a JSON row."""

from typing import Any, Final

import numpy as np
from hdrh.histogram import HdrHistogram
from numpy.typing import NDArray

from bench.gateway.load import Measured

LONGEST_NS: Final = 120 * 10**9
PERCENTILES: Final = {"p50": 50.0, "p99": 99.0, "p999": 99.9}


def histogram(times_ns: NDArray[np.int64]) -> HdrHistogram:
    """Of nanoseconds, three significant digits."""
    counted = HdrHistogram(1, LONGEST_NS, 3)
    values, counts = np.unique(np.clip(times_ns, 1, LONGEST_NS) // 100 * 100, return_counts=True)
    for value, count in zip(values.tolist(), counts.tolist(), strict=True):
        counted.record_value(max(value, 1), count)
    return counted


def percentiles_us(times_ns: NDArray[np.int64]) -> dict[str, float]:
    counted = histogram(times_ns)
    return {name: round(counted.get_value_at_percentile(percentile) / 1000, 1) for name, percentile in PERCENTILES.items()}


def orders_row(measured: Measured) -> dict[str, Any]:
    """Of a run against the exchange."""
    return {
        "acks_per_s": round(measured.answers / measured.wall_s),
        "server_cpu_us_per_order": round(1e6 * measured.server_cpu_s / max(measured.answers, 1), 2),
        "rtt_us": percentiles_us(measured.rtt_ns),
        "rejects": measured.errors,
        "generator_cpu_share": round(measured.generator_cpu_share, 2),
    }


def echo_row(measured: Measured) -> dict[str, Any]:
    """Of a run against the echo server."""
    return {
        "messages_per_s": round(measured.answers / measured.wall_s),
        "server_cpu_us_per_message": round(1e6 * measured.server_cpu_s / max(measured.answers, 1), 2),
        "rtt_us": percentiles_us(measured.rtt_ns),
        "generator_cpu_share": round(measured.generator_cpu_share, 2),
    }


def encoded_histogram(times_ns: NDArray[np.int64]) -> str:
    """The histogram as HdrHistogram's own base64 text, for the results file."""
    return str(histogram(times_ns).encode().decode())
