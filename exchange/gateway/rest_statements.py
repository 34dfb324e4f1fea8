"""REST for statements of settled days and months: a member's own with a key that may read, everybody's for those who operate or audit."""

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, HTTPException, Path, Query, Request, Response
from pydantic import BaseModel

from exchange.gateway.access import OVERSEERS
from exchange.gateway.hub import Hub
from exchange.gateway.rest_administration import SIGNED_REFUSALS, Authorization, require_scope, scope_missing
from exchange.gateway.schemas import Problem
from exchange.settlement.export import statement_to_csv, statement_to_html
from exchange.settlement.rendering import statement_to_dict
from exchange.settlement.statement import Statement

_READERS: Final = OVERSEERS | {"read"}
_NO_STATEMENT: Final[dict[int | str, dict[str, Any]]] = {404: {"model": Problem, "description": "Not settled, or no such account or run"}}

Name = Annotated[str, Path(max_length=32, description="A day or a month: 2026-07-15, 2026-07")]
Account = Annotated[int, Path(ge=1, le=2**31 - 1)]
Run = Annotated[int, Query(ge=0, le=10_000, description="Which run, 0: the last")]


class StatementOut(BaseModel):
    """`statement`: as `parkex statement --format json` prints it; integers in micro-CNY, fen and Wh."""

    as_of_seq: int
    statement: dict[str, Any]


def statements_router(hub: Hub) -> APIRouter:
    """All routes under /v1/statements."""
    router = APIRouter(prefix="/v1", responses=SIGNED_REFUSALS)

    def found(request: Request, authorization: str, account: int, name: str, run: int) -> Statement:
        key = require_scope(hub, request, authorization, _READERS)
        if key.account != account and OVERSEERS.isdisjoint(key.scopes):
            raise scope_missing()
        statement: Statement | None = hub.exchange.statement(account, name, run)
        if statement is None:
            raise HTTPException(404, "no such statement")
        return statement

    @router.get("/statements/{name}/{account}", summary="A statement with the source of every line", responses=_NO_STATEMENT)
    async def statement(request: Request, name: Name, account: Account, authorization: Authorization = "", run: Run = 0) -> StatementOut:
        shown = statement_to_dict(found(request, authorization, account, name, run))
        return StatementOut(as_of_seq=hub.exchange.last_sequence, statement=shown)

    @router.get("/statements/{name}/{account}/{form}", summary="The same as a page or as CSV", responses=_NO_STATEMENT)
    async def rendered(
        request: Request,
        name: Name,
        account: Account,
        form: Literal["html", "csv"],
        authorization: Authorization = "",
        run: Run = 0,
        lang: Literal["en", "zh"] = "en",
    ) -> Response:
        shown = found(request, authorization, account, name, run)
        headers = {"X-As-Of-Seq": str(hub.exchange.last_sequence)}
        if form == "csv":
            return Response(statement_to_csv(shown), media_type="text/csv; charset=utf-8", headers=headers)
        return Response(statement_to_html(shown, lang), media_type="text/html; charset=utf-8", headers=headers)

    return router
