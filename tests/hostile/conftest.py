"""Each test of this directory runs against every backend of the gateway."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from exchange.gateway.limits import Limits
from tests.hostile.gateways import BACKENDS, Served, gateway


@pytest.fixture(name="backend", scope="module", params=BACKENDS)
def fixture_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest_asyncio.fixture(name="shared", scope="module", loop_scope="module")
async def fixture_shared(backend: str) -> AsyncIterator[Served]:
    """One gateway for all tests of a module that change nothing for each other; its requests have little time."""
    async with gateway(backend, Limits(flush_interval_s=0.002, request_timeout_s=0.5)) as served:
        yield served
