"""Invariants 4 and 6, trades: within the limits of both orders, paid by one what the other is owed, and never more than an order asked for."""

import numpy as np
from numpy.typing import NDArray

from exchange.journal.record import CommandFlag, CommandKind, OrderType
from exchange.ledger.records import PostingReason
from exchange.maintenance.invariants.interface import Finding, breach
from exchange.order_path.path import BatchResult, Exchange
from exchange.order_path.records import TRADE_KINDS, ExecutionKind, OutcomeFlag
from matching.records import Side

_INT64_MAX = np.iinfo(np.int64).max
# An order that is known from before the replay began, or that has no limit of its own, is not looked at.
_UNKNOWN = -1
_FIRST_SIZE = 1 << 16


class TradesWatch:
    """Limits and sizes of all orders from the commands that placed and amended them."""

    def __init__(self) -> None:
        self._limit_ticks = np.full(_FIRST_SIZE, _UNKNOWN, np.int64)  # by order id
        self._filled_lots = np.zeros(_FIRST_SIZE, np.int64)
        self._most_lots = np.full(_FIRST_SIZE, _INT64_MAX, np.int64)
        self._trades = 0
        self._notional_micro = 0

    def begin(self, exchange: Exchange) -> None:
        """Orders that rest already are not known by their commands."""

    def see(self, batch: BatchResult, exchange: Exchange) -> None:
        amended = self._read_commands(batch)
        trades = batch.executions[np.isin(batch.executions["kind"], TRADE_KINDS)]
        if not len(trades):
            return
        self._trades += len(trades)
        self._check_limits(trades[trades["kind"] == int(ExecutionKind.TRADE)], amended)
        self._check_sizes(trades[trades["kind"] == int(ExecutionKind.TRADE)])
        self._check_money(batch, trades, exchange)

    def conclude(self, _exchange: Exchange) -> Finding:
        return Finding("4, 6", "trades", f"{self._trades:,} within both limits and sizes, {self._notional_micro:,} micro-CNY paid and owed")

    def _read_commands(self, batch: BatchResult) -> NDArray[np.int64]:
        """Take in new and amended orders; returns the ids of the amended ones, whose limit may have changed between two trades of the batch."""
        records, outcomes = batch.records, batch.outcomes
        fresh = ((outcomes["flags"] & int(OutcomeFlag.DUPLICATE)) == 0) & (outcomes["code"] == 0)
        placed = fresh & np.isin(records["kind"], [int(CommandKind.PLACE), int(CommandKind.BASKET)]) & (outcomes["order_id"] > 0)
        amended = fresh & (records["kind"] == int(CommandKind.AMEND))
        ids = outcomes["order_id"][placed]
        self._grow(int(max(ids.max(initial=0), records["order_id"][amended].max(initial=0))) + 1)
        has_limit = np.isin(records["order_type"][placed], [int(OrderType.LIMIT)]) & (records["price_ticks"][placed] >= 0)
        self._limit_ticks[ids] = np.where(has_limit, records["price_ticks"][placed], _UNKNOWN)
        self._most_lots[ids] = records["quantity_lots"][placed]
        ids = records["order_id"][amended].astype(np.int64)
        priced = (records["flags"][amended] & int(CommandFlag.AMEND_PRICE)) != 0
        known = self._limit_ticks[ids] != _UNKNOWN
        self._limit_ticks[ids[priced & known]] = records["price_ticks"][amended][priced & known]
        sized = (records["flags"][amended] & int(CommandFlag.AMEND_QUANTITY)) != 0
        self._most_lots[ids[sized]] = _INT64_MAX  # what an amend asks for is what remains: told by the events of the book
        return np.asarray(ids, np.int64)

    def _check_limits(self, trades: NDArray[np.void], amended: NDArray[np.int64]) -> None:
        taker_buys = trades["side"] == int(Side.BUY)
        for ids, is_buy in ((trades["order_id"], taker_buys), (trades["counter_order_id"], ~taker_buys)):
            limit_ticks = self._limit_ticks[ids]
            outside = np.where(is_buy, trades["price_ticks"] > limit_ticks, trades["price_ticks"] < limit_ticks)
            wrong = np.flatnonzero(outside & (limit_ticks != _UNKNOWN) & ~np.isin(ids, amended))
            if wrong.size:
                raise breach("4", f"order {ids[wrong[0]]} traded beyond its limit", int(trades["sequence"][wrong[0]]))

    def _check_sizes(self, trades: NDArray[np.void]) -> None:
        for name in ("order_id", "counter_order_id"):
            np.add.at(self._filled_lots, trades[name], trades["quantity_lots"])
        ids = np.concatenate([trades["order_id"], trades["counter_order_id"]])
        wrong = np.flatnonzero(self._filled_lots[ids] > self._most_lots[ids])
        if wrong.size:
            raise breach("6", f"order {ids[wrong[0]]} filled more than it asked for", int(trades["sequence"].max()))

    def _check_money(self, batch: BatchResult, trades: NDArray[np.void], exchange: Exchange) -> None:
        """What buyers paid is price times quantity, and fees are those that the executions name."""
        assets, inverse = np.unique(trades["instrument"], return_inverse=True)
        instruments = [exchange.instrument_by_id(int(asset)) for asset in assets]
        multiplier = np.array([instrument.spec.multiplier_micro for instrument in instruments], np.int64)[inverse]
        # Units are paid on to the seller in the same command: two postings of the same amount.
        times = np.array([1 if instrument.is_power else 2 for instrument in instruments], np.int64)[inverse]
        notional = trades["price_ticks"] * trades["quantity_lots"] * multiplier
        self._notional_micro += int(notional.sum())
        postings = batch.postings[batch.postings["asset"] == 0]
        _compare_sums(batch, trades["sequence"], notional * times, postings, (PostingReason.TRADE,), "a trade is not paid at its price")
        fees = trades["fee_micro"] + trades["counter_fee_micro"]
        of_fees = (PostingReason.MAKER_FEE, PostingReason.TAKER_FEE)
        _compare_sums(batch, trades["sequence"], fees, postings, of_fees, "a fee is not the one that was told")

    def _grow(self, size: int) -> None:
        have = len(self._limit_ticks)
        if size > have:
            more = max(size, 2 * have) - have
            self._limit_ticks = np.concatenate([self._limit_ticks, np.full(more, _UNKNOWN, np.int64)])
            self._filled_lots = np.concatenate([self._filled_lots, np.zeros(more, np.int64)])
            self._most_lots = np.concatenate([self._most_lots, np.full(more, _INT64_MAX, np.int64)])


def _compare_sums(
    batch: BatchResult,
    sequences: NDArray[np.int64],
    amounts: NDArray[np.int64],
    postings: NDArray[np.void],
    reasons: tuple[PostingReason, ...],
    what: str,
) -> None:
    """Sums by command of what trades say against those of postings."""
    posted = postings[np.isin(postings["reason"], [int(reason) for reason in reasons])]
    told, found = np.zeros((2, len(batch.records)), np.int64)
    np.add.at(told, sequences - batch.first_sequence, amounts)
    np.add.at(found, posted["sequence"] - batch.first_sequence, posted["amount"])
    wrong = np.flatnonzero(told != found)
    if wrong.size:
        raise breach("4", what, batch.first_sequence + int(wrong[0]))
