"""Results of business commands and the statement, as structs. Money in micro-CNY, energy in Wh, quantities in lots, times in ns since the epoch."""

from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from clients.sdk.errors import ClientError

T = TypeVar("T")


class ProposalOutcome(Struct, frozen=True):
    """A block trade after a command. `status`: open, traded, declined, withdrawn, expired."""

    proposal: int
    status: str
    expires_ns: int = 0
    duplicate: bool = False


class BidOutcome(Struct, frozen=True):
    """A sealed bid after a command. `status`: sealed, ended, withdrawn."""

    bid: int
    revision: int
    status: str
    allotted_lots: int = 0


class StatementLine(Struct, frozen=True):
    """One line. `energy_wh` is what the amount is for, 0 where there is none. `status`: charged, information, inside_tariff, excluded."""

    item: str
    status: str
    energy_wh: int = 0
    amount_micro: int = 0


class StatementSource(Struct, frozen=True, kw_only=True):
    """What all lines come from: the command that settled, its rules, its periods; by line the index of its posting in that command, -1: none."""

    sequence: int = 0
    rules_version: int = 0
    first_period: str = ""
    last_period: str = ""
    periods: int = 0
    postings: list[int] = []


class Statement(Struct, frozen=True, kw_only=True):
    """The day or month of one account; received positive, paid negative. `total_micro` is what the day changed its balance by.

    `run` counts from 1; `adjustments_micro` has for each line what a later run changed.
    """

    day: str
    account: int
    name: str
    role: str
    lines: list[StatementLine]
    total_micro: int
    consumption_wh: int
    generation_wh: int
    park_fee_held_micro: int
    guarantee_held_micro: int
    claim_micro: int
    substituted_periods: int
    nominated_periods: int
    schedule_deviation_wh: int
    run: int = 1
    adjustments_micro: list[int] = []
    source: StatementSource = StatementSource()


def typed(result: Any, kind: type[T]) -> T:
    """A plain result as a struct. Raises ClientError for the form of another server."""
    try:
        return msgspec.convert(result, kind)
    except msgspec.ValidationError:
        raise ClientError("the exchange answered in an unknown form") from None
