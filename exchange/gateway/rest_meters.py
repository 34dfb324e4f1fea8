"""REST for files of readings: POST /v1/meters/readings by an operator, CSV or Parquet, checked whole before anything is loaded.

The request is signed as those of rest_administration.py; the SHA-256 of the file is in the query, so that the signature covers it.
"""

import asyncio
import hashlib
import tempfile
from typing import Annotated, Any, BinaryIO, Final, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import BaseModel

from exchange.errors import InputError
from exchange.gateway.hub import Hub
from exchange.gateway.meter_upload import UploadOptions, UploadReport, check_upload, load_documents
from exchange.gateway.rest_administration import SIGNED_REFUSALS, Authorization, require_scope
from exchange.gateway.schemas import Problem
from exchange.metering.files.rows import Park

UPLOAD_BYTES_MAX: Final = 256 * 1024 * 1024
_IN_MEMORY_BYTES: Final = 4 * 1024 * 1024
_OPERATE: Final = frozenset({"operate"})


class MeterUpload(BaseModel):
    """`refusals` keep the file out and `flags` do not, one sentence each with its line; `counts` has all of both by name.

    `loaded` rows are new or other than before, `replaced` of them took the place of others, `already_there` were passed over.
    """

    as_of_seq: int
    rows: int
    devices: int
    documents: int
    loaded: int
    replaced: int
    already_there: int
    refusals: list[str]
    flags: list[str]
    counts: dict[str, int]


class RefusedUpload(BaseModel):
    """What kept a file out."""

    detail: MeterUpload


_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    **SIGNED_REFUSALS,
    400: {"model": Problem, "description": "The file is not the one that was signed, or an option is wrong"},
    409: {"model": RefusedUpload, "description": "Something refuses the file; nothing of it was loaded, unless `documents` says so"},
    413: {"model": Problem, "description": "The file is too large"},
}


def meters_router(hub: Hub, time_zone: str) -> APIRouter:
    """The route under /v1/meters."""
    router = APIRouter(prefix="/v1/meters", responses=_ANSWERS)
    exchange = hub.exchange
    one_at_a_time = asyncio.Lock()

    @router.post("/readings", summary="Check a file of readings, or load it; scope operate")
    async def readings(
        request: Request,
        sha256: Annotated[str, Query(pattern="^[0-9a-f]{64}$")],
        authorization: Authorization = "",
        source: Annotated[str, Query(max_length=200)] = "",
        revision: Annotated[int, Query(ge=0, le=2**31 - 1)] = 1,
        version: Annotated[str, Query(max_length=16)] = "preliminary",
        zone: Annotated[str, Query(max_length=64)] = "",
        digits: Annotated[int, Query(ge=1, le=12)] = 8,
        check: bool = False,
    ) -> MeterUpload:
        key = require_scope(hub, request, authorization, _OPERATE)
        options = UploadOptions(source or "file", revision, version, digits)
        with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as spooled:
            file = cast("BinaryIO", spooled)
            if await _received(request, file) != sha256:
                raise HTTPException(400, "the file is not the one whose digest was signed")
            async with one_at_a_time:
                park = Park.of(exchange.rooms.devices, _zone(zone or time_zone))
                try:
                    report, documents = await check_upload(file, park, exchange.rooms, exchange.now_ns, options)
                except InputError as error:
                    raise HTTPException(400, str(error)) from error
                if not report.refusals and not check:
                    rule = await load_documents(hub.node, documents, report, key.account, key.number)
                    report.refusals += [] if rule is None else [f"refused: {rule}"]
        if report.refusals:
            raise HTTPException(409, _result(report, exchange.last_sequence).model_dump())
        return _result(report, exchange.last_sequence)

    return router


async def _received(request: Request, file: BinaryIO) -> str:
    """Write the body to a file and return its SHA-256. Raises HTTPException 413."""
    digest, n_bytes = hashlib.sha256(), 0
    async for chunk in request.stream():
        n_bytes += len(chunk)
        if n_bytes > UPLOAD_BYTES_MAX:
            raise HTTPException(413, f"larger than {UPLOAD_BYTES_MAX // 2**20} MiB; cut it by month")
        digest.update(chunk)
        file.write(chunk)
    file.seek(0)
    return digest.hexdigest()


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise HTTPException(400, "unknown time zone; expected an IANA name such as Asia/Shanghai") from error


def _result(report: UploadReport, as_of_seq: int) -> MeterUpload:
    return MeterUpload(
        as_of_seq=as_of_seq, rows=report.rows, devices=report.devices, documents=report.documents, loaded=report.loaded, replaced=report.replaced,
        already_there=report.already_there, refusals=report.refusals, flags=report.flags, counts=report.counts,
    )  # fmt: skip
