"""Step 3 of an order, throttle: token buckets of connection, key and account.

Gateway memory, not state: what is refused here is never journaled, so a flood cannot fill the disk. Time comes in as monotonic seconds.
"""

from typing import Any, Final

from exchange.gateway.limits import Rate
from exchange.protocol import messages as m
from exchange.protocol.messages import Request

# Cancels are cheaper than new orders: a participant who wants to leave must be able to. A basket costs this for each of its legs.
COSTS: Final[dict[type[Request], float]] = {
    m.Place: 1.0,
    m.PlaceBasket: 1.0,
    m.Amend: 1.0,
    m.Cancel: 0.25,
    m.MassCancel: 1.0,
    m.CancelAfter: 1.0,
    m.Nominate: 1.0,
    m.BlockPropose: 1.0,
    m.BlockConfirm: 1.0,
    m.BlockDecline: 0.25,
    m.BlockWithdraw: 0.25,
    m.OneWayBid: 1.0,
    m.OneWayAmend: 1.0,
    m.OneWayWithdraw: 0.25,
    m.OperatorSubmit: 10.0,
    m.DocumentSubmit: 10.0,
    m.OperatorPropose: 10.0,
}


class TokenBucket:
    """Starts full. `take` never sleeps: it takes or says no."""

    __slots__ = ("_burst", "_per_s", "_tokens", "_updated_s", "scope")

    def __init__(self, scope: str, rate: Rate, now_s: float) -> None:
        self.scope = scope
        self._per_s = rate.per_s
        self._burst = rate.burst
        self._tokens = rate.burst
        self._updated_s = now_s

    def has(self, cost: float, now_s: float) -> bool:
        """Refill up to now, and whether `cost` tokens are there."""
        if now_s > self._updated_s:
            tokens = self._tokens + (now_s - self._updated_s) * self._per_s
            self._tokens = min(self._burst, tokens)
            self._updated_s = now_s
        return self._tokens >= cost

    def take(self, cost: float, now_s: float) -> bool:
        """Take `cost` tokens if they are there."""
        if not self.has(cost, now_s):
            return False
        self._tokens -= cost
        return True

    def take_some(self, cost: float, count: int, now_s: float) -> int:
        """Take `cost` tokens up to `count` times; returns how often they were there."""
        if not self.has(cost, now_s):
            return 0
        taken = min(count, int(self._tokens / cost))
        self._tokens -= taken * cost
        return taken

    def spend(self, cost: float) -> None:
        """Take tokens that `has` has just seen."""
        self._tokens -= cost

    def refusal(self, cost: float) -> dict[str, Any]:
        """Data of a RATE_LIMITED error: which bucket, how many tokens it holds now, when to come again."""
        return {
            "bucket": self.scope,
            "tokens": round(self._tokens, 2),
            "burst": self._burst,
            "per_s": self._per_s,
            "retry_after_ms": max(0, int((cost - self._tokens) / self._per_s * 1000) + 1),
        }


class CommandThrottle:
    """The buckets of all keys and accounts that have logged on; sessions of one account share its bucket."""

    def __init__(self, key_rate: Rate, account_rate: Rate) -> None:
        self._key_rate = key_rate
        self._account_rate = account_rate
        self._keys: dict[str, TokenBucket] = {}
        self._accounts: dict[int, TokenBucket] = {}

    def buckets(self, key_id: str, account: int, now_s: float) -> tuple[TokenBucket, TokenBucket]:
        """Both buckets of a session. They outlive it, so logging on again refills nothing; bounded by the keys that exist."""
        key = self._keys.get(key_id)
        if key is None:
            key = self._keys[key_id] = TokenBucket("key", self._key_rate, now_s)
        owner = self._accounts.get(account)
        if owner is None:
            owner = self._accounts[account] = TokenBucket("account", self._account_rate, now_s)
        return key, owner


def take_both(key: TokenBucket, account: TokenBucket, cost: float, now_s: float) -> TokenBucket | None:
    """Take `cost` from both or from neither; returns the bucket that refused."""
    if not key.has(cost, now_s):
        return key
    if not account.take(cost, now_s):
        return account
    key.spend(cost)
    return None
