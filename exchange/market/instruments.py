"""The list of instruments: permanent ids assigned by the fold, dense slots recycled after settlement."""

from dataclasses import dataclass, field
from typing import Any, Final

from exchange.market.auction_terms import auction_problem
from exchange.market.daily_reference import Band, DailyReference, band_around, limit_problem
from exchange.market.phases import Phase
from exchange.market.spec_content import spec_content
from exchange.protocol.documents import InstrumentSpec
from exchange.protocol.instrument_class import InstrumentClass, Resale
from exchange.units import INT64_MAX, PERIOD_NS
from matching.records import QUANTITY_LOTS_MAX

_INT32_MAX = 2**31 - 1
# Quarter-hours that a block may cover.
PERIODS_MAX: Final = 96
_VENUES = ("park", "national_simulated", "internal")


@dataclass(slots=True)
class Instrument:
    """One listed instrument. `slot` is its place in the arrays while it is open, -1 after settlement. `reference`: with a daily limit."""

    id: int
    spec: InstrumentSpec
    instrument_class: InstrumentClass
    resale: Resale
    slot: int
    phase: Phase
    reference: DailyReference | None = None

    @property
    def band(self) -> Band:
        """Prices at which orders are taken now."""
        if self.reference is None:
            return Band(self.spec.band_low_ticks, self.spec.band_high_ticks)
        return band_around(self.reference.previous_close_ticks, self.spec.limit_ppm, self.spec)

    @property
    def block_band(self) -> Band | None:
        """Prices at which block trades are taken now; None where there are none."""
        if self.reference is None or not self.spec.block_min_lots:
            return None
        return band_around(self.reference.previous_close_ticks, self.spec.block_limit_ppm, self.spec)

    @property
    def symbol(self) -> str:
        return self.spec.symbol

    @property
    def is_power(self) -> bool:
        return self.instrument_class is InstrumentClass.POWER

    @property
    def periods(self) -> int:
        """Quarter-hours of delivery; 0 for units."""
        return (self.spec.delivery_end_ns - self.spec.delivery_start_ns) // PERIOD_NS if self.is_power else 0

    @property
    def is_block(self) -> bool:
        """Whether it delivers in several quarter-hours (exchange.market.blocks)."""
        return self.periods > 1

    @property
    def is_quarter_hour(self) -> bool:
        """Whether it is a delivery period, which is metered and settled."""
        return self.periods == 1


@dataclass(slots=True)
class Instruments:
    """By id, by symbol (permanent), the open ones by id, and the daily references by id."""

    by_id: dict[int, Instrument] = field(default_factory=dict)
    by_symbol: dict[str, Instrument] = field(default_factory=dict)
    open: dict[int, Instrument] = field(default_factory=dict)
    references: dict[int, DailyReference] = field(default_factory=dict)

    @property
    def next_id(self) -> int:
        return len(self.by_id) + 1

    def add(self, instrument: Instrument) -> None:
        self.by_id[instrument.id] = instrument
        self.by_symbol[instrument.symbol] = instrument
        if instrument.slot >= 0:
            self.open[instrument.id] = instrument
        if instrument.spec.limit_ppm:
            instrument.reference = DailyReference(instrument.spec.previous_close_ticks)
            self.references[instrument.id] = instrument.reference

    def close(self, instrument: Instrument, settled: Phase) -> None:
        """It has left the arrays: id and symbol stay."""
        instrument.phase, instrument.slot = settled, -1
        del self.open[instrument.id]

    def to_canonical(self) -> list[Any]:
        return [[i.id, spec_content(i.spec), int(i.phase), i.slot >= 0] for _, i in sorted(self.by_id.items())]

    def references_to_canonical(self) -> list[Any]:
        return [[instrument_id, *reference.to_canonical()] for instrument_id, reference in sorted(self.references.items())]

    def restore_references(self, content: list[Any]) -> None:
        """Inverse of `references_to_canonical`, after the instruments."""
        for instrument_id, *values in content:
            reference = DailyReference.from_canonical(values)
            self.references[instrument_id] = self.by_id[instrument_id].reference = reference


def spec_problem(spec: InstrumentSpec) -> str | None:
    """The first rule an instrument breaks, as a stable name; None when it may be listed."""
    if spec.instrument_class not in {c.name.lower() for c in InstrumentClass}:
        return "unknown_instrument_class"
    if spec.resale not in {r.name.lower() for r in Resale}:
        return "unknown_resale_rule"
    if spec.venue not in _VENUES:
        return "unknown_venue"
    if not 0 <= spec.price_decimals <= 9 or not 0 <= spec.quantity_decimals <= 9:
        return "decimals_out_of_range"
    if not 0 <= spec.min_price_ticks <= spec.band_low_ticks <= spec.band_high_ticks <= spec.max_price_ticks <= _INT32_MAX:
        return "price_range_out_of_order"
    if spec.multiplier_micro <= 0 or not 0 < spec.max_order_lots <= QUANTITY_LOTS_MAX:
        return "multiplier_or_size_not_positive"
    fees = (spec.maker_fee_lot_micro, spec.taker_fee_lot_micro, spec.maker_fee_tick_lot_micro, spec.taker_fee_tick_lot_micro, spec.park_fee_lot_micro)
    if min(fees) < 0:
        return "negative_fee"
    worst_lot_micro = spec.max_price_ticks * (spec.multiplier_micro + max(fees[2], fees[3])) + max(fees[0], fees[1]) + fees[4]
    if spec.instrument_class == "power":
        worst_lot_micro += spec.deficit_price_ticks * spec.multiplier_micro
    if worst_lot_micro * spec.max_order_lots > INT64_MAX // 1024:
        return "notional_out_of_range"
    problem = limit_problem(spec)
    if problem is None:
        problem = _power_problem(spec, fees) if spec.instrument_class == "power" else _units_problem(spec, fees)
    return problem or auction_problem(spec)


def _power_problem(spec: InstrumentSpec, fees: tuple[int, ...]) -> str | None:
    periods, rest_ns = divmod(spec.delivery_end_ns - spec.delivery_start_ns, PERIOD_NS)
    if rest_ns or spec.delivery_start_ns % PERIOD_NS or not 1 <= periods <= PERIODS_MAX:
        return "delivery_is_not_quarter_hours"
    if not spec.open_ns < spec.close_ns <= spec.delivery_start_ns:
        return "gate_out_of_order"
    if not 0 <= spec.surplus_price_ticks <= spec.deficit_price_ticks:
        return "surplus_price_above_deficit_price"
    if fees[2] or fees[3]:
        # A seller of power is paid at settlement, so the fee is held at order entry and must not depend on the price of the fill.
        return "power_fee_depends_on_price"
    return None


def _units_problem(spec: InstrumentSpec, fees: tuple[int, ...]) -> str | None:
    if fees[4]:
        return "park_fee_on_units"
    proceeds_micro = spec.min_price_ticks * spec.multiplier_micro
    if max(fees[0] + spec.min_price_ticks * fees[2], fees[1] + spec.min_price_ticks * fees[3]) > proceeds_micro:
        # A seller of units pays the fee out of the proceeds.
        return "fee_above_proceeds"
    return None
