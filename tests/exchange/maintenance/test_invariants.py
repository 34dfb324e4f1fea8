"""Watches of invariants beside a replay: a market day holds, and every kind of breach is found, with its invariant and command."""

from collections.abc import Callable
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from exchange.errors import CheckFailedError
from exchange.journal.record import CommandKind
from exchange.ledger.chart import House
from exchange.ledger.records import PostingReason
from exchange.maintenance.invariants import all_watches
from exchange.order_path.path import BatchResult, Exchange
from exchange.order_path.records import ExecutionKind
from exchange.settlement.statement import LineItem
from tests.exchange.order_path.park import GENESIS
from tests.exchange.readmodel.market import DAY, Market, market_day

Change = Callable[[BatchResult, Exchange], bool]


@pytest.fixture(scope="module")
def market() -> Market:
    return market_day()


def watch(market: Market, change: Change | None = None) -> list[str]:
    """Replay command by command; `change` spoils the first batch that it can."""
    exchange = Exchange(GENESIS)
    watches = all_watches()
    for one in watches:
        one.begin(exchange)
    is_changed = change is None
    for records, documents in market.park.log:
        batch = exchange.apply(records, documents, exchange.last_sequence + 1)
        batch = replace(batch, postings=batch.postings.copy(), executions=batch.executions.copy())
        if change is not None and not is_changed:
            is_changed = change(batch, exchange)
        for one in watches:
            one.see(batch, exchange)
    assert is_changed
    return [f"{one.conclude(exchange)}" for one in watches]


def test_a_market_day_holds(market: Market) -> None:
    found = " ".join(watch(market))
    trades = sum(int(np.count_nonzero(batch.executions["kind"] == ExecutionKind.TRADE)) for batch in market.batches)
    assert trades > 20
    assert f"{trades:,} within both limits" in found
    assert "1 settled days balance" in found


def posting(reason: PostingReason, change: Callable[[np.ndarray], None]) -> Change:
    def spoil(batch: BatchResult, _exchange: Exchange) -> bool:
        rows = np.flatnonzero(batch.postings["reason"] == int(reason))
        if not rows.size:
            return False
        change(batch.postings[rows[0] : rows[0] + 1])
        return True

    return spoil


def trade_of(change: Callable[[np.ndarray], None], of_power: bool = True) -> Change:
    def spoil(batch: BatchResult, exchange: Exchange) -> bool:
        trades = np.flatnonzero((batch.executions["kind"] == int(ExecutionKind.TRADE)) & (batch.records["kind"][0] == int(CommandKind.PLACE)))
        wanted = [row for row in trades if exchange.instrument_by_id(int(batch.executions["instrument"][row])).is_power == of_power]
        if not wanted:
            return False
        change(batch.executions[wanted[0] : wanted[0] + 1])
        return True

    return spoil


def setting(name: str, value: int) -> Callable[[np.ndarray], None]:
    return lambda rows: rows.__setitem__(name, value)


def adding(name: str, value: int) -> Callable[[np.ndarray], None]:
    return lambda rows: rows.__setitem__(name, rows[name] + value)


def _worse_price(rows: np.ndarray) -> None:
    """Beyond the limit of the buyer, and so of the taker or the maker."""
    rows["price_ticks"] += 10_000


def _balance(batch: BatchResult, exchange: Exchange) -> bool:
    if batch.last_sequence < 30:
        return False
    exchange.state.accounts.balance_micro[House.FEES] += 1
    return True


def _held(batch: BatchResult, exchange: Exchange) -> bool:
    exchange.state.accounts.held_micro[exchange.participants()[-1].id] = 2**60
    return len(exchange.participants()) > 2


def _units(batch: BatchResult, exchange: Exchange) -> bool:
    if not np.any(batch.postings["asset"] != 0):
        return False
    exchange.state.positions[exchange.instrument("CEA25").slot, exchange.participants()[-1].id].net_lots += 1
    return True


def _statement(batch: BatchResult, exchange: Exchange) -> bool:
    return _resettle(exchange, item=LineItem.SURPLUS, more_wh=1)


def _traded(batch: BatchResult, exchange: Exchange) -> bool:
    """Bought and deficit agree with each other and not with the trades."""
    return _resettle(exchange, item=LineItem.ENERGY_BOUGHT, more_wh=5) and _resettle(exchange, item=LineItem.SURPLUS, more_wh=5)


def _balance_of_energy(batch: BatchResult, exchange: Exchange) -> bool:
    if DAY not in exchange.rooms.settlements:
        return False
    settlement = exchange.rooms.settlements[DAY]
    exchange.rooms.settlements[DAY] = _changed(settlement, grid_import_wh=settlement.grid_import_wh + 1)
    return True


def _changed(struct: object, **fields: object) -> object:
    return msgspec.structs.replace(struct, **fields)


def _resettle(exchange: Exchange, item: LineItem, more_wh: int) -> bool:
    if DAY not in exchange.rooms.settlements:
        return False
    settlement = exchange.rooms.settlements[DAY]
    last = settlement.statements[-1]
    lines = tuple(_changed(line, energy_wh=line.energy_wh + more_wh) if line.item == item else line for line in last.lines)
    exchange.rooms.settlements[DAY] = _changed(settlement, statements=(*settlement.statements[:-1], _changed(last, lines=lines)))
    return True


BREACHES: list[tuple[str, str, Change]] = [
    ("1", "not the sum of its postings", posting(PostingReason.TRADE, adding("amount", 1))),
    ("1", "not the sum of its postings", posting(PostingReason.DEPOSIT, setting("credit", int(House.FEES)))),
    ("1", "not the sum of its postings", _balance),
    ("1", "a posting of no amount", posting(PostingReason.TRADE, setting("amount", 0))),
    ("1", "crosses the border", posting(PostingReason.DEPOSIT, setting("reason", int(PostingReason.TRADE)))),
    ("1", "crosses the border", posting(PostingReason.TAKER_FEE, setting("credit", int(House.OUTSIDE)))),
    ("3", "holds more money than it has", _held),
    ("2", "does not hold the CEA25", posting(PostingReason.UNITS_TRADED, adding("amount", 1))),
    ("2", "does not hold the CEA25", _units),
    ("2", "without having been issued", posting(PostingReason.UNITS_TRADED, setting("debit", int(House.ISSUER)))),
    ("2", "a posting of no units", posting(PostingReason.UNITS_ISSUED, setting("amount", 0))),
    ("10", "come back from their end", posting(PostingReason.UNITS_TRADED, setting("debit", int(House.RETIRED)))),
    ("4", "beyond its limit", trade_of(_worse_price)),
    ("4", "not paid at its price", trade_of(adding("quantity_lots", -1))),
    ("4", "not paid at its price", trade_of(adding("quantity_lots", -1), of_power=False)),
    ("4", "not the one that was told", trade_of(adding("fee_micro", 1))),
    ("6", "more than it asked for", trade_of(adding("quantity_lots", 10**6))),
    ("8", "are not what was metered", _statement),
    ("8", "not that of its trades", _traded),
    ("7", "does not balance", _balance_of_energy),
]


@pytest.mark.parametrize(("invariant", "words", "change"), BREACHES, ids=[f"{i}-{n}" for n, (i, _, _) in enumerate(BREACHES)])
def test_a_breach_is_found_and_named(market: Market, invariant: str, words: str, change: Change) -> None:
    with pytest.raises(CheckFailedError, match=rf"invariant {invariant} is broken at command \d+: .*{words}"):
        watch(market, change)

