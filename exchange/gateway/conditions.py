"""Validation of orders with conditions: which attributes go together, and their quantities and stop price. Reads the instrument's terms only.

docs/protocol.md, "Orders with conditions", has the rules; admission repeats them for journals of other gateways.
"""

from typing import Final, NamedTuple

from exchange.journal.record import CommandFlag
from exchange.order_path.admit import DISPLAYS_MAX
from exchange.protocol.decimals import MALFORMED, parse_decimal
from exchange.protocol.documents import InstrumentSpec
from exchange.protocol.messages import PlaceParams
from exchange.units import PERIOD_NS
from matching.records import TimeInForce

# Plain integers: operations on IntFlag members cost half a microsecond each.
POST_ONLY: Final = int(CommandFlag.POST_ONLY)
REPRICE: Final = int(CommandFlag.REPRICE)
ICEBERG: Final = int(CommandFlag.ICEBERG)
MINIMUM: Final = int(CommandFlag.MINIMUM)
ALL_OR_NONE: Final = int(CommandFlag.ALL_OR_NONE)
STOP: Final = int(CommandFlag.STOP)
REDUCE_ONLY: Final = int(CommandFlag.REDUCE_ONLY)
_MINIMUMS: Final = MINIMUM | ALL_OR_NONE
_IMMEDIATE: Final = (int(TimeInForce.IOC), int(TimeInForce.FOK))
_FOK: Final = int(TimeInForce.FOK)
_GATE: Final = int(TimeInForce.GATE)


class Conditions(NamedTuple):
    """What an order says beyond side, quantity, price and time in force. Values as parsed, so perhaps none; 0 without their flag."""

    flags: int = 0
    display_lots: int = 0
    min_lots: int = 0
    stop_ticks: int = 0

    @property
    def is_malformed(self) -> bool:
        return MALFORMED in self[1:]


NONE: Final = Conditions()


def read_conditions(params: PlaceParams, spec: InstrumentSpec | None) -> Conditions:
    """Flags and numbers of the conditions that `params` names. Without an instrument only the form of the numbers is told."""
    flags = POST_ONLY if params.post_only else 0
    if params.reduce_only:
        flags |= REDUCE_ONLY
    if params.reprice:
        flags |= REPRICE
    if params.all_or_none:
        flags |= ALL_OR_NONE
    display = minimum = stop = 0
    quantity_decimals = spec.quantity_decimals if spec is not None else 0
    if params.display is not None:
        flags |= ICEBERG
        display = parse_decimal(params.display, quantity_decimals)
    if params.min_quantity is not None:
        flags |= MINIMUM
        minimum = parse_decimal(params.min_quantity, quantity_decimals)
    if params.stop_price is not None:
        flags |= STOP
        stop = parse_decimal(params.stop_price, spec.price_decimals if spec is not None else 0)
    return Conditions(flags, display, minimum, stop) if flags else NONE


def contradict(flags: int, time_in_force: int, *, is_market: bool, has_gate: bool) -> bool:
    """Whether these attributes cannot be combined. A market order that is no stop is IOC or FOK."""
    if is_market and not flags & STOP and time_in_force not in _IMMEDIATE:
        return True
    if time_in_force == _GATE and not has_gate:
        return True
    never_rests = is_market or time_in_force in _IMMEDIATE
    minimum = flags & _MINIMUMS
    if flags & REDUCE_ONLY and minimum:
        return True
    if flags & REPRICE and not flags & POST_ONLY:
        return True
    if flags & POST_ONLY and (never_rests or minimum or flags & STOP):
        return True
    if flags & ICEBERG and (never_rests or minimum):
        return True
    return minimum == _MINIMUMS or (bool(minimum) and time_in_force == _FOK)


def may_reduce(spec: InstrumentSpec) -> bool:
    """Whether orders may be reduce-only: a quarter-hour of power has one net position, a block has many and units are owned."""
    return spec.delivery_end_ns - spec.delivery_start_ns == PERIOD_NS


def is_display(display_lots: int, quantity_lots: int) -> bool:
    """Whether an order of that quantity may show so much."""
    return 0 < display_lots <= quantity_lots <= DISPLAYS_MAX * display_lots
