"""Who is logged on, and how far a connection has come."""

from dataclasses import dataclass
from enum import StrEnum

from exchange.gateway.throttle import TokenBucket


class State(StrEnum):
    NEW = "new"
    LOGGING_ON = "logging_on"  # the opening of the session is on its way through the journal
    LOGGED_ON = "logged_on"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is logged on."""

    key_id: str
    account: int
    session: int
    scopes: frozenset[str]
    cancel_on_disconnect: bool
    order_flags: int  # CommandFlag bits that every order of the session carries
    key_bucket: TokenBucket
    account_bucket: TokenBucket
    key_number: int  # by which commands name the key
