"""What an address and a key may do: waits that grow, tables that do not, and nobody who is guessed out."""

import pytest

from exchange.gateway.guard import Guard, network_of
from exchange.gateway.limits import Limits

STRANGER, HOME = "203.0.113.9", "198.51.100.7"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("127.0.0.1", ""),
        ("127.9.9.9", ""),
        ("::1", ""),
        ("::ffff:127.0.0.1", ""),
        ("", ""),
        ("client", ""),
    ],
)
def test_whom_an_address_stands_for(address: str, network: str) -> None:
    assert network_of(address) == network


def guess(guard: Guard, times: int, address: str = STRANGER, now_s: float = 0.0) -> list[float]:
    return [guard.failed(address, now_s) for _ in range(times)]


def test_waits_grow_from_the_sixth_failure_on_and_end() -> None:
    guard = Guard(Limits())
    assert guess(guard, 8) == [0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 4.0, 8.0]
    assert guard.wait_s(STRANGER, "k", 3.0) == 5.0
    assert guard.wait_s(STRANGER, "k", 8.0) == 0.0
    assert guess(guard, 100)[-1] == 900.0


def test_an_hour_without_a_failure_and_all_is_forgotten() -> None:
    guard = Guard(Limits())
    guess(guard, 8)
    assert guard.failed(STRANGER, 3_600.0) == 16.0
    assert guard.failed(STRANGER, 7_200.1) == 0.0


def test_guesses_at_a_key_hurt_neither_the_key_nor_another_address() -> None:
    guard = Guard(Limits())
    guess(guard, 50)
    assert guard.wait_s(HOME, "k", 0.0) == 0.0
    assert guard.wait_s(STRANGER, "k", 0.0) > 0


def test_a_key_that_is_at_home_at_an_address_is_still_checked_there_some_times() -> None:
    guard = Guard(Limits())
    guard.succeeded(STRANGER, "honest")
    guess(guard, 20)
    assert [guard.wait_s(STRANGER, "honest", 0.0) == 0 for _ in range(6)] == [True] * 5 + [False]
    assert guard.wait_s(STRANGER, "other", 0.0) > 0
    assert guard.wait_s(STRANGER, "honest", 1.0) == 0


def test_loopback_never_waits_and_is_never_counted() -> None:
    guard = Guard(Limits(max_connections_per_address=1))
    assert guess(guard, 50, "127.0.0.1") == [0.0] * 50
    assert [guard.connect("::1") for _ in range(3)] == [True] * 3
    assert guard.sizes() == {"connections": 0, "sessions": 0, "failures": 0, "known": 0}


def test_connections_of_an_address_and_sessions_of_a_key() -> None:
    guard = Guard(Limits(max_connections_per_address=2, max_sessions_per_key=1))
    assert [guard.connect(address) for address in ("2001:db8::1", "2001:db8::2", "2001:db8::3", HOME)] == [True, True, False, True]
    guard.disconnect("2001:db8::1")
    assert guard.connect("2001:db8::3")
    assert [guard.open_session("k"), guard.open_session("k"), guard.open_session("l")] == [True, False, True]
    guard.close_session("k")
    assert guard.open_session("k")


def test_tables_are_bounded_and_forget_the_longest_silent() -> None:
    guard = Guard(Limits(guard_entries=100))
    for i in range(1_000):
        guess(guard, 6, f"10.0.{i // 256}.{i % 256}", now_s=i * 1e-6)
        guard.succeeded(f"10.1.{i // 256}.{i % 256}", "k")
    assert (guard.sizes()["failures"], guard.sizes()["known"]) == (100, 100)
    assert guard.wait_s("10.0.0.1", "k", 0.001) == 0.0
    assert guard.wait_s("10.0.3.231", "k", 0.001) > 0.0


def test_what_has_gone_leaves_nothing_behind() -> None:
    guard = Guard(Limits())
    for i in range(100):
        guard.connect(f"10.0.0.{i}")
        guard.open_session(f"k{i}")
    for i in range(100):
        guard.disconnect(f"10.0.0.{i}")
        guard.close_session(f"k{i}")
    assert (guard.sizes()["connections"], guard.sizes()["sessions"]) == (0, 0)
