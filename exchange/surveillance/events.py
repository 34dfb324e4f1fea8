"""What the rules see: trades and orders as values, and who belongs together."""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from exchange.order_path.records import EXECUTION, ExecutionKind

EventId = tuple[int, int]

_NAMES: Final = EXECUTION.names or ()
(
    _SEQUENCE, _INDEX, _KIND, _SIDE, _REASON, _STAMP, _INSTRUMENT, _ORDER, _COUNTER_ORDER, _PRICE, _QUANTITY, _REMAINING, _COUNTER_REMAINING,
    _ACCOUNT, _COUNTER_ACCOUNT,
) = (
    _NAMES.index(name)
    for name in (
        "sequence", "index", "kind", "side", "reason", "stamp_ns", "instrument", "order_id", "counter_order_id", "price_ticks", "quantity_lots",
        "remaining_lots", "counter_remaining_lots", "account", "counter_account",
    )
)  # fmt: skip


class Trade(NamedTuple):
    """One trade in a book or an auction; both sides by their accounts."""

    id: EventId
    stamp_ns: int
    instrument: int
    price_ticks: int
    lots: int
    buyer: int
    seller: int


class Cancelled(NamedTuple):
    """An order that its owner took back."""

    id: EventId
    stamp_ns: int
    instrument: int
    account: int
    side: int
    lots: int
    rested_ns: int


@dataclass(slots=True)
class OpenOrder:
    """An order in the ladder, as the events have told."""

    instrument: int
    account: int
    side: int
    lots: int
    rested_ns: int
    price_ticks: int


class Execution(NamedTuple):
    """A row of EXECUTION, as far as the rules read it."""

    id: EventId
    kind: int
    side: int
    reason: int
    stamp_ns: int
    instrument: int
    order_id: int
    counter_order_id: int
    price_ticks: int
    lots: int
    remaining_lots: int
    counter_remaining_lots: int
    account: int
    counter_account: int

    @property
    def is_trade(self) -> bool:
        return self.kind == ExecutionKind.TRADE


def as_execution(row: tuple[Any, ...]) -> Execution:
    """From one row of `EXECUTION` as a tuple."""
    return Execution(
        (row[_SEQUENCE], row[_INDEX]), row[_KIND], row[_SIDE], row[_REASON], row[_STAMP], row[_INSTRUMENT], row[_ORDER], row[_COUNTER_ORDER],
        row[_PRICE], row[_QUANTITY], row[_REMAINING], row[_COUNTER_REMAINING], row[_ACCOUNT], row[_COUNTER_ACCOUNT],
    )  # fmt: skip


@dataclass(slots=True)
class Owners:
    """Beneficial owner and role of every account, as admissions and changes have told."""

    owner: dict[int, int]
    role: dict[int, str]

    def of(self, account: int) -> int:
        return self.owner.get(account, account)

    def accounts(self, owner: int, among: set[int]) -> list[int]:
        """The accounts of an owner among some, ascending."""
        return sorted(account for account in among if self.of(account) == owner)


class Finding(NamedTuple):
    """What a rule has found, before it is an alert with a number."""

    rule: str
    at_ns: int
    instrument: int
    accounts: list[int]
    events: list[EventId]
    evidence: dict[str, int]
    parameters: dict[str, int]
