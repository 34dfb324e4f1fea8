"""The chain of one trade: the orders and meters behind it, its postings, and what delivery made of it."""

from typing import Any

import numpy as np

from exchange.errors import InputError
from exchange.ledger.chart import House
from exchange.maintenance.trace.certificates import certificates_of_period, units_moved
from exchange.maintenance.trace.energy import parties, reading_nodes, settlement_node, trade_node
from exchange.maintenance.trace.lines import line_nodes
from exchange.maintenance.trace.node import Node
from exchange.maintenance.trace.past import Past
from exchange.order_path.records import PostingReason
from exchange.protocol.decimals import format_decimal
from exchange.settlement.statement import LineItem
from exchange.units import PERIOD_NS


def trace_trade(past: Past, what: str) -> Node:
    """`what` is SYMBOL#NUMBER. Raises InputError when there is no such trade."""
    symbol, _, number = what.partition("#")
    instrument = past.exchange.instrument(symbol)
    if instrument is None or not number.isascii() or not number.isdigit():
        raise InputError(f"there is no instrument {symbol[:32]}, or no number behind #")
    rows = past.trades[(past.trades["instrument"] == instrument.id) & (past.trades["trade_number"] == int(number[:18]))]
    if not len(rows):
        raise InputError(f"{symbol} has no trade {int(number[:18])}")
    trade = rows[0]
    node = trade_node(past, trade)
    node.origins += [_order(past, trade, side) for side in ("", "counter_") if trade[f"{side}order_id"]]
    node.outcomes += _postings(past, trade)
    if instrument.is_power:
        starts = range(instrument.spec.delivery_start_ns, instrument.spec.delivery_end_ns, PERIOD_NS)
        node.outcomes += _delivery(past, trade, starts)
    else:
        node.outcomes += units_moved(past, trade)
    return node


def _order(past: Past, trade: Any, side: str) -> Node:
    client_order_id = trade[f"{side}client_order_id"].decode()
    order_id = int(trade[f"{side}order_id"])
    facts = {"": past.name(int(trade[f"{side}account"])), "client_order_id": client_order_id}
    return Node("order", str(order_id), facts, past.placed_by(order_id))


def _postings(past: Past, trade: Any) -> list[Node]:
    """The postings of this one trade: an auction posts many trades in one command."""
    sequence = int(trade["sequence"])
    before = np.count_nonzero((past.trades["sequence"] == sequence) & (past.trades["index"] < trade["index"]))
    for batch, _ in past.at({sequence}):
        rows = np.sort(batch.postings[batch.postings["sequence"] == sequence], order="index")
        # Each trade begins with the money that leaves its buyer.
        begins = (rows["reason"] == int(PostingReason.TRADE)) & (rows["debit"] != int(House.CLEARING))
        return [_posting(past, row) for row in rows[np.cumsum(begins) == before + 1]]
    return []


def _posting(past: Past, row: Any) -> Node:
    amount = f"{format_decimal(int(row['amount']), 6)} CNY" if row["asset"] == 0 else str(row["amount"])
    reason, debit, credit = PostingReason(int(row["reason"])).name.lower(), past.name(int(row["debit"])), past.name(int(row["credit"]))
    facts = {"": reason, "amount": amount, "<-": debit, "->": credit}
    return Node("posting", f"{row['sequence']}.{row['index']}", facts)


def _delivery(past: Past, trade: Any, starts: range) -> list[Node]:
    """Meters, settlement, lines and certificates of both parties in the periods of the trade."""
    buyer, seller = parties(trade)
    found = [node for account in (seller, buyer) for node in reading_nodes(past, account, starts)]
    settled = settlement_node(past, starts[0])
    if settled is None:
        return found
    node, document = settled
    for account, item in ((buyer, LineItem.ENERGY_BOUGHT), (seller, LineItem.ENERGY_SOLD)):
        node.outcomes += [line for line in line_nodes(past, document.day, account) if line.name.endswith(f"/{item}")]
    for account in (buyer, seller):
        node.outcomes += certificates_of_period(past, account, starts)
    return [*found, node]
