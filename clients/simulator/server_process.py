"""The exchange of a demo in a process of its own: `python -m clients.simulator.server_process FILE`.

The file says where the journal lies and how market time runs. The process speaks JSON lines on standard output: `compiling`, `compiled`, `ready`,
`status` when asked for it with a line on standard input, `stopped` at the end. It ends when its standard input closes.
"""

import asyncio
import gc
import json
import sys
import time
from pathlib import Path
from typing import Final

import msgspec

from clients.simulator.server_file import ServerFile
from exchange.clock import TurnClock
from exchange.gateway.app import create_app
from exchange.gateway.limits import Limits
from exchange.gateway.server import bind, own_hosts, serve
from exchange.gateway.turns import TurnConductor
from exchange.order_path.path import Exchange
from exchange.replay import state_hash_hex
from exchange.service import Service, ServiceOptions, new_genesis, start_exchange

_WATCH_S: Final = 0.5
# Hardly anything here is garbage in cycles: full collections over a day's objects would only hold up the order path.
_GC_THRESHOLDS: Final = (50_000, 50, 1_000)


def tell(event: str, **data: object) -> None:
    """One line for the parent."""
    sys.stdout.write(json.dumps({"event": event, **data}) + "\n")
    sys.stdout.flush()


def status(exchange: Exchange, chain_hash: str) -> dict[str, object]:
    """What a check of the whole state needs. `chain_hash` is that behind the last command applied."""
    return {
        "sequence": exchange.last_sequence,
        "state_hash": state_hash_hex(exchange),
        "chain_hash": chain_hash,
        "money_sum_micro": exchange.money_sum_micro(),
    }


def status_now(service: Service) -> dict[str, object]:
    """Status of a running exchange. Its journal may already hold a group that is not applied yet, so the head is looked up."""
    exchange = service.node.exchange
    return status(exchange, service.node.journal.chain_hash_at(exchange.last_sequence) or "")


async def run(file: ServerFile) -> None:
    """Serve until standard input closes. Raises InputError for a taken port and what opening a journal raises."""
    from clients.web import PAGE_DIRECTORY, static_files

    sock = bind(port=file.port)
    port = sock.getsockname()[1]
    clock = TurnClock(file.start_ns)
    conductor = TurnConductor(clock, end_ns=file.end_ns, turn_ns=file.turn_ns, turn_timeout_s=file.turn_timeout_s)
    options = ServiceOptions(
        journal_directory=Path(file.journal_directory),
        clock=clock,
        genesis=new_genesis(file.park_id, (file.operator_public_key,)),
        read_model_url=file.read_model_url,
        conductor=conductor,
    )
    tell("compiling")
    began_s = time.perf_counter()
    service = await start_exchange(options)
    clock.advance_to(service.node.exchange.now_ns)
    tell("compiled", seconds=time.perf_counter() - began_s)
    app = create_app(
        service.node, PAGE_DIRECTORY, service.read_model, conductor, Limits(), hosts=own_hosts("127.0.0.1", port), static_files=static_files()
    )
    serving = asyncio.create_task(serve(sock, app, Limits(), lambda url: tell("ready", url=url, port=port)), name="server")
    try:
        await _answer_parent(service, serving)
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        await app.state.hub.close()
        await service.stop()
        tell("stopped", **status(service.node.exchange, service.node.journal.chain_hash))


async def _answer_parent(service: Service, serving: "asyncio.Task[None]") -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    reading: asyncio.Task[bytes] | None = None
    failing = asyncio.create_task(_until_failure(service), name="failure of the node")
    while not serving.done():
        reading = asyncio.create_task(reader.readline(), name="parent")
        await asyncio.wait({reading, serving, failing}, return_when=asyncio.FIRST_COMPLETED)
        if failing.done():
            failing.result()
        if not reading.done():
            reading.cancel()
            break
        if not reading.result():
            failing.cancel()
            return
        tell("status", **status_now(service))
    serving.result()


async def _until_failure(service: Service) -> None:
    """Raises what ended the order path: an exchange that takes no commands is of no use to anybody."""
    while service.node.failure is None:  # noqa: ASYNC110 - the node has no event for it, and half a second is soon enough
        await asyncio.sleep(_WATCH_S)
    raise service.node.failure


def main() -> int:
    """Entry point of the process."""
    gc.set_threshold(*_GC_THRESHOLDS)
    file = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=ServerFile)
    try:
        import uvloop
    except ImportError:
        asyncio.run(run(file))
        return 0
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(file))
    return 0


if __name__ == "__main__":
    sys.exit(main())
