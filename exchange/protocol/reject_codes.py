"""Every way a request can be refused, in bands by the stage that refuses it.

Checks run in the order of the codes within a band, so the lowest code that applies is the one a client sees.
The numbers are part of the protocol: a number is never reused.
"""

from enum import IntEnum
from typing import Final


class RejectCode(IntEnum):
    """0 is acceptance; 1xxx decode, 2xxx validate, 3xxx admit and risk, 4xxx matching, 5xxx session and limits."""

    ACCEPTED = 0

    FRAME_TOO_LARGE = 1001
    BINARY_FRAME = 1002
    INVALID_UTF8 = 1003
    INVALID_JSON = 1004
    NESTING_TOO_DEEP = 1005
    BATCH_NOT_SUPPORTED = 1006
    INVALID_REQUEST = 1007
    INVALID_REQUEST_ID = 1008
    NOTIFICATION_NOT_SUPPORTED = 1009
    UNKNOWN_METHOD = 1010
    INVALID_PARAMS = 1011
    INVALID_DECIMAL = 1012
    INVALID_MSGPACK = 1013
    TEXT_FRAME = 1014
    UNSUPPORTED_VALUE = 1015

    INVALID_CLIENT_ORDER_ID = 2001
    UNKNOWN_INSTRUMENT = 2002
    INVALID_COMBINATION = 2003
    PRICE_REQUIRED = 2004
    PRICE_NOT_ALLOWED = 2005
    PRICE_OFF_TICK = 2006
    PRICE_OUT_OF_RANGE = 2007
    QUANTITY_OFF_LOT = 2008
    QUANTITY_OUT_OF_RANGE = 2009
    NOTIONAL_OVERFLOW = 2010
    EXPIRY_REQUIRED = 2011
    EXPIRY_NOT_ALLOWED = 2012
    INVALID_TIMESTAMP = 2013
    NOTHING_TO_AMEND = 2014
    UNKNOWN_DOCUMENT = 2015
    INVALID_DOCUMENT = 2016
    DISPLAY_OUT_OF_RANGE = 2017
    MINIMUM_OUT_OF_RANGE = 2018
    INVALID_BASKET = 2025
    TIMEOUT_OUT_OF_RANGE = 2030
    NO_SUCH_ORDER = 2031

    CLIENT_ORDER_ID_REUSED = 3001
    DEADLINE_PASSED = 3002
    EXPIRY_PASSED = 3003
    ACCOUNT_SUSPENDED = 3004
    NO_PERMISSION = 3005
    UNKNOWN_ORDER = 3006
    REVISION_MISMATCH = 3007
    RECOVERY_CANCEL_ONLY = 3008
    NOT_OPEN_FOR_TRADING = 3009
    PRICE_OUTSIDE_BAND = 3010
    POSITION_LIMIT = 3011
    STORAGE_RATING = 3012
    STORAGE_ENERGY = 3013
    INSUFFICIENT_UNITS = 3014
    INSUFFICIENT_CASH = 3015
    BUSINESS_RULE = 3016
    REDUCE_ONLY = 3020
    BASKET_REFUSED = 3025
    APPROVAL_REQUIRED = 3040
    SAME_PERSON = 3041
    UNKNOWN_PROPOSAL = 3042
    PROPOSAL_ENDED = 3043
    PROPOSAL_DIFFERS = 3044
    KEY_ENDED = 3045

    POST_ONLY_WOULD_CROSS = 4001
    FILL_OR_KILL_UNFILLABLE = 4002
    NO_LIQUIDITY = 4003
    SELF_TRADE_PREVENTED = 4004
    AMEND_BELOW_FILLED = 4005
    MINIMUM_UNFILLABLE = 4006
    RESTING_ORDERS_ONLY = 4010

    NOT_LOGGED_ON = 5001
    ALREADY_LOGGED_ON = 5002
    UNKNOWN_KEY = 5003
    LOGON_STALE = 5004
    LOGON_SIGNATURE = 5005
    SCOPE_MISSING = 5006
    RATE_LIMITED = 5007
    QUEUE_FULL = 5008
    UNKNOWN_CHANNEL = 5009
    NOT_ACCEPTING = 5010
    JOURNAL_FAILED = 5011
    SESSION_BACKLOG = 5012
    HISTORY_UNAVAILABLE = 5013
    CLOCK_DIFFERS = 5014
    LOGON_LOCKED = 5030
    TOO_MANY_SESSIONS = 5031
    TOO_MANY_CONNECTIONS = 5032
    KEY_REVOKED = 5033
    KEY_EXPIRED = 5034
    KEY_CHANGED = 5035

    SHUTTING_DOWN = 5060

    LOGON_OVERDUE = 5070


# Short, stable, and free of anything the client sent.
MESSAGES: Final[dict[RejectCode, str]] = {
    RejectCode.ACCEPTED: "accepted",
    RejectCode.FRAME_TOO_LARGE: "frame exceeds the size limit",
    RejectCode.BINARY_FRAME: "text frames only",
    RejectCode.INVALID_UTF8: "frame is not valid UTF-8",
    RejectCode.INVALID_JSON: "frame is not valid JSON",
    RejectCode.NESTING_TOO_DEEP: "JSON is nested too deeply",
    RejectCode.BATCH_NOT_SUPPORTED: "JSON-RPC batches are not supported; send one request a frame",
    RejectCode.INVALID_REQUEST: "not a JSON-RPC 2.0 request",
    RejectCode.INVALID_REQUEST_ID: "id must be an int64 or a string of at most 64 characters",
    RejectCode.NOTIFICATION_NOT_SUPPORTED: "a request needs an id",
    RejectCode.UNKNOWN_METHOD: "unknown method",
    RejectCode.INVALID_PARAMS: "params do not fit the method",
    RejectCode.INVALID_DECIMAL: "prices and quantities are decimal strings such as \"0.4125\"",
    RejectCode.INVALID_MSGPACK: "frame is not valid MessagePack",
    RejectCode.TEXT_FRAME: "binary frames only",
    RejectCode.UNSUPPORTED_VALUE: "values are maps with text keys, lists, text, finite numbers, true, false and nil",
    RejectCode.INVALID_CLIENT_ORDER_ID: "client_order_id is 1 to 36 characters of A-Z a-z 0-9 _ -",
    RejectCode.UNKNOWN_INSTRUMENT: "unknown instrument",
    RejectCode.INVALID_COMBINATION: "these order attributes cannot be combined",
    RejectCode.PRICE_REQUIRED: "this order type needs a price",
    RejectCode.PRICE_NOT_ALLOWED: "a market order has no price",
    RejectCode.PRICE_OFF_TICK: "price is not a multiple of the tick",
    RejectCode.PRICE_OUT_OF_RANGE: "price is outside the range of the instrument",
    RejectCode.QUANTITY_OFF_LOT: "quantity is not a multiple of the lot",
    RejectCode.QUANTITY_OUT_OF_RANGE: "quantity is outside the range of the instrument",
    RejectCode.NOTIONAL_OVERFLOW: "price times quantity is too large",
    RejectCode.EXPIRY_REQUIRED: "a good-till-date order needs expires_at",
    RejectCode.EXPIRY_NOT_ALLOWED: "expires_at belongs to good-till-date orders only",
    RejectCode.INVALID_TIMESTAMP: "timestamps are int64 nanoseconds since the epoch",
    RejectCode.NOTHING_TO_AMEND: "an amend changes the price, the quantity or both",
    RejectCode.UNKNOWN_DOCUMENT: "unknown document schema",
    RejectCode.INVALID_DOCUMENT: "document does not fit its schema",
    RejectCode.DISPLAY_OUT_OF_RANGE: "an iceberg shows at least a hundredth of its quantity and at most all of it",
    RejectCode.MINIMUM_OUT_OF_RANGE: "minimum quantity is outside the quantity of the order",
    RejectCode.INVALID_BASKET: "a basket has 1 to 100 fill-or-kill legs without conditions, each in another instrument",
    RejectCode.TIMEOUT_OUT_OF_RANGE: "timeout_ms is 0 or from 1000 to 86400000",
    RejectCode.NO_SUCH_ORDER: "no such open order of this account",
    RejectCode.CLIENT_ORDER_ID_REUSED: "client_order_id was used with other content",
    RejectCode.DEADLINE_PASSED: "the command's deadline has passed",
    RejectCode.EXPIRY_PASSED: "expires_at has passed",
    RejectCode.ACCOUNT_SUSPENDED: "account is suspended",
    RejectCode.NO_PERMISSION: "account may not do this",
    RejectCode.UNKNOWN_ORDER: "no such open order of this account",
    RejectCode.REVISION_MISMATCH: "the order has another revision",
    RejectCode.RECOVERY_CANCEL_ONLY: "recovery phase: cancels only",
    RejectCode.NOT_OPEN_FOR_TRADING: "instrument is not open for trading",
    RejectCode.PRICE_OUTSIDE_BAND: "price is outside the price band",
    RejectCode.POSITION_LIMIT: "position limit would be exceeded in the worst case",
    RejectCode.STORAGE_RATING: "storage power rating would be exceeded",
    RejectCode.STORAGE_ENERGY: "storage state of charge would leave its range in the worst case",
    RejectCode.INSUFFICIENT_UNITS: "not enough sellable units",
    RejectCode.INSUFFICIENT_CASH: "not enough available cash",
    RejectCode.BUSINESS_RULE: "the business rule named in data refuses this",
    RejectCode.REDUCE_ONLY: "order would not only reduce the position, with all that is open on its side",
    RejectCode.BASKET_REFUSED: "another leg of the basket was refused, so nothing of it was done",
    RejectCode.APPROVAL_REQUIRED: "another person has to approve this: propose it",
    RejectCode.SAME_PERSON: "who proposed cannot decide, with whatever key",
    RejectCode.UNKNOWN_PROPOSAL: "no such proposal",
    RejectCode.PROPOSAL_ENDED: "the proposal has ended",
    RejectCode.PROPOSAL_DIFFERS: "the digest is not that of the proposed document",
    RejectCode.KEY_ENDED: "the key was revoked or has expired before the command was sequenced",
    RejectCode.POST_ONLY_WOULD_CROSS: "post-only order would trade on entry",
    RejectCode.FILL_OR_KILL_UNFILLABLE: "fill-or-kill order cannot fill completely",
    RejectCode.NO_LIQUIDITY: "nothing to trade with inside the limit",
    RejectCode.SELF_TRADE_PREVENTED: "order would trade with an order of the same account or beneficial owner",
    RejectCode.AMEND_BELOW_FILLED: "new quantity leaves nothing open",
    RejectCode.MINIMUM_UNFILLABLE: "minimum quantity cannot trade at once",
    RejectCode.RESTING_ORDERS_ONLY: "the call phase takes only orders that may rest, and no post-only ones",
    RejectCode.NOT_LOGGED_ON: "log on first",
    RejectCode.ALREADY_LOGGED_ON: "session is logged on already",
    RejectCode.UNKNOWN_KEY: "logon refused",
    RejectCode.LOGON_STALE: "logon timestamp is outside the window",
    RejectCode.LOGON_SIGNATURE: "logon refused",
    RejectCode.SCOPE_MISSING: "key lacks the scope for this method",
    RejectCode.RATE_LIMITED: "rate limit reached",
    RejectCode.QUEUE_FULL: "the exchange is busy; nothing was recorded, send again",
    RejectCode.UNKNOWN_CHANNEL: "unknown channel",
    RejectCode.NOT_ACCEPTING: "the exchange does not accept commands now",
    RejectCode.JOURNAL_FAILED: "the journal failed; the command was not recorded",
    RejectCode.SESSION_BACKLOG: "session ended: it does not read its messages",
    RejectCode.HISTORY_UNAVAILABLE: "the records cannot be read now; ask again in a moment",
    RejectCode.CLOCK_DIFFERS: "the exchange's clock does not show the time that was confirmed",
    RejectCode.LOGON_LOCKED: "too many failed logons from this address",
    RejectCode.TOO_MANY_SESSIONS: "the key has as many sessions as it may have",
    RejectCode.TOO_MANY_CONNECTIONS: "the address has as many connections as it may have",
    RejectCode.KEY_REVOKED: "the key was revoked",
    RejectCode.KEY_EXPIRED: "the key has expired",
    RejectCode.KEY_CHANGED: "the scopes of the key were changed: log on again",
    RejectCode.SHUTTING_DOWN: "session ended: the exchange shuts down",
    RejectCode.LOGON_OVERDUE: "connection ended: it did not log on in time and listens to nothing",
}

# What JSON-RPC 2.0 itself has a code for (its section 5.1): `error.code` has that one then, and `error.data.code` always the one of this module.
_PARSE_ERROR: Final = -32700
_INVALID_REQUEST: Final = -32600
_METHOD_NOT_FOUND: Final = -32601
_INVALID_PARAMS: Final = -32602
JSON_RPC_CODES: Final[dict[RejectCode, int]] = {
    RejectCode.INVALID_UTF8: _PARSE_ERROR,
    RejectCode.INVALID_JSON: _PARSE_ERROR,
    RejectCode.NESTING_TOO_DEEP: _PARSE_ERROR,
    RejectCode.INVALID_MSGPACK: _PARSE_ERROR,
    RejectCode.BATCH_NOT_SUPPORTED: _INVALID_REQUEST,
    RejectCode.INVALID_REQUEST: _INVALID_REQUEST,
    RejectCode.INVALID_REQUEST_ID: _INVALID_REQUEST,
    RejectCode.NOTIFICATION_NOT_SUPPORTED: _INVALID_REQUEST,
    RejectCode.UNSUPPORTED_VALUE: _INVALID_REQUEST,
    RejectCode.UNKNOWN_METHOD: _METHOD_NOT_FOUND,
    RejectCode.INVALID_PARAMS: _INVALID_PARAMS,
    RejectCode.INVALID_DECIMAL: _INVALID_PARAMS,
}
