"""The exchange under test, in a process of its own that is there to be killed.

    python -m bench.crash.server DIRECTORY PORT [--read-model] [--cold]

Words on stdin, one JSON line each on stdout: `start` begins a life ({"forked": pid}, then {"ready": ...} from the life itself), `reap` waits for its
end ({"ended": status}). The end of stdin ends everything.

A life is the assembly of `parkex serve` without its page: journal in segment files with fdatasync, snapshot and replay, node, gateway on uvicorn. A
process started from nothing spends two to three seconds on imports and on loading compiled code, which no crash puts in doubt. So a parent imports
and compiles once, on a directory that it throws away, holds no thread, file or socket of the exchange, and forks each life. What a life shares with
the parent is code; its state comes from the directory alone. `--cold` starts every life from nothing, to compare.
"""

import argparse
import asyncio
import gc
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Final

import httptools  # noqa: F401 - what a life imports late is imported before the fork
import numpy as np
import uvicorn.lifespan.on
import uvicorn.protocols.http.httptools_impl  # noqa: F401
import uvloop  # noqa: F401
from fastapi import FastAPI
from numpy.typing import NDArray

from bench.crash import market
from exchange.clock import SystemClock
from exchange.gateway.app import create_app
from exchange.gateway.limits import Limits, Rate
from exchange.gateway.server import run_server
from exchange.journal.record import COMMAND, CommandFlag, CommandKind
from exchange.node import Node, new_command
from exchange.order_path import canonical
from exchange.order_path.records import joined
from exchange.protocol.documents import Admit, Deposit, Document, ListInstruments, encode_document
from exchange.replay import state_hash_hex
from exchange.service import ServiceOptions, start_exchange
from matching.records import TimeInForce

SEGMENT_BYTES: Final = 1 << 20
# Nothing is to be refused before the journal: such an answer says nothing about durability.
_PLENTY: Final = Rate(1e6, 1e6)
LIMITS: Final = Limits(connection=_PLENTY, key=_PLENTY, account=_PLENTY)


def options_for(directory: Path, port: int | None, *, read_model: bool) -> ServiceOptions:
    return ServiceOptions(
        journal_directory=directory / "journal", clock=SystemClock(), genesis=market.genesis(), segment_bytes=SEGMENT_BYTES,
        read_model_url=f"sqlite:///{directory / 'readmodel.sqlite'}" if read_model else None, limits=LIMITS, port=port,
    )  # fmt: skip


def live(options: ServiceOptions) -> None:
    """Serve until the end. What the recovery came to is said before the first client can change it."""
    began_s = time.perf_counter()
    recovered: dict[str, Any] = {}

    async def make_app(names: tuple[str, ...]) -> FastAPI:
        service = await start_exchange(options)
        exchange = service.node.exchange
        recovered.update(epoch=service.node.epoch, sequence=exchange.last_sequence, state_hash=state_hash_hex(exchange))
        return create_app(
            service.node, None, service.read_model, limits=options.limits, hosts=names, on_shutdown=service.stop, executions=service.executions
        )

    def ready(url: str) -> None:
        say(ready=url, pid=os.getpid(), recovery_ms=round(1000 * (time.perf_counter() - began_s), 1), **recovered)

    run_server(make_app, options.host, options.port, limits=options.limits, on_ready=ready)


def say(**message: Any) -> None:
    """One line, whole: parent and life share the pipe."""
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


# Warming up: all that a life compiles or imports on its way, on a directory of no further use.


async def warm_up(directory: Path, *, read_model: bool) -> None:
    """Two lives of an exchange without a socket: one that is new, and one that recovers from its snapshot and journal."""
    for _ in range(2):
        service = await start_exchange(options_for(directory, None, read_model=read_model))
        create_app(service.node, limits=LIMITS)
        await _trade(service.node)
        canonical.state_hash(service.node.exchange)
        await service.stop()


async def _trade(node: Node) -> None:
    """Every kind of command that the clients send, refused or not."""
    if node.exchange.instrument(market.SYMBOLS[0]) is None:
        member = {"role": "prosumer", "permissions": ["power_buy", "power_sell"], "min_net_power_lots": -1000, "max_net_power_lots": 1000}
        for name in ("A", "B"):
            await _submit(node, CommandKind.DOCUMENT, node.exchange.rooms.participants.next_id - 1, Admit(name=name, **member))  # type: ignore[arg-type]
        for account in (33, 34):
            await _submit(node, CommandKind.DOCUMENT, 32, Deposit(account=account, amount_micro=10**12, reference="warm"))
        contracts = [market.contract(number, time.time_ns()) for number in range(2)]
        await _submit(node, CommandKind.DOCUMENT, 32, ListInstruments(instruments=contracts))
    first, second = (node.exchange.instrument(symbol).id for symbol in market.SYMBOLS[:2])  # type: ignore[union-attr]
    for account, side in ((33, 0), (34, 1)):
        order = {"side": side, "instrument": first, "price_ticks": 4_000, "quantity_lots": 10}
        await _submit(node, CommandKind.PLACE, account, client_order_id=f"p{side}", **order)
        await _submit(node, CommandKind.PLACE, account, client_order_id=f"p{side}", **order)  # a resend
        iceberg = order | {"price_ticks": 3_000 + 3_000 * side, "display_lots": 5, "flags": CommandFlag.ICEBERG}
        await _submit(node, CommandKind.PLACE, account, client_order_id=f"i{side}", **iceberg)
    await _submit(node, CommandKind.AMEND, 33, client_order_id="a", order_id=1, revision=1, quantity_lots=5, flags=CommandFlag.AMEND_QUANTITY)
    await _submit(node, CommandKind.CANCEL, 33, client_order_id="c", order_id=1)
    leg = {"side": 0, "price_ticks": 4_000, "quantity_lots": 1, "time_in_force": TimeInForce.FOK}
    legs = [
        _record(CommandKind.BASKET, 33, client_order_id=f"b{number}", instrument=instrument, group=group, **leg)
        for number, (instrument, group) in enumerate([(first, 2), (second, 0)])
    ]
    await asyncio.gather(*node.submit_many(joined(legs, COMMAND)))
    every = CommandFlag.ALL_INSTRUMENTS | CommandFlag.ALL_SIDES | CommandFlag.ALL_LABELS
    await _submit(node, CommandKind.MASS_CANCEL, 34, client_order_id="m", flags=every)
    for kind in (CommandKind.SESSION_OPENED, CommandKind.SESSION_CLOSED):
        await _submit(node, kind, 33, session=1, flags=CommandFlag.CANCEL_ON_DISCONNECT)


async def _submit(node: Node, kind: CommandKind, account: int, document: Document | None = None, **fields: Any) -> None:
    await node.submit(_record(kind, account, **fields), b"" if document is None else encode_document(document))


def _record(kind: CommandKind, account: int, **fields: Any) -> NDArray[np.void]:
    record = new_command(kind)
    for name, value in ({"account": account} | fields).items():
        record[name] = value
    return record


# The parent


class Lives:
    """Begins lives one after the other; at most one is there."""

    def __init__(self, directory: Path, port: int, *, read_model: bool, cold: bool) -> None:
        self._directory, self._port, self._read_model, self._cold = directory, port, read_model, cold
        self._pid = 0

    def start(self) -> None:
        self.reap()
        self._pid = self._spawn() if self._cold else self._fork()
        say(forked=self._pid)

    def _fork(self) -> int:
        if threading.active_count() != 1:
            raise RuntimeError("a process with threads is not forked")
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            os.close(0)
            try:
                live(options_for(self._directory, self._port, read_model=self._read_model))
            finally:
                os._exit(0)
        return pid

    def _spawn(self) -> int:
        command = [sys.executable, "-m", "bench.crash.server", str(self._directory), str(self._port), "--one-life"]
        process = subprocess.Popen(command + ["--read-model"] * self._read_model, stdin=subprocess.DEVNULL)  # noqa: S603 - our own words
        return process.pid

    def reap(self) -> int:
        """Wait for the end of the life, if there is one; its status."""
        if not self._pid:
            return 0
        _, status = os.waitpid(self._pid, 0)
        self._pid = 0
        return status

    def end(self) -> None:
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            self.reap()


def main() -> None:
    """Serve one life, or begin lives as stdin says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("--read-model", action="store_true")
    parser.add_argument("--cold", action="store_true")
    parser.add_argument("--one-life", action="store_true")
    arguments = parser.parse_args()
    if arguments.one_life:
        live(options_for(arguments.directory, arguments.port, read_model=arguments.read_model))
        return
    if not arguments.cold:
        with tempfile.TemporaryDirectory() as unused:
            asyncio.run(warm_up(Path(unused), read_model=arguments.read_model))
        gc.collect()
        gc.freeze()
    lives = Lives(arguments.directory, arguments.port, read_model=arguments.read_model, cold=arguments.cold)
    say(warm=True)
    try:
        for line in sys.stdin:
            if line.strip() == "start":
                lives.start()
            else:
                say(ended=lives.reap())
    finally:
        lives.end()


if __name__ == "__main__":
    main()
