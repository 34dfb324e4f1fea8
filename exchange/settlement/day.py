"""Settlement of a day (docs/rules.md, "Settlement of the day"): positions against meters, in integers, no clock.

    problem = check_day(day)          # a business rule that refuses the day, or None
    result = settle_day(day)          # postings in canonical order, statements, what the fold keeps

Invariants: every posting balances; CLEARING gives out exactly what the day's trades put in and NETTING_FUND ends where it began; no participant
goes below zero at any posting; the park fee and the shares of the refund do not depend on how often energy changed hands.
Order: credits of members (energy delivered, then surplus), the grid and losses, the fund in and out, charges account by account,
network tariff on to the grid, rounding. So everything a member is due has reached it before it is asked to pay; CLEARING lends
in between.
Cost: a few microseconds an account and period, in exact Python integers where amounts are summed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exchange.errors import CheckFailedError
from exchange.ledger.chart import House
from exchange.ledger.records import POSTING, PostingReason
from exchange.settlement.amounts import MemberAmounts, market_withdrawal_wh, member_amounts
from exchange.settlement.charges import Claim, MemberLine, SettlementPosting, charges_of, credits_of, posting
from exchange.settlement.day_input import DayInput, Int64Array, check_day
from exchange.settlement.netting import ParkTotals, park_totals
from exchange.settlement.record import record_day
from exchange.settlement.statement import DaySettlement


@dataclass(frozen=True, slots=True, eq=False)
class DayResult:
    """Postings to make, in order; the record to keep; and by account and period ([n, T], Wh) what they come from."""

    postings: tuple[SettlementPosting, ...]
    claims: tuple[Claim, ...]
    settlement: DaySettlement
    imbalance_wh: Int64Array
    market_withdrawal_wh: Int64Array

    def posting_rows(self) -> NDArray[Any]:
        """The postings as POSTING records; sequence and index are the poster's to fill."""
        rows = np.zeros(len(self.postings), POSTING)
        for row, entry in enumerate(self.postings):
            for name, value in zip(("debit", "credit", "amount", "reason"), entry, strict=True):
                rows[row][name] = value
        return rows


def settle_day(day: DayInput) -> DayResult:
    """Settle every period of the day. Raises CheckFailedError when `check_day` finds a problem: call that first and refuse the command."""
    problem = check_day(day)
    if problem is not None:
        raise CheckFailedError(f"settlement of {day.day}: {problem}")
    totals = park_totals(day)
    amounts = member_amounts(day, totals.fund_micro)
    postings, claims, rounding_micro = _post(day, totals, amounts)
    settlement = record_day(day, totals, amounts, claims, rounding_micro)
    return DayResult(postings, claims, settlement, day.imbalance_wh, market_withdrawal_wh(day))


def _post(day: DayInput, totals: ParkTotals, amounts: MemberAmounts) -> tuple[tuple[SettlementPosting, ...], tuple[Claim, ...], int]:
    """Postings in canonical order, claims, and what rounding left in CLEARING."""
    accounts = day.accounts.tolist()
    lines = [_member_lines(amounts, row) for row in range(len(accounts))]
    postings: list[SettlementPosting] = []
    for stage in (PostingReason.ENERGY_DELIVERED, PostingReason.SURPLUS, PostingReason.DEFICIT):
        for account, own in zip(accounts, lines, strict=True):
            postings.extend(credits_of(account, (line for line in own if line.reason == stage)))
    postings.extend(_park_postings(totals))
    for account, refund_micro in zip(accounts, amounts.refund, strict=True):
        postings.extend(posting(House.NETTING_FUND, account, refund_micro, PostingReason.NETTING_REFUND))
    postings.extend(posting(House.NETTING_FUND, House.GUARANTEE_FUND, totals.fund_micro - sum(amounts.refund), PostingReason.NETTING_REFUND))
    claims: list[Claim] = []
    for row, (account, own) in enumerate(zip(accounts, lines, strict=True)):
        charged, claimed = charges_of(account, int(day.available_micro[row]) + amounts.refund[row], own)
        postings.extend(charged)
        claims.extend(claimed)
    postings.extend(posting(House.NETWORK_TARIFF, House.GRID, -sum(amounts.voltage_adder), PostingReason.VOLTAGE_ADDER))
    rounding_micro = _clearing_remainder(totals, amounts)
    postings.extend(posting(House.CLEARING, House.ROUNDING, rounding_micro, PostingReason.ROUNDING))
    return tuple(postings), tuple(claims), rounding_micro


def _member_lines(amounts: MemberAmounts, row: int) -> list[MemberLine]:
    """Lines between a member and the house in the order they are charged: what a hold was made for comes first."""
    return [
        MemberLine(PostingReason.PARK_FEE, House.PARK_FEES, amounts.park_fee[row], amounts.held_park_fee[row]),
        MemberLine(PostingReason.DEFICIT, House.CLEARING, amounts.deficit[row], amounts.held_guarantee[row]),
        MemberLine(PostingReason.ENERGY_DELIVERED, House.CLEARING, amounts.sold[row]),
        MemberLine(PostingReason.SURPLUS, House.CLEARING, amounts.surplus[row]),
        MemberLine(PostingReason.VOLTAGE_ADDER, House.NETWORK_TARIFF, amounts.voltage_adder[row]),
    ]


def _park_postings(totals: ParkTotals) -> Iterator[SettlementPosting]:
    yield from posting(House.GRID, House.CLEARING, totals.grid_export_micro, PostingReason.GRID_EXPORT)
    yield from posting(House.CLEARING, House.GRID, totals.grid_import_micro, PostingReason.GRID_IMPORT)
    yield from posting(House.PARK_FEES, House.CLEARING, totals.losses_micro, PostingReason.LOSSES)
    yield from posting(House.CLEARING, House.NETTING_FUND, totals.fund_micro, PostingReason.NETTING_FUND)


def _clearing_remainder(totals: ParkTotals, amounts: MemberAmounts) -> int:
    """Members' payments + export + losses less import and fund: what half-even rounding leaves, at most half a micro-CNY a line."""
    members_micro = -sum(amounts.deficit) - sum(amounts.surplus)
    return members_micro + totals.grid_export_micro + totals.losses_micro - totals.grid_import_micro - totals.fund_micro
