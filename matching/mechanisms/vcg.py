"""Vickrey-Clarke-Groves double auction: the largest gains from trade, each owner paying what it costs the others.

Papers: Vickrey 1961, Clarke 1971, Groves 1973. The largest volume trades. An owner gains exactly what the gains from trade of all would lack
without it, W - W(without it), so its payment is its reported value of what it trades less that gain. Buyers pay at most a competitive price
and sellers get at least one, so the operator has a deficit, which is reported (Myerson and Satterthwaite 1983: no mechanism is efficient,
individually rational, strategy-proof and free of a deficit).

The gain belongs to an owner, not to an order: it is spread over the owner's fills in proportion to their lots by the largest remainder, equal
remainders to the earlier, so amounts stay integers and sum exactly.

Properties: efficient; no order trades beyond its limit; never a surplus; strategy-proof in prices and quantities for owners on one side.
Ties at the marginal price by time, pro rata or seeded lot; they move no owner's gain. Cost: one pass over the accepted orders for each owner
that trades, so the square of a large market.
"""

from typing import Final

import numpy as np

from matching.mechanisms.fills import collect_fills
from matching.mechanisms.interface import Budget, Clearing, Mechanism, Properties, Rationality, Rules, StrategyProof
from matching.mechanisms.kernels import welfare_without
from matching.mechanisms.ranking import Market, rank_orders
from matching.mechanisms.rationing import fill_best, share
from matching.records import Side

NO_OWNER: Final = -1


def clear(orders: np.ndarray, rules: Rules) -> Clearing:
    """Clear sealed orders (SEALED_ORDER, by arrival). Raises ValueError for invalid orders."""
    market = rank_orders(orders)
    volume, _, _ = market.competitive_prices()
    lots = np.zeros(len(orders), np.int64)
    amounts = np.zeros(len(orders), np.int64)
    for side in (market.bids, market.asks):
        filled = fill_best(side, volume, rules)
        lots[side.place] = filled
        amounts[side.place] = filled * side.price_ticks
    fills = collect_fills(orders, lots, amounts)
    grant_gains(market, fills)
    bought = fills["side"] == Side.BUY
    surplus = int(fills["amount_tick_lots"][bought].sum()) - int(fills["amount_tick_lots"][~bought].sum())
    return Clearing(fills, (), volume, surplus)


def grant_gains(market: Market, fills: np.ndarray) -> None:
    """Turn the amounts of `fills`, in place, from reported values into VCG amounts: buyers pay their gain less, sellers get it more."""
    bids, asks = market.bids, market.asks
    columns = (bids.price_ticks, bids.quantity_lots, bids.owner, asks.price_ticks, asks.quantity_lots, asks.owner)
    welfare = welfare_without(*columns, NO_OWNER)
    by_owner = np.argsort(fills["owner"], kind="stable")
    owners, first = np.unique(fills["owner"][by_owner], return_index=True)
    for owner, start, end in zip(owners, first, np.append(first, len(fills))[1:], strict=True):
        places = by_owner[start:end]
        gain = int(welfare - welfare_without(*columns, owner))
        parts = share(gain, fills["quantity_lots"][places])
        fills["amount_tick_lots"][places] += np.where(fills["side"][places] == Side.BUY, -parts, parts)


MECHANISM: Final = Mechanism(
    name="vcg",
    clear=clear,
    rule="largest volume; each owner gains what all others' trade gains by its presence, the operator covers the deficit",
    paper="Vickrey 1961, Clarke 1971, Groves 1973",
    properties=Properties(efficient=True, rationality=Rationality.LIMITS, budget=Budget.DEFICIT, strategy_proof=StrategyProof.ONE_SIDE),
    ties="time, pro rata or seeded lot",
    rounding="none; an owner's gain is spread over its fills by the largest remainder",
    reads=("tie", "seed"),
)
