"""Step 3, throttle: token buckets on a clock of their own."""

import pytest

from exchange.gateway.limits import Rate
from exchange.gateway.throttle import COSTS, CommandThrottle, TokenBucket, take_both
from exchange.protocol import messages as m


def test_a_bucket_starts_full_and_refills_to_its_burst() -> None:
    bucket = TokenBucket("key", Rate(per_s=8, burst=3), 100.0)
    assert [bucket.take(1, 100.0) for _ in range(4)] == [True, True, True, False]
    assert bucket.take(1, 100.125)
    assert not bucket.take(1, 100.125)
    assert [bucket.take(1, 200.0) for _ in range(4)] == [True, True, True, False]


def test_a_clock_that_goes_back_takes_nothing() -> None:
    bucket = TokenBucket("key", Rate(per_s=8, burst=3), 100.0)
    assert bucket.take(3, 100.0)
    assert not bucket.take(1, 50.0)
    assert bucket.take(1, 100.125)


def test_the_refusal_tells_the_count() -> None:
    bucket = TokenBucket("account", Rate(per_s=2, burst=4), 0.0)
    bucket.take(3.5, 0.0)
    assert bucket.refusal(1) == {"bucket": "account", "tokens": 0.5, "burst": 4, "per_s": 2, "retry_after_ms": 251}


def test_both_buckets_pay_or_neither() -> None:
    key, account = TokenBucket("key", Rate(1, 5), 0.0), TokenBucket("account", Rate(1, 2), 0.0)
    assert take_both(key, account, 2, 0.0) is None
    assert take_both(key, account, 1, 0.0) is account
    assert key.take(3, 0.0)
    assert take_both(key, account, 1, 1.0) is None
    assert take_both(key, account, 1, 1.0) is key


def test_sessions_of_one_account_share_its_bucket_and_logging_on_again_refills_nothing() -> None:
    throttle = CommandThrottle(Rate(1, 2), Rate(1, 3))
    key_a, account_a = throttle.buckets("a", 33, 0.0)
    key_b, account_b = throttle.buckets("b", 33, 0.0)
    assert account_a is account_b
    assert key_a is not key_b
    assert throttle.buckets("a", 33, 0.0) == (key_a, account_a)


@pytest.mark.parametrize("dearer", [m.Place, m.Amend])
def test_cancels_are_cheaper_than_orders(dearer: type[m.Request]) -> None:
    assert COSTS[m.Cancel] < COSTS[dearer]


def test_some_of_many_are_taken() -> None:
    bucket = TokenBucket("connection", Rate(1, 10), 0.0)
    assert [bucket.take_some(1.0, count, 0.0) for count in (4, 9, 1, 0)] == [4, 6, 0, 0]
    assert bucket.take_some(1.0, 9, 2.5) == 2
    assert bucket.take_some(0.25, 9, 2.5) == 2
