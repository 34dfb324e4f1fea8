"""The specification of an instrument as a part of the state."""

from typing import Any, Final

import msgspec

from exchange.protocol.documents import InstrumentSpec

# Fields that specifications of older journals do not have: at their default they are no part of the state, so those journals keep their hashes.
_LATER: Final = (
    "opening_auction_ns", "closing_auction_ns", "interruption_ns", "interruption_ppm", "reference_price_ticks", "auction_price_rule", "k_ppm",
    "limit_ppm", "previous_close_ticks", "block_limit_ppm", "block_min_lots",
)  # fmt: skip
_DEFAULTS: Final = {field.name: field.default for field in msgspec.structs.fields(InstrumentSpec) if field.name in _LATER}


def spec_content(spec: InstrumentSpec) -> dict[str, Any]:
    """A specification as canonical values."""
    fields: dict[str, Any] = msgspec.to_builtins(spec)
    return {name: value for name, value in fields.items() if name not in _DEFAULTS or value != _DEFAULTS[name]}
