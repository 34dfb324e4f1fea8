"""How a member's lines of the day become postings, and who pays what it cannot.

Published order for what a failed delivery leaves short: the hold made for it, then the account's cash (with what the same run brings it),
then the guarantee fund. No participant's balance goes below zero; what the fund paid stays a claim on the account.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from exchange.ledger.chart import House
from exchange.ledger.records import PostingReason


class SettlementPosting(NamedTuple):
    """`amount_micro` > 0 leaves `debit` and reaches `credit`."""

    debit: int
    credit: int
    amount_micro: int
    reason: PostingReason


class Claim(NamedTuple):
    """What the guarantee fund paid for an account, and for which line."""

    account: int
    amount_micro: int
    reason: PostingReason


@dataclass(frozen=True, slots=True)
class MemberLine:
    """One amount between a member and a house account: received positive. `hold_micro` was set aside for it and is released by this run."""

    reason: PostingReason
    house: House
    amount_micro: int
    hold_micro: int = 0


def posting(debit: int, credit: int, amount_micro: int, reason: PostingReason) -> Iterator[SettlementPosting]:
    """One posting; none for zero, the other way round for a negative amount."""
    if amount_micro > 0:
        yield SettlementPosting(debit, credit, amount_micro, reason)
    elif amount_micro < 0:
        yield SettlementPosting(credit, debit, -amount_micro, reason)


def credits_of(account: int, lines: Iterable[MemberLine]) -> Iterator[SettlementPosting]:
    """What the account receives."""
    for line in lines:
        if line.amount_micro > 0:
            yield SettlementPosting(line.house, account, line.amount_micro, line.reason)


def charges_of(account: int, available_micro: int, lines: Iterable[MemberLine]) -> tuple[list[SettlementPosting], list[Claim]]:
    """What the account pays, in the order of the lines, and what the guarantee fund pays for it.

    `available_micro` is free cash before the run. All credits of the run have reached the account before its first charge.
    """
    lines = list(lines)
    cash_micro = available_micro + sum(line.amount_micro for line in lines if line.amount_micro > 0)
    postings: list[SettlementPosting] = []
    claims: list[Claim] = []
    for line in lines:
        due_micro = max(-line.amount_micro, 0)
        paid_micro = min(due_micro, max(line.hold_micro + cash_micro, 0))
        # The hold pays first; what is left of it is cash again for the lines behind.
        cash_micro += line.hold_micro - paid_micro
        postings.extend(posting(account, line.house, paid_micro, line.reason))
        if paid_micro < due_micro:
            postings.append(SettlementPosting(House.GUARANTEE_FUND, line.house, due_micro - paid_micro, PostingReason.GUARANTEE_FUND))
            claims.append(Claim(account, due_micro - paid_micro, line.reason))
    return postings, claims
