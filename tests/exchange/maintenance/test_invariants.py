"""Watches of invariants beside a replay: a market day holds, and every kind of breach is found, with its invariant and command."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.errors import CheckFailedError
from exchange.journal.record import CommandKind
from exchange.ledger.chart import House
from exchange.ledger.records import PostingReason
from exchange.maintenance.invariants import all_watches
from exchange.maintenance.invariants.energy import EnergyWatch
from exchange.order_path.path import BatchResult, Exchange
from exchange.order_path.records import EXECUTION, ExecutionKind
from exchange.settlement.book import Settlements
from exchange.settlement.lines import LineItem
from exchange.settlement.record import TOTALS, SettledDay
from exchange.units import PERIOD_NS, POWER_LOT_WH
from matching.records import Side
from tests.exchange.order_path.park import DAY_NS, GENESIS, Park, power_spec, units_spec
from tests.exchange.readmodel.market import DAY, Market, market_day

Change = Callable[[BatchResult, Exchange], bool]
Counted = tuple[int, Side, int, int, int]


@pytest.fixture(scope="module")
def market() -> Market:
    return market_day()


@pytest.fixture(scope="module")
def three() -> tuple[Exchange, list[int]]:
    """An exchange with two quarter-hours and allowances."""
    park = Park()
    listed = park.list(power_spec(40), power_spec(41), units_spec(resale="free"))
    return park.exchange, listed


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
    record = exchange.rooms.settlements.get(DAY)
    if record is None:
        return False
    totals = record.totals.copy()
    totals[TOTALS.index("grid_import_wh")] += 1
    _keep(exchange, replace(record, totals=totals))
    return True


def _keep(exchange: Exchange, record: SettledDay) -> None:
    """In the place of what was settled."""
    exchange.rooms.settlements = Settlements()
    exchange.rooms.settlements.add(record)


def _resettle(exchange: Exchange, item: LineItem, more_wh: int) -> bool:
    record = exchange.rooms.settlements.get(DAY)
    if record is None:
        return False
    if item not in record.items:
        items = (*record.items, item)
        record = replace(record, items=items, **{
            name: np.concatenate([getattr(record, name), np.zeros((1, len(record.accounts)), np.int64)])
            for name in ("energy_wh", "amount_micro", "postings")
        })  # fmt: skip
    energy_wh = record.energy_wh.copy()
    energy_wh[record.items.index(item), -1] += more_wh
    _keep(exchange, replace(record, energy_wh=energy_wh))
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



@given(
    trades=st.lists(st.tuples(st.integers(0, 2), st.sampled_from(Side), st.integers(32, 36), st.integers(32, 36), st.integers(1, 99)), min_size=1),
    later=st.lists(st.tuples(st.just(1), st.just(Side.SELL), st.integers(32, 36), st.integers(32, 36), st.integers(1, 99)), min_size=1, max_size=3),
)
def test_energy_is_counted_by_quarter_hour_and_account(three: tuple[Exchange, list[int]], trades: list[Counted], later: list[Counted]) -> None:
    """Trades as (which of two quarter-hours or allowances, side of the taker, taker, maker, lots), in two batches."""
    exchange, instruments = three
    watch_of_energy = EnergyWatch()
    bought: Counter[tuple[int, int]] = Counter()
    sold: Counter[tuple[int, int]] = Counter()
    for batch in (trades, later):
        rows = np.zeros(len(batch), EXECUTION)
        for row, (which, side, taker, maker, lots) in zip(rows, batch, strict=True):
            row["instrument"], row["side"], row["quantity_lots"] = instruments[which], side, lots
            row["account"], row["counter_account"] = taker, maker
            if which < 2:
                start_ns = DAY_NS + (40 + which) * PERIOD_NS
                bought[start_ns, taker if side is Side.BUY else maker] += lots * POWER_LOT_WH
                sold[start_ns, maker if side is Side.BUY else taker] += lots * POWER_LOT_WH
        watch_of_energy._count(rows, exchange)
    for told, counted in ((bought, watch_of_energy._bought_wh), (sold, watch_of_energy._sold_wh)):
        assert {(start_ns, account): wh for start_ns, row in counted.items() for account, wh in row.items()} == told
