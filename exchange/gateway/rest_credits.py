"""REST of allowances and credits: where an entity stands, projects with their evidence, the park's own scheme. Reads only, signed like the rest.

An account sees itself with scope read; who operates or audits sees all. Amounts are integers in t, Wh, g and micro-CNY
(exchange.order_path.credit_queries).
"""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from exchange.accounts.keys import RegisteredKey
from exchange.gateway.access import OVERSEERS
from exchange.gateway.hub import Hub
from exchange.gateway.rest_administration import SIGNED_REFUSALS, Authorization, require_scope
from exchange.order_path.credit_queries import CompliancePosition, ProjectView

Account = Annotated[int | None, Query(ge=1, le=2**31 - 1)]
Year = Annotated[int | None, Query(ge=2000, le=2099)]

_READERS = OVERSEERS | {"read"}


class ComplianceList(BaseModel):
    """Positions in the years of which something is known, or in the year that was asked for. Empty: no compliance entity."""

    as_of_seq: int
    positions: list[CompliancePosition]


class ProjectList(BaseModel):
    as_of_seq: int
    projects: list[ProjectView]


class BenchmarkOut(BaseModel):
    product: str
    unit: str
    g_per_unit: int


class ParkSchemeOut(BaseModel):
    """A period of the park's scheme; the penalty is published with it."""

    symbol: str
    start_ns: int
    end_ns: int
    deadline_ns: int
    penalty_micro_per_t: int
    is_closed: bool
    benchmarks: list[BenchmarkOut]


class PerformanceOut(BaseModel):
    symbol: str
    account: int
    verifier: int
    data_sha256: str
    allowed_g: int
    emitted_g: int
    added_g: int
    credits_t: int
    is_issued: bool
    obligation_t: int
    surrendered_t: int
    shortfall_t: int
    penalty_micro: int
    due_micro: int


class ParkSchemeList(BaseModel):
    as_of_seq: int
    schemes: list[ParkSchemeOut]
    performances: list[PerformanceOut]


def credits_router(hub: Hub) -> APIRouter:
    """Routes under /v1 about allowances and credits."""
    router = APIRouter(prefix="/v1", responses=SIGNED_REFUSALS)
    exchange = hub.exchange

    @router.get("/compliance", summary="Obligation, holdings and what is missing; own account, or scope operate or audit")
    async def compliance(request: Request, authorization: Authorization = "", account: Account = None, year: Year = None) -> ComplianceList:
        asked = _account(require_scope(hub, request, authorization, _READERS), account)
        accounts = [asked] if asked is not None else sorted(exchange.rooms.credits.compliance.entities)
        years = [(one, y) for one in accounts for y in ([year] if year is not None else exchange.compliance_years(one))]
        found = [exchange.compliance_position(one, y) for one, y in years]
        return ComplianceList(as_of_seq=exchange.last_sequence, positions=[position for position in found if position is not None])

    @router.get("/projects", summary="Projects with their evidence; own ones, or all with scope operate or audit")
    async def projects(request: Request, authorization: Authorization = "", account: Account = None) -> ProjectList:
        asked = _account(require_scope(hub, request, authorization, _READERS), account)
        return ProjectList(as_of_seq=exchange.last_sequence, projects=exchange.credit_projects(asked))

    @router.get("/park-schemes", summary="The park's own scheme; performances of the own account, or all with scope operate or audit")
    async def park_schemes(request: Request, authorization: Authorization = "", account: Account = None) -> ParkSchemeList:
        asked = _account(require_scope(hub, request, authorization, _READERS), account)
        names = PerformanceOut.model_fields.keys() - {"symbol", "data_sha256"}
        rows = [
            PerformanceOut(symbol=symbol, data_sha256=row.data_sha256.hex(), **{name: getattr(row, name) for name in names})
            for symbol, row in exchange.park_performances(asked)
        ]
        return ParkSchemeList(as_of_seq=exchange.last_sequence, schemes=_schemes(hub), performances=rows)

    return router


def _account(key: RegisteredKey, asked: int | None) -> int | None:
    """The account that a request is about: who oversees may name any, or none for all of them; of others there is nothing to see."""
    return key.account if OVERSEERS.isdisjoint(key.scopes) else asked


def _schemes(hub: Hub) -> list[ParkSchemeOut]:
    names = ParkSchemeOut.model_fields.keys() - {"symbol", "benchmarks"}
    return [
        ParkSchemeOut(
            symbol=hub.exchange.instrument_by_id(scheme.instrument).symbol,
            benchmarks=[BenchmarkOut(product=row.product, unit=row.unit, g_per_unit=row.g_per_unit) for row in scheme.benchmarks],
            **{name: getattr(scheme, name) for name in names},
        )
        for _, scheme in sorted(hub.exchange.rooms.credits.parks.schemes.items())
    ]
