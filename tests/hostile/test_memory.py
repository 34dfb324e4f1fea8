"""What one client can make the server hold: less than 5 MB, measured as resident memory of a server process, while it attacks and does not read.

The limits by which this holds are in exchange/gateway/limits.py.
"""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import psutil
import pytest

from tests.exchange.gateway.parks import POWER, request
from tests.hostile.gateways import CONTINUATION, PING, Peer, frame, handshake, market_lives, until

ATTACKERS = 4
LIMIT_BYTES = 5_000_000
QUIET_LOOKS = 30  # of 20 ms without growth: what was sent has had its effect
TINY_BUFFER_BYTES = 4_096


class ServerProcess:
    """Its address, and what the system says of it."""

    def __init__(self, backend: str) -> None:
        command = [sys.executable, "-m", "tests.hostile.server", backend]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.host = self._process.stdout.readline().strip()
        assert self.host, "the server did not start"
        self._system = psutil.Process(self._process.pid)
        self.idle_sockets = self.sockets

    @property
    def resident_bytes(self) -> int:
        return int(self._system.memory_info().rss)

    @property
    def sockets(self) -> int:
        return int(self._system.num_fds())

    def end(self) -> None:
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        self._process.wait()


@pytest.fixture(name="server", scope="module")
def fixture_server(backend: str) -> Iterator[ServerProcess]:
    server = ServerProcess(backend)
    yield server
    server.end()


async def ask_for_much(peer: Peer) -> None:
    """Questions whose answers are a thousand times as long, read by nobody."""
    for _ in range(2):
        await peer.send(frame(request("instruments", {})) * 600)


async def ask_for_as_much_as_may_wait(peer: Peer) -> None:
    """Twice so much that the session just lives, with time for the first to reach the transport."""
    for _ in range(2):
        await peer.send(frame(request("instruments", {})) * 85)
        await asyncio.sleep(0.2)


async def flood_with_pings(peer: Peer) -> None:
    for _ in range(120):
        await peer.send(frame(bytes(125), PING) * 500)


async def flood_with_nothing(peer: Peer) -> None:
    """Empty messages, each refused with an answer that is thirty times as long."""
    for _ in range(8):
        await peer.send(frame(b"") * 1_000)


async def hold_a_large_frame(peer: Peer) -> None:
    """All of the largest frame but its last byte."""
    await peer.send(frame(bytes(4 * 64 * 1024 - 1), length=4 * 64 * 1024))


async def hold_many_fragments(peer: Peer) -> None:
    await peer.send(frame(b"", flags=0) + frame(bytes(1_020), CONTINUATION, flags=0) * 255)


async def repeat_empty_fragments(peer: Peer) -> None:
    for _ in range(100):
        await peer.send(frame(b"", flags=0) + frame(b"", CONTINUATION, flags=0) * 10_000)


async def subscribe_and_sleep(peer: Peer) -> None:
    """Everything public, over and over."""
    channels = [f"book:{POWER}", "ticker", "phases", "auctions", f"trades:{POWER}", "trades:*", "clock", "one_way"]
    for _ in range(50):
        await peer.send(frame(request("subscribe", {"channels": channels * 100})))


Attack = Callable[[Peer], Awaitable[None]]
ATTACKS: list[Attack] = [
    ask_for_much, ask_for_as_much_as_may_wait, flood_with_pings, flood_with_nothing, hold_a_large_frame, hold_many_fragments,
    repeat_empty_fragments, subscribe_and_sleep,
]  # fmt: skip


@asynccontextmanager
async def attackers(host: str, stack: AsyncExitStack) -> AsyncIterator[list[Peer]]:
    peers = []
    for _ in range(ATTACKERS):
        peer = await stack.enter_async_context(Peer.dial(host, TINY_BUFFER_BYTES))
        await peer.send(handshake(host))
        assert (await peer.head()).startswith(b"HTTP/1.1 101")
        peers.append(peer)
    yield peers


async def measure(server: ServerProcess, attacks: list[Awaitable[None]]) -> int:
    """Run them until they have sent all they have, or the server holds too much; the most that it held more than before, in bytes an attacker."""
    before = most = server.resident_bytes
    running = [asyncio.ensure_future(attack) for attack in attacks]
    quiet = 0
    for _ in range(500):
        grown = most
        await asyncio.sleep(0.02)
        most = max(most, server.resident_bytes)
        quiet = quiet + 1 if most == grown and all(task.done() for task in running) else 0
        if quiet == QUIET_LOOKS or most - before > LIMIT_BYTES * len(attacks):
            break
    for task in running:
        task.cancel()
    with contextlib.suppress(ConnectionError):
        await asyncio.gather(*running, return_exceptions=True)
    return (most - before) // len(attacks)


@pytest.mark.parametrize("attack", ATTACKS, ids=[attack.__name__ for attack in ATTACKS])
async def test_a_connection_that_does_not_read_holds_less_than_5_mb(server: ServerProcess, attack: Attack) -> None:
    await market_lives(server.host)
    async with AsyncExitStack() as stack, attackers(server.host, stack) as peers:
        held = await measure(server, [attack(peer) for peer in peers])
        assert held < LIMIT_BYTES
        await market_lives(server.host)
    await until(lambda: server.sockets <= server.idle_sockets)


async def test_the_head_of_a_request_that_never_ends(server: ServerProcess) -> None:
    async def endless(peer: Peer) -> None:
        await peer.send(f"GET /ws/v1 HTTP/1.1\r\nHost: {server.host}\r\n".encode())
        for _ in range(200):
            await peer.send(b"X-Header: " + b"x" * 50_000)

    async with AsyncExitStack() as stack:
        peers = [await stack.enter_async_context(Peer.dial(server.host)) for _ in range(ATTACKERS)]
        assert await measure(server, [endless(peer) for peer in peers]) < LIMIT_BYTES


async def test_answers_of_rest_that_nobody_reads(server: ServerProcess) -> None:
    async def ask(peer: Peer) -> None:
        for _ in range(200):
            await peer.send(f"GET /openapi.json HTTP/1.1\r\nHost: {server.host}\r\n\r\n".encode() * 20)

    async with Peer.dial(server.host) as first:  # the document is made once and kept
        await first.send(f"GET /openapi.json HTTP/1.1\r\nHost: {server.host}\r\nConnection: close\r\n\r\n".encode())
        assert (await first.gone()).startswith(b"HTTP/1.1 200")
    async with AsyncExitStack() as stack:
        peers = [await stack.enter_async_context(Peer.dial(server.host, TINY_BUFFER_BYTES)) for _ in range(ATTACKERS)]
        assert await measure(server, [ask(peer) for peer in peers]) < LIMIT_BYTES


async def test_a_session_that_was_ended_gives_its_socket_back_though_nobody_reads(server: ServerProcess) -> None:
    """The transport of an ended session has bytes that it never gets rid of; the client keeps the socket open all the same."""
    await until(lambda: server.sockets <= server.idle_sockets)
    async with AsyncExitStack() as stack, attackers(server.host, stack) as peers:
        asking = [asyncio.create_task(ask_for_much(peer)) for peer in peers]
        await until(lambda: server.sockets <= server.idle_sockets)
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
