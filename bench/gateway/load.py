"""The load generator: one process, raw sockets, epoll, compiled reading and writing. It decides what is sent when; figures.py makes figures of it.

Closed loop: each connection keeps `window` orders in flight. Open loop: orders are due at fixed times, whatever the server does, and a round trip
counts from the time an order was due: no coordinated omission. How busy the generator was is part of the result, since a busy one would measure
itself.
"""

import select
import socket
import time
from dataclasses import dataclass, field
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from bench.gateway.frames import OrderTemplate, masked_frame, read_answers, write_orders
from bench.gateway.market import instrument_of, logon_request
from exchange.protocol.messages import WEBSOCKET_PATH, Challenge

BUFFER_BYTES: Final = 1 << 20
RING: Final = 1 << 16  # orders in flight on a connection at most
FIRST_ID: Final = 100_000_000_000  # twelve digits, none of them a leading zero
IDS: Final = 100_000_000  # of one connection
TIMEOUT_S: Final = 30.0


class LoadError(RuntimeError):
    """The server did something that no benchmark can go on from."""


def process_cpu_s(pid: int) -> float:
    """CPU time of all threads of a process, user and system."""
    return time.clock_gettime((~pid << 3) | 2)  # the clock that clock_getcpuclockid(3) names


class Connection:
    """One socket behind its handshake. `send_orders` and `receive` never wait."""

    def __init__(self, port: int, index: int, *, log_on: bool) -> None:
        self.index = index
        self.first_id = self.next_id = FIRST_ID + index * IDS
        self.answers = self.errors = 0
        self._template = OrderTemplate(instrument_of(index), "buy" if index % 2 == 0 else "sell")
        self._sent_ns = np.zeros(RING, np.int64)
        self._out = np.empty(0, np.uint8)
        self._unsent = b""
        self.buffer = bytearray(64 * 1024)
        self.bytes_in = np.frombuffer(self.buffer, np.uint8)
        self.filled = 0
        self.socket = socket.create_connection(("127.0.0.1", port), TIMEOUT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        host = f"127.0.0.1:{port}"
        self.socket.sendall(
            f"GET {WEBSOCKET_PATH} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        self._early = self._read_until(b"\r\n\r\n")
        if log_on:
            challenge = msgspec.convert(self.next_message()["params"], Challenge)
            self.socket.sendall(masked_frame(logon_request(index, challenge)))
            answer = self.next_message()
            while "method" in answer:  # a heartbeat, where logging on takes long
                answer = self.next_message()
            if "result" not in answer:
                raise LoadError(f"logon was refused: {answer}")

    def start(self) -> None:
        """From here on nothing waits."""
        self.socket.setblocking(False)
        self.buffer[: len(self._early)] = self._early
        self.filled = len(self._early)

    @property
    def in_flight(self) -> int:
        return self.next_id - self.first_id - self.answers

    def send_orders(self, count: int, due_ns: int) -> None:
        """Send `count` new orders that were due at `due_ns`."""
        if self.in_flight + count > RING:
            raise LoadError(f"{self.in_flight} orders wait on connection {self.index}")
        if count * len(self._template) > len(self._out):
            self._out = np.empty(count * len(self._template), np.uint8)
        template, index = self._template, self.next_id - self.first_id
        n_bytes = write_orders(self._out, template.data, template.places, self.first_id, index, count, self._sent_ns, due_ns)
        self.next_id += count
        self._send(memoryview(self._out)[:n_bytes])

    def flush(self) -> None:
        """Send what the socket did not take."""
        if self._unsent:
            unsent, self._unsent = self._unsent, b""
            self._send(memoryview(unsent))

    def receive(self, rtt_ns: NDArray[np.int64], n_rtt: int) -> tuple[int, int]:
        """Read what has come: (answers, round trips in `rtt_ns` now)."""
        now_ns = self.fill()
        consumed, answers, errors, n_rtt = read_answers(self.bytes_in, self.filled, self.first_id, self._sent_ns, now_ns, rtt_ns, n_rtt)
        self.consume(consumed)
        self.answers += answers
        self.errors += errors
        return answers, n_rtt

    def fill(self) -> int:
        """Read into the buffer; returns when."""
        if self.filled == len(self.buffer):
            self.buffer = self.buffer + bytearray(len(self.buffer))
            self.bytes_in = np.frombuffer(self.buffer, np.uint8)
        n_bytes = self.socket.recv_into(memoryview(self.buffer)[self.filled :])
        if not n_bytes:
            raise LoadError(f"the server closed connection {self.index}: {bytes(self.buffer[: self.filled])[-200:]!r}")
        self.filled += n_bytes
        return time.perf_counter_ns()

    def consume(self, n_bytes: int) -> None:
        """Drop the start of the buffer."""
        if n_bytes:
            rest = self.filled - n_bytes
            self.buffer[:rest] = self.buffer[n_bytes : self.filled]
            self.filled = rest

    def next_message(self) -> dict[str, dict[str, object]]:
        """The next frame, before `start`."""
        while True:
            data = self._early
            if len(data) >= 2:
                start = 2 if data[1] < 126 else 4
                length = data[1] if data[1] < 126 else int.from_bytes(data[2:4])
                if len(data) >= start + length:
                    self._early = data[start + length :]
                    if data[0] == 0x81:
                        return msgspec.json.decode(data[start : start + length])  # type: ignore[no-any-return]
                    continue
            self._early += self._more()

    def _read_until(self, end: bytes) -> bytes:
        data = b""
        while end not in data:
            data += self._more()
        head, _, rest = data.partition(end)
        if b" 101 " not in head:
            raise LoadError(f"no WebSocket here: {head[:80]!r}")
        return rest

    def _more(self) -> bytes:
        data = self.socket.recv(65_536)
        if not data:
            raise LoadError("the server closed the connection")
        return data

    def _send(self, data: memoryview) -> None:
        if self._unsent:
            self._unsent += bytes(data)
            return
        try:
            sent = self.socket.send(data)
        except BlockingIOError:
            sent = 0
        if sent < len(data):
            self._unsent = bytes(data[sent:])


@dataclass
class Measured:
    """What one run saw between its two marks. Times in ns; `rtt_ns` holds one round trip an answer."""

    answers: int = 0
    errors: int = 0
    wall_s: float = 0.0
    server_cpu_s: float = 0.0
    generator_cpu_share: float = 0.0
    rtt_ns: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))


class Load:
    """Connections and their epoll."""

    def __init__(self, port: int, server_pid: int, n_connections: int, *, log_on: bool = True) -> None:
        self.server_pid = server_pid
        self.connections = [Connection(port, index, log_on=log_on) for index in range(n_connections)]
        self._poll = select.epoll()
        self._by_fd: dict[int, Connection] = {}
        for connection in self.connections:
            self.watch(connection)
        self._rtt_ns = np.empty(0, np.int64)
        self._n_rtt = 0

    def watch(self, connection: Connection) -> None:
        connection.start()
        self._by_fd[connection.socket.fileno()] = connection
        self._poll.register(connection.socket.fileno(), select.EPOLLIN)

    def ready(self, timeout_s: float) -> list[Connection]:
        return [self._by_fd[fd] for fd, _ in self._poll.poll(timeout_s)]

    def closed_loop(self, window: int, warm_up_s: float, seconds: float) -> Measured:
        """Keep `window` orders in flight on each connection."""
        self._rtt_ns = np.empty(int(400_000 * seconds) + RING, np.int64)
        for connection in self.connections:
            connection.send_orders(window, time.perf_counter_ns())
        self._turn_over(warm_up_s, refill=True)
        measured = self._between_marks(lambda: self._turn_over(seconds, refill=True))
        self.drain()
        return measured

    def open_loop(self, rate_per_s: float, warm_up_s: float, seconds: float) -> Measured:
        """Orders at fixed times, round the connections."""
        self._rtt_ns = np.empty(int(2 * rate_per_s * seconds) + RING, np.int64)
        self._on_schedule(rate_per_s, warm_up_s)
        measured = self._between_marks(lambda: self._on_schedule(rate_per_s, seconds))
        self.drain()
        return measured

    def drain(self) -> None:
        """Wait for every answer. Raises LoadError when one does not come."""
        until = time.perf_counter() + TIMEOUT_S
        while any(connection.in_flight for connection in self.connections):
            self._turn_over(0.02, refill=False)
            if time.perf_counter() > until:
                raise LoadError("orders stay without an answer")

    def close(self) -> None:
        self._poll.close()
        for connection in self.connections:
            connection.socket.close()

    def _between_marks(self, run: object) -> Measured:
        assert callable(run)
        self._n_rtt = 0
        answers, errors = self._totals()
        wall, own, server = time.perf_counter(), time.process_time(), process_cpu_s(self.server_pid)
        run()
        wall, own, server = time.perf_counter() - wall, time.process_time() - own, process_cpu_s(self.server_pid) - server
        answers_now, errors_now = self._totals()
        return Measured(answers_now - answers, errors_now - errors, wall, server, own / wall, self._rtt_ns[: self._n_rtt].copy())

    def _totals(self) -> tuple[int, int]:
        return sum(connection.answers for connection in self.connections), sum(connection.errors for connection in self.connections)

    def _turn_over(self, seconds: float, *, refill: bool) -> None:
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            for connection in self.ready(0.02):
                answers, self._n_rtt = connection.receive(self._rtt_ns, self._n_rtt)
                connection.flush()
                if answers and refill:
                    connection.send_orders(answers, time.perf_counter_ns())

    def _on_schedule(self, rate_per_s: float, seconds: float) -> None:
        step_ns = 1e9 / rate_per_s
        began_ns = time.perf_counter_ns()
        n_due = int(seconds * rate_per_s)
        sent = 0
        while sent < n_due:
            now_ns = time.perf_counter_ns()
            while sent < n_due and (due_ns := began_ns + int(sent * step_ns)) <= now_ns:
                self.connections[sent % len(self.connections)].send_orders(1, due_ns)
                sent += 1
            for connection in self.ready(0):
                _, self._n_rtt = connection.receive(self._rtt_ns, self._n_rtt)
                connection.flush()
