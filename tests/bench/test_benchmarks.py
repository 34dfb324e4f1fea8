"""The kernels under pytest-benchmark: tiny in the test run, PARKEX_BENCH_MESSAGES messages long under `make bench`."""

import os
from collections.abc import Callable
from typing import Any

import pytest

from bench.core import CoreRun, workload_of
from bench.order_path import PathRun
from bench.park import empty_exchange, prepare
from bench.replay import MemoryImage
from bench.workloads.floor import FloorRun
from bench.workloads.generator import Parameters, generate
from bench.workloads.mixed import mixed_day
from exchange.replay import replay_into

MESSAGES = int(os.environ.get("PARKEX_BENCH_MESSAGES", "1000"))
ROUNDS = 3 if MESSAGES <= 10_000 else 7
ONE_BOOK = Parameters(n=MESSAGES, resting=min(10_000, MESSAGES // 10))
MANY_BOOKS = Parameters(n=MESSAGES, symbols=min(1_000, MESSAGES // 100), resting=min(100, MESSAGES // 20), mean=12.0, maxd=40, seed=2)


def measure(benchmark: Any, make: Callable[[], Any], n_messages: int, run: str = "run") -> Any:
    """Time `run` of what `make` makes anew for each round; returns the last one. Nanoseconds a message are in the extra information."""
    made: list[Any] = []

    def setup() -> tuple[tuple[Any], dict[str, Any]]:
        made[:] = [make()]
        return (made[0],), {}

    benchmark.pedantic(lambda subject: getattr(subject, run)(), setup=setup, rounds=ROUNDS, warmup_rounds=1)
    if benchmark.stats:
        benchmark.extra_info["ns_per_message"] = round(benchmark.stats.stats.median * 1e9 / n_messages, 1)
    return made[0]


@pytest.mark.parametrize("parameters", [ONE_BOOK, MANY_BOOKS], ids=["one book", "many books"])
def test_core(benchmark: Any, parameters: Parameters) -> None:
    stream = generate(parameters)
    run = measure(benchmark, lambda: CoreRun(workload_of(stream)), MESSAGES)
    assert run.live_orders() == stream.expected["live_orders"]


@pytest.mark.parametrize("parameters", [ONE_BOOK, MANY_BOOKS], ids=["one book", "many books"])
def test_floor(benchmark: Any, parameters: Parameters) -> None:
    stream = generate(parameters)
    run = measure(benchmark, lambda: FloorRun(stream), MESSAGES)
    assert run.results["live"] == stream.expected["live_orders"]


def test_core_on_a_mixed_day(benchmark: Any) -> None:
    day = mixed_day(MESSAGES, n_books=8)
    run = measure(benchmark, lambda: CoreRun(day), day.n_timed)
    run.core.check_all()


def test_order_path(benchmark: Any) -> None:
    prepared = prepare(generate(ONE_BOOK))
    run = measure(benchmark, lambda: PathRun(prepared), MESSAGES)
    assert run.live_orders() == prepared.stream.expected["live_orders"]


def test_replay(benchmark: Any) -> None:
    prepared = prepare(generate(ONE_BOOK))
    image = MemoryImage(prepared, 256)

    class Replay:
        def __init__(self) -> None:
            self.exchange = empty_exchange(prepared.stream)

        def run(self) -> None:
            replay_into(self.exchange, image)

    run = measure(benchmark, Replay, len(prepared.commands))
    assert int(run.exchange.state.accounts.open_orders.sum()) == prepared.stream.expected["live_orders"]


def test_generator(benchmark: Any) -> None:
    stream = benchmark.pedantic(generate, args=(ONE_BOOK,), rounds=ROUNDS)
    assert len(stream.messages) == ONE_BOOK.n + ONE_BOOK.resting
