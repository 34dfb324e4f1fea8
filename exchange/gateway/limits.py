"""Limits of a gateway: its own memory and patience, not state of the market. What they refuse is never journaled."""

from dataclasses import dataclass

from exchange.protocol.documents import DOCUMENT_LIMIT_BYTES
from exchange.protocol.session import FRAME_LIMIT_BYTES


@dataclass(frozen=True, slots=True)
class Rate:
    """A token bucket: `burst` tokens at most, refilled by `per_s` a second."""

    per_s: float
    burst: float


@dataclass(frozen=True, slots=True)
class Limits:
    """Defaults are generous enough for a market maker in 200 books; a park with strangers in it sets them lower.

    Frames cost one token of their connection's bucket before they are decoded. Commands cost tokens of the key's and the account's bucket
    after they were validated: a new order or an amend 1, a cancel 0.25, a document 10.

    One connection holds at most `outbox_bytes` and one frame more of what waits for it, and `frame_headroom` frames of what it has not finished
    sending: under 5 MB unless it is an operator's. `max_sockets` counts those in their handshake too.

    A connection ends after `max_logon_failures`. From the failure after `free_logon_failures` on an address waits `logon_wait_s`, twice as long
    after each more, at most `logon_wait_max_s`; an hour without one and all is forgotten. Tables by address have `guard_entries` (guard.py).
    """

    connection: Rate = Rate(5_000, 10_000)
    key: Rate = Rate(4_000, 8_000)
    account: Rate = Rate(4_000, 8_000)
    frame_bytes: int = FRAME_LIMIT_BYTES
    operator_frame_bytes: int = DOCUMENT_LIMIT_BYTES
    frame_headroom: int = 4
    fragments: int = 256
    turned_away_frames: int = 10_000
    max_connections: int = 2_048
    max_connections_per_address: int = 256
    max_sessions_per_key: int = 256
    max_sockets: int = 4_096
    head_bytes: int = 16 * 1024
    request_timeout_s: float = 10.0
    logon_timeout_s: float = 30.0
    abort_after_s: float = 5.0
    max_logon_failures: int = 3
    free_logon_failures: int = 5
    logon_wait_s: float = 1.0
    logon_wait_max_s: float = 900.0
    logon_failures_forgotten_s: float = 3_600.0
    guard_entries: int = 10_000
    logon_window_ns: int = 30_000_000_000
    max_in_flight: int = 65_536
    outbox_frames: int = 20_000
    outbox_bytes: int = 3 * 1024 * 1024
    public_backlog_frames: int = 256
    execution_ring: int = 4_096
    book_levels: int = 50
    flush_interval_s: float = 0.05
    heartbeat_interval_s: float = 5.0
    anonymous_market_data: bool = True
