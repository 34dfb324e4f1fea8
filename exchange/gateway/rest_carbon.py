"""REST for the carbon accounts: factors, claims matrix and totals of the park for everyone, a member's account for itself and for overseers.

A report is gathered in steps between which the exchange goes on, and kept until a settlement or a document changes it. One is made at a time.
"""

import asyncio
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, HTTPException, Path, Query, Request
from pydantic import BaseModel

from exchange.carbon import claims
from exchange.carbon.report import CarbonReport, report_content
from exchange.errors import InputError
from exchange.gateway.access import OVERSEERS
from exchange.gateway.hub import Hub
from exchange.gateway.rest_administration import SIGNED_REFUSALS, Authorization, require_scope, scope_missing
from exchange.gateway.schemas import Problem
from exchange.order_path.carbon_queries import YearGathering, revision

KEPT_YEARS = 4
_READERS = OVERSEERS | {"read"}
_NO_YEAR: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "No factors or rules for that year, or no such account"}}

Year = Annotated[int, Query(ge=1990, le=2199)]


class CarbonOut(BaseModel):
    """`report`: as `parkex carbon report --json` prints it; emissions in grams, energy in Wh, shares in ppm."""

    as_of_seq: int
    report: dict[str, Any]


class MemberCarbon(BaseModel):
    """`member`: the line of the account in the report, with its own retirements."""

    as_of_seq: int
    year: int
    closed: bool
    member: dict[str, Any]
    retirements: list[dict[str, Any]]


class FactorList(BaseModel):
    """What a year is accounted with, newest versions first used: grid in mg CO2 a kWh, fuels a unit."""

    as_of_seq: int
    grid: list[dict[str, Any]]
    fuels: list[dict[str, Any]]


class CellOut(BaseModel):
    instrument: str
    account: str
    allowed: bool
    reason_en: str
    reason_zh: str
    source: str


class Matrix(BaseModel):
    as_of_seq: int
    cells: list[CellOut]


class ReportShelf:
    """Reports of the years asked for last."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._kept: dict[int, tuple[tuple[int, ...], CarbonReport]] = {}
        self._making = asyncio.Lock()

    async def report(self, year: int) -> CarbonReport:
        """As of the moment its first step began, or of a later one. Raises InputError for a year without factors or rules."""
        async with self._making:
            now = revision(self._hub.exchange)
            kept = self._kept.get(year)
            if kept is not None and kept[0] == now:
                return kept[1]
            gathering = YearGathering(self._hub.exchange, year)
            for _ in gathering.steps():
                await asyncio.sleep(0)
            report = gathering.report()
            self._kept[year] = now, report
            while len(self._kept) > KEPT_YEARS:
                del self._kept[next(iter(self._kept))]
            return report


def carbon_router(hub: Hub) -> APIRouter:
    """All routes under /v1/carbon."""
    router = APIRouter(prefix="/v1/carbon")
    shelf = ReportShelf(hub)
    exchange = hub.exchange

    async def made(year: int) -> CarbonReport:
        try:
            return await shelf.report(year)
        except InputError as error:
            raise HTTPException(404, str(error)) from None

    @router.get("/report", summary="Park account, indicators, Scope 2 and direct connection of a year: totals", responses=_NO_YEAR)
    async def report(year: Year) -> CarbonOut:
        found = await made(year)
        return CarbonOut(as_of_seq=found.as_of_seq, report=report_content(found, with_members=False))

    @router.get("/factors", summary="Emission factors that a year is accounted with")
    async def factors(year: Year) -> FactorList:
        book = exchange.rooms.carbon.factors_of(year)
        grid = [msgspec.to_builtins(factor) for factor in book.grid if factor.year <= year]
        fuels = [msgspec.to_builtins(fuel) for fuel in book.fuels if fuel.year <= year]
        return FactorList(as_of_seq=exchange.last_sequence, grid=grid, fuels=fuels)

    @router.get("/matrix", summary="Which instrument lowers which account, with reasons")
    async def matrix() -> Matrix:
        return Matrix(as_of_seq=exchange.last_sequence, cells=[CellOut(**cell._asdict()) for cell in claims.matrix().values()])

    @router.get("/members/{account}", summary="Scope 2 of an account: its own key, or scope operate or audit", responses=SIGNED_REFUSALS | _NO_YEAR)
    async def member(
        request: Request, account: Annotated[int, Path(ge=1, le=2**32 - 1)], year: Year, authorization: Authorization = ""
    ) -> MemberCarbon:
        key = require_scope(hub, request, authorization, _READERS)
        if key.account != account and OVERSEERS.isdisjoint(key.scopes):
            raise scope_missing()
        found = await made(year)
        line = next((member for member in found.members if member.account == account), None)
        if line is None:
            raise HTTPException(404, "unknown account")
        own = [retirement._asdict() for retirement in found.retirements if retirement.account == account]
        return MemberCarbon(as_of_seq=found.as_of_seq, year=year, closed=found.closed, member=msgspec.to_builtins(line), retirements=own)

    return router
