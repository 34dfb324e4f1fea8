"""The REST API against its own OpenAPI document: schemathesis asks what the document allows and what it does not, over a real socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import schemathesis
from hypothesis import given, settings
from schemathesis import GenerationMode

from tests.exchange.gateway.parks import RunningPark
from tests.exchange.gateway.test_rest import traded
from tests.exchange.gateway.test_websocket import serving

EXAMPLES = 20
POSTED = {"/v1/meters/readings"}


@asynccontextmanager
async def market() -> AsyncIterator[tuple[RunningPark, str]]:
    """A market that has traded, and its address. Its members have left, so that it ends at once."""
    async with serving() as (park, url):
        await traded(park)
        for connection in list(park.hub.connections):
            connection.disconnected()
        yield park, url.replace("ws", "http")


def check_against_document(url: str, path: str, mode: GenerationMode) -> None:
    """Every answer has a documented status, content type and shape; what the document forbids is refused."""
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    operation = schema[path]["POST" if path in POSTED else "GET"]

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=EXAMPLES)
    def ask(case: schemathesis.Case) -> None:
        case.call_and_validate()

    ask()


@pytest.mark.parametrize(
    "path",
    [
        "/v1/health", "/v1/instruments", "/v1/trades", "/v1/auctions", "/v1/summary", "/v1/energy",
        "/v1/keys", "/v1/proposals", "/v1/audit", "/v1/alerts", "/v1/compliance", "/v1/projects", "/v1/park-schemes",
        "/v1/carbon/report", "/v1/carbon/factors", "/v1/carbon/matrix", "/v1/carbon/members/{account}", "/v1/flows/{flow}", "/v1/meters/readings",
        "/v1/certificates", "/v1/certificates/{serial}", "/v1/retirements", "/v1/retirements/{number}", "/v1/retirements/{number}/text",
        "/retirements/{number}", "/v1/statements/{name}/{account}", "/v1/statements/{name}/{account}/{form}", "/healthz", "/readyz", "/metrics",
    ],
)
async def test_what_the_document_allows_is_answered_as_it_says(path: str) -> None:
    async with market() as (_, url):
        await asyncio.to_thread(check_against_document, url, path, GenerationMode.POSITIVE)


_WITH_PARAMETERS = [
    "/v1/instruments", "/v1/trades", "/v1/audit", "/v1/alerts", "/v1/compliance", "/v1/carbon/factors", "/v1/carbon/members/{account}",
    "/v1/flows/{flow}", "/retirements/{number}",
]  # fmt: skip


@pytest.mark.parametrize("path", _WITH_PARAMETERS)
async def test_what_it_forbids_is_refused(path: str) -> None:
    """The routes with parameters."""
    async with market() as (_, url):
        await asyncio.to_thread(check_against_document, url, path, GenerationMode.NEGATIVE)


async def test_no_route_is_left_out() -> None:
    async with market() as (park, _):
        marks = [mark for mark in test_what_the_document_allows_is_answered_as_it_says.pytestmark if mark.name == "parametrize"]  # type: ignore[attr-defined]
        assert set(park.app.openapi()["paths"]) == set(marks[0].args[1])
