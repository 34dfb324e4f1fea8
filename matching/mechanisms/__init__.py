"""One-shot mechanisms for market designers, behind one interface: sealed orders and rules in, fills, prices and payments out.

    from matching.mechanisms import MECHANISMS, SEALED_ORDER, Rules
    clearing = MECHANISMS["uniform"].clear(orders, Rules())

`orders` is an array of SEALED_ORDER in the sequence of arrival. docs/mechanisms.md says what each mechanism does and what holds for it.
"""

from matching.mechanisms.interface import (
    FILL,
    OWNER_PAYMENT,
    SEALED_ORDER,
    Budget,
    Clearing,
    GridTrade,
    Mechanism,
    Properties,
    Rationality,
    Rules,
    StrategyProof,
    TieRule,
    UnitPrices,
)
from matching.mechanisms.table import MECHANISMS, ONE_WAY
from matching.price_rules import PriceRule

__all__ = [
    "FILL",
    "MECHANISMS",
    "ONE_WAY",
    "OWNER_PAYMENT",
    "SEALED_ORDER",
    "Budget",
    "Clearing",
    "GridTrade",
    "Mechanism",
    "PriceRule",
    "Properties",
    "Rationality",
    "Rules",
    "StrategyProof",
    "TieRule",
    "UnitPrices",
]
