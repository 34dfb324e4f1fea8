"""The application of one gateway: WebSocket at /ws/v1, REST under /v1, the operator's routes, the page at /.

OpenAPI is at /docs, AsyncAPI at /asyncapi.json.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from exchange.gateway.executions import ExecutionFeed
from exchange.gateway.hub import Hub
from exchange.gateway.limits import Limits
from exchange.gateway.operations import operations_router
from exchange.gateway.origins import OriginPolicy
from exchange.gateway.ports import NodePort
from exchange.gateway.probes import LOOPBACK, Probes
from exchange.gateway.rest import ReadModel, rest_router
from exchange.gateway.rest_administration import administration_router
from exchange.gateway.rest_carbon import carbon_router
from exchange.gateway.rest_credits import credits_router
from exchange.gateway.rest_flows import flows_router
from exchange.gateway.rest_meters import meters_router
from exchange.gateway.security_log import SecurityLog
from exchange.gateway.turns import TurnConductor
from exchange.gateway.websocket import WebSocketEndpoint
from exchange.protocol.asyncapi import ASYNCAPI_PATH, asyncapi_document
from exchange.protocol.messages import WEBSOCKET_PATH
from exchange.surveillance.desk import Surveillance

DEFAULT_TIME_ZONE = "Asia/Shanghai"


def create_app(
    node: NodePort,
    web_directory: Path | None = None,
    read_model: ReadModel | None = None,
    conductor: TurnConductor | None = None,
    limits: Limits | None = None,
    *,
    hosts: Sequence[str] = (),
    time_zone: str = DEFAULT_TIME_ZONE,
    static_files: Mapping[str, Path] | None = None,
    on_shutdown: Callable[[], Awaitable[None]] | None = None,
    executions: ExecutionFeed | None = None,
    origins: OriginPolicy | None = None,
    probes: Probes | None = None,
    metrics_networks: Sequence[str] = LOOPBACK,
    security_log: SecurityLog | None = None,
    surveillance: Surveillance | None = None,
) -> FastAPI:
    """An ASGI application over a started node. Call it inside the running loop.

    `hosts` are the names (with port) that clients may ask for and that their logon signature has to carry; empty accepts any, for use inside one
    process. `static_files` are served as /static/NAME, for the page. `on_shutdown` runs after the last session has ended, to stop the node.
    `executions` is a feed that has listened to the node while it replayed its journal, so that clients can be told what they missed.
    `origins` says from which pages a browser may open the socket (default: those of `hosts`); other origins it names may read REST as well.
    `probes` and `metrics_networks` are for the operator's routes (operations.py). `security_log` is closed with the application; `surveillance`
    listens to the node already. `app.state.hub` is the gateway's shared part.
    """
    hub = Hub(
        node, limits or Limits(), hosts=hosts, origins=origins, conductor=conductor, executions=executions, history=read_model,
        security_log=security_log, surveillance=surveillance,
    )  # fmt: skip

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await hub.close()
        if on_shutdown is not None:
            await on_shutdown()

    app = FastAPI(title="parkex", version="1", summary="Exchange of a zero-carbon industrial park", lifespan=lifespan)
    app.state.hub = hub
    app.router.routes.append(WebSocketRoute(WEBSOCKET_PATH, WebSocketEndpoint(hub)))
    app.router.routes.append(Route(ASYNCAPI_PATH, _asyncapi))
    app.include_router(rest_router(hub, read_model, time_zone))
    app.include_router(administration_router(hub))
    app.include_router(meters_router(hub, time_zone))
    app.include_router(flows_router(hub, read_model, time_zone))
    app.include_router(carbon_router(hub))
    app.include_router(credits_router(hub))
    app.include_router(operations_router(hub, probes or Probes(), metrics_networks))
    if hub.origins.allowed:
        app.add_middleware(CORSMiddleware, allow_origins=hub.origins.allowed, allow_methods=["GET"])
    for name, path in (static_files or {}).items():
        app.router.routes.append(Route(f"/static/{name}", _sender(path)))
    if web_directory is not None:
        app.mount("/", StaticFiles(directory=web_directory, html=True), name="web")
    return app


async def _asyncapi(request: Request) -> JSONResponse:
    """The document of the socket, for the name the client asked for."""
    return JSONResponse(asyncapi_document(request.headers.get("host", "localhost")))


def _sender(path: Path) -> Callable[[Request], Awaitable[FileResponse]]:
    """An endpoint that answers with one file."""

    async def send(_: Request) -> FileResponse:
        return FileResponse(path)

    return send
