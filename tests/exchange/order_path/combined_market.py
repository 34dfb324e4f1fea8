"""A short day of everything at once: quarter-hours and blocks with call phases and interruptions, a storage, reduce-only orders, conditions, baskets,
halts, gates, and a retention so short that most orders outlive their keys.
"""

import random
from collections import Counter
from typing import Any

import numpy as np

from exchange.journal.interface import Genesis
from exchange.journal.record import CommandFlag, CommandKind, OrderType
from exchange.order_path.canonical import open_instruments
from exchange.order_path.check import check_exchange, covered_periods
from exchange.order_path.path import BatchResult, Exchange
from exchange.order_path.records import ExecutionKind, HouseReason, OutcomeFlag
from exchange.order_path.settings import ExchangeSettings, encode_settings
from exchange.protocol.documents import SetPhase, encode_document
from exchange.protocol.reject_codes import RejectCode
from exchange.units import NS_PER_SECOND
from matching.core import MatchingCore
from matching.records import Reason, SelfTrade, Side, TimeInForce
from matching.state import Sizes as BookSizes
from tests.exchange.order_path.park import OPEN_NS, OPERATOR, Park, block_spec, power_spec, units_spec

RETENTION_NS = 15 * NS_PER_SECOND
GENESIS = Genesis(
    park_id="test", hash_key=bytes(range(16)), engine_version="test", operator_keys=(bytes(32),),
    document=encode_settings(ExchangeSettings(retention_ns=RETENTION_NS)),
)  # fmt: skip
CALL_NS = 40 * NS_PER_SECOND
BREAK_NS = 10 * NS_PER_SECOND
DAY_NS = 260 * NS_PER_SECOND  # from the opening to the last gate
TICKS = range(3_999, 4_004)
FLAGS = (
    0, 0, 0, CommandFlag.ICEBERG, CommandFlag.MINIMUM, CommandFlag.ALL_OR_NONE, CommandFlag.STOP, CommandFlag.STOP | CommandFlag.ICEBERG,
    CommandFlag.POST_ONLY, CommandFlag.POST_ONLY | CommandFlag.REPRICE, CommandFlag.CANCEL_ON_DISCONNECT,
)  # fmt: skip
CAN_REDUCE = CommandFlag.MINIMUM | CommandFlag.ALL_OR_NONE
LASTING = TimeInForce.GTC, TimeInForce.GTC, TimeInForce.GATE, TimeInForce.GTD
Sent = tuple[np.ndarray, bytes]


class CombinedMarket(Park):
    """Five members, four quarter-hours, two blocks that overlap in one of them, and an allowance."""

    def __init__(self, seed: int) -> None:
        super().__init__(Exchange(GENESIS, core=MatchingCore(BookSizes(books=8, orders=256))))  # little to check after each command
        self.random = random.Random(seed)
        power = ["power_buy", "power_sell"]
        self.members = [
            self.admit("T0", "market_maker", [*power, "cea_buy", "cea_sell"], -300, 300, cash_cny=300),
            self.admit("T1", "market_maker", [*power, "cea_buy", "cea_sell"], -300, 300, cash_cny=300),
            self.admit("T2", "market_maker", power, -300, 300, cash_cny=150),
            self.admit("E0", "enterprise", power, -40, 200, cash_cny=100),
            self.admit("S0", "storage", power, -500, 500, cash_cny=200),
        ]
        self.storage(self.members[4], soc_wh=6_000, soc_max_wh=15_000, power_w=60_000)
        self.instruments = self.list(*self._contracts())
        for member in self.members[:2]:
            self.issue(member, "CEA25", 60)
        self.symbols = [instrument.symbol for instrument in self.exchange.instruments() if instrument.is_power]
        self.now_ns = OPEN_NS - BREAK_NS
        self.prepared = len(self.log)
        self.seen: Counter[str] = Counter()
        self.reducing: set[int] = set()
        self.net: Counter[tuple[int, int]] = Counter()
        self.started = self._money()
        self.posted: Counter[int] = Counter()

    def _contracts(self) -> list[Any]:
        """The first quarter-hour, and the block over it, close a minute before the others."""
        early: dict[str, Any] = {
            "close_ns": OPEN_NS + DAY_NS - 60 * NS_PER_SECOND, "opening_auction_ns": CALL_NS, "interruption_ppm": 300, "interruption_ns": BREAK_NS,
            "reference_price_ticks": 4_001,
        }  # fmt: skip
        late = early | {"close_ns": OPEN_NS + DAY_NS, "closing_auction_ns": CALL_NS, "auction_price_rule": "k", "k_ppm": 333_333}
        quarters = [
            power_spec(40 + i, **(late if i else early), deficit_price_ticks=6_500 + 1_500 * i, park_fee_lot_micro=4_000 + i) for i in range(4)
        ]
        fees = [spec.park_fee_lot_micro for spec in quarters]
        return [
            *quarters, block_spec("FIRST", 40, 3, park_fee_lot_micro=sum(fees[:3]), **early),
            block_spec("LAST", 42, 2, park_fee_lot_micro=sum(fees[2:]), **late), units_spec(band_low_ticks=3_000, band_high_ticks=5_000),
        ]  # fmt: skip

    @property
    def is_over(self) -> bool:
        return self.now_ns > OPEN_NS + DAY_NS + RETENTION_NS

    def step(self) -> None:
        """One random command or basket, and what must hold after it."""
        records, documents = self._command()
        outlived = self._outlived()
        result = self.send(records, documents)
        check_exchange(self.exchange)
        self._follow(records, result)
        open_orders = {order.order_id for member in self.members for order in self.exchange.open_orders(member)}
        for row in result.executions:
            ended = {int(row["order_id"]), int(row["counter_order_id"])} & outlived - open_orders
            reason = "AUCTION" if row["reason"] == Reason.AUCTION else "CUT" if row["reason"] == HouseReason.REDUCE_ONLY else ""
            self.seen[f"outlived {ExecutionKind(int(row['kind'])).name} {reason}".rstrip()] += bool(ended)

    def _outlived(self) -> set[int]:
        """Open orders whose key is kept only because they are open."""
        found: set[int] = set()
        for instrument in open_instruments(self.exchange):
            views = self.exchange.core.dump_orders(int(self.exchange.state.instruments[instrument.slot].book))
            found.update(views["order_id"][self.exchange.state.terms[views["slot"]].outlives_key == 1].tolist())
        return found

    def _money(self) -> dict[int, int]:
        return dict(enumerate(self.exchange.state.accounts.balance_micro.tolist()))

    def _follow(self, records: np.ndarray, result: BatchResult) -> None:
        for record, outcome in zip(records, result.outcomes, strict=True):
            if record["kind"] == CommandKind.PLACE and record["flags"] & CommandFlag.REDUCE_ONLY:
                self.reducing.add(int(outcome["order_id"]))
            self.seen[f"{CommandKind(int(record['kind'])).name} {RejectCode(int(outcome['code'])).name}"] += 1
            self.seen["again"] += bool(outcome["flags"] & OutcomeFlag.DUPLICATE)
        self.seen.update(f"{notice.kind} {notice.data.get('phase', '')}" for notice in result.notices if notice.data.get("volume_lots", 1))
        for row in result.executions:
            self._follow_execution(row)
        for posting in result.postings[result.postings["asset"] == 0]:
            self.posted[int(posting["debit"])] -= int(posting["amount"])
            self.posted[int(posting["credit"])] += int(posting["amount"])
        assert self._money() == {account: money + self.posted[account] for account, money in self.started.items()}

    def _follow_execution(self, row: np.void) -> None:
        """Net positions fill by fill: no fill of a reduce-only order may enlarge or turn one, not even for the moment."""
        self.seen[ExecutionKind(int(row["kind"])).name] += 1
        self.seen["cut"] += bool(row["reason"] == HouseReason.REDUCE_ONLY)
        if row["kind"] != ExecutionKind.TRADE:
            return
        buys = row["side"] == Side.BUY
        lots = int(row["quantity_lots"]) if buys else -int(row["quantity_lots"])
        periods = covered_periods(self.exchange, self.exchange.instrument_by_id(int(row["instrument"])))
        for account, order_id, change in ((row["account"], row["order_id"], lots), (row["counter_account"], row["counter_order_id"], -lots)):
            for period in periods:
                net = self.net[int(account), period.id]
                if int(order_id) in self.reducing:
                    self.seen["reduced"] += 1
                    assert 0 < -change * (1 if net > 0 else -1) <= abs(net), "a reduce-only order only reduces"
                self.net[int(account), period.id] += change

    def _command(self) -> Sent:
        rng = self.random
        self.now_ns += rng.choice((0, 0, 0, 1, 1, 2)) * NS_PER_SECOND
        choice, account = rng.random(), rng.choice(self.members)
        mine = self.exchange.open_orders(account)
        if choice < 0.05:
            data = encode_document(SetPhase(symbol=rng.choice(self.symbols), phase=rng.choice(("halted", *5 * ("resume",))), reason="walk"))
            return self.record(CommandKind.DOCUMENT, OPERATOR, document_length=len(data)), data
        if choice < 0.55 or not mine:
            return self._place(account), b""
        if choice < 0.73:
            return self._basket(account), b""
        if choice < 0.76:
            return self._again(), b""
        order = rng.choice(mine)
        if choice < 0.9:
            flags = rng.choice((CommandFlag.AMEND_PRICE, CommandFlag.AMEND_QUANTITY, CommandFlag.AMEND_PRICE | CommandFlag.AMEND_QUANTITY))
            return self.record(
                CommandKind.AMEND, account, order_id=order.order_id, revision=order.revision, flags=flags, price_ticks=rng.choice(TICKS),
                quantity_lots=rng.randint(1, 40),
            ), b""  # fmt: skip
        if choice < 0.96:
            return self.record(CommandKind.CANCEL, account, order_id=order.order_id), b""
        if choice < 0.98:
            flags = CommandFlag.ALL_SIDES | CommandFlag.ALL_LABELS
            return self.record(CommandKind.MASS_CANCEL, account, instrument=rng.choice(self.instruments), flags=flags), b""
        if choice < 0.99:
            return self.record(CommandKind.SESSION_CLOSED, account, session=1), b""
        return self.record(CommandKind.NODE_STARTED, 0, quantity_lots=1, expiry_ns=NS_PER_SECOND), b""

    def _again(self) -> np.ndarray:
        """An order, an amend, a cancel or a basket of a while ago once more: maybe its id is still known, maybe its order outlives it."""
        sent = [records for records, _ in self.log[self.prepared :] if CommandKind.PLACE <= records["kind"][0] < CommandKind.DOCUMENT]
        again = self.random.choice(sent[-60:] or [self._place(self.members[0])]).copy()
        again["stamp_ns"] = self.now_ns
        return again

    def _place(self, account: int) -> np.ndarray:
        rng = self.random
        lots, flags, order_type = rng.randint(1, 40), int(rng.choice(FLAGS)), OrderType.LIMIT
        instrument, side = rng.choice(self.instruments), rng.randint(0, 1)
        reducible = [key for key, net in self.net.items() if key[0] == account and net and key[1] in self.instruments[:4]]
        if reducible and not flags & CAN_REDUCE and rng.random() < 0.4:
            _, instrument = key = rng.choice(reducible)
            side = Side.SELL if self.net[key] > 0 else Side.BUY
            lots, flags = rng.randint(1, abs(self.net[key])), flags | CommandFlag.REDUCE_ONLY
        can_be_immediate = flags & ~(CommandFlag.REDUCE_ONLY | CommandFlag.STOP) == 0
        if can_be_immediate and rng.random() < 0.1:
            order_type = OrderType.MARKET
        time_in_force = rng.choice((TimeInForce.IOC, TimeInForce.FOK) if can_be_immediate and rng.random() < 0.2 else LASTING)
        if time_in_force == TimeInForce.GATE and instrument == self.instruments[-1]:
            time_in_force = TimeInForce.GTC
        return self.record(
            CommandKind.PLACE, account, instrument=instrument, side=side, price_ticks=rng.choice(TICKS), quantity_lots=lots, flags=flags,
            display_lots=rng.randint(1, min(lots, 9)), min_lots=rng.randint(1, lots), stop_ticks=rng.choice(TICKS), time_in_force=time_in_force,
            self_trade=rng.choice([*SelfTrade]), session=1, order_type=order_type,
            expiry_ns=self.now_ns + rng.randint(1, 60) * NS_PER_SECOND if time_in_force == TimeInForce.GTD else 0,
        )  # fmt: skip

    def _basket(self, account: int) -> np.ndarray:
        """Mostly of legs that would fill: what the best price of the other side shows; sometimes of ones that hardly can."""
        rng = self.random
        legs = []
        for instrument in rng.sample(self.instruments, rng.choice((1, 2, 3, 4))):
            side = rng.randint(0, 1)
            levels = self.exchange.depth(self.exchange.instrument_by_id(instrument).symbol, 1 - side, 1)
            if len(levels) and rng.random() < 0.95:
                legs.append((instrument, side, int(levels[0]["price_ticks"]), rng.randint(1, min(8, int(levels[0]["quantity_lots"])))))
            elif rng.random() < 0.2:
                legs.append((instrument, side, rng.choice(TICKS), rng.randint(1, 12)))
        legs = legs or [(self.instruments[0], Side.BUY, TICKS[0], 1)]
        return self.basket_records(account, *legs, self_trade=rng.choice([*SelfTrade]))


def walk_day(seed: int, steps: int = 10**9) -> CombinedMarket:
    """The market at the end of its day, or after so many commands; invariants are checked after each."""
    market = CombinedMarket(seed)
    while steps > 0 and not market.is_over:
        market.step()
        steps -= 1
    return market
