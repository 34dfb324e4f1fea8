"""What a run leaves behind: arrays by participant and quarter-hour, trades, quotes, money, certificates, hashes. Everything that measures reads
this.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.scenario.model import Scenario

Integers = NDArray[np.int64]

# One trade between participants. `period` counts from the start of the run, `buyer` and `seller` are rows, `taker_side` as in matching.records.Side
# (255: an auction). Where a mechanism lets both sides pay different prices, `price_ticks` is the seller's and `buyer_price_ticks` the buyer's.
TRADE: Final = np.dtype(
    [
        ("stamp_ns", "<i8"), ("period", "<i4"), ("round", "<i2"), ("taker_side", "u1"), ("unused", "u1"), ("buyer", "<i4"), ("seller", "<i4"),
        ("price_ticks", "<i8"), ("buyer_price_ticks", "<i8"), ("quantity_lots", "<i8"),
    ]
)  # fmt: skip

# Depth counts lots up to 0.01 CNY/kWh behind the best price of a side.
DEPTH_TICKS: Final = 100

# The book of a period after a round; -1 where a side is empty. Depth within DEPTH_TICKS of the best price of the side.
QUOTE: Final = np.dtype(
    [
        ("period", "<i4"), ("round", "<i4"), ("stamp_ns", "<i8"), ("bid_ticks", "<i8"), ("ask_ticks", "<i8"), ("bid_lots", "<i8"),
        ("ask_lots", "<i8"),
        ("orders", "<i8"), ("volume_lots", "<i8"),
    ]
)  # fmt: skip

# One trade of a certificate, allowance or credit; `instrument` counts scenario.instruments, prices are ticks of 0.01 CNY.
UNIT_TRADE: Final = np.dtype(
    [
        ("stamp_ns", "<i8"), ("instrument", "<i4"), ("unused", "<i4"), ("buyer", "<i4"), ("seller", "<i4"), ("price_ticks", "<i8"),
        ("quantity_lots", "<i8"),
    ]
)  # fmt: skip


def _no_unit_trades() -> NDArray[np.void]:
    return np.zeros(0, UNIT_TRADE)


def _none_refused() -> Integers:
    return np.zeros(0, np.int64)


@dataclass(slots=True, eq=False)
class RunRecord:
    """n participants, P quarter-hours of the whole run, D days. int64 unless said; rows as in `scenario.participants`.

    Energy, [n, P] Wh: `load_wh` (served, shifted load where it was used), `generation_wh`, `charge_wh`, `discharge_wh`, `curtailed_wh`; meters show
    load + charge taken out and generation + discharge put in. [P] Wh: `import_wh`, `export_wh`, `loss_wh` of the park.
    Wanted, [n, P] lots at the book: `want_buy_lots`, `want_sell_lots`: the whole position, bought or sold, that a participant wanted to end with, as
    it believed at the last round before its gate (not what it still lacked then); `bought_lots`, `sold_lots`. `value_ticks`, `cost_ticks` [n, P]:
    private limits (world.day). `limit_reported_ticks` [n, P]: the limit it acted on, -1: did not act. Money, [n, D] micro-CNY, paid positive:
    `bill_retail_micro` (each alone), `bill_pool_micro` (mid-market rate behind one meter, ideal storage), `bill_market_micro` (as settled, mechanism
    payments included), of which `fee_micro` (trading and park fees), `imbalance_micro` (cost of deficits less income of surpluses, both signs) and
    `trade_micro` (paid less received for trades). [D]: `operator_micro` (surplus of the mechanism, deficit negative; fees apart), `netting_micro`.
    `deficit_wh`, `surplus_wh` [n, P]: imbalance.
    Certificates, [n] Wh: `issued_wh`, `claimed_wh` (matched to own use), `expired_wh`; `double_claims` counts what the audit finds, which must be 0.
    `matched_wh` [n, P]: green energy delivered to the participant within the quarter-hour. `refused_orders` [n]: power orders that the exchange did
    not take.
    """

    scenario: Scenario
    seed: int
    start_ns: Integers
    day_of_period: Integers
    deficit_price_ticks: Integers
    surplus_price_ticks: Integers
    load_wh: Integers
    generation_wh: Integers
    charge_wh: Integers
    discharge_wh: Integers
    curtailed_wh: Integers
    import_wh: Integers
    export_wh: Integers
    loss_wh: Integers
    soc_wh: Integers
    value_ticks: Integers
    cost_ticks: Integers
    limit_reported_ticks: Integers
    want_buy_lots: Integers
    want_sell_lots: Integers
    bought_lots: Integers
    sold_lots: Integers
    deficit_wh: Integers
    surplus_wh: Integers
    bill_retail_micro: Integers
    bill_pool_micro: Integers
    bill_market_micro: Integers
    fee_micro: Integers
    imbalance_micro: Integers
    trade_micro: Integers
    operator_micro: Integers
    netting_micro: Integers
    matched_wh: Integers
    issued_wh: Integers
    claimed_wh: Integers
    expired_wh: Integers
    double_claims: int
    trades: NDArray[np.void]
    quotes: NDArray[np.void]
    orders: int
    state_hash: str
    event_hash: str
    journal_hash: str
    seconds: dict[str, float] = field(default_factory=dict)
    unit_trades: NDArray[np.void] = field(default_factory=_no_unit_trades)
    refused_orders: Integers = field(default_factory=_none_refused)

    @property
    def n_participants(self) -> int:
        return len(self.scenario.participants)

    @property
    def n_periods(self) -> int:
        return len(self.start_ns)
