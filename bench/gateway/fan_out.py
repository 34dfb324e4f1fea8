"""One book, many subscribers: how late a book update is, and whether one is lost."""

import time
from typing import Any, Final

import msgspec
import numpy as np

from bench.gateway.figures import percentiles_us
from bench.gateway.frames import masked_frame, read_answers, read_deltas
from bench.gateway.load import Connection, Load, LoadError
from bench.gateway.market import instrument_of
from bench.gateway.rows import Row

SETTLE_S: Final = 1.0
_SEQ: Final = b'"seq":'
_PREVIOUS: Final = b'_seq":'
_TEXTS: Final = np.frombuffer(_SEQ + _PREVIOUS, np.uint8).reshape(2, len(_SEQ))


class Subscriber:
    """A connection that reads the deltas of one book."""

    def __init__(self, port: int, index: int, symbol: str) -> None:
        self.connection = Connection(port, index, log_on=True)
        request = {"jsonrpc": "2.0", "id": 2, "method": "subscribe", "params": {"channels": [f"book:{symbol}"]}}
        self.connection.socket.sendall(masked_frame(msgspec.json.encode(request)))
        message = self.connection.next_message()
        while message.get("method") != "book.snapshot":
            message = self.connection.next_message()
        self.first_seq = self.last_seq = int(str(message["params"]["seq"]))
        self.deltas = self.gaps = 0


def fan_out(row: Row, port: int, server_pid: int, warm_up_s: float) -> dict[str, Any]:
    """Resting orders at a steady rate over one connection, whose book `row.subscribers` connections follow."""
    assert row.rate is not None
    load = Load(port, server_pid, row.connections)
    subscribers = [Subscriber(port, row.connections + index, instrument_of(0)) for index in range(row.subscribers)]
    by_connection = {id(subscriber.connection): subscriber for subscriber in subscribers}
    for subscriber in subscribers:
        load.watch(subscriber.connection)
    n_orders = int(row.rate * (row.seconds + warm_up_s))
    due_ns = np.zeros(n_orders, np.int64)
    late_ns = np.empty(int(row.subscribers * row.rate * (row.seconds + warm_up_s)), np.int64)
    rtt_ns = np.empty(2 * n_orders, np.int64)
    n_late = n_rtt = sent = 0
    compile_readers(buyer := load.connections[0], rtt_ns, due_ns, late_ns)
    began_ns = time.perf_counter_ns()
    warm_s = time.perf_counter() + warm_up_s
    until_s = warm_s + row.seconds + SETTLE_S
    is_warm = False
    while time.perf_counter() < until_s:
        if not is_warm and time.perf_counter() > warm_s:
            is_warm, n_late, n_rtt = True, 0, 0
        now_ns = time.perf_counter_ns()
        while sent < n_orders and (due := began_ns + int(sent * 1e9 / row.rate)) <= now_ns:
            due_ns[sent] = due
            buyer.send_orders(1, due)
            sent += 1
        for connection in load.ready(0.0):
            subscriber = by_connection.get(id(connection))
            if subscriber is None:
                _, n_rtt = connection.receive(rtt_ns, n_rtt)
                continue
            now_ns = connection.fill()
            consumed, deltas, gaps, subscriber.last_seq, n_late = read_deltas(
                connection.bytes_in, connection.filled, subscriber.last_seq, _TEXTS, now_ns, due_ns, subscriber.first_seq, late_ns, n_late
            )
            connection.consume(consumed)
            subscriber.deltas += deltas
            subscriber.gaps += gaps
    load.close()
    return _figures(subscribers, sent, late_ns[:n_late], rtt_ns[:n_rtt], buyer, row)


def compile_readers(connection: Connection, rtt_ns: Any, due_ns: Any, late_ns: Any) -> None:
    """Load what reads and writes frames before time counts: a tenth of a second of standing still would be laid at the server's door."""
    connection.send_orders(0, 0)
    read_answers(connection.bytes_in, 0, connection.first_id, np.zeros(1, np.int64), 0, rtt_ns, 0)
    read_deltas(connection.bytes_in, 0, -1, _TEXTS, 0, due_ns, 0, late_ns, 0)


def _figures(subscribers: list[Subscriber], sent: int, late_ns: Any, rtt_ns: Any, buyer: Connection, row: Row) -> dict[str, Any]:
    # The last orders may stand below the levels that are shown: then the last delta is older than they are, for everybody.
    furthest = max(subscriber.last_seq for subscriber in subscribers)
    behind = [subscriber for subscriber in subscribers if subscriber.last_seq != furthest]
    if buyer.in_flight or buyer.errors:
        raise LoadError(f"{buyer.in_flight} orders without an answer, {buyer.errors} refused")
    if furthest - subscribers[0].first_seq < sent * 0.99:
        raise LoadError("the last deltas did not come")
    late = percentiles_us(late_ns)
    return {
        "subscribers": len(subscribers),
        "updates_per_s_each": round(sum(s.deltas for s in subscribers) / len(subscribers) / (row.seconds + 1.0), 1),
        "lateness_ms": {name: round(value / 1000, 2) for name, value in late.items()},
        "gaps": sum(s.gaps for s in subscribers),
        "subscribers_behind": len(behind),
        "rtt_us": percentiles_us(rtt_ns),
        "rejects": buyer.errors,
    }
