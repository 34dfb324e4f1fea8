"""What all business commands share: how a rule refuses, who sent the command, and the rows that a document names."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from exchange.accounts.participants import Participant, RegisteredKey
from exchange.errors import ParkexError
from exchange.market.instruments import Instrument
from exchange.protocol.reject_codes import RejectCode

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange

# 2.25 billion CNY an account; all accounts together stay below half of int64.
MONEY_LIMIT_MICRO: Final = 2**51

Result = dict[str, Any]
Handler = Callable[["Exchange", Any, "Caller"], Result]


class BusinessRuleError(ParkexError):
    """A business command is refused by the rule with this stable name; nothing has changed. `code` is what its sender is told."""

    code = RejectCode.BUSINESS_RULE


class CodedRefusalError(BusinessRuleError):
    """A business command is refused for a reason that orders are refused for too."""

    def __init__(self, code: RejectCode) -> None:
        super().__init__(code.name.lower())
        self.code = code


class Caller(NamedTuple):
    """Who sent the command, and when. `key` is None where the record names none: journals of before it did, and commands from inside the process."""

    account: int
    stamp_ns: int
    key: RegisteredKey | None = None

    @property
    def person(self) -> str:
        """Who holds the key; empty where nobody said."""
        return "" if self.key is None else self.key.person


def require(condition: bool, rule: str) -> None:
    """Raises BusinessRuleError unless the condition holds."""
    if not condition:
        raise BusinessRuleError(rule)


def require_code(condition: bool, code: RejectCode) -> None:
    """Raises CodedRefusalError unless the condition holds."""
    if not condition:
        raise CodedRefusalError(code)


def member(exchange: "Exchange", account: int) -> Participant:
    """The participant with that account."""
    participant = exchange.rooms.participants.by_id.get(account)
    if participant is None:
        raise BusinessRuleError("unknown_account")
    return participant


def listed(exchange: "Exchange", symbol: str) -> Instrument:
    """The open instrument with that symbol."""
    instrument = exchange.rooms.instruments.by_symbol.get(symbol)
    if instrument is None:
        raise BusinessRuleError("unknown_instrument")
    if instrument.slot < 0:
        raise BusinessRuleError("instrument_is_settled")
    return instrument
