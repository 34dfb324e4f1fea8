"""How fast commands may leave: a local copy of the exchange's token buckets, as far as its refusals (5007) have told them.

Before the first refusal nothing is known and nothing waits. From then on a command waits here for its tokens instead of being refused there.
Time comes in as monotonic seconds, so a step of the wall clock neither stops nor floods anything.
"""

from dataclasses import dataclass
from typing import Any, Final

from exchange.protocol import messages as m

# Tokens of the key's and the account's bucket by method, as docs/protocol.md has them under "Limits"; what is not here costs its frame only.
COSTS: Final = {
    "order.place": 1.0,
    "basket.place": 1.0,  # a leg
    "order.amend": 1.0,
    "order.cancel": 0.25,
    "order.mass_cancel": 1.0,
    "session.cancel_after": 1.0,
    "nominate": 1.0,
    "block.propose": 1.0,
    "block.confirm": 1.0,
    "block.decline": 0.25,
    "block.withdraw": 0.25,
    "one_way.bid": 1.0,
    "one_way.amend": 1.0,
    "one_way.withdraw": 0.25,
    "operator.submit": 10.0,
    "document.submit": 10.0,
}
# Who wants to get out goes first, and with it what costs no tokens of the key.
_FIRST: Final = frozenset({"order.cancel", "order.mass_cancel", "block.decline", "block.withdraw", "one_way.withdraw"})
_FRAME_COST: Final = 1.0
# A refusal without a time (the exchange's queue is full), or one that this client cannot read.
_BREATHER_S: Final = 0.1
_LONGEST_WAIT_S: Final = 60.0


def cost_of(method: str, params: Any) -> float:
    """Tokens of a command; 0 for a question."""
    return COSTS.get(method, 0.0) * (len(params.legs) if isinstance(params, m.BasketParams) else 1)


def goes_first(method: str) -> bool:
    """Whether a request passes those that wait for tokens."""
    return method in _FIRST or method not in COSTS


@dataclass(slots=True)
class _Bucket:
    """A bucket as last told, and what has been sent since."""

    tokens: float
    burst: float
    per_s: float
    updated_s: float

    def refill(self, now_s: float) -> None:
        self.tokens = min(self.burst, self.tokens + max(0.0, now_s - self.updated_s) * self.per_s)
        self.updated_s = now_s

    def wait_s(self, cost: float) -> float:
        # A command that costs more than a full bucket could wait for ever; the exchange has to say what becomes of it.
        return max(0.0, (min(cost, self.burst) - self.tokens) / self.per_s)


class Pacer:
    """The buckets of one client. `connection` starts full with every new connection, `key` and `account` do not."""

    def __init__(self) -> None:
        self._buckets: dict[str, _Bucket] = {}
        self._breather_until_s = 0.0

    def new_connection(self) -> None:
        """The next frames leave on a fresh connection."""
        self._buckets.pop("connection", None)

    def wait_s(self, method: str, params: Any, now_s: float) -> float:
        """Seconds until a request may leave; 0 when it may now."""
        wait_s = max(0.0, self._breather_until_s - now_s)
        for name, bucket in self._buckets.items():
            bucket.refill(now_s)
            wait_s = max(wait_s, bucket.wait_s(_FRAME_COST if name == "connection" else cost_of(method, params)))
        return min(wait_s, _LONGEST_WAIT_S)

    def sent(self, method: str, params: Any) -> None:
        """Count a request that leaves."""
        for name, bucket in self._buckets.items():
            bucket.tokens -= _FRAME_COST if name == "connection" else cost_of(method, params)

    def refused(self, data: Any, now_s: float) -> None:
        """Learn from the data of a refusal; what cannot be read counts as a short wait."""
        try:
            name, bucket = str(data["bucket"]), _Bucket(float(data["tokens"]), float(data["burst"]), float(data["per_s"]), now_s)
        except (KeyError, TypeError, ValueError):
            name, bucket = "", _Bucket(0.0, 0.0, 0.0, now_s)
        if bucket.per_s > 0 and bucket.burst > 0:
            self._buckets[name] = bucket
        else:
            self._breather_until_s = now_s + _BREATHER_S


def retry_after_s(data: Any) -> float | None:
    """How long a refusal says to wait; None when it does not."""
    if isinstance(data, dict) and isinstance(data.get("retry_after_ms"), int):
        return float(data["retry_after_ms"]) / 1000
    return None
