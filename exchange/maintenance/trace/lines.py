"""The chain of one line of a statement: the trades, readings and rules that it is made of."""

from typing import Final

from exchange.errors import InputError
from exchange.maintenance.trace.certificates import certificates_of_period
from exchange.maintenance.trace.energy import contract_nodes, kwh, reading_nodes, settlement_node, trades_of
from exchange.maintenance.trace.node import Node
from exchange.maintenance.trace.past import Past
from exchange.protocol.decimals import format_decimal
from exchange.protocol.documents import SettleDay
from exchange.protocol.value_chain.settlement import SettleMonth
from exchange.registry.months import month_bounds_ns
from exchange.settlement.statement import LineItem
from exchange.units import PERIOD_NS

# What a line is a function of.
_OF_TRADES: Final = frozenset({
    LineItem.ENERGY_BOUGHT, LineItem.ENERGY_SOLD, LineItem.BLOCK_BOUGHT, LineItem.BLOCK_SOLD, LineItem.TRADING_FEE, LineItem.DEFICIT,
    LineItem.SURPLUS, LineItem.PARK_FEE, LineItem.ENVIRONMENT, LineItem.ENVIRONMENT_SOLD,
})  # fmt: skip
_OF_METERS: Final = frozenset({
    LineItem.DEFICIT, LineItem.SURPLUS, LineItem.NETTING_REFUND, LineItem.PARK_FEE, LineItem.VOLTAGE_ADDER, LineItem.ENVIRONMENT,
    LineItem.ENVIRONMENT_SOLD, LineItem.GREEN_CONTRACT, LineItem.CURTAILMENT,
})  # fmt: skip
_OF_CONTRACTS: Final = frozenset({LineItem.CONTRACT_ENERGY, LineItem.DEFICIT, LineItem.SURPLUS})


def line_nodes(past: Past, day: str, account: int) -> list[Node]:
    """The lines of one statement, without their chains."""
    statement = past.exchange.statement(account, day)
    if statement is None:
        return []
    found = []
    for line in statement.lines:
        energy = {"for": kwh(line.energy_wh)} if line.energy_wh else {}
        facts = {"": f"{format_decimal(line.amount_micro, 6)} CNY", **energy, "status": str(line.status)}
        found.append(Node("line", f"{day}/{past.name(account)}/{line.item}", facts))
    return found


def trace_line(past: Past, what: str) -> Node:
    """`what` is DAY/ACCOUNT/ITEM. Raises InputError when there is no such line."""
    day, of, item = what.split("/")
    account = past.account(of)
    node = next((line for line in line_nodes(past, day, account) if line.name.endswith(f"/{item}")), None)
    if node is None:
        raise InputError(f"{past.name(account)} has no line {item[:32]} on {day[:10]}: items are {', '.join(LineItem)}")
    months = [c for c in past.documents if isinstance(c.document, SettleMonth) and c.document.month == day]
    if months:
        node.origins += [Node("settlement", day, {}, c.sequence) for c in months] + _days_of(past, day)
        return node
    document = next((c.document for c in past.documents if isinstance(c.document, SettleDay) and c.document.day == day), None)
    assert isinstance(document, SettleDay)
    settled = settlement_node(past, document.day_start_ns)
    assert settled is not None
    starts = range(document.day_start_ns, document.day_end_ns, PERIOD_NS)
    kind = LineItem(item)
    node.origins.append(settled[0])
    node.origins += _later_runs(past, day)
    if kind in _OF_TRADES:
        node.origins += trades_of(past, account, starts)
    if kind in _OF_METERS:
        node.origins += reading_nodes(past, account, starts)
    if kind in _OF_CONTRACTS:
        node.origins += contract_nodes(past, account, document.day_start_ns, document.day_end_ns)
    if kind is LineItem.ENVIRONMENT:
        node.outcomes += certificates_of_period(past, account, starts)
    return node


def _later_runs(past: Past, day: str) -> list[Node]:
    """The commands that settled a day again."""
    return [
        Node("settlement", day, {"run": str(c.document.run)}, c.sequence)
        for c in past.documents
        if isinstance(c.document, SettleDay) and c.document.day == day and c.document.run > 1
    ]


def _days_of(past: Past, month: str) -> list[Node]:
    """The days that a month is the sum of, by the commands that settled them last."""
    bounds = month_bounds_ns(month)
    last: dict[str, Node] = {}
    for carried in past.documents:
        if isinstance(carried.document, SettleDay):
            record = past.exchange.rooms.settlements.get(carried.document.day)
            if record is not None and bounds[0] <= record.start_ns < bounds[1]:
                last[carried.document.day] = Node("settlement", carried.document.day, {}, carried.sequence)
    return list(last.values())
