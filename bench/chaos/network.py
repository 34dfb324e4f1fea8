"""Connections of the simulation. In one connection frames keep their order, as TCP does it; how they are grouped, how long they take and when the
connection breaks is drawn.

A cut connection loses what is on its way. Each side notices at its own time, the server perhaps half a minute later, and until then both go on
writing into nothing. A reader that is held up takes nothing, and what is sent to it piles up behind a window, as in a socket.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

from bench.chaos.virtual_time import Process, VirtualTimeLoop
from clients.sdk.transport import ConnectionLost, Connector, FramesReceived, Transport

HOST: Final = "exchange.simulated"
_WINDOW_BYTES: Final = 128 * 1024
_FRAMES_A_WRITE: Final = 64
_NOTICE_AFTER_S: Final = 30.0


class Direction:
    """One way of a connection: `deliver` gets lists of frames, in order."""

    def __init__(self, loop: VirtualTimeLoop, rng: random.Random, to: Process, deliver: Callable[[list[bytes]], None]) -> None:
        self._loop = loop
        self._rng = rng
        self._to = to
        self._deliver = deliver
        self._on_their_way: deque[bytes] = deque()
        self._bytes = 0
        self._next_at_s = 0.0
        self._held_until_s = 0.0
        self.is_cut = False
        self.on_writable: Callable[[], None] | None = None

    @property
    def writable(self) -> bool:
        return self._bytes < _WINDOW_BYTES

    def hold(self, seconds: float) -> None:
        """The reader takes nothing for a while."""
        self._held_until_s = max(self._held_until_s, self._loop.time() + seconds)

    def send(self, frames: Sequence[bytes]) -> None:
        if self.is_cut:
            return
        self._on_their_way.extend(frames)
        self._bytes += sum(map(len, frames))
        left = len(frames)
        while left:
            count = left if self._rng.random() < 0.7 else self._rng.randint(1, left)
            left -= count
            self._schedule(count)

    def _schedule(self, count: int) -> None:
        """So many frames arrive together, not before those sent before."""
        delay_s = self._rng.choice((0.0002, 0.001, 0.005, 0.04)) * self._rng.random()
        if self._rng.random() < 0.002:
            delay_s += self._rng.uniform(0.2, 3.0)  # a lost packet, sent again
        at_s = max(self._loop.time() + delay_s, self._next_at_s, self._held_until_s)
        self._next_at_s = at_s
        self._loop.call_as(self._to, at_s - self._loop.time(), self._arrive, count)

    def _arrive(self, count: int) -> None:
        if self.is_cut:
            return
        if self._held_until_s > self._loop.time():
            self._loop.call_as(self._to, self._held_until_s - self._loop.time(), self._arrive, count)
            return
        frames = [self._on_their_way.popleft() for _ in range(count)]
        was_full = not self.writable
        self._bytes -= sum(map(len, frames))
        self._deliver(frames)
        if was_full and self.writable and self.on_writable is not None:
            self.on_writable()


class ClientEnd(Transport):
    """The SDK's transport."""

    host = HOST

    def __init__(self, pipe: "Pipe") -> None:
        self._pipe = pipe

    def send(self, frames: Sequence[bytes]) -> None:
        self._pipe.to_server.send(frames)

    async def drained(self) -> None:
        while not self._pipe.to_server.writable and not self._pipe.to_server.is_cut:
            await asyncio.sleep(0.01)

    async def close(self) -> None:
        self._pipe.cut(client_notices_s=0.0, server_notices_s=0.001)
        await asyncio.sleep(0)


class Pipe:
    """One connection between a client and a server."""

    def __init__(self, network: "Network", client: Process, server: "Listener", on_frames: FramesReceived, on_lost: ConnectionLost) -> None:
        loop = network.loop
        network.connections += 1
        self._network = network
        self._client = client
        self._server = server.process
        self._on_lost = on_lost
        self.end: Any = None
        # A stream of its own for each: the exchange may serve its connections in any order.
        ways = [random.Random(f"{network.seed} {network.connections} {way}") for way in ("to client", "to server")]
        self.to_client = Direction(loop, ways[0], client, on_frames)
        self.to_server = Direction(loop, ways[1], server.process, self._to_end)
        network.pipes.add(self)

    def _to_end(self, frames: list[bytes]) -> None:
        self.end.frames_received(frames)

    def cut(self, client_notices_s: float, server_notices_s: float) -> None:
        """Nothing arrives any more; each side is told after a time of its own. A dead server is told nothing."""
        if self.to_client.is_cut:
            return
        self.to_client.is_cut = self.to_server.is_cut = True
        self._network.pipes.discard(self)
        loop = self._network.loop
        loop.call_as(self._client, client_notices_s, self._on_lost, ConnectionResetError("the simulated network cut the connection"))
        if self.end is not None:
            loop.call_as(self._server, server_notices_s, self.end.connection_lost)


class Listener:
    """Where a server accepts: `accept(pipe)` makes the server's end of a connection, or None to refuse it."""

    def __init__(self, process: Process, accept: Callable[[Pipe], Any]) -> None:
        self.process = process
        self.accept = accept


class Network:
    """All connections to one server address. `listener` is None while nobody listens."""

    def __init__(self, loop: VirtualTimeLoop, seed: str) -> None:
        self.loop = loop
        self.seed = seed
        self.rng = random.Random(seed)
        self.connections = 0
        self.listener: Listener | None = None
        # Insertion-ordered, so that a choice among them repeats.
        self._pipes: dict[Pipe, None] = {}
        self.pipes = _OrderedSet(self._pipes)

    def connector(self, client: Process) -> Connector:
        """How the SDK connects as `client`. Raises ConnectionRefusedError while nobody listens."""

        async def connect(on_frames: FramesReceived, on_lost: ConnectionLost) -> Transport:
            await asyncio.sleep(self.rng.uniform(0.0005, 0.05))
            listener = self.listener
            if listener is None or not listener.process.alive:
                raise ConnectionRefusedError("nobody listens")
            pipe = Pipe(self, client, listener, on_frames, on_lost)
            accepted = self.loop.create_future()

            def accept() -> None:
                pipe.end = listener.accept(pipe)
                self.loop.call_as(client, 0.0005, lambda: accepted.done() or accepted.set_result(pipe.end is not None))

            self.loop.call_as(listener.process, self.rng.uniform(0.0002, 0.01), accept)
            try:
                async with asyncio.timeout(10.0):
                    is_accepted = await accepted
            except TimeoutError:
                is_accepted = False
            if not is_accepted:
                self.pipes.discard(pipe)
                raise ConnectionRefusedError("the server refused the connection")
            return ClientEnd(pipe)

        return connect

    def cut_one(self) -> bool:
        """A connection breaks; False when there is none."""
        pipes = list(self._pipes)
        if not pipes:
            return False
        self.rng.choice(pipes).cut(self.rng.uniform(0.0, 5.0), self.rng.uniform(0.0, _NOTICE_AFTER_S))
        return True

    def hold_one(self) -> None:
        """A client stops reading for a while."""
        pipes = list(self._pipes)
        if pipes:
            self.rng.choice(pipes).to_client.hold(self.rng.uniform(0.5, 40.0))

    def cut_all(self) -> None:
        """The server's machine is gone: clients see it at once or after a while."""
        for pipe in list(self._pipes):
            pipe.cut(self.rng.choice((0.001, self.rng.uniform(0.0, 10.0))), 0.0)


class _OrderedSet:
    def __init__(self, items: dict[Pipe, None]) -> None:
        self._items = items

    def add(self, pipe: Pipe) -> None:
        self._items[pipe] = None

    def discard(self, pipe: Pipe) -> None:
        self._items.pop(pipe, None)


class ServerEnd:
    """The adapter between a pipe and a Connection of the gateway: what websocket.py is for a socket."""

    def __init__(self, loop: VirtualTimeLoop, pipe: Pipe, make_connection: Callable[[Callable[[], None]], Any]) -> None:
        self._loop = loop
        self._pipe = pipe
        self._flushing = self._processing = self._lost = False
        pipe.to_client.on_writable = self._woken
        self._connection = make_connection(self._woken)
        self._connection.opened()

    def frames_received(self, frames: list[bytes]) -> None:
        if self._lost:
            return
        for frame in frames:
            self._connection.receive_text(frame)
        if not self._processing:
            self._processing = True
            self._loop.call_soon(self._process)

    def connection_lost(self) -> None:
        if not self._lost:
            self._lost = True
            self._connection.disconnected()

    def _process(self) -> None:
        self._processing = False
        if not self._lost:
            self._connection.process()

    def _woken(self) -> None:
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        to_client = self._pipe.to_client
        while to_client.writable and (frames := self._connection.outbox.take(_FRAMES_A_WRITE)):
            to_client.send(frames)
        if self._connection.end_code is not None and not self._lost:
            self._pipe.cut(0.01, 0.0)
