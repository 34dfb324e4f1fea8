"""Routes for whoever runs the exchange: /healthz (no restart is needed), /readyz (it can do its work), /metrics (Prometheus).

A node whose journal has failed recovers by a restart and by nothing else, so /healthz says that too; everything else that is wrong passes or wants a
person, and is /readyz's to tell. Both tell nothing that `/v1/health` does not, and are open: an orchestrator asks from wherever it runs. Metrics say
how much is traded and refused and when, so they are for the networks that the operator names, this machine by default. A scrape is not a session: it
may not need a key that could trade, and it has to be answered while the market stands still.
"""

import ipaddress
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Header, HTTPException, Request, Response
from pydantic import BaseModel

from exchange.errors import InputError
from exchange.gateway.hub import Hub
from exchange.gateway.metrics import Metrics
from exchange.gateway.probes import LOOPBACK, Probes
from exchange.gateway.schemas import Problem

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Liveness(BaseModel):
    """`status` is "ok", or "failed" when the order path has ended for good."""

    status: str


class Readiness(BaseModel):
    """`status` is "ready" or "not_ready"; `checks` says "ok" or what is wrong by part: commands, read_model, disk."""

    status: str
    as_of_seq: int
    checks: dict[str, str]


def networks(texts: Sequence[str]) -> tuple[_Network, ...]:
    """Addresses and networks as 10.0.0.0/8. Raises InputError."""
    try:
        return tuple(ipaddress.ip_network(text) for text in texts)
    except ValueError as error:
        raise InputError(f"{error}; expected an address, or a network such as 10.0.0.0/8") from None


def operations_router(hub: Hub, probes: Probes, metrics_networks: Sequence[str] = LOOPBACK) -> APIRouter:
    """`metrics_networks`: who may read /metrics. Raises InputError for one that is none."""
    router = APIRouter()
    metrics = Metrics(hub, probes)
    allowed = networks(metrics_networks)

    @router.get("/healthz", summary="Whether the process lives", responses={503: {"model": Liveness, "description": "Needs a restart"}})
    async def healthz(response: Response) -> Liveness:
        if hub.node.failure is None:
            return Liveness(status="ok")
        response.status_code = 503
        return Liveness(status="failed")

    @router.get("/readyz", summary="Whether the exchange can do its work", responses={503: {"model": Readiness, "description": "Not ready"}})
    async def readyz(response: Response) -> Readiness:
        head = hub.exchange.last_sequence
        checks = {"commands": "ok" if hub.node.accepting else "not_accepting", "read_model": "ok", "disk": "ok"} | probes.problems(head)
        ready = all(check == "ok" for check in checks.values())
        if not ready:
            response.status_code = 503
        return Readiness(status="ready" if ready else "not_ready", as_of_seq=head, checks=checks)

    @router.get(
        "/metrics",
        summary="Metrics for Prometheus, for the networks the operator allows",
        response_class=Response,
        responses={
            200: {"content": {"text/plain": {"schema": {"type": "string"}}, "application/openmetrics-text": {"schema": {"type": "string"}}}},
            403: {"model": Problem, "description": "Asked from elsewhere"},
        },
    )
    async def read_metrics(request: Request, accept: Annotated[str, Header(max_length=1024, include_in_schema=False)] = "") -> Response:
        if not _is_in(request.client.host if request.client is not None else "", allowed):
            raise HTTPException(403, "metrics are not for this address")
        body, content_type = metrics.render(accept)
        return Response(body, headers={"Content-Type": content_type})

    return router


def _is_in(address: str, allowed: Sequence[_Network]) -> bool:
    try:
        asked = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(asked, ipaddress.IPv6Address) and asked.ipv4_mapped is not None:
        asked = asked.ipv4_mapped
    return any(asked in network for network in allowed)
