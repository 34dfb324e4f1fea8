"""Run a gateway under uvicorn: event loop uvloop, HTTP by httptools, WebSocket by picows (picows_adapter.py) or by websockets' sans-I/O layer
(websocket.py and batching.py). All on one port.
"""

import asyncio
import gc
import os
import signal
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import Any, Final

import uvicorn
from fastapi import FastAPI

from exchange.errors import InputError
from exchange.gateway.batching import batching_protocol
from exchange.gateway.http_guard import guarded_http
from exchange.gateway.limits import Limits
from exchange.gateway.ports import NodePort
from exchange.gateway.tls import RenewableTls, TlsFiles, server_context

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 8765
SHUTDOWN_TIMEOUT_S: Final = 10
_PORTS_TRIED: Final = 100
_BACKLOG: Final = 1024

BACKENDS: Final = ("picows", "websockets")
DEFAULT_BACKEND: Final = "picows"

MakeApp = Callable[[tuple[str, ...]], Awaitable[FastAPI]]


def bind(host: str = DEFAULT_HOST, port: int | None = None) -> socket.socket:
    """A listening TCP socket. Without a port: the default or the next free one. Raises InputError when the given one is taken."""
    candidates = range(DEFAULT_PORT, DEFAULT_PORT + _PORTS_TRIED) if port is None else (port,)
    error: OSError | None = None
    for candidate in candidates:
        sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.bind((host, candidate))
            sock.listen(_BACKLOG)
        except OSError as failed:
            sock.close()
            error = failed
        else:
            sock.setblocking(False)
            return sock
    asked = f"port {port}" if port is not None else f"any port from {DEFAULT_PORT} to {DEFAULT_PORT + _PORTS_TRIED - 1}"
    raise InputError(f"cannot listen on {host}, {asked}: {error.strerror if error is not None else 'no port'}")


def own_hosts(host: str, port: int) -> tuple[str, ...]:
    """Names under which clients reach a server bound to `host` and `port` on this machine."""
    names = dict.fromkeys((host, "127.0.0.1", "localhost", "[::1]"))
    return tuple(f"[{name}]:{port}" if ":" in name and not name.startswith("[") else f"{name}:{port}" for name in names)


class Server(uvicorn.Server):
    """A uvicorn server that says when it listens, and lets the application end its sessions before it closes their transports.

    The first SIGTERM or SIGINT shuts down; a SIGINT is raised again after that, so that the caller sees the interruption. A second signal ends the
    process at once, with nothing of the shutdown: what was acknowledged is in the journal, and the next start recovers as after a crash.
    """

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[str], None] | None, url: str, drain: Callable[[], Awaitable[None]]) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._url = url
        self._drain = drain
        self._signalled = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the shape of a signal handler
        if self._signalled:
            os._exit(128 + sig)
        self._signalled = self.should_exit = True
        if sig == signal.SIGINT:
            self._captured_signals.append(sig)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        await self._drain()
        # A session that has ended may still be saying why; uvicorn would close its transport with words of its own.
        if self.server_state.tasks:
            await asyncio.wait(list(self.server_state.tasks), timeout=self.config.timeout_graceful_shutdown)
        await super().shutdown(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # What is there now stays. Left to the collector, it would be walked through while orders wait.
        gc.collect()
        gc.freeze()
        if self.started and self._on_ready is not None:
            self._on_ready(self._url)


async def serve(
    sock: socket.socket,
    app: FastAPI,
    limits: Limits,
    on_ready: Callable[[str], None] | None = None,
    *,
    backend: str = DEFAULT_BACKEND,
    tls: TlsFiles | None = None,
    shutdown_timeout_s: int = SHUTDOWN_TIMEOUT_S,
) -> None:
    """Serve until SIGTERM or SIGINT, or cancelled; either way what was taken is answered, sessions are ended and the application's shutdown runs.

    A node that fails for good ends it too: nothing but a new start recovers from that. `on_ready` gets the base URL once the socket accepts
    connections. `backend` is one of BACKENDS. Each step of the shutdown waits `shutdown_timeout_s` at most. The files of `tls` are read again when
    they change, and at SIGHUP. Raises InputError for files that are of no use at the beginning.
    """
    app.state.hub.usual.compile()
    host, port = sock.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    renewable = None if tls is None else RenewableTls(tls)
    config = uvicorn.Config(
        app, http=guarded_http(limits), ws=_websocket_class(app, backend, limits), ws_max_size=limits.frame_headroom * limits.frame_bytes,
        ws_per_message_deflate=False, log_level="warning", log_config=None, access_log=False, timeout_graceful_shutdown=shutdown_timeout_s,
        lifespan="on", ssl_context_factory=None if renewable is None else lambda _config, _default: renewable.context,
    )  # fmt: skip
    url = f"{'http' if tls is None else 'https'}://{shown}:{port}"
    server = Server(config, on_ready, url, lambda: app.state.hub.drain(shutdown_timeout_s))
    serving = asyncio.create_task(server.serve(sockets=[sock]), name="uvicorn")
    beside = [asyncio.create_task(_exit_when_failed(server, app.state.hub.node), name="failure")]
    if renewable is not None:
        beside.append(asyncio.create_task(renewable.watch(), name="certificate"))
    try:
        with _hangup(renewable):
            await asyncio.shield(serving)
    except asyncio.CancelledError:
        # A server whose task is cancelled closes nothing; one that is told to exit does.
        server.should_exit = True
        await asyncio.wait([serving])
        raise
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)


async def _exit_when_failed(server: uvicorn.Server, node: NodePort) -> None:
    """What waited has been told by then; the shutdown ends the sessions."""
    await node.until_failed()
    server.should_exit = True


@contextmanager
def _hangup(renewable: RenewableTls | None) -> Iterator[None]:
    """SIGHUP reads the certificate again, where this thread may say so. A service without TLS takes it and does nothing, since `systemctl reload`
    must not end it; without TLS and from a terminal it means what it always has.
    """
    if threading.current_thread() is not threading.main_thread() or (renewable is None and os.isatty(0)):
        yield
        return
    loop = asyncio.get_running_loop()
    before = signal.getsignal(signal.SIGHUP)
    loop.add_signal_handler(signal.SIGHUP, lambda: None if renewable is None else renewable.renew())
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
        signal.signal(signal.SIGHUP, before)


def _websocket_class(app: FastAPI, backend: str, limits: Limits) -> Any:
    """What uvicorn calls for a connection that asks for a WebSocket. Raises InputError for a backend that is none."""
    if backend == "websockets":
        return batching_protocol(limits)
    if backend != "picows":
        raise InputError(f"backend is one of {', '.join(BACKENDS)}, not {backend}")
    from exchange.gateway.picows_adapter import PicowsProtocol

    return partial(PicowsProtocol, app.state.hub)


def run_server(
    make_app: MakeApp,
    host: str = DEFAULT_HOST,
    port: int | None = None,
    *,
    limits: Limits | None = None,
    hosts: tuple[str, ...] = (),
    on_ready: Callable[[str], None] | None = None,
    backend: str = DEFAULT_BACKEND,
    tls: TlsFiles | None = None,
    shutdown_timeout_s: int = SHUTDOWN_TIMEOUT_S,
) -> None:
    """Bind, make the application inside the loop, serve until interrupted.

    `make_app` gets the names clients may use: `hosts`, or those of this machine. It starts the node and calls `create_app`.
    Raises InputError when the port is taken or the files of `tls` are of no use.
    """
    if tls is not None:
        server_context(tls)  # before anything is started
    sock = bind(host, port)
    names = hosts or own_hosts(host, sock.getsockname()[1])

    async def main() -> None:
        await serve(
            sock, await make_app(names), limits or Limits(), on_ready, backend=backend, tls=tls, shutdown_timeout_s=shutdown_timeout_s
        )

    try:
        with asyncio.Runner(loop_factory=_new_event_loop()) as runner:
            runner.run(main())
    finally:
        sock.close()


def _new_event_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Uvloop where it exists (it joins the writes of one iteration into one), the default loop elsewhere."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
