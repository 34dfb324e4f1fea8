"""Block contracts: one instrument that delivers the same power in 2 to 96 consecutive quarter-hours (docs/rules.md, "Blocks").

A block has a book of its own. Its price is that of a kWh in every quarter-hour, one lot of it is one lot in each. It is listed only over
quarter-hours that are listed, and takes its terms from them, so that one trade of it is, to the micro-CNY, one trade of each.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from exchange.market.instruments import Instrument
from exchange.market.phases import Phase
from exchange.protocol.documents import InstrumentSpec
from exchange.units import INT64_MAX, PERIOD_NS

_BEFORE_GATE = (Phase.PRE_OPEN, Phase.CONTINUOUS, Phase.HALTED)
_SHARED = ("venue", "calendar", "price_decimals", "quantity_decimals", "unit")
_SUMS = ("multiplier_micro", "maker_fee_lot_micro", "taker_fee_lot_micro", "park_fee_lot_micro")
_OF_PERIODS = ("deficit_price_ticks", "surplus_price_ticks", "environment_price_ticks")


class QuarterHour(NamedTuple):
    """A listed quarter-hour; `tradable` until its gate has closed."""

    spec: InstrumentSpec
    tradable: bool


def is_block(spec: InstrumentSpec) -> bool:
    """Whether the terms are those of a block."""
    return spec.instrument_class == "power" and spec.delivery_end_ns - spec.delivery_start_ns > PERIOD_NS


def quarter_hours(listed: Iterable[Instrument], coming: Iterable[InstrumentSpec]) -> dict[int, QuarterHour]:
    """By delivery start, the quarter-hours of `listed` (open ones) and of `coming`, the same document; of several the one listed first."""
    found: dict[int, QuarterHour] = {}
    for instrument in listed:
        if instrument.is_quarter_hour:
            found.setdefault(instrument.spec.delivery_start_ns, QuarterHour(instrument.spec, instrument.phase in _BEFORE_GATE))
    for spec in coming:
        if spec.instrument_class == "power" and not is_block(spec):
            found.setdefault(spec.delivery_start_ns, QuarterHour(spec, True))
    return found


def block_problem(spec: InstrumentSpec, quarters: Mapping[int, QuarterHour]) -> str | None:
    """The first rule that a block breaks against its quarter-hours, as a stable name; None when it may be listed.

    `spec` has passed `spec_problem`.
    """
    periods = [quarters.get(start_ns) for start_ns in range(spec.delivery_start_ns, spec.delivery_end_ns, PERIOD_NS)]
    covered = [quarter.spec for quarter in periods if quarter is not None and quarter.tradable]
    if len(covered) < len(periods):
        return "block_period_not_listed"
    if any(getattr(spec, name) != getattr(quarter, name) for quarter in covered for name in _SHARED):
        return "block_terms_differ_from_periods"
    if any(quarter.multiplier_micro != covered[0].multiplier_micro for quarter in covered) or _differs(spec, covered):
        return "block_fees_are_not_the_sum_of_its_periods"
    if any(getattr(spec, name) for name in _OF_PERIODS):
        return "block_has_prices_of_its_own"
    if spec.close_ns > covered[0].close_ns:
        return "block_outlasts_its_first_period"
    if spec.open_ns < max(quarter.open_ns for quarter in covered):
        return "block_opens_before_its_periods"
    if _worst_lot_micro(spec, covered) * spec.max_order_lots > INT64_MAX // 1024:
        return "notional_out_of_range"
    return None


def _differs(spec: InstrumentSpec, covered: Sequence[InstrumentSpec]) -> bool:
    return any(getattr(spec, name) != sum(getattr(quarter, name) for quarter in covered) for name in _SUMS)


def _worst_lot_micro(spec: InstrumentSpec, covered: Sequence[InstrumentSpec]) -> int:
    """What a lot can hold at most: its dearest purchase and the guarantee of every quarter-hour."""
    guarantee_micro = sum(quarter.deficit_price_ticks * quarter.multiplier_micro for quarter in covered)
    fees_micro = max(spec.maker_fee_lot_micro, spec.taker_fee_lot_micro) + spec.park_fee_lot_micro
    return spec.max_price_ticks * spec.multiplier_micro + guarantee_micro + fees_micro
