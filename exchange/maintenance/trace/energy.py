"""The physical side of a chain: readings of a metering point, the settlement of a day, and the trades behind a member's position."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from exchange.maintenance.trace.node import Node
from exchange.maintenance.trace.past import Past, local_time
from exchange.market.instruments import Instrument
from exchange.protocol.decimals import format_decimal
from exchange.protocol.documents import Document, MeterReadings, OpeningPositions, SettleDay
from exchange.protocol.value_chain.metering import CorrectReadings, DeviceReadings
from exchange.units import PERIOD_NS, WH_PER_KWH
from matching.records import Side


def kwh(energy_wh: int) -> str:
    """Wh as kWh, exact."""
    return f"{format_decimal(energy_wh, 3)} kWh"


def trade_name(instrument: Instrument, number: int) -> str:
    return f"{instrument.symbol}#{number}"


def parties(trade: Any) -> tuple[int, int]:
    """(buyer, seller) of an EXECUTION record."""
    taker, maker = int(trade["account"]), int(trade["counter_account"])
    return (taker, maker) if trade["side"] == Side.BUY else (maker, taker)


def trade_node(past: Past, trade: Any) -> Node:
    """One trade with its price and parties, without its own chain."""
    instrument = past.exchange.instrument_by_id(int(trade["instrument"]))
    spec = instrument.spec
    buyer, seller = parties(trade)
    facts = {
        "": f"{format_decimal(int(trade['quantity_lots']), spec.quantity_decimals)} {spec.unit}",
        "@": format_decimal(int(trade["price_ticks"]), spec.price_decimals),
        "<-": past.name(seller),
        "->": past.name(buyer),
    }
    return Node("trade", trade_name(instrument, int(trade["trade_number"])), facts, int(trade["sequence"]))


def trades_of(past: Past, account: int, starts_ns: Iterable[int]) -> list[Node]:
    """Trades of an account in delivery periods, blocks over them too."""
    wanted = set(starts_ns)
    rows = past.trades[(past.trades["account"] == account) | (past.trades["counter_account"] == account)]
    found = []
    for instrument_id in np.unique(rows["instrument"]).tolist():
        instrument = past.exchange.instrument_by_id(instrument_id)
        delivers = range(instrument.spec.delivery_start_ns, instrument.spec.delivery_end_ns, PERIOD_NS) if instrument.is_power else ()
        if not wanted.isdisjoint(delivers):
            found += [trade_node(past, row) for row in rows[rows["instrument"] == instrument_id]]
    return sorted(found, key=lambda node: node.sequence)


def reading_nodes(past: Past, account: int, starts_ns: Iterable[int]) -> list[Node]:
    """Documents with readings of an account in these periods, by account or by device: how much they say it took and gave."""
    wanted, found = set(starts_ns), []
    for carried in past.documents:
        rows = list(_readings_in(past, carried.document, account, wanted))
        if rows:
            used, made, starts = sum(row[1] for row in rows), sum(row[2] for row in rows), {row[0] for row in rows}
            revision = str(getattr(carried.document, "revision", 0))
            facts = {"": f"{len(starts)} x 15 min", "in": kwh(used), "out": kwh(made), "revision": revision}
            found.append(Node("reading", f"{past.name(account)} {local_time(min(starts))}", facts, carried.sequence))
    return found


def _readings_in(past: Past, document: Document, account: int, wanted: set[int]) -> Iterator[tuple[int, int, int]]:
    """(period start, taken, given) in Wh of an account, or of each of its devices."""
    if isinstance(document, MeterReadings | CorrectReadings):
        columns = (document.accounts, document.period_starts_ns, document.consumption_wh, document.generation_wh)
        yield from ((start, taken, given) for of, start, taken, given in zip(*columns, strict=True) if of == account and start in wanted)
    elif isinstance(document, DeviceReadings):
        devices, row = {device.id for device in past.exchange.rooms.devices.of_account(account)}, 0
        for device, first_ns, count in zip(document.devices, document.first_starts_ns, document.counts, strict=True):
            if device in devices:
                for index in range(count):
                    start_ns = first_ns + index * PERIOD_NS
                    if start_ns in wanted:
                        yield start_ns, document.import_wh[row + index], document.export_wh[row + index]
            row += count


def contract_nodes(past: Past, account: int, first_ns: int, end_ns: int) -> list[Node]:
    """Monthly contracts of an account that deliver in an interval."""
    found = []
    for carried in past.documents:
        if isinstance(carried.document, OpeningPositions):
            symbols = [row.symbol for row in carried.document.positions if row.account == account]
            specs = [instrument.spec for instrument in map(past.exchange.instrument, symbols) if instrument is not None]
            inside = sum(first_ns <= spec.delivery_start_ns < end_ns for spec in specs)
            if inside:
                found.append(Node("contract", past.name(account), {"": f"{inside} x 15 min"}, carried.sequence))
    return found


def settlement_node(past: Past, start_ns: int) -> tuple[Node, SettleDay] | None:
    """The command that settled a delivery period first."""
    for carried in past.documents:
        document = carried.document
        if isinstance(document, SettleDay) and document.day_start_ns <= start_ns < document.day_end_ns:
            return Node("settlement", document.day, {}, carried.sequence), document
    return None


assert WH_PER_KWH == 10**3
