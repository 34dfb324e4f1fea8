"""A dense market of orders with conditions: invariants after every command, executions that add up to the books, and the same hashes when it is cut,
interrupted and replayed.

Four members trade one quarter-hour within seven ticks, so most commands set off orders of others.
"""

import random
from collections import Counter
from typing import Any

import numpy as np
import pytest

from exchange.journal.record import CommandFlag, CommandKind, OrderType
from exchange.order_path import canonical
from exchange.order_path.check import check_exchange
from exchange.order_path.path import BatchResult, Exchange
from exchange.order_path.records import ExecutionKind
from exchange.order_path.state import Sizes
from exchange.units import NS_PER_MINUTE
from matching.core import MatchingCore
from matching.records import SelfTrade, TimeInForce
from matching.state import Sizes as BookSizes
from tests.exchange.order_path.park import GENESIS, OPEN_NS, Park, power_spec

TINY = Sizes(accounts=34, instruments=2, events=4, executions=8, postings=48, outcomes=1, keys=2, deadlines=1)
TINY_BOOKS = BookSizes(books=1, orders=2, pages=1, nodes=1, id_pages=1, owners=1, chunks=1)
TICKS = range(4_000, 4_007)
STEPS = 220
WAITS = CommandFlag.MINIMUM, CommandFlag.ALL_OR_NONE, CommandFlag.STOP, CommandFlag.STOP | CommandFlag.MINIMUM, CommandFlag.STOP | CommandFlag.ICEBERG
RESTS = 0, 0, 0, CommandFlag.ICEBERG, CommandFlag.POST_ONLY | CommandFlag.REPRICE, CommandFlag.ICEBERG | CommandFlag.POST_ONLY
LASTING = TimeInForce.GTC, TimeInForce.GTC, TimeInForce.GATE, TimeInForce.GTD


class Walk(Park):
    """The market and what its executions have told so far."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.random = random.Random(seed)
        members = range(4)
        self.members = [self.admit(f"T{n}", "market_maker", ["power_buy", "power_sell"], -5_000, 5_000, cash_cny=2_000) for n in members]
        (self.instrument,) = self.list(power_spec(40))
        self.tick(OPEN_NS)
        self.prepared = len(self.log)
        self.client_ids: dict[int, bytes] = {}
        self.remaining: dict[int, int] = {}
        self.seen: Counter[str] = Counter()

    def step(self) -> None:
        """One random command, and what must hold after it."""
        record = self._command()
        result = self.send(record)
        check_exchange(self.exchange)
        self._fold(record[0], result)
        open_lots = {order.order_id: order.remaining_lots for member in self.members for order in self.exchange.open_orders(member)}
        assert {order: lots for order, lots in self.remaining.items() if lots} == open_lots
        outcome = result.outcomes[0]
        if outcome["code"] == 0 and record[0]["kind"] in {CommandKind.PLACE, CommandKind.AMEND}:
            assert open_lots.get(int(outcome["order_id"]), 0) == outcome["remaining_lots"]

    def _fold(self, record: np.void, result: BatchResult) -> None:
        own = int(result.outcomes[0]["order_id"])
        if record["kind"] == CommandKind.PLACE and own:
            self.client_ids[own] = bytes(record["client_order_id"])
        filled = 0
        for row in result.executions:
            kind, order, counter = ExecutionKind(int(row["kind"])), int(row["order_id"]), int(row["counter_order_id"])
            assert row["client_order_id"] == self.client_ids[order]
            self.seen[kind.name] += 1
            if kind is ExecutionKind.REPRICED:
                continue
            self.remaining[order] = int(row["remaining_lots"])
            if kind is ExecutionKind.TRADE:
                assert row["counter_client_order_id"] == self.client_ids[counter]
                self.remaining[counter] = int(row["counter_remaining_lots"])
                filled += int(row["quantity_lots"]) if own in {order, counter} else 0
                self.seen["own" if own in {order, counter} else "trades of others"] += 1
        assert filled == result.outcomes[0]["filled_lots"]

    def _command(self) -> np.ndarray:
        rng = self.random
        account = rng.choice(self.members)
        mine = self.exchange.open_orders(account)
        choice = rng.random()
        if choice < 0.7 or not mine:
            return self._place(account)
        order = rng.choice(mine)
        if choice < 0.9:
            flags = rng.choice((CommandFlag.AMEND_PRICE, CommandFlag.AMEND_QUANTITY, CommandFlag.AMEND_PRICE | CommandFlag.AMEND_QUANTITY))
            lots = rng.randint(1, 30)
            return self.record(
                CommandKind.AMEND, account, order_id=order.order_id, revision=order.revision, flags=flags, price_ticks=rng.choice(TICKS),
                quantity_lots=lots,
            )  # fmt: skip
        if choice < 0.96:
            return self.record(CommandKind.CANCEL, account, order_id=order.order_id)
        if choice < 0.98:
            return self.record(CommandKind.MASS_CANCEL, account, instrument=self.instrument, flags=CommandFlag.ALL_SIDES | CommandFlag.ALL_LABELS)
        self.now_ns += NS_PER_MINUTE
        return self.record(CommandKind.TICK, 0)

    def _place(self, account: int) -> np.ndarray:
        rng = self.random
        lots = rng.randint(1, 30)
        flags = int(rng.choice(WAITS if rng.random() < 0.45 else RESTS))
        is_immediate = rng.random() < 0.15 and not flags & ~int(CommandFlag.STOP)
        time_in_force = rng.choice((TimeInForce.IOC, TimeInForce.FOK) if is_immediate else LASTING)
        is_market = flags == CommandFlag.STOP and rng.random() < 0.3
        return self.record(
            CommandKind.PLACE, account, instrument=self.instrument, side=rng.randint(0, 1), price_ticks=rng.choice(TICKS), quantity_lots=lots,
            flags=flags, display_lots=rng.randint(1, min(lots, 5)), min_lots=rng.randint(1, lots), stop_ticks=rng.choice(TICKS),
            time_in_force=time_in_force, self_trade=rng.choice([*SelfTrade]), order_type=OrderType.MARKET if is_market else OrderType.LIMIT,
            expiry_ns=self.now_ns + rng.randint(1, 5) * NS_PER_MINUTE if time_in_force == TimeInForce.GTD else 0,
        )  # fmt: skip


def small() -> Exchange:
    """An exchange that has to grow everything."""
    return Exchange(GENESIS, TINY, MatchingCore(TINY_BOOKS, events_capacity=4))


@pytest.mark.parametrize("seed", range(3))
def test_dense_market(seed: int) -> None:
    walk = Walk(seed)
    for _ in range(STEPS):
        walk.step()
    kinds: dict[str, Any] = {kind.name: walk.seen[kind.name] for kind in ExecutionKind if kind < ExecutionKind.BLOCK_TRADE}
    assert all(kinds.values()), kinds
    assert min(walk.seen["trades of others"], walk.seen["own"]) > 0, walk.seen
    _replay_in_pieces(walk, random.Random(seed))


def _replay_in_pieces(walk: Walk, rng: random.Random) -> None:
    """The same commands in other batches, in memory that is too small, with snapshots in between."""
    other = small()
    for record, documents in walk.log[: walk.prepared]:
        other.apply(record, documents, other.last_sequence + 1)
    records = np.concatenate([record for record, _ in walk.log[walk.prepared :]])
    start = 0
    while start < len(records):
        end = min(len(records), start + rng.randint(1, 25))
        other.apply(records[start:end], b"", other.last_sequence + 1)
        start = end
        if rng.random() < 0.4:
            payload = canonical.snapshot(other)
            other = small()
            canonical.restore(other, payload)
    check_exchange(other)
    assert other.event_hash == walk.exchange.event_hash
    assert canonical.state_hash(other) == canonical.state_hash(walk.exchange)
