"""What an instrument says of its auctions, and the rules of that."""

from typing import Any, Final

from exchange.protocol.documents import InstrumentSpec
from exchange.units import PPM

NO_PRICE: Final = -1


def auction_problem(spec: InstrumentSpec) -> str | None:
    """The first rule that the terms of auctions break, as a stable name."""
    call_ns = spec.opening_auction_ns + spec.closing_auction_ns
    if min(spec.opening_auction_ns, spec.closing_auction_ns, spec.interruption_ns) < 0:
        return "auction_length_negative"
    if call_ns and spec.instrument_class != "power":
        # Only a book with a day of its own, from its opening to its gate, has a place for them.
        return "call_phase_without_gate"
    if call_ns > max(0, spec.close_ns - spec.open_ns):
        return "call_phases_do_not_fit"
    if not 0 <= spec.interruption_ppm <= PPM:
        return "interruption_width_out_of_range"
    if (spec.interruption_ppm > 0) != (spec.interruption_ns > 0):
        return "interruption_incomplete"
    if spec.auction_price_rule not in {"reference", "k"}:
        return "unknown_auction_price_rule"
    if not 0 <= spec.k_ppm <= PPM:
        return "k_out_of_range"
    needs_reference = spec.interruption_ppm > 0 or (call_ns > 0 and spec.auction_price_rule == "reference")
    if needs_reference and spec.reference_price_ticks == NO_PRICE:
        return "reference_price_missing"
    if spec.reference_price_ticks != NO_PRICE and not spec.min_price_ticks <= spec.reference_price_ticks <= spec.max_price_ticks:
        return "reference_price_out_of_range"
    return None


def continuous_end_ns(spec: InstrumentSpec) -> int:
    """When continuous trading of a power contract ends at the latest; 0 for units, which have no gate."""
    return spec.close_ns - spec.closing_auction_ns if spec.instrument_class == "power" else 0


def dynamic_band(spec: InstrumentSpec, reference_ticks: int) -> tuple[int, int]:
    """Prices at which trading goes on, both included: at least one tick to either side of the reference."""
    half_ticks = max(1, reference_ticks * spec.interruption_ppm // PPM)
    return reference_ticks - half_ticks, reference_ticks + half_ticks


def reference_ticks(record: Any, spec: InstrumentSpec) -> int:
    """Price of the last auction that traded (in the INSTRUMENT record), before that the listed reference; 0 without either."""
    auction_ticks = int(record.auction_ticks)
    return auction_ticks if auction_ticks != NO_PRICE else max(0, spec.reference_price_ticks)
