"""A day to settle, gathered from the arrays; for a later run, when the arrays have forgotten it, from what the first run kept."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from exchange.market.instruments import Instrument
from exchange.metering.device_store import read_devices
from exchange.metering.devices import DeviceKind
from exchange.order_path.business.green import green_input, rules_of
from exchange.order_path.business.network import compensation
from exchange.order_path.level import Level
from exchange.settlement.book import Positions
from exchange.settlement.day_input import NO_NOMINATION, BlockTrades, DayInput, TradeTotals
from exchange.settlement.record import SettledDay
from exchange.units import PERIOD_NS, POWER_LOT_WH

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange

Int64Array = NDArray[np.int64]

_TRADES = tuple(TradeTotals.__dataclass_fields__)
_BLOCKS = tuple(BlockTrades.__dataclass_fields__)


def open_power(exchange: "Exchange", blocks: bool) -> list[Instrument]:
    """Open quarter-hours, or open blocks, by id."""
    found = [i for i in exchange.rooms.instruments.open.values() if (i.is_block if blocks else i.is_quarter_hour)]
    return sorted(found, key=lambda instrument: instrument.id)


def gather(exchange: "Exchange", day: str, periods: list[Instrument], adders: dict[int, int]) -> DayInput:
    """The day as arrays of [account, period], accounts by id."""
    members = list(exchange.rooms.participants.by_id.values())
    accounts = np.array([member.id for member in members], np.int64)
    cells = exchange.state.positions[np.ix_(np.array([instrument.slot for instrument in periods]), accounts)]
    columns = {name: np.ascontiguousarray(cells[column].T) for name, column in _CELLS.items()}
    starts_ns = [instrument.spec.delivery_start_ns for instrument in periods]
    own = {
        "voltage_adder_micro_per_kwh": np.array([adders.get(member.id, 0) for member in members], np.int64),
        "nomination_wh": _nominations(exchange, accounts, periods),
        "blocks": _block_trades(exchange, starts_ns, accounts),
    }
    return _day(exchange, day, accounts, periods, columns | own)


def regather(exchange: "Exchange", record: SettledDay, kept: Positions) -> DayInput:
    """The day as it was traded, with the readings, the cash and the devices of now."""
    periods = [exchange.rooms.instruments.by_id[instrument_id] for instrument_id in kept.instruments.tolist()]
    nominations = np.full(kept.net_lots.shape, NO_NOMINATION, np.int64)
    nominations[kept.nominations[:, 0], kept.nominations[:, 1]] = kept.nominations[:, 2]
    none = np.zeros(kept.net_lots.shape, np.int64)
    own: dict[str, Any] = {
        "net_lots": kept.net_lots, "contract_lots": kept.contract_lots, "bought_lots": np.maximum(kept.net_lots, 0),
        "sold_lots": np.maximum(-kept.net_lots, 0), "bought_value_micro": none, "sold_value_micro": none, "trading_fee_micro": none,
        "held_park_fee_micro": none, "held_guarantee_micro": none, "voltage_adder_micro_per_kwh": kept.adders_micro_per_kwh,
        "nomination_wh": nominations, "restated": TradeTotals(**dict(zip(_TRADES, kept.trades, strict=True))),
        "blocks": BlockTrades(**dict(zip(_BLOCKS, kept.blocks, strict=True))) if kept.blocks.any() else None,
    }  # fmt: skip
    return _day(exchange, record.day, record.accounts, periods, own)


def positions_of(day: DayInput, periods: list[Instrument]) -> Positions:
    """What a later run of the day needs."""
    none = np.zeros(len(day.accounts), np.int64)
    row, column = np.nonzero(day.nomination_wh != NO_NOMINATION)
    totals = day.trade_totals
    return Positions(
        instruments=np.array([instrument.id for instrument in periods], np.int64),
        net_lots=day.net_lots,
        contract_lots=day.contract_lots,
        adders_micro_per_kwh=day.voltage_adder_micro_per_kwh,
        trades=np.array([getattr(totals, name) for name in _TRADES], np.int64),
        blocks=np.array([none if day.blocks is None else getattr(day.blocks, name) for name in _BLOCKS], np.int64),
        nominations=np.stack([row, column, day.nomination_wh[row, column]], axis=-1),
    )


# Columns of the day and of POSITION.
_CELLS = {
    "net_lots": "net_lots", "contract_lots": "contract_lots", "bought_lots": "bought_lots", "sold_lots": "sold_lots",
    "bought_value_micro": "bought_micro", "sold_value_micro": "sold_micro", "trading_fee_micro": "fees_micro",
    "held_park_fee_micro": "held_park_fee_micro", "held_guarantee_micro": "held_guarantee_micro",
}  # fmt: skip


def _day(exchange: "Exchange", day: str, accounts: Int64Array, periods: list[Instrument], own: dict[str, Any]) -> DayInput:
    members = [exchange.rooms.participants.by_id[account] for account in accounts.tolist()]
    starts_ns = np.array([instrument.spec.delivery_start_ns for instrument in periods], np.int64)
    metered = exchange.rooms.meters.metered_accounts()
    cash = exchange.state.accounts

    def of_spec(name: str) -> Int64Array:
        return np.array([getattr(instrument.spec, name) for instrument in periods], np.int64)

    has_value_chain = exchange.level >= Level.VALUE_CHAIN
    readings = exchange.rooms.meters.read(accounts.tolist(), starts_ns.tolist())
    curtailed_wh, curtailed_micro = compensation(exchange, accounts, periods, readings.generation_wh - readings.consumption_wh)
    return DayInput(
        day=day,
        accounts=accounts,
        names=tuple(member.name for member in members),
        roles=tuple(str(member.role) for member in members),
        symbols=tuple(instrument.symbol for instrument in periods),
        period_starts_ns=starts_ns,
        deficit_price_ticks=of_spec("deficit_price_ticks"),
        surplus_price_ticks=of_spec("surplus_price_ticks"),
        park_fee_lot_micro=of_spec("park_fee_lot_micro"),
        contract_price_ticks=np.array([exchange.rooms.contract_price_ticks.get(i.id, 0) for i in periods], np.int64),
        available_micro=np.asarray(cash.balance_micro[accounts] - cash.held_micro[accounts], np.int64),
        must_be_metered=np.array([account in metered for account in accounts.tolist()], np.bool_),
        readings=readings,
        rules=rules_of(exchange, int(starts_ns[0])),
        environment_price_ticks=of_spec("environment_price_ticks") if has_value_chain else None,
        green=green_input(exchange, day, accounts, starts_ns, readings) if has_value_chain else None,
        curtailed_wh=curtailed_wh,
        curtailed_micro=curtailed_micro,
        heat_wh=_thermal_wh(exchange, accounts, starts_ns, DeviceKind.HEAT) if has_value_chain else None,
        cold_wh=_thermal_wh(exchange, accounts, starts_ns, DeviceKind.COLD) if has_value_chain else None,
        **own,
    )


def _nominations(exchange: "Exchange", accounts: Int64Array, periods: list[Instrument]) -> Int64Array:
    nominations = np.full((len(accounts), len(periods)), NO_NOMINATION, np.int64)
    for row in np.flatnonzero(exchange.state.accounts.storage[accounts] >= 0).tolist():
        account = int(accounts[row])
        for column, instrument in enumerate(periods):
            injection_wh = exchange.rooms.nominations.get((account, instrument.id))
            if injection_wh is not None:
                nominations[row, column] = injection_wh
    return nominations


def _thermal_wh(exchange: "Exchange", accounts: Int64Array, starts_ns: Int64Array, kind: DeviceKind) -> Int64Array:
    """What the meters of a carrier took less what they gave, by account: [n]."""
    energy_wh = np.zeros(len(accounts), np.int64)
    devices = [device for device in exchange.rooms.devices.by_id.values() if device.kind is kind]
    if devices:
        cells = read_devices(exchange.rooms.meters.devices, [device.id for device in devices], starts_ns)
        taken_wh = (cells.import_wh.astype(np.int64) - cells.export_wh).sum(axis=1)
        np.add.at(energy_wh, np.searchsorted(accounts, [device.account for device in devices]), taken_wh)
    return energy_wh


def _block_trades(exchange: "Exchange", starts_ns: list[int], accounts: Int64Array) -> BlockTrades | None:
    """The part of all trades of open blocks that is delivered in the given periods; a block's value is the same in each of its own."""
    totals = np.zeros((4, len(accounts)), np.int64)
    wanted_ns = set(starts_ns)
    for block in open_power(exchange, blocks=True):
        periods = len(wanted_ns.intersection(range(block.spec.delivery_start_ns, block.spec.delivery_end_ns, PERIOD_NS)))
        rows = exchange.state.positions[block.slot, accounts]
        totals[0] += rows["bought_lots"] * periods * POWER_LOT_WH
        totals[1] += rows["sold_lots"] * periods * POWER_LOT_WH
        totals[2] += rows["bought_micro"] // block.periods * periods
        totals[3] += rows["sold_micro"] // block.periods * periods
    return BlockTrades(**dict(zip(_BLOCKS, totals, strict=True))) if totals.any() else None
