"""Eligibility baskets: an instrument that takes any unit which meets its criteria, and gives back what was put in."""

from typing import TYPE_CHECKING, Final

from exchange.errors import InputError
from exchange.market.instruments import Instrument
from exchange.metering.devices import DeviceKind
from exchange.order_path.business import units
from exchange.order_path.business.rules import BusinessRuleError, Caller, Handler, Result, listed, require
from exchange.order_path.level import Level
from exchange.protocol.document import Document
from exchange.protocol.instrument_class import InstrumentClass
from exchange.protocol.value_chain.units import ConvertUnits, DefineEligibility
from exchange.registry.eligibility import Criteria
from exchange.registry.serials import DEVICE_SCHEMES, UnitScheme, parse_serial

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange

_RANGES_MAX: Final = 1_000


def define_eligibility(exchange: "Exchange", document: DefineEligibility, _caller: Caller) -> Result:
    """A listed instrument without units becomes a basket, or gets other criteria while it is empty."""
    require(exchange.level >= Level.VALUE_CHAIN, "exchange_has_no_registry")
    instrument = listed(exchange, document.symbol)
    require(not instrument.is_power, "power_has_no_serial_numbers")
    classes = {c.name.lower(): c for c in InstrumentClass if c is not InstrumentClass.POWER}
    require(set(document.instrument_classes) <= set(classes), "unknown_instrument_class")
    require(set(document.schemes) <= set(UnitScheme.__members__), "unknown_scheme")
    require(set(document.technologies) <= {str(kind) for kind in DeviceKind}, "unknown_device_kind")
    require(0 <= document.vintage_from <= 999_912 and 0 <= document.vintage_to <= 999_912, "vintage_out_of_range")
    require(not document.vintage_to or document.vintage_from <= document.vintage_to, "vintage_out_of_range")
    require(len(document.sources) <= _RANGES_MAX and all(0 < source < 2**31 for source in document.sources), "source_out_of_range")
    exchange.drain_output()
    basket = exchange.rooms.baskets.by_asset.get(instrument.id)
    issued = exchange.state.positions[instrument.slot]["net_lots"].any()
    ever = basket is None and bool((exchange.rooms.registry.rows["origin"] == instrument.id).any())
    require(not issued and not ever, "instrument_has_units")
    exchange.rooms.baskets.by_asset[instrument.id] = Criteria(
        tuple(sorted(classes[name] for name in set(document.instrument_classes))),
        tuple(sorted(UnitScheme[name] for name in set(document.schemes))),
        tuple(sorted(DeviceKind(name) for name in set(document.technologies))),
        tuple(sorted(set(document.sources))),
        document.vintage_from,
        document.vintage_to,
    )
    exchange.notify("basket", {"symbol": document.symbol, "instrument": instrument.id})
    return {}


def convert_units(exchange: "Exchange", document: ConvertUnits, caller: Caller) -> Result:
    """Into a basket what meets its criteria; out of one what was issued for the instrument asked for."""
    require(exchange.level >= Level.VALUE_CHAIN, "exchange_has_no_registry")
    source, target = listed(exchange, document.symbol), listed(exchange, document.to_symbol)
    require(not source.is_power and not target.is_power, "power_has_no_serial_numbers")
    require(len(document.ranges) <= _RANGES_MAX, "too_many_ranges")
    try:
        ranges = [parse_serial(text) for text in document.ranges]
    except InputError:
        raise BusinessRuleError("serial_number_malformed") from None
    quantity = document.quantity_lots or sum(item.quantity for item in ranges)
    # What may be sold, and in which amounts, must not change on the way.
    require(source.resale is target.resale, "resale_rules_differ")
    require((source.spec.unit, source.spec.quantity_decimals) == (target.spec.unit, target.spec.quantity_decimals), "units_differ")
    units.require_held(exchange, source, caller.account, quantity, ranges)
    registry = exchange.rooms.registry
    rows = [row for item in ranges for row in registry.leaves(item)] or registry.first_rows(source.id, caller.account, quantity)
    for row in rows:
        problem = _problem(exchange, source, target, row)
        require(problem is None, str(problem))
    moved = units.convert(exchange, source, target, caller.account, quantity, ranges)
    shown = {"quantity_lots": quantity, "bundles": len(moved), "ranges": units.ranges_of(exchange, moved)[:100]}
    facts = {"action": "converted", "account": caller.account, "symbol": document.symbol, "to_symbol": document.to_symbol}
    exchange.notify("units", {**facts, **shown})
    return shown


def _problem(exchange: "Exchange", source: Instrument, target: Instrument, row: int) -> str | None:
    """Why a bundle cannot go from one instrument to the other."""
    baskets, bundle = exchange.rooms.baskets.by_asset, exchange.rooms.registry.rows[row]
    if source.id in baskets:
        return None if int(bundle.origin) == target.id else "issued_for_another_instrument"
    if target.id not in baskets:
        return "not_a_basket"
    scheme, number = UnitScheme(int(bundle.scheme)), int(bundle.source)
    device = exchange.rooms.devices.by_id.get(number) if scheme in DEVICE_SCHEMES else None
    technology = None if device is None else device.kind
    return baskets[target.id].problem(source.instrument_class, scheme, technology, number, int(bundle.vintage))


HANDLERS: Final[dict[type[Document], Handler]] = {DefineEligibility: define_eligibility, ConvertUnits: convert_units}
