"""Each test of this directory runs against every backend of the gateway."""

import pytest

from tests.hostile.gateways import BACKENDS


@pytest.fixture(name="backend", params=BACKENDS)
def fixture_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)
