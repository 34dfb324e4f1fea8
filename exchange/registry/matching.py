"""Hourly matched share (24/7) beside the annual share: what part of a load green certificates cover, by when they were generated.

A certificate counts for an interval only if it was generated, or discharged from storage with a certificate of its own, in that interval (EnergyTag,
granular certificate scheme; docs/rules.md, "Granular certificates"):

    matched = sum over intervals of min(load, certificates) / sum of load;    annual = min(sum of load, sum of certificates) / sum of load

so quarter-hourly <= hourly <= annual. Integers throughout; shares are rounded down to parts per million.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exchange.errors import InputError
from exchange.units import NS_PER_HOUR, PERIOD_NS, PPM

Int64Array = NDArray[np.int64]

QUARTER_HOUR_NS: Final = PERIOD_NS
HOUR_NS: Final = NS_PER_HOUR


class MatchedShares(NamedTuple):
    """Shares in parts per million; 0 where there is no load."""

    quarter_hourly_ppm: int
    hourly_ppm: int
    annual_ppm: int


def matched_wh(period_start_ns: Int64Array, load_wh: Int64Array, certificate_wh: Int64Array, interval_ns: int) -> int:
    """Load that certificates of the same interval cover, in Wh.

    The columns are int64[k], not negative; a period may occur in several rows. `interval_ns` is a whole number of quarter-hours.
    Raises InputError for columns of different lengths, negative energies or another interval.
    """
    _check(period_start_ns, load_wh, certificate_wh)
    if interval_ns <= 0 or interval_ns % PERIOD_NS:
        raise InputError("interval is not a whole number of quarter-hours")
    intervals, place = np.unique(period_start_ns // interval_ns, return_inverse=True)
    load, certificates = np.zeros(len(intervals), np.int64), np.zeros(len(intervals), np.int64)
    np.add.at(load, place, load_wh)
    np.add.at(certificates, place, certificate_wh)
    return int(np.minimum(load, certificates).sum())


def matched_shares(period_start_ns: Int64Array, load_wh: Int64Array, certificate_wh: Int64Array) -> MatchedShares:
    """Matched shares of one load, or of one park, by quarter-hour, by hour and over the whole time. Columns as for `matched_wh`."""
    _check(period_start_ns, load_wh, certificate_wh)
    total_wh, certificates_wh = int(load_wh.sum()), int(certificate_wh.sum())
    return MatchedShares(
        _share_ppm(matched_wh(period_start_ns, load_wh, certificate_wh, QUARTER_HOUR_NS), total_wh),
        _share_ppm(matched_wh(period_start_ns, load_wh, certificate_wh, HOUR_NS), total_wh),
        _share_ppm(min(total_wh, certificates_wh), total_wh),
    )


def _share_ppm(part_wh: int, whole_wh: int) -> int:
    return part_wh * PPM // whole_wh if whole_wh else 0


def _check(period_start_ns: Int64Array, load_wh: Int64Array, certificate_wh: Int64Array) -> None:
    if not len(period_start_ns) == len(load_wh) == len(certificate_wh):
        raise InputError("columns differ in length")
    if np.any(load_wh < 0) or np.any(certificate_wh < 0):
        raise InputError("an energy is negative")
