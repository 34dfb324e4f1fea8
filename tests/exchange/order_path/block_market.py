"""A market of four quarter-hours, two blocks that overlap and an allowance, traded at random with conditions, baskets and withdrawals."""

import random
from collections import Counter

import numpy as np

from exchange.journal.record import CommandFlag, CommandKind
from exchange.order_path.check import check_exchange
from exchange.order_path.path import BatchResult, Exchange
from exchange.order_path.records import ExecutionKind, OutcomeFlag
from exchange.units import NS_PER_MINUTE
from matching.records import SelfTrade, TimeInForce
from tests.exchange.order_path.park import OPEN_NS, Park, block_spec, power_spec, units_spec

TICKS = range(3_999, 4_003)
FLAGS = (
    0, 0, 0, CommandFlag.ICEBERG, CommandFlag.MINIMUM, CommandFlag.ALL_OR_NONE, CommandFlag.ALL_OR_NONE, CommandFlag.STOP,
    CommandFlag.POST_ONLY | CommandFlag.REPRICE, CommandFlag.CANCEL_ON_DISCONNECT,
)  # fmt: skip
LASTING = TimeInForce.GTC, TimeInForce.GTC, TimeInForce.GATE, TimeInForce.GTD


class BlockMarket(Park):
    """Five members: two that trade everything, a load, a generator and a storage, all with limits that are often reached."""

    def __init__(self, seed: int, exchange: Exchange | None = None) -> None:
        super().__init__(exchange)
        self.random = random.Random(seed)
        power = ["power_buy", "power_sell"]
        self.members = [
            self.admit("T0", "market_maker", [*power, "cea_buy", "cea_sell"], -300, 300, cash_cny=300),
            self.admit("T1", "market_maker", [*power, "cea_buy", "cea_sell"], -300, 300, cash_cny=300),
            self.admit("E0", "enterprise", power, 0, 200, cash_cny=100),
            self.admit("G0", "generator", power, -200, 0, cash_cny=100),
            self.admit("S0", "storage", power, -500, 500, cash_cny=200),
        ]
        self.storage(self.members[4], soc_wh=6_000, soc_max_wh=15_000, power_w=40_000)
        quarters = [power_spec(40 + i, deficit_price_ticks=6_500 + 1_500 * i, park_fee_lot_micro=4_000 + i) for i in range(4)]
        fees = [spec.park_fee_lot_micro for spec in quarters]
        self.instruments = self.list(
            *quarters, block_spec("FIRST", 40, 3, park_fee_lot_micro=sum(fees[:3])), block_spec("LAST", 42, 2, park_fee_lot_micro=sum(fees[2:])),
            units_spec(band_low_ticks=3_000, band_high_ticks=5_000),
        )  # fmt: skip
        for member in self.members[:2]:
            self.issue(member, "CEA25", 60)
        self.tick(OPEN_NS)
        self.prepared = len(self.log)
        self.seen: Counter[str] = Counter()

    def step(self) -> None:
        """One random command or basket, and what must hold after it."""
        records = self._commands()
        result = self.send(records)
        check_exchange(self.exchange)
        self._count(records, result)

    def _count(self, records: np.ndarray, result: BatchResult) -> None:
        codes = result.outcomes["code"]
        if len(records) > 1 or records["kind"][0] == CommandKind.BASKET:
            again = bool((result.outcomes["flags"] & OutcomeFlag.DUPLICATE).any())
            assert codes.any() == codes.all(), "all legs or none"
            assert again or not codes.any() or len(result.executions) == 0
            if not codes.any() and not again:
                assert result.outcomes["filled_lots"].tolist() == records["quantity_lots"].tolist()
            self.seen["resent basket" if again else "refused basket" if codes.any() else "filled basket"] += 1
        blocks = set(self.instruments[4:6])
        for row in result.executions:
            self.seen[f"{'block' if row['instrument'] in blocks else 'other'} {ExecutionKind(int(row['kind'])).name.lower()}"] += 1

    def _commands(self) -> np.ndarray:
        rng = self.random
        account = rng.choice(self.members)
        mine = self.exchange.open_orders(account)
        choice = rng.random()
        if choice < 0.5 or not mine:
            return self._place(account)
        if choice < 0.7:
            return self._basket(account)
        order = rng.choice(mine)
        if choice < 0.84:
            flags = rng.choice((CommandFlag.AMEND_PRICE, CommandFlag.AMEND_QUANTITY, CommandFlag.AMEND_PRICE | CommandFlag.AMEND_QUANTITY))
            return self.record(
                CommandKind.AMEND, account, order_id=order.order_id, revision=order.revision, flags=flags, price_ticks=rng.choice(TICKS),
                quantity_lots=rng.randint(1, 40),
            )  # fmt: skip
        if choice < 0.93:
            return self.record(CommandKind.CANCEL, account, order_id=order.order_id)
        if choice < 0.96:
            instrument = rng.choice(self.instruments)
            return self.record(CommandKind.MASS_CANCEL, account, instrument=instrument, flags=CommandFlag.ALL_SIDES | CommandFlag.ALL_LABELS)
        if choice < 0.98:
            return self.record(CommandKind.SESSION_CLOSED, account, session=1)
        self.now_ns += NS_PER_MINUTE
        return self.record(CommandKind.TICK, 0)

    def _place(self, account: int) -> np.ndarray:
        rng = self.random
        lots = rng.randint(1, 40)
        flags = int(rng.choice(FLAGS))
        is_immediate = rng.random() < 0.2 and not flags
        time_in_force = rng.choice((TimeInForce.IOC, TimeInForce.FOK) if is_immediate else LASTING)
        instrument = rng.choice(self.instruments)
        if time_in_force == TimeInForce.GATE and instrument == self.instruments[-1]:
            time_in_force = TimeInForce.GTC
        return self.record(
            CommandKind.PLACE, account, instrument=instrument, side=rng.randint(0, 1), price_ticks=rng.choice(TICKS), quantity_lots=lots, flags=flags,
            display_lots=rng.randint(1, min(lots, 9)), min_lots=rng.randint(1, lots), stop_ticks=rng.choice(TICKS), time_in_force=time_in_force,
            self_trade=rng.choice([*SelfTrade]), session=1,
            expiry_ns=self.now_ns + rng.randint(1, 5) * NS_PER_MINUTE if time_in_force == TimeInForce.GTD else 0,
        )  # fmt: skip

    def _price_and_lots(self, instrument: int, side: int) -> tuple[int, int]:
        """Mostly what would fill: up to what the best price of the other side shows."""
        rng = self.random
        symbol = self.exchange.instrument_by_id(instrument).symbol
        levels = self.exchange.depth(symbol, 1 - side, 1)
        if len(levels) == 0 or rng.random() < 0.2:
            return rng.choice(TICKS), rng.randint(1, 12)
        return int(levels[0]["price_ticks"]), rng.randint(1, min(12, int(levels[0]["quantity_lots"])))

    def _basket(self, account: int) -> np.ndarray:
        rng = self.random
        sent = [records for records, _ in self.log[self.prepared :] if records["kind"][0] == CommandKind.BASKET]
        if sent and rng.random() < 0.1:
            again = rng.choice(sent).copy()
            again["stamp_ns"] = self.now_ns
            return again
        instruments = rng.sample(self.instruments, rng.randint(1, 3))
        legs = [(instrument, side, *self._price_and_lots(instrument, side)) for instrument in instruments for side in (rng.randint(0, 1),)]
        return self.basket_records(account, *legs, self_trade=rng.choice([*SelfTrade]))


def walk_blocks(steps: int, seed: int = 1) -> BlockMarket:
    """The market after so many commands; invariants are checked after each."""
    market = BlockMarket(seed)
    for _ in range(steps):
        market.step()
    return market
