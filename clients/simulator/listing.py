"""What the operator sends before a market day: members, instruments, money, opening positions, units, storage, as documents of the protocol.

Documents are cut so that each stays far below the limit of a frame.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeVar

import msgspec

from clients.scenarios.model import Member, Park, UnitInstrument
from exchange.errors import InputError
from exchange.protocol.documents import (
    Admit,
    Deposit,
    InstrumentSpec,
    IssueUnits,
    Key,
    ListInstruments,
    OpeningPosition,
    OpeningPositions,
    RegisterStorage,
)
from exchange.protocol.value_chain.metering import RegisterDevice
from exchange.units import NS_PER_MINUTE, PERIOD_NS, POWER_LOT_WH, POWER_MULTIPLIER_MICRO, UNIT_MULTIPLIER_MICRO, WH_PER_KWH

POWER_PRICE_DECIMALS: Final = 4
POWER_QUANTITY_DECIMALS: Final = 1
UNIT_PRICE_DECIMALS: Final = 2
_INSTRUMENTS_A_DOCUMENT: Final = 24
_PEAK_HOURS: Final = range(16, 20)
_SUMS_OF_BLOCK: Final = ("multiplier_micro", "maker_fee_lot_micro", "taker_fee_lot_micro", "park_fee_lot_micro")
_PERIODS_A_DOCUMENT: Final = 8
_TRADER_SCOPES: Final = ["read", "trade"]
_SILENT_SCOPES: Final = ["read"]
_COMMISSIONED_NS: Final = 1_704_038_400_000_000_000  # 2024-01-01 in Shanghai; a certificate states it

_Item = TypeVar("_Item")


def admit_document(member: Member, public_key: bytes) -> Admit:
    """A member with its one key, named `<id>-1`."""
    scopes = _TRADER_SCOPES if member.permissions else _SILENT_SCOPES
    return Admit(
        name=member.id,
        role=member.role,
        permissions=list(member.permissions),
        min_net_power_lots=member.min_net_power_lots,
        max_net_power_lots=member.max_net_power_lots,
        keys=[Key(key_id=key_id(member), public_key=public_key, scopes=scopes)],
    )


def key_id(member: Member) -> str:
    """Id of a member's first key."""
    return f"{member.id}-1"


def power_instruments(park: Park) -> list[InstrumentSpec]:
    """One green power contract a quarter-hour of the day."""
    power = park.power
    return [
        InstrumentSpec(
            symbol=symbol,
            instrument_class="power",
            venue="park",
            calendar="continuous",
            price_decimals=POWER_PRICE_DECIMALS,
            quantity_decimals=POWER_QUANTITY_DECIMALS,
            multiplier_micro=POWER_MULTIPLIER_MICRO,
            unit="kWh",
            min_price_ticks=power.min_price_ticks,
            max_price_ticks=power.max_price_ticks,
            band_low_ticks=power.min_price_ticks,
            band_high_ticks=power.max_price_ticks,
            max_order_lots=power.max_order_lots,
            maker_fee_lot_micro=fee_of_a_lot(power.maker_fee_micro_per_kwh, "maker fee"),
            taker_fee_lot_micro=fee_of_a_lot(power.taker_fee_micro_per_kwh, "taker fee"),
            park_fee_lot_micro=fee_of_a_lot(power.park_fee_micro_per_kwh, "park fee"),
            deficit_price_ticks=int(park.deficit_price_ticks[i]),
            surplus_price_ticks=int(park.surplus_price_ticks[i]),
            delivery_start_ns=int(park.start_ns[i]),
            delivery_end_ns=int(park.start_ns[i]) + PERIOD_NS,
            open_ns=park.opens_ns,
            close_ns=int(park.gate_ns[i]),
            opening_auction_ns=power.opening_auction_minutes * NS_PER_MINUTE,
            # Nobody has a price to refer to before the first trade of a day.
            auction_price_rule="k",
        )
        for i, symbol in enumerate(park.symbols)
    ]


def block_instruments(quarters: Sequence[InstrumentSpec]) -> list[InstrumentSpec]:
    """The peak block, 16:00 to 20:00, where all its quarter-hours are among those of the day: their terms, and the sums of their fees."""
    wanted = {f"{hour:02d}{minute:02d}" for hour in _PEAK_HOURS for minute in (0, 15, 30, 45)}
    covered = [quarter for quarter in quarters if quarter.symbol.rpartition("-")[2] in wanted]
    if len(covered) != len(wanted):
        return []
    sums = {name: sum(getattr(quarter, name) for quarter in covered) for name in _SUMS_OF_BLOCK}
    own = {"deficit_price_ticks": 0, "surplus_price_ticks": 0, "environment_price_ticks": 0}
    symbol = f"{covered[0].symbol.rpartition('-')[0]}-PEAK"
    return [msgspec.structs.replace(covered[0], symbol=symbol, delivery_end_ns=covered[-1].delivery_end_ns, **sums, **own)]


def unit_instrument(unit: UnitInstrument) -> InstrumentSpec:
    """A certificate, allowance or credit."""
    return InstrumentSpec(
        symbol=unit.symbol,
        instrument_class=unit.instrument_class,
        venue=unit.venue,
        calendar=unit.calendar,
        price_decimals=UNIT_PRICE_DECIMALS,
        quantity_decimals=0,
        multiplier_micro=UNIT_MULTIPLIER_MICRO,
        unit=unit.unit,
        min_price_ticks=unit.band_low_ticks,
        max_price_ticks=unit.band_high_ticks,
        band_low_ticks=unit.band_low_ticks,
        band_high_ticks=unit.band_high_ticks,
        max_order_lots=unit.max_order_lots,
        resale=unit.resale,
        maker_fee_tick_lot_micro=unit.maker_fee_tick_lot_micro,
        taker_fee_tick_lot_micro=unit.taker_fee_tick_lot_micro,
    )


def instrument_documents(park: Park) -> Iterator[ListInstruments]:
    """All instruments of the day."""
    quarters = power_instruments(park)
    specs = [*quarters, *(unit_instrument(unit) for unit in park.instruments), *block_instruments(quarters)]
    for chunk in _chunks(specs, _INSTRUMENTS_A_DOCUMENT):
        yield ListInstruments(instruments=list(chunk))


def account_documents(park: Park, accounts: Mapping[str, int]) -> Iterator[Deposit | IssueUnits | RegisterStorage]:
    """Opening cash, units and storage of every member; `accounts` maps member ids to account ids."""
    for member in park.members:
        account = accounts[member.id]
        if member.cash_micro:
            yield Deposit(account=account, amount_micro=member.cash_micro, reference=f"opening-{member.id}")
        for symbol, lots in member.holdings_lots.items():
            if lots:
                yield IssueUnits(account=account, symbol=symbol, quantity_lots=lots, reference=f"opening-{member.id}")
        if member.storage is not None:
            storage = member.storage
            yield RegisterStorage(
                account=account,
                soc_wh=storage.soc_initial_wh,
                soc_min_wh=storage.soc_min_wh,
                soc_max_wh=storage.soc_max_wh,
                power_w=storage.power_w,
                charge_efficiency_ppm=storage.charge_efficiency_ppm,
                discharge_efficiency_ppm=storage.discharge_efficiency_ppm,
            )


def device_documents(park: Park, accounts: Mapping[str, int]) -> Iterator[RegisterDevice]:
    """What stands behind the meters of plants and storages. Their energy is certified by quarter-hour, at settlement."""
    for member in park.members:
        if member.generation_kind:
            yield RegisterDevice(
                account=accounts[member.id], name=member.generation_kind, kind=member.generation_kind, capacity_w=member.generation_kw * 1000,
                commissioned_ns=_COMMISSIONED_NS, scheme="granular", location=park.name_en,
            )  # fmt: skip
        if member.storage is not None:
            yield RegisterDevice(
                account=accounts[member.id], name="storage", kind="storage", capacity_w=member.storage.power_w, commissioned_ns=_COMMISSIONED_NS
            )


def contract_documents(park: Park, accounts: Mapping[str, int]) -> Iterator[OpeningPositions]:
    """Monthly contracts decomposed to the periods of the day, with their average price."""
    price_ticks = average_contract_price_ticks(park)
    for periods in _chunks(range(len(park.symbols)), _PERIODS_A_DOCUMENT):
        positions = [
            OpeningPosition(account=accounts[member.id], symbol=park.symbols[i], net_lots=int(member.contract_lots[i]))
            for i in periods
            for member in park.members
            if member.contract_lots[i]
        ]
        if positions:
            yield OpeningPositions(positions=positions, contract_price_ticks=price_ticks)


def average_contract_price_ticks(park: Park) -> int:
    """Volume-weighted price of the day's contracts, 0 without any; information for statements."""
    lots = [int(contract.lots.sum()) for contract in park.contracts]
    value = sum(volume * contract.price_micro_per_kwh for volume, contract in zip(lots, park.contracts, strict=True))
    micro_per_tick = WH_PER_KWH // POWER_LOT_WH * POWER_MULTIPLIER_MICRO
    return value // sum(lots) // micro_per_tick if sum(lots) else 0


def fee_of_a_lot(micro_per_kwh: int, what: str) -> int:
    """Fee of one lot. Raises InputError where the fee of a kWh does not divide into lots."""
    per_lot, rest = divmod(micro_per_kwh * POWER_LOT_WH, WH_PER_KWH)
    if rest:
        raise InputError(f"scenario: {what} of {micro_per_kwh} micro-CNY/kWh is not a whole number for a lot of {POWER_LOT_WH} Wh")
    return per_lot


def _chunks(items: Sequence[_Item], size: int) -> Iterator[Sequence[_Item]]:
    return (items[i : i + size] for i in range(0, len(items), size))
