"""What is traded, from its tables: rules of the power contracts, and the certificates, allowances and credits with bands and fees."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from clients.scenarios.attributes import Reader, unit_symbol
from clients.scenarios.model import PowerRules, UnitInstrument, UnitProgramme
from clients.scenarios.schema import InstrumentTable, PowerTable
from exchange.protocol.instrument_class import InstrumentClass, Resale
from exchange.units import UNIT_MULTIPLIER_MICRO

_VENUES: Final = ("national_simulated", "internal")
_CALENDARS: Final = ("continuous", "cea")


class Holder(Protocol):
    """Who may hold certificates, allowances and credits and wants to trade in them."""

    @property
    def id(self) -> str: ...
    @property
    def holdings_lots(self) -> Mapping[str, int]: ...
    @property
    def programmes(self) -> tuple[UnitProgramme, ...]: ...


def power_rules(power: PowerTable, reader: Reader) -> PowerRules:
    """Rules of the power contracts; problems are noted in `reader`."""
    try:
        opens = datetime.time.fromisoformat(power.opens)
    except ValueError:
        reader.note(f"power.opens: {power.opens[:20]!r} is not a local time such as 16:00", "power", "opens")
        opens = datetime.time()
    if not 0 <= power.opening_auction_minutes <= 120:
        reader.note("power.opening_auction_minutes: expected 0 to 120", "power", "opening_auction_minutes")
    if not 0 <= power.gate_closure_minutes <= 60:
        reader.note("power.gate_closure_minutes: expected 0 to 60", "power", "gate_closure_minutes")
    low = reader.scaled(power.min_price_cny_per_kwh, 4, "power", "min_price_cny_per_kwh")
    high = reader.scaled(power.max_price_cny_per_kwh, 4, "power", "max_price_cny_per_kwh")
    if low > high:
        reader.note("power: min_price is above max_price", "power", "min_price_cny_per_kwh")
    return PowerRules(
        opens=opens,
        opening_auction_minutes=power.opening_auction_minutes,
        gate_closure_minutes=power.gate_closure_minutes,
        min_price_ticks=low,
        max_price_ticks=high,
        max_order_lots=reader.scaled(power.max_order_kwh, 1, "power", "max_order_kwh"),
        maker_fee_micro_per_kwh=reader.scaled(power.maker_fee_cny_per_kwh, 6, "power", "maker_fee_cny_per_kwh"),
        taker_fee_micro_per_kwh=reader.scaled(power.taker_fee_cny_per_kwh, 6, "power", "taker_fee_cny_per_kwh"),
        park_fee_micro_per_kwh=reader.scaled(power.park_fee_cny_per_kwh, 6, "power", "park_fee_cny_per_kwh"),
        environment_micro_per_kwh=reader.scaled(power.environment_cny_per_kwh, 6, "power", "environment_cny_per_kwh"),
    )


def unit_instrument(entry: InstrumentTable, index: int, date: datetime.date, reader: Reader) -> UnitInstrument:
    """The `index`-th certificate, allowance or credit of the scenario; problems are noted in `reader`."""
    classes = {kind.name.lower() for kind in InstrumentClass if kind is not InstrumentClass.POWER}
    resales = {rule.name.lower() for rule in Resale}
    for key, value, known in (
        ("instrument_class", entry.instrument_class, sorted(classes)),
        ("venue", entry.venue, _VENUES),
        ("calendar", entry.calendar, _CALENDARS),
        ("resale", entry.resale, sorted(resales)),
    ):
        if value not in known:
            reader.note(f"instrument {entry.symbol}: {key}: {value[:30]!r}; expected one of {', '.join(known)}", "instrument", index, key)
    close = reader.scaled(entry.previous_close_cny, 2, "instrument", index, "previous_close_cny")
    if not 0 < entry.band_permille < 1000:
        reader.note(f"instrument {entry.symbol}: band_permille: expected 1 to 999", "instrument", index, "band_permille")
    low, high = price_band(close, entry.band_permille)
    return UnitInstrument(
        symbol=unit_symbol(entry.symbol, date),
        name_en=entry.name,
        name_zh=entry.name_zh,
        instrument_class=entry.instrument_class,
        venue=entry.venue,
        calendar=entry.calendar,
        resale=entry.resale,
        unit=entry.unit,
        previous_close_ticks=close,
        band_low_ticks=low,
        band_high_ticks=high,
        max_order_lots=entry.max_order_lots,
        maker_fee_tick_lot_micro=_fee(entry.maker_fee_permille, "maker_fee_permille", index, reader),
        taker_fee_tick_lot_micro=_fee(entry.taker_fee_permille, "taker_fee_permille", index, reader),
    )


def price_band(close_ticks: int, band_permille: int) -> tuple[int, int]:
    """Least and greatest price, rounded inwards: a price at the edge is never beyond the stated share of the previous close."""
    return -(-close_ticks * (1000 - band_permille) // 1000), close_ticks * (1000 + band_permille) // 1000


def _fee(value: str | int, key: str, index: int, reader: Reader) -> int:
    """Fee in micro-CNY for a tick of a lot: 0.1 permille of 0.01 CNY is one micro-CNY, the finest step there is."""
    tenths = reader.scaled(value, 1, "instrument", index, key)
    return tenths * UNIT_MULTIPLIER_MICRO // 10_000


def check_symbols(members: Sequence[Holder], instruments: tuple[UnitInstrument, ...], reader: Reader) -> None:
    """Note holdings and programmes in what is not listed, and sales beyond what is held."""
    known = {instrument.symbol for instrument in instruments}
    for index, member in enumerate(members):
        for symbol in member.holdings_lots:
            if symbol not in known:
                reader.note(f"member {member.id}: holdings of {symbol[:30]!r}, which is not a listed instrument", "member", index, "holdings")
        for programme in member.programmes:
            if programme.symbol not in known:
                reader.note(
                    f"member {member.id}: programme for {programme.symbol[:30]!r}, which is not a listed instrument", "member", index, "programme"
                )
            if -programme.quantity_lots > member.holdings_lots.get(programme.symbol, 0):
                reader.note(f"member {member.id}: programme sells more {programme.symbol[:30]} than it holds", "member", index, "programme")
