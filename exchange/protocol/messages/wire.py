"""What all messages share: names and number ranges of the wire, the base of params and results, and that of requests."""

from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta, Struct

from exchange.units import INT64_MAX

PROTOCOL_VERSION: Final = 1
WEBSOCKET_PATH: Final = "/ws/v1"

# Levels of each side in the channel that names no depth, and the depths that others may name.
DEFAULT_DEPTH: Final = 50
DEPTHS: Final = (1, 5, 10, 20, DEFAULT_DEPTH)
FULL_DEPTH: Final = 0
IntervalName = Literal["1m", "5m", "15m", "1h", "1d"]

RequestId = Annotated[int, Meta(ge=-INT64_MAX - 1, le=INT64_MAX)] | Annotated[str, Meta(max_length=64)]
OrderId = Annotated[int, Meta(ge=1, le=INT64_MAX)]
UInt32 = Annotated[int, Meta(ge=0, le=2**32 - 1)]
PositiveInt64 = Annotated[int, Meta(ge=0, le=INT64_MAX)]

SideName = Literal["buy", "sell"]
OrderTypeName = Literal["limit", "market"]
TimeInForceName = Literal["gtc", "gtd", "session", "ioc", "fok", "gate"]
SelfTradeName = Literal["cancel_newest", "cancel_oldest", "cancel_both", "decrement"]


class Params(Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True, frozen=True, gc=False):
    """Base of all params and results."""


class NoParams(Params, frozen=True):
    """For methods without parameters."""


class Request(Struct, tag_field="method", forbid_unknown_fields=True, kw_only=True, gc=False):
    """A JSON-RPC request. The tag is the method."""

    METHOD: ClassVar[str]
    jsonrpc: Literal["2.0"]
    id: RequestId
