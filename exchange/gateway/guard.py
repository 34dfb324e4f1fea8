"""What one address and one key may do before and at logon: connections, failed logons, sessions. Gateway memory, and bounded.

Nobody can be guessed out. A signature cannot be guessed, so failures lock no key, only the address they come from, and only for attempts that have
no history: a key that has logged on from an address before is still checked there, a few times a second. What waiting saves is the work of checking.
Tables forget the longest silent entry when they are full: an attacker with many addresses forgets himself.

Loopback addresses are exempt: behind a proxy on the same machine all clients have one, and the proxy sees who they are.
"""

import ipaddress
from collections import Counter, OrderedDict
from functools import lru_cache

from exchange.gateway.limits import Limits, Rate
from exchange.gateway.throttle import TokenBucket

_KNOWN_CHECKS = Rate(per_s=1.0, burst=5.0)
_IPV6_HOME_BITS = 64


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """Whom an address stands for: an IPv4 address for itself, an IPv6 address for its /64, which one client has whole; empty for loopback."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:  # no network transport: a client inside the process
        return ""
    if isinstance(ip, ipaddress.IPv6Address):
        ip = ip.ipv4_mapped or ip
    if ip.is_loopback:
        return ""
    return str(ip) if ip.version == 4 else str(ipaddress.ip_network((ip, _IPV6_HOME_BITS), strict=False))


class _Failures:
    """Failed logons of one network: how many in a row, until when it waits, and what its known keys may still be checked."""

    __slots__ = ("checks", "count", "last_s", "until_s")

    def __init__(self, now_s: float) -> None:
        self.count = 0
        self.last_s = now_s
        self.until_s = 0.0
        self.checks = TokenBucket("known keys", _KNOWN_CHECKS, now_s)


class Guard:
    """One a gateway. Addresses are those of the transport; time comes in as monotonic seconds."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._connections: Counter[str] = Counter()
        self._sessions: Counter[str] = Counter()
        self._failures: OrderedDict[str, _Failures] = OrderedDict()
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    # Connections of an address

    def connect(self, address: str) -> bool:
        """Count one connection of an address; False when it has as many as it may have."""
        network = network_of(address)
        if network and self._connections[network] >= self._limits.max_connections_per_address:
            return False
        if network:
            self._connections[network] += 1
        return True

    def disconnect(self, address: str) -> None:
        """Inverse of `connect`."""
        _count_down(self._connections, network_of(address))

    # Sessions of a key

    def open_session(self, key_id: str) -> bool:
        """Count one session of a key that has proved itself; False when it has as many as it may have."""
        if self._sessions[key_id] >= self._limits.max_sessions_per_key:
            return False
        self._sessions[key_id] += 1
        return True

    def close_session(self, key_id: str) -> None:
        """Inverse of `open_session`."""
        _count_down(self._sessions, key_id)

    # Logons

    def wait_s(self, address: str, key_id: str, now_s: float) -> float:
        """Seconds until a logon of that key from that address is looked at; 0: now."""
        failures = self._failures.get(network_of(address))
        if failures is None or now_s >= failures.until_s:
            return 0.0
        if (network_of(address), key_id) in self._known and failures.checks.take(1.0, now_s):
            return 0.0
        return failures.until_s - now_s

    def failed(self, address: str, now_s: float) -> float:
        """Note a failed logon; returns the wait in seconds that it brought, 0 while the first few are free. Each one more doubles it."""
        network = network_of(address)
        if not network:
            return 0.0
        failures = self._failures.pop(network, None)
        if failures is None or now_s - failures.last_s > self._limits.logon_failures_forgotten_s:
            failures = _Failures(now_s)
        self._failures[network] = failures
        if len(self._failures) > self._limits.guard_entries:
            self._failures.popitem(last=False)
        failures.count, failures.last_s = failures.count + 1, now_s
        beyond = failures.count - self._limits.free_logon_failures
        if beyond < 0:
            return 0.0
        wait_s = min(self._limits.logon_wait_max_s, self._limits.logon_wait_s * 2.0 ** min(beyond, 60))
        failures.until_s = now_s + wait_s
        return wait_s

    def succeeded(self, address: str, key_id: str) -> None:
        """Remember that a key is at home at an address. Only who holds a key can write here."""
        network = network_of(address)
        if not network:
            return
        self._known[network, key_id] = None
        self._known.move_to_end((network, key_id))
        if len(self._known) > self._limits.guard_entries:
            self._known.popitem(last=False)

    def sizes(self) -> dict[str, int]:
        """Entries of each table."""
        return {
            "connections": len(self._connections), "sessions": len(self._sessions), "failures": len(self._failures), "known": len(self._known),
        }  # fmt: skip


def _count_down(counter: Counter[str], name: str) -> None:
    counter[name] -= 1
    if counter[name] <= 0:
        del counter[name]
