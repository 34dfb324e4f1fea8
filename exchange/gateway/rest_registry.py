"""REST of the registry: what became of a serial number, retirements as JSON, as text and as a page to share, and units of the account that asks.

A retirement is public by its number, for that is what it is for. Who holds units that are live is told to their owner (a signed request, as for
rest_administration) and to who audits or operates.
"""

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, HTTPException, Path, Query, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse
from pydantic import BaseModel

from exchange.errors import InputError
from exchange.gateway.access import OVERSEERS
from exchange.gateway.hub import Hub
from exchange.gateway.registry_results import bundle_rows, certificate_result, retirement_result, state_counts
from exchange.gateway.rest_administration import Authorization, require_scope
from exchange.gateway.schemas import Refusal, Refused
from exchange.protocol.reject_codes import MESSAGES, RejectCode
from exchange.registry.retirement_page import retirement_page
from exchange.registry.retirements import Retirement
from exchange.registry.serials import parse_serial

# The page brings its style with it; nothing else may run or be fetched.
_PAGE_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_NOT_FOUND: Final[dict[int | str, dict[str, Any]]] = {404: {"model": Refused, "description": "There is none"}}
_READERS: Final = frozenset({"read", "operate", "audit"})
_MAYBE_SIGNED: Final[dict[int | str, dict[str, Any]]] = {
    401: {"model": Refused, "description": "Signed, but not by a good key"},
    403: {"model": Refused, "description": "The key lacks the scope"},
    429: {"model": Refused, "description": "The address waits after failed requests"},
}

Number = Annotated[int, Path(ge=1, le=2**63 - 1)]


class Issuance(BaseModel):
    """`sequence` is the command that issued; `evidence` the SHA-256 of what was certified, 64 zeros where there was none."""

    number: int
    sequence: int
    evidence: str


class Source(BaseModel):
    """The device that generated."""

    device: int
    name: str
    kind: str
    capacity_w: int
    location: str
    commissioned_ns: int


class ChainLink(BaseModel):
    """A bundle that the unit was part of. `digest` is over the one of the next link, which it was split from, up to the bundle that was issued.

    A chain of more than 50 links is cut.
    """

    serial: str
    sequence: int
    digest: str


class CertificateOut(BaseModel):
    """`serial` is the bundle that the unit belongs to now. `holder` is null where it is not for the asking; `retirement` is a number."""

    as_of_seq: int
    serial: str
    state: str
    holder: int | None
    scheme: str
    source: Source | None
    vintage: int
    period_start_ns: int
    period_end_ns: int
    expiry_ns: int
    transfers: int
    issuance: Issuance
    chain: list[ChainLink]
    retirement: int | None


class RetirementOut(BaseModel):
    """`digest` is the SHA-256 of the retirement's text, which ends with `previous`."""

    number: int
    kind: str
    retired_ns: int
    account: int
    beneficiary: int
    beneficiary_name: str
    purpose: str
    consumed_from_ns: int
    consumed_to_ns: int
    series: str
    quantity: int
    unit: str
    serials: list[str]
    previous: str
    digest: str


class RetirementAnswer(BaseModel):
    as_of_seq: int
    retirement: RetirementOut


class RetirementHead(BaseModel):
    number: int
    series: str
    quantity: int
    beneficiary_name: str
    retired_ns: int
    digest: str


class RetirementList(BaseModel):
    """Newest first; `count` is the number of all. The digest of the newest stands for all before it."""

    as_of_seq: int
    count: int
    retirements: list[RetirementHead]


class BundleOut(BaseModel):
    serial: str
    series: str
    quantity: int
    state: str
    period_start_ns: int
    expiry_ns: int


class SeriesCounts(BaseModel):
    """Units of a series by state."""

    series: str
    units: dict[str, int]


class CertificateList(BaseModel):
    """`counts` are everybody's. `bundles` are those of the account that signed, oldest first, `count` of them in all; none without a signature."""

    as_of_seq: int
    counts: list[SeriesCounts]
    account: int | None
    count: int
    bundles: list[BundleOut]


def registry_router(hub: Hub) -> APIRouter:
    """The routes of the registry."""
    router = APIRouter()
    exchange = hub.exchange

    @router.get("/v1/certificates", summary="Units by series and state; with a signature, the bundles of its account", responses=_MAYBE_SIGNED)
    async def certificates(
        request: Request, authorization: Authorization = "", limit: Annotated[int, Query(ge=1, le=1000)] = 100
    ) -> CertificateList:
        account = require_scope(hub, request, authorization, _READERS).account if authorization else None
        count, bundles = (0, []) if account is None else bundle_rows(exchange, account, limit)
        return CertificateList(
            as_of_seq=exchange.last_sequence, counts=[SeriesCounts(**row) for row in state_counts(exchange)], account=account, count=count,
            bundles=[BundleOut(**row) for row in bundles],
        )  # fmt: skip

    @router.get("/v1/certificates/{serial}", summary="What became of a serial number", responses=_NOT_FOUND | _MAYBE_SIGNED)
    async def certificate(request: Request, serial: Annotated[str, Path(max_length=120)], authorization: Authorization = "") -> CertificateOut:
        key = require_scope(hub, request, authorization, _READERS) if authorization else None
        sees_all = key is not None and not OVERSEERS.isdisjoint(key.scopes)
        try:
            found = certificate_result(exchange, parse_serial(serial), None if key is None else key.account, sees_all=sees_all)
        except InputError:
            found = None
        if found is None:
            raise _not_found(RejectCode.UNKNOWN_SERIAL)
        return CertificateOut(as_of_seq=exchange.last_sequence, **found)

    @router.get("/v1/retirements", summary="Retirements, newest first")
    async def retirements(limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> RetirementList:
        table = exchange.rooms.certificates.retirements
        numbers = range(len(table.by_number), max(0, len(table.by_number) - limit), -1)
        heads = [
            RetirementHead(
                number=one.number, series=one.series, quantity=one.quantity, beneficiary_name=one.beneficiary_name, retired_ns=one.retired_ns,
                digest=one.digest,
            )
            for one in (table.by_number[number] for number in numbers)
        ]  # fmt: skip
        return RetirementList(as_of_seq=exchange.last_sequence, count=len(table.by_number), retirements=heads)

    @router.get("/v1/retirements/{number}", summary="A retirement", responses=_NOT_FOUND)
    async def retirement(number: Number) -> RetirementAnswer:
        found = _retirement(hub, number)
        return RetirementAnswer(as_of_seq=exchange.last_sequence, retirement=RetirementOut(**retirement_result(found)))

    @router.get(
        "/v1/retirements/{number}/text", summary="The text whose SHA-256 is the digest of a retirement", responses=_told_as("text/plain"),
        response_class=Response,
    )  # fmt: skip
    async def retirement_text(number: Number) -> Response:
        return PlainTextResponse(_retirement(hub, number).text)

    @router.get(
        "/retirements/{number}", summary="The page of a retirement, to share and to print", responses=_told_as("text/html"), response_class=Response
    )
    async def page(number: Number, lang: Annotated[Literal["en", "zh"], Query()] = "en") -> Response:
        return HTMLResponse(retirement_page(_retirement(hub, number), lang), headers=_PAGE_HEADERS)

    return router


def _told_as(content_type: str) -> dict[int | str, dict[str, Any]]:
    """Answers of a route that does not speak JSON, but for what there is none of."""
    return {200: {"content": {content_type: {"schema": {"type": "string"}}}}, **_NOT_FOUND}


def _retirement(hub: Hub, number: int) -> Retirement:
    found = hub.exchange.rooms.certificates.retirements.by_number.get(number)
    if found is None:
        raise _not_found(RejectCode.UNKNOWN_RETIREMENT)
    return found


def _not_found(code: RejectCode) -> HTTPException:
    return HTTPException(404, Refusal(code=int(code), message=MESSAGES[code]).model_dump())
