"""What all one-shot mechanisms share: sealed orders and rules in, a clearing out.

A mechanism is a function of an array of sealed orders, its sequence being the order of arrival, and of one frozen record of rules; nothing
else enters, so the same call gives the same clearing anywhere. Prices are ticks, quantities lots, money is tick x lot (`tick_lots`): all
integers. A unit price finer than a tick is a Fraction, and each fill's amount is then rounded half-even once.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from fractions import Fraction
from typing import Final

import numpy as np

from matching.price_rules import K_DENOMINATOR_MAX, PRICE_TICKS_MAX, PRICE_TICKS_MIN, PriceRule
from matching.records import Side

# An order as it was sealed; `price_ticks` is its limit. Ids are distinct; an owner may have any number of orders.
SEALED_ORDER: Final = np.dtype([("order_id", "i8"), ("quantity_lots", "i8"), ("price_ticks", "i4"), ("owner", "i4"), ("side", "u1")], align=True)

# What one order trades. `order` is its place in the array of orders; `amount_tick_lots` is what its owner pays (buy) or gets (sell).
FILL: Final = np.dtype(
    [("order", "i8"), ("order_id", "i8"), ("quantity_lots", "i8"), ("amount_tick_lots", "i8"), ("owner", "i4"), ("side", "u1")], align=True
)

# One owner's share of a clearing; `net_tick_lots` is what it pays for what it buys less what it gets for what it sells.
OWNER_PAYMENT: Final = np.dtype([("bought_lots", "i8"), ("sold_lots", "i8"), ("net_tick_lots", "i8"), ("owner", "i4")], align=True)


class TieRule(IntEnum):
    """Who trades among orders of the marginal price that cannot all trade."""

    TIME = 0  # earlier in the array first
    PRO_RATA = 1  # in proportion to quantity, by the largest remainder, equal remainders to the earlier
    LOT = 2  # in the sequence of lot numbers drawn from the seed and the order ids


@dataclass(frozen=True, slots=True)
class Rules:
    """Parameters of a clearing; each mechanism reads those that its `reads` names and no others.

    `k` in [0, 1], its denominator at most 2**30. `seed` is any int in [0, 2**64). `grid_buy_ticks` is what the grid charges for a lot,
    `grid_sell_ticks` (not above it) what it pays. `auctioned_side`, `reserve_price_ticks` and `fails_if_undersubscribed` belong to the
    one-way auction. Raises ValueError for a value out of range.
    """

    k: Fraction = Fraction(1, 2)
    tie: TieRule = TieRule.TIME
    seed: int = 0
    price_rule: PriceRule = PriceRule.K
    reference_price_ticks: int | None = None
    grid_buy_ticks: int | None = None
    grid_sell_ticks: int | None = None
    auctioned_side: Side = Side.SELL
    reserve_price_ticks: int | None = None
    fails_if_undersubscribed: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.k <= 1 or self.k.denominator > K_DENOMINATOR_MAX:
            raise ValueError(f"k is a fraction between 0 and 1 with a denominator of at most {K_DENOMINATOR_MAX}")
        if not 0 <= self.seed < 2**64:
            raise ValueError("seed is between 0 and 2**64 - 1")
        for name in ("reference_price_ticks", "grid_buy_ticks", "grid_sell_ticks", "reserve_price_ticks"):
            price = getattr(self, name)
            if price is not None and not PRICE_TICKS_MIN <= price <= PRICE_TICKS_MAX:
                raise ValueError(f"{name} is outside the range of prices")
        if self.price_rule == PriceRule.REFERENCE and self.reference_price_ticks is None:
            raise ValueError("the reference rule needs reference_price_ticks")
        if self.grid_buy_ticks is not None and self.grid_sell_ticks is not None and self.grid_buy_ticks < self.grid_sell_ticks:
            raise ValueError("grid_buy_ticks is below grid_sell_ticks: anyone could buy in order to feed in")

    def grid_prices(self) -> tuple[int, int]:
        """What the grid charges and pays for a lot. Raises ValueError where either is missing."""
        if self.grid_buy_ticks is None or self.grid_sell_ticks is None:
            raise ValueError("this mechanism needs grid_buy_ticks and grid_sell_ticks")
        return self.grid_buy_ticks, self.grid_sell_ticks


@dataclass(frozen=True, slots=True)
class UnitPrices:
    """What one group of traders pays and gets for a lot, in ticks."""

    buy_ticks: Fraction
    sell_ticks: Fraction


@dataclass(frozen=True, slots=True)
class GridTrade:
    """What a pool takes from the grid and gives to it; `cost_tick_lots` is what the grid is paid, net."""

    import_lots: int = 0
    export_lots: int = 0
    cost_tick_lots: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Clearing:
    """The outcome of one call.

    `fills` (FILL) stands in the sequence of the orders, orders that trade nothing left out. `prices` has one entry for each group that
    shares unit prices: one as a rule, two for the halves of MUDA, none where each trader has its own or nothing trades. `volume_lots` is
    what members trade with each other. `surplus_tick_lots` is what buyers pay, less what sellers and the grid get: positive is left with
    the operator, negative is its deficit. `residual_tick_lots` is the part of it that rounding made. `price_set_ticks`, for the uniform
    auction, holds the lowest and the highest candidate.
    """

    fills: np.ndarray
    prices: tuple[UnitPrices, ...]
    volume_lots: int
    surplus_tick_lots: int
    residual_tick_lots: int = 0
    grid: GridTrade = field(default_factory=GridTrade)
    price_set_ticks: tuple[int, int] | None = None

    def payments_by_owner(self) -> np.ndarray:
        """OWNER_PAYMENT of every owner with a fill, ascending by owner."""
        owners, place = np.unique(self.fills["owner"], return_inverse=True)
        payments = np.zeros(len(owners), OWNER_PAYMENT)
        payments["owner"] = owners
        bought = self.fills["side"] == Side.BUY
        amount = self.fills["amount_tick_lots"]
        np.add.at(payments["bought_lots"], place[bought], self.fills["quantity_lots"][bought])
        np.add.at(payments["sold_lots"], place[~bought], self.fills["quantity_lots"][~bought])
        np.add.at(payments["net_tick_lots"], place, np.where(bought, amount, -amount))
        return payments


class Rationality(Enum):
    """What no trader is worse off than."""

    LIMITS = "limits"  # no lot is bought above or sold below its order's limit
    GRID = "grid prices"  # no lot is bought above the grid's price or sold below it; limits are not read


class Budget(Enum):
    STRONG = "strong"  # nothing is left over and nothing is missing, but for rounding
    WEAK = "weak"  # the operator may keep a surplus, never pays
    DEFICIT = "deficit"  # the operator never keeps anything and may pay


class StrategyProof(Enum):
    """The domain in which no owner gains by any other report, whatever the others report and whatever the seed."""

    NO = "no"
    ONE_LOT = "owners with one lot"
    ONE_ORDER = "prices of owners with one order of known quantity"
    ONE_SIDE = "owners on one side with falling marginal values, prices and quantities"
    UNREAD = "limits, which are not read"


@dataclass(frozen=True, slots=True)
class Properties:
    """What holds for every market. `efficient`: the gains from trade of the orders as reported are the largest possible."""

    efficient: bool
    rationality: Rationality
    budget: Budget
    strategy_proof: StrategyProof


@dataclass(frozen=True, slots=True)
class Mechanism:
    """One row of the table: the function, where it comes from, what holds for it, and which fields of Rules it reads.

    `clear` raises ValueError for orders or rules it cannot take and changes neither.
    """

    name: str
    clear: Callable[[np.ndarray, Rules], Clearing]
    rule: str
    paper: str
    properties: Properties
    ties: str
    rounding: str
    reads: tuple[str, ...]
