"""The physical side of a chain: readings of a metering point, the settlement of a day, and the trades behind a member's position."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from exchange.maintenance.trace.node import Node
from exchange.maintenance.trace.past import Past, local_time
from exchange.market.instruments import Instrument
from exchange.protocol.decimals import format_decimal
from exchange.protocol.documents import MeterReadings, SettleDay
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
    """Documents with readings of an account in these periods: how many, and of one period what they say."""
    wanted, found = set(starts_ns), []
    for carried in past.documents:
        document = carried.document
        if isinstance(document, MeterReadings):
            rows = [i for i, (a, s) in enumerate(zip(document.accounts, document.period_starts_ns, strict=True)) if a == account and s in wanted]
            if rows:
                used = sum(document.consumption_wh[i] for i in rows)
                made = sum(document.generation_wh[i] for i in rows)
                starts = [document.period_starts_ns[i] for i in rows]
                facts = {"": f"{len(rows)} x 15 min", "in": kwh(used), "out": kwh(made), "revision": str(document.revision)}
                found.append(Node("reading", f"{past.name(account)} {local_time(min(starts))}", facts, carried.sequence))
    return found


def settlement_node(past: Past, start_ns: int) -> tuple[Node, SettleDay] | None:
    """The command that settled a delivery period first."""
    for carried in past.documents:
        document = carried.document
        if isinstance(document, SettleDay) and document.day_start_ns <= start_ns < document.day_end_ns:
            return Node("settlement", document.day, {}, carried.sequence), document
    return None


assert WH_PER_KWH == 10**3
