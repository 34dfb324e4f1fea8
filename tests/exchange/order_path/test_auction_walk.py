"""A dense market through its call phases, halts, interruptions and its gate: invariants after every command, executions that add up to the books,
and the same hashes when it is cut, interrupted and replayed."""

import random
from typing import Any

import numpy as np

from exchange.journal.record import CommandFlag, CommandKind, OrderType
from exchange.market.phases import Phase
from exchange.order_path import canonical
from exchange.order_path.check import check_exchange
from exchange.order_path.path import BatchResult
from exchange.order_path.records import ExecutionKind
from exchange.protocol.documents import SetPhase, encode_document
from exchange.protocol.reject_codes import RejectCode
from exchange.units import NS_PER_SECOND
from matching.records import Reason, SelfTrade, Side, TimeInForce
from tests.exchange.order_path.park import OPEN_NS, OPERATOR, Park, power_spec
from tests.exchange.order_path.test_conditional_walk import small

CALL_NS = 50 * NS_PER_SECOND
BREAK_NS = 20 * NS_PER_SECOND
DAY_NS = 300 * NS_PER_SECOND  # from the opening to the gate
TICKS = range(4_000, 4_007)
FLAGS = 0, 0, 0, 0, CommandFlag.ICEBERG, CommandFlag.MINIMUM, CommandFlag.ALL_OR_NONE, CommandFlag.STOP, CommandFlag.POST_ONLY
SYMBOLS = "GP-20260715-1000", "GP-20260715-1015"


class Day(Park):
    """Two contracts of one short day: one is priced by k and has both call phases, the other by reference and only the opening one."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.random = random.Random(seed)
        self.members = [self.admit(f"T{n}", "market_maker", ["power_buy", "power_sell"], -5_000, 5_000, cash_cny=2_000) for n in range(4)]
        terms: dict[str, Any] = {
            "close_ns": OPEN_NS + DAY_NS, "opening_auction_ns": CALL_NS, "interruption_ppm": 500, "interruption_ns": BREAK_NS,
            "reference_price_ticks": 4_003,
        }  # fmt: skip
        self.contracts = self.list(
            power_spec(40, **(terms | {"closing_auction_ns": CALL_NS, "auction_price_rule": "k", "k_ppm": 333_333})), power_spec(41, **terms)
        )
        self.now_ns = OPEN_NS - BREAK_NS
        self.prepared = len(self.log)
        self.remaining: dict[int, int] = {}
        self.limits: dict[int, int] = {}
        self.seen: set[str] = set()
        self.passed: set[tuple[Phase, Phase]] = set()

    def step(self) -> None:
        """One random command, and what must hold after it."""
        before = {symbol: self._phase(symbol) for symbol in SYMBOLS}
        record, documents = self._command()
        result = self.send(record, documents)
        check_exchange(self.exchange)
        self._fold(result)
        open_lots = {order.order_id: order.remaining_lots for member in self.members for order in self.exchange.open_orders(member)}
        assert {order: lots for order, lots in self.remaining.items() if lots} == open_lots
        self.seen.update(RejectCode(code).name for code in result.outcomes["code"].tolist())
        for symbol in SYMBOLS:
            told = [Phase[notice.data["phase"].upper()] for notice in result.notices if notice.kind == "phase" and notice.data["symbol"] == symbol]
            self.passed.update(zip([before[symbol], *told], told, strict=False))
            assert self._phase(symbol) is (told[-1] if told else before[symbol])

    def _phase(self, symbol: str) -> Phase:
        instrument = self.exchange.instrument(symbol)
        assert instrument is not None
        return instrument.phase

    def _fold(self, result: BatchResult) -> None:
        auctions = [notice.data for notice in result.notices if notice.kind == "auction"]
        rows = [row for row in result.executions if row["kind"] != ExecutionKind.REPRICED]
        traded: dict[str, list[tuple[int, int]]] = {}
        for row in rows:
            self.remaining[int(row["order_id"])] = int(row["remaining_lots"])
            if row["kind"] in {ExecutionKind.RESTED, ExecutionKind.WAITING}:
                self.limits[int(row["order_id"])] = int(row["price_ticks"])
            if row["kind"] == ExecutionKind.TRADE:
                self.remaining[int(row["counter_order_id"])] = int(row["counter_remaining_lots"])
                if row["reason"] == Reason.AUCTION:
                    assert self.limits[int(row["order_id"])] >= row["price_ticks"] >= self.limits[int(row["counter_order_id"])]
                    symbol = self.exchange.instrument_by_id(int(row["instrument"])).symbol
                    traded.setdefault(symbol, []).append((int(row["price_ticks"]), int(row["quantity_lots"])))
        for symbol, fills in traded.items():
            told = [(auction["price_ticks"], auction["volume_lots"]) for auction in auctions if auction["symbol"] == symbol]
            assert {price for price, _ in fills} <= {price for price, _ in told}
            assert sum(lots for _, lots in fills) == sum(lots for _, lots in told)
        self.seen.update(f"auction of the {auction['phase']}" for auction in auctions if auction["volume_lots"])

    def _command(self) -> tuple[np.ndarray, bytes]:
        rng = self.random
        self.now_ns += rng.choice((0, 0, 0, 1, 2, 5)) * NS_PER_SECOND
        choice, account = rng.random(), rng.choice(self.members)
        mine = self.exchange.open_orders(account)
        if choice < 0.03:
            data = encode_document(SetPhase(symbol=rng.choice(SYMBOLS), phase="halted", reason="walk"))
            return self.record(CommandKind.DOCUMENT, OPERATOR, document_length=len(data)), data
        if choice < 0.12:
            data = encode_document(SetPhase(symbol=rng.choice(SYMBOLS), phase="resume", reason="walk"))
            return self.record(CommandKind.DOCUMENT, OPERATOR, document_length=len(data)), data
        if choice < 0.75 or not mine:
            return self._place(account), b""
        order = rng.choice(mine)
        if choice < 0.92:
            return self.record(
                CommandKind.AMEND, account, order_id=order.order_id, revision=order.revision, quantity_lots=rng.randint(1, 30),
                flags=CommandFlag.AMEND_PRICE | CommandFlag.AMEND_QUANTITY, price_ticks=rng.choice(TICKS),
            ), b""  # fmt: skip
        return self.record(CommandKind.CANCEL, account, order_id=order.order_id), b""

    def _place(self, account: int) -> np.ndarray:
        rng = self.random
        lots, flags = rng.randint(1, 30), int(rng.choice(FLAGS))
        lasting = rng.choice((TimeInForce.GTC, TimeInForce.GATE, TimeInForce.GTD))
        time_in_force = rng.choice((TimeInForce.IOC, TimeInForce.FOK)) if not flags and rng.random() < 0.2 else lasting
        return self.record(
            CommandKind.PLACE, account, instrument=rng.choice(self.contracts), side=rng.choice([*Side]), price_ticks=rng.choice(TICKS),
            quantity_lots=lots, flags=flags, display_lots=rng.randint(1, min(lots, 5)), min_lots=rng.randint(1, lots), stop_ticks=rng.choice(TICKS),
            time_in_force=time_in_force, self_trade=rng.choice([*SelfTrade]), order_type=OrderType.LIMIT,
            expiry_ns=self.now_ns + rng.randint(1, 90) * NS_PER_SECOND if time_in_force == TimeInForce.GTD else 0,
        )  # fmt: skip


# What the walks must have passed through, all of them together.
PASSED = {
    (Phase.PRE_OPEN, Phase.OPENING_AUCTION), (Phase.OPENING_AUCTION, Phase.CONTINUOUS), (Phase.OPENING_AUCTION, Phase.HALTED),
    (Phase.CONTINUOUS, Phase.INTERRUPTED), (Phase.INTERRUPTED, Phase.CONTINUOUS), (Phase.INTERRUPTED, Phase.HALTED),
    (Phase.HALTED, Phase.INTERRUPTED), (Phase.HALTED, Phase.CONTINUOUS), (Phase.HALTED, Phase.OPENING_AUCTION),
    (Phase.CLOSING_AUCTION, Phase.GATE_CLOSED),
}  # fmt: skip
SEEN = {"RESTING_ORDERS_ONLY", "auction of the opening_auction", "auction of the interrupted", "auction of the closing_auction"}


def test_days_of_call_phases() -> None:
    """A few days, and all that they must have come by: a walk that no longer does proves nothing."""
    passed: set[tuple[Phase, Phase]] = set()
    seen: set[str] = set()
    for seed in range(3):
        day = Day(seed)
        while day.now_ns < OPEN_NS + DAY_NS + BREAK_NS:
            day.step()
        assert {instrument.phase for instrument in day.exchange.instruments()} == {Phase.GATE_CLOSED}, seed
        assert not any(day.exchange.open_orders(member) for member in day.members), seed
        _replay_in_pieces(day, random.Random(seed))
        passed |= day.passed
        seen |= day.seen
    assert passed >= PASSED
    assert seen >= SEEN


def _replay_in_pieces(day: Day, rng: random.Random) -> None:
    """The same commands in other batches, in memory that is too small, with snapshots in between."""
    other = small()
    start = 0
    while start < len(day.log):
        end = min(len(day.log), start + rng.randint(1, 25))
        records, documents = np.concatenate([record for record, _ in day.log[start:end]]), b""
        for index, (record, document) in enumerate(day.log[start:end]):
            if record["document_length"][0]:
                records[index]["document_offset"] = len(documents)
                documents += document
        other.apply(records, documents, other.last_sequence + 1)
        start = end
        if rng.random() < 0.4:
            payload = canonical.snapshot(other)
            other = small()
            canonical.restore(other, payload)
            check_exchange(other)
    assert other.event_hash == day.exchange.event_hash
    assert canonical.state_hash(other) == canonical.state_hash(day.exchange)
