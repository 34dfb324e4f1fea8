"""REST for the four flows: GET /v1/flows/{flow}. Totals of the park are public; a subject needs a signed request (rest_administration.py)."""

import asyncio
import re
from contextlib import nullcontext
from functools import partial
from typing import Annotated, Any, Final, Literal, Protocol

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import BaseModel

from exchange.accounts.keys import RegisteredKey
from exchange.errors import InputError
from exchange.gateway.access import OVERSEERS
from exchange.gateway.hub import Hub
from exchange.gateway.rest_administration import SIGNED_REFUSALS, Authorization, require_scope, scope_missing
from exchange.gateway.rest_records import read_records
from exchange.gateway.schemas import Problem, Refused
from exchange.units import NS_PER_DAY

_READERS: Final = OVERSEERS | {"read"}
_NUMBERED: Final = re.compile(r"(account|device):([1-9][0-9]{0,8})", re.ASCII).fullmatch
_ANY: Final = re.compile(r".+", re.DOTALL).fullmatch
_KNOWN: Final = {"energy": _NUMBERED, "money": re.compile(r"account:[1-9][0-9]{0,8}", re.ASCII).fullmatch}

FlowName = Literal["energy", "carbon", "money", "project"]
ResolutionName = Literal["15m", "1h", "1d", "1mo"]


class FlowPoint(BaseModel):
    """An amount of the bucket that begins at `period_start_ns`."""

    period_start_ns: int
    kind: str
    value: int
    unit: str


class FlowSeries(BaseModel):
    """Buckets without an amount are left out. `subject` is empty for the whole park."""

    as_of_seq: int
    flow: FlowName
    subject: str
    resolution: ResolutionName
    points: list[FlowPoint]


class FlowHistory(Protocol):
    """The read model, as far as flows need it. Blocks: to be asked in a thread."""

    def flow(
        self, flow: str, subject: str | None, from_ns: int, to_ns: int, resolution: str, time_zone: str
    ) -> tuple[int, list[tuple[int, str, int, str]]]:
        """(as of, points). Raises InputError for an interval of too many buckets."""
        ...


_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    **SIGNED_REFUSALS,
    400: {"model": Problem, "description": "No such subject, or an interval that is none or too long"},
    404: {"model": Problem, "description": "This exchange keeps no read model"},
    503: {"model": Refused, "description": "The read model is away, or too many ask"},
}


def flows_router(hub: Hub, history: FlowHistory | None, time_zone: str) -> APIRouter:
    """The route under /v1/flows."""
    router = APIRouter(prefix="/v1/flows", responses=_ANSWERS)
    strangers = asyncio.Lock()

    @router.get("/{flow}", summary="A flow as a series: energy, carbon, money, project; of the park, or of a subject by a signed request")
    async def flow_series(
        request: Request,
        flow: FlowName,
        subject: Annotated[str, Query(max_length=64)] = "",
        from_ns: Annotated[int | None, Query(alias="from", ge=0, le=2**62)] = None,
        to_ns: Annotated[int | None, Query(alias="to", ge=0, le=2**62)] = None,
        resolution: ResolutionName = "1h",
        authorization: Authorization = "",
    ) -> FlowSeries:
        if subject:
            _require_reader(hub, require_scope(hub, request, authorization, _READERS), subject)
            if _KNOWN.get(flow, _ANY)(subject) is None:
                raise HTTPException(400, f"{flow} has no such subject; expected account:N{' or device:N' if flow == 'energy' else ''}")
        if history is None:
            raise HTTPException(404, "this exchange keeps no read model")
        end_ns = hub.node.clock.now_ns() if to_ns is None else to_ns
        start_ns = max(end_ns - NS_PER_DAY, 0) if from_ns is None else from_ns
        if start_ns > end_ns:
            raise HTTPException(400, "from lies behind to")
        try:
            # A year of a large park takes seconds to add up: strangers wait for each other and for nobody else.
            async with nullcontext() if subject else strangers:
                ask = partial(history.flow, flow, subject or None, start_ns, end_ns, resolution, time_zone)
                as_of_seq, points = await read_records(hub, ask)
        except InputError as error:
            raise HTTPException(400, str(error)) from error
        told = [FlowPoint(period_start_ns=start, kind=kind, value=value, unit=unit) for start, kind, value, unit in points]
        return FlowSeries(as_of_seq=as_of_seq, flow=flow, subject=subject, resolution=resolution, points=told)

    return router


def _require_reader(hub: Hub, key: RegisteredKey, subject: str) -> None:
    """Raises HTTPException 403 for a subject that is neither the key's own nor its to oversee."""
    if not OVERSEERS.isdisjoint(key.scopes):
        return
    numbered = _NUMBERED(subject)
    if numbered is not None:
        number = int(numbered[2])
        device = hub.exchange.rooms.devices.by_id.get(number)
        owner = number if numbered[1] == "account" else 0 if device is None else device.account
        if owner == key.account:
            return
    raise scope_missing()
